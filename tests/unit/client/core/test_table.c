/* Goal: one table is the same in every form: cells that no spreadsheet takes for a formula, no markup
 * on a page, times in local time with their zone where people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/core/table.h"

static const char *const columns[] = { "name", "time", "n", "list", "on" };
static const char rows_text[] =
    "[{\"name\":\"=cmd,\\u001b\\n<b>\",\"time\":\"2026-07-01T10:00:00.5Z\",\"n\":-3,"
    "\"list\":[\"a\",\"b\"],\"on\":true},{\"name\":\"\xe4\xb8\xad\",\"n\":7}]";

static char *
shown(void (*show)(FILE *, const struct us_client_table *), const char *rows)
{
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);
	cJSON *parsed = cJSON_Parse(rows);

	assert_non_null(parsed);
	show(to, &(struct us_client_table){ parsed, columns, 5, "nobody" });
	assert_int_equal(fclose(to), 0);
	cJSON_Delete(parsed);
	return out;
}

static void
as_csv(FILE *to, const struct us_client_table *table)
{
	us_table_csv(to, table, "row");
}

static void
expect(char *said, const char *wanted)
{
	assert_string_equal(said, wanted);
	free(said);
}

static void
forms(void **state)
{
	(void)state;
	expect(shown(us_table_text, rows_text),
	    "name           time                         n   list  on\n"
	    "=cmd,\\x1b <b>  2026-07-01T12:00:00.5+02:00  -3  a,b   yes\n"
	    "\xe4\xb8\xad                                          7         \n");
	expect(shown(as_csv, rows_text),
	    "row,name,time,n,list,on\r\n"
	    "1,\"'=cmd,\x1b\n<b>\",2026-07-01T10:00:00.5Z,-3,\"a,b\",yes\r\n"
	    "2,\xe4\xb8\xad,,7,,\r\n");
	expect(shown(us_table_text, "[]"), "nobody\n");
}

static void
page(void **state)
{
	char *html = shown(us_table_html, rows_text);

	(void)state;
	assert_non_null(strstr(html, "<td>=cmd,\\x1b &#60;b&#62;</td>"));
	assert_non_null(strstr(html, "<td class=\"whole\">2026-07-01T12:00:00.5+02:00</td>"));
	free(html);
}

static void
times(void **state)
{
	char out[40];

	(void)state;
	assert_string_equal(us_local_time("2026-01-01T10:00:00Z", out),
	    "2026-01-01T11:00:00+01:00");
	assert_string_equal(us_local_time("2026-01-01", out), "2026-01-01");
	assert_string_equal(us_local_time("at 2026-01-01T10:00:00Z", out),
	    "at 2026-01-01T10:00:00Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(page),
		cmocka_unit_test(times) };

	(void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
