/*
 * The log's Merkle tree as its keeper holds it: appends leaf hashes, keeps the right-hand edge in
 * memory, gives the root and proofs at any size it has had. Full tiles leave through put_tile and
 * come back through get_tile, with a small LRU between; memory is one tile (16 KiB with its inner
 * nodes) per level and per cached tile, whatever the size.
 *
 * Cost: an append is two hashings on average; a root of a new size at most popcount(size) - 1; a
 * proof from tiles in memory copies hashes and does no hashing. Not thread safe; one owner.
 *
 * Restart: give us_logtree_load() a size that is a multiple of 256 of which all full tiles are in
 * the store (durably), then append the leaves behind it again (from the journal). Tiles that are
 * put a second time have the same bytes, as leaves are the same.
 */
#ifndef US_LOG_TREE_H
#define US_LOG_TREE_H

#include "log/merkle.h"
#include "log/tiles.h"

struct us_logtree;

/* Where full tiles live. Both return 0 or an error, which the tree's function then returns.
 * put_tile is called during us_logtree_append(), at most once per level, lowest level first. */
struct us_logtree_store {
	void *arg;
	/* Reads the first width hashes of a tile that was put (width is 256 today). */
	int (*get_tile)(void *arg, unsigned level, uint64_t n, unsigned width,
	    struct us_digest *hashes);
	int (*put_tile)(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes);
};

/* An empty tree. cache_tiles: full tiles kept in memory (0: a default of 64, 1 MiB). The store is
 * copied. US_ERR_NOMEM. Free with us_logtree_free(), NULL allowed. */
int
us_logtree_new(struct us_logtree **out, const struct us_logtree_store *store, size_t cache_tiles);
/* NULL is allowed. */
void us_logtree_free(struct us_logtree *t);

/* Makes an empty tree one of that size, a multiple of 256, from the full tiles of the store (reads
 * at most 255 a level). root: the tree head it must have, or NULL. US_ERR_RANGE, US_ERR_STATE (not
 * empty), US_ERR_VERIFY (tiles contradict each other or the root), or the store's error; after an
 * error only us_logtree_free() is allowed. */
int us_logtree_load(struct us_logtree *t, uint64_t size, const struct us_digest *root);

/* Appends one leaf hash. After an error of put_tile only us_logtree_free() is allowed. */
int us_logtree_append(struct us_logtree *t, const struct us_digest *leaf);
/* How many leaves it has. */
uint64_t us_logtree_size(const struct us_logtree *t);
/* The tree head at the current size (or at an earlier size). */
int us_logtree_root(struct us_logtree *t, struct us_digest *root);
/* The root over its first size leaves. US_ERR_RANGE if there are fewer; errors of reading tiles. */
int us_logtree_root_at(struct us_logtree *t, uint64_t size, struct us_digest *root);

/* The inclusion proof of leaf index in the tree of that size (at most the current one), into an
 * array of US_PROOF_MAX. US_ERR_RANGE or the store's error. */
int us_logtree_inclusion(struct us_logtree *t, uint64_t index, uint64_t size,
    struct us_digest *proof, size_t *n_proof);
/* The consistency proof from size1 (> 0) to size2 (<= current). Equal sizes: empty. */
int us_logtree_consistency(struct us_logtree *t, uint64_t size1, uint64_t size2,
    struct us_digest *proof, size_t *n_proof);
/* The first width hashes of tile n of a level, for partial tiles and for serving; width at most
 * what the current size has. US_ERR_RANGE or the store's error. */
int us_logtree_tile(struct us_logtree *t, unsigned level, uint64_t n, unsigned width,
    struct us_digest *hashes);

#endif
