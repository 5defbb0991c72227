/* Cobblestone-256, sealed records, sealing to a public key. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "crypto/cobblestone.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/record_seal.h"

static const struct us_bytes context = { (const uint8_t *)"underseal/test/1", 16 };

static void
cobblestone_lengths(void **state)
{
	size_t n, good = 0;

	(void)state;
	assert_int_equal(us_cobblestone_sealed_size(0), 72);
	assert_int_equal(us_cobblestone_sealed_size(16383), 56 + 16383 + 16);
	assert_int_equal(us_cobblestone_sealed_size(16384), 56 + 16384 + 32);
	for (size_t sealed = 0; sealed < 40000; sealed++) {
		if (us_cobblestone_plain_size(sealed, &n) != US_OK)
			continue;
		assert_int_equal(us_cobblestone_sealed_size(n), sealed);
		assert_int_equal(n, good);
		good++;
	}
	/* as the specification says: 56 + k * (16 KiB + tag) is truncated */
	assert_int_equal(us_cobblestone_plain_size(56 + 16400, &n), US_ERR_TRUNCATED);
	assert_int_equal(us_cobblestone_plain_size(56 + 16400 + 15, &n), US_ERR_TRUNCATED);
	assert_int_equal(us_cobblestone_plain_size(56 + 16400 + 16, &n), US_OK);
}

/* Key schedule from the specification's formula in another language, text by AES-CTR alone. */
static void
cobblestone_known_answer(void **state)
{
	static const char expected[] = "808182838485868788898a8b8c8d8e8f90919293949596971bb3ec121e7"
				       "7a6812e3b283cac922c4417ae5c4c"
				       "fa9fe86b061cf3a2aea45e2a2b7cd3aa03ceb741"
				       "45f3ecd13faa6cd59819d9bbb97ef913";
	uint8_t salt[24], sealed[80];
	char text[161];
	struct us_key key;

	(void)state;
	for (size_t i = 0; i < sizeof key.b; i++)
		key.b[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)(0x80 + i);
	assert_int_equal(us_cobblestone_seal_salted(&key, salt, context, us_bytes_of("evidence"),
			     sealed),
	    US_OK);
	us_hex_encode(sealed, sizeof sealed, text);
	assert_string_equal(text, expected);
}

static void
cobblestone_opens_what_it_sealed(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 16383, 16384, 16385, 32768, 50000 };
	struct us_key key;
	uint8_t *plain = malloc(50000), *back = malloc(50000), *sealed = malloc(60000);

	(void)state;
	assert_int_equal(us_key_random(&key), US_OK);
	assert_int_equal(us_random(plain, 50000), US_OK);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct us_bytes text = { plain, sizes[i] };
		struct us_bytes all = { sealed, us_cobblestone_sealed_size(sizes[i]) };

		assert_int_equal(us_cobblestone_seal(&key, context, text, sealed), US_OK);
		assert_int_equal(us_cobblestone_open(&key, context, all, back), US_OK);
		assert_memory_equal(back, plain, sizes[i]);
	}
	/* dropping the last chunk, or swapping the first two, is noticed */
	assert_int_equal(us_cobblestone_open(&key, context,
			     (struct us_bytes){ sealed, 56 + 16400 + 16 }, back),
	    US_ERR_AUTH);
	for (size_t i = 0; i < 16400; i++) {
		uint8_t t = sealed[56 + i];

		sealed[56 + i] = sealed[56 + 16400 + i];
		sealed[56 + 16400 + i] = t;
	}
	assert_int_equal(us_cobblestone_open(&key, context,
			     (struct us_bytes){ sealed, us_cobblestone_sealed_size(50000) }, back),
	    US_ERR_AUTH);
	free(plain);
	free(back);
	free(sealed);
}

static void
cobblestone_notices_each_byte(void **state)
{
	uint8_t sealed[72 + 10], back[10], zeros[10] = { 0 };
	struct us_key key, other;
	struct us_bytes all = { sealed, sizeof sealed };

	(void)state;
	assert_int_equal(us_key_random(&key), US_OK);
	assert_int_equal(us_key_random(&other), US_OK);
	assert_int_equal(us_cobblestone_seal(&key, context, us_bytes_of("0123456789"), sealed),
	    US_OK);
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 0x80;
		memset(back, 0xee, sizeof back);
		assert_int_equal(us_cobblestone_open(&key, context, all, back),
		    i < 56 ? US_ERR_COMMITMENT : US_ERR_AUTH);
		assert_memory_equal(back, zeros, sizeof back);
		sealed[i] ^= 0x80;
	}
	assert_int_equal(us_cobblestone_open(&other, context, all, back), US_ERR_COMMITMENT);
	assert_int_equal(us_cobblestone_open(&key, us_bytes_of("underseal/test/2"), all, back),
	    US_ERR_COMMITMENT);
	for (size_t n = 0; n < sizeof sealed; n++)
		assert_int_not_equal(us_cobblestone_open(&key, context,
					 (struct us_bytes){ sealed, n }, back),
		    US_OK);
	assert_int_equal(us_cobblestone_open(&key, context, all, back), US_OK);
}

static void
buffers_are_left_alone_on_failure(void **state)
{
	struct us_buf sealed, back;
	struct us_key key;

	(void)state;
	assert_int_equal(us_key_random(&key), US_OK);
	us_buf_init(&sealed, 200);
	us_buf_init(&back, 200);
	assert_int_equal(us_buf_put_u8(&back, 'x'), US_OK);
	assert_int_equal(us_cobblestone_seal_to(&key, context, us_bytes_of(""), &sealed), US_OK);
	assert_int_equal(us_cobblestone_open_to(&key, context,
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_OK);
	assert_int_equal(back.len, 1);
	us_buf_reset(&sealed);
	assert_int_equal(us_cobblestone_seal_to(&key, context, us_bytes_of("hello"), &sealed),
	    US_OK);
	sealed.data[60] ^= 1;
	assert_int_equal(us_cobblestone_open_to(&key, context,
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_ERR_AUTH);
	assert_int_equal(back.len, 1);
	sealed.data[60] ^= 1;
	assert_int_equal(us_cobblestone_open_to(&key, context,
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_OK);
	assert_memory_equal(back.data, "xhello", 6);
	us_buf_free(&sealed);
	us_buf_free(&back);
}

static void
records_open_in_their_place_only(void **state)
{
	static const uint8_t vault[32] = { 1, 2, 3 }, other_vault[32] = { 4 };
	const struct us_record_place place = { vault, 7, UINT64_C(1) << 33, 2 };
	struct us_record_place wrong;
	struct us_key key, other;
	uint8_t sealed[5 + US_RECORD_SEAL_OVERHEAD], back[5];
	struct us_bytes all = { sealed, sizeof sealed };

	(void)state;
	assert_int_equal(us_key_random(&key), US_OK);
	assert_int_equal(us_key_random(&other), US_OK);
	assert_int_equal(us_record_seal(&key, &place, us_bytes_of("hello"), sealed), US_OK);
	assert_int_equal(us_record_open(&key, &place, all, back), US_OK);
	assert_memory_equal(back, "hello", 5);
	assert_int_equal(us_record_open(&other, &place, all, back), US_ERR_COMMITMENT);
	wrong = place, wrong.vault = other_vault;
	assert_int_equal(us_record_open(&key, &wrong, all, back), US_ERR_COMMITMENT);
	wrong = place, wrong.collection++;
	assert_int_equal(us_record_open(&key, &wrong, all, back), US_ERR_COMMITMENT);
	wrong = place, wrong.record++;
	assert_int_equal(us_record_open(&key, &wrong, all, back), US_ERR_COMMITMENT);
	wrong = place, wrong.version++;
	assert_int_equal(us_record_open(&key, &wrong, all, back), US_ERR_COMMITMENT);
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 1;
		assert_int_equal(us_record_open(&key, &place, all, back),
		    i < 32 ? US_ERR_COMMITMENT : US_ERR_AUTH);
		sealed[i] ^= 1;
	}
	for (size_t n = 0; n < US_RECORD_SEAL_OVERHEAD; n++)
		assert_int_equal(us_record_open(&key, &place, (struct us_bytes){ sealed, n }, back),
		    US_ERR_TRUNCATED);
}

static void
sealing_to_a_public_key(void **state)
{
	struct us_key priv, other;
	uint8_t public_key[32];
	struct us_buf sealed, back;

	(void)state;
	us_buf_init(&sealed, 1000);
	us_buf_init(&back, 1000);
	assert_int_equal(us_key_random(&priv), US_OK);
	assert_int_equal(us_key_random(&other), US_OK);
	assert_int_equal(us_x25519_public(&priv, public_key), US_OK);
	assert_int_equal(us_seal_to_public(public_key, context, us_bytes_of("a share"), &sealed),
	    US_OK);
	assert_int_equal(sealed.len, 32 + 72 + 7);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		assert_int_not_equal(us_open_from_public(&priv, context,
					 (struct us_bytes){ sealed.data, sealed.len }, &back),
		    US_OK);
		assert_int_equal(back.len, 0);
		sealed.data[i] ^= 1;
	}
	assert_int_equal(us_open_from_public(&other, context,
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_ERR_COMMITMENT);
	assert_int_equal(us_open_from_public(&priv, us_bytes_of("?"),
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_ERR_COMMITMENT);
	assert_int_equal(us_open_from_public(&priv, context,
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_OK);
	assert_memory_equal(back.data, "a share", 7);
	/* a point of low order as the ephemeral key */
	memset(sealed.data, 0, 32);
	assert_int_equal(us_open_from_public(&priv, context,
			     (struct us_bytes){ sealed.data, sealed.len }, &back),
	    US_ERR_AUTH);
	us_buf_free(&sealed);
	us_buf_free(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cobblestone_lengths),
		cmocka_unit_test(cobblestone_known_answer),
		cmocka_unit_test(cobblestone_opens_what_it_sealed),
		cmocka_unit_test(cobblestone_notices_each_byte),
		cmocka_unit_test(buffers_are_left_alone_on_failure),
		cmocka_unit_test(records_open_in_their_place_only),
		cmocka_unit_test(sealing_to_a_public_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
