/* Postings gathered in memory become the pages of a segment. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "evidence/index/doc.h"
#include "evidence/index/pack.h"
#include "evidence/index/page_out.h"
#include "evidence/index/writer_internal.h"

#define LIST_MAX ((size_t)1 << 33)

struct us_index_sort_key {
	uint64_t prefix; /* first 8 bytes, big-endian */
	uint32_t posting;
};

struct us_index_dictionary {
	struct us_index_spool pages;
	uint32_t n_pages;
	struct us_buf fences;
	uint8_t page[US_PAGE_PLAIN];
	size_t fill;
	uint16_t entries;
	struct us_term before;
};

struct us_index_finish {
	struct us_segment_writer *w;
	struct us_index_page_out out;
	struct us_index_spool positions;
	struct us_index_dictionary dict;
	uint64_t docs_bytes, positions_bytes;
	/* the list at hand */
	struct us_buf list;
	uint32_t *docs, *counts, *places;
	size_t cap_docs, cap_places, n_places;
};

/* ---- order of terms ---- */

static int
compare_keys(const void *a, const void *b, void *ctx)
{
	const struct us_segment_writer *w = ctx;
	const struct us_index_sort_key *x = a, *y = b;
	const struct us_posting *p, *q;
	size_t n;
	int c;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	p = &w->postings[x->posting];
	q = &w->postings[y->posting];
	n = p->n < q->n ? p->n : q->n;
	c = memcmp(us_arena_at(&w->terms, p->term), us_arena_at(&w->terms, q->term), n);
	return c != 0 ? c : (p->n > q->n) - (p->n < q->n);
}

static int
sort_terms(struct us_segment_writer *w, struct us_index_sort_key **out)
{
	struct us_index_sort_key *keys = calloc(w->n_postings + 1, sizeof *keys);
	const struct us_posting *p;
	uint8_t first[8];

	if (keys == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < w->n_postings; i++) {
		p = &w->postings[i];
		memset(first, 0, sizeof first);
		memcpy(first, us_arena_at(&w->terms, p->term), p->n < 8 ? p->n : 8);
		keys[i] = (struct us_index_sort_key){ us_load_u64(first), (uint32_t)i };
	}
	qsort_r(keys, w->n_postings, sizeof *keys, compare_keys, w);
	*out = keys;
	return US_OK;
}

/* ---- lists ---- */

struct us_index_chain {
	const struct us_arena *arena;
	uint32_t at;
	unsigned level;
	uint16_t left;
};

static uint8_t
chain_byte(struct us_index_chain *c)
{
	if (c->left == 0) {
		memcpy(&c->at, us_arena_at(c->arena, c->at), 4);
		c->level++;
		c->left = us_slice_size(c->level);
	}
	c->left--;
	return *us_arena_at(c->arena, c->at++);
}

static uint32_t
chain_varint(struct us_index_chain *c)
{
	uint32_t v = 0;
	uint8_t byte;
	unsigned shift = 0;

	do {
		byte = chain_byte(c);
		v |= (uint32_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte >= 0x80 && shift < 35);
	return v;
}

/* A posting's chain into docs, counts, places (as Packed wants them: distances less one). */
static int
decode(struct us_index_finish *f, const struct us_posting *p)
{
	struct us_index_chain c = { &f->w->slices, p->head, 0, us_slice_size(0) };
	size_t cap = f->cap_docs;
	uint32_t doc = 0, v;
	int err = us_grow_to(&f->docs, p->df, &cap, sizeof *f->docs);

	if (err == US_OK)
		err = us_grow_to(&f->counts, p->df, &f->cap_docs, sizeof *f->counts);
	f->n_places = 0;
	for (uint32_t i = 0; err == US_OK && i < p->df; i++) {
		v = chain_varint(&c);
		doc += v >> 1;
		f->docs[i] = doc++;
		f->counts[i] = (v & 1) != 0 ? 1 : chain_varint(&c);
		if (!p->positions)
			continue;
		err = us_grow_to(&f->places, f->n_places + f->counts[i], &f->cap_places,
		    sizeof *f->places);
		for (uint32_t k = 0; err == US_OK && k < f->counts[i]; k++) {
			v = chain_varint(&c);
			f->places[f->n_places++] = k == 0 ? v : v - 1;
		}
	}
	return err;
}

static int
put_docs(struct us_index_finish *f, const struct us_posting *p)
{
	size_t bytes;
	uint8_t *bits;
	int err;

	f->list.len = 0;
	if (us_is_dense(p->df, f->w->n_docs)) {
		bytes = (f->w->n_docs + 7) / 8;
		err = us_buf_extend(&f->list, bytes, &bits);
		if (err != US_OK)
			return err;
		memset(bits, 0, bytes);
		for (uint32_t i = 0; i < p->df; i++)
			bits[f->docs[i] / 8] |= (uint8_t)(1u << f->docs[i] % 8);
	} else {
		for (uint32_t i = p->df - 1; i > 0; i--)
			f->docs[i] -= f->docs[i - 1] + 1;
		err = us_pack_put(&f->list, f->docs, p->df);
	}
	if (err != US_OK || !p->counts)
		return err;
	for (uint32_t i = 0; i < p->df; i++)
		f->counts[i]--;
	return us_pack_put(&f->list, f->counts, p->df);
}

/* ---- dictionary ---- */

static int
dict_flush(struct us_index_dictionary *d)
{
	int err;

	if (d->entries == 0)
		return US_OK;
	us_store_u16(d->page, d->entries);
	memset(d->page + d->fill, 0, sizeof d->page - d->fill);
	err = us_spool_put(&d->pages, d->page, sizeof d->page);
	d->n_pages++;
	d->entries = 0;
	return err;
}

/* An entry of one chunk: lists of docs_n and positions_n bytes that start at these offsets. */
struct us_index_place {
	uint32_t df;
	uint64_t docs_at, positions_at;
	size_t docs_n, positions_n;
};

static int
dict_add(struct us_index_dictionary *d, const uint8_t *term, size_t n,
    const struct us_index_place *place)
{
	uint8_t memory[64];
	struct us_buf tail = { memory, 0, sizeof memory, sizeof memory };
	size_t shared = 0;
	int err;

	err = us_buf_put_varint(&tail, 1);
	if (err == US_OK)
		err = us_buf_put_varint(&tail, place->df);
	if (err == US_OK)
		err = us_buf_put_varint(&tail, place->docs_n);
	if (err == US_OK)
		err = us_buf_put_varint(&tail, place->positions_n);
	if (err == US_OK && d->entries != 0 && d->fill + 2 + n + tail.len > sizeof d->page)
		err = dict_flush(d);
	if (err == US_OK && d->entries == 0) {
		us_store_u64(d->page + 2, place->docs_at);
		us_store_u64(d->page + 10, place->positions_at);
		d->fill = US_DICT_HEAD;
		err = us_buf_put_u8(&d->fences, (uint8_t)(n - 1));
		if (err == US_OK)
			err = us_buf_put(&d->fences, term, n);
	} else if (err == US_OK) {
		while (shared < 255 && shared < n && shared < d->before.n &&
		    term[shared] == d->before.b[shared])
			shared++;
	}
	if (err != US_OK)
		return err;
	d->page[d->fill++] = (uint8_t)shared;
	d->page[d->fill++] = (uint8_t)(n - shared - 1);
	memcpy(d->page + d->fill, term + shared, n - shared);
	d->fill += n - shared;
	memcpy(d->page + d->fill, memory, tail.len);
	d->fill += tail.len;
	d->entries++;
	memcpy(d->before.b, term, n);
	d->before.n = n;
	return US_OK;
}

/* ---- one term ---- */

static int
put_list(struct us_index_finish *f, const struct us_key *key, enum us_list list)
{
	int err = US_OK;

	if (key != NULL)
		err = us_chunk_crypt(key, list, 0, f->list.data, f->list.len);
	if (err != US_OK)
		return err;
	return list == US_LIST_DOCS ? us_page_out_put(&f->out, f->list.data, f->list.len) :
				      us_spool_put(&f->positions, f->list.data, f->list.len);
}

static int
put_term(struct us_index_finish *f, const struct us_posting *p)
{
	const uint8_t *term = us_arena_at(&f->w->terms, p->term);
	struct us_index_place place = { .df = p->df,
		.docs_at = f->docs_bytes,
		.positions_at = f->positions_bytes };
	struct us_key term_key = { { 0 } }, chunk_key, *key = NULL;
	int err = decode(f, p);

	if (err == US_OK && term[0] == US_TERM_CONTENT) {
		err = f->w->options.term_key(f->w->options.term_key_ctx,
		    (struct us_bytes){ term + 1, p->n - 1u }, &term_key);
		if (err == US_OK)
			err = us_chunk_key(&term_key, f->w->options.salt, &chunk_key);
		key = &chunk_key;
	}
	if (err == US_OK)
		err = put_docs(f, p);
	if (err == US_OK) {
		place.docs_n = f->list.len;
		err = put_list(f, key, US_LIST_DOCS);
	}
	if (err == US_OK && p->positions) {
		f->list.len = 0;
		err = us_pack_put(&f->list, f->places, f->n_places);
		place.positions_n = f->list.len;
		if (err == US_OK)
			err = put_list(f, key, US_LIST_POSITIONS);
	}
	if (err == US_OK)
		err = dict_add(&f->dict, term, p->n, &place);
	f->docs_bytes += place.docs_n;
	f->positions_bytes += place.positions_n;
	us_wipe(&term_key, sizeof term_key);
	us_wipe(&chunk_key, sizeof chunk_key);
	return err;
}

/* ---- columns and trailer ---- */

static uint64_t
column_value(const struct us_doc_row *r, enum us_column c, int64_t base)
{
	switch (c) {
	case US_COLUMN_CREATED:
		return r->created_s == US_DOC_NO_TIME ? 0 :
							(uint64_t)r->created_s - (uint64_t)base + 1;
	case US_COLUMN_LENGTH:
		return r->length;
	case US_COLUMN_MESSAGES:
		return r->messages;
	case US_COLUMN_ROLES:
		return r->roles;
	case US_COLUMN_MODEL:
	case US_COLUMN_LANGUAGE:
	case US_COLUMN_DESIGNATION:
		return r->value[c - US_COLUMN_MODEL];
	case US_COLUMNS:
		break;
	}
	return 0;
}

static int
put_table(struct us_segment_writer *w, size_t column, struct us_buf *b)
{
	const struct us_posting *p;
	int err = us_buf_put_u32(b, w->n_values[column]);

	for (uint32_t i = 0; err == US_OK && i < w->n_values[column]; i++) {
		p = &w->postings[w->values[column][i]];
		err = us_buf_put_u8(b, (uint8_t)(p->n - 2));
		if (err == US_OK)
			err = us_buf_put(b, us_arena_at(&w->terms, p->term) + 2, p->n - 2u);
	}
	return err;
}

static int
put_columns(struct us_segment_writer *w, struct us_buf *b)
{
	uint64_t *v = calloc(w->n_docs, sizeof *v), all;
	int64_t base = INT64_MAX;
	int err = v == NULL ? US_ERR_NOMEM : US_OK;

	for (uint32_t i = 0; i < w->n_docs; i++)
		if (w->rows[i].created_s != US_DOC_NO_TIME && w->rows[i].created_s < base)
			base = w->rows[i].created_s;
	if (base == INT64_MAX)
		base = 0;
	for (enum us_column c = US_COLUMN_CREATED; err == US_OK && c < US_COLUMNS; c++) {
		unsigned width;

		all = 0;
		for (uint32_t i = 0; i < w->n_docs; i++) {
			v[i] = column_value(&w->rows[i], c, base);
			all |= v[i];
		}
		width = all == 0 ? 0 : 64 - (unsigned)__builtin_clzll(all);
		err = us_buf_put_u8(b, (uint8_t)width);
		if (err == US_OK)
			err = us_buf_put_u64(b, c == US_COLUMN_CREATED ? (uint64_t)base : 0);
		if (err == US_OK)
			err = us_bits_put(b, v, w->n_docs, width);
		if (err == US_OK && c >= US_COLUMN_MODEL)
			err = put_table(w, c - US_COLUMN_MODEL, b);
	}
	free(v);
	return err;
}

struct us_index_sections {
	uint32_t positions, dictionary, columns, trailer; /* first pages */
	uint64_t columns_bytes;
};

static int
put_trailer(struct us_index_finish *f, const struct us_index_sections *s)
{
	struct us_segment_writer *w = f->w;
	struct us_buf b;
	uint8_t tail[US_SEGMENT_TAIL] = US_SEGMENT_MAGIC;
	uint32_t pages;
	int err;

	us_buf_init(&b, LIST_MAX);
	(void)(us_buf_put_u32(&b, w->n_docs) || us_buf_put_u32(&b, s->positions) ||
	    us_buf_put_u32(&b, s->dictionary) || us_buf_put_u32(&b, s->columns) ||
	    us_buf_put_u64(&b, f->docs_bytes) || us_buf_put_u64(&b, f->positions_bytes) ||
	    us_buf_put_u32(&b, f->dict.n_pages) || us_buf_put_u64(&b, s->columns_bytes) ||
	    us_buf_put_u32(&b, (uint32_t)w->n_postings) || us_buf_put_u16(&b, 1) ||
	    us_buf_put_u32(&b, 0) || us_buf_put_u32(&b, w->n_docs));
	err = us_buf_put(&b, w->options.salt, US_SEGMENT_SALT);
	if (err == US_OK)
		err = us_buf_put(&b, f->dict.fences.data, f->dict.fences.len);
	if (err == US_OK && b.len != 50 + 8 + US_SEGMENT_SALT + f->dict.fences.len)
		err = US_ERR_NOMEM; /* one of the first failed */
	pages = (uint32_t)((b.len + US_SEGMENT_TAIL + US_PAGE_PLAIN - 1) / US_PAGE_PLAIN);
	us_store_u16(tail + 8, US_SEGMENT_VERSION);
	us_store_u32(tail + 12, s->trailer + pages);
	us_store_u32(tail + 16, s->trailer);
	us_store_u32(tail + 20, (uint32_t)b.len);
	if (err == US_OK)
		err = us_page_out_put(&f->out, b.data, b.len);
	while (err == US_OK && f->out.section < (uint64_t)pages * US_PAGE_PLAIN - US_SEGMENT_TAIL)
		err = us_page_out_put(&f->out, (const uint8_t *)"", 1);
	if (err == US_OK)
		err = us_page_out_put(&f->out, tail, sizeof tail);
	us_buf_free(&b);
	return err;
}

static int
finish_pages(struct us_index_finish *f, const struct us_index_sort_key *order)
{
	struct us_segment_writer *w = f->w;
	struct us_index_sections s = { .positions = 0 };
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < w->n_postings; i++)
		err = put_term(f, &w->postings[order[i].posting]);
	if (err == US_OK)
		err = dict_flush(&f->dict);
	if (err == US_OK)
		err = us_page_out_end(&f->out);
	s.positions = f->out.number;
	if (err == US_OK)
		err = us_spool_drain(&f->positions, &f->out);
	if (err == US_OK)
		err = us_page_out_end(&f->out);
	s.dictionary = f->out.number;
	if (err == US_OK)
		err = us_spool_drain(&f->dict.pages, &f->out);
	if (err == US_OK)
		err = us_page_out_end(&f->out);
	s.columns = f->out.number;
	f->list.len = 0;
	if (err == US_OK)
		err = put_columns(w, &f->list);
	s.columns_bytes = f->list.len;
	if (err == US_OK)
		err = us_page_out_put(&f->out, f->list.data, f->list.len);
	if (err == US_OK)
		err = us_page_out_end(&f->out);
	s.trailer = f->out.number;
	return err != US_OK ? err : put_trailer(f, &s);
}

int
us_segment_writer_finish(struct us_segment_writer *w, us_page_emit_fn *emit, void *ctx,
    uint32_t *pages)
{
	struct us_index_sort_key *order = NULL;
	struct us_index_finish *f;
	int err;

	if (w->failed || w->n_docs == 0)
		return US_ERR_STATE;
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return US_ERR_NOMEM;
	w->failed = 1; /* may only be freed from here on */
	f->w = w;
	f->out.emit = emit;
	f->out.ctx = ctx;
	us_buf_init(&f->list, LIST_MAX);
	us_buf_init(&f->dict.fences, LIST_MAX);
	err = sort_terms(w, &order);
	if (err == US_OK)
		err = finish_pages(f, order);
	if (err == US_OK)
		*pages = f->out.number;
	(void)us_spool_drain(&f->positions, NULL);
	(void)us_spool_drain(&f->dict.pages, NULL);
	us_buf_free(&f->dict.fences);
	us_buf_free(&f->list);
	free(f->docs);
	free(f->counts);
	free(f->places);
	free(order);
	us_wipe(f, sizeof *f);
	free(f);
	return err;
}
