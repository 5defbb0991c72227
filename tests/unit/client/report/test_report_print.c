/* Goal: whatever stands in a log, a report of it is shown as what it is: a CSV cell is one cell and
 * no formula, a page holds no markup and no control of ours alone, JSON is JSON, and a terminal
 * shows no reversed text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/core/table.h"
#include "client/report/catalogue.h"
#include "base/err.h"
#include "base/utf8.h"

static char *
shown(void (*show)(FILE *, const char *), const char *text)
{
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);

	assert_non_null(to);
	show(to, text);
	assert_int_equal(fclose(to), 0);
	return out;
}

static void
csv_cells(void **state)
{
	static const struct {
		const char *text, *cell;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "two words", "two words" },
		{ "a,b", "\"a,b\"" },
		{ "say \"x\"", "\"say \"\"x\"\"\"" },
		{ "line\nline", "\"line\nline\"" },
		{ "line\r\nline", "\"line\r\nline\"" },
		{ "=1+1", "'=1+1" },
		{ "+1", "'+1" },
		{ "-1", "'-1" },
		{ "@SUM(A1)", "'@SUM(A1)" },
		{ "\t=1", "'\t=1" },
		{ "\r=1", "\"'\r=1\"" },
		{ "\n=1", "\"'\n=1\"" },
		{ "=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"" },
		{ "\xef\xbc\x9d"
		  "1",
		    "'\xef\xbc\x9d"
		    "1" }, /* full-width = */
		{ "\xef\xbc\xa0"
		  "x",
		    "'\xef\xbc\xa0"
		    "x" },
		{ "a=1", "a=1" },
		{ "1-2", "1-2" },
		{ "'=1", "'=1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *cell = shown(us_csv_cell, cases[i].text);

		assert_string_equal(cell, cases[i].cell);
		free(cell);
	}
}

static void
page_text(void **state)
{
	static const struct {
		const char *text, *page;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "<script>alert('x')</script>",
		    "&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;" },
		{ "a & \"b\"", "a &#38; &#34;b&#34;" },
		{ "&lt;", "&#38;lt;" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "a\xe2\x80\xae"
		  "b",
		    "a\\u202eb" }, /* right-to-left override */
		{ "a\xe2\x81\xa6"
		  "b",
		    "a\\u2066b" }, /* isolate */
		{ "a\nb\x1b[2J", "a b\\x1b[2J" },
		{ "bad \xff\xfe", "bad \\xff\\xfe" },
		{ "cut \xe2\x80", "cut \\xe2\\x80" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *page = shown(us_html_text, cases[i].text);

		assert_string_equal(page, cases[i].page);
		free(page);
	}
}

/* A report with one row of the given text. */
static int
make_one(struct us_report *r)
{
	cJSON *row = us_report_row(r);

	us_report_text(row, "check", r->ask->person);
	us_report_number(row, "finding", 7);
	us_report_text(r->summary, "said", r->ask->person);
	us_report_note(r, "%s", r->ask->person);
	return US_EXIT_DONE;
}

static const struct us_report_kind one = { .name = "one",
	.question = "What?",
	.options = "",
	.columns = "check finding",
	.needs = 1u << US_BOX_ACCESS,
	.end = make_one };

static char *
whole(const char *text, enum us_report_form form)
{
	struct us_trail_entry entries[3] = { { .index = 0, .time_ns = 1 },
		{ .index = 1, .time_ns = INT64_C(2000000000), .opened = 1 },
		{ .index = 2, .time_ns = INT64_C(3000000000), .opened = 7 } };
	struct us_trail trail = { .n = 0 };
	struct us_report_ask ask = US_REPORT_ASK_DEFAULTS;
	struct us_report r;
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);

	(void)snprintf(trail.verified.checkpoint.origin, sizeof trail.verified.checkpoint.origin,
	    "vault.example/log<1>");
	trail.verified.checkpoint.size = trail.verified.entries = 3;
	trail.verified.first_ns = entries[0].time_ns;
	trail.verified.last_ns = entries[2].time_ns;
	memset(trail.verified.checkpoint.root.b, 0xfb, 32);
	ask.person = text;
	us_report_begin(&r, &one, &ask, NULL);
	us_report_pass(&r, &trail);
	for (size_t i = 0; i < 3; i++)
		us_report_entry(&r, &entries[i]);
	assert_int_equal(us_report_end(&r), US_EXIT_DONE);
	us_report_print(to, &r, form, INT64_C(1700000000) * 1000000000);
	us_report_free(&r);
	assert_int_equal(fclose(to), 0);
	return out;
}

static size_t
occurrences(const char *in, const char *what)
{
	size_t n = 0;

	for (; (in = strstr(in, what)) != NULL; in += strlen(what))
		n++;
	return n;
}

/* Counts the cells of each record with a reader of its own, and returns how many records there
 * are. */
static size_t
read_csv(const char *text, size_t cells)
{
	size_t records = 0, n = 1;
	int quoted = 0, begins = 1;

	for (; *text != '\0'; text++) {
		if (begins && !quoted)
			assert_null(strchr("=+-@\t", *text));
		begins = 0;
		if (*text == '"') {
			if (!quoted)
				begins = 1;
			quoted = !quoted;
		} else if (!quoted && *text == ',') {
			n++;
			begins = 1;
		} else if (!quoted && *text == '\r') {
			assert_int_equal(text[1], '\n');
			assert_int_equal(n, cells);
			text++;
			records++;
			n = 1;
			begins = 1;
		} else if (!quoted)
			assert_int_not_equal(*text, '\n');
	}
	assert_false(quoted);
	return records;
}

static const char *const hostile[] = { "=1+1", "a,\"b\"\r\n=c", "<img src=x onerror=alert(1)>",
	"\xe2\x80\xae"
	"desrever",
	"bad \xff end", "</td></table><script>", "\x1b]0;title\x07", "+cmd|' /C calc'!A0" };
#define ROOT "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s="

static void
forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		char *text = whole(hostile[i], US_REPORT_TEXT),
		     *csv = whole(hostile[i], US_REPORT_CSV);
		char *json = whole(hostile[i], US_REPORT_JSON),
		     *page = whole(hostile[i], US_REPORT_HTML);
		cJSON *document = cJSON_Parse(json);

		assert_null(strstr(text, "\xe2\x80\xae"));
		assert_null(strchr(text, '\x1b'));
		assert_non_null(strstr(text, ROOT));
		assert_non_null(strstr(text, "1 entries withheld\n"));
		assert_non_null(strstr(text,
		    "entries 0 to 2, 1970-01-01T00:00:00.000000001Z to 1970-01-01T00:00:03Z"));
		assert_true(us_utf8_valid(text, strlen(text)));

		assert_int_equal(read_csv(csv, 3), 12);
		assert_non_null(strstr(csv, "log root,'" ROOT));
		assert_non_null(strstr(csv, "withheld,1 entries withheld,"));

		assert_non_null(document);
		assert_true(us_utf8_valid(json, strlen(json)));
		assert_string_equal(us_json_text(cJSON_GetObjectItemCaseSensitive(document, "log"),
					"root"),
		    ROOT);
		assert_int_equal((int)us_json_number(document, "withheld", -1), 1);
		if (us_utf8_valid(hostile[i], strlen(hostile[i])))
			assert_string_equal(
			    us_json_text(cJSON_GetArrayItem(
					     cJSON_GetObjectItemCaseSensitive(document, "rows"), 0),
				"check"),
			    hostile[i]);

		assert_int_equal(occurrences(page, "<script"), 0);
		assert_int_equal(occurrences(page, "<img"), 0);
		assert_int_equal(occurrences(page, "<table>"), 2);
		assert_int_equal(occurrences(page, "</table>"), 2);
		assert_null(strstr(page, "\xe2\x80\xae"));
		assert_non_null(strstr(page, ROOT));
		assert_non_null(strstr(page, "vault.example/log&#60;1&#62;"));
		assert_non_null(strstr(page, "1 entries withheld"));
		assert_true(us_utf8_valid(page, strlen(page)));
		cJSON_Delete(document);
		free(text);
		free(csv);
		free(json);
		free(page);
	}
}

/* Each report has its columns, and no two have one name. */
static void
kinds(void **state)
{
	size_t n = 0;

	(void)state;
	for (; us_report_kinds[n] != NULL; n++) {
		const struct us_report_kind *k = us_report_kinds[n];

		assert_ptr_equal(us_report_kind_named(k->name), k);
		assert_non_null(k->end);
		assert_true(strlen(k->question) > 10 && *k->columns != '\0');
	}
	assert_int_equal(n, 15);
	assert_null(us_report_kind_named("who"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_cells),
		cmocka_unit_test(page_text),
		cmocka_unit_test(forms),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
