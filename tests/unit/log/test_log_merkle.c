/* Trees, tiles and proofs against each other: the keeper's tree, the plain definition of RFC 6962
 * and the verifiers of RFC 9162 must agree at every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/merkle.h"
#include "log/tiles.h"
#include "log/tree.h"
#include "base/err.h"

/* A store in memory: three levels of a few thousand tiles. */
struct memory {
	struct us_digest *tiles[3][600];
	int fail;
	unsigned gets;
};

static int
put_tile(void *arg, unsigned level, uint64_t n, const struct us_digest *hashes)
{
	struct memory *m = arg;

	if (m->fail)
		return US_ERR_IO;
	assert_true(level < 3 && n < 600);
	if (m->tiles[level][n] == NULL)
		m->tiles[level][n] = malloc(256 * sizeof(*hashes));
	assert_non_null(m->tiles[level][n]);
	memcpy(m->tiles[level][n], hashes, 256 * sizeof(*hashes));
	return US_OK;
}

static int
get_tile(void *arg, unsigned level, uint64_t n, unsigned width, struct us_digest *hashes)
{
	struct memory *m = arg;

	m->gets++;
	if (m->fail)
		return US_ERR_IO;
	if (level >= 3 || n >= 600 || m->tiles[level][n] == NULL)
		return US_ERR_NOT_FOUND;
	memcpy(hashes, m->tiles[level][n], width * sizeof(*hashes));
	return US_OK;
}

static void
memory_free(struct memory *m)
{
	size_t i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < 600; j++)
			free(m->tiles[i][j]);
}

static void
leaf(struct us_digest *out, uint64_t i)
{
	us_merkle_leaf(out, &i, sizeof(i));
}

static uint64_t
random_below(uint64_t *state, uint64_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % n;
}

static void
test_every_small_size(void **state)
{
	struct us_logtree_store store = { 0 };
	struct us_digest leaves[40], roots[41], proof[US_PROOF_MAX], other[US_PROOF_MAX];
	struct us_logtree *t;
	size_t n, m, i, size, k;

	(void)state;
	assert_int_equal(us_logtree_new(&t, &store, 0), US_OK);
	for (size = 0; size <= 40; size++) {
		us_merkle_root(&roots[size], leaves, size);
		assert_int_equal(us_logtree_root(t, &other[0]), US_OK);
		assert_memory_equal(&other[0], &roots[size], sizeof(other[0]));
		if (size == 40)
			break;
		leaf(&leaves[size], size);
		assert_int_equal(us_logtree_append(t, &leaves[size]), US_OK);
	}
	for (size = 1; size <= 40; size++) {
		for (i = 0; i < size; i++) {
			assert_int_equal(us_logtree_inclusion(t, i, size, proof, &n), US_OK);
			assert_int_equal(us_merkle_prove(leaves, size, i, other, &m), US_OK);
			assert_int_equal(n, m);
			assert_memory_equal(proof, other, n * sizeof(*proof));
			assert_int_equal(us_merkle_verify_inclusion(&leaves[i], i, size, proof, n,
					     &roots[size]),
			    US_OK);
			for (k = 0; k < n; k++) {
				proof[k].b[k] ^= 1;
				assert_int_equal(us_merkle_verify_inclusion(&leaves[i], i, size,
						     proof, n, &roots[size]),
				    US_ERR_VERIFY);
				proof[k].b[k] ^= 1;
			}
			assert_int_not_equal(us_merkle_verify_inclusion(&leaves[i], i, size, proof,
						 n + 1, &roots[size]),
			    US_OK);
			if (n > 0)
				assert_int_equal(us_merkle_verify_inclusion(&leaves[i], i, size,
						     proof, n - 1, &roots[size]),
				    US_ERR_VERIFY);
			if (i + 1 < size)
				assert_int_equal(us_merkle_verify_inclusion(&leaves[i], i + 1, size,
						     proof, n, &roots[size]),
				    US_ERR_VERIFY);
		}
		for (i = 1; i <= size; i++) {
			assert_int_equal(us_logtree_consistency(t, i, size, proof, &n), US_OK);
			assert_int_equal(us_merkle_verify_consistency(i, &roots[i], size,
					     &roots[size], proof, n),
			    US_OK);
			if (i < size)
				assert_int_equal(us_merkle_verify_consistency(i, &roots[i - 1],
						     size, &roots[size], proof, n),
				    US_ERR_VERIFY);
			for (k = 0; k < n; k++) {
				proof[k].b[31] ^= 0x80;
				assert_int_equal(us_merkle_verify_consistency(i, &roots[i], size,
						     &roots[size], proof, n),
				    US_ERR_VERIFY);
				proof[k].b[31] ^= 0x80;
			}
		}
	}
	assert_int_equal(us_logtree_inclusion(t, 40, 40, proof, &n), US_ERR_RANGE);
	assert_int_equal(us_logtree_inclusion(t, 0, 41, proof, &n), US_ERR_RANGE);
	assert_int_equal(us_logtree_consistency(t, 0, 4, proof, &n), US_ERR_RANGE);
	assert_int_equal(us_logtree_consistency(t, 5, 4, proof, &n), US_ERR_RANGE);
	us_logtree_free(t);
}

static void
check_at(struct us_logtree *t, uint64_t index, uint64_t size)
{
	struct us_digest proof[US_PROOF_MAX], root, old, h;
	size_t n;

	assert_int_equal(us_logtree_root_at(t, size, &root), US_OK);
	assert_int_equal(us_logtree_inclusion(t, index, size, proof, &n), US_OK);
	leaf(&h, index);
	assert_int_equal(us_merkle_verify_inclusion(&h, index, size, proof, n, &root), US_OK);
	assert_int_equal(us_logtree_root_at(t, index + 1, &old), US_OK);
	assert_int_equal(us_logtree_consistency(t, index + 1, size, proof, &n), US_OK);
	assert_int_equal(us_merkle_verify_consistency(index + 1, &old, size, &root, proof, n),
	    US_OK);
}

#define LARGE 140000u /* three levels of tiles */

static void
test_large_and_restart(void **state)
{
	static struct memory m;
	struct us_logtree_store store = { &m, get_tile, put_tile };
	struct us_merkle_stream stream;
	struct us_logtree *t, *again;
	struct us_digest h, root, got, tile[256];
	uint64_t i, size, seed = 88172645463325252u;
	unsigned k;

	(void)state;
	us_merkle_stream_init(&stream);
	assert_int_equal(us_logtree_new(&t, &store, 16), US_OK);
	for (i = 0; i < LARGE; i++) {
		leaf(&h, i);
		assert_int_equal(us_logtree_append(t, &h), US_OK);
		us_merkle_stream_add(&stream, &h);
		if (i % 9973 == 0) {
			us_merkle_stream_root(&stream, &root);
			assert_int_equal(us_logtree_root(t, &got), US_OK);
			assert_memory_equal(&root, &got, sizeof(got));
		}
	}
	assert_int_equal(m.gets, 0);
	us_merkle_stream_root(&stream, &root);
	for (k = 0; k < 400; k++) {
		size = 1 + random_below(&seed, LARGE);
		check_at(t, random_below(&seed, size), size);
	}
	/* Restart from full tiles, then the rest of the leaves again. */
	for (size = LARGE / 256 * 256;; size = size / 65536 * 65536) {
		assert_int_equal(us_logtree_new(&again, &store, 16), US_OK);
		assert_int_equal(us_logtree_load(again, size, NULL), US_OK);
		assert_int_equal(us_logtree_root_at(t, size, &h), US_OK);
		assert_int_equal(us_logtree_root(again, &got), US_OK);
		assert_memory_equal(&h, &got, sizeof(got));
		for (i = size; i < LARGE; i++) {
			leaf(&h, i);
			assert_int_equal(us_logtree_append(again, &h), US_OK);
		}
		assert_int_equal(us_logtree_root(again, &got), US_OK);
		assert_memory_equal(&root, &got, sizeof(got));
		for (k = 0; k < 100; k++)
			check_at(again, random_below(&seed, LARGE), LARGE);
		us_logtree_free(again);
		if (size % 65536 == 0)
			break;
	}
	assert_int_equal(us_logtree_tile(t, 0, LARGE / 256, LARGE % 256, tile), US_OK);
	leaf(&h, LARGE / 256 * 256);
	assert_memory_equal(&tile[0], &h, sizeof(h));
	assert_int_equal(us_logtree_tile(t, 0, LARGE / 256, LARGE % 256 + 1, tile), US_ERR_RANGE);
	assert_int_equal(us_logtree_tile(t, 2, 0, 2, tile), US_OK);
	us_logtree_free(t);
	/* A wrong tile or root is noticed; a store that fails says so. */
	m.tiles[0][3]->b[0] ^= 1;
	assert_int_equal(us_logtree_new(&again, &store, 16), US_OK);
	assert_int_equal(us_logtree_load(again, 131072, NULL), US_OK);
	assert_int_equal(us_logtree_inclusion(again, 768, 131072, tile, &(size_t){ 0 }),
	    US_ERR_VERIFY);
	check_at(again, 5000, 131072);
	us_logtree_free(again);
	assert_int_equal(us_logtree_new(&again, &store, 16), US_OK);
	assert_int_equal(us_logtree_load(again, 512, &root), US_ERR_VERIFY);
	us_logtree_free(again);
	assert_int_equal(us_logtree_new(&again, &store, 16), US_OK);
	assert_int_equal(us_logtree_load(again, 100, NULL), US_ERR_RANGE);
	for (i = 0; i < 255; i++)
		assert_int_equal(us_logtree_append(again, &h), US_OK);
	m.fail = 1;
	assert_int_equal(us_logtree_append(again, &h), US_ERR_IO);
	us_logtree_free(again);
	memory_free(&m);
}

static void
test_subtrees(void **state)
{
	struct us_digest leaves[24], proof[US_PROOF_MAX], root;
	size_t i, n, k;

	(void)state;
	assert_true(us_merkle_subtree_valid(0, 1));
	assert_true(us_merkle_subtree_valid(8, 13));
	assert_true(us_merkle_subtree_valid(6, 8));
	assert_false(us_merkle_subtree_valid(6, 9));
	assert_false(us_merkle_subtree_valid(4, 4));
	assert_false(us_merkle_subtree_valid(5, 4));
	for (i = 0; i < 24; i++)
		leaf(&leaves[i], i);
	us_merkle_root(&root, leaves + 8, 5);
	for (k = 8; k < 13; k++) {
		assert_int_equal(us_merkle_prove(leaves + 8, 5, k - 8, proof, &n), US_OK);
		assert_int_equal(us_merkle_verify_subtree_inclusion(&leaves[k], k, 8, 13, proof, n,
				     &root),
		    US_OK);
	}
	assert_int_equal(us_merkle_verify_subtree_inclusion(&leaves[13], 13, 8, 13, proof, n,
			     &root),
	    US_ERR_RANGE);
}

static void
test_tile_names(void **state)
{
	static const char *const good[] = { "tile/0/000", "tile/63/999", "tile/0/x001/x234/067",
		"tile/entries/000", "tile/entries/x001/000.p/255", "tile/7/000.p/1",
		"tile/0/x009/x223/x372/x036/x854/x775/807" };
	static const char *const bad[] = { "", "tile", "tile/", "tile/0", "tile/0/", "tile/0/00",
		"tile/0/0000", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/x000/000",
		"tile/0/x01/000", "tile/0/001/000", "tile/0/000.p/0", "tile/0/000.p/256",
		"tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000/",
		"tile/0/000.p/1/", "Tile/0/000", "tile/0/x001/x002", "tile/entries/0/000",
		"tile/data/000", "/tile/0/000", "tile/0/../000",
		"tile/0/x009/x223/x372/x036/x854/x775/808",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/999" };
	char out[US_TILE_PATH_MAX];
	struct us_tile t;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(us_tile_parse(&t, good[i], strlen(good[i])), US_OK);
		assert_int_equal(us_tile_path(&t, out, sizeof(out)), US_OK);
		assert_string_equal(out, good[i]);
		for (n = 0; n < strlen(good[i]); n++)
			assert_int_equal(us_tile_path(&t, out, n), US_ERR_LIMIT);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_not_equal(us_tile_parse(&t, bad[i], strlen(bad[i])), US_OK);
	/* The example of c2sp.org/tlog-tiles. */
	assert_int_equal(us_tile_width(70000, 0, 272), 256);
	assert_int_equal(us_tile_width(70000, 0, 273), 112);
	assert_int_equal(us_tile_width(70000, 0, 274), 0);
	assert_int_equal(us_tile_width(70000, 1, 0), 256);
	assert_int_equal(us_tile_width(70000, 1, 1), 17);
	assert_int_equal(us_tile_width(70000, 2, 0), 1);
	assert_int_equal(us_tile_width(70000, 3, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_small_size),
		cmocka_unit_test(test_large_and_restart),
		cmocka_unit_test(test_subtrees),
		cmocka_unit_test(test_tile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
