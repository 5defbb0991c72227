/*
 * Known answers of others: transparency-dev/merkle, golang.org/x/mod/sumdb, Tessera, Sunlight. They
 * are not part of the project: UNDERSEAL_TEST_DATA names the folder that holds vectors/; without
 * it the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <zstd.h>

#include "log/checkpoint.h"
#include "verify/verify.h"
#include "log/merkle.h"
#include "log/note.h"
#include "log/tiles.h"
#include "log/tree.h"
#include "base/base64.h"
#include "base/err.h"

static const char *
data_path(char *out, size_t cap, const char *name)
{
	const char *root = getenv("UNDERSEAL_TEST_DATA");

	if (root == NULL)
		(void)snprintf(out, cap, "%s/../shared/data/vectors/%s", US_SOURCE_DIR, name);
	else
		(void)snprintf(out, cap, "%s/vectors/%s", root, name);
	return out;
}

/* A whole file, NUL behind it; NULL if it is not there. */
static char *
try_file(const char *name, size_t *n)
{
	char path[1024];
	FILE *f = fopen(data_path(path, sizeof(path), name), "rb");
	char *p;
	long size;

	if (f == NULL)
		return NULL;
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size >= 0);
	rewind(f);
	p = malloc((size_t)size + 1);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, (size_t)size, f), (size_t)size);
	p[size] = '\0';
	(void)fclose(f);
	*n = (size_t)size;
	return p;
}

static char *
file_or_skip(const char *name, size_t *n)
{
	char *p = try_file(name, n);

	if (p == NULL) {
		print_message("vectors are not here (UNDERSEAL_TEST_DATA): %s\n", name);
		skip();
	}
	return p;
}

static char *
unzstd(char *packed, size_t n, size_t *out_n)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed, n);
	size_t cap = size < 64u << 20 ? (size_t)size : 8u << 20;
	char *p = malloc(cap + 1);

	assert_non_null(p);
	*out_n = ZSTD_decompress(p, cap, packed, n);
	assert_false(ZSTD_isError(*out_n));
	p[*out_n] = '\0';
	free(packed);
	return p;
}

static cJSON *
json_or_skip(const char *name)
{
	size_t n;
	char *p = file_or_skip(name, &n);
	cJSON *j;

	if (strstr(name, ".zst") != NULL)
		p = unzstd(p, n, &n);
	j = cJSON_ParseWithLength(p, n);
	assert_non_null(j);
	free(p);
	return j;
}

static uint64_t
number(const cJSON *j, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, name);

	assert_true(cJSON_IsNumber(v));
	if (v->valuedouble >= 9.3e18 || v->valuedouble < 0)
		return UINT64_MAX;
	return (uint64_t)v->valuedouble;
}

static const char *
string(const cJSON *j, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, name));

	return s != NULL ? s : "";
}

/* 1 if s is a hash of 32 bytes. */
static int
hash(struct us_digest *out, const char *s)
{
	uint8_t raw[256];
	size_t n;

	if (us_base64_decode(s, strlen(s), raw, sizeof(raw), &n) != US_OK || n != US_HASH_LEN)
		return 0;
	memcpy(out->b, raw, US_HASH_LEN);
	return 1;
}

/* As hash(); "don't care 1" and the like, which stand for any value, are filled up with zeros. */
static int
root(struct us_digest *out, const char *s)
{
	size_t n;

	memset(out, 0, sizeof(*out));
	return hash(out, s) ||
	    (us_base64_decode(s, strlen(s), out->b, US_HASH_LEN, &n) == US_OK &&
		memcmp(out->b, "don't care", 10) == 0);
}

static int
hashes(const cJSON *j, const char *name, struct us_digest *out, size_t max, size_t *n)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, name), *item;

	*n = 0;
	cJSON_ArrayForEach(item, list)
		if (*n == max || !hash(&out[(*n)++], cJSON_GetStringValue(item)))
			return 0;
	return 1;
}

static int
case_inclusion(const cJSON *c, int subtree)
{
	struct us_digest proof[US_PROOF_MAX], root, leaf;
	size_t n;

	if (!hash(&root, string(c, "root")) || !hash(&leaf, string(c, "leafHash")) ||
	    !hashes(c, "proof", proof, US_PROOF_MAX, &n))
		return US_ERR_FORMAT;
	if (subtree)
		return us_merkle_verify_subtree_inclusion(&leaf, number(c, "leafIdx"),
		    number(c, "start"), number(c, "end"), proof, n, &root);
	return us_merkle_verify_inclusion(&leaf, number(c, "leafIdx"), number(c, "treeSize"), proof,
	    n, &root);
}

static int
case_consistency(const cJSON *c, int subtree)
{
	struct us_digest proof[US_PROOF_MAX], root1, root2;
	size_t n;

	if (!root(&root1, string(c, "root1")) || !root(&root2, string(c, "root2")) ||
	    !hashes(c, "proof", proof, US_PROOF_MAX, &n))
		return US_ERR_FORMAT;
	if (subtree)
		return us_merkle_verify_subtree_consistency(number(c, "start"), number(c, "end"),
		    &root1, number(c, "size"), &root2, proof, n);
	return us_merkle_verify_consistency(number(c, "size1"), &root1, number(c, "size2"), &root2,
	    proof, n);
}

static void
run_cases(const char *name, int (*run)(const cJSON *, int), int subtree)
{
	cJSON *list = json_or_skip(name), *c;
	unsigned bad = 0, count = 0;

	cJSON_ArrayForEach(c, list) {
		int want = !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "wantErr"));
		int got = run(c, subtree) == US_OK;

		count++;
		if (want != got) {
			bad++;
			print_error("%s: want %d, got %d\n", string(c, "name"), want, got);
		}
	}
	print_message("%s: %u cases\n", name, count);
	cJSON_Delete(list);
	assert_int_equal(bad, 0);
}

static void
test_inclusion(void **state)
{
	(void)state;
	run_cases("merkle/inclusion.json", case_inclusion, 0);
}

static void
test_consistency(void **state)
{
	(void)state;
	run_cases("merkle/consistency.json", case_consistency, 0);
}

static void
test_subtree_inclusion(void **state)
{
	(void)state;
	run_cases("merkle/subtreeinclusion.json", case_inclusion, 1);
}

static void
test_subtree_consistency(void **state)
{
	(void)state;
	run_cases("merkle/subtreeconsistency.json", case_consistency, 1);
}

static void
check_proofs(const cJSON *tree, struct us_logtree *t, const struct us_digest *leaves,
    const struct us_digest *roots)
{
	struct us_digest want[US_PROOF_MAX], got[US_PROOF_MAX];
	size_t n, m;
	const cJSON *c;

	cJSON_ArrayForEach(c, cJSON_GetObjectItem(tree, "inclusion")) {
		uint64_t index = number(c, "index"), size = number(c, "size");

		assert_true(hashes(c, "proof", want, US_PROOF_MAX, &n));
		assert_int_equal(us_logtree_inclusion(t, index, size, got, &m), US_OK);
		assert_int_equal(m, n);
		assert_memory_equal(want, got, n * sizeof(*got));
		assert_int_equal(us_merkle_prove(leaves, size, index, got, &m), US_OK);
		assert_int_equal(m, n);
		assert_memory_equal(want, got, n * sizeof(*got));
		assert_int_equal(us_merkle_verify_inclusion(&leaves[index], index, size, got, m,
				     &roots[size]),
		    US_OK);
	}
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(tree, "consistency")) {
		uint64_t size1 = number(c, "size1"), size2 = number(c, "size2");

		assert_true(hashes(c, "proof", want, US_PROOF_MAX, &n));
		assert_int_equal(us_logtree_consistency(t, size1, size2, got, &m), US_OK);
		assert_int_equal(m, n);
		assert_memory_equal(want, got, n * sizeof(*got));
		assert_int_equal(us_merkle_verify_consistency(size1, &roots[size1], size2,
				     &roots[size2], got, m),
		    US_OK);
	}
}

static void
test_trees(void **state)
{
	cJSON *all = json_or_skip("merkle/rfc6962-trees.json"), *tree, *leaf;
	struct us_logtree_store store = { 0 };

	(void)state;
	cJSON_ArrayForEach(tree, cJSON_GetObjectItem(all, "trees")) {
		struct us_digest leaves[128], roots[128], got;
		struct us_logtree *t;
		size_t n, m, i = 0;

		assert_true(hashes(tree, "leaf_hashes", leaves, 128, &n));
		assert_true(hashes(tree, "roots", roots, 128, &m));
		assert_int_equal(m, n + 1);
		assert_int_equal(us_logtree_new(&t, &store, 0), US_OK);
		cJSON_ArrayForEach(leaf, cJSON_GetObjectItem(tree, "leaves_base64")) {
			uint8_t raw[256];
			size_t len;
			const char *s = cJSON_GetStringValue(leaf);

			assert_int_equal(us_base64_decode(s, strlen(s), raw, sizeof(raw), &len),
			    US_OK);
			us_merkle_leaf(&got, raw, len);
			assert_memory_equal(&got, &leaves[i], sizeof(got));
			us_merkle_root(&got, leaves, i);
			assert_memory_equal(&got, &roots[i], sizeof(got));
			assert_int_equal(us_logtree_root(t, &got), US_OK);
			assert_memory_equal(&got, &roots[i], sizeof(got));
			assert_int_equal(us_logtree_append(t, &leaves[i++]), US_OK);
		}
		check_proofs(tree, t, leaves, roots);
		us_logtree_free(t);
	}
	cJSON_Delete(all);
}

/* Go's notes. */
static size_t
parse_keys(const cJSON *list, struct us_note_key *keys, size_t max)
{
	const cJSON *k;
	size_t n = 0;

	cJSON_ArrayForEach(k, list) {
		const char *s = cJSON_GetStringValue(k);

		assert_true(n < max);
		assert_int_equal(us_note_key_parse(&keys[n++], s, strlen(s)), US_OK);
	}
	return n;
}

static void
check_open(const cJSON *c)
{
	struct us_note_key keys[8];
	struct us_note note;
	const char *b64 = string(c, "message_base64"), *result = string(c, "result");
	size_t n = parse_keys(cJSON_GetObjectItem(c, "known_keys"), keys, 8), len, i;
	uint8_t *msg = malloc(strlen(b64) + 1);
	const cJSON *v;
	int err;

	assert_int_equal(us_base64_decode(b64, strlen(b64), msg, strlen(b64), &len), US_OK);
	memset(&note, 0, sizeof(note));
	err = us_note_open(&note, msg, len, keys, n);
	print_message("note: %s: %s\n", string(c, "name"), us_strerror(err));
	if (strcmp(result, "ok") == 0) {
		assert_int_equal(err, US_OK);
		assert_true(us_bytes_is(note.text, string(c, "text")));
		i = 0;
		cJSON_ArrayForEach(v, cJSON_GetObjectItem(c, "verified")) {
			assert_true(i < note.n_sigs);
			assert_string_equal(keys[note.sigs[i++].key].name, cJSON_GetStringValue(v));
		}
		assert_int_equal(i, note.n_sigs);
		assert_int_equal(note.n_unknown,
		    cJSON_GetArraySize(cJSON_GetObjectItem(c, "unverified")));
	} else if (strcmp(result, "unverified") == 0) {
		assert_int_equal(err, US_ERR_NOT_FOUND);
	} else if (strncmp(result, "ambiguous", 9) == 0) {
		assert_int_equal(err, US_ERR_ARG);
	} else if (strncmp(result, "invalid signature", 17) == 0) {
		assert_int_equal(err, US_ERR_SIGNATURE);
	} else {
		assert_string_equal(result, "malformed note");
		assert_true(err == US_ERR_FORMAT || err == US_ERR_ENCODING || err == US_ERR_LIMIT);
	}
	free(msg);
}

static void
check_vkey(const char *vkey)
{
	struct us_note_key key;
	char text[US_NOTE_VKEY_MAX], bad[US_NOTE_VKEY_MAX];
	size_t n = strlen(vkey), i, j;

	assert_int_equal(us_note_key_parse(&key, vkey, n), US_OK);
	assert_int_equal(us_note_key_format(&key, text, sizeof(text)), US_OK);
	assert_string_equal(text, vkey);
	for (i = 0; i <= n; i++)
		for (j = i; j <= n; j++)
			if (j - i != n)
				assert_int_not_equal(us_note_key_parse(&key, vkey + i, j - i),
				    US_OK);
	for (i = 0; i < n; i++) {
		memcpy(bad, vkey, n);
		bad[i]++;
		assert_int_not_equal(us_note_key_parse(&key, bad, n), US_OK);
	}
}

static void
check_sign(const cJSON *all)
{
	const cJSON *c = cJSON_GetArrayItem(cJSON_GetObjectItem(all, "sign"), 0);
	const char *skey = string(cJSON_GetObjectItem(all, "signer_keys"), "PeterNeumann");
	const char *text = string(c, "text"), *last = strrchr(skey, '+') + 1;
	struct us_note_signer *s;
	struct us_key seed;
	struct us_buf out;
	uint8_t raw[33], want[1024];
	size_t n, want_n;

	/* The key's base64 may hold a '+' of its own: it is 44 characters. */
	last = skey + strlen(skey) - 44;
	assert_int_equal(us_base64_decode(last, 44, raw, sizeof(raw), &n), US_OK);
	memcpy(seed.b, raw + 1, 32);
	assert_int_equal(us_note_signer_new(&s, "PeterNeumann", US_NOTE_ED25519, &seed), US_OK);
	us_buf_init(&out, 4096);
	assert_int_equal(us_note_sign(&out, s, text, strlen(text), 0), US_OK);
	assert_int_equal(us_base64_decode(string(c, "signed_base64"),
			     strlen(string(c, "signed_base64")), want, sizeof(want), &want_n),
	    US_OK);
	assert_int_equal(out.len, want_n);
	assert_memory_equal(out.data, want, want_n);
	assert_int_equal(us_note_sign(&out, s, "abc", 3, 0), US_ERR_FORMAT);
	assert_int_equal(out.len, want_n);
	us_buf_free(&out);
	us_note_signer_free(s);
}

static void
test_notes(void **state)
{
	cJSON *all = json_or_skip("golang-note.json.zst"), *c;
	struct us_note_key key;

	(void)state;
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(all, "open"))
		check_open(c);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(all, "verifier_keys"))
		check_vkey(cJSON_GetStringValue(c));
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(all, "bad_verifier_keys"))
		assert_int_not_equal(us_note_key_parse(&key, string(c, "key"),
					 strlen(string(c, "key"))),
		    US_OK);
	check_sign(all);
	cJSON_Delete(all);
}

/* Go's paths have the tile's height in them, tlog-tiles' have not: it is 8 there. */
static void
test_tile_paths(void **state)
{
	cJSON *all = json_or_skip("golang-tlog.json"), *c;

	(void)state;
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(all, "tile_paths")) {
		const char *path = string(c, "path"), *rest = strchr(path + 5, '/');
		const cJSON *want = cJSON_GetObjectItem(c, "tile");
		char ours[128], again[US_TILE_PATH_MAX];
		struct us_tile t;
		int err, data;

		assert_non_null(rest);
		data = strncmp(rest, "/data/", 6) == 0;
		(void)snprintf(ours, sizeof(ours), "tile/%s%s", data ? "entries/" : "",
		    rest + (data ? 6 : 1));
		err = us_tile_parse(&t, ours, strlen(ours));
		if (!cJSON_IsObject(want)) {
			assert_int_not_equal(err, US_OK);
			continue;
		}
		assert_int_equal(err, US_OK);
		assert_int_equal(t.entries, data);
		if (!data)
			assert_int_equal(t.level, number(want, "level"));
		assert_int_equal(t.n, number(want, "number"));
		if (t.width != US_TILE_WIDTH)
			assert_int_equal(t.width, number(want, "width"));
		else
			assert_int_equal(1 << number(want, "height"), number(want, "width"));
		assert_int_equal(us_tile_path(&t, again, sizeof(again)), US_OK);
		assert_string_equal(again, ours);
	}
	cJSON_Delete(all);
}

/* Tessera: a log at each of its sizes. */
struct tessera {
	unsigned size;
};

static int
tessera_get(void *arg, const char *path, struct us_buf *out)
{
	const struct tessera *t = arg;
	char name[256];
	size_t n;
	char *p;
	int err;

	if (strcmp(path, "checkpoint") == 0)
		(void)snprintf(name, sizeof(name), "tessera-log/log/checkpoint.%u", t->size);
	else
		(void)snprintf(name, sizeof(name), "tessera-log/log/%s", path);
	p = try_file(name, &n);
	if (p == NULL)
		return US_ERR_NOT_FOUND;
	err = us_buf_put(out, p, n);
	free(p);
	return err;
}

static void
test_tessera(void **state)
{
	cJSON *keys = json_or_skip("tessera-log/keys.json");
	struct us_logtree_store store = { 0 };
	struct us_logtree *tree;
	struct tessera t;
	struct us_log_source source = { .arg = &t, .get = tessera_get };
	struct us_verify_options options = { 0 };
	struct us_verify_report report;

	(void)state;
	options.foreign = 1;
	options.vkey = string(keys, "public_key");
	assert_int_equal(us_logtree_new(&tree, &store, 0), US_OK);
	for (t.size = 0; t.size <= 15; t.size++) {
		const char *word;
		struct us_digest h;

		assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
		if (report.verdict != US_VERDICT_OK)
			print_error("size %u: %s\n", t.size, report.detail);
		assert_int_equal(report.verdict, US_VERDICT_OK);
		assert_int_equal(report.checkpoint.size, t.size);
		assert_int_equal(report.entries, t.size);
		assert_int_equal(us_logtree_root(tree, &h), US_OK);
		assert_memory_equal(&h, &report.checkpoint.root, sizeof(h));
		if (t.size == 15)
			break;
		word = cJSON_GetStringValue(
		    cJSON_GetArrayItem(cJSON_GetObjectItem(keys, "entries"), (int)t.size));
		us_merkle_leaf(&h, word, strlen(word));
		assert_int_equal(us_logtree_append(tree, &h), US_OK);
	}
	us_logtree_free(tree);
	cJSON_Delete(keys);
}

/* Sunlight: cosignatures, and a mirror's tree of 300 entries (its bundles are placeholders). */
#define WITNESS "sunlight-witness/witness/"
#define ROME "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/"

static struct us_checkpoint
open_cosigned(const char *file, const char *key_file)
{
	cJSON *j = json_or_skip(key_file);
	const char *vkey = cJSON_GetStringValue(
	    cJSON_GetArrayItem(cJSON_GetObjectItem(j, "verifier_keys"), 0));
	struct us_checkpoint c;
	struct us_note_key key;
	struct us_note note;
	size_t n;
	char *p = file_or_skip(file, &n);
	unsigned i;

	assert_int_equal(us_note_key_parse(&key, vkey, strlen(vkey)), US_OK);
	assert_int_equal(key.type, US_NOTE_COSIGNATURE);
	assert_int_equal(us_note_open(&note, p, n, &key, 1), US_OK);
	assert_int_equal(note.n_sigs, 1);
	assert_int_equal(note.sigs[0].timestamp, 1767139200);
	assert_int_equal(us_checkpoint_parse(&c, note.text.p, note.text.n), US_OK);
	assert_int_equal(c.size, 300);
	for (i = 0; i < note.text.n; i++) {
		struct us_note other;

		p[i] ^= 1;
		assert_int_not_equal(us_note_open(&other, p, n, &key, 1), US_OK);
		p[i] ^= 1;
	}
	c.extensions.n = 0;
	free(p);
	cJSON_Delete(j);
	return c;
}

static void
test_sunlight(void **state)
{
	struct us_checkpoint c;
	struct us_merkle_stream s;
	struct us_digest h, tile[US_TILE_WIDTH];
	static const char *const part[2] = { "000", "001.p/44" };
	char name[256];
	size_t n, i = 0, k, m;
	char *hashes_of, *level1;

	(void)state;
	(void)open_cosigned(WITNESS ROME "checkpoint", WITNESS "witness.v0.json");
	(void)open_cosigned("sunlight-witness/witness2/"
			    "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482/"
			    "checkpoint",
	    "sunlight-witness/witness2/witness.v0.json");
	c = open_cosigned(WITNESS "mirror/" ROME "checkpoint", WITNESS "mirror/mirror.v0.json");
	us_merkle_stream_init(&s);
	for (k = 0; k < 2; k++) {
		(void)snprintf(name, sizeof(name), WITNESS "mirror/" ROME "tile/0/%s", part[k]);
		hashes_of = file_or_skip(name, &m);
		for (i = 0; i * US_HASH_LEN < m; i++) {
			memcpy(tile[i].b, hashes_of + i * US_HASH_LEN, US_HASH_LEN);
			us_merkle_stream_add(&s, &tile[i]);
		}
		assert_int_equal(i, k == 0 ? 256 : 44);
		free(hashes_of);
		if (k == 0) {
			level1 = file_or_skip(WITNESS "mirror/" ROME "tile/1/000.p/1", &n);
			us_merkle_root(&h, tile, 256);
			assert_int_equal(n, US_HASH_LEN);
			assert_memory_equal(h.b, level1, n);
			free(level1);
		}
	}
	us_merkle_stream_root(&s, &h);
	assert_memory_equal(h.b, c.root.b, US_HASH_LEN);
}

/* Sunlight's CT log: a tar of tiles without a checkpoint. static-ct-api's entries are not bundles,
 * so what can be told is that names are of our form and that the partial tile begins the full
 * one. */
static void
test_ct_tiles(void **state)
{
	size_t n, at, size, seen = 0;
	char *full = NULL, *partial = NULL, *tar;

	(void)state;
	tar = file_or_skip("sunlight-ct-log.tar.zst", &n);
	tar = unzstd(tar, n, &n);
	for (at = 0; at + 512 <= n && tar[at] != '\0'; at += 512 + (size + 511) / 512 * 512) {
		const char *name = strstr(tar + at, "/tile/");
		struct us_tile t;

		size = strtoul(tar + at + 124, NULL, 8);
		if (tar[at + 156] != '0' || name == NULL || strncmp(name, "/tile/0/", 8) != 0)
			continue;
		assert_int_equal(us_tile_parse(&t, name + 1, strlen(name + 1)), US_OK);
		assert_int_equal(t.level, 0);
		assert_int_equal(size, t.width * US_HASH_LEN);
		seen++;
		if (t.n == 3 && t.width == US_TILE_WIDTH)
			full = tar + at + 512;
		if (t.n == 3 && t.width == 10)
			partial = tar + at + 512;
	}
	assert_int_equal(seen, 5);
	assert_non_null(full);
	assert_non_null(partial);
	assert_memory_equal(full, partial, 10 * US_HASH_LEN);
	free(tar);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inclusion),
		cmocka_unit_test(test_consistency),
		cmocka_unit_test(test_subtree_inclusion),
		cmocka_unit_test(test_subtree_consistency),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_tile_paths),
		cmocka_unit_test(test_tessera),
		cmocka_unit_test(test_sunlight),
		cmocka_unit_test(test_ct_tiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
