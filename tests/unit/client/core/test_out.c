/* Goal: text from outside does nothing to a terminal. What a format says stands; what comes in by it
 * stays on its line, shows, and takes the columns that it says. JSON and bytes for programs stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "client/core/out.h"

static const struct {
	const char *text, *snippet, *lines;
} cases[] = {
	{ "plain", "plain", "plain" },
	{ "caf\xc3\xa9 \xe4\xb8\xad", "caf\xc3\xa9 \xe4\xb8\xad", "caf\xc3\xa9 \xe4\xb8\xad" },
	{ "a\nb\tc", "a b c", "a\nb       c" }, { "a\r\nb", "a b", "a\nb" },
	{ "over\rtype", "over\\x0dtype", "over\\x0dtype" },
	{ "\x1b]0;x\x07", "\\x1b]0;x\\x07", "\\x1b]0;x\\x07" },
	{ "\x1b[2J\x7f", "\\x1b[2J\\x7f", "\\x1b[2J\\x7f" },
	{ "\xc2\x9b"
	  "2J",
	    "\\u009b2J", "\\u009b2J" }, /* C1 */
	{ "\x9b"
	  "2J",
	    "\\x9b2J", "\\x9b2J" }, /* C1 without UTF-8 */
	{ "a\xe2\x80\xae"
	  "b",
	    "a\\u202eb", "a\\u202eb" },
	{ "a\xe2\x80\xa8"
	  "b\xe2\x81\xa6",
	    "a\\u2028b\\u2066", "a\\u2028b\\u2066" },
	{ "\xef\xbb\xbf\xe2\x80\x8b", "\\ufeff\\u200b", "\\ufeff\\u200b" },
	{ "\xf3\xa0\x81\x81", "\\U000e0041", "\\U000e0041" }, /* a tag */
	{ "cut \xe2\x80", "cut \\xe2\\x80", "cut \\xe2\\x80" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
	{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },               /* overlong */
};

static char *
said(const char *format, ...)
{
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);
	va_list ap;

	assert_non_null(to);
	va_start(ap, format);
	us_print_v(to, format, ap);
	va_end(ap);
	assert_int_equal(fclose(to), 0);
	return out;
}

static void
expect(char *said, const char *wanted)
{
	assert_string_equal(said, wanted);
	free(said);
}

static void
snippets(void **state)
{
	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++)
		expect(said("%s", cases[i].text), cases[i].snippet);
	expect(said("%c%c", 0x1b, 'x'), "\\x1bx");
}

static void
lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		char *out = NULL;
		size_t n = 0;
		FILE *to = open_memstream(&out, &n);

		us_print_lines(to, cases[i].text, strlen(cases[i].text));
		assert_int_equal(fclose(to), 0);
		expect(out, cases[i].lines);
	}
}

static void
conversions(void **state)
{
	(void)state;
	expect(said("a\nb\x1b[K"), "a\nb\x1b[K"); /* ours */
	expect(said("%d %i %u %x", -1, 2, 3u, 255u), "-1 2 3 ff");
	expect(said("%ld %lu %lld %llu %zu %jd", -1L, 2UL, -3LL, UINT64_MAX + 0ULL, (size_t)5,
		   (intmax_t)-6),
	    "-1 2 -3 18446744073709551615 5 -6");
	expect(said("%.0f %.2f %.15g %%", 1e15, 0.125, 0.1), "1000000000000000 0.12 0.1 %");
	expect(said("[%5d|%-5d|%05d]", 42, 42, 42), "[   42|42   |00042]");
	expect(said("[%5s|%-5s|%.2s|%.*s|%-*s]", "ab", "ab", "abc", 1, "abc", 3, "a"),
	    "[   ab|ab   |ab|a|a  ]");
	expect(said("[%-4s|%-4s]", "\xe4\xb8\xad", "e\xcc\x81"),
	    "[\xe4\xb8\xad  |e\xcc\x81   ]"); /* two columns; one with an accent */
	expect(said("%s", (const char *)NULL), "");
	assert_int_equal(us_text_width(NULL, "\xe4\xb8\xad\x1b", 4), 2 + 4);
}

static void
for_programs(void **state)
{
	static const char raw[] = "\x1b\x9b\r\n\0x";
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);
	cJSON *value = cJSON_Parse("{\"a\":\"\\u001b\xc2\x9b\"}");

	(void)state;
	assert_int_equal(us_print_bytes(to, raw, sizeof raw), US_OK);
	us_print_json(to, value);
	us_print_json(to, NULL);
	assert_int_equal(us_print_json_line(to, "[1]", 3), US_OK);
	assert_int_equal(fclose(to), 0);
	assert_memory_equal(out, raw, sizeof raw);
	assert_string_equal(out + sizeof raw, "{\"a\":\"\\u001b\xc2\x9b\"}\n{}\n[1]\n");
	free(out);
	cJSON_Delete(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(snippets), cmocka_unit_test(lines),
		cmocka_unit_test(conversions), cmocka_unit_test(for_programs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
