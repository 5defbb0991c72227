/*
 * Trees that the verified one has grown out of: the root that it had at earlier sizes, and the time
 * of the last entry that it had then. They are found as the pass goes by. One owner.
 */
#ifndef US_VERIFY_PREFIX_H
#define US_VERIFY_PREFIX_H

#include "log/merkle.h"
#include "verify/bundle.h"

#define PREFIXES_MAX 256

struct us_verify_prefix {
	uint64_t size;
	int known; /* the pass went by */
	struct us_digest root;
	int64_t last_ns; /* of entry size - 1; -1 if there is none, or entries are foreign */
};

struct us_verify_prefixes {
	size_t n;
	struct us_verify_prefix at[PREFIXES_MAX];
};

/* Asks for a size, before the pass; *place is where it will be found. US_ERR_LIMIT. */
int us_verify_prefixes_add(struct us_verify_prefixes *p, uint64_t size, size_t *place);
/* The bundle goes by, which is right; before is the stream of all full bundles before it. */
void us_verify_prefixes_pass(struct us_verify_prefixes *p, const struct us_merkle_stream *before,
    const struct us_verify_bundle *b);

#endif
