/* Numbers in decimal digits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "base/number.h"

#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)

typedef int parser(const void *p, size_t n, uint64_t max, uint64_t *out);

static void
expect(parser *parse, const char *text, uint64_t max, int err, uint64_t value)
{
	uint64_t v = UNTOUCHED;
	int got = parse(text, strlen(text), max, &v);

	if (got != err || v != (err == US_OK ? value : UNTOUCHED))
		fail_msg("\"%s\" up to %llu: %s, %llu", text, (unsigned long long)max,
		    us_strerror(got), (unsigned long long)v);
}

static void
one_number_has_one_text(void **state)
{
	(void)state;
	expect(us_number_parse, "0", 0, US_OK, 0);
	expect(us_number_parse, "0", UINT64_MAX, US_OK, 0);
	expect(us_number_parse, "7", 7, US_OK, 7);
	expect(us_number_parse, "1234567890", UINT64_MAX, US_OK, 1234567890);
	expect(us_number_parse, "00", UINT64_MAX, US_ERR_FORMAT, 0);
	expect(us_number_parse, "01", UINT64_MAX, US_ERR_FORMAT, 0);
	expect(us_number_digits, "00", 0, US_OK, 0);
	expect(us_number_digits, "000000000000000000000000000000007", 7, US_OK, 7);
}

static void
what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "-", "+", "-1", "+1", " 1", "1 ", "1\n", "1a",
		"a1", "1.0", "1,000", "1_000", "0x1", "/", ":", "1/", "1:", "\xd9\xa1" };

	(void)state;
	for (size_t i = 0; i < US_COUNT(bad); i++) {
		expect(us_number_parse, bad[i], UINT64_MAX, US_ERR_FORMAT, 0);
		expect(us_number_digits, bad[i], UINT64_MAX, US_ERR_FORMAT, 0);
	}
	assert_int_equal(us_number_parse(NULL, 0, 9, NULL), US_ERR_FORMAT);
	assert_int_equal(us_number_digits("1\0002", 3, 999, NULL), US_ERR_FORMAT);
}

static void
limits_hold_to_the_last_digit(void **state)
{
	(void)state;
	expect(us_number_parse, "18446744073709551615", UINT64_MAX, US_OK, UINT64_MAX);
	expect(us_number_parse, "18446744073709551616", UINT64_MAX, US_ERR_RANGE, 0);
	expect(us_number_parse, "18446744073709551625", UINT64_MAX, US_ERR_RANGE, 0);
	expect(us_number_parse, "99999999999999999999999", UINT64_MAX, US_ERR_RANGE, 0);
	expect(us_number_parse, "9223372036854775807", INT64_MAX, US_OK, INT64_MAX);
	expect(us_number_parse, "9223372036854775808", INT64_MAX, US_ERR_RANGE, 0);
	for (uint64_t max = 0; max < 300; max++)
		for (unsigned v = 0; v < 400; v++) {
			char text[4] = { (char)('0' + v / 100), (char)('0' + v / 10 % 10),
				(char)('0' + v % 10) };
			const char *shown = v >= 100 ? text : v >= 10 ? text + 1 : text + 2;

			expect(us_number_digits, text, max, v <= max ? US_OK : US_ERR_RANGE, v);
			expect(us_number_parse, shown, max, v <= max ? US_OK : US_ERR_RANGE, v);
		}
}

static void
digits_are_counted_at_both_ends(void **state)
{
	(void)state;
	assert_int_equal(us_number_span("", 0), 0);
	assert_int_equal(us_number_span(NULL, 0), 0);
	assert_int_equal(us_number_span("x1", 2), 0);
	assert_int_equal(us_number_span("12x3", 4), 2);
	assert_int_equal(us_number_span("12x3", 1), 1);
	assert_int_equal(us_number_span("0123456789", 10), 10);
	assert_int_equal(us_number_tail("", 0), 0);
	assert_int_equal(us_number_tail(NULL, 0), 0);
	assert_int_equal(us_number_tail("1x", 2), 0);
	assert_int_equal(us_number_tail("1x23", 4), 2);
	assert_int_equal(us_number_tail("123", 3), 3);
	assert_int_equal(us_number_span("/:", 2) + us_number_tail("/:", 2), 0);
}

static void
people_may_write_a_sign(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max;
		int err;
		int64_t value;
	} cases[] = {
		{ "5", 1, 9, US_OK, 5 },
		{ "+5", 1, 9, US_OK, 5 },
		{ " \t\n\v\f\r5", 1, 9, US_OK, 5 },
		{ "-5", -9, 9, US_OK, -5 },
		{ "-0", -9, 9, US_OK, 0 },
		{ "007", 1, 9, US_OK, 7 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, US_OK, INT64_MAX },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, US_OK, INT64_MIN },
		{ "-9223372036854775807", INT64_MIN, INT64_MAX, US_OK, INT64_MIN + 1 },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, US_ERR_RANGE, 0 },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, US_ERR_RANGE, 0 },
		{ "0", 1, 9, US_ERR_RANGE, 0 },
		{ "10", 1, 9, US_ERR_RANGE, 0 },
		{ "-10", -9, 9, US_ERR_RANGE, 0 },
		{ "", 0, 9, US_ERR_FORMAT, 0 },
		{ " ", 0, 9, US_ERR_FORMAT, 0 },
		{ "-", 0, 9, US_ERR_FORMAT, 0 },
		{ "- 5", -9, 9, US_ERR_FORMAT, 0 },
		{ "+-5", -9, 9, US_ERR_FORMAT, 0 },
		{ "5 ", 0, 9, US_ERR_FORMAT, 0 },
		{ "5x", 0, 9, US_ERR_FORMAT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		int64_t v = 77;
		int err = us_number_text(cases[i].text, cases[i].min, cases[i].max, &v);

		if (err != cases[i].err || v != (err == US_OK ? cases[i].value : 77))
			fail_msg("\"%s\": %s, %lld", cases[i].text, us_strerror(err), (long long)v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_number_has_one_text),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(limits_hold_to_the_last_digit),
		cmocka_unit_test(digits_are_counted_at_both_ends),
		cmocka_unit_test(people_may_write_a_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
