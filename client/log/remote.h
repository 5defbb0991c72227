/* The log as the vault serves it: files at their tlog-tiles paths, and the box keys this profile
 * may have. */
#ifndef US_CLIENT_LOG_REMOTE_H
#define US_CLIENT_LOG_REMOTE_H

#include "client/core/progress.h"
#include "client/log/fetch.h"
#include "client/log/key_store.h"
#include "client/log/mirror.h"
#include "verify/verify.h"

struct us_log_remote {
	struct us_log_fetcher log; /* log.client is who asks */
	/* of the checkpoint below: every path is asked for at this size */
	uint64_t size;
	struct us_checkpoint tree; /* what it states */
	struct us_mirror *mirror;  /* NULL: every file is fetched */
	struct us_buf checkpoint;  /* fetched once, so that the log can grow meanwhile */
	/* the largest that K witnesses have cosigned, from K = 1 on */
	struct us_buf witnessed[US_COSIGNERS_MAX];
	size_t n_witnessed;
	/* Keys, if they were asked for: without a mirror size of them; with one those of full
	 * bundles in files, those behind them here. */
	struct us_box_keys *keys;
	struct us_key_store *store;
	struct us_box_keys tail_keys[US_TILE_WIDTH];
	struct us_box_keys bundle_keys[US_TILE_WIDTH]; /* read last, of this bundle: */
	uint64_t bundle_keys_n;
	uint64_t keys_known; /* of so many bundles all keys are there (client/log/log_index.h) */
	int withheld;        /* of some entry a box stays shut */
	int unwritable;      /* errno of what kept keys from being kept */
	uint64_t next_line;  /* of next_keys */
	struct us_progress progress;
};

/* Fetches and verifies the newest checkpoint (remembering it, client/log/proofs.h). Ends the
 * program if it does not verify. */
void us_log_remote_open(struct us_log_remote *remote, struct us_client *client);
/* The same, and before it the checkpoints that witnesses have cosigned: so none of them is
 * larger. */
void us_log_remote_open_witnessed(struct us_log_remote *remote, struct us_client *client);
/* From here on full bundles come from the profile's mirror, which is brought up to date. Where it
 * cannot be, the log is fetched as without one. */
void us_log_remote_mirror(struct us_log_remote *remote);
/* Says what was found wrong with the mirror, if anything was: behind the last file. */
void us_log_remote_said(const struct us_log_remote *remote);
/* Fetches the keys for entries 0 .. size - 1; the vault logs that they were given. With a
 * mirror only those that are not beside it. Returns an exit status. */
int us_log_remote_keys(struct us_log_remote *remote);
/* The same for the entries from .. to - 1 alone, to <= size; may be called again. */
int us_log_remote_keys_range(struct us_log_remote *remote, uint64_t from, uint64_t to);
/* The keys of an entry, once they have been asked for, until the next call; NULL: the vault does
 * not give them again, which has been said. */
const struct us_box_keys *us_log_remote_keys_of(struct us_log_remote *remote, uint64_t index);
/* Wipes the keys and frees what was fetched. */
void us_log_remote_close(struct us_log_remote *remote);
/* For us_log_verify: arg is the struct us_log_remote. */
struct us_log_source us_log_remote_source(struct us_log_remote *remote);

#endif
