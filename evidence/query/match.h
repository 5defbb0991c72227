/*
 * A query against the text of one document, without an index: for masked text, for the test
 * statements of an order, and as the plain meaning that the index is tested against. Same language,
 * same words (evidence/query/words.h), same answers as evidence/index/eval.h for the same document.
 * One pass over the text; a word costs a look-up and one step for each 64 words of all phrases.
 * Pure; any thread.
 */
#ifndef US_EVIDENCE_QUERY_MATCH_H
#define US_EVIDENCE_QUERY_MATCH_H

#include "evidence/query/query.h"

struct us_match_message {
	unsigned role;        /* 1 system, 2 user, 3 assistant, 4 tool */
	struct us_bytes text; /* UTF-8 */
};

/* A document. Values are as produced and folded here (us_value_fold); empty: not known. */
struct us_match_document {
	const struct us_match_message *messages;
	size_t n_messages;
	int64_t created_s; /* INT64_MIN: not known */
	struct us_bytes model, language, designation;
	uint8_t roles;   /* bit r: has a message of role r; 0: taken from messages */
	uint64_t record; /* its number, for bates: */
	struct us_bytes bates_prefix;
};

/* *out 1 if the document is in the query's result, else 0. Bytes that are not UTF-8 separate words,
 * as in the index. US_ERR_NOMEM, US_ERR_LIMIT (2^31 words in a message). */
int us_match(const struct us_query *query, const struct us_match_document *document, int *out);

struct us_match_span {
	size_t start, end; /* bytes */
};

/* The places of the query's words and phrases in one text (those not under a NOT): ascending,
 * disjoint, touching ones joined. A phrase is one span with all that stands between its words; a
 * word of a phrase does not count outside of it. Both ends are at characters' borders. *spans is
 * malloc'ed (NULL if *n is 0). */
int us_match_spans(const struct us_query *query, struct us_bytes text, struct us_match_span **spans,
    size_t *n);

#endif
