/* Any bytes as a query: no crash; an error points into the text; a canonical text is its own,
 * however the query is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a compiled order may say is what anybody may write, and besides it and, or, not as words: in
 * quotation marks those too. */
static void
compiled(const uint8_t *data, size_t size, const struct us_query *strict)
{
	struct us_query *q, *again;
	struct us_query_error error;
	int err = us_query_parse_compiled(data, size, &q, &error);

	if (strict != NULL &&
	    (err != US_OK || q->canonical.n != strict->canonical.n ||
		memcmp(q->canonical.p, strict->canonical.p, q->canonical.n) != 0))
		abort();
	if (err != US_OK)
		return;
	err = us_query_parse(q->canonical.p, q->canonical.n, &again, &error);
	if (err == US_OK) {
		if (again->canonical.n != q->canonical.n ||
		    memcmp(again->canonical.p, q->canonical.p, q->canonical.n) != 0 ||
		    again->n_words != q->n_words)
			abort();
		us_query_free(again);
	} else if (err != US_ERR_LIMIT || q->canonical.n <= US_QUERY_MAX) {
		abort();
	}
	us_query_free(q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_query *q;
	struct us_query_error error;
	int err = us_query_parse(data, size, &q, &error);

	if (err != US_OK && (error.at > size || error.message[0] == '\0' || q != NULL))
		abort();
	compiled(data, size, q);
	us_query_free(q);
	return 0;
}
