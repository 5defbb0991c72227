/*
 * What an outcome may still answer: the entries since the newest mark or start whose access boxes
 * are open, in order. Marks come every few seconds where there is something to answer, so these are
 * few; without them it is 32 bytes an open entry.
 */
#ifndef US_VERIFY_OPEN_INTENTS_H
#define US_VERIFY_OPEN_INTENTS_H

#include "verify/bundle.h"

struct us_verify_intent {
	uint64_t index;
	uint8_t session[16];
	uint32_t person;
	uint8_t action;
	uint8_t granted; /* it gave something */
	uint8_t failed;  /* it has its outcome */
};

/* Zeroed, it is empty. items[from..n-1] are there, by index. */
struct us_verify_intents {
	struct us_verify_intent *items;
	size_t from, n, cap;
};

/* Frees what it holds; it is then empty. */
void us_verify_intents_free(struct us_verify_intents *a);
/* its index is the largest; US_ERR_NOMEM */
int us_verify_intents_add(struct us_verify_intents *a, const struct us_verify_intent *item);
/* NULL: not there */
struct us_verify_intent *us_verify_intents_find(struct us_verify_intents *a, uint64_t index);
/* forgets entries below that index */
void us_verify_intents_drop(struct us_verify_intents *a, uint64_t below);

#endif
