/*
 * Published vectors that are not part of this project: Wycheproof and SLIP-0039, read from the
 * folder UNDERSEAL_TEST_DATA or ../shared/data beside the sources; skipped where there is none.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/slip39_internal.h"

/* The parsed file, or NULL if the data is not here. */
static cJSON *
load(const char *name)
{
	const char *dir = getenv("UNDERSEAL_TEST_DATA");
	char path[4096], *text;
	cJSON *json;
	long size;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/vectors/%s",
	    dir != NULL ? dir : US_SOURCE_DIR "/../shared/data", name);
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size > 0);
	rewind(f);
	text = malloc((size_t)size);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, f), size);
	(void)fclose(f);
	json = cJSON_ParseWithLength(text, (size_t)size);
	free(text);
	assert_non_null(json);
	return json;
}

static const char *
string_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

static int
number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	assert_true(cJSON_IsNumber(item));
	return item->valueint;
}

/* A fresh allocation of the right size, so that a sanitizer sees a read too far. */
static struct us_bytes
bytes_of(const cJSON *object, const char *name)
{
	const char *text = string_of(object, name);
	size_t n = strlen(text) / 2;
	uint8_t *p = malloc(n == 0 ? 1 : n);

	assert_non_null(p);
	assert_int_equal(us_hex_decode(text, strlen(text), p, n), US_OK);
	return (struct us_bytes){ p, n };
}

static void
release(struct us_bytes b)
{
	free((void *)(uintptr_t)b.p);
}

/* Calls one(group, test) for each test of a Wycheproof file and says how many ran. */
static void
each_test(const char *name, int (*one)(const cJSON *group, const cJSON *test))
{
	const cJSON *group, *test;
	cJSON *json = load(name);
	int ran = 0, all = 0;

	if (json == NULL) {
		print_message("no vectors: %s\n", name);
		skip();
	}
	cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(json, "testGroups")) {
		cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(group, "tests")) {
			all++;
			ran += one(group, test);
		}
	}
	assert_int_equal(all, number_of(json, "numberOfTests"));
	assert_true(ran > 0);
	print_message("%s: %d of %d apply\n", name, ran, all);
	cJSON_Delete(json);
}

static int
is_valid(const cJSON *test)
{
	return strcmp(string_of(test, "result"), "valid") == 0;
}

static int
one_gcm(const cJSON *group, const cJSON *test)
{
	struct us_bytes key, iv, aad, msg, ct, tag;
	uint8_t *sealed, *back;
	struct us_key k;
	struct us_gcm g;
	int err;

	if (number_of(group, "keySize") != 256 || number_of(group, "ivSize") != 96 ||
	    number_of(group, "tagSize") != 128)
		return 0;
	key = bytes_of(test, "key"), iv = bytes_of(test, "iv"), aad = bytes_of(test, "aad");
	msg = bytes_of(test, "msg"), ct = bytes_of(test, "ct"), tag = bytes_of(test, "tag");
	memcpy(k.b, key.p, sizeof k.b);
	g = (struct us_gcm){ &k, iv.p, aad };
	sealed = malloc(ct.n + 16);
	back = malloc(ct.n + 1);
	memcpy(sealed, ct.p, ct.n);
	memcpy(sealed + ct.n, tag.p, 16);
	err = us_gcm_open(&g, (struct us_bytes){ sealed, ct.n + 16 }, back);
	assert_int_equal(err, is_valid(test) ? US_OK : US_ERR_AUTH);
	if (is_valid(test)) {
		assert_memory_equal(back, msg.p, msg.n);
		assert_int_equal(us_gcm_seal(&g, msg, sealed), US_OK);
		assert_memory_equal(sealed, ct.p, ct.n);
		assert_memory_equal(sealed + ct.n, tag.p, 16);
	}
	free(sealed);
	free(back);
	release(key), release(iv), release(aad), release(msg), release(ct), release(tag);
	return 1;
}

static void
wycheproof_aes_gcm(void **state)
{
	(void)state;
	each_test("wycheproof/aes_gcm_test.json", one_gcm);
}

static int
one_hkdf(const cJSON *group, const cJSON *test)
{
	struct us_bytes ikm = bytes_of(test, "ikm"), salt = bytes_of(test, "salt");
	struct us_bytes info = bytes_of(test, "info"), okm = bytes_of(test, "okm");
	size_t size = (size_t)number_of(test, "size");
	uint8_t *out = malloc(size + 1);
	struct us_key prk;
	int err;

	(void)group;
	assert_int_equal(us_hkdf_extract(salt, ikm, &prk), US_OK);
	err = us_hkdf_expand((struct us_bytes){ prk.b, 32 }, &info, 1, out, size);
	assert_int_equal(err, is_valid(test) ? US_OK : US_ERR_ARG);
	if (is_valid(test))
		assert_memory_equal(out, okm.p, size);
	free(out);
	release(ikm), release(salt), release(info), release(okm);
	return 1;
}

static void
wycheproof_hkdf(void **state)
{
	(void)state;
	each_test("wycheproof/hkdf_sha256_test.json", one_hkdf);
}

static int
one_hmac(const cJSON *group, const cJSON *test)
{
	struct us_bytes key = bytes_of(test, "key"), msg = bytes_of(test, "msg");
	struct us_bytes tag = bytes_of(test, "tag");
	uint8_t mac[32];

	(void)group;
	assert_int_equal(us_hmac_sha256(key, &msg, 1, mac), US_OK);
	assert_true(tag.n <= sizeof mac);
	assert_int_equal(memcmp(mac, tag.p, tag.n) == 0, is_valid(test));
	release(key), release(msg), release(tag);
	return 1;
}

static void
wycheproof_hmac(void **state)
{
	(void)state;
	each_test("wycheproof/hmac_sha256_test.json", one_hmac);
}

static int
one_ed25519(const cJSON *group, const cJSON *test)
{
	const cJSON *pub = cJSON_GetObjectItemCaseSensitive(group, "publicKey");
	struct us_bytes key = bytes_of(pub, "pk"), msg = bytes_of(test, "msg");
	struct us_bytes sig = bytes_of(test, "sig");

	assert_int_equal(key.n, 32);
	assert_int_equal(us_ed25519_verify(key.p, msg, sig),
	    is_valid(test) ? US_OK : US_ERR_SIGNATURE);
	release(key), release(msg), release(sig);
	return 1;
}

static void
wycheproof_ed25519(void **state)
{
	(void)state;
	each_test("wycheproof/ed25519_test.json", one_ed25519);
}

static int
one_x25519(const cJSON *group, const cJSON *test)
{
	struct us_bytes pub = bytes_of(test, "public"), priv = bytes_of(test, "private");
	struct us_bytes shared = bytes_of(test, "shared");
	struct us_key k, out;
	int zero = 1, err;

	(void)group;
	memcpy(k.b, priv.p, sizeof k.b);
	for (size_t i = 0; i < shared.n; i++)
		zero &= shared.p[i] == 0;
	err = us_x25519(&k, pub.p, &out);
	/* "acceptable" ones with a shared secret of zeros are refused by us */
	assert_int_equal(err, zero ? US_ERR_CRYPTO : US_OK);
	if (!zero)
		assert_memory_equal(out.b, shared.p, 32);
	release(pub), release(priv), release(shared);
	return 1;
}

static void
wycheproof_x25519(void **state)
{
	(void)state;
	each_test("wycheproof/x25519_test.json", one_x25519);
}

/* Splits the recovered secret anew and combines it again. */
static void
split_again(struct us_bytes secret, const struct us_slip39_info *info)
{
	static char text[5][US_SLIP39_TEXT_MAX];
	struct us_slip39_plan plan = { .threshold = 3,
		.shares = 5,
		.exponent = info->exponent,
		.extendable = (int)info->extendable,
		.passphrase = "TREZOR" };
	const char *given[3] = { text[4], text[0], text[2] };
	uint8_t out[US_SLIP39_SECRET_MAX];
	size_t n;

	assert_int_equal(us_slip39_split(&plan, secret, text), US_OK);
	assert_int_equal(us_slip39_combine(given, 3, "TREZOR", out, &n), US_OK);
	assert_int_equal(n, secret.n);
	assert_memory_equal(out, secret.p, n);
}

/* [description, mnemonics, master secret or "", BIP-32 key]; the passphrase is "TREZOR". */
static void
slip39_vectors(void **state)
{
	cJSON *json = load("slip39/vectors.json");
	const cJSON *vector, *item;
	int good = 0, bad = 0;

	(void)state;
	if (json == NULL) {
		print_message("no vectors: slip39\n");
		skip();
	}
	cJSON_ArrayForEach(vector, json) {
		const char *given[32], *expected = cJSON_GetArrayItem(vector, 2)->valuestring;
		uint8_t out[US_SLIP39_SECRET_MAX], secret[US_SLIP39_SECRET_MAX];
		struct us_slip39_info info;
		size_t n = 0, size = 0;
		int err;

		cJSON_ArrayForEach(item, cJSON_GetArrayItem(vector, 1))
			given[n++] = item->valuestring;
		err = us_slip39_combine(given, n, "TREZOR", out, &size);
		if (expected[0] == '\0') {
			assert_true(err == US_ERR_SHARE || err == US_ERR_INCOMPLETE);
			bad++;
			continue;
		}
		assert_int_equal(err, US_OK);
		assert_int_equal(size, strlen(expected) / 2);
		assert_int_equal(us_hex_decode(expected, strlen(expected), secret, size), US_OK);
		assert_memory_equal(out, secret, size);
		for (size_t i = 0; i < n; i++) {
			char again[US_SLIP39_TEXT_MAX];
			struct us_slip39_share share;

			assert_int_equal(us_slip39_parse(given[i], &info), US_OK);
			assert_int_equal(us_slip39_normalise(us_bytes_of(given[i]), again), US_OK);
			assert_string_equal(again, given[i]);
			assert_int_equal(us_slip39_decode(given[i], &share), US_OK);
			us_slip39_encode(&share, again);
			assert_string_equal(again, given[i]);
		}
		split_again((struct us_bytes){ secret, size }, &info);
		good++;
	}
	print_message("slip39: %d open, %d refused\n", good, bad);
	assert_int_equal(good + bad, 45);
	cJSON_Delete(json);
}

static void
slip39_word_list(void **state)
{
	char line[64], path[4096];
	const char *dir = getenv("UNDERSEAL_TEST_DATA");
	unsigned i = 0;
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/vectors/slip39/wordlist.txt",
	    dir != NULL ? dir : US_SOURCE_DIR "/../shared/data");
	f = fopen(path, "r");
	if (f == NULL)
		skip();
	for (; fgets(line, sizeof line, f) != NULL; i++) {
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(line, us_slip39_word(i));
	}
	assert_int_equal(i, 1024);
	(void)fclose(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wycheproof_aes_gcm),
		cmocka_unit_test(wycheproof_hkdf),
		cmocka_unit_test(wycheproof_hmac),
		cmocka_unit_test(wycheproof_ed25519),
		cmocka_unit_test(wycheproof_x25519),
		cmocka_unit_test(slip39_vectors),
		cmocka_unit_test(slip39_word_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
