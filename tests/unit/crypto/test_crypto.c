/* Known answers from the standards, and what must fail. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"

static struct us_bytes
unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;

	assert_int_equal(us_hex_decode(text, strlen(text), out, n), US_OK);
	return (struct us_bytes){ out, n };
}

static void
expect_hex(const void *p, size_t n, const char *text)
{
	char *got = malloc(2 * n + 1);

	assert_non_null(got);
	us_hex_encode(p, n, got);
	assert_string_equal(got, text);
	free(got);
}

/* FIPS 180-2, appendix B; the same in pieces. */
static void
sha256_known_answers(void **state)
{
	static const char long_text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	const char *expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
	struct us_bytes parts[3] = { us_bytes_of("abcdbcdecdef"), { NULL, 0 },
		us_bytes_of(long_text + 12) };
	struct us_hash *h;
	uint8_t out[32];

	(void)state;
	assert_int_equal(us_sha256("abc", 3, out), US_OK);
	expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(us_sha256(NULL, 0, out), US_OK);
	expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(us_sha256_parts(parts, 3, out), US_OK);
	expect_hex(out, 32, expected);
	assert_int_equal(us_hash_new(&h), US_OK);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof long_text - 1; i++)
			assert_int_equal(us_hash_update(h, long_text + i, 1), US_OK);
		assert_int_equal(us_hash_final(h, out), US_OK);
		expect_hex(out, 32, expected);
	}
	us_hash_free(h);
}

/* RFC 4231, cases 1, 2 and 6. */
static void
hmac_known_answers(void **state)
{
	uint8_t key[131], out[32];
	struct us_bytes text = us_bytes_of("Hi There");
	struct us_bytes two[2] = { us_bytes_of("what do ya want "), us_bytes_of("for nothing?") };

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(us_hmac_sha256((struct us_bytes){ key, 20 }, &text, 1, out), US_OK);
	expect_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_int_equal(us_hmac_sha256(us_bytes_of("Jefe"), two, 2, out), US_OK);
	expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	text = us_bytes_of("Test Using Larger Than Block-Size Key - Hash Key First");
	assert_int_equal(us_hmac_sha256((struct us_bytes){ key, sizeof key }, &text, 1, out),
	    US_OK);
	expect_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869, A.1 and A.3. */
static void
hkdf_known_answers(void **state)
{
	uint8_t ikm[22], salt[13], info[10], out[42], big[255 * 32 + 1];
	struct us_bytes parts[2];
	struct us_key prk;

	(void)state;
	memset(ikm, 0x0b, sizeof ikm);
	(void)unhex("000102030405060708090a0b0c", salt);
	(void)unhex("f0f1f2f3f4f5f6f7f8f9", info);
	assert_int_equal(us_hkdf_extract((struct us_bytes){ salt, sizeof salt },
			     (struct us_bytes){ ikm, sizeof ikm }, &prk),
	    US_OK);
	expect_hex(prk.b, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	parts[0] = (struct us_bytes){ info, 4 };
	parts[1] = (struct us_bytes){ info + 4, 6 };
	assert_int_equal(us_hkdf_expand((struct us_bytes){ prk.b, 32 }, parts, 2, out, sizeof out),
	    US_OK);
	expect_hex(out, sizeof out,
	    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	    "34007208d5b887185865");
	assert_int_equal(us_hkdf_extract((struct us_bytes){ NULL, 0 },
			     (struct us_bytes){ ikm, sizeof ikm }, &prk),
	    US_OK);
	assert_int_equal(us_hkdf_expand((struct us_bytes){ prk.b, 32 }, NULL, 0, out, sizeof out),
	    US_OK);
	expect_hex(out, sizeof out,
	    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	    "9d201395faa4b61a96c8");
	assert_int_equal(us_hkdf_expand((struct us_bytes){ prk.b, 32 }, NULL, 0, big, sizeof big),
	    US_ERR_ARG);
	assert_int_equal(us_hkdf_expand((struct us_bytes){ prk.b, 32 }, NULL, 0, big,
			     sizeof big - 1),
	    US_OK);
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16. */
static void
gcm_known_answers(void **state)
{
	struct us_key key = { { 0 } };
	uint8_t nonce[12], aad[20], plain[60], out[76], back[60];
	struct us_gcm g = { &key, NULL, { NULL, 0 } };
	struct us_bytes text;

	(void)state;
	assert_int_equal(us_gcm_seal(&g, (struct us_bytes){ NULL, 0 }, out), US_OK);
	expect_hex(out, 16, "530f8afbc74536b9a963b4f1c4cb738b");
	memset(plain, 0, 16);
	assert_int_equal(us_gcm_seal(&g, (struct us_bytes){ plain, 16 }, out), US_OK);
	expect_hex(out, 32, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
	(void)unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key.b);
	(void)unhex("cafebabefacedbaddecaf888", nonce);
	g.nonce = nonce;
	g.aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
	text = unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680"
		     "9532f"
		     "cf0e2449a6b525b16aedf5aa0de657ba637b39",
	    plain);
	assert_int_equal(us_gcm_seal(&g, text, out), US_OK);
	expect_hex(out, text.n + 16,
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b0"
	    "8b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
	assert_int_equal(us_gcm_open(&g, (struct us_bytes){ out, text.n + 16 }, back), US_OK);
	assert_memory_equal(back, plain, text.n);
}

static void
gcm_refuses_changed_bytes(void **state)
{
	struct us_key key;
	uint8_t sealed[40 + 16], plain[40], back[40], zeros[40] = { 0 };
	struct us_gcm g = { &key, NULL, us_bytes_of("where it belongs") };

	(void)state;
	assert_int_equal(us_key_random(&key), US_OK);
	assert_int_equal(us_random(plain, sizeof plain), US_OK);
	assert_int_equal(us_gcm_seal(&g, (struct us_bytes){ plain, sizeof plain }, sealed), US_OK);
	for (size_t i = 0; i < sizeof sealed * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
		memset(back, 0xee, sizeof back);
		assert_int_equal(us_gcm_open(&g, (struct us_bytes){ sealed, sizeof sealed }, back),
		    US_ERR_AUTH);
		assert_memory_equal(back, zeros, sizeof back);
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < 16; n++)
		assert_int_equal(us_gcm_open(&g, (struct us_bytes){ sealed, n }, back),
		    US_ERR_TRUNCATED);
	g.aad = us_bytes_of("somewhere else");
	assert_int_equal(us_gcm_open(&g, (struct us_bytes){ sealed, sizeof sealed }, back),
	    US_ERR_AUTH);
	g.aad = us_bytes_of("where it belongs");
	/* in place, and again after other keys went through the same context */
	assert_int_equal(us_gcm_open(&g, (struct us_bytes){ sealed, sizeof sealed }, sealed),
	    US_OK);
	assert_memory_equal(sealed, plain, sizeof plain);
}

/* NIST SP 800-38A, F.5.5. */
static void
ctr_known_answer(void **state)
{
	struct us_key key;
	uint8_t iv[16], text[64];

	(void)state;
	(void)unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", key.b);
	(void)unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", iv);
	(void)unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
		    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	    text);
	assert_int_equal(us_ctr_xor(&key, iv, (struct us_bytes){ text, sizeof text }, text), US_OK);
	expect_hex(text, sizeof text,
	    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
	    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
}

/* RFC 8032, 7.1, tests 1 and 3. */
static void
ed25519_known_answers(void **state)
{
	struct us_key seed;
	uint8_t public_key[32], sig[64], msg[2] = { 0xaf, 0x82 };
	struct us_bytes text = { msg, 2 };

	(void)state;
	(void)unhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", seed.b);
	assert_int_equal(us_ed25519_public(&seed, public_key), US_OK);
	expect_hex(public_key, 32,
	    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
	assert_int_equal(us_ed25519_sign(&seed, text, sig), US_OK);
	expect_hex(sig, 64,
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
	assert_int_equal(us_ed25519_verify(public_key, text, (struct us_bytes){ sig, 64 }), US_OK);
	assert_int_equal(us_ed25519_verify(public_key, text, (struct us_bytes){ sig, 63 }),
	    US_ERR_SIGNATURE);
	msg[0] ^= 1;
	assert_int_equal(us_ed25519_verify(public_key, text, (struct us_bytes){ sig, 64 }),
	    US_ERR_SIGNATURE);
	(void)unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed.b);
	assert_int_equal(us_ed25519_sign(&seed, (struct us_bytes){ NULL, 0 }, sig), US_OK);
	expect_hex(sig, 64,
	    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

/* RFC 7748, 6.1. */
static void
x25519_known_answers(void **state)
{
	struct us_key a, shared;
	uint8_t bob[32], zero[32] = { 0 };

	(void)state;
	(void)unhex("77076d0a7318a57d3c16c17251b26645"
		    "df4c2f87ebc0992ab177fba51db92c2a",
	    a.b);
	(void)unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", bob);
	assert_int_equal(us_x25519(&a, bob, &shared), US_OK);
	expect_hex(shared.b, 32,
	    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	assert_int_equal(us_x25519(&a, zero, &shared), US_ERR_CRYPTO);
}

static void
padme_lengths(void **state)
{
	/* by hand from the definition: E = floor(log2 n), S = floor(log2 E) + 1 */
	static const uint64_t pairs[][2] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 2, 2 },
		{ 8, 8 },
		{ 9, 10 },
		{ 15, 16 },
		{ 17, 18 },
		{ 100, 104 },
		{ 1000, 1024 },
		{ 1025, 1088 },
		{ 5000, 5120 },
		{ 65536, 65536 },
		{ 65537, 67584 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		assert_int_equal(us_padme(pairs[i][0]), pairs[i][1]);
	for (uint64_t n = 2; n < 200000; n++) {
		assert_true(us_padme(n) >= n);
		assert_true(us_padme(n) * 100 <= n * 112);
		assert_int_equal(us_padme(us_padme(n)), us_padme(n));
	}
	assert_int_equal(us_padme(UINT64_MAX), UINT64_MAX);
}

static void
scrubbing_keeps_working(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	assert_int_equal(us_sha256("x", 1, a), US_OK);
	us_crypto_scrub();
	us_crypto_scrub();
	assert_int_equal(us_sha256("x", 1, b), US_OK);
	assert_memory_equal(a, b, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_known_answers),
		cmocka_unit_test(hmac_known_answers),
		cmocka_unit_test(hkdf_known_answers),
		cmocka_unit_test(gcm_known_answers),
		cmocka_unit_test(gcm_refuses_changed_bytes),
		cmocka_unit_test(ctr_known_answer),
		cmocka_unit_test(ed25519_known_answers),
		cmocka_unit_test(x25519_known_answers),
		cmocka_unit_test(padme_lengths),
		cmocka_unit_test(scrubbing_keeps_working),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
