/*
 * Reading a batch's pages (layouts: evidence/batch/batch.h), for the vault. Everything here takes
 * pages from an untrusted store: what does not fit is US_ERR_FORMAT and the like, never a crash.
 * Whether a record is genuine is decided by its own seal and by the manifest, not by these layouts.
 *
 * In memory a batch costs its directory: two bytes a record page (some 10 KB for 65,536
 * records). A directory is immutable and may be read by any number of threads; a manifest reader
 * has one owner.
 */
#ifndef US_EVIDENCE_BATCH_READER_H
#define US_EVIDENCE_BATCH_READER_H

#include "evidence/batch/batch.h"

/* Gives a stored page; the view is valid until the next call. US_ERR_NOT_FOUND and any other error
 * are handed through. */
typedef int (
    *us_get_page_fn)(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes *page);

struct us_batch_source {
	struct us_batch_place place;
	const struct us_key *page_key; /* not needed (NULL) for records alone */
	us_get_page_fn get_page;
	void *ctx;
};

struct us_batch_directory;

/* Reads and checks the directory pages of a batch that, as its closing act says, has so many
 * records and record pages. US_ERR_FORMAT, US_ERR_AUTH, US_ERR_RANGE, US_ERR_NOMEM, or what
 * get_page gives. */
int us_batch_directory_open(struct us_batch_directory **out, const struct us_batch_source *source,
    uint32_t records, uint32_t record_pages);
/* NULL is allowed. */
void us_batch_directory_free(struct us_batch_directory *d);
/* Record pages [*first, *first + *n) hold the item. US_ERR_RANGE. */
int us_batch_directory_find(const struct us_batch_directory *d, uint32_t item, uint32_t *first,
    uint32_t *n);

/* The sealed record of an item within a page of form 1, as a view. US_ERR_NOT_FOUND if the page
 * does not hold it (or is part of a larger record), US_ERR_FORMAT, US_ERR_TRUNCATED,
 * US_ERR_TRAILING if the page is malformed. */
int us_record_page_find(struct us_bytes page, uint32_t item, struct us_bytes *sealed);

/* Appends the sealed bytes of a record to out, fetching the pages it stands in. */
int us_batch_record(const struct us_batch_directory *d, const struct us_batch_source *source,
    uint32_t item, struct us_buf *out);

/* The inclusion path of a record in its batch manifest, leaf upwards. */
#define US_BATCH_PROOF_MAX 16
struct us_batch_proof {
	uint32_t n;
	uint8_t hash[US_BATCH_PROOF_MAX][32];
};

/* Keeps the last leaf page and the upper page open, so that proofs for neighbours cost one page. */
struct us_manifest_reader;
/* source is kept and must outlive the reader. US_ERR_RANGE, US_ERR_NOMEM. */
int us_manifest_open(struct us_manifest_reader **out, const struct us_batch_source *source,
    uint32_t records);
/* US_ERR_RANGE, US_ERR_AUTH, US_ERR_FORMAT, or what get_page gives. */
int us_manifest_proof(struct us_manifest_reader *r, uint32_t item, struct us_batch_proof *proof);
/* Wipes and frees; NULL is allowed. */
void us_manifest_close(struct us_manifest_reader *r);

/* The manifest leaf hash of a record (docs/PROTOCOL.md section 5). */
int us_manifest_leaf_hash(uint32_t collection, uint64_t record, uint32_t version,
    const uint8_t salt[16], struct us_bytes source, uint8_t leaf[32]);

#endif
