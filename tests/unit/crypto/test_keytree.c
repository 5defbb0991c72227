/* The tree and the named derivations: against the definition, and against one another. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "base/time.h"

static struct us_key
some_key(uint8_t fill)
{
	struct us_key k;

	memset(&k, fill, sizeof k);
	return k;
}

/* As docs/PROTOCOL.md says it, in the plainest way. */
static void
leaf_by_definition(const struct us_key *root, uint64_t path, struct us_key *out)
{
	struct us_key node = *root;

	for (int level = 43; level >= 0; level--) {
		uint8_t block[48];

		memcpy(block, "underseal/ggm/1", 15);
		memcpy(block + 15, node.b, 32);
		block[47] = (uint8_t)(path >> level & 1);
		assert_int_equal(us_sha256(block, sizeof block, node.b), US_OK);
	}
	*out = node;
}

static void
leaves_follow_the_definition(void **state)
{
	static const struct {
		enum us_leaf_kind kind;
		uint32_t slot;
		uint16_t item;
	} cases[] = {
		{ US_LEAF_RECORD, 0, 0 },
		{ US_LEAF_RECORD, 0, 65535 },
		{ US_LEAF_RECORD, 0xffffff, 1 },
		{ US_LEAF_SEGMENT, 5, 0 },
		{ US_LEAF_DICTIONARY, 0xabcdef, 0 },
		{ US_LEAF_RECORD, 0x123456, 0x789a },
	};
	struct us_key root = some_key(7), subtree, a, b, c;
	uint64_t path;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		path = (uint64_t)cases[i].kind << 40 | (uint64_t)cases[i].slot << 16 |
		    cases[i].item;
		leaf_by_definition(&root, path, &a);
		assert_int_equal(us_keytree_leaf(&root, cases[i].kind, cases[i].slot, cases[i].item,
				     &b),
		    US_OK);
		assert_memory_equal(&a, &b, sizeof a);
		assert_int_equal(us_keytree_subtree(&root, cases[i].kind, cases[i].slot, &subtree),
		    US_OK);
		assert_int_equal(us_keytree_leaf_from_subtree(&subtree, cases[i].item, &c), US_OK);
		assert_memory_equal(&a, &c, sizeof a);
		for (unsigned cut = 0; cut <= US_TREE_DEPTH; cut++) {
			assert_int_equal(us_keytree_descend(&root, 0, cut, path, &c), US_OK);
			assert_int_equal(us_keytree_descend(&c, cut, US_TREE_DEPTH, path, &c),
			    US_OK);
			assert_memory_equal(&a, &c, sizeof a);
		}
	}
	assert_int_equal(us_keytree_leaf(&root, US_LEAF_RECORD, 0x1000000, 0, &a), US_ERR_RANGE);
	assert_int_equal(us_keytree_descend(&root, 3, 2, 0, &a), US_ERR_RANGE);
	assert_int_equal(us_keytree_descend(&root, 0, 45, 0, &a), US_ERR_RANGE);
	assert_int_equal(us_keytree_descend(&root, 0, 44, UINT64_C(1) << 44, &a), US_ERR_RANGE);
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct us_key));
}

static void
a_subtree_has_65536_different_leaves(void **state)
{
	enum { N = 65536 };
	struct us_key subtree = some_key(9), one;
	struct us_key *leaf = malloc(N * sizeof *leaf);
	struct us_keytree_walk walk;
	int64_t start = us_time_mono_ns(), walked;

	(void)state;
	assert_non_null(leaf);
	us_keytree_walk_begin(&walk, &subtree);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(us_keytree_walk_leaf(&walk, (uint16_t)i, &leaf[i]), US_OK);
	walked = us_time_mono_ns() - start;
	start = us_time_mono_ns();
	for (unsigned i = 0; i < N; i += 17) {
		assert_int_equal(us_keytree_leaf_from_subtree(&subtree, (uint16_t)i, &one), US_OK);
		assert_memory_equal(&one, &leaf[i], sizeof one);
	}
	print_message("a leaf: %.2f us alone, %.2f us in a walk\n",
	    (double)(us_time_mono_ns() - start) / 1e3 / (N / 17.0), (double)walked / 1e3 / N);
	/* out of order too */
	for (unsigned i = 0; i < 5000; i++) {
		uint16_t item = (uint16_t)(i * 40503u);

		assert_int_equal(us_keytree_walk_leaf(&walk, item, &one), US_OK);
		assert_memory_equal(&one, &leaf[item], sizeof one);
	}
	us_wipe(&walk, sizeof walk);
	qsort(leaf, N, sizeof *leaf, compare_keys);
	for (unsigned i = 1; i < N; i++)
		assert_true(compare_keys(&leaf[i - 1], &leaf[i]) < 0);
	free(leaf);
}

static void
named_keys_all_differ(void **state)
{
	static const uint8_t salt[32] = { 1 };
	struct us_key in = some_key(3), out[20] = { { { 0 } } };
	struct us_bytes word = us_bytes_of("restaurant");
	size_t n = 0;

	(void)state;
	assert_int_equal(us_root_check(&in, out[n++].b), US_OK);
	assert_int_equal(us_keyring_kek(&in, &out[n++]), US_OK);
	assert_int_equal(us_log_box_key(&in, &out[n++]), US_OK);
	assert_int_equal(us_log_box_private(&in, &out[n++]), US_OK);
	assert_int_equal(us_ca_wrap_key(&in, &out[n++]), US_OK);
	assert_int_equal(us_state_key(&in, &out[n++]), US_OK);
	assert_int_equal(us_cursor_key(&in, &out[n++]), US_OK);
	assert_int_equal(us_tree_root(&in, &out[n++]), US_OK);
	assert_int_equal(us_term_root(&in, &out[n++]), US_OK);
	assert_int_equal(us_duplicate_key(&in, &out[n++]), US_OK);
	assert_int_equal(us_record_key(&in, salt, &out[n++]), US_OK);
	assert_int_equal(us_record_salt(&in, salt, out[n++].b), US_OK);
	assert_int_equal(us_page_key(&in, salt, &out[n++]), US_OK);
	assert_int_equal(us_dictionary_key(&in, salt, &out[n++]), US_OK);
	assert_int_equal(us_era_term_root(&in, 0, &out[n++]), US_OK);
	assert_int_equal(us_era_term_root(&in, 1, &out[n++]), US_OK);
	assert_int_equal(us_term_key(&in, word, &out[n++]), US_OK);
	assert_int_equal(us_chunk_key(&in, salt, &out[n++]), US_OK);
	assert_int_equal(us_duplicate_tag_id(&in, word, out[n++].b), US_OK);
	assert_int_equal(us_duplicate_tag_content(&in, word, out[n++].b), US_OK);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(&out[i], &out[k], 8);
	}
}

static void
a_record_key_by_definition(void **state)
{
	uint8_t text[22 + 32 + 32], digest[32], salt[32];
	struct us_key leaf = some_key(0x41), key;

	(void)state;
	memset(salt, 0x42, sizeof salt);
	memcpy(text, "underseal/record-key/1", 22);
	memset(text + 22, 0x41, 32);
	memset(text + 54, 0x42, 32);
	assert_int_equal(us_sha256(text, sizeof text, digest), US_OK);
	assert_int_equal(us_record_key(&leaf, salt, &key), US_OK);
	assert_memory_equal(key.b, digest, 32);
	assert_int_equal(us_record_key(&leaf, salt, &leaf), US_OK); /* in place */
	assert_memory_equal(leaf.b, digest, 32);
	assert_int_equal(us_era_of((UINT64_C(1) << 20) - 1), 0);
	assert_int_equal(us_era_of(UINT64_C(1) << 20), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_follow_the_definition),
		cmocka_unit_test(a_subtree_has_65536_different_leaves),
		cmocka_unit_test(named_keys_all_differ),
		cmocka_unit_test(a_record_key_by_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
