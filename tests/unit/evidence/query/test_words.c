#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "evidence/query/words.h"

/* Words as "word@position" with / before characters of runs and + before pairs, joined by
 * spaces. */
static int
write_word(void *ctx, const struct us_word *w)
{
	struct us_buf *b = ctx;

	assert_true(w->n >= 1 && w->n <= US_WORD_MAX);
	return us_buf_putf(b, "%s%s%.*s@%u", b->len == 0 ? "" : " ",
	    w->kind == US_WORD_CHAR     ? "/" :
		w->kind == US_WORD_PAIR ? "+" :
					  "",
	    (int)w->n, (const char *)w->p, w->position);
}

static void
check(const char *text, const char *want)
{
	struct us_buf b;
	uint32_t position = 0;

	us_buf_init(&b, 1 << 20);
	assert_int_equal(us_words_scan(text, strlen(text), &position, write_word, &b), US_OK);
	assert_string_equal(us_buf_cstr(&b), want);
	us_buf_free(&b);
}

static void
test_plain(void **state)
{
	(void)state;
	check("", "");
	check(" ,.-_'\n", "");
	check("Hello, World", "hello@0 world@1");
	check("restaurant's", "restaurant@0 s@1");
	check("re-use snake_case a1b2 3.14", "re@0 use@1 snake@2 case@3 a1b2@4 3@5 14@6");
	check("don\xe2\x80\x99t", "don@0 t@1");
	check("\xf0\x9f\x98\x80"
	      "face\xf0\x9f\x98\x80",
	    "face@0");
	check("a\xff"
	      "b",
	    "a@0 b@1");                        /* not UTF-8 */
	check("a\xe2\x80", "a@0");             /* cut */
	check("\xe2\x9d\xa4\xef\xb8\x8f", ""); /* heart and its ignorable variation selector */
}

static void
test_folding(void **state)
{
	(void)state;
	check("Stra\xc3\x9f"
	      "e STRASSE",
	    "strasse@0 strasse@1");
	check("\xc4\xb0stanbul", "i\xcc\x87stanbul@0");
	check("caf\xc3\xa9 cafe\xcc\x81 CAF\xc3\x89", "caf\xc3\xa9@0 caf\xc3\xa9@1 caf\xc3\xa9@2");
	check("\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\x93", "ab3@0"); /* fullwidth AB3 */
	check("o\xef\xac\x83"
	      "ce",
	    "office@0"); /* ligature ffi */
	check("m\xc2\xb2", "m2@0");
	check("\xef\xb7\xba",
	    "\xd8\xb5\xd9\x84\xd9\x89@0 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87@1 "
	    "\xd8\xb9\xd9\x84\xd9\x8a\xd9\x87@2 \xd9\x88\xd8\xb3\xd9\x84\xd9\x85@3");
	check("\xce\x9f\xce\x94\xce\x9f\xce\xa3", "\xce\xbf\xce\xb4\xce\xbf\xcf\x83@0");
	check("\xd0\x9c\xd0\x98\xd0\xa0", "\xd0\xbc\xd0\xb8\xd1\x80@0");
}

static void
test_runs(void **state)
{
	(void)state;
	check("\xe6\x89\x8b\xe6\x9c\xba",
	    "+\xe6\x89\x8b\xe6\x9c\xba@0 /\xe6\x89\x8b@0 /\xe6\x9c\xba@1");
	check("\xe6\x89\x8b", "/\xe6\x89\x8b@0");
	/* a separator between runs leaves a position out, a word between them does not */
	check("\xe6\x89\x8b,\xe6\x9c\xba", "/\xe6\x89\x8b@0 /\xe6\x9c\xba@2");
	check("\xe6\x89\x8b"
	      "A\xe6\x9c\xba",
	    "/\xe6\x89\x8b@0 a@1 /\xe6\x9c\xba@2");
	check("iPhone\xe6\x89\x8b 5", "iphone@0 /\xe6\x89\x8b@1 5@2");
	/* halfwidth ka with voicing mark composes to ga */
	check("\xef\xbd\xb6\xef\xbe\x9e", "/\xe3\x82\xac@0");
	/* Hangul from conjoining jamo */
	check("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "/\xed\x95\x9c@0");
	/* Thai: vowel sign and digits */
	check("\xe0\xb8\x81\xe0\xb8\xb5\xe0\xb9\x91",
	    "+\xe0\xb8\x81\xe0\xb8\xb5@0 /\xe0\xb8\x81@0 /\xe0\xb8\xb5@1 \xe0\xb9\x91@2");
}

struct spans {
	size_t n;
	size_t at[8][2];
};

static int
take_span(void *ctx, const struct us_word *w)
{
	struct spans *s = ctx;

	s->at[s->n][0] = w->offset;
	s->at[s->n++][1] = w->length;
	return US_OK;
}

static void
test_spans(void **state)
{
	static const char TEXT[] = "x  caf\xc3\xa9! \xe6\x89\x8b\xe6\x9c\xba";
	static const size_t WANT[][2] = { { 0, 1 }, { 3, 5 }, { 10, 6 }, { 10, 3 }, { 13, 3 } };
	struct spans s = { .n = 0 };
	uint32_t position = 7;

	(void)state;
	assert_int_equal(us_words_scan(TEXT, strlen(TEXT), &position, take_span, &s), US_OK);
	assert_int_equal(s.n, 5);
	assert_memory_equal(s.at, WANT, sizeof WANT);
	assert_int_equal(position, 11);
}

static int
stop(void *ctx, const struct us_word *w)
{
	(void)ctx;
	(void)w;
	return US_ERR_CLOSED;
}

static int
keep_word(void *ctx, const struct us_word *w)
{
	struct us_buf *b = ctx;

	return us_buf_put(b, w->p, w->n);
}

static int
count_word(void *ctx, const struct us_word *w)
{
	unsigned *n = ctx;

	n[0]++;
	n[1] += w->n == 4 && memcmp(w->p, "last", 4) == 0;
	return US_OK;
}

/* Marks without end, each of a lower class than the one before it, which the sort into their
 * canonical order would take the square of: a million are done in a moment, and what stands behind
 * them is found. */
static void
test_marks_without_end(void **state)
{
	/* U+0315 U+0300 U+05AE U+0321 */
	static const char marks[] = "\xcc\x95\xcc\x80\xd6\xae\xcc\xa1";
	enum { N = 250000 };
	char *text = malloc(N * 8 + 16);
	uint8_t folded[US_WORD_MAX];
	unsigned n[2] = { 0, 0 };
	uint32_t position = 0;
	size_t at = 0, folded_n;

	(void)state;
	text[at++] = 'a';
	for (int i = 0; i < N; i++, at += 8)
		memcpy(text + at, marks, 8);
	memcpy(text + at, " last", 5);
	at += 5;
	assert_int_equal(us_words_scan(text, at, &position, count_word, n), US_OK);
	assert_int_equal(n[0], 2);
	assert_int_equal(n[1], 1);
	assert_int_equal(us_value_fold(text, at, folded, &folded_n), US_OK);
	free(text);
	/* up to thirty marks are sorted as ever */
	check("a\xcc\x80\xcc\xa1 b", "\xc3\xa0\xcc\xa1@0 b@1");
}

static void
test_limits(void **state)
{
	uint32_t position = 0;
	struct us_buf a, b;
	char text[1000];

	(void)state;
	assert_int_equal(us_words_scan("a b", 3, &position, stop, NULL), US_ERR_CLOSED);
	assert_int_equal(position, 0);
	position = UINT32_C(1) << 31;
	assert_int_equal(us_words_scan("a", 1, &position, keep_word, NULL), US_ERR_LIMIT);
	/* 255 stays, 256 is cut; two long words with the same beginning differ */
	us_buf_init(&a, 4096);
	us_buf_init(&b, 4096);
	memset(text, 'x', sizeof text);
	position = 0;
	assert_int_equal(us_words_scan(text, 255, &position, keep_word, &a), US_OK);
	assert_int_equal(a.len, 255);
	assert_memory_equal(a.data, text, 255);
	us_buf_reset(&a);
	assert_int_equal(us_words_scan(text, 256, &position, keep_word, &a), US_OK);
	assert_int_equal(us_words_scan(text, 257, &position, keep_word, &b), US_OK);
	assert_int_equal(a.len, 254);
	assert_int_equal(b.len, 254);
	assert_memory_equal(a.data, b.data, 190);
	assert_memory_not_equal(a.data, b.data, 254);
	us_buf_free(&a);
	us_buf_free(&b);
}

static void
test_values(void **state)
{
	uint8_t out[US_WORD_MAX];
	char text[300];
	size_t n = 99;

	(void)state;
	assert_int_equal(us_value_fold("  GPT-4 Turbo\n", 14, out, &n), US_OK);
	assert_int_equal(n, 11);
	assert_memory_equal(out, "gpt-4 turbo", 11);
	assert_int_equal(us_value_fold(" \t", 2, out, &n), US_OK);
	assert_int_equal(n, 0);
	assert_int_equal(us_value_fold(NULL, 0, out, &n), US_OK);
	assert_int_equal(n, 0);
	assert_int_equal(us_value_fold("a\xff", 2, out, &n), US_OK);
	assert_memory_equal(out, "a\xef\xbf\xbd", 4);
	memset(text, 'y', sizeof text);
	assert_int_equal(us_value_fold(text, sizeof text, out, &n), US_OK);
	assert_int_equal(n, 254);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_marks_without_end),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
