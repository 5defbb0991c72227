#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/index/reader_internal.h"

/* Walks the entries of one dictionary page. */
struct us_index_cursor {
	struct us_reader in;
	uint16_t left;
	uint64_t docs_at, positions_at; /* of the entry's first chunk */
	struct us_term term;
	struct us_reader chunks; /* at the entry's chunks */
};

static int
cursor_open(struct us_index_cursor *c, const uint8_t *page)
{
	us_reader_init(&c->in, page, US_PAGE_PLAIN);
	c->left = us_take_u16(&c->in);
	c->docs_at = us_take_u64(&c->in);
	c->positions_at = us_take_u64(&c->in);
	c->term.n = 0;
	return c->left == 0 ? US_ERR_FORMAT : US_OK;
}

/* The next chunk of the entry that r stands at; *last is 1 at its last one. */
static int
take_chunk(const struct us_segment *s, struct us_reader *r, struct us_chunk *chunk, int *last)
{
	uint64_t head = us_take_varint(r), df = us_take_varint(r);

	chunk->docs_n = us_take_varint(r);
	chunk->positions_n = us_take_varint(r);
	if (r->err != US_OK)
		return r->err;
	if (head >> 1 >= s->n_origins || df == 0 || df > s->origins[head >> 1].docs ||
	    chunk->docs_at > s->documents.bytes ||
	    chunk->docs_n > s->documents.bytes - chunk->docs_at ||
	    chunk->positions_at > s->positions.bytes ||
	    chunk->positions_n > s->positions.bytes - chunk->positions_at)
		return US_ERR_FORMAT;
	chunk->origin = (uint32_t)(head >> 1);
	chunk->df = (uint32_t)df;
	*last = (int)(head & 1);
	return US_OK;
}

/* To the next entry: its term, df, number of chunks. US_ERR_NOT_FOUND behind the last one. */
static int
cursor_next(const struct us_segment *s, struct us_index_cursor *c, uint32_t *df, size_t *n_chunks)
{
	struct us_chunk chunk = { .docs_at = c->docs_at, .positions_at = c->positions_at };
	uint32_t before = 0;
	size_t shared, rest;
	struct us_bytes bytes;
	int last = 0, err = US_OK;

	if (c->left == 0)
		return US_ERR_NOT_FOUND;
	shared = us_take_u8(&c->in);
	rest = us_take_u8(&c->in) + (size_t)1;
	bytes = us_take(&c->in, rest);
	if (c->in.err != US_OK || shared > c->term.n || shared + rest > US_TERM_MAX)
		return US_ERR_FORMAT;
	if (c->term.n > shared && bytes.p[0] <= c->term.b[shared])
		return US_ERR_FORMAT; /* not rising */
	memcpy(c->term.b + shared, bytes.p, rest);
	c->term.n = shared + rest;
	c->chunks = c->in;
	*df = 0;
	for (*n_chunks = 0; err == US_OK && !last; (*n_chunks)++) {
		err = take_chunk(s, &c->in, &chunk, &last);
		if (err == US_OK && *n_chunks != 0 && chunk.origin <= before)
			err = US_ERR_FORMAT;
		before = chunk.origin;
		*df += chunk.df;
		chunk.docs_at += chunk.docs_n;
		chunk.positions_at += chunk.positions_n;
	}
	c->left--;
	if (err != US_OK)
		return err;
	/* for the entry that follows; us_dict_find() needs those of this one first */
	c->docs_at = chunk.docs_at;
	c->positions_at = chunk.positions_at;
	return US_OK;
}

static int
compare(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	int c = memcmp(a, b, a_n < b_n ? a_n : b_n);

	return c != 0 ? c : (a_n > b_n) - (a_n < b_n);
}

/* The last page whose first term is at most t; UINT32_MAX if there is none. */
static uint32_t
find_page(const struct us_segment *s, const uint8_t *t, size_t n)
{
	uint32_t low = 0, high = s->dictionary.pages, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare(s->fences[middle].p, s->fences[middle].n, t, n) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? UINT32_MAX : low - 1;
}

static int
get_page(struct us_segment *s, uint32_t page, const uint8_t **p)
{
	return s->source.get(s->source.ctx, s->dictionary.first + page, p);
}

static int
copy_chunks(struct us_segment *s, struct us_index_cursor *c, const uint64_t at[2], uint32_t df,
    size_t n, struct us_dict_entry *entry)
{
	struct us_chunk chunk = { .docs_at = at[0], .positions_at = at[1] };
	int last, err = US_OK;

	entry->chunks = calloc(n, sizeof *entry->chunks);
	if (entry->chunks == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; err == US_OK && i < n; i++) {
		err = take_chunk(s, &c->chunks, &chunk, &last);
		entry->chunks[i] = chunk;
		chunk.docs_at += chunk.docs_n;
		chunk.positions_at += chunk.positions_n;
	}
	if (err != US_OK) {
		us_dict_entry_free(entry);
		return err;
	}
	entry->n_chunks = n;
	entry->df = df;
	return US_OK;
}

int
us_dict_find(struct us_segment *s, const struct us_term *t, struct us_dict_entry *entry)
{
	uint32_t page = find_page(s, t->b, t->n), df;
	const uint8_t *p;
	uint64_t at[2];
	struct us_index_cursor c;
	size_t n;
	int err, order;

	*entry = (struct us_dict_entry){ .df = 0 };
	if (page == UINT32_MAX)
		return US_OK;
	err = get_page(s, page, &p);
	if (err == US_OK)
		err = cursor_open(&c, p);
	while (err == US_OK) {
		at[0] = c.docs_at;
		at[1] = c.positions_at;
		err = cursor_next(s, &c, &df, &n);
		if (err != US_OK)
			break;
		order = compare(c.term.b, c.term.n, t->b, t->n);
		if (order == 0)
			return copy_chunks(s, &c, at, df, n, entry);
		if (order > 0)
			return US_OK;
	}
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

void
us_dict_entry_free(struct us_dict_entry *entry)
{
	free(entry->chunks);
	*entry = (struct us_dict_entry){ .df = 0 };
}

static int
find_df(struct us_segment *s, const struct us_term *t, uint32_t *df)
{
	struct us_dict_entry entry;
	int err = us_dict_find(s, t, &entry);

	if (err != US_OK)
		return err;
	*df = entry.df;
	us_dict_entry_free(&entry);
	return US_OK;
}

int
us_segment_df(struct us_segment *s, struct us_bytes word, uint32_t *df)
{
	struct us_term t;

	us_term_content(&t, word);
	return find_df(s, &t, df);
}

int
us_segment_df_meta(struct us_segment *s, enum us_query_field field, struct us_bytes value,
    uint32_t *df)
{
	struct us_term t;

	us_term_meta(&t, field, value);
	return find_df(s, &t, df);
}

static int
each_in_page(struct us_segment *s, const uint8_t *page, const struct us_term *prefix,
    us_segment_term_fn *fn, void *ctx)
{
	struct us_index_cursor c;
	uint32_t df;
	size_t n;
	int err = cursor_open(&c, page), order;

	while (err == US_OK) {
		err = cursor_next(s, &c, &df, &n);
		if (err != US_OK)
			break;
		order = memcmp(c.term.b, prefix->b, c.term.n < prefix->n ? c.term.n : prefix->n);
		if (order > 0)
			return US_ERR_CLOSED; /* behind the last one wanted */
		if (order < 0 || c.term.n < prefix->n)
			continue;
		err = fn(ctx, (struct us_bytes){ c.term.b + 1, c.term.n - 1 }, df);
		if (err == US_ERR_NOT_FOUND || err == US_ERR_CLOSED)
			err = US_ERR_INTERNAL; /* those two are ours */
	}
	return err;
}

int
us_segment_each_word(struct us_segment *s, struct us_bytes prefix, us_segment_term_fn *fn,
    void *ctx)
{
	struct us_term t;
	uint8_t *copy;
	const uint8_t *p;
	uint32_t page;
	int err = US_OK;

	us_term_content(&t, prefix);
	page = find_page(s, t.b, t.n);
	copy = malloc(US_PAGE_PLAIN); /* fn may use the segment */
	if (copy == NULL)
		return US_ERR_NOMEM;
	for (page = page == UINT32_MAX ? 0 : page; err == US_OK && page < s->dictionary.pages;
	     page++) {
		err = get_page(s, page, &p);
		if (err != US_OK)
			break;
		memcpy(copy, p, US_PAGE_PLAIN);
		err = each_in_page(s, copy, &t, fn, ctx);
		if (err == US_ERR_NOT_FOUND)
			err = US_OK;
	}
	us_wipe(copy, US_PAGE_PLAIN);
	free(copy);
	return err == US_ERR_CLOSED ? US_OK : err;
}
