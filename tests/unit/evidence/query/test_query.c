#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "evidence/query/query.h"

/* The canonical text of a query is `want`, and its own canonical text too. */
static void
check(const char *text, const char *want)
{
	struct us_query_error error;
	struct us_query *q, *again;
	char got[4096];

	if (us_query_parse(text, strlen(text), &q, &error) != US_OK)
		fail_msg("%s: at %zu: %s", text, error.at, error.message);
	(void)snprintf(got, sizeof got, "%.*s", (int)q->canonical.n, (const char *)q->canonical.p);
	assert_string_equal(got, want);
	assert_int_equal(us_query_parse(q->canonical.p, q->canonical.n, &again, &error), US_OK);
	assert_int_equal(again->canonical.n, q->canonical.n);
	assert_memory_equal(again->canonical.p, q->canonical.p, q->canonical.n);
	assert_int_equal(again->n_words, q->n_words);
	us_query_free(again);
	us_query_free(q);
}

static void
test_operators(void **state)
{
	(void)state;
	check("apple", "apple");
	check("Apple  Pie", "apple AND pie");
	check("a AND b OR c AND d", "a AND b OR c AND d");
	check("a (b OR c)", "a AND (b OR c)");
	check("(a OR b) OR (c OR d)", "a OR b OR c OR d");
	check("NOT a b", "NOT a AND b");
	check("NOT (a b)", "NOT (a AND b)");
	check("NOT NOT a", "NOT NOT a");
	check("*", "*");
	check("* AND NOT x", "* AND NOT x");
	check("\xef\xbc\x88"
	      "a OR b\xef\xbc\x89 c",
	    "(a OR b) AND c");
}

/* What only looks like an operator: an error for who writes it now, a word where it was compiled as
 * one. Its place, the operator meant, and the canonical text of the compiled reading. */
static void
test_bare_operators(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *means;
		const char *compiled;
	} cases[] = {
		{ "not", 0, "NOT", "\"not\"" },
		{ "or", 0, "OR", "\"or\"" },
		{ "And", 0, "AND", "\"and\"" },
		{ "not paris", 0, "NOT", "\"not\" AND paris" },
		{ "Not paris", 0, "NOT", "\"not\" AND paris" },
		{ "paris nOT rome", 6, "NOT", "paris AND \"not\" AND rome" },
		{ "recipe or poem", 7, "OR", "recipe AND \"or\" AND poem" },
		{ "recipe Or poem", 7, "OR", "recipe AND \"or\" AND poem" },
		{ "recipe oR poem", 7, "OR", "recipe AND \"or\" AND poem" },
		{ "recipe and poem", 7, "AND", "recipe AND \"and\" AND poem" },
		{ "recipe aNd poem", 7, "AND", "recipe AND \"and\" AND poem" },
		{ "a and or not b", 2, "AND", "a AND \"and\" AND \"or\" AND \"not\" AND b" },
		{ "a (b or c)", 5, "OR", "a AND b AND \"or\" AND c" },
		{ "(or)", 1, "OR", "\"or\"" },
		{ "(not a)", 1, "NOT", "\"not\" AND a" },
		{ "a OR or", 5, "OR", "a OR \"or\"" },
		{ "NOT not", 4, "NOT", "NOT \"not\"" },
		{ "model:gpt-4 or model:gpt-5", 12, "OR",
		    "model:\"gpt-4\" AND \"or\" AND model:\"gpt-5\"" },
		{ "\"a\"or\"b\"", 3, "OR", "a AND \"or\" AND b" },
		{ "a\nor\nb", 2, "OR", "a AND \"or\" AND b" },
		/* upper case, but not alone: no operator either */
		{ "a OR, b", 2, "OR", "a AND \"or\" AND b" },
		{ "a, or, b", 3, "OR", "a AND \"or\" AND b" },
		/* fullwidth, as input methods give it */
		{ "a \xef\xbc\xaf\xef\xbc\xb2 b", 2, "OR", "a AND \"or\" AND b" },
	};
	struct us_query_error error;
	struct us_query *q;
	char both[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *text = cases[i].text;

		if (us_query_parse(text, strlen(text), &q, &error) != US_ERR_FORMAT)
			fail_msg("%s is taken", text);
		assert_null(q);
		if (error.at != cases[i].at)
			fail_msg("%s: at %zu: %s", text, error.at, error.message);
		(void)snprintf(both, sizeof both, "write %s,", cases[i].means);
		if (strstr(error.message, both) == NULL ||
		    strstr(error.message, "in quotation marks (the word)") == NULL)
			fail_msg("%s: %s", text, error.message);
		assert_int_equal(us_query_parse_compiled(text, strlen(text), &q, &error), US_OK);
		if (!us_bytes_is(q->canonical, cases[i].compiled))
			fail_msg("%s: %.*s", text, (int)q->canonical.n,
			    (const char *)q->canonical.p);
		us_query_free(q);
		check(cases[i].compiled, cases[i].compiled);
	}
}

/* The words themselves, and what merely holds them. */
static void
test_words_of_operators(void **state)
{
	(void)state;
	check("\"or\"", "\"or\"");
	check("\"Not\" paris", "\"not\" AND paris");
	check("\xe2\x80\x9c"
	      "and\xe2\x80\x9d",
	    "\"and\"");
	check("\"to be or not to be\"", "\"to be or not to be\"");
	check("and/or", "\"and or\"");
	check("or-gate", "\"or gate\"");
	check("orchid nothing android", "orchid AND nothing AND android");
	check("\xc3\xb6r", "\xc3\xb6r");
	check("model:or designation:Not language:\"and\"",
	    "model:\"or\" AND designation:\"not\" AND language:\"and\"");
	check("a OR \"or\"", "a OR \"or\"");
}

static void
test_phrases(void **state)
{
	(void)state;
	check("\"New  York, Times\"", "\"new york times\"");
	check("\xe2\x80\x9cnew york\xe2\x80\x9d", "\"new york\"");
	check("don't", "\"don t\"");
	check("\"word\"", "word");
	check("and/or", "\"and or\"");
	check("\"what?\"", "what");
	check("\xe6\x89\x8b\xe6\x9c\xba", "\xe6\x89\x8b\xe6\x9c\xba");
	check("\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7", "\"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7\"");
	check("\xe6\x89\x8b,\xe6\x9c\xba", "\"\xe6\x89\x8b \xe6\x9c\xba\"");
	check("a\xe6\x89\x8b\xe6\x9c\xba", "\"a \xe6\x89\x8b\xe6\x9c\xba\"");
}

static void
test_fields(void **state)
{
	(void)state;
	check("model:GPT-4", "model:\"gpt-4\"");
	check("Model:\"GPT \"\"4\"\"\"", "model:\"gpt \"\"4\"\"\"");
	check("role:User language:en", "role:\"user\" AND language:\"en\"");
	check("designation:\"Highly Confidential\"", "designation:\"highly confidential\"");
	check("date:2023", "date:2023-01-01..2023-12-31");
	check("created:2024-02", "date:2024-02-01..2024-02-29");
	check("date:2023-06-30", "date:2023-06-30..2023-06-30");
	check("date:2023..", "date:2023-01-01..");
	check("date:..2023-05", "date:..2023-05-31");
	check("date:*", "date:*");
	check("date:2023-01-01T10:00:00Z..2023-01-01T12:00:00+01:00",
	    "date:2023-01-01T10:00:00Z..2023-01-01T11:00:00Z");
	check("bates:demo000000001", "bates:DEMO000000001..DEMO000000001");
	check("bates:X000000005..", "bates:X000000005..");
	check("bates:..X000000005", "bates:X000000001..X000000005");
	check("bates:X000000001..20", "bates:X000000001..X000000020");
}

static void
test_tree(void **state)
{
	struct us_query *q;

	(void)state;
	assert_int_equal(us_query_parse("date:2023-06..2023-06-30 \"b a b\" c", 34, &q, NULL),
	    US_OK);
	assert_int_equal(q->root->op, US_QUERY_AND);
	assert_int_equal(q->root->n_children, 3);
	assert_int_equal(q->root->children[0]->from_s, 1685577600);
	assert_int_equal(q->root->children[0]->to_s, 1688169600);
	assert_int_equal(q->root->children[1]->n_terms, 3);
	assert_int_equal(q->root->children[1]->terms[2].offset, 2);
	assert_int_equal(q->n_words, 3);
	assert_true(us_bytes_is(q->words[0], "a"));
	assert_true(us_bytes_is(q->words[2], "c"));
	us_query_free(q);
	assert_int_equal(us_query_parse("role:user * bates:3..4", 22, &q, NULL), US_OK);
	assert_int_equal(q->root->children[2]->first, 2);
	assert_int_equal(q->root->children[2]->last, 3);
	us_query_free(q);
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *says;
	} cases[] = {
		{ "", 0, "empty" },
		{ "  ", 2, "empty" },
		{ "a AND", 5, "ends" },
		{ "AND a", 0, "quotation marks" },
		{ "a OR OR b", 5, "left" },
		{ "(a OR b", 0, "not closed" },
		{ "a) b", 1, "closes nothing" },
		{ "a ()", 3, "must stand" },
		{ "x \"abc", 2, "not closed" },
		{ "x w/5 y", 2, "proximity" },
		{ "x PRE/12 y", 2, "proximity" },
		{ "x /3 y", 2, "proximity" },
		{ "wom*n", 3, "wildcards" },
		{ "wom?n", 3, "wildcards" },
		{ "a \"b c*\"", 6, "wildcards" },
		{ "run~", 3, "stemming" },
		{ "colou%r", 5, "fuzzy" },
		{ "\"a b\"~5", 5, "stemming" },
		{ "a -b", 2, "NOT" },
		{ "a & b", 2, "AND" },
		{ "a || b", 2, "OR" },
		{ "a ... b", 2, "nothing to search" },
		{ "\"\"", 1, "nothing to search" },
		{ "author:smith", 0, "no such field" },
		{ "x http://example.com", 2, "no such field" },
		{ "model:", 6, "value" },
		{ "model:(a OR b)", 6, "one value" },
		{ "role:owner", 5, "a role is" },
		{ "date:yesterday", 5, "a date is" },
		{ "date:2023-02-29", 5, "no such date" },
		{ "date:2023-13", 5, "no such date" },
		{ "date:..", 5, "a date is" },
		{ "date:2023..2024-1", 11, "a date is" },
		{ "date:2024..2023", 11, "ends before" },
		{ "bates:", 6, "value" },
		{ "bates:DEMO", 6, "Bates" },
		{ "bates:X000000000", 6, "Bates" },
		{ "bates:X2..X1", 10, "ends before" },
		{ "bates:X1..Y2", 10, "prefixes" },
		{ "a \xff", 2, "UTF-8" },
	};
	struct us_query_error error;
	struct us_query *q;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (us_query_parse(cases[i].text, strlen(cases[i].text), &q, &error) == US_OK)
			fail_msg("%s is taken", cases[i].text);
		assert_null(q);
		if (error.at != cases[i].at || strstr(error.message, cases[i].says) == NULL)
			fail_msg("%s: at %zu: %s", cases[i].text, error.at, error.message);
	}
}

static void
test_limits(void **state)
{
	static char text[US_QUERY_MAX + 10];
	struct us_query_error error;
	struct us_query *q;

	(void)state;
	memset(text, ' ', sizeof text);
	assert_int_equal(us_query_parse(text, US_QUERY_MAX + 1, &q, &error), US_ERR_LIMIT);
	assert_int_equal(us_query_parse(text, US_QUERY_MAX, &q, &error), US_ERR_FORMAT);
	memset(text, '(', 65);
	assert_int_equal(us_query_parse(text, 200, &q, &error), US_ERR_LIMIT);
	assert_int_equal(error.at, 65);
	memset(text, '(', 64);
	text[64] = 'a';
	memset(text + 65, ')', 64);
	assert_int_equal(us_query_parse(text, 129, &q, &error), US_OK);
	us_query_free(q);
	for (size_t i = 0; i < 64; i++)
		memcpy(text + i * 4, "NOT ", 4);
	text[256] = 'a';
	assert_int_equal(us_query_parse(text, 257, &q, &error), US_OK);
	us_query_free(q);
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(text + i, "a ", 2);
	assert_int_equal(us_query_parse(text, 4000, &q, &error), US_ERR_LIMIT);
	/* 999 words and their AND */
	assert_int_equal(us_query_parse(text, 1998, &q, &error), US_OK);
	us_query_free(q);
	assert_int_equal(us_query_parse(text, 2000, &q, &error), US_ERR_LIMIT);
	text[4000] = '"';
	text[0] = '"';
	assert_int_equal(us_query_parse(text, 4001, &q, &error), US_ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_bare_operators),
		cmocka_unit_test(test_words_of_operators),
		cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
