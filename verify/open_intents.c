#include "verify/open_intents.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

void
us_verify_intents_free(struct us_verify_intents *a)
{
	free(a->items);
	memset(a, 0, sizeof *a);
}

int
us_verify_intents_add(struct us_verify_intents *a, const struct us_verify_intent *item)
{
	/* what was forgotten makes room, if it is half of all */
	if (a->n == a->cap && a->from > 0 && a->from >= a->cap / 2) {
		memmove(a->items, a->items + a->from, (a->n - a->from) * sizeof *a->items);
		a->n -= a->from;
		a->from = 0;
	}
	if (us_grow(&a->items, a->n, &a->cap, sizeof *a->items) != US_OK)
		return US_ERR_NOMEM;
	a->items[a->n++] = *item;
	return US_OK;
}

/* The place of the first item whose index is at least that. */
static size_t
place(const struct us_verify_intents *a, uint64_t index)
{
	size_t low = a->from, high = a->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (a->items[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct us_verify_intent *
us_verify_intents_find(struct us_verify_intents *a, uint64_t index)
{
	const size_t at = place(a, index);

	return at < a->n && a->items[at].index == index ? &a->items[at] : NULL;
}

void
us_verify_intents_drop(struct us_verify_intents *a, uint64_t below)
{
	a->from = place(a, below);
	if (a->from == a->n)
		a->from = a->n = 0;
}
