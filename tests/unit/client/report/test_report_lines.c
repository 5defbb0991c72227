/* Goal: moments are what people mean by them, a range that holds nothing is no range; and a list of
 * entries has a header, purposes, what was only counted by its own name, and cells that are no
 * formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "client/core/when.h"
#include "client/report/lines.h"

static void
moments(void **state)
{
	static const struct {
		const char *text, *begins, *ends; /* NULL: as begins; begins NULL: no moment */
	} cases[] = {
		{ "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z", NULL },
		{ "2026-05-01", "2026-05-01T00:00:00Z", "2026-05-01T23:59:59.999999999Z" },
		{ "today", "2026-05-03T00:00:00Z", "2026-05-03T23:59:59.999999999Z" },
		{ "yesterday", "2026-05-02T00:00:00Z", "2026-05-02T23:59:59.999999999Z" },
		{ "now", "2026-05-03T10:30:00Z", NULL },
		{ "90m", "2026-05-03T09:00:00Z", NULL },
		{ "12h", "2026-05-02T22:30:00Z", NULL },
		{ "7d", "2026-04-26T10:30:00Z", NULL },
		{ "4w", "2026-04-05T10:30:00Z", NULL },
		{ "", NULL, NULL },
		{ "d", NULL, NULL },
		{ "7", NULL, NULL },
		{ "-7d", NULL, NULL },
		{ "7 d", NULL, NULL },
		{ "7days", NULL, NULL },
		{ "Yesterday", NULL, NULL },
		{ "2026-02-30", NULL, NULL },
		{ "99999999999999999999d", NULL, NULL },
		{ "99999999d", NULL, NULL },
	};
	int64_t now, ns;

	(void)state;
	assert_int_equal(us_time_parse("2026-05-03T10:30:00Z", 20, &now), US_OK);
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		char text[US_TIME_TEXT_SIZE];
		const char *ends = cases[i].ends == NULL ? cases[i].begins : cases[i].ends;

		if (cases[i].begins == NULL) {
			assert_int_not_equal(us_when_parse(cases[i].text, now, US_WHEN_BEGINS, &ns),
			    US_OK);
			continue;
		}
		assert_int_equal(us_when_parse(cases[i].text, now, US_WHEN_BEGINS, &ns), US_OK);
		assert_string_equal(us_time_format(ns, text), cases[i].begins);
		assert_int_equal(us_when_parse(cases[i].text, now, US_WHEN_ENDS, &ns), US_OK);
		assert_string_equal(us_time_format(ns, text), ends);
	}
}

#define READ_LINE \
	"{\"index\":7,\"time\":\"2026-05-01T12:00:00.5Z\",\"class\":\"access\",\"person\":" \
	"\"Ada\"," \
	"\"party\":[\"a\",\"b\"],\"action\":\"read\",\"decision\":\"allow\",\"reason\":\"none\"," \
	"\"records\":[\"D1\",\"D2\"],\"purpose\":\"trial\",\"query\":\"=1+1\"}\n"
#define NOISE_LINE \
	"{\"index\":8,\"time\":\"2026-05-01T12:00:01Z\",\"class\":\"noise\",\"person\":null," \
	"\"action\":\"handshakes\",\"decision\":\"deny\",\"reason\":\"none\",\"counts\":" \
	"{\"timeout\":3,\"foreign-ca\":1},\"records\":[]}\n"

static char *
shown(const char *lines, enum us_report_form form, uint64_t limit)
{
	FILE *from = tmpfile(), *to;
	char *out = NULL;
	size_t n = 0;

	assert_non_null(from);
	assert_true(fputs(lines, from) >= 0);
	to = open_memstream(&out, &n);
	assert_non_null(to);
	assert_int_equal(us_lines_show(to, from, form, limit), US_OK);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(fclose(from), 0);
	return out;
}

static void
listing(void **state)
{
	char *text = shown(READ_LINE NOISE_LINE, US_REPORT_TEXT, 0);

	(void)state;
	assert_int_equal(strncmp(text, "entry   time", 12), 0);
	assert_non_null(strstr(text, "  purpose  "));
	assert_non_null(strstr(text, "  trial  "));
	assert_non_null(strstr(text, "  connections           failed  "));
	assert_non_null(strstr(text, "  3 timeout, 1 foreign-ca\n"));
	assert_null(strstr(text, "deny"));
	free(text);
	text = shown("", US_REPORT_TEXT, 0);
	assert_string_equal(text, "");
	free(text);
}

static void
newest(void **state)
{
	char *text = shown(READ_LINE NOISE_LINE, US_REPORT_JSON, 1);

	(void)state;
	assert_string_equal(text, NOISE_LINE);
	free(text);
	text = shown(READ_LINE NOISE_LINE, US_REPORT_JSON, 2);
	assert_string_equal(text, READ_LINE NOISE_LINE);
	free(text);
}

static void
cells(void **state)
{
	char *text = shown(READ_LINE NOISE_LINE, US_REPORT_CSV, 0);

	(void)state;
	assert_string_equal(text,
	    "index,time,class,order,person,party,action,decision,reason,rule,paragraph,collection,"
	    "credential,records,purpose,query,address,as_told,about\r\n"
	    "7,2026-05-01T12:00:00.5Z,access,,Ada,a b,read,allow,none,,,,,D1 D2,trial,'=1+1,,,\r\n"
	    "8,2026-05-01T12:00:01Z,noise,,,,handshakes,deny,none,,,,,,,,,,\"3 timeout, 1 "
	    "foreign-ca\""
	    "\r\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments),
		cmocka_unit_test(listing),
		cmocka_unit_test(newest),
		cmocka_unit_test(cells),
	};

	return cmocka_run_group_tests_name("report lines", tests, NULL, NULL);
}
