#include "daemon/intake/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

void
us_intake_keys_init(struct us_intake_keys *o, size_t max)
{
	*o = (struct us_intake_keys){ .n = 0 };
	us_buf_init(&o->text, max);
}

void
us_intake_keys_free(struct us_intake_keys *o)
{
	us_buf_free(&o->text);
	free(o->key);
}

int
us_intake_keys_add(struct us_intake_keys *o, const unsigned char *s, size_t n)
{
	if (us_grow(&o->key, o->n, &o->cap, sizeof *o->key) != US_OK)
		return US_ERR_NOMEM;
	o->key[o->n++] = (struct us_intake_text){ o->text.len, n };
	return us_buf_put(&o->text, s, n);
}

static int
key_order(const void *a, const void *b, void *text)
{
	const struct us_intake_text *x = a, *y = b;
	const uint8_t *t = text;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = n == 0 ? 0 : memcmp(t + x->at, t + y->at, n);

	return c != 0 ? c : x->n < y->n ? -1 : x->n > y->n;
}

int
us_intake_keys_end(struct us_intake_keys *o)
{
	int twice = 0;

	if (o->n > 1)
		qsort_r(o->key, o->n, sizeof *o->key, key_order, o->text.data);
	for (size_t i = 1; i < o->n && !twice; i++)
		twice = key_order(&o->key[i - 1], &o->key[i], o->text.data) == 0;
	o->n = 0;
	us_buf_reset(&o->text);
	return twice;
}
