/* Goal: a setting is one of the list, with a value that its row allows, or there is a sentence that
 * helps; every row is in the manuals. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "daemon/process/hooks.h"
#include "daemon/process/settings.h"

static void
test_values(void **state)
{
	static const struct {
		const char *name, *value;
		int err;
		const char *said;
	} cases[] = {
		{ "listen", "whatever whoever uses it makes of it", US_OK, "" },
		{ "fronts", "1", US_OK, "" },
		{ "fronts", "16", US_OK, "" },
		{ "fronts", "17", US_ERR_RANGE, "from 1 to 16" },
		{ "fronts", "", US_ERR_RANGE, "from 1 to 16" },
		{ "fronts", "4 ", US_ERR_RANGE, "from 1 to 16" },
		{ "witnesses.when-old", "seal", US_OK, "" },
		{ "witnesses.when-old", "warn", US_OK, "" },
		{ "witnesses.when-old", "", US_ERR_RANGE, "warn seal" },
		{ "witnesses.when-old", "sea", US_ERR_RANGE, "warn seal" },
		{ "witnesses.when-old", "warn seal", US_ERR_RANGE, "warn seal" },
		{ "Fronts", "1", US_ERR_NOT_FOUND, "did you mean \"fronts\"?" },
		{ "", "", US_ERR_NOT_FOUND, "no setting" },
		{ "keeper.fail-sync", "3", US_ERR_NOT_FOUND, "no setting" },
		{ "frozen", "1", US_OK, "" },
	};

	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		char why[US_SETTING_WHY] = "";

		assert_int_equal(us_setting_check(cases[i].name, cases[i].value, why),
		    cases[i].err);
		assert_non_null(strstr(why, cases[i].said));
	}
}

static void
test_numbers(void **state)
{
	static const char text[] = "# fronts=9\nfronts=2\nfronts=3\n";
	struct us_settings *s = us_settings_parse(text, sizeof text - 1);

	(void)state;
	assert_non_null(s);
	assert_int_equal(us_setting_number(s, "fronts", 7), 3); /* the last one */
	assert_int_equal(us_setting_number(s, "intakes", 7), 7);
	us_settings_free(s);
}

static void
test_manuals(void **state)
{
	static const char *const manuals[] = { US_SOURCE_DIR "/docs/OPERATING.md",
		US_SOURCE_DIR "/packaging/man/undersealed.8" };
	static char text[400000];

	(void)state;
	for (size_t m = 0; m < US_COUNT(manuals); m++) {
		FILE *f = fopen(manuals[m], "re");

		assert_non_null(f);
		text[fread(text, 1, sizeof text - 1, f)] = '\0';
		(void)fclose(f);
		for (size_t i = 0; us_setting_name(i) != NULL; i++) {
			const char *name = us_setting_name(i);
			const int is_limit = strncmp(name, "limit.", 6) == 0;
			char row[80];

			/* each limit has a row of the table of limits, in one of the two */
			(void)snprintf(row, sizeof row, "| `%s` |", name + (is_limit ? 6 : 0));
			if ((!is_limit && strstr(text, name) == NULL) ||
			    (is_limit && m == 0 && strstr(text, row) == NULL))
				fail_msg("%s does not have %s", manuals[m], name);
		}
	}
}

/* A program that is shipped has none of it. */
static void
test_no_hooks(void **state)
{
	static const char text[] = "keeper.fail-sync=1\n";
	struct us_settings *s = us_settings_parse(text, sizeof text - 1);

	(void)state;
	us_hooks_configure(s);
	assert_int_equal(us_hooks_sync(), 0);
	assert_null(us_hooks_environment()[0]);
	us_settings_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_manuals),
		cmocka_unit_test(test_no_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
