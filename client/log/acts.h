/*
 * The committed acts beside the log: from the vault, for whoever the order opens the whole log to,
 * or the file "acts" of an export. They are str32 after str32 (log/state.h); nothing here says that
 * they are those of the log: us_trail_set_acts() and the verifiers do.
 */
#ifndef US_CLIENT_LOG_ACTS_H
#define US_CLIENT_LOG_ACTS_H

#include "client/log/remote.h"

#define US_LOG_ACTS_MAX ((size_t)1 << 30)

/* Appends all of them. Returns an exit status; what went wrong has been said. out's limit is
 * US_LOG_ACTS_MAX. */
int us_log_acts_fetch(struct us_client *client, struct us_buf *out);
/* 1 if every box of every entry was opened to this profile: then the acts are, too. */
int us_log_acts_are_open(const struct us_log_remote *remote);
/* How many entries of a bundle are of acts. */
uint64_t us_log_acts_in_bundle(struct us_bytes bundle);
/* Cuts what stands behind the first n acts. US_ERR_TRUNCATED: the last one is not whole. */
int us_log_acts_cut(struct us_buf *acts, uint64_t n);

#endif
