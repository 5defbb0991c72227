#include "index_test.h"

#include "base/utf8.h"
#include "evidence/index/snippet.h"

static void
pick(const char *const *texts, size_t n, const char *query, size_t bytes, struct us_snippet *out)
{
	struct us_bytes messages[8];
	struct us_query *q;

	for (size_t i = 0; i < n; i++)
		messages[i] = us_bytes_of(texts[i]);
	assert_int_equal(us_query_parse(query, strlen(query), &q, NULL), US_OK);
	assert_int_equal(us_snippet_pick(messages, n, q, bytes, out), US_OK);
	us_query_free(q);
	assert_true(out->text.n <= bytes);
	assert_true(us_utf8_valid(out->text.p, out->text.n));
	for (size_t i = 0; i < out->n_marks; i++) {
		assert_true(
		    out->marks[i].start < out->marks[i].end && out->marks[i].end <= out->text.n);
		assert_true(i == 0 || out->marks[i - 1].end <= out->marks[i].start);
	}
}

static void
check_mark(const struct us_snippet *s, size_t i, const char *want)
{
	assert_true(i < s->n_marks);
	assert_true(us_bytes_is((struct us_bytes){ s->text.p + s->marks[i].start,
				    s->marks[i].end - s->marks[i].start },
	    want));
}

static void
test_picks(void **state)
{
	static const char *const TEXTS[] = { "", "An apple, and nothing else.",
		"Long before it there is much that nobody asked for, sentence upon sentence, until "
		"at last an Apple and a "
		"BANANA stand side by side, after which it goes on and on and on, again for longer "
		"than anybody would read." };
	struct us_snippet s;

	(void)state;
	pick(TEXTS, 3, "apple banana NOT nothing", 120, &s);
	assert_int_equal(s.message, 2);
	assert_int_equal(s.n_marks, 2);
	check_mark(&s, 0, "Apple");
	check_mark(&s, 1, "BANANA");
	assert_true(s.cut_before && s.cut_after);
	pick(TEXTS, 3, "apple", 120, &s);
	assert_int_equal(s.message, 1);
	check_mark(&s, 0, "apple");
	assert_false(s.cut_before || s.cut_after);
	/* metadata: the first message with text */
	pick(TEXTS, 3, "model:x", 10, &s);
	assert_int_equal(s.message, 1);
	assert_true(us_bytes_is(s.text, "An apple, ") || us_bytes_is(s.text, "An apple,"));
	assert_int_equal(s.n_marks, 0);
	pick(TEXTS, 1, "apple", 100, &s);
	assert_int_equal(s.text.n, 0);
}

static void
test_scripts(void **state)
{
	static const char *const TEXTS[] = {
		"\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b\xe4\xba\x94\xe5\x85\xad\xe4\xb8"
		"\x83\xe5\x85\xab\xe4\xb9\x9d\xe5\x8d\x81"
		"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b"
		"\x9b"
	};
	struct us_snippet s;

	(void)state;
	for (size_t bytes = 12; bytes < 60; bytes++) {
		pick(TEXTS, 1, "\xe6\x89\x8b\xe6\x9c\xba", bytes, &s);
		assert_int_equal(s.n_marks, 1);
		check_mark(&s, 0, "\xe6\x89\x8b\xe6\x9c\xba");
		pick(TEXTS, 1, "\"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7\"", bytes + 8, &s);
		check_mark(&s, 0, "\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_picks),
		cmocka_unit_test(test_scripts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
