/*
 * The thread that writes to the store: takes jobs in order, puts what waits into one transaction of
 * about 1 MiB, commits, and reports each job back to the event loop. A checkpoint follows when the
 * write-ahead log has grown to US_WRITER_CHECKPOINT.
 *
 * A failed sync or commit (anything but want of room) ends the process: what is on the disk
 * is then known only after a restart. Jobs of a transaction that found no room get US_ERR_NOSPACE.
 *
 * All functions are called from the event loop's thread; so are the callbacks.
 */
#ifndef US_DAEMON_VAULT_STATE_WRITER_H
#define US_DAEMON_VAULT_STATE_WRITER_H

#include "base/buf.h"
#include "daemon/vault/store/store.h"

#define US_WRITER_TRANSACTION (1024u * 1024u)
#define US_WRITER_CHECKPOINT (64u * 1024u * 1024u)
#define US_WRITER_FULL (512u * 1024u * 1024u) /* loads wait above this */

struct event_base;
struct us_writer;

enum us_write_op {
	US_WRITE_PAGES,      /* key of the first; data: packed str16 pages */
	US_WRITE_DELETE,     /* key.number .. last */
	US_WRITE_ACT,        /* number: sequence; data: sealed; stored as prepared */
	US_WRITE_SETTLE_ACT, /* number: sequence; entry */
	US_WRITE_DROP_ACTS,  /* number: the first to go */
	US_WRITE_BARRIER,    /* nothing: reports when all before it is durable */
};

struct us_write {
	enum us_write_op op;
	struct us_store_key key;
	uint64_t last;
	uint64_t number;
	uint64_t entry;
	struct us_bytes data; /* copied */
	/* Durable (US_OK), or not done. May be NULL. */
	void (*done)(void *ctx, int err, size_t bytes);
	void *ctx;
};

/* Takes over store. US_ERR_NOMEM, US_ERR_IO. */
int us_writer_new(struct us_writer **out, struct us_store *store, struct event_base *base);
/* Finishes what is queued, ends the thread, closes the store. Callbacks are not called any more. */
void us_writer_free(struct us_writer *w);
/* US_ERR_NOMEM, US_ERR_BUSY (far too much is queued). */
int us_writer_put(struct us_writer *w, const struct us_write *job);
/* Bytes in the store's write-ahead log after the last commit. */
uint64_t us_writer_pending(struct us_writer *w);

#endif
