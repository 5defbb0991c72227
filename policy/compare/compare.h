/*
 * What one version of an order changes against another, term by term: whether, limits, conditions,
 * masks, boxes of the log. Asked of the evaluator (policy/evaluate.h) for every kind of person of
 * whom a rule of either speaks, and of those that the caller adds, whether or not anybody is of
 * that kind today; in every collection that a rule names, and in any other. Pure, any thread.
 */
#ifndef US_POLICY_COMPARE_COMPARE_H
#define US_POLICY_COMPARE_COMPARE_H

#include "case/limits.h"
#include "policy/order.h"

/* People whom a rule cannot tell apart. */
struct us_compare_kind {
	enum us_capacity capacity;
	size_t n_parties;
	struct us_bytes parties[US_PERSON_PARTIES]; /* ids; they are the order's or the caller's */
};

struct us_compare_change {
	const char *term, *title;   /* static */
	char *from, *to;            /* owned */
	uint64_t actions[2];        /* bit a: action a */
	struct us_bytes collection; /* empty: every one that has no change of its own */
	uint8_t *kinds;             /* owned: 1 for each kind whom it concerns */
};

struct us_comparison {
	struct us_compare_kind *kinds;
	size_t n_kinds, cap_kinds;
	struct us_compare_change *changes;
	size_t n_changes, cap_changes;
};

/* Adds a kind, once; *out: its index. Before us_compare_orders() alone. US_ERR_NOMEM, US_ERR_LIMIT
 * (too many parties). */
int us_compare_add_kind(struct us_comparison *c, const struct us_compare_kind *kind, size_t *out);
/* Fills the changes. c is zeroed at first, or has kinds; it views both orders. US_ERR_NOMEM,
 * US_ERR_LIMIT: it means nothing then, and is freed all the same. */
int
us_compare_orders(struct us_comparison *c, const struct us_order *from, const struct us_order *to);
/* Frees what it holds, and leaves it zeroed. */
void us_compare_free(struct us_comparison *c);

#endif
