/* The conditions of a permit: which there are, whether they hold, what would cure them. Pure. */
#ifndef US_POLICY_CONDITIONS_H
#define US_POLICY_CONDITIONS_H

#include "policy/context.h"

/* In the order in which they are asked. */
#define US_CONDITION_LIST(X) \
	X(ACKNOWLEDGEMENT, 0, "acknowledgement") \
	X(CLEARANCE, 1, "clearance") \
	X(MATTER, 2, "matter") \
	X(PERIOD, 3, "period") \
	X(HOURS, 4, "hours") \
	X(NETWORK, 5, "network") \
	X(CREDENTIAL, 6, "credential") \
	X(PURPOSE, 7, "purpose") \
	X(REQUEST, 8, "records_per_request") \
	X(CONSECUTIVE, 9, "consecutive") \
	X(DAY, 10, "per_day") \
	X(LIFE, 11, "life") \
	X(SHARE, 12, "share") \
	X(APPROVAL, 13, "approval")
enum us_condition {
#define X(name, number, text) US_CONDITION_##name = number,
	US_CONDITION_LIST(X)
#undef X
};
#define US_CONDITIONS 14
const char *us_condition_name(unsigned condition); /* NULL for none */
/* The reason a denial by it has: NO_ACKNOWLEDGEMENT, CLEARANCE, MATTER, PERIOD, HOURS, NETWORK,
 * CREDENTIAL, PURPOSE_MISSING, QUOTA, APPROVAL. */
enum us_reason us_condition_reason(enum us_condition condition);
/* What would cure a failing condition of a rule, a sentence for the person: "acknowledge the order:
 * underseal acknowledge …". Static. */
const char *us_condition_cure(enum us_condition condition, const struct us_rule *rule);

/* 1 if the rule sets that condition and its facts are known. */
int us_condition_asked(const struct us_rule *rule, enum us_condition condition, unsigned unknown);
/* 1 if it holds; only if it is asked. listed: the purpose is a code of the order's list. */
int us_condition_holds(const struct us_order *order, const struct us_rule *rule,
    enum us_condition condition, const struct us_subject *subject, const struct us_context *context,
    int listed);
/* A share in millionths as a number of records, rounded down. */
uint64_t us_share_of(uint32_t share, uint64_t corpus);

#endif
