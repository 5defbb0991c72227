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

#include "policy/conditions.h"

#define US_RULE_WORDS (US_ORDER_RULES / 64)

/* The id of the freeze of everything that a daemon can be started with; no freeze of the registry
 * has it. */
#define US_FREEZE_AT_START UINT32_MAX

/* Freezes everything, beside what the order's people have frozen: of the freezes that fit this one
 * is cited. */
void us_context_freeze(struct us_context *context);

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

#endif
