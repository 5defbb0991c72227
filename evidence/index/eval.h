/*
 * Which documents of a segment a query finds. Exact: no ranking, no ceiling, NOT relative to all
 * documents of the segment. The result is a CRoaring bitmap of document numbers 0 ..
 * us_segment_docs() - 1; the caller adds the record number of the segment's first document.
 */
#ifndef US_EVIDENCE_INDEX_EVAL_H
#define US_EVIDENCE_INDEX_EVAL_H

#include <roaring/roaring.h>

#include "evidence/index/segment.h"
#include "evidence/query/query.h"

struct us_eval_options {
	uint64_t base; /* record number of document 0, for bates: */
	/* of the collection; a bates: with another prefix finds nothing. Compared without regard to
	 * ASCII case */
	struct us_bytes bates_prefix;
	us_term_key_fn *term_key; /* for the content words; may be NULL if the query has none */
	void *term_key_ctx;
	/* Corrects what designation:value has found, for documents that were designated anew since
	 * the segment was made; may be NULL. */
	int (*designated)(void *ctx, struct us_bytes value, roaring_bitmap_t *docs);
	void *designated_ctx;
};

/*
 * *out is owned by the caller (roaring_bitmap_free). US_ERR_DENIED if a word that stands in the
 * segment has no key (words that do not stand in it need none); US_ERR_FORMAT and US_ERR_TRUNCATED
 * if pages are not a segment, or a term key is wrong and the postings therefore nonsense; errors of
 * the page source; US_ERR_NOMEM.
 */
int us_eval(struct us_segment *segment, const struct us_query *query,
    const struct us_eval_options *options, roaring_bitmap_t **out);

#endif
