/* What the files of the mirror share. */
#ifndef US_CLIENT_LOG_MIRROR_INTERNAL_H
#define US_CLIENT_LOG_MIRROR_INTERNAL_H

#include <pthread.h>

#include "client/core/progress.h"
#include "client/log/mirror.h"

/* Leaves of bundles that were read last: a verifier asks for the tile behind each bundle. */
#define LEAVES_KEPT 64u

struct us_mirror_leaves {
	uint64_t n; /* of which bundle; UINT64_MAX: of none */
	struct us_digest leaf[US_TILE_WIDTH];
};

/* What changes after opening is guarded by lock. */
struct us_mirror {
	const char *profile; /* its folder */
	struct us_log_fetcher *log;
	uint64_t size;          /* of the tree */
	uint64_t n;             /* full bundles */
	struct us_digest *root; /* of each: level 1 */
	struct us_buf tail;     /* the bundle behind them */
	pthread_mutex_t asking; /* who holds it asks by log; taken before lock */
	pthread_mutex_t lock;
	struct us_mirror_counts counts;
	struct us_mirror_leaves kept[LEAVES_KEPT];
	/* of mirror_many.c */
	uint64_t next;
	int err;
	struct us_progress progress;
};

/* The path of a full bundle. US_ERR_RANGE. */
int us_mirror_path(uint64_t n, char path[US_TILE_PATH_MAX]);
/* Full bundle n from the vault into bundle, verified and kept. US_ERR_VERIFY: what it gave is not
 * that; errors of us_log_fetch(). */
int us_mirror_bring(struct us_mirror *m, struct us_log_fetcher *from, uint64_t n,
    struct us_buf *bundle);
/* Appends full bundle n, from its file; one that is not what it was is fetched again. */
int us_mirror_read(struct us_mirror *m, uint64_t n, struct us_buf *out);

#endif
