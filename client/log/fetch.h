/*
 * The one way to the log's files as the vault serves them, and the one prover that two trees are of
 * one history. What a fetched file says is believed by nobody before it has been verified.
 */
#ifndef US_CLIENT_LOG_FETCH_H
#define US_CLIENT_LOG_FETCH_H

#include "client/core/client.h"
#include "log/checkpoint.h"

struct us_log_fetcher {
	struct us_client *client;
	/* A connection of its own, because the client's may be in the middle of a reply: it opens
	 * no session and explains nothing. NULL: the client's. */
	struct us_http *http;
	int quiet;     /* that the vault cannot be reached is not said either */
	int status;    /* exit status of the first refusal, which has been explained; else DONE */
	long answered; /* HTTP status of the newest answer; 0: none */
};

/* Appends a file ("checkpoint", "tile/…", as in us_tile_path()) to out. US_ERR_NOT_FOUND: the log
 * has none such; US_ERR_INCOMPLETE: the vault does not give it now; US_ERR_CLOSED: it cannot be
 * reached; US_ERR_LIMIT, US_ERR_NOMEM. */
int us_log_fetch(struct us_log_fetcher *from, const char *path, struct us_buf *out);
/* The same with the errors that a struct us_log_source has: US_ERR_IO for what the vault does not
 * give. */
int us_log_get(struct us_log_fetcher *from, const char *path, struct us_buf *out);
/* Appends the entry that the log serves at index, below size, from its bundle as of a tree of that
 * size. Errors of us_log_fetch(), US_ERR_TRUNCATED. */
int us_log_fetch_entry(struct us_log_fetcher *from, uint64_t index, uint64_t size,
    struct us_buf *entry);
/* Whether the tree of `to` begins with that of `from`, whose size is not larger, by a proof that
 * the log serves; only sizes and roots are looked at. A tree of no entries is the beginning of
 * each. US_ERR_VERIFY, US_ERR_FORMAT; US_ERR_NOT_FOUND (the log has no such proof) and the other
 * errors of us_log_fetch(). */
int us_log_prove(struct us_log_fetcher *by, const struct us_checkpoint *from,
    const struct us_checkpoint *to);

#endif
