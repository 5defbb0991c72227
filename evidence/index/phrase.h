/* Documents in which the words of a phrase stand one behind the other. */
#ifndef US_EVIDENCE_INDEX_PHRASE_H
#define US_EVIDENCE_INDEX_PHRASE_H

#include <roaring/roaring.h>

#include "evidence/query/query.h"
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
