/* Any bytes as text: words are within bounds, stand in the text, and positions rise. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "evidence/query/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
	size_t size;
	uint32_t next; /* least position to come */
};

static int
take(void *ctx, const struct us_word *w)
{
	struct state *s = ctx;

	if (w->n == 0 || w->n > US_WORD_MAX || !us_utf8_valid(w->p, w->n) || w->length == 0 ||
	    w->offset > s->size || w->length > s->size - w->offset || w->position < s->next)
		abort();
	s->next = w->position + (w->kind != US_WORD_PAIR);
	return US_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s = { size, 0 };
	uint8_t value[US_WORD_MAX];
	uint32_t position = 0;
	size_t n;

	if (us_words_scan(data, size, &position, take, &s) != US_OK || position != s.next)
		abort();
	if (us_value_fold(data, size, value, &n) != US_OK || n > US_VALUE_MAX)
		abort();
	return 0;
}
