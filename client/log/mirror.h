/*
 * The profile's mirror of the log: full bundles and full tiles of level 1, under PROFILE/mirror at
 * their tlog-tiles paths. A bundle never changes once it is full, so it is fetched once.
 *
 * Nothing is kept, and nothing that was kept is believed, but for a signed checkpoint. When a
 * mirror is opened, the hashes of level 1 (one a bundle) and the entries behind the last full
 * bundle have to give the root that the checkpoint signs. Each bundle has to give its hash of level
 * 1, when it comes and again whenever it is read; what does not is fetched anew, and counted. So a
 * file here may be changed, cut or missing, or be of another log, and no answer changes.
 *
 * Tiles of level 0 are not kept: they follow from the bundles.
 */
#ifndef US_CLIENT_LOG_MIRROR_H
#define US_CLIENT_LOG_MIRROR_H

#include "client/log/fetch.h"
#include "log/tiles.h"

struct us_mirror;

/* Of commands that read the log. */
#define US_OPTION_NO_MIRROR \
	{ \
		"no-mirror", NULL, "fetch the log as a whole, and keep nothing of it" \
	}

/* What became of it in this run. */
struct us_mirror_counts {
	uint64_t bundles; /* full ones that the log has */
	uint64_t fetched; /* of them, now */
	uint64_t damaged; /* were kept and not what they were, and are fetched anew */
	uint64_t bytes;   /* that came from the vault */
	int unwritable;   /* errno of the first file that could not be kept; 0: all were */
};

/* Opens the mirror of the fetcher's profile for the tree that a verified checkpoint states.
 * US_ERR_VERIFY: the hashes that the log serves do not give its root, so that there is nothing to
 * hold a bundle against. Errors of us_log_fetch(). The fetcher must outlive it. */
int
us_mirror_open(struct us_mirror **out, struct us_log_fetcher *log, const struct us_checkpoint *at);
/* Fetches the bundles that are missing, several at once, and stops at the first that the vault does
 * not give, or gives wrongly: US_ERR_VERIFY, errors of us_log_fetch(). That one cannot be kept is
 * counted, and no error. */
int us_mirror_fetch(struct us_mirror *m);
/* Appends a bundle of that tree, or a tile of level 0 or 1, if it follows from what was verified.
 * US_ERR_NOT_FOUND: it does not, and whoever asked has to ask the vault. Threads may call this. */
int us_mirror_get(struct us_mirror *m, const struct us_tile *tile, struct us_buf *out);
/* The same of any file that the log serves, and from the vault what is not there: errors of
 * us_log_get(). Threads may call this. */
int us_mirror_file(struct us_mirror *m, const char *path, struct us_buf *out);
/* Reads every bundle that is kept, in so many threads; us_mirror_counts() tells what was found. */
int us_mirror_check(struct us_mirror *m, unsigned threads);
/* The root over the first so many bundles. */
void us_mirror_root(const struct us_mirror *m, uint64_t bundles, struct us_digest *root);
/* Whoever else asks the vault by the fetcher's connection does so between these two. */
void us_mirror_hold(struct us_mirror *m);
void us_mirror_release(struct us_mirror *m); /* the second of them */
/* The counts so far. */
struct us_mirror_counts us_mirror_counts(const struct us_mirror *m);
/* Frees it, not the files; NULL is nothing. */
void us_mirror_close(struct us_mirror *m);

#endif
