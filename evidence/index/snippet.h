/*
 * Picks the piece of a record that shows why it was found. Works on the decoded messages alone;
 * nothing of the index is needed.
 */
#ifndef US_EVIDENCE_INDEX_SNIPPET_H
#define US_EVIDENCE_INDEX_SNIPPET_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "evidence/query/query.h"

#define US_SNIPPET_MARKS_MAX 32

struct us_snippet_mark {
	uint32_t start; /* bytes from the start of the snippet's text, at character boundaries */
	uint32_t end;
};

struct us_snippet {
	size_t message;       /* index of the message */
	struct us_bytes text; /* a view of that message, cut at character boundaries */
	int cut_before;       /* 1: the message has more before / behind */
	int cut_after;
	size_t n_marks;
	struct us_snippet_mark marks[US_SNIPPET_MARKS_MAX]; /* disjoint, rising */
};

#define US_SNIPPET_BYTES 240

/*
 * Chooses the window of at most `bytes` bytes (about 200 characters: US_SNIPPET_BYTES) that holds
 * the most distinct words of the query, the first of these. Words under NOT do not count. Without a
 * hit (a query on metadata) it is the start of the first message that is not empty. All messages
 * empty: text is empty. words of the query are matched one by one: a word of a phrase is marked
 * also outside it. US_ERR_NOMEM.
 */
int us_snippet_pick(const struct us_bytes *messages, size_t n_messages,
    const struct us_query *query, size_t bytes, struct us_snippet *out);

#endif
