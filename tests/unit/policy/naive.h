/*
 * A second evaluator of orders, for comparison: written from what docs/ORDER.md and
 * policy/evaluate.h say, the other way round and slowly. It asks for each property on its own,
 * knows actions by their names, has no sets of bits of its own, and takes local time from libc.
 */
#ifndef US_TESTS_UNIT_POLICY_NAIVE_H
#define US_TESTS_UNIT_POLICY_NAIVE_H

#include "policy/evaluate.h"

struct naive_ruling {
	int allowed;
	enum us_reason reason;
	uint32_t rule; /* counted from 1; 0: none */
	uint32_t freeze;
	struct us_bytes paragraph;
	uint32_t cap, run_max;
	int purpose_needed, approval_needed, wants_party_usage, sees_all;
	struct us_remaining left;
	struct us_mask mask;
	unsigned boxes, log_scope;
	/* of each rule: p permits, f forbids (with a query), else a space */
	char visible[US_ORDER_RULES + 1];
};
void naive_evaluate(const struct us_order *o, const struct us_subject *s, unsigned action,
    const struct us_context *c, struct naive_ruling *out);

/* How rule i stands to a request. */
struct naive_line {
	/* - does not fit, p permits, F forbids everything, f forbids its records */
	char standing;
	int party, capacity, action, collection; /* 1: fits */
	/* a space: not asked, y holds, n does not; spaces if it is no p */
	char conditions[US_CONDITIONS + 1];
};
void naive_explain(const struct us_order *o, const struct us_subject *s, unsigned action,
    const struct us_context *c, size_t i, struct naive_line *out);

#endif
