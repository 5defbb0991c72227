/*
 * A phrase in one source of a segment. First the documents that have all its terms; then, term by
 * term from the rarest, the places where the phrase could begin, thinned out by each. Only one
 * term's postings are in memory at a time.
 */
#include "evidence/index/phrase.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

/* A place where the phrase may begin; starts below 0 cannot be, positions count from 0. */
struct us_index_start {
	uint32_t doc;
	uint32_t position;
};

struct us_index_starts {
	struct us_index_start *p;
	size_t n, cap;
};

/* A term of the phrase in this source. */
struct us_index_part {
	const struct us_query_term *term;
	struct us_chunk chunk;
	struct us_key key;
};

struct us_index_work {
	struct us_segment *s;
	struct us_index_part *parts;
	size_t n;
	roaring_bitmap_t *candidates;
	struct us_index_starts starts;
};

static int
rarer(const void *a, const void *b)
{
	const struct us_index_part *x = a, *y = b;

	/* pairs first: they have no positions, and filter well */
	if ((x->term->kind == US_WORD_PAIR) != (y->term->kind == US_WORD_PAIR))
		return x->term->kind == US_WORD_PAIR ? -1 : 1;
	return (x->chunk.df > y->chunk.df) - (x->chunk.df < y->chunk.df);
}

static int
intersect(struct us_index_work *w)
{
	struct us_docs docs;
	roaring_bitmap_t *b;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < w->n; i++) {
		err = us_docs_read(w->s, &w->parts[i].chunk, &w->parts[i].key, &docs);
		if (err != US_OK)
			break;
		b = roaring_bitmap_of_ptr(docs.n, docs.docs);
		us_docs_free(&docs);
		if (b == NULL)
			return US_ERR_NOMEM;
		if (w->candidates == NULL) {
			w->candidates = b;
			continue;
		}
		roaring_bitmap_and_inplace(w->candidates, b);
		roaring_bitmap_free(b);
		if (roaring_bitmap_is_empty(w->candidates))
			break;
	}
	return err;
}

static int
add_start(struct us_index_starts *s, uint32_t doc, uint32_t position)
{
	if (us_grow(&s->p, s->n, &s->cap, sizeof *s->p) != US_OK)
		return US_ERR_NOMEM;
	s->p[s->n++] = (struct us_index_start){ doc, position };
	return US_OK;
}

/* Calls for one document's positions of a term: those that fit what there is stay. */
struct us_index_thin {
	struct us_index_starts *old; /* NULL for the first term */
	size_t at;                   /* in old */
	struct us_index_starts kept;
	uint32_t offset;
};

static int
take_doc(struct us_index_thin *t, struct us_places *places, uint64_t index, uint32_t count,
    uint32_t doc)
{
	uint64_t position = 0;
	uint32_t v;
	int err = US_OK;

	for (uint32_t i = 0; err == US_OK && i < count; i++) {
		err = us_places_get(places, index + i, &v);
		if (err != US_OK)
			return err;
		position += v + (uint64_t)(i != 0);
		if (position > UINT32_MAX)
			return US_ERR_FORMAT;
		if (position < t->offset)
			continue;
		if (t->old == NULL) {
			err = add_start(&t->kept, doc, (uint32_t)position - t->offset);
			continue;
		}
		while (t->at < t->old->n && t->old->p[t->at].doc == doc &&
		    t->old->p[t->at].position < position - t->offset)
			t->at++;
		if (t->at == t->old->n || t->old->p[t->at].doc != doc)
			return US_OK; /* no more places in this document */
		if (t->old->p[t->at].position == position - t->offset)
			err = add_start(&t->kept, doc, (uint32_t)position - t->offset);
	}
	return err;
}

/* Thins w->starts by a term, or makes them if it is the first. */
static int
thin_by(struct us_index_work *w, const struct us_index_part *part, int first)
{
	struct us_index_thin t = { .old = first ? NULL : &w->starts, .offset = part->term->offset };
	struct us_places places;
	struct us_docs docs;
	uint64_t index = 0;
	int err = us_docs_read(w->s, &part->chunk, &part->key, &docs);

	if (err != US_OK)
		return err;
	err = us_places_open(w->s, &part->chunk, &part->key, &docs, &places);
	for (uint32_t i = 0; err == US_OK && i < docs.n; i++) {
		if (t.old == NULL) {
			if (roaring_bitmap_contains(w->candidates, docs.docs[i]))
				err = take_doc(&t, &places, index, docs.counts[i], docs.docs[i]);
		} else {
			while (t.at < t.old->n && t.old->p[t.at].doc < docs.docs[i])
				t.at++;
			if (t.at == t.old->n)
				break;
			if (t.old->p[t.at].doc == docs.docs[i])
				err = take_doc(&t, &places, index, docs.counts[i], docs.docs[i]);
		}
		index += docs.counts[i];
	}
	us_places_close(&places);
	us_docs_free(&docs);
	free(w->starts.p);
	w->starts = t.kept;
	return err;
}

static int
run(struct us_index_work *w, roaring_bitmap_t *out)
{
	int err, first = 1;

	qsort(w->parts, w->n, sizeof *w->parts, rarer);
	err = intersect(w);
	if (err != US_OK || roaring_bitmap_is_empty(w->candidates))
		return err;
	for (size_t i = 0; err == US_OK && i < w->n; i++) {
		if (w->parts[i].term->kind == US_WORD_PAIR)
			continue;
		err = thin_by(w, &w->parts[i], first);
		first = 0;
		if (w->starts.n == 0)
			break;
	}
	for (size_t i = 0; err == US_OK && i < w->starts.n; i++)
		if (i == 0 || w->starts.p[i].doc != w->starts.p[i - 1].doc)
			roaring_bitmap_add(out, w->starts.p[i].doc);
	return err;
}

/* The chunk of an entry in a source, or NULL. */
static const struct us_chunk *
chunk_in(const struct us_dict_entry *entry, uint32_t origin)
{
	for (size_t i = 0; i < entry->n_chunks; i++)
		if (entry->chunks[i].origin == origin)
			return &entry->chunks[i];
	return NULL;
}

static int
phrase_in_origin(struct us_segment *s, const struct us_phrase *phrase, uint32_t origin,
    roaring_bitmap_t *out)
{
	struct us_index_work w = { .s = s, .n = phrase->n };
	const struct us_chunk *chunk;
	int err = US_OK;

	w.parts = calloc(phrase->n, sizeof *w.parts);
	if (w.parts == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; err == US_OK && i < phrase->n; i++) {
		chunk = chunk_in(&phrase->entries[i], origin);
		if (chunk == NULL)
			goto out;
		w.parts[i].term = &phrase->terms[i];
		w.parts[i].chunk = *chunk;
		err = us_chunk_key(&phrase->keys[i], s->origins[origin].salt, &w.parts[i].key);
	}
	if (err == US_OK)
		err = run(&w, out);
out:
	us_wipe(w.parts, phrase->n * sizeof *w.parts);
	free(w.parts);
	free(w.starts.p);
	if (w.candidates != NULL)
		roaring_bitmap_free(w.candidates);
	return err;
}

int
us_phrase_eval(struct us_segment *s, const struct us_phrase *phrase, roaring_bitmap_t *out)
{
	int err = US_OK;

	for (uint32_t i = 0; err == US_OK && i < s->n_origins; i++)
		err = phrase_in_origin(s, phrase, i, out);
	return err;
}
