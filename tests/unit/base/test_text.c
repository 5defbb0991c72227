/* Base64, base16, UTF-8, times, JSON output. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/time.h"
#include "base/utf8.h"

/* RFC 4648, section 10. */
static void
base64_known_answers(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	char text[16];
	uint8_t bytes[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		us_base64_encode(pairs[i][0], strlen(pairs[i][0]), text);
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(us_base64_decode(text, strlen(text), bytes, sizeof bytes, &n),
		    US_OK);
		assert_int_equal(n, strlen(pairs[i][0]));
		assert_memory_equal(bytes, pairs[i][0], n);
	}
}

static void
base64_is_strict(void **state)
{
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm-_",
		"Zg==Zg==", "Z=g=", "Zm8=\n" };
	uint8_t bytes[16];
	struct us_buf b;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(us_base64_decode(bad[i], strlen(bad[i]), bytes, sizeof bytes, &n),
		    US_ERR_FORMAT);
	assert_int_equal(us_base64_decode("Zm9v", 4, bytes, 2, &n), US_ERR_LIMIT);
	us_buf_init(&b, 10);
	assert_int_equal(us_base64_take(&b, "Zm9v", 4), US_OK);
	assert_int_equal(us_base64_take(&b, "Zm9!", 4), US_ERR_FORMAT);
	assert_int_equal(us_base64_take(&b, "", 0), US_OK);
	assert_int_equal(b.len, 3);
	us_buf_reset(&b);
	assert_int_equal(us_base64_put(&b, "foobar", 6), US_OK);
	assert_memory_equal(b.data, "Zm9vYmFy", 8);
	us_buf_free(&b);
}

static void
base64_round_trips(void **state)
{
	uint8_t in[200], out[200];
	char text[300];
	size_t got;

	(void)state;
	for (size_t n = 0; n < sizeof in; n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(i * 37 + n * 101);
		us_base64_encode(in, n, text);
		assert_int_equal(strlen(text), US_BASE64_SIZE(n));
		assert_int_equal(us_base64_decode(text, strlen(text), out, sizeof out, &got),
		    US_OK);
		assert_int_equal(got, n);
		assert_memory_equal(in, out, n);
	}
}

static void
hex_both_ways(void **state)
{
	uint8_t out[4];
	char text[9];

	(void)state;
	assert_int_equal(us_hex_decode("00fFa09b", 8, out, 4), US_OK);
	us_hex_encode(out, 4, text);
	assert_string_equal(text, "00ffa09b");
	assert_int_equal(us_hex_decode("00fFa09", 7, out, 4), US_ERR_FORMAT);
	assert_int_equal(us_hex_decode("00fFa0", 6, out, 4), US_ERR_FORMAT);
	assert_int_equal(us_hex_decode("00fFa0g0", 8, out, 4), US_ERR_FORMAT);
}

static void
utf8_by_enumeration(void **state)
{
	uint8_t b[4];
	uint32_t back;

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		size_t n = us_utf8_encode(c, b);

		if (c >= 0xd800 && c <= 0xdfff) {
			assert_int_equal(n, 0);
			continue;
		}
		assert_int_equal(us_utf8_next(b, n, &back), n);
		assert_int_equal(back, c);
		assert_true(us_utf8_valid(b, n));
		if (n > 1)
			assert_int_equal(us_utf8_next(b, n - 1, &back), 0);
	}
	assert_int_equal(us_utf8_encode(0x110000, b), 0);
}

static void
utf8_refusals(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xe2\x82",
		"\xe2\x28\xa1",
		"\xc3(",
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(us_utf8_valid(bad[i], strlen(bad[i])));
		for (int lead = 0; lead < 20; lead++) {
			int n = snprintf(text, sizeof text, "%.*s%s", lead,
			    "abcdefghijklmnopqrstuvwxyz", bad[i]);

			assert_int_equal(us_utf8_valid_prefix(text, (size_t)n), lead);
		}
	}
	assert_true(us_utf8_valid("", 0));
	assert_true(us_utf8_valid(NULL, 0));
	assert_true(us_utf8_valid("a\0b", 3));
}

static void
dates_against_the_c_library(void **state)
{
	int64_t year;
	unsigned month, day;
	char mine[US_TIME_TEXT_SIZE], theirs[64];

	(void)state;
	for (int64_t days = 0; days < 106500; days++) {
		time_t t = (time_t)(days * 86400 + days % 86400);
		struct tm tm;
		int64_t ns;

		assert_non_null(gmtime_r(&t, &tm));
		us_civil_from_days(days, &year, &month, &day);
		assert_int_equal(year, tm.tm_year + 1900);
		assert_int_equal(month, tm.tm_mon + 1);
		assert_int_equal(day, tm.tm_mday);
		assert_int_equal(us_days_from_civil(year, month, day), days);
		assert_true(strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_string_equal(us_time_format((int64_t)t * US_NS_PER_SECOND, mine), theirs);
		assert_int_equal(us_time_parse(mine, strlen(mine), &ns), US_OK);
		assert_int_equal(ns, (int64_t)t * US_NS_PER_SECOND);
	}
}

static void
times_parse_strictly(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01T00:00:00.5Z", 500000000 },
		{ "1970-01-01T00:00:00.000000001Z", 1 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T23:00:00-01:00", -1 }, /* refused: before 1970 as written */
		{ "1985-04-12T23:20:50.52Z", INT64_C(482196050520000000) },
		{ "1996-12-19T16:39:57-08:00", INT64_C(851042397000000000) },
		{ "1990-12-31T23:59:60Z", INT64_C(662688000000000000) },
	};
	static const char *const bad[] = {
		"",
		"1970",
		"1970-01-01",
		"1970-01-01 00:00:00Z",
		"1970-01-01T00:00:00",
		"1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00.1234567890Z",
		"1970-1-01T00:00:00Z",
		"1970-01-01T00:00:00Z ",
		" 1970-01-01T00:00:00Z",
		"1970-01-01T00:00:00+0100",
		"1970-01-01T00:00:00+01",
		"1970-01-01T00:00Z",
		"+970-01-01T00:00:00Z",
		"1970-01-01T00:00:0aZ",
	};
	static const char *const range[] = {
		"1970-13-01T00:00:00Z",
		"1970-00-01T00:00:00Z",
		"1970-02-29T00:00:00Z",
		"1970-01-32T00:00:00Z",
		"1970-01-00T00:00:00Z",
		"1970-01-01T24:00:00Z",
		"1970-01-01T00:60:00Z",
		"1970-01-01T00:00:61Z",
		"1970-01-01T00:00:00+24:00",
		"1970-01-01T00:00:00+00:60",
		"1969-12-31T00:00:00Z",
		"2262-01-01T00:00:00Z",
		"1970-01-01T00:00:00+00:01",
		"2261-12-31T23:59:59-00:01",
		"9999-12-31T23:59:59Z",
		"2100-02-29T00:00:00Z",
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		int err = us_time_parse(good[i].text, strlen(good[i].text), &ns);

		if (good[i].ns < 0) {
			assert_int_equal(err, US_ERR_RANGE);
			continue;
		}
		assert_int_equal(err, US_OK);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(us_time_parse(bad[i], strlen(bad[i]), &ns), US_ERR_FORMAT);
	for (size_t i = 0; i < sizeof range / sizeof range[0]; i++)
		assert_int_equal(us_time_parse(range[i], strlen(range[i]), &ns), US_ERR_RANGE);
	assert_int_equal(us_time_parse_date("2024-02-29", 10, &ns), US_OK);
	assert_int_equal(ns, INT64_C(19782) * US_NS_PER_DAY);
	assert_int_equal(us_time_parse_date("2024-02-29T", 11, &ns), US_ERR_FORMAT);
}

static void
times_print(void **state)
{
	char t[US_TIME_TEXT_SIZE], d[11];

	(void)state;
	assert_string_equal(us_time_format(1, t), "1970-01-01T00:00:00.000000001Z");
	assert_string_equal(us_time_format(1000, t), "1970-01-01T00:00:00.000001Z");
	assert_string_equal(us_time_format(1000000, t), "1970-01-01T00:00:00.001Z");
	assert_string_equal(us_time_format_s(999999999, t), "1970-01-01T00:00:00Z");
	assert_string_equal(us_time_format(-1, t), "invalid");
	assert_string_equal(us_time_format(INT64_MAX, t), "invalid");
	assert_string_equal(us_time_format(INT64_MIN, t), "invalid");
	assert_string_equal(us_time_format_date(0, d), "1970-01-01");
	assert_int_equal(us_time_add_days(5, 2), 2 * US_NS_PER_DAY + 5);
	assert_int_equal(us_time_add_days(INT64_MAX - 1, 1), INT64_MAX);
	assert_int_equal(us_time_add_days(0, INT64_MAX), INT64_MAX);
	assert_int_equal(us_time_add_days(0, INT64_MIN), INT64_MIN);
	assert_true(us_time_now_ns() > INT64_C(1600000000) * US_NS_PER_SECOND);
	assert_true(us_time_mono_ns() > 0);
}

static void
json_documents(void **state)
{
	static const char expected[] =
	    "{\"a\":[1,-2,true,false,null,[],{}],\"s\":\"q\\\"b\\\\n\\n\\u0001\\u007f/"
	    "\xc3\xa9\\u2028\","
	    "\"big\":18446744073709551615,\"h\":\"00ff\","
	    "\"t\":\"1970-01-01T00:00:00Z\",\"no\":null,\"b\":\"Zm8=\"}";
	struct us_json j;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 1000);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_key(&j, "a");
	us_json_array(&j);
	us_json_int(&j, 1);
	us_json_int(&j, -2);
	us_json_bool(&j, 7);
	us_json_bool(&j, 0);
	us_json_null(&j);
	us_json_array(&j);
	us_json_close(&j);
	us_json_object(&j);
	us_json_close(&j);
	us_json_close(&j);
	us_json_kv_str(&j, "s", us_bytes_of("q\"b\\n\n\x01\x7f/\xc3\xa9\xe2\x80\xa8"));
	us_json_kv_uint(&j, "big", UINT64_MAX);
	us_json_kv_hex(&j, "h", "\x00\xff", 2);
	us_json_kv_time(&j, "t", 0);
	us_json_kv_cstr(&j, "no", NULL);
	us_json_key(&j, "b");
	us_json_base64(&j, "fo", 2);
	us_json_close(&j);
	assert_int_equal(us_json_end(&j), US_OK);
	assert_string_equal(us_buf_cstr(&b), expected);
	us_buf_free(&b);
}

static void
json_misuse_is_noticed(void **state)
{
	struct us_json j;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 100);
	us_json_begin(&j, &b);
	assert_int_equal(us_json_end(&j), US_ERR_STATE);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_int(&j, 1);
	us_json_close(&j);
	assert_int_equal(us_json_end(&j), US_ERR_STATE);
	us_json_begin(&j, &b);
	us_json_array(&j);
	us_json_key(&j, "k");
	assert_int_equal(us_json_end(&j), US_ERR_STATE);
	us_json_begin(&j, &b);
	us_json_int(&j, 1);
	us_json_int(&j, 2);
	assert_int_equal(us_json_end(&j), US_ERR_STATE);
	us_json_begin(&j, &b);
	us_json_close(&j);
	assert_int_equal(us_json_end(&j), US_ERR_STATE);
	us_json_begin(&j, &b);
	us_json_str(&j, us_bytes_of("\xff"));
	assert_int_equal(us_json_end(&j), US_ERR_ENCODING);
	us_buf_reset(&b);
	us_json_begin(&j, &b);
	for (int i = 0; i < 200; i++)
		us_json_array(&j);
	assert_int_equal(us_json_end(&j), US_ERR_LIMIT);
	us_buf_free(&b);
	us_buf_init(&b, 4);
	us_json_begin(&j, &b);
	us_json_cstr(&j, "too long");
	assert_int_equal(us_json_end(&j), US_ERR_LIMIT);
	us_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_known_answers),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(base64_round_trips),
		cmocka_unit_test(hex_both_ways),
		cmocka_unit_test(utf8_by_enumeration),
		cmocka_unit_test(utf8_refusals),
		cmocka_unit_test(dates_against_the_c_library),
		cmocka_unit_test(times_parse_strictly),
		cmocka_unit_test(times_print),
		cmocka_unit_test(json_documents),
		cmocka_unit_test(json_misuse_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
