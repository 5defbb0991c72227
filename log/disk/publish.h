/*
 * The log as files: full entry bundles and full hash tiles of c2sp.org/tlog-tiles under tile/,
 * written from what the journal has made durable, immutable from then on. Partial ones are cut
 * from memory when somebody asks. Files are synced lazily, in the order in which they were made:
 * until then their entries stay in the journal.
 *
 * A disk that is full makes them wait: entries stay in the journal and, for reading, in memory, and
 * a second later it is tried again. Any other failing write, and any failing sync, ends the process
 * (US_EXIT_IO).
 *
 * One owner, one thread.
 */
#ifndef US_LOG_DISK_PUBLISH_H
#define US_LOG_DISK_PUBLISH_H

#include <stdint.h>

#include "log/tree.h"
#include "base/buf.h"

struct us_publish;
struct us_worker;

/* root: the directory that holds (or gets) tile/; synced: a multiple of 256, entries below which
 * are in synced files; worker: syncs, and outlives it. */
int us_publish_new(struct us_publish **out, const char *root, uint64_t synced,
    struct us_worker *worker);
/* NULL is allowed. */
void us_publish_free(struct us_publish *p);
/* Tests: asked before a file is made; an errno instead of 0 makes that fail. */
void us_publish_fault(struct us_publish *p, int (*fault)(void *arg), void *arg);
/* What the tree needs; arg is p. */
void us_publish_store(struct us_publish *p, struct us_logtree_store *store);
/* Entry number `size so far`. Call after the tree has taken its leaf, so that a bundle follows
 * its tiles. */
int us_publish_entry(struct us_publish *p, struct us_bytes entry);
/* Writes what is full. Call when every entry given is durable in the journal. */
void us_publish_flush(struct us_publish *p);
/* 1 if there was no room for a file when it was last tried. */
int us_publish_is_short(const struct us_publish *p);
/* Takes note of what has been synced; 1 if there is more to come. */
int us_publish_sync(struct us_publish *p);
/* Entries below this are in synced bundles and tiles. */
uint64_t us_publish_synced(const struct us_publish *p);
/* Appends the first width entries of bundle n as a bundle. US_ERR_NOT_FOUND, US_ERR_FORMAT (a file
 * is damaged), US_ERR_LIMIT. */
int us_publish_bundle(struct us_publish *p, uint64_t n, unsigned width, struct us_buf *out);
/* A full tile of hashes as its file has it, past the tree's cache. US_ERR_NOT_FOUND, US_ERR_FORMAT,
 * US_ERR_IO. */
int us_publish_tile(struct us_publish *p, unsigned level, uint64_t n,
    struct us_digest hashes[US_TILE_WIDTH]);

#endif
