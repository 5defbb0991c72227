/* What making an index and looking into it share. */
#ifndef US_CLIENT_LOG_LOG_INDEX_INTERNAL_H
#define US_CLIENT_LOG_LOG_INDEX_INTERNAL_H

#include "client/log/log_index.h"

struct us_log_index {
	struct us_log_remote *remote;
	uint64_t bundles; /* full ones, all of which it has */
	uint64_t mark;    /* the newest; US_ENTRY_NONE: there is none */
	char **parties;
	size_t n_parties, parties_cap;
	int64_t *last_ns; /* the time of the last entry of each bundle */
	size_t times_cap;
	/* while it is made */
	struct us_postings chunk;
	uint64_t chunk_n; /* which; UINT64_MAX: none yet */
	struct us_buf state;
	int unusable;
};

/* "index/7" */
void us_log_index_path(uint64_t chunk, char path[32]);

#endif
