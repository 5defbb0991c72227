/* What an order says to one kind of person of one action: a text for each term, empty where it
 * says nothing. Of several permits that fit it says what holds of all together. */
#ifndef US_POLICY_COMPARE_TERMS_H
#define US_POLICY_COMPARE_TERMS_H

#include "policy/evaluate.h"

/* An order, and what it ruled. */
struct us_compare_side {
	const struct us_order *order;
	enum us_action action;
	struct us_ruling ruling;
};

struct us_compare_term {
	const char *name;    /* in JSON: never changes */
	const char *title;   /* for people */
	const char *without; /* what holds if the text is empty */
	/* Appends the text. Errors of us_buf_putf(). */
	int (*put)(const struct us_compare_side *side, struct us_buf *out);
};

#define US_COMPARE_TERMS 25
/* The first says whether it is permitted at all: the others are asked only where it is. */
extern const struct us_compare_term us_compare_terms[US_COMPARE_TERMS];

#endif
