/* Goal: containers and their packed form survive the round trip, and nothing malformed gets
 * through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "evidence/batch/defect.h"
#include "evidence/batch/intake_record.h"
#include "evidence/batch/record.h"
#include "crypto/crypto.h"
#include "base/err.h"

static const char source[] =
    "{\"id\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9llo\"},"
    "{\"role\":\"assistant\",\"content\":\"\\ud83d\\ude00 \\\"x\\\"\\n\"}]}";

static struct us_span
span_of(uint8_t role, const char *literal)
{
	const char *at = strstr(source, literal);

	assert_non_null(at);
	return (struct us_span){ role, (uint32_t)(at - source), (uint32_t)strlen(literal) };
}

static void
make(struct us_buf *b)
{
	struct us_span spans[2] = { span_of(US_MESSAGE_USER, "h\\u00e9llo"),
		span_of(US_MESSAGE_ASSISTANT, "\\ud83d\\ude00 \\\"x\\\"\\n") };

	us_buf_init(b, US_CONTAINER_MAX);
	assert_int_equal(us_container_encode(b, spans, 2, us_bytes_of(source)), US_OK);
}

static void
test_container(void **state)
{
	struct us_buf b, text;
	struct us_container c;

	(void)state;
	make(&b);
	us_buf_init(&text, 1000);
	assert_int_equal(us_container_decode(&c, (struct us_bytes){ b.data, b.len }), US_OK);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.source.n, strlen(source));
	assert_int_equal(us_container_content(&c, 0, &text), US_OK);
	assert_true(us_bytes_is((struct us_bytes){ text.data, text.len }, "h\xc3\xa9llo"));
	us_buf_reset(&text);
	assert_int_equal(us_container_content(&c, 1, &text), US_OK);
	assert_true(
	    us_bytes_is((struct us_bytes){ text.data, text.len }, "\xf0\x9f\x98\x80 \"x\"\n"));
	/* no prefix shorter than head and spans decodes; no flipped bit of the head crashes */
	for (size_t n = 0; n < 22; n++)
		assert_int_not_equal(us_container_decode(&c, (struct us_bytes){ b.data, n }),
		    US_OK);
	for (size_t i = 0; i < 22; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b.data[i] ^= (uint8_t)(1 << bit);
			if (us_container_decode(&c, (struct us_bytes){ b.data, b.len }) == US_OK) {
				for (size_t m = 0; m < c.messages; m++) {
					us_buf_reset(&text);
					(void)us_container_content(&c, m, &text);
				}
			}
			b.data[i] ^= (uint8_t)(1 << bit);
		}
	}
	us_buf_free(&b);
	us_buf_free(&text);
}

static void
test_content_refuses(void **state)
{
	static const char *const bad[] = { "\\", "\\x", "\\u12", "\\ud800", "\\udc00",
		"\\ud800\\u0041", "a\"b", "\x01", "\xff", "\\u00g0" };
	struct us_buf b, text;
	struct us_container c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct us_span s = { US_MESSAGE_USER, 0, (uint32_t)strlen(bad[i]) };

		us_buf_init(&b, 1000);
		us_buf_init(&text, 1000);
		assert_int_equal(us_container_encode(&b, &s, 1, us_bytes_of(bad[i])), US_OK);
		assert_int_equal(us_container_decode(&c, (struct us_bytes){ b.data, b.len }),
		    US_OK);
		assert_int_equal(us_container_content(&c, 0, &text), US_ERR_FORMAT);
		assert_int_equal(text.len, 0);
		us_buf_free(&b);
		us_buf_free(&text);
	}
}

static void
test_padme(void **state)
{
	/* as in the reference implementation of the paper */
	static const size_t want[][2] = { { 0, 0 }, { 1, 1 }, { 8, 8 }, { 9, 10 }, { 10, 10 },
		{ 17, 18 }, { 100, 104 }, { 1000, 1024 }, { 1025, 1088 }, { 65537, 67584 } };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(us_padme(want[i][0]), want[i][1]);
	for (size_t n = 1; n < 100000; n++) {
		assert_true(us_padme(n) >= n && us_padme(n) <= n + n / 8 + 1);
		assert_int_equal(us_padme(us_padme(n)), us_padme(n));
	}
}

static void
test_pack(void **state)
{
	struct us_packer *plain, *with;
	struct us_unpacker *u;
	struct us_buf b, packed, out;
	uint32_t version;

	(void)state;
	make(&b);
	us_buf_init(&packed, 1 << 20);
	us_buf_init(&out, US_CONTAINER_MAX);
	assert_int_equal(us_packer_new(&plain, 1, (struct us_bytes){ NULL, 0 }), US_ERR_ARG);
	assert_int_equal(us_packer_new(&plain, 0, (struct us_bytes){ NULL, 0 }), US_OK);
	assert_int_equal(us_packer_new(&with, 2, us_bytes_of(source)), US_OK);
	assert_int_equal(us_unpacker_new(&u), US_OK);
	assert_int_equal(us_packer_pack(with, (struct us_bytes){ b.data, b.len }, &packed), US_OK);
	assert_int_equal(packed.len, us_padme(packed.len));
	assert_int_equal(us_packed_version((struct us_bytes){ packed.data, packed.len }, &version),
	    0);
	assert_int_equal(version, 2);
	assert_int_equal(us_unpacker_unpack(u, (struct us_bytes){ packed.data, packed.len }, &out),
	    US_ERR_NOT_FOUND);
	assert_int_equal(us_unpacker_add(u, 2, us_bytes_of(source)), US_OK);
	assert_int_equal(us_unpacker_unpack(u, (struct us_bytes){ packed.data, packed.len }, &out),
	    0);
	assert_int_equal(out.len, b.len);
	assert_memory_equal(out.data, b.data, b.len);

	us_buf_reset(&packed);
	us_buf_reset(&out);
	assert_int_equal(us_packer_pack(plain, (struct us_bytes){ b.data, b.len }, &packed), US_OK);
	assert_int_equal(us_unpacker_unpack(u, (struct us_bytes){ packed.data, packed.len }, &out),
	    0);
	assert_memory_equal(out.data, b.data, b.len);
	for (size_t n = 0; n < packed.len; n++)
		assert_int_not_equal(us_unpacker_unpack(u, (struct us_bytes){ packed.data, n },
					 &out),
		    0);
	for (size_t i = 0; i < packed.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			packed.data[i] ^= (uint8_t)(1 << bit);
			us_buf_reset(&out);
			(void)us_unpacker_unpack(u, (struct us_bytes){ packed.data, packed.len },
			    &out);
			packed.data[i] ^= (uint8_t)(1 << bit);
		}
	}
	us_packer_free(plain);
	us_packer_free(with);
	us_unpacker_free(u);
	us_buf_free(&b);
	us_buf_free(&packed);
	us_buf_free(&out);
}

static void
test_intake_record(void **state)
{
	struct us_intake_record r = { us_bytes_of("id"), 7, us_bytes_of("container"),
		us_bytes_of("document") },
				t;
	struct us_reader in;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 1000);
	assert_int_equal(us_intake_record_encode(&b, &r), US_OK);
	assert_int_equal(us_intake_record_encode(&b, &r), US_OK);
	us_reader_init(&in, b.data, b.len);
	assert_int_equal(us_intake_record_take(&in, &t), US_OK);
	assert_int_equal(us_intake_record_take(&in, &t), US_OK);
	assert_int_equal(us_reader_end(&in), US_OK);
	assert_true(us_bytes_is(t.document, "document") && t.line == 7);
	assert_int_equal(us_intake_record_take(&in, &t), US_ERR_TRUNCATED);
	us_buf_free(&b);
}

static void
test_defects(void **state)
{
	(void)state;
	for (unsigned i = 0; i < US_DEFECT__COUNT; i++) {
		assert_non_null(us_defect_code(i));
		assert_non_null(us_defect_text(i));
		assert_int_equal(us_defect_of(us_defect_code(i)), i);
	}
	assert_string_equal(us_defect_code(200), "unknown");
	assert_int_equal(us_defect_of("unknown"), US_DEFECT__COUNT);
	assert_int_equal(us_defect_of(""), US_DEFECT__COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_content_refuses),
		cmocka_unit_test(test_padme),
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_intake_record),
		cmocka_unit_test(test_defects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
