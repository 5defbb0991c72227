#include "client/log/postings.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/err.h"

int
us_postings_add(struct us_postings *p, const struct us_log_posting *posting)
{
	if (us_grow(&p->of, p->n, &p->cap, sizeof *p->of) != US_OK)
		return US_ERR_NOMEM;
	p->of[p->n++] = *posting;
	return US_OK;
}

void
us_postings_free(struct us_postings *p)
{
	if (p->of != NULL)
		us_wipe(p->of, p->cap * sizeof *p->of);
	free(p->of);
	*p = (struct us_postings){ 0 };
}

static int
compare(const void *a, const void *b)
{
	const struct us_log_posting *x = a, *y = b;

	if (x->look != y->look)
		return x->look < y->look ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static int
same_group(const struct us_log_posting *x, const struct us_log_posting *y)
{
	return x->look == y->look && x->a == y->a && x->number == y->number;
}

/* The group that begins at *at; before: the one before it of the same look, or NULL. */
static int
put_group(const struct us_postings *p, size_t *at, const struct us_log_posting *before,
    struct us_buf *out)
{
	const struct us_log_posting *g = &p->of[*at];
	uint32_t last = 0;
	size_t n = 1;
	int err;

	while (*at + n < p->n && same_group(g, g + n))
		n++;
	err = us_buf_put_varint(out, g->a - (before == NULL ? 0 : before->a));
	if (err == US_OK)
		err = us_buf_put_varint(out,
		    g->number - (before != NULL && before->a == g->a ? before->number : 0));
	if (err == US_OK)
		err = us_buf_put_varint(out, n);
	for (size_t i = 0; err == US_OK && i < n; i++) {
		err = us_buf_put_varint(out, g[i].entry - last);
		last = g[i].entry;
	}
	*at += n;
	return err;
}

int
us_postings_encode(struct us_postings *p, uint32_t bundles, struct us_buf *out)
{
	int err = us_buf_put_u32(out, bundles);
	size_t at = 0;

	if (p->n > 0)
		qsort(p->of, p->n, sizeof *p->of, compare);
	for (unsigned look = 0; err == US_OK && look < US_LOOKS; look++) {
		const size_t head = out->len;
		const struct us_log_posting *before = NULL;

		err = us_buf_put_u32(out, 0);
		while (err == US_OK && at < p->n && p->of[at].look == look) {
			const struct us_log_posting *g = &p->of[at];

			err = put_group(p, &at, before, out);
			before = g;
		}
		if (err == US_OK)
			us_store_u32(out->data + head, (uint32_t)(out->len - head - 4));
	}
	return err;
}

static int
take_groups(struct us_bytes bytes, uint8_t look,
    int (*on)(void *arg, const struct us_log_posting *posting), void *arg)
{
	struct us_log_posting p = { .look = look };
	struct us_reader r;
	int err = US_OK;

	us_reader_init(&r, bytes.p, bytes.n);
	while (err == US_OK && r.err == US_OK && r.left > 0) {
		const uint64_t a = us_take_varint(&r), number = us_take_varint(&r),
			       n = us_take_varint(&r);

		p.number = (a == 0 ? p.number : 0) + number;
		p.a += (uint32_t)a;
		p.entry = 0;
		for (uint64_t i = 0; err == US_OK && r.err == US_OK && i < n; i++) {
			p.entry += (uint32_t)us_take_varint(&r);
			if (r.err == US_OK && p.entry >= US_CHUNK_ENTRIES)
				r.err = US_ERR_FORMAT;
			if (r.err == US_OK)
				err = on(arg, &p);
		}
	}
	return err != US_OK ? err : r.err;
}

int
us_postings_decode(struct us_bytes bytes, uint32_t *bundles,
    int (*on)(void *arg, const struct us_log_posting *posting), void *arg)
{
	struct us_reader r;
	int err = US_OK;

	us_reader_init(&r, bytes.p, bytes.n);
	*bundles = us_take_u32(&r);
	for (unsigned look = 0; err == US_OK && r.err == US_OK && look < US_LOOKS; look++) {
		const struct us_bytes groups = us_take(&r, us_take_u32(&r));

		if (r.err == US_OK)
			err = take_groups(groups, (uint8_t)look, on, arg);
	}
	return err != US_OK ? err : us_reader_end(&r);
}
