/*
 * What the order says to one request. A pure function: no clock, no memory, no state; threads as
 * they like.
 *
 *   1. An action that administrators and keyholders never have is denied to them (CAPACITY), whatever rules say.
 *   2. Rules that fit: party, capacity, action and collection all match.
 *   3. A fitting forbid without a query denies (PROHIBITED). One with a query takes its records out of
 *      what the person may see.
 *   4. Without a fitting permit an ORDERED action is denied (NOT_IN_ORDER), citing the default paragraph.
 *   5. The conditions of *all* fitting permits hold together: a purpose if any wants one
 *      (PURPOSE_MISSING), the smallest number of records a request (QUOTA), the boxes that all open.
 *   6. What may be seen is the union of the permits' queries without the union of the forbids'.
 *
 * The visible set is a function of (permits, forbids) alone: that pair of bit sets is the key under
 * which the vault keeps a bitmap.
 */
#ifndef US_POLICY_EVALUATE_H
#define US_POLICY_EVALUATE_H

#include "policy/order.h"

#define US_RULE_WORDS (US_ORDER_RULES / 64)

/* The asker, as the registry knows them now (us_registry_subject() fills it). */
struct us_subject {
	uint32_t person;
	enum us_capacity capacity;
	uint64_t parties; /* bit i: party i of this order; 0: none */
};

struct us_context {
	struct us_bytes collection; /* name; empty if the action is about none */
	struct us_bytes purpose;    /* as stated; empty: none */
	uint64_t records;           /* how many the request names; 0 if it names none */
	int64_t now_ns;             /* for conditions to come */
};

struct us_ruling {
	enum us_decision decision; /* US_DECISION_ALLOW or US_DECISION_DENY */
	enum us_reason reason;     /* US_REASON_NONE exactly if allowed */
	uint32_t rule;             /* counted from 1; 0: none */
	struct us_bytes rule_id;   /* of that rule, else empty; belongs to the order */
	struct us_bytes paragraph; /* to cite; may be empty; belongs to the order */
	const char *cure;          /* static: what the person can do; "" if allowed */
	uint32_t records_per_request; /* cap in force, also when denied by it */
	int purpose_needed;
	uint8_t boxes;                     /* of the log: US_BOXES_* */
	uint64_t permits[US_RULE_WORDS];   /* bit i: rule i (from 0) fits and permits */
	uint64_t forbids[US_RULE_WORDS];   /* fits and forbids, with a query */
	int sees_all; /* 1: some permit has no query and no forbid fits: the set is everything */
};

/* Never fails: whatever is not clearly allowed is a denial. */
void us_order_evaluate(const struct us_order *order, const struct us_subject *subject,
    enum us_action action, const struct us_context *context, struct us_ruling *out);

/* The next set bit at or after from, or -1. for (i = next(s, 0); i >= 0; i = next(s, i + 1)) */
int us_rules_next(const uint64_t rules[US_RULE_WORDS], int from);

#endif
