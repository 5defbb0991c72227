#include "evidence/index/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "evidence/index/eval.h"
#include "evidence/index/phrase.h"

struct us_index_eval {
	struct us_segment *s;
	const struct us_eval_options *options;
};

static int
eval_node(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out);

static int
empty(roaring_bitmap_t **out)
{
	*out = roaring_bitmap_create();
	return *out == NULL ? US_ERR_NOMEM : US_OK;
}

static int
range(uint64_t from, uint64_t to, roaring_bitmap_t **out)
{
	if (from >= to)
		return empty(out);
	*out = roaring_bitmap_from_range(from, to, 1);
	return *out == NULL ? US_ERR_NOMEM : US_OK;
}

static int
get_term_key(struct us_index_eval *e, struct us_bytes word, struct us_key *key)
{
	int err = e->options->term_key == NULL ?
	    US_ERR_NOT_FOUND :
	    e->options->term_key(e->options->term_key_ctx, word, key);

	return err == US_ERR_NOT_FOUND ? US_ERR_DENIED : err;
}

/* All chunks' documents; term_key NULL for metadata. */
static int
eval_entry(struct us_index_eval *e, const struct us_dict_entry *entry,
    const struct us_key *term_key, roaring_bitmap_t *out)
{
	struct us_key key = { { 0 } };
	struct us_docs docs;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < entry->n_chunks; i++) {
		if (term_key != NULL)
			err = us_chunk_key(term_key, e->s->origins[entry->chunks[i].origin].salt,
			    &key);
		if (err == US_OK)
			err = us_docs_read(e->s, &entry->chunks[i], term_key == NULL ? NULL : &key,
			    &docs);
		if (err != US_OK)
			break;
		roaring_bitmap_add_many(out, docs.n, docs.docs);
		us_docs_free(&docs);
	}
	us_wipe(&key, sizeof key);
	return err;
}

static int
eval_term(struct us_index_eval *e, const struct us_term *term, struct us_bytes word,
    roaring_bitmap_t **out)
{
	struct us_dict_entry entry;
	struct us_key key;
	int err = us_dict_find(e->s, term, &entry);

	if (err == US_OK)
		err = empty(out);
	if (err != US_OK || entry.df == 0)
		return err;
	if (word.n != 0)
		err = get_term_key(e, word, &key);
	if (err == US_OK)
		err = eval_entry(e, &entry, word.n != 0 ? &key : NULL, *out);
	us_wipe(&key, sizeof key);
	us_dict_entry_free(&entry);
	return err;
}

static int
eval_word(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	struct us_term term;

	us_term_content(&term, node->terms[0].word);
	return eval_term(e, &term, node->terms[0].word, out);
}

static int
eval_meta(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	struct us_term term;

	us_term_meta(&term, node->field, node->value);
	int err = eval_term(e, &term, (struct us_bytes){ NULL, 0 }, out);
	if (err == US_OK && node->field == US_FIELD_DESIGNATION && e->options->designated != NULL)
		err = e->options->designated(e->options->designated_ctx, node->value, *out);
	return err;
}

/* Looks all terms up; *missing is 1 if one stands nowhere, so that the phrase does not either. */
static int
find_terms(struct us_index_eval *e, const struct us_query_node *node, struct us_dict_entry *entries,
    struct us_key *keys, int *missing)
{
	struct us_term term;
	int err = US_OK;

	*missing = 0;
	for (size_t i = 0; err == US_OK && !*missing && i < node->n_terms; i++) {
		us_term_content(&term, node->terms[i].word);
		err = us_dict_find(e->s, &term, &entries[i]);
		*missing = err == US_OK && entries[i].df == 0;
	}
	for (size_t i = 0; err == US_OK && !*missing && i < node->n_terms; i++)
		err = get_term_key(e, node->terms[i].word, &keys[i]);
	return err;
}

static int
eval_phrase(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	struct us_dict_entry *entries = calloc(node->n_terms, sizeof *entries);
	struct us_key *keys = calloc(node->n_terms, sizeof *keys);
	struct us_phrase phrase = { node->terms, entries, keys, node->n_terms };
	int missing = 0, err = US_ERR_NOMEM;

	if (entries != NULL && keys != NULL)
		err = find_terms(e, node, entries, keys, &missing);
	if (err == US_OK)
		err = empty(out);
	if (err == US_OK && !missing)
		err = us_phrase_eval(e->s, &phrase, *out);
	for (size_t i = 0; entries != NULL && i < node->n_terms; i++)
		us_dict_entry_free(&entries[i]);
	if (keys != NULL)
		us_wipe(keys, node->n_terms * sizeof *keys);
	free(keys);
	free(entries);
	return err;
}

static int
eval_date(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	uint32_t found[1024], n = 0;
	uint64_t stored;
	int64_t base, t;
	int err = us_columns_load(e->s);

	if (err == US_OK)
		err = empty(out);
	if (err != US_OK)
		return err;
	base = e->s->columns[US_COLUMN_CREATED].base;
	for (uint32_t doc = 0; doc < e->s->docs; doc++) {
		stored = us_column_get(e->s, US_COLUMN_CREATED, doc);
		t = (int64_t)((uint64_t)base + stored - 1);
		if (stored == 0 || t < node->from_s || t >= node->to_s)
			continue;
		found[n++] = doc;
		if (n == US_COUNT(found)) {
			roaring_bitmap_add_many(*out, n, found);
			n = 0;
		}
	}
	roaring_bitmap_add_many(*out, n, found);
	return US_OK;
}

static int
same_prefix(struct us_bytes a, struct us_bytes b)
{
	uint8_t x;

	if (a.n != b.n)
		return 0;
	for (size_t i = 0; i < a.n; i++) {
		x = b.p[i] >= 'a' && b.p[i] <= 'z' ? (uint8_t)(b.p[i] - 32) : b.p[i];
		if (a.p[i] != x)
			return 0;
	}
	return 1;
}

static int
eval_bates(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	uint64_t base = e->options->base, end = base + e->s->docs;
	uint64_t first = node->first > base ? node->first : base;
	uint64_t behind = node->last < end ? node->last + 1 : end;

	if (node->prefix.n != 0 && !same_prefix(node->prefix, e->options->bates_prefix))
		return empty(out);
	return first >= behind ? empty(out) : range(first - base, behind - base, out);
}

static int
eval_not(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	int err = eval_node(e, node->children[0], out);

	if (err == US_OK)
		roaring_bitmap_flip_inplace(*out, 0, e->s->docs);
	return err;
}

/* Plain children first, then the negated ones are taken off: no complement is ever built beside
 * others. */
static int
eval_and(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	const struct us_query_node *child;
	roaring_bitmap_t *b;
	int err;

	for (int negated = 0; negated < 2; negated++) {
		for (size_t i = 0; i < node->n_children; i++) {
			child = node->children[i];
			if ((child->op == US_QUERY_NOT) != negated)
				continue;
			if (*out == NULL && negated && (err = range(0, e->s->docs, out)) != US_OK)
				return err;
			b = NULL;
			err = eval_node(e, negated ? child->children[0] : child, &b);
			if (err != US_OK) {
				if (b != NULL)
					roaring_bitmap_free(b);
				return err;
			}
			if (*out == NULL) {
				*out = b;
				continue;
			}
			if (negated)
				roaring_bitmap_andnot_inplace(*out, b);
			else
				roaring_bitmap_and_inplace(*out, b);
			roaring_bitmap_free(b);
		}
	}
	return US_OK;
}

static int
eval_or(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	roaring_bitmap_t *b = NULL;
	int err = eval_node(e, node->children[0], out);

	for (size_t i = 1; err == US_OK && i < node->n_children; i++) {
		b = NULL;
		err = eval_node(e, node->children[i], &b);
		if (err == US_OK)
			roaring_bitmap_or_inplace(*out, b);
		if (b != NULL)
			roaring_bitmap_free(b);
	}
	return err;
}

/* *out is NULL before; after an error it may hold a bitmap that the caller frees. */
static int
eval_node(struct us_index_eval *e, const struct us_query_node *node, roaring_bitmap_t **out)
{
	switch (node->op) {
	case US_QUERY_ALL:
		return range(0, e->s->docs, out);
	case US_QUERY_WORD:
		return eval_word(e, node, out);
	case US_QUERY_PHRASE:
		return eval_phrase(e, node, out);
	case US_QUERY_META:
		return eval_meta(e, node, out);
	case US_QUERY_DATE:
		return eval_date(e, node, out);
	case US_QUERY_BATES:
		return eval_bates(e, node, out);
	case US_QUERY_AND:
		return eval_and(e, node, out);
	case US_QUERY_OR:
		return eval_or(e, node, out);
	case US_QUERY_NOT:
		return eval_not(e, node, out);
	}
	return US_ERR_INTERNAL;
}

int
us_eval(struct us_segment *segment, const struct us_query *query,
    const struct us_eval_options *options, roaring_bitmap_t **out)
{
	struct us_index_eval e = { segment, options };
	roaring_bitmap_t *b = NULL;
	int err = eval_node(&e, query->root, &b);

	*out = NULL;
	if (err != US_OK) {
		if (b != NULL)
			roaring_bitmap_free(b);
		return err;
	}
	*out = b;
	return US_OK;
}
