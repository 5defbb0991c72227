/* What reader.c (open, columns), dictionary.c, postings.c and eval.c share. */
#ifndef US_EVIDENCE_INDEX_READER_INTERNAL_H
#define US_EVIDENCE_INDEX_READER_INTERNAL_H

#include "evidence/index/segment_internal.h"

struct us_section {
	uint32_t first; /* page */
	uint32_t pages;
	uint64_t bytes;
};

struct us_origin { /* a source of the segment */
	uint32_t base;
	uint32_t docs;
	uint8_t salt[US_SEGMENT_SALT];
};

struct us_column_view {
	unsigned width;
	int64_t base;
	const uint8_t *bits;
	size_t size;
	struct us_bytes *table;
	uint32_t n_table;
};

/* Invariants after opening: sections lie in the segment, origins cover 0 .. docs without gaps,
 * fences rise. */
struct us_segment {
	struct us_segment_source source;
	uint32_t docs;
	uint32_t terms;
	struct us_section documents, positions, dictionary, column_section, trailer;
	struct us_origin *origins;
	uint32_t n_origins;
	uint8_t *trailer_bytes;
	struct us_bytes *fences; /* views of trailer_bytes, one a dictionary page */
	uint8_t *column_bytes;   /* NULL until loaded */
	struct us_column_view columns[US_COLUMNS];
};

struct us_chunk {
	uint32_t origin;
	uint32_t df;
	uint64_t docs_at, docs_n;
	uint64_t positions_at, positions_n;
};

struct us_dict_entry {
	uint32_t df; /* of all chunks; 0: not there */
	size_t n_chunks;
	struct us_chunk *chunks;
};

/* Reads n bytes that stand `at` bytes into a section. US_ERR_TRUNCATED if they are not all
 * there. */
int us_segment_read(struct us_segment *s, const struct us_section *section, uint64_t at,
    uint8_t *out, size_t n);

/* Looks a term up. entry->df is 0 if it is not there. Freed with us_dict_entry_free(). */
int us_dict_find(struct us_segment *s, const struct us_term *t, struct us_dict_entry *entry);
/* Frees its chunks; of a zeroed entry, too. */
void us_dict_entry_free(struct us_dict_entry *entry);

/* Reads and checks the columns, once. US_ERR_NOMEM, US_ERR_FORMAT and other errors of
 * us_segment_read() and the reader; then none is loaded. */
int us_columns_load(struct us_segment *s);
/* The stored value (base not added); columns are loaded. */
uint64_t us_column_get(const struct us_segment *s, enum us_column c, uint32_t doc);

/* A chunk's documents, numbered in the segment, and counts. */
struct us_docs {
	uint32_t *docs;
	uint32_t *counts; /* NULL for metadata */
	uint32_t n;
};
/* key is the chunk's, NULL for metadata. */
int us_docs_read(struct us_segment *s, const struct us_chunk *c, const struct us_key *key,
    struct us_docs *out);
/* Frees both lists; of zeroed ones, too. */
void us_docs_free(struct us_docs *d);

/* Random access to a chunk's positions list, best in rising order. */
struct us_places {
	struct us_segment *s;
	const struct us_chunk *chunk;
	const struct us_key *key;
	uint64_t n; /* values */
	uint8_t *widths;
	uint64_t *starts; /* where a group begins in the list */
	uint64_t group;   /* the one in values; UINT64_MAX: none */
	uint32_t values[128];
};
/* Opens the list of c, whose documents docs are. s, c and key must outlive it. US_ERR_FORMAT (it is
 * not as long as docs say), US_ERR_NOMEM and errors of reading; then nothing is left open. */
int us_places_open(struct us_segment *s, const struct us_chunk *c, const struct us_key *key,
    const struct us_docs *docs, struct us_places *p);
/* Value i < n of the list. */
int us_places_get(struct us_places *p, uint64_t i, uint32_t *value);
/* Frees what it holds; of a closed one, too. */
void us_places_close(struct us_places *p);

#endif
