/* Bates numbers: written, read, and taken apart. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "case/bates.h"

static void
written_and_read_again(void **state)
{
	static const struct {
		const char *prefix;
		uint64_t record;
		const char *text;
	} cases[] = {
		{ "DEMO", 0, "DEMO000000001" },
		{ "OAI-M", 16, "OAI-M000000017" },
		{ "A2_B", 999999998, "A2_B999999999" },
		{ "ABCDEFGHIJKLMNOP", 99, "ABCDEFGHIJKLMNOP000000100" },
	};
	char out[US_BATES_MAX + 1];
	uint64_t record;
	size_t prefix;

	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		const struct us_bytes text = us_bytes_of(cases[i].text);

		assert_int_equal(us_bates_format(cases[i].prefix, cases[i].record, out), US_OK);
		assert_string_equal(out, cases[i].text);
		assert_int_equal(us_bates_parse(cases[i].prefix, text, &record), US_OK);
		assert_int_equal(record, cases[i].record);
		assert_int_equal(us_bates_split(text, &prefix, &record), US_OK);
		assert_int_equal(record, cases[i].record);
		assert_int_equal(prefix, strlen(cases[i].prefix));
	}
}

static void
nine_digits_are_the_most(void **state)
{
	char out[US_BATES_MAX + 1] = "as before";
	struct us_buf b;

	(void)state;
	assert_int_equal(us_bates_format("DEMO", US_BATES_RECORDS, out), US_ERR_RANGE);
	assert_int_equal(us_bates_format("DEMO", UINT64_MAX, out), US_ERR_RANGE);
	assert_int_equal(us_bates_format("ABCDEFGHIJKLMNOPQ", 0, out), US_ERR_RANGE);
	assert_string_equal(out, "as before");
	/* but a query may name what cannot be */
	us_buf_init(&b, 100);
	assert_int_equal(us_bates_put(&b, us_bytes_of("demo"), 16), US_OK);
	assert_int_equal(us_bates_put(&b, us_bytes_of(" "), US_BATES_RECORDS), US_OK);
	assert_int_equal(us_bates_put(&b, (struct us_bytes){ NULL, 0 }, 0), US_OK);
	assert_string_equal(us_buf_cstr(&b), "demo000000017 1000000000000000001");
	assert_int_equal(us_bates_put(&b, us_bytes_of("X"), UINT64_MAX - 1), US_OK);
	assert_string_equal(us_buf_cstr(&b) + 33, "X18446744073709551615");
	us_buf_free(&b);
	us_buf_init(&b, 8);
	assert_int_equal(us_bates_put(&b, us_bytes_of("X"), 0), US_ERR_LIMIT);
	us_buf_free(&b);
}

static void
of_another_collection(void **state)
{
	static const char *const bad[] = { "", "OAI", "000000001", "OAI00000001", "OAI0000000001",
		"OAI00000000x", "OAI000000000", "OAI00000001 ", "OAI+00000001", "OAI 00000001",
		"oai000000001", "OAJ000000001", "OAI-M000000001", "OAI-00000001" };
	uint64_t record = 77;

	(void)state;
	for (size_t i = 0; i < US_COUNT(bad); i++)
		if (us_bates_parse("OAI", us_bytes_of(bad[i]), &record) != US_ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(record, 77);
}

static void
taken_apart(void **state)
{
	static const char *const bad[] = { "", "OAI", "000000001", "OAI00000001", "OAI0000000001",
		"OAI00000000x", "OAI000000000", "OAI00000001 ", "OAI-00000001", "OAI+00000001",
		"ABCDEFGHIJKLMNOPQ000000001", "12000000001" };
	uint64_t record = 77;
	size_t prefix = 78;

	(void)state;
	for (size_t i = 0; i < US_COUNT(bad); i++)
		if (us_bates_split(us_bytes_of(bad[i]), &prefix, &record) != US_ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(record, 77);
	assert_int_equal(prefix, 78);
}

static void
as_queries_write_them(void **state)
{
	static const struct {
		const char *text;
		int err;
		size_t prefix;
		uint64_t record;
	} cases[] = {
		{ "DEMO000000017", US_OK, 4, 16 },
		{ "DEMO17", US_OK, 4, 16 },
		{ "17", US_OK, 0, 16 },
		{ "A2_B000000000000000001", US_OK, 4, 0 },
		{ "X1000", US_OK, 1, 999 },
		{ "X1001", US_ERR_RANGE, 0, 0 },
		{ "X0", US_ERR_RANGE, 0, 0 },
		{ "X99999999999999999999999", US_ERR_RANGE, 0, 0 },
		{ "X", US_ERR_FORMAT, 0, 0 },
		{ "", US_ERR_FORMAT, 0, 0 },
		{ "X1 ", US_ERR_FORMAT, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		struct us_bytes prefix = { NULL, 78 };
		uint64_t record = 77;
		int err = us_bates_read(us_bytes_of(cases[i].text), 1000, &prefix, &record);

		if (err != cases[i].err || prefix.n != (err == US_OK ? cases[i].prefix : 78) ||
		    record != (err == US_OK ? cases[i].record : 77))
			fail_msg("%s: %s", cases[i].text, us_strerror(err));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read_again),
		cmocka_unit_test(nine_digits_are_the_most),
		cmocka_unit_test(of_another_collection),
		cmocka_unit_test(taken_apart),
		cmocka_unit_test(as_queries_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
