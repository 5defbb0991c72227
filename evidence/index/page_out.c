#include "evidence/index/page_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

struct us_index_spool_block {
	struct us_index_spool_block *next;
	size_t n;
	uint8_t data[US_PAGE_PLAIN];
};

int
us_page_out_put(struct us_index_page_out *o, const uint8_t *p, size_t n)
{
	size_t now;
	int err;

	o->section += n;
	while (n != 0) {
		now = n < US_PAGE_PLAIN - o->fill ? n : US_PAGE_PLAIN - o->fill;
		memcpy(o->page + o->fill, p, now);
		o->fill += now;
		p += now;
		n -= now;
		if (o->fill == US_PAGE_PLAIN) {
			err = o->emit(o->ctx, o->number++, o->page);
			o->fill = 0;
			if (err != US_OK)
				return err;
		}
	}
	return US_OK;
}

int
us_page_out_end(struct us_index_page_out *o)
{
	int err = US_OK;

	if (o->fill != 0) {
		memset(o->page + o->fill, 0, US_PAGE_PLAIN - o->fill);
		err = o->emit(o->ctx, o->number++, o->page);
	}
	o->fill = 0;
	o->section = 0;
	return err;
}

int
us_spool_put(struct us_index_spool *s, const uint8_t *p, size_t n)
{
	struct us_index_spool_block *b;
	size_t now;

	while (n != 0) {
		b = s->last;
		if (b == NULL || b->n == sizeof b->data) {
			b = malloc(sizeof *b);
			if (b == NULL)
				return US_ERR_NOMEM;
			b->next = NULL;
			b->n = 0;
			if (s->last == NULL)
				s->first = b;
			else
				s->last->next = b;
			s->last = b;
		}
		now = n < sizeof b->data - b->n ? n : sizeof b->data - b->n;
		memcpy(b->data + b->n, p, now);
		b->n += now;
		p += now;
		n -= now;
	}
	return US_OK;
}

int
us_spool_drain(struct us_index_spool *s, struct us_index_page_out *out)
{
	struct us_index_spool_block *b, *next;
	int err = US_OK;

	for (b = s->first; b != NULL; b = next) {
		next = b->next;
		if (out != NULL && err == US_OK)
			err = us_page_out_put(out, b->data, b->n);
		us_wipe(b->data, b->n);
		free(b);
	}
	*s = (struct us_index_spool){ NULL, NULL };
	return err;
}
