/*
 * The builder gathers (term, position) in text order, then sorts by term with one counting pass.
 * Its table and arrays are kept from document to document.
 */
#include "evidence/index/doc.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "evidence/index/hash.h"
#include "evidence/query/words.h"

#define VERSION 1
#define POSITION_MAX (UINT32_C(1) << 31)
#define TABLE_MIN 1024u

struct us_index_entry {
	uint32_t hash;
	uint32_t at; /* in terms */
	uint32_t count;
	uint8_t n;
	uint8_t pair;
};

struct us_index_token {
	uint32_t term;
	uint32_t position;
};

struct us_doc_builder {
	uint64_t seed;
	/* open addressing; 0 empty, else entry index + 1. size is a power of two, at most half
	 * full */
	uint32_t *table;
	size_t table_size;
	struct us_index_entry *entries;
	size_t n_entries, cap_entries;
	struct us_index_token *tokens; /* of those with positions */
	size_t n_tokens, cap_tokens;
	struct us_buf terms;
	uint32_t *sorted;
	size_t cap_sorted;
	/* the document */
	int64_t created_ns;
	uint8_t value[3][US_WORD_MAX];
	size_t value_n[3];
	uint8_t roles;
	uint32_t messages;
	uint32_t position;
};

int
us_doc_builder_new(struct us_doc_builder **out)
{
	struct us_doc_builder *b = calloc(1, sizeof *b);
	int err;

	*out = NULL;
	if (b == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&b->terms, US_DOC_MAX);
	b->table = calloc(TABLE_MIN, sizeof *b->table);
	b->table_size = TABLE_MIN;
	err = b->table == NULL ? US_ERR_NOMEM : us_random(&b->seed, sizeof b->seed);
	if (err != US_OK) {
		us_doc_builder_free(b);
		return err;
	}
	*out = b;
	return US_OK;
}

void
us_doc_builder_free(struct us_doc_builder *b)
{
	if (b == NULL)
		return;
	us_wipe(b->entries, b->cap_entries * sizeof *b->entries);
	us_wipe(b->tokens, b->cap_tokens * sizeof *b->tokens);
	us_wipe(b->sorted, b->cap_sorted * sizeof *b->sorted);
	us_buf_free(&b->terms);
	free(b->entries);
	free(b->tokens);
	free(b->sorted);
	free(b->table);
	us_wipe(b, sizeof *b);
	free(b);
}

static void
forget(struct us_doc_builder *b)
{
	memset(b->table, 0, b->table_size * sizeof *b->table);
	b->terms.len = 0; /* wiped with the builder; the next document overwrites it */
	b->n_entries = b->n_tokens = 0;
	b->roles = 0;
	b->messages = b->position = 0;
}

int
us_doc_begin(struct us_doc_builder *b, const struct us_doc_meta *meta)
{
	const struct us_bytes values[3] = { meta->model, meta->language, meta->designation };
	int err = US_OK;

	forget(b);
	b->created_ns = meta->created_ns;
	for (size_t i = 0; err == US_OK && i < 3; i++)
		err = us_value_fold(values[i].p, values[i].n, b->value[i], &b->value_n[i]);
	return err;
}

static int
rehash(struct us_doc_builder *b)
{
	size_t size = b->table_size * 2, slot;
	uint32_t *table = calloc(size, sizeof *table);

	if (table == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < b->n_entries; i++) {
		for (slot = b->entries[i].hash & (size - 1); table[slot] != 0;
		     slot = (slot + 1) & (size - 1))
			;
		table[slot] = (uint32_t)(i + 1);
	}
	free(b->table);
	b->table = table;
	b->table_size = size;
	return US_OK;
}

static int
find_or_add(struct us_doc_builder *b, const struct us_word *w, uint32_t *term)
{
	uint32_t hash = (uint32_t)us_term_hash(w->p, w->n, b->seed);
	size_t mask = b->table_size - 1, slot;
	struct us_index_entry *e;
	int err;

	for (slot = hash & mask; b->table[slot] != 0; slot = (slot + 1) & mask) {
		e = &b->entries[b->table[slot] - 1];
		if (e->hash == hash && e->n == w->n &&
		    memcmp(b->terms.data + e->at, w->p, w->n) == 0) {
			*term = b->table[slot] - 1;
			return US_OK;
		}
	}
	err = us_grow_secret(&b->entries, b->n_entries, &b->cap_entries, sizeof *b->entries);
	if (err != US_OK)
		return err;
	e = &b->entries[b->n_entries];
	*e = (struct us_index_entry){ .hash = hash,
		.at = (uint32_t)b->terms.len,
		.n = (uint8_t)w->n,
		.pair = w->kind == US_WORD_PAIR };
	err = us_buf_put(&b->terms, w->p, w->n);
	if (err != US_OK)
		return err;
	*term = (uint32_t)b->n_entries++;
	b->table[slot] = *term + 1;
	return b->n_entries * 2 > b->table_size ? rehash(b) : US_OK;
}

static int
take_word(void *ctx, const struct us_word *w)
{
	struct us_doc_builder *b = ctx;
	uint32_t term;
	int err = find_or_add(b, w, &term);

	if (err != US_OK)
		return err;
	b->entries[term].count++;
	if (w->kind == US_WORD_PAIR)
		return US_OK;
	err = us_grow_secret(&b->tokens, b->n_tokens, &b->cap_tokens, sizeof *b->tokens);
	if (err == US_OK)
		b->tokens[b->n_tokens++] = (struct us_index_token){ term, w->position };
	return err;
}

int
us_doc_message(struct us_doc_builder *b, enum us_message_role role, const void *text, size_t n)
{
	if ((int)role < US_MESSAGE_SYSTEM || (int)role > US_MESSAGE_TOOL)
		return US_ERR_RANGE;
	b->roles |= (uint8_t)(1u << role);
	if (b->messages++ != 0)
		b->position += US_DOC_GAP;
	return us_words_scan(text, n, &b->position, take_word, b);
}

/* Positions by term, in text order within each; starts[] is where a term's begin. */
static int
sort_tokens(struct us_doc_builder *b, uint32_t **starts)
{
	uint32_t sum = 0, *at;
	size_t need = b->n_entries + b->n_tokens + 1;

	if (need > b->cap_sorted) {
		us_wipe(b->sorted, b->cap_sorted * sizeof *b->sorted);
		free(b->sorted);
		b->cap_sorted = 0;
		b->sorted = calloc(need * 2, sizeof *b->sorted);
		if (b->sorted == NULL)
			return US_ERR_NOMEM;
		b->cap_sorted = need * 2;
	}
	at = b->sorted + b->n_tokens;
	for (size_t i = 0; i < b->n_entries; i++) {
		at[i] = sum;
		sum += b->entries[i].pair ? 0 : b->entries[i].count;
	}
	for (size_t i = 0; i < b->n_tokens; i++)
		b->sorted[at[b->tokens[i].term]++] = b->tokens[i].position;
	*starts = at; /* now the ends */
	return US_OK;
}

static int
put_term(struct us_doc_builder *b, const struct us_index_entry *e, uint32_t end, struct us_buf *out)
{
	uint32_t before = 0, *p;
	int err;

	err = us_buf_put_u8(out, e->n);
	if (err == US_OK)
		err = us_buf_put(out, b->terms.data + e->at, e->n);
	if (err == US_OK)
		err = us_buf_put_varint(out, (uint64_t)e->count << 1 | e->pair);
	if (e->pair)
		return err;
	p = b->sorted + end - e->count;
	for (uint32_t i = 0; err == US_OK && i < e->count; i++) {
		err = us_buf_put_varint(out, p[i] - before);
		before = p[i];
	}
	return err;
}

int
us_doc_end(struct us_doc_builder *b, struct us_buf *out)
{
	uint32_t *ends;
	int err = sort_tokens(b, &ends);

	if (err == US_OK)
		err = us_buf_put_u8(out, VERSION);
	if (err == US_OK)
		err = us_buf_put_u64(out, (uint64_t)b->created_ns);
	for (size_t i = 0; err == US_OK && i < 3; i++)
		err = us_buf_put_str16(out, b->value[i], b->value_n[i]);
	if (err == US_OK)
		err = us_buf_put_u8(out, b->roles);
	if (err == US_OK)
		err = us_buf_put_varint(out, b->messages);
	if (err == US_OK)
		err = us_buf_put_varint(out, b->n_tokens);
	if (err == US_OK)
		err = us_buf_put_varint(out, b->n_entries);
	for (size_t i = 0; err == US_OK && i < b->n_entries; i++)
		err = put_term(b, &b->entries[i], ends[i], out);
	return err;
}

/* ---- decoding ---- */

static uint32_t
take_u31(struct us_reader *r)
{
	uint64_t v = us_take_varint(r);

	if (v > INT32_MAX)
		us_reader_fail(r, US_ERR_RANGE);
	return r->err == US_OK ? (uint32_t)v : 0;
}

int
us_doc_open(struct us_bytes encoded, struct us_doc *d)
{
	struct us_doc doc = { .created_ns = 0 };
	struct us_reader *r = &doc.in;

	if (encoded.n > US_DOC_MAX)
		return US_ERR_LIMIT;
	us_reader_init(r, encoded.p, encoded.n);
	if (us_take_u8(r) != VERSION)
		us_reader_fail(r, US_ERR_FORMAT);
	doc.created_ns = (int64_t)us_take_u64(r);
	doc.model = us_take_str16(r, US_VALUE_MAX);
	doc.language = us_take_str16(r, US_VALUE_MAX);
	doc.designation = us_take_str16(r, US_VALUE_MAX);
	doc.roles = us_take_u8(r);
	if ((doc.roles & ~0x1eu) != 0)
		us_reader_fail(r, US_ERR_RANGE);
	doc.messages = take_u31(r);
	doc.length = take_u31(r);
	doc.terms = take_u31(r);
	if (r->err == US_OK && (doc.terms > r->left / 3 + 1 || doc.length > r->left))
		us_reader_fail(r, US_ERR_RANGE);
	if (r->err != US_OK)
		return r->err;
	doc.terms_left = doc.terms;
	*d = doc;
	return US_OK;
}

int
us_doc_next(struct us_doc *d, struct us_doc_term *t)
{
	struct us_doc_term term = { .pair = 0 };
	struct us_reader *r = &d->in;
	uint64_t v, position = 0;
	const uint8_t *start;

	if (d->terms_left == 0) {
		int err = us_reader_end(r);

		return err != US_OK ? err : US_ERR_NOT_FOUND;
	}
	term.term = us_take(r, us_take_u8(r));
	v = us_take_varint(r);
	term.pair = (int)(v & 1);
	if (r->err == US_OK && (term.term.n == 0 || v < 2 || v >> 1 > INT32_MAX))
		us_reader_fail(r, US_ERR_RANGE);
	term.count = (uint32_t)(v >> 1);
	start = r->p;
	for (uint32_t i = 0; r->err == US_OK && !term.pair && i < term.count; i++) {
		v = us_take_varint(r);
		if (r->err == US_OK &&
		    ((v == 0 && i != 0) || v >= POSITION_MAX || position + v >= POSITION_MAX))
			us_reader_fail(r, US_ERR_RANGE);
		position += v;
	}
	if (r->err != US_OK)
		return r->err;
	if (!term.pair)
		term.distances = (struct us_bytes){ start, (size_t)(r->p - start) };
	d->terms_left--;
	*t = term;
	return US_OK;
}
