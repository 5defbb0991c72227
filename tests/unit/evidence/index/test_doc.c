#include "index_test.h"

static void
build(struct us_doc_builder *b, const char *const *messages, size_t n, struct us_buf *out)
{
	const struct us_doc_meta meta = { .created_ns = 1500000000,
		.model = us_bytes_of("GPT-4"),
		.designation = us_bytes_of("Confidential") };

	assert_int_equal(us_doc_begin(b, &meta), US_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(us_doc_message(b,
				     i % 2 == 0 ? US_MESSAGE_USER : US_MESSAGE_ASSISTANT,
				     messages[i], strlen(messages[i])),
		    US_OK);
	assert_int_equal(us_doc_end(b, out), US_OK);
}

static void
test_round_trip(void **state)
{
	static const char *const MESSAGES[] = { "To be or not to be", "",
		"be \xe6\x89\x8b\xe6\x9c\xba" };
	struct us_doc_builder *b;
	struct us_doc_term t;
	struct us_doc d;
	struct us_buf out;
	size_t terms = 0, positions = 0;

	(void)state;
	us_buf_init(&out, 1 << 20);
	assert_int_equal(us_doc_builder_new(&b), US_OK);
	build(b, MESSAGES, 3, &out);
	us_buf_reset(&out);
	build(b, MESSAGES, 3, &out); /* the builder is used again */
	assert_int_equal(us_doc_open((struct us_bytes){ out.data, out.len }, &d), US_OK);
	assert_true(us_bytes_is(d.model, "gpt-4"));
	assert_int_equal(d.language.n, 0);
	assert_true(us_bytes_is(d.designation, "confidential"));
	assert_int_equal(d.roles, 0xc);
	assert_int_equal(d.messages, 3);
	assert_int_equal(d.length, 9);
	assert_int_equal(d.terms, 7);
	while (us_doc_next(&d, &t) == US_OK) {
		terms++;
		positions += t.pair ? 0 : t.count;
		if (us_bytes_is(t.term, "be")) {
			/* 1, 5, then two gaps of 100 behind the 6 words */
			assert_int_equal(t.count, 3);
			assert_memory_equal(t.distances.p, "\x01\x04\xc9\x01", 4);
		}
	}
	assert_int_equal(terms, 7);
	assert_int_equal(positions, 9);
	/* every cut is refused, and so is a byte more */
	for (size_t n = 0; n < out.len; n++) {
		int err = us_doc_open((struct us_bytes){ out.data, n }, &d);

		while (err == US_OK)
			err = us_doc_next(&d, &t);
		assert_true(err != US_ERR_NOT_FOUND);
	}
	assert_int_equal(us_buf_put_u8(&out, 0), US_OK);
	assert_int_equal(us_doc_open((struct us_bytes){ out.data, out.len }, &d), US_OK);
	while (us_doc_next(&d, &t) == US_OK)
		;
	assert_int_equal(us_doc_next(&d, &t), US_ERR_TRAILING);
	us_buf_free(&out);
	us_doc_builder_free(b);
}

static void
test_refused(void **state)
{
	const struct us_doc_meta meta = { .created_ns = US_DOC_NO_TIME };
	struct us_doc_builder *b;

	(void)state;
	assert_int_equal(us_doc_builder_new(&b), US_OK);
	assert_int_equal(us_doc_begin(b, &meta), US_OK);
	assert_int_equal(us_doc_message(b, (enum us_message_role)0, "a", 1), US_ERR_RANGE);
	assert_int_equal(us_doc_message(b, (enum us_message_role)5, "a", 1), US_ERR_RANGE);
	us_doc_builder_free(b);
	us_doc_builder_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
