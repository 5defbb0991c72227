#include "daemon/vault/evidence/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/query/words.h"

static int
compare(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	const int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

int
us_vault_words_pack(struct us_bytes *words, size_t n, struct us_buf *out, size_t *n_out)
{
	int err = US_OK;

	*n_out = 0;
	if (n > 0)
		qsort(words, n, sizeof *words, compare);
	for (size_t i = 0; i < n && err == US_OK; i++) {
		if (i > 0 && compare(&words[i - 1], &words[i]) == 0)
			continue;
		err = us_buf_put_str16(out, words[i].p, words[i].n);
		++*n_out;
	}
	return err;
}

int
us_vault_words_split(const struct us_buf *packed, struct us_bytes **out, size_t *n)
{
	struct us_reader in;

	*out = NULL;
	us_reader_init(&in, packed->data, packed->len);
	for (*n = 0; in.left > 0 && in.err == US_OK; ++*n)
		(void)us_take_str16(&in, US_WORD_MAX);
	if (in.err != US_OK || *n == 0)
		return in.err;
	*out = calloc(*n, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	us_reader_init(&in, packed->data, packed->len);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = us_take_str16(&in, US_WORD_MAX);
	return us_reader_end(&in);
}
