/*
 * Writing a batch's pages (layouts: evidence/batch/batch.h), for the sealer. Records go in one by
 * one, in order; pages come out through emit, each kind in the order of its numbers. Memory: 34
 * bytes a record for the tree and one page. One owner.
 */
#ifndef US_EVIDENCE_BATCH_WRITER_H
#define US_EVIDENCE_BATCH_WRITER_H

#include "evidence/batch/batch.h"

/* Takes one stored page; the view is valid during the call. An error ends the writing. */
typedef int (
    *us_emit_page_fn)(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes page);

struct us_batch_writer_options {
	struct us_batch_place place;
	const struct us_key *page_key; /* kept, not copied */
	uint32_t records;              /* exactly so many will be added; 1 .. 65,536 */
	us_emit_page_fn emit;
	void *ctx;
};

/* What the closing act says of the pages. */
struct us_batch_totals {
	uint32_t records, record_pages, directory_pages, manifest_pages;
	uint64_t record_bytes; /* of sealed records */
	uint8_t manifest_root[32];
};

struct us_batch_writer;
/* US_ERR_RANGE, US_ERR_NOMEM. */
int
us_batch_writer_new(struct us_batch_writer **out, const struct us_batch_writer_options *options);
/* The next record: its sealed bytes and its manifest leaf hash. US_ERR_LIMIT (too large, or too
 * many), or what emit gave. */
int us_batch_writer_add(struct us_batch_writer *w, struct us_bytes sealed, const uint8_t leaf[32]);
/* Writes the rest, then directory and manifest. US_ERR_STATE if records are missing. */
int us_batch_writer_finish(struct us_batch_writer *w, struct us_batch_totals *totals);
/* Wipes and frees; NULL is allowed. */
void us_batch_writer_free(struct us_batch_writer *w);

/* Sorts the n tags and emits their pages; *pages gets their number. US_ERR_EXISTS if two have
 * the same id. */
int us_tags_write(struct us_tag *tags, size_t n, us_emit_page_fn emit, void *ctx, uint32_t *pages);
/* Cuts a sealed dictionary into its pages. */
int us_dictionary_write(struct us_bytes sealed, us_emit_page_fn emit, void *ctx, uint32_t *pages);

#endif
