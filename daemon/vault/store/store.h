/*
 * The store: numbered opaque pages and sealed acts, kept by an engine that knows nothing of what
 * they mean. Everything that is put here is sealed before; SQL lives in the drivers alone.
 *
 * A page stands under (collection, kind, number): collection 1 .. US_STORE_COLLECTION_MAX, kind
 * 0 .. 255, number 0 .. US_STORE_NUMBER_MAX. Drivers keep pages in the order of that triple and
 * scan ranges of number within one (collection, kind). A page has 1 .. US_STORE_PAGE_MAX bytes;
 * those of at most US_STORE_PAGE_FAST bytes are read without a chain of overflow pages.
 *
 * One process has a store open; a second one is refused with US_ERR_BUSY. Inside it, one thread
 * writes (struct us_store), others read through connections of their own (struct
 * us_store_reader), each used by one thread at a time.
 *
 * Durability: what was written since us_store_begin() is durable, as a whole, when
 * us_store_commit() returns US_OK: it has been synced. After any other answer nothing of it is
 * there. Readers see a commit at once.
 *
 * Errors of all writing functions: US_ERR_NOSPACE (no room; the transaction is rolled back and the
 * store stays usable), US_ERR_NOMEM, US_ERR_RANGE, US_ERR_LIMIT, US_ERR_STATE. US_ERR_IO means that
 * the engine or a sync failed: what is on the disk is not known any more, and the process must end
 * (the caller does it). Reading functions: US_ERR_NOT_FOUND, US_ERR_IO, US_ERR_FORMAT (damaged).
 */
#ifndef US_DAEMON_VAULT_STORE_STORE_H
#define US_DAEMON_VAULT_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define US_STORE_COLLECTION_MAX 0x7fffu     /* 15 bits */
#define US_STORE_NUMBER_MAX 0xffffffffffull /* 40 bits */
#define US_STORE_PAGE_MAX (16u * 1024u * 1024u)
#define US_STORE_PAGE_FAST 16320u

struct us_store;
struct us_store_reader;

struct us_store_options {
	/* Of the file; beside it stand "<path>.lock" and the engine's own files. A bare name counts
	 * from the directory that the process is in and stays in, and needs no right to those above
	 * it. */
	const char *path;
	int create; /* not 0: make it if it is not there */
};

struct us_store_key {
	uint32_t collection;
	uint8_t kind;
	uint64_t number;
};

/* Opens for writing, brings the schema up to date. US_ERR_NOT_FOUND, US_ERR_BUSY (another process
 * has it), US_ERR_FORMAT (not a store of ours, or damaged), US_ERR_RANGE (made by a newer version),
 * US_ERR_NOSPACE, US_ERR_IO, US_ERR_NOMEM. Says in the operator's log what to do. */
int us_store_open(struct us_store **out, const struct us_store_options *options);
/* Rolls back what is not committed. NULL is allowed. Readers must be closed before. */
void us_store_close(struct us_store *s);

/* --- the writer -------------------------------------------------------------------------- */

/* Begins a transaction. US_ERR_STATE if one is open. */
int us_store_begin(struct us_store *s);
/* Ends it: what was put is on the disk. US_ERR_STATE, US_ERR_NOSPACE, US_ERR_IO: it is rolled
 * back. */
int us_store_commit(struct us_store *s);
/* Drops what was put since begin; nothing happens if none is open. */
void us_store_rollback(struct us_store *s);
/* All below need an open transaction; if one fails with NOSPACE or IO it has been rolled back. */

/* Puts a page; one that stands there is replaced. */
int us_store_put(struct us_store *s, const struct us_store_key *key, struct us_bytes page);
/* Deletes numbers from .. to (both included) of one collection and kind, at most limit pages, and
 * says in *deleted how many (may be NULL): fewer than limit means that the range is empty. */
int us_store_delete(struct us_store *s, const struct us_store_key *from, uint64_t to, size_t limit,
    size_t *deleted);
/* Puts act number sequence (counted from 1). US_ERR_EXISTS if it is there. */
int us_store_put_act(struct us_store *s, uint64_t sequence, int prepared, struct us_bytes sealed);
/* Clears the prepared mark of an act and notes the index of its log entry. US_ERR_NOT_FOUND. */
int us_store_settle_act(struct us_store *s, uint64_t sequence, uint64_t entry);
/* Deletes acts from that sequence on. */
int us_store_drop_acts(struct us_store *s, uint64_t from);

/* Bytes of the write-ahead log that are not yet in the main file. */
uint64_t us_store_pending(const struct us_store *s);
/* Moves what it can into the main file without waiting for readers. Outside a transaction. */
int us_store_checkpoint(struct us_store *s);

/* --- readers ----------------------------------------------------------------------------- */

/* A connection of its own. It keeps no snapshot between calls. */
int us_store_reader_open(struct us_store_reader **out, const struct us_store *s);
/* NULL is allowed. */
void us_store_reader_close(struct us_store_reader *r);

/* Called with a page that is valid during the call; anything but US_OK ends the scan with it. */
typedef int (*us_store_page_fn)(void *ctx, const struct us_store_key *key, struct us_bytes page);
/* entry: as settled, UINT64_MAX if it is not known. */
struct us_store_act {
	uint64_t sequence;
	uint64_t entry;
	int prepared;
	struct us_bytes sealed;
};
typedef int (*us_store_act_fn)(void *ctx, const struct us_store_act *act);

/* Appends the page to out. US_ERR_NOT_FOUND, US_ERR_LIMIT. */
int us_store_get(struct us_store_reader *r, const struct us_store_key *key, struct us_buf *out);
/* The pages of n keys in their order, all of one snapshot; a missing one comes as {NULL, 0}. */
int us_store_get_many(struct us_store_reader *r, const struct us_store_key *keys, size_t n,
    us_store_page_fn fn, void *ctx);
/* Pages from .. to (both included) of from's collection and kind, in ascending order. */
int us_store_scan(struct us_store_reader *r, const struct us_store_key *from, uint64_t to,
    us_store_page_fn fn, void *ctx);
/* Acts from that sequence on, in ascending order. */
int us_store_scan_acts(struct us_store_reader *r, uint64_t from, us_store_act_fn fn, void *ctx);

#endif
