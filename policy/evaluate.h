/*
 * What the order says to one request. A pure function: no clock, no memory, no state; threads as
 * they like. tests/unit/policy/test_evaluate.c says the same a second time, slowly and otherwise.
 *
 *   1. INTERNAL actions are nobody's; evidence is never an administrator's or keyholder's
 *      (CAPACITY), whatever rules say.
 *   2. A freeze that fits the person, a party of theirs, the collection, or everything denies every
 *      action that a freeze stops (FROZEN): a column of case/actions.def says which.
 *   3. Rules that fit: party, capacity, action and collection all match.
 *   4. A fitting forbid without a query denies (PROHIBITED), the first of them is cited. One with a
 *      query takes its records out of what the person may see.
 *   5. Without a fitting permit an ORDERED action is denied (NOT_IN_ORDER), citing the default
 *      paragraph; an OPEN or ADMINISTRATIVE one is allowed here, without conditions. Who may do an
 *      administrative act at all is said by registry/authority.h, which asks here for what the
 *      order adds.
 *   6. The conditions of *all* fitting permits hold together. Conditions are asked in the order of
 *      enum us_condition, each of all permits before the next; the first permit in the file that
 *      fails the first failing condition is cited.
 *   7. Limits and masks of all fitting permits hold together: the smallest number of each, the
 *      union of the masks; the boxes that all open, of the entries that all open.
 *   8. What may be seen is the union of the permits' queries without the union of the forbids'.
 *
 * The visible set is a function of (permits, forbids) alone: that pair of bit sets is the key under
 * which the vault keeps a bitmap.
 */
#ifndef US_POLICY_EVALUATE_H
#define US_POLICY_EVALUATE_H

#include "policy/order.h"
#include "policy/usage.h"

#define US_RULE_WORDS (US_ORDER_RULES / 64)
#define US_APPROVERS_MAX 16

/* The asker, as the registry knows them now (us_registry_subject() fills it). */
struct us_subject {
	uint32_t person;
	enum us_capacity capacity;
	uint64_t parties;    /* bit i: party i of this order; 0: none */
	int acknowledged;    /* Exhibit A, for this version */
	uint32_t clearances; /* bit i: clearance i of this order */
};

/* Somebody who has approved this very request and may still be counted. */
struct us_approver {
	uint32_t person;
	enum us_capacity capacity;
	uint64_t parties;
	int64_t at_ns; /* when they signed */
};

/* A freeze that is in force. Exactly one of the members says what it hits. */
struct us_freeze_on {
	uint32_t id; /* counted from 1 */
	int everything;
	uint64_t parties; /* bits of this order */
	uint32_t person;
	struct us_bytes collection;
};

/* The id of the freeze of everything that a daemon can be started with; no freeze of the registry
 * has it. */
#define US_FREEZE_AT_START UINT32_MAX

/* Facts that the caller cannot know: their conditions and limits are left out, not failed. Who
 * leaves one out must not be the one who decides last: the keeper leaves out nothing. */
#define US_UNKNOWN_ADDRESS 1
#define US_UNKNOWN_USAGE 2
#define US_UNKNOWN_APPROVAL 4
#define US_UNKNOWN_CREDENTIAL 8

struct us_context {
	struct us_bytes collection; /* name; empty if the action is about none */
	struct us_bytes purpose;    /* as stated; empty: none */
	uint64_t records;           /* how many the request names or would disclose; 0 if none */
	int64_t now_ns;
	unsigned unknown;    /* US_UNKNOWN_* */
	uint8_t address[16]; /* us_address_parse() */
	int has_address;     /* 0: it could not be read; then no network fits */
	uint8_t matter;      /* index of the matter's state in the order's list */
	uint16_t credential_bits;
	uint16_t credential_days; /* whole days from notBefore to notAfter */
	size_t n_approvers;       /* distinct people */
	const struct us_approver *approvers;
	size_t n_freezes;
	const struct us_freeze_on *freezes;
	/* Usage: what the meters would read after this request (disclosed before, and with this
	 * request), and read before. Of party meters the largest over the person's parties. All
	 * zero if unknown. */
	struct us_meter person_before, person_after;
	struct us_meter party_before, party_after;
	uint64_t corpus; /* records of the collection; share is measured against it */
};

/* Freezes everything, beside what the order's people have frozen: of the freezes that fit this one
 * is cited. */
void us_context_freeze(struct us_context *context);

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

/* What is left of each limit after this request was counted; US_UNLIMITED: no such limit. */
struct us_remaining {
	uint32_t records_per_request; /* the cap itself */
	uint32_t consecutive;         /* the cap itself */
	uint32_t per_day;
	uint32_t life;
	uint32_t share; /* in records */
};

struct us_ruling {
	enum us_decision decision;    /* US_DECISION_ALLOW or US_DECISION_DENY */
	enum us_reason reason;        /* US_REASON_NONE exactly if allowed */
	uint32_t rule;                /* counted from 1; 0: none */
	uint32_t freeze;              /* id of the freeze that denied; 0: none */
	struct us_bytes rule_id;      /* of that rule, else empty; belongs to the order */
	struct us_bytes paragraph;    /* to cite; may be empty; belongs to the order */
	const char *cure;             /* static: what the person can do; "" if allowed */
	uint32_t records_per_request; /* cap in force, also when denied by it */
	int purpose_needed;
	int approval_needed;             /* some permit that fits wants approvals */
	uint32_t run_max;                /* smallest consecutive cap; 0: none */
	int wants_party_usage;           /* some limit is per party */
	struct us_remaining left;        /* if allowed: after the request; else as of before */
	struct us_mask mask;             /* of all fitting permits */
	uint8_t boxes;                   /* of the log: US_BOXES_* */
	enum us_log_scope log_scope;     /* narrowest; 0 if the action opens no log */
	uint64_t permits[US_RULE_WORDS]; /* bit i: rule i (from 0) fits and permits */
	uint64_t forbids[US_RULE_WORDS]; /* fits and forbids, with a query */
	int sees_all; /* 1: some permit has no query and no forbid fits: the set is everything */
};

/* Never fails: whatever is not clearly allowed is a denial. */
void us_order_evaluate(const struct us_order *order, const struct us_subject *subject,
    enum us_action action, const struct us_context *context, struct us_ruling *out);

/* The next set bit at or after from, or -1. for (i = next(s, 0); i >= 0; i = next(s, i + 1)) */
int us_rules_next(const uint64_t rules[US_RULE_WORDS], int from);

/* --- why: for "order explain" and "order who" ------------------------------------------------- */

/* One line of an explanation: rule i (from 0) and how it stands to the request. */
enum us_standing {
	US_STANDS_NOT,     /* does not fit: see misses */
	US_STANDS_PERMIT,  /* fits and permits; conditions say whether they hold */
	US_STANDS_FORBID,  /* fits and forbids everything asked about */
	US_STANDS_EXCLUDES /* fits and takes its query's records out */
};
#define US_MISSES_PARTY 1
#define US_MISSES_CAPACITY 2
#define US_MISSES_ACTION 4
#define US_MISSES_COLLECTION 8
struct us_explained {
	uint32_t rule;
	enum us_standing standing;
	unsigned misses; /* US_MISSES_*, if NOT */
	/* bit c: enum us_condition c is set in this rule (and its facts are known) */
	uint32_t asked;
	uint32_t fails; /* bit c: it does not hold */
};
/* Calls line for every rule, in the order of the file. Never fails; a request that
 * us_order_evaluate() allows has no FORBID line and, unless its action is OPEN or ADMINISTRATIVE, a
 * PERMIT line without fails. */
void us_order_explain(const struct us_order *order, const struct us_subject *subject,
    enum us_action action, const struct us_context *context,
    void (*line)(void *ctx, const struct us_explained *e), void *ctx);
/* What would cure a failing condition of a rule, a sentence for the person: "acknowledge the order:
 * underseal acknowledge …". Static. */
const char *us_condition_cure(enum us_condition condition, const struct us_rule *rule);

#endif
