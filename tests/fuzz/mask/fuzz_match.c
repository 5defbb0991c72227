/* A query, a line end, a text (U+0001 parts messages): spans are in order and within, and agree
 * with whether a lone word or phrase matches. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/query/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_spans(const struct us_query *q, struct us_bytes text, size_t *found)
{
	struct us_match_span *spans;
	size_t n;

	if (us_match_spans(q, text, &spans, &n) != US_OK)
		abort();
	for (size_t i = 0; i < n; i++)
		if (spans[i].start >= spans[i].end || spans[i].end > text.n ||
		    (i != 0 && spans[i].start <= spans[i - 1].end))
			abort();
	*found += n;
	free(spans);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size), *p, *end = data + size,
		      *next;
	struct us_match_message messages[8];
	struct us_match_document d = { .messages = messages,
		.created_s = 1700000000,
		.model = us_bytes_of("m"),
		.record = 5,
		.bates_prefix = us_bytes_of("DEMO") };
	struct us_query *q;
	size_t found = 0;
	int yes = -1;

	if (line == NULL || us_query_parse(data, (size_t)(line - data), &q, NULL) != US_OK)
		return 0;
	for (p = line + 1; d.n_messages < 8 && p <= end; p = next + 1) {
		next = p == end ? NULL : memchr(p, 1, (size_t)(end - p));
		if (next == NULL)
			next = end;
		messages[d.n_messages] = (struct us_match_message){
			1 + (unsigned)(d.n_messages % 4), { p, (size_t)(next - p) }
		};
		check_spans(q, messages[d.n_messages++].text, &found);
		if (next == end)
			break;
	}
	if (us_match(q, &d, &yes) != US_OK || (yes != 0 && yes != 1))
		abort();
	if ((q->root->op == US_QUERY_WORD || q->root->op == US_QUERY_PHRASE) && yes != (found != 0))
		abort();
	us_query_free(q);
	return 0;
}
