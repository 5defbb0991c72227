#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "evidence/index/doc.h"
#include "evidence/index/hash.h"
#include "evidence/index/writer_internal.h"

#define TABLE_MIN 65536u
#define LEVEL_MAX 8
#define BATCH 64u

/* ---- memory ---- */

static int
arena_take(struct us_arena *a, uint32_t n, uint32_t *offset)
{
	if (a->n == 0 || n > US_ARENA_BLOCK - a->used) {
		if (a->n == (UINT32_MAX >> US_ARENA_SHIFT))
			return US_ERR_LIMIT;
		if (us_grow(&a->blocks, a->n, &a->cap, sizeof(uint8_t *)) != US_OK)
			return US_ERR_NOMEM;
		a->blocks[a->n] = malloc(US_ARENA_BLOCK);
		if (a->blocks[a->n] == NULL)
			return US_ERR_NOMEM;
		a->n++;
		a->used = 0;
	}
	*offset = (uint32_t)((a->n - 1) << US_ARENA_SHIFT) + a->used;
	a->used += n;
	return US_OK;
}

static void
arena_free(struct us_arena *a)
{
	for (size_t i = 0; i < a->n; i++) {
		us_wipe(a->blocks[i], i + 1 == a->n ? a->used : US_ARENA_BLOCK);
		free(a->blocks[i]);
	}
	free(a->blocks);
	*a = (struct us_arena){ .n = 0 };
}

static int
grow32(void *array, uint32_t n, uint32_t *cap, size_t size)
{
	size_t wide = *cap;
	int err = us_grow(array, n, &wide, size);

	*cap = (uint32_t)wide;
	return err;
}

int
us_segment_writer_new(const struct us_segment_options *options, struct us_segment_writer **out)
{
	struct us_segment_writer *w;
	int err;

	*out = NULL;
	if (options->docs_max == 0 || options->docs_max > US_SEGMENT_DOCS_MAX ||
	    options->term_key == NULL)
		return US_ERR_ARG;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return US_ERR_NOMEM;
	w->options = *options;
	w->table = calloc(TABLE_MIN, sizeof *w->table);
	w->table_size = TABLE_MIN;
	err = w->table == NULL ? US_ERR_NOMEM : us_random(&w->seed, sizeof w->seed);
	if (err != US_OK) {
		us_segment_writer_free(w);
		return err;
	}
	*out = w;
	return US_OK;
}

void
us_segment_writer_free(struct us_segment_writer *w)
{
	if (w == NULL)
		return;
	arena_free(&w->slices);
	arena_free(&w->terms);
	for (size_t i = 0; i < 3; i++)
		free(w->values[i]);
	free(w->rows);
	free(w->postings);
	free(w->table);
	us_wipe(w, sizeof *w);
	free(w);
}

size_t
us_segment_writer_memory(const struct us_segment_writer *w)
{
	return (w->slices.n + w->terms.n) * US_ARENA_BLOCK + w->cap_postings * sizeof *w->postings +
	    w->table_size * sizeof *w->table + w->cap_docs * sizeof *w->rows;
}

/* ---- terms ---- */

static int
rehash(struct us_segment_writer *w)
{
	size_t size = w->table_size * 2, slot;
	uint32_t *table = calloc(size, sizeof *table);

	if (table == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < w->n_postings; i++) {
		for (slot = w->postings[i].hash & (size - 1); table[slot] != 0;
		     slot = (slot + 1) & (size - 1))
			;
		table[slot] = (uint32_t)(i + 1);
	}
	free(w->table);
	w->table = table;
	w->table_size = size;
	return US_OK;
}

static uint32_t
hash_of(const struct us_segment_writer *w, struct us_bytes prefix, struct us_bytes rest)
{
	return (uint32_t)us_term_hash(rest.p, rest.n, w->seed + prefix.p[prefix.n - 1]);
}

/* The posting of prefix ‖ rest, made if there is none; hash is theirs. */
static int
find_or_add(struct us_segment_writer *w, struct us_bytes prefix, struct us_bytes rest,
    uint32_t hash, struct us_posting **out)
{
	size_t mask = w->table_size - 1, slot, n = prefix.n + rest.n;
	struct us_posting *p;
	uint8_t *term;
	int err;

	for (slot = hash & mask; w->table[slot] != 0; slot = (slot + 1) & mask) {
		p = &w->postings[w->table[slot] - 1];
		if (p->hash != hash || p->n != n)
			continue;
		term = us_arena_at(&w->terms, p->term);
		if (memcmp(term + prefix.n, rest.p, rest.n) == 0 &&
		    memcmp(term, prefix.p, prefix.n) == 0) {
			*out = p;
			return US_OK;
		}
	}
	err = us_grow(&w->postings, w->n_postings, &w->cap_postings, sizeof *w->postings);
	if (err != US_OK)
		return err;
	p = &w->postings[w->n_postings];
	*p = (struct us_posting){ .hash = hash, .n = (uint16_t)n, .head = US_ARENA_NONE };
	err = arena_take(&w->terms, (uint32_t)n, &p->term);
	if (err != US_OK)
		return err;
	term = us_arena_at(&w->terms, p->term);
	memcpy(term, prefix.p, prefix.n);
	memcpy(term + prefix.n, rest.p, rest.n);
	w->table[slot] = (uint32_t)++w->n_postings;
	*out = p;
	return w->n_postings * 2 > w->table_size ? rehash(w) : US_OK;
}

/* ---- postings ---- */

static int
next_slice(struct us_segment_writer *w, struct us_posting *p)
{
	uint16_t size;
	uint32_t at;
	int err;

	if (p->head != US_ARENA_NONE && p->level < LEVEL_MAX)
		p->level++;
	size = us_slice_size(p->level);
	err = arena_take(&w->slices, size + 4u, &at);
	if (err != US_OK)
		return err;
	if (p->head == US_ARENA_NONE)
		p->head = at;
	else
		memcpy(us_arena_at(&w->slices, p->tail), &at, 4);
	p->tail = at;
	p->left = size;
	return US_OK;
}

static int
append(struct us_segment_writer *w, struct us_posting *p, const uint8_t *bytes, size_t n)
{
	size_t now;
	int err;

	while (n != 0) {
		if (p->left == 0) {
			err = next_slice(w, p);
			if (err != US_OK)
				return err;
		}
		now = n < p->left ? n : p->left;
		memcpy(us_arena_at(&w->slices, p->tail), bytes, now);
		p->tail += (uint32_t)now;
		p->left = (uint16_t)(p->left - now);
		bytes += now;
		n -= now;
	}
	return US_OK;
}

static size_t
put_varint(uint8_t *to, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

static int
add_posting(struct us_segment_writer *w, struct us_posting *p, const struct us_doc_term *t)
{
	uint8_t head[20];
	size_t n;
	int err;

	/* also tells a term that stands twice in a document */
	if (p->next_doc > w->n_docs)
		return US_ERR_FORMAT;
	n = put_varint(head, (uint64_t)(w->n_docs - p->next_doc) << 1 | (t->count == 1));
	if (t->count != 1)
		n += put_varint(head + n, t->count);
	err = append(w, p, head, n);
	if (err == US_OK)
		err = append(w, p, t->distances.p, t->distances.n);
	p->next_doc = w->n_docs + 1;
	p->df++;
	return err;
}

static const uint8_t CONTENT_PREFIX = US_TERM_CONTENT;
static const struct us_bytes CONTENT = { &CONTENT_PREFIX, 1 };

static int
add_content(struct us_segment_writer *w, const struct us_doc_term *t, uint32_t hash)
{
	struct us_posting *p;
	int err = find_or_add(w, CONTENT, t->term, hash, &p);

	if (err != US_OK)
		return err;
	if (p->df == 0) {
		p->positions = (uint8_t)!t->pair;
		p->counts = 1;
	} else if (p->positions == t->pair) {
		return US_ERR_FORMAT; /* a pair in one document, a word in another */
	}
	return add_posting(w, p, t);
}

static int
add_meta(struct us_segment_writer *w, char letter, struct us_bytes value, struct us_posting **out)
{
	const struct us_doc_term one = { .count = 1, .pair = 1 };
	const uint8_t prefix[2] = { US_TERM_META, (uint8_t)letter };
	int err = find_or_add(w, (struct us_bytes){ prefix, 2 }, value,
	    hash_of(w, (struct us_bytes){ prefix, 2 }, value), out);

	return err != US_OK ? err : add_posting(w, *out, &one);
}

static int
add_value(struct us_segment_writer *w, size_t column, struct us_bytes value, uint32_t *id)
{
	static const char LETTERS[3] = { 'm', 'l', 'd' };
	struct us_posting *p;
	int err;

	*id = 0;
	if (value.n == 0)
		return US_OK;
	err = add_meta(w, LETTERS[column], value, &p);
	if (err == US_OK && p->value == 0) {
		err = grow32(&w->values[column], w->n_values[column], &w->cap_values[column],
		    sizeof(uint32_t));
		if (err == US_OK) {
			w->values[column][w->n_values[column]++] = (uint32_t)(p - w->postings);
			p->value = w->n_values[column];
		}
	}
	*id = p->value;
	return err;
}

static int
add_row(struct us_segment_writer *w, const struct us_doc *d)
{
	const struct us_bytes values[3] = { d->model, d->language, d->designation };
	struct us_posting *unused;
	struct us_doc_row *row;
	uint8_t digit;
	int err = grow32(&w->rows, w->n_docs, &w->cap_docs, sizeof *w->rows);

	if (err != US_OK)
		return err;
	row = &w->rows[w->n_docs];
	*row = (struct us_doc_row){ .created_s = US_DOC_NO_TIME,
		.length = d->length,
		.messages = d->messages,
		.roles = d->roles };
	if (d->created_ns != US_DOC_NO_TIME)
		row->created_s = d->created_ns / US_NS_PER_SECOND -
		    (d->created_ns % US_NS_PER_SECOND < 0);
	for (size_t i = 0; err == US_OK && i < 3; i++)
		err = add_value(w, i, values[i], &row->value[i]);
	for (unsigned role = 1; err == US_OK && role <= 4; role++) {
		digit = (uint8_t)('0' + role);
		if ((d->roles >> role & 1) != 0)
			err = add_meta(w, 'r', (struct us_bytes){ &digit, 1 }, &unused);
	}
	return err;
}

/* Asks the caches for what add_content() will touch: slots, then postings, then terms and slices.
 * Adding a term is four misses of some 80 ns otherwise, one behind the other. */
static void
prefetch(const struct us_segment_writer *w, const uint32_t *hashes, size_t n)
{
	const struct us_posting *p;
	uint32_t slot[BATCH];
	size_t mask = w->table_size - 1;

	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&w->table[hashes[i] & mask]);
	for (size_t i = 0; i < n; i++) {
		slot[i] = w->table[hashes[i] & mask];
		if (slot[i] != 0)
			__builtin_prefetch(&w->postings[slot[i] - 1], 1);
	}
	for (size_t i = 0; i < n; i++) {
		if (slot[i] == 0)
			continue;
		p = &w->postings[slot[i] - 1];
		__builtin_prefetch(us_arena_at(&w->terms, p->term));
		if (p->head != US_ARENA_NONE && p->left != 0)
			__builtin_prefetch(us_arena_at(&w->slices, p->tail), 1);
	}
}

/* Up to BATCH terms of a document. US_ERR_NOT_FOUND when it is at its end. */
static int
add_batch(struct us_segment_writer *w, struct us_doc *d)
{
	struct us_doc_term terms[BATCH];
	uint32_t hashes[BATCH];
	size_t n = 0;
	int end = US_OK, err = US_OK;

	while (n < BATCH && (end = us_doc_next(d, &terms[n])) == US_OK) {
		hashes[n] = hash_of(w, CONTENT, terms[n].term);
		n++;
	}
	if (end != US_OK && end != US_ERR_NOT_FOUND)
		return end;
	prefetch(w, hashes, n);
	for (size_t i = 0; err == US_OK && i < n; i++)
		err = add_content(w, &terms[i], hashes[i]);
	return err != US_OK ? err : end;
}

int
us_segment_writer_add(struct us_segment_writer *w, struct us_bytes encoded_doc)
{
	struct us_doc d;
	int err;

	if (w->failed)
		return US_ERR_STATE;
	if (w->n_docs == w->options.docs_max)
		return US_ERR_LIMIT;
	err = us_doc_open(encoded_doc, &d);
	if (err == US_OK) {
		w->failed = 1; /* until the document is whole */
		err = add_row(w, &d);
	}
	while (err == US_OK)
		err = add_batch(w, &d);
	if (err != US_ERR_NOT_FOUND)
		return err;
	w->failed = 0;
	w->n_docs++;
	return US_OK;
}
