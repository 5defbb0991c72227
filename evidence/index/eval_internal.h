/* What eval.c and phrase.c share. */
#ifndef US_EVIDENCE_INDEX_EVAL_INTERNAL_H
#define US_EVIDENCE_INDEX_EVAL_INTERNAL_H

#include <roaring/roaring.h>

#include "evidence/index/eval.h"
#include "evidence/index/reader_internal.h"

/* A phrase all of whose terms stand in the segment; arrays of n. */
struct us_phrase {
	const struct us_query_term *terms;
	const struct us_dict_entry *entries;
	const struct us_key *keys; /* term keys */
	size_t n;
};

/* Adds the documents that have the phrase to out. */
int us_phrase_eval(struct us_segment *s, const struct us_phrase *phrase, roaring_bitmap_t *out);

#endif
