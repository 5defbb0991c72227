/* The log as the vault serves it: files at their tlog-tiles paths, and the box keys this profile
 * may have. */
#ifndef US_CLIENT_LOG_REMOTE_H
#define US_CLIENT_LOG_REMOTE_H

#include "client/core/progress.h"
#include "client/log/fetch.h"
#include "verify/verify.h"

/* Keys of one entry's boxes; present has bit 1 << enum us_box. */
struct us_box_keys {
	uint8_t present;
	uint8_t key[US_BOXES][32];
};

struct us_log_remote {
	struct us_log_fetcher log; /* log.client is who asks */
	/* of the checkpoint below: every path is asked for at this size */
	uint64_t size;
	struct us_buf checkpoint; /* fetched once, so that the log can grow meanwhile */
	/* the largest that K witnesses have cosigned, from K = 1 on */
	struct us_buf witnessed[US_COSIGNERS_MAX];
	size_t n_witnessed;
	struct us_box_keys *keys; /* size of them, or NULL if they were not asked for */
	uint64_t next_line;       /* of next_keys */
	struct us_progress progress;
};

/* Fetches and verifies the newest checkpoint (remembering it, client/log/proofs.h). Ends the
 * program if it does not verify. */
void us_log_remote_open(struct us_log_remote *remote, struct us_client *client);
/* The same, and before it the checkpoints that witnesses have cosigned: so none of them is
 * larger. */
void us_log_remote_open_witnessed(struct us_log_remote *remote, struct us_client *client);
/* Fetches the keys for entries 0 .. size - 1; the vault logs that they were given. Returns an exit
 * status. */
int us_log_remote_keys(struct us_log_remote *remote);
/* The same for the entries from .. to - 1 alone, to <= size; may be called again. */
int us_log_remote_keys_range(struct us_log_remote *remote, uint64_t from, uint64_t to);
/* Wipes the keys and frees the rest. */
void us_log_remote_close(struct us_log_remote *remote);
/* For us_log_verify: arg is the struct us_log_remote. */
struct us_log_source us_log_remote_source(struct us_log_remote *remote);

#endif
