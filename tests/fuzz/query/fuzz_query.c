/* Any bytes as a query: no crash; an error points into the text; a canonical text is its own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_query *q, *again;
	struct us_query_error error;
	int err = us_query_parse(data, size, &q, &error);

	if (err != US_OK) {
		if (error.at > size || error.message[0] == '\0' || q != NULL)
			abort();
		return 0;
	}
	err = us_query_parse(q->canonical.p, q->canonical.n, &again, &error);
	if (err == US_OK) {
		if (again->canonical.n != q->canonical.n ||
		    memcmp(again->canonical.p, q->canonical.p, q->canonical.n) != 0 || again->n_words != q->n_words)
			abort();
		us_query_free(again);
	} else if (err != US_ERR_LIMIT || q->canonical.n <= US_QUERY_MAX) {
		abort();
	}
	us_query_free(q);
	return 0;
}
