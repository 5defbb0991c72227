/* What the making and the reading of an index share. */
#ifndef US_CLIENT_REPORT_INDEX_INTERNAL_H
#define US_CLIENT_REPORT_INDEX_INTERNAL_H

#include "client/report/index.h"

#define US_INDEX_MAGIC "underseal/report-index/2\n"
#define US_INDEX_MAGIC_BYTES (sizeof US_INDEX_MAGIC - 1)
#define US_INDEX_POSTING 32 /* bytes */
#define US_INDEX_BLOCK 2048 /* postings */

struct us_client_posting {
	uint32_t collection;
	uint32_t place; /* of the entry in its bundle */
	uint64_t record, entry, offset;
};

/* Their order in the file; for qsort(). */
int us_posting_compare(const void *a, const void *b);

#endif
