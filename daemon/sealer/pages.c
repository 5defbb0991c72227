/* Pages on their way to the vault: packed into messages, sent as the vault gives credit. */
#include <stdlib.h>

#include "base/err.h"
#include "daemon/sealer/internal.h"

#define MESSAGE_PAGES_MAX (1024u * 1024u)

/* A message "pages" that waits for credit. */
struct us_sealer_out_pages {
	struct us_sealer_out_pages *next;
	uint32_t collection, slot, first;
	uint8_t kind;
	struct us_buf pages;
};

static void
out_free(struct us_sealer_out_pages *o)
{
	us_buf_free(&o->pages);
	free(o);
}

static struct us_sealer_out_pages *
open_message(struct us_sealer *s, uint32_t collection, uint32_t slot, enum us_page_kind kind,
    uint32_t number)
{
	struct us_sealer_out_pages *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->collection = collection;
	o->slot = slot;
	o->kind = (uint8_t)kind;
	o->first = number;
	us_buf_init(&o->pages, MESSAGE_PAGES_MAX + US_PAGE_MAX + 2);
	if (s->out_tail == NULL)
		s->out_head = o;
	else
		s->out_tail->next = o;
	s->out_tail = o;
	s->out_open = 1;
	return o;
}

int
us_sealer_pages_put(struct us_sealer *s, uint32_t collection, uint32_t slot, enum us_page_kind kind,
    uint32_t number, struct us_bytes page)
{
	struct us_sealer_out_pages *o = s->out_open ? s->out_tail : NULL;
	size_t had;
	int err;

	if (o != NULL &&
	    (o->collection != collection || o->slot != slot || o->kind != (uint8_t)kind ||
		o->pages.len >= MESSAGE_PAGES_MAX))
		o = NULL;
	if (o == NULL)
		o = open_message(s, collection, slot, kind, number);
	if (o == NULL)
		return US_ERR_NOMEM;
	had = o->pages.len;
	err = us_buf_put_str16(&o->pages, page.p, page.n);
	s->out_bytes += o->pages.len - had;
	return err;
}

int
us_sealer_pages_flush(struct us_sealer *s)
{
	s->out_open = 0;
	while (s->out_head != NULL && s->vault != NULL) {
		struct us_sealer_out_pages *o = s->out_head;
		struct us_msg_pages m = { .collection = o->collection,
			.slot = o->slot,
			.kind = o->kind,
			.first = o->first,
			.pages = { o->pages.data, o->pages.len } };
		int err;

		if (s->under_way + o->pages.len > US_PAGES_WINDOW)
			break;
		err = us_send_pages(s->vault, 0, &m);
		if (err != US_OK)
			return err;
		s->under_way += o->pages.len;
		s->out_bytes -= o->pages.len;
		s->out_head = o->next;
		if (s->out_head == NULL)
			s->out_tail = NULL;
		out_free(o);
	}
	return US_OK;
}

void
us_sealer_pages_credit(struct us_sealer *s, uint32_t bytes)
{
	s->under_way = bytes > s->under_way ? 0 : s->under_way - bytes;
}

void
us_sealer_pages_drop(struct us_sealer *s, uint32_t collection, uint32_t slot)
{
	struct us_sealer_out_pages **at = &s->out_head, *o;

	s->out_open = 0;
	s->out_tail = NULL;
	while ((o = *at) != NULL) {
		if (o->collection == collection && o->slot == slot &&
		    o->kind != US_PAGE_DICTIONARY) {
			*at = o->next;
			s->out_bytes -= o->pages.len;
			out_free(o);
		} else {
			s->out_tail = o;
			at = &o->next;
		}
	}
}

void
us_sealer_pages_drop_all(struct us_sealer *s)
{
	struct us_sealer_out_pages *o;

	while ((o = s->out_head) != NULL) {
		s->out_head = o->next;
		out_free(o);
	}
	s->out_tail = NULL;
	s->out_open = 0;
	s->out_bytes = 0;
}
