/*
 * A tile in memory is a perfect binary tree of up to 256 leaves with all its inner nodes, height by
 * height: 256 + 128 + ... + 1 = 511 hashes. The tree is one such tile per level that is being
 * filled, and the most recently used full ones. A complete node of any height thus costs a copy.
 *
 * What is not complete is the right-hand edge. A tree of size n is the row of its peaks, perfect
 * trees of falling height, one for each bit of n; the tree head folds them from the right: fold(i)
 * = H(peak(i), fold(i + 1)). These folds are all the incomplete nodes that a proof may need, and
 * they are kept for the size last asked for.
 */
#include "log/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define LEVELS 8 /* 256^8 > 2^63 */
#define TILE_HEIGHT 8
#define TILE_NODES 511
#define CACHE_DEFAULT 64
#define CACHE_MIN 16 /* more than LEVELS: checking a tile against its parents never evicts it */
#define CACHE_MAX 4096

struct us_log_tile {
	uint64_t n;
	unsigned level;
	unsigned width; /* leaves present; node i of height h is valid if (i + 1) << h <= width */
	uint64_t used;  /* of the cache: when last; 0 is an empty slot */
	struct us_digest node[TILE_NODES];
};

struct us_log_edge {
	uint64_t size; /* 0: none */
	unsigned peaks;
	unsigned height[64];
	uint64_t start[64];
	struct us_digest peak[64];
	struct us_digest fold[64];
};

struct us_logtree {
	struct us_logtree_store store;
	uint64_t size;
	struct us_log_tile *current[LEVELS]; /* the tile being filled: width < 256 */
	struct us_log_tile **cache;
	size_t n_cache;
	uint64_t clock;
	struct us_log_edge edge;
};

static size_t
at(unsigned height, uint64_t i)
{
	return 512 - (512U >> height) + (size_t)i;
}

/* Adds a leaf and every node that it completes. */
static void
tile_add(struct us_log_tile *t, const struct us_digest *leaf)
{
	unsigned h;
	uint64_t i;

	t->node[at(0, t->width++)] = *leaf;
	for (h = 1; h <= TILE_HEIGHT && t->width % (1U << h) == 0; h++) {
		i = (t->width >> h) - 1;
		us_merkle_node(&t->node[at(h, i)], &t->node[at(h - 1, 2 * i)],
		    &t->node[at(h - 1, 2 * i + 1)]);
	}
}

/* Fills an empty tile from the store. */
static int
tile_read(const struct us_logtree *t, struct us_log_tile *tile, unsigned level, uint64_t n)
{
	struct us_digest leaves[US_TILE_WIDTH];
	unsigned i;
	int err;

	if (t->store.get_tile == NULL)
		return US_ERR_NOT_FOUND;
	err = t->store.get_tile(t->store.arg, level, n, US_TILE_WIDTH, leaves);
	if (err != US_OK)
		return err;
	tile->level = level;
	tile->n = n;
	tile->width = 0;
	for (i = 0; i < US_TILE_WIDTH; i++)
		tile_add(tile, &leaves[i]);
	return US_OK;
}

int
us_logtree_new(struct us_logtree **out, const struct us_logtree_store *store, size_t cache_tiles)
{
	struct us_logtree *t;

	*out = NULL;
	if (cache_tiles == 0)
		cache_tiles = CACHE_DEFAULT;
	if (cache_tiles < CACHE_MIN)
		cache_tiles = CACHE_MIN;
	if (cache_tiles > CACHE_MAX)
		cache_tiles = CACHE_MAX;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return US_ERR_NOMEM;
	t->cache = calloc(cache_tiles, sizeof *t->cache);
	if (t->cache == NULL) {
		free(t);
		return US_ERR_NOMEM;
	}
	t->n_cache = cache_tiles;
	t->store = *store;
	*out = t;
	return US_OK;
}

void
us_logtree_free(struct us_logtree *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < LEVELS; i++)
		free(t->current[i]);
	for (i = 0; i < t->n_cache; i++)
		free(t->cache[i]);
	free(t->cache);
	free(t);
}

/* The slot to be overwritten next: an empty one, else the one that was not used for longest. Its
 * memory is there and it is marked empty. */
static int
cache_slot(struct us_logtree *t, size_t *slot)
{
	size_t i, best = 0;

	for (i = 0; i < t->n_cache; i++) {
		if (t->cache[i] == NULL) {
			t->cache[i] = malloc(sizeof(struct us_log_tile));
			if (t->cache[i] == NULL)
				return US_ERR_NOMEM;
			t->cache[i]->used = 0;
		}
		if (t->cache[i]->used < t->cache[best]->used)
			best = i;
		if (t->cache[i]->used == 0) {
			best = i;
			break;
		}
	}
	t->cache[best]->used = 0;
	*slot = best;
	return US_OK;
}

static int node(struct us_logtree *t, unsigned height, uint64_t i, struct us_digest *out);

/* A full tile, from the cache or the store. What the store gives is checked against the tile above
 * it, and so on up to the tiles in memory: a wrong tile yields an error, never a wrong proof. */
static int
full_tile(struct us_logtree *t, unsigned level, uint64_t n, const struct us_log_tile **out)
{
	struct us_digest parent;
	struct us_log_tile *tile;
	size_t i, slot;
	int err;

	for (i = 0; i < t->n_cache && t->cache[i] != NULL; i++) {
		tile = t->cache[i];
		if (tile->used != 0 && tile->n == n && tile->level == level) {
			tile->used = ++t->clock;
			*out = tile;
			return US_OK;
		}
	}
	if (level + 1 >= LEVELS)
		return US_ERR_INTERNAL;
	err = node(t, (level + 1) * TILE_HEIGHT, n, &parent);
	if (err == US_OK)
		err = cache_slot(t, &slot);
	if (err != US_OK)
		return err;
	tile = t->cache[slot];
	err = tile_read(t, tile, level, n);
	if (err != US_OK)
		return err;
	if (memcmp(&tile->node[at(TILE_HEIGHT, 0)], &parent, sizeof parent) != 0)
		return US_ERR_VERIFY;
	tile->used = ++t->clock;
	*out = tile;
	return US_OK;
}

/* The i-th complete node of that height; the caller has checked that it exists. */
static int
node(struct us_logtree *t, unsigned height, uint64_t i, struct us_digest *out)
{
	unsigned level = height / TILE_HEIGHT, h = height % TILE_HEIGHT;
	uint64_t n = i >> (TILE_HEIGHT - h), in = i & ((1U << (TILE_HEIGHT - h)) - 1);
	const struct us_log_tile *tile;
	int err;

	if (level >= LEVELS)
		return US_ERR_INTERNAL;
	tile = t->current[level];
	if (tile == NULL || tile->n != n) {
		err = full_tile(t, level, n, &tile);
		if (err != US_OK)
			return err;
	}
	if (((in + 1) << h) > tile->width)
		return US_ERR_INTERNAL;
	*out = tile->node[at(h, in)];
	return US_OK;
}

/* The tile that is being filled, of number n if there is none yet. */
static int
current_tile(struct us_logtree *t, unsigned level, uint64_t n)
{
	if (t->current[level] == NULL) {
		t->current[level] = malloc(sizeof(struct us_log_tile));
		if (t->current[level] == NULL)
			return US_ERR_NOMEM;
		t->current[level]->level = level;
		t->current[level]->n = n;
		t->current[level]->width = 0;
	}
	return US_OK;
}

int
us_logtree_append(struct us_logtree *t, const struct us_digest *leaf)
{
	struct us_digest hash = *leaf;
	struct us_log_tile *tile;
	unsigned level;
	size_t slot;
	int err;

	if (t->size >= US_MERKLE_SIZE_MAX)
		return US_ERR_LIMIT;
	for (level = 0; level < LEVELS; level++) {
		err = current_tile(t, level, 0);
		if (err != US_OK)
			return err;
		tile = t->current[level];
		tile_add(tile, &hash);
		if (tile->width < US_TILE_WIDTH)
			break;
		if (t->store.put_tile != NULL) {
			err = t->store.put_tile(t->store.arg, level, tile->n, tile->node);
			if (err != US_OK)
				return err;
		}
		/* The full tile moves into the cache; the slot's old memory takes its place. */
		err = cache_slot(t, &slot);
		if (err != US_OK)
			return err;
		hash = tile->node[at(TILE_HEIGHT, 0)];
		t->current[level] = t->cache[slot];
		t->current[level]->level = level;
		t->current[level]->n = tile->n + 1;
		t->current[level]->width = 0;
		t->cache[slot] = tile;
		tile->used = ++t->clock;
	}
	t->size++;
	return US_OK;
}

uint64_t
us_logtree_size(const struct us_logtree *t)
{
	return t->size;
}

/* Peaks and folds of that size into t->edge. */
static int
edge_at(struct us_logtree *t, uint64_t size, const struct us_log_edge **out)
{
	struct us_log_edge *e = &t->edge;
	unsigned h, i;
	uint64_t start = 0;
	int err;

	*out = e;
	if (e->size == size && size != 0)
		return US_OK;
	e->size = 0;
	e->peaks = 0;
	for (h = 63; h-- > 0;) {
		if (!(size >> h & 1))
			continue;
		i = e->peaks++;
		e->height[i] = h;
		e->start[i] = start;
		err = node(t, h, start >> h, &e->peak[i]);
		if (err != US_OK)
			return err;
		start += (uint64_t)1 << h;
	}
	for (i = e->peaks; i-- > 0;) {
		e->fold[i] = e->peak[i];
		if (i + 1 < e->peaks)
			us_merkle_node(&e->fold[i], &e->peak[i], &e->fold[i + 1]);
	}
	e->size = size;
	return US_OK;
}

int
us_logtree_root_at(struct us_logtree *t, uint64_t size, struct us_digest *root)
{
	const struct us_log_edge *e;
	int err;

	if (size > t->size)
		return US_ERR_RANGE;
	if (size == 0) {
		us_merkle_empty(root);
		return US_OK;
	}
	err = edge_at(t, size, &e);
	if (err == US_OK)
		*root = e->fold[0];
	return err;
}

int
us_logtree_root(struct us_logtree *t, struct us_digest *root)
{
	return us_logtree_root_at(t, t->size, root);
}

int
us_logtree_inclusion(struct us_logtree *t, uint64_t index, uint64_t size, struct us_digest *proof,
    size_t *n_proof)
{
	const struct us_log_edge *e;
	size_t n = 0;
	unsigned i, h;
	int err;

	if (size > t->size || index >= size)
		return US_ERR_RANGE;
	err = edge_at(t, size, &e);
	if (err != US_OK)
		return err;
	for (i = 0; index - e->start[i] >= (uint64_t)1 << e->height[i]; i++)
		;
	/* Inside its peak, then all to the right as one, then the peaks to the left. */
	for (h = 0; h < e->height[i]; h++) {
		err = node(t, h, (index >> h) ^ 1, &proof[n++]);
		if (err != US_OK)
			return err;
	}
	if (i + 1 < e->peaks)
		proof[n++] = e->fold[i + 1];
	while (i-- > 0)
		proof[n++] = e->peak[i];
	*n_proof = n;
	return US_OK;
}

/* The tree head of [lo, hi), which is a node of the tree of e's size. */
static int
range(struct us_logtree *t, const struct us_log_edge *e, uint64_t lo, uint64_t hi,
    struct us_digest *out)
{
	uint64_t span = hi - lo;
	unsigned i, h = 0;

	if ((span & (span - 1)) == 0) {
		while (span >> h != 1)
			h++;
		return node(t, h, lo >> h, out);
	}
	for (i = 0; i < e->peaks; i++) {
		if (e->start[i] == lo && hi == e->size) {
			*out = e->fold[i];
			return US_OK;
		}
	}
	return US_ERR_INTERNAL;
}

int
us_logtree_consistency(struct us_logtree *t, uint64_t size1, uint64_t size2,
    struct us_digest *proof, size_t *n_proof)
{
	struct us_digest down[US_PROOF_MAX];
	uint64_t lo = 0, hi = size2, k;
	const struct us_log_edge *e;
	size_t depth = 0, n = 0;
	int err, whole = 1;

	if (size1 == 0 || size1 > size2 || size2 > t->size)
		return US_ERR_RANGE;
	err = edge_at(t, size2, &e);
	if (err != US_OK)
		return err;
	/* SUBPROOF of RFC 6962, 2.1.2, unrolled from the root down to [lo, size1). */
	while (hi != size1) {
		for (k = 1; k < hi - lo - k;)
			k <<= 1;
		if (size1 - lo <= k) {
			err = range(t, e, lo + k, hi, &down[depth++]);
			hi = lo + k;
		} else {
			err = range(t, e, lo, lo + k, &down[depth++]);
			lo += k;
			whole = 0;
		}
		if (err != US_OK)
			return err;
	}
	if (!whole) {
		err = range(t, e, lo, hi, &proof[n++]);
		if (err != US_OK)
			return err;
	}
	while (depth-- > 0)
		proof[n++] = down[depth];
	*n_proof = n;
	return US_OK;
}

int
us_logtree_tile(struct us_logtree *t, unsigned level, uint64_t n, unsigned width,
    struct us_digest *hashes)
{
	const struct us_log_tile *tile;
	int err;

	if (width < 1 || level >= LEVELS || width > us_tile_width(t->size, level, n))
		return US_ERR_RANGE;
	tile = t->current[level];
	if (tile == NULL || tile->n != n) {
		err = full_tile(t, level, n, &tile);
		if (err != US_OK)
			return err;
	}
	memcpy(hashes, tile->node, width * sizeof *hashes);
	return US_OK;
}

int
us_logtree_load(struct us_logtree *t, uint64_t size, const struct us_digest *root)
{
	struct us_log_tile *below;
	struct us_digest got;
	uint64_t n = size / US_TILE_WIDTH, i;
	unsigned level;
	int err = US_OK;

	if (t->size != 0)
		return US_ERR_STATE;
	if (size % US_TILE_WIDTH != 0 || size > US_MERKLE_SIZE_MAX)
		return US_ERR_RANGE;
	below = malloc(sizeof *below);
	if (below == NULL)
		return US_ERR_NOMEM;
	/* n full tiles on the level below give n hashes on this one; its last tile is rebuilt. */
	err = current_tile(t, 0, n);
	for (level = 1; err == US_OK && level < LEVELS && n > 0; level++) {
		err = current_tile(t, level, n / US_TILE_WIDTH);
		for (i = n - n % US_TILE_WIDTH; err == US_OK && i < n; i++) {
			err = tile_read(t, below, level - 1, i);
			if (err == US_OK)
				tile_add(t->current[level], &below->node[at(TILE_HEIGHT, 0)]);
		}
		n /= US_TILE_WIDTH;
	}
	free(below);
	if (err != US_OK)
		return err;
	t->size = size;
	err = us_logtree_root(t, &got);
	if (err == US_OK && root != NULL && memcmp(&got, root, sizeof got) != 0)
		err = US_ERR_VERIFY;
	return err;
}
