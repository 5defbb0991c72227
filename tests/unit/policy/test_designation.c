/* What a designation from outside stands for in an order's list: pairs that are one and pairs that
 * are two, with what is suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "policy/designation.h"

#define CURLY "\xe2\x80\x99" /* U+2019, as a word processor writes an apostrophe */

static const char *const names[] = { "ATTORNEYS' EYES ONLY", "CONFIDENTIAL",
	"HOCHVERTRAULICH \xe2\x80\x93 STRA\xc3\x9f"
	"E",
	"\xc3\x89TROITEMENT CONFIDENTIEL", "\xe4\xb8\xa5\xe6\xa0\xbc\xe4\xbf\x9d\xe5\xaf\x86", "A",
	"so-called \"public\"" };

static void
list_of(struct us_designations *d)
{
	d->n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(us_designations_add(d, us_bytes_of(names[i])), US_OK);
	assert_int_equal(us_designations_distinct(d), US_OK);
}

static const struct {
	const char *given;
	size_t at;           /* in names, from 1; 0: refused */
	const char *nearest; /* of what is refused; NULL: nothing is near */
} pairs[] = {
	{ "ATTORNEYS' EYES ONLY", 1, NULL },
	{ "Attorneys' Eyes Only", 1, NULL },
	{ "attorneys' eyes only", 1, NULL },
	{ " \tATTORNEYS' EYES ONLY\r\n", 1, NULL },
	{ "\xef\xbc\xa1TTORNEYS' EYES ONLY", 1, NULL }, /* a fullwidth A */
	/* a fullwidth apostrophe is the straight one */
	{ "ATTORNEYS\xef\xbc\x87 EYES ONLY", 1, NULL },
	{ "ATTORNEYS' EYES\xc2\xa0ONLY", 1, NULL }, /* a no-break space */
	/* a soft hyphen, which nobody sees */
	{ "ATTOR\xc2\xadNEYS' EYES ONLY", 1, NULL },
	{ "ATTORNEYS'\xe2\x80\x8b EYES ONLY", 1, NULL }, /* a zero-width space */
	{ "Con\xef\xac\x81"
	  "dential",
	    2, NULL },                                       /* the ligature fi */
	{ "hochvertraulich \xe2\x80\x93 strasse", 3, NULL }, /* sharp s */
	{ "\xc3\xa9troitement confidentiel", 4, NULL },      /* case beyond ASCII */
	/* e and a combining acute accent */
	{ "e\xcc\x81troitement Confidentiel", 4, NULL },
	{ "\xe4\xb8\xa5\xe6\xa0\xbc\xe4\xbf\x9d\xe5\xaf\x86", 5, NULL },
	{ "a", 6, NULL },
	{ "SO-CALLED \"PUBLIC\"", 7, NULL },

	{ "ATTORNEYS" CURLY " EYES ONLY", 0, "ATTORNEYS' EYES ONLY" }, /* as it was seen */
	{ "Attorneys" CURLY " Eyes Only", 0, "ATTORNEYS' EYES ONLY" },
	{ "ATTORNEYS\xe2\x80\x98 EYES ONLY", 0, "ATTORNEYS' EYES ONLY" }, /* U+2018 */
	{ "ATTORNEYS\xca\xbc EYES ONLY", 0, "ATTORNEYS' EYES ONLY" },     /* U+02BC */
	{ "ATTORNEYS` EYES ONLY", 0, "ATTORNEYS' EYES ONLY" },
	{ "ATTORNEYS EYES ONLY", 0, "ATTORNEYS' EYES ONLY" },
	{ "ATTORNEY'S EYES ONLY", 0, "ATTORNEYS' EYES ONLY" },
	{ "ATTORNEYS'  EYES ONLY", 0, "ATTORNEYS' EYES ONLY" }, /* two spaces */
	{ "ATTORNEYS' EYES\tONLY", 0, "ATTORNEYS' EYES ONLY" },
	{ "ATTORNEYS' EYES ONLY.", 0, "ATTORNEYS' EYES ONLY" },
	{ "C\xd0\x9eNFIDENTIAL", 0, "CONFIDENTIAL" }, /* a Cyrillic O */
	{ "CONFIDENTAL", 0, "CONFIDENTIAL" },
	{ "HOCHVERTRAULICH - STRASSE", 0,
	    "HOCHVERTRAULICH \xe2\x80\x93 STRA\xc3\x9f"
	    "E" },
	{ "ETROITEMENT CONFIDENTIEL", 0, "\xc3\x89TROITEMENT CONFIDENTIEL" },
	{ "so-called \xe2\x80\x9cpublic\xe2\x80\x9d", 0, "so-called \"public\"" },
	{ "SECRET", 0, NULL },
	{ "B", 0, NULL },
	{ "ATTORNEYS' EYES ONLY CONFIDENTIAL AND NOT FOR ANYBODY ELSE AT ALL", 0, NULL },
	{ "", 0, NULL },
	{ "   ", 0, NULL },
	{ "\xe2\x80\x8b\xc2\xad", 0, NULL }, /* nothing that is seen */
	{ "\xff\xfe", 0, NULL },
};

static void
test_pairs(void **state)
{
	struct us_designations d;
	struct us_designated found;

	(void)state;
	list_of(&d);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		int err = us_designations_find(&d, us_bytes_of(pairs[i].given), &found);

		if (err != (pairs[i].at > 0 ? US_OK : US_ERR_NOT_FOUND) || found.at != pairs[i].at)
			fail_msg("\"%s\": %s, %zu", pairs[i].given, us_strerror(err), found.at);
		if (pairs[i].at > 0 ?
			!us_bytes_is(found.name, names[pairs[i].at - 1]) || found.nearest.n != 0 :
			found.name.n != 0 ||
			    !us_bytes_is(found.nearest,
				pairs[i].nearest == NULL ? "" : pairs[i].nearest))
			fail_msg("\"%s\": name %.*s, nearest %.*s", pairs[i].given,
			    (int)found.name.n, (const char *)found.name.p, (int)found.nearest.n,
			    (const char *)found.nearest.p);
	}
}

/* What the index has is folded once already, and cut if it was long: it resolves to the same. */
static void
test_folded_again(void **state)
{
	struct us_designations d;
	struct us_designated once, again;
	char many[65] = "";

	(void)state;
	list_of(&d);
	for (size_t i = 0; i < 21; i++)
		/* eighteen letters each when folded: more than a value may have */
		strcat(many, "\xef\xb7\xba");
	assert_int_equal(us_designations_add(&d, us_bytes_of(many)), US_OK);
	for (size_t i = 0; i < d.n; i++) {
		assert_int_equal(us_designations_find(&d, d.list[i].name, &once), US_OK);
		assert_int_equal(us_designations_find(&d,
				     (struct us_bytes){ once.folded, once.folded_n }, &again),
		    US_OK);
		assert_int_equal(again.at, i + 1);
		assert_int_equal(again.folded_n, once.folded_n);
		assert_memory_equal(again.folded, once.folded, once.folded_n);
	}
}

static void
test_lists(void **state)
{
	struct us_designations *d = calloc(1, sizeof(*d));
	struct us_designated found;
	char name[16];

	(void)state;
	/* without a list everything is taken as it is, but for what is nothing */
	assert_int_equal(us_designations_find(d, us_bytes_of("Anything" CURLY), &found), US_OK);
	assert_int_equal(found.at, 0);
	assert_true(us_bytes_is(found.name, "Anything" CURLY));
	assert_int_equal(us_designations_find(d, us_bytes_of(" \t"), &found), US_ERR_NOT_FOUND);
	/* of entries that are the same the first one counts, and it is told that they are */
	assert_int_equal(us_designations_add(d, us_bytes_of("Secret")), US_OK);
	assert_int_equal(us_designations_add(d, us_bytes_of("SECRET")), US_OK);
	assert_int_equal(us_designations_distinct(d), US_ERR_EXISTS);
	assert_int_equal(us_designations_find(d, us_bytes_of("secret"), &found), US_OK);
	assert_int_equal(found.at, 1);
	d->n = 1;
	assert_int_equal(us_designations_add(d, us_bytes_of("\xc2\xad")), US_OK);
	assert_int_equal(us_designations_distinct(d), US_ERR_FORMAT);
	d->n = 0;
	for (int i = 0; i < US_ORDER_DESIGNATIONS; i++) {
		(void)snprintf(name, sizeof(name), "D%d", i);
		assert_int_equal(us_designations_add(d, us_bytes_of(name)), US_OK);
	}
	assert_int_equal(us_designations_add(d, us_bytes_of("one more")), US_ERR_LIMIT);
	free(d);
}

static void
test_outside(void **state)
{
	static const struct {
		const char *query;
		int at; /* of the part that is outside; -1: none */
	} cases[] = {
		{ "designation:confidential", -1 },
		{ "designation:\"Attorneys' Eyes Only\" OR paris", -1 },
		{ "designation:\"Attorneys" CURLY " Eyes Only\"", 0 },
		{ "paris NOT (rome OR designation:secret)", 19 },
		{ "designation:a designation:b", 14 },
		{ "model:secret \"designation secret\"", -1 },
		{ "*", -1 },
	};
	struct us_designations d, none = { .n = 0 };

	(void)state;
	list_of(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct us_query_node *node;
		struct us_query *q;

		assert_int_equal(us_query_parse(cases[i].query, strlen(cases[i].query), &q, NULL),
		    US_OK);
		node = us_designations_outside(&d, q);
		if (node == NULL ? cases[i].at >= 0 : (int)node->at != cases[i].at)
			fail_msg("%s: %d", cases[i].query, node == NULL ? -1 : (int)node->at);
		assert_null(us_designations_outside(&none, q));
		us_query_free(q);
	}
}

static struct us_order *
order_with(const char *const *list, size_t n)
{
	struct us_order *order = calloc(1, sizeof(*order));

	order->designations = calloc(n + 1, sizeof(*order->designations));
	order->n_designations = n;
	for (size_t i = 0; i < n; i++)
		order->designations[i].name = us_bytes_of(list[i]);
	return order;
}

static void
test_keeps(void **state)
{
	static const char *const two[] = { "ATTORNEYS' EYES ONLY", "CONFIDENTIAL" };
	static const char *const same[] = { "Confidential", "PUBLIC", "Attorneys' Eyes Only" };
	static const char *const curly[] = { "ATTORNEYS" CURLY " EYES ONLY", "CONFIDENTIAL" };
	struct us_order *a = order_with(two, 2), *b = order_with(same, 3),
			*c = order_with(curly, 2), *none = order_with(NULL, 0);
	struct us_bytes dropped;

	(void)state;
	assert_int_equal(us_order_keeps_designations(a, a, &dropped), US_OK);
	/* in another order and spelling, and one more */
	assert_int_equal(us_order_keeps_designations(a, b, &dropped), US_OK);
	assert_int_equal(us_order_keeps_designations(b, a, &dropped), US_ERR_NOT_FOUND);
	assert_true(us_bytes_is(dropped, "PUBLIC"));
	assert_int_equal(us_order_keeps_designations(a, c, &dropped), US_ERR_NOT_FOUND);
	assert_true(us_bytes_is(dropped, "ATTORNEYS' EYES ONLY"));
	assert_int_equal(us_order_keeps_designations(a, none, &dropped), US_ERR_NOT_FOUND);
	assert_int_equal(us_order_keeps_designations(none, a, &dropped), US_OK);
	assert_int_equal(us_order_keeps_designations(none, none, &dropped), US_OK);
	us_order_free(a);
	us_order_free(b);
	us_order_free(c);
	us_order_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_folded_again),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
