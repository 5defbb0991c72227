/* Goal: a roster as spreadsheets write it is read whole; of a wrong one the line and the person are
 * named. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "client/case/roster.h"

static int
parse(struct us_roster *roster, char copy[1024], const char *text, char why[US_ROSTER_WHY])
{
	assert_in_range(strlen(text), 0, 1023);
	strcpy(copy, text);
	return us_roster_parse(roster, copy, strlen(text), why);
}

static void
test_spreadsheets(void **state)
{
	static const char *const texts[] = {
		"\xef\xbb\xbfname,capacity,party\r\n\"Counsel, \"\"Carl\"\"\",outside-counsel,"
		"plaintiffs;court\r\n\r\nAda,auditor,\r\n",
		"\"name\",\"capacity\",\"party\"\n\"Counsel, \"\"Carl\"\"\",\"outside-counsel\","
		"\"court; plaintiffs\"\n\n Ada , auditor ,",
	};

	(void)state;
	for (size_t i = 0; i < US_COUNT(texts); i++) {
		char copy[1024], why[US_ROSTER_WHY];
		struct us_roster r;

		assert_int_equal(parse(&r, copy, texts[i], why), US_OK);
		assert_int_equal(r.n, 2);
		assert_string_equal(r.people[0].name, "Counsel, \"Carl\"");
		assert_int_equal(r.people[0].line, 2);
		assert_int_equal(r.people[0].capacity, US_CAPACITY_OUTSIDE_COUNSEL);
		assert_int_equal(r.people[0].n_parties, 2);
		assert_string_equal(r.people[0].parties[0], "court");
		assert_string_equal(r.people[0].parties[1], "plaintiffs");
		assert_string_equal(r.people[1].name, "Ada");
		assert_int_equal(r.people[1].line, 4);
		assert_int_equal(r.people[1].n_parties, 0);
		us_roster_free(&r);
	}
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *text, *why;
		int err;
	} cases[] = {
		{ "", "line 1: nobody stands in it", US_ERR_FORMAT },
		{ "name,capacity,party\n", "line 2: nobody stands in it", US_ERR_FORMAT },
		{ "A,auditor,court\nB,auditr,court\n",
		    "line 2: B: there is no capacity \"auditr\": did you mean \"auditor\"?",
		    US_ERR_FORMAT },
		{ "A,auditor,court\n\nA,expert,court\n", "line 3: A stands in line 1 already",
		    US_ERR_FORMAT },
		{ "A,auditor\n", "line 1: 2 cells, where name,capacity,party[;party] are three",
		    US_ERR_FORMAT },
		{ "A,auditor,court,x\n",
		    "line 1: 4 cells, where name,capacity,party[;party] are three", US_ERR_FORMAT },
		{ ",auditor,court\n", "line 1: there is no name", US_ERR_FORMAT },
		{ "A,auditor,court;court\n", "line 1: A: the party court stands there twice",
		    US_ERR_FORMAT },
		{ "\"A,auditor,court\nB,auditor,court\n", "line 1: a quote is not closed",
		    US_ERR_FORMAT },
		{ "\"A\"b,auditor,court\n", "line 1: something stands behind a closing quote",
		    US_ERR_FORMAT },
		{ "A,auditor,court\n\xff\xfe"
		  "B,auditor,court\n",
		    "line 2: this is not UTF-8 text: save it as \"CSV UTF-8\"", US_ERR_ENCODING },
	};

	(void)state;
	for (size_t i = 0; i < US_COUNT(cases); i++) {
		char copy[1024], why[US_ROSTER_WHY] = "";
		struct us_roster r;

		assert_int_equal(parse(&r, copy, cases[i].text, why), cases[i].err);
		assert_string_equal(why, cases[i].why);
		assert_null(r.people);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spreadsheets),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
