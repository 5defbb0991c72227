/*
 * What an outcome may still answer: the entries since the newest mark or start whose access boxes are open, in order. Marks come
 * every few seconds where there is something to answer, so these are few; without them it is 32 bytes an open entry.
 */
#ifndef US_VERIFY_ANSWERED_H
#define US_VERIFY_ANSWERED_H

#include "verify/bundle.h"

struct answerable {
	uint64_t index;
	uint8_t session[16];
	uint32_t person;
	uint8_t action;
	uint8_t granted; /* it gave something */
	uint8_t failed;  /* it has its outcome */
};

/* Zeroed, it is empty. items[from..n-1] are there, by index. */
struct answered {
	struct answerable *items;
	size_t from, n, cap;
};

void answered_free(struct answered *a);
int answered_add(struct answered *a, const struct answerable *item); /* its index is the largest; US_ERR_NOMEM */
struct answerable *answered_find(struct answered *a, uint64_t index); /* NULL: not there */
void answered_drop(struct answered *a, uint64_t below); /* forgets entries below that index */

#endif
