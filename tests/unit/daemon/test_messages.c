/* Goal: what is encoded is decoded; nothing cut, longer or too large is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/process/messages.h"

static void
sample(struct us_buf *b)
{
	struct us_msg_search_request m = { .snapshot = 7, .limit = 20, .flags = US_SEARCH_COUNT };

	memset(m.credential, 0xab, sizeof m.credential);
	m.peer = us_bytes_of("127.0.0.1:9");
	m.collection = us_bytes_of("demo");
	m.query = us_bytes_of("red AND blue");
	m.purpose = us_bytes_of("trial");
	us_buf_init(b, 4096);
	assert_int_equal(us_msg_search_request_encode(b, &m), US_OK);
}

static void
round_trip(void **state)
{
	struct us_msg_search_request m;
	struct us_buf b;

	(void)state;
	sample(&b);
	assert_int_equal(us_msg_search_request_decode(&m, b.data, b.len), US_OK);
	assert_true(us_bytes_is(m.query, "red AND blue"));
	assert_int_equal(m.limit, 20);
	assert_int_equal(m.credential[31], 0xab);
	us_buf_free(&b);
}

static void
every_cut_and_every_surplus_is_refused(void **state)
{
	struct us_msg_search_request m;
	struct us_buf b;

	(void)state;
	sample(&b);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(us_msg_search_request_decode(&m, b.data, n), US_ERR_MALFORMED);
	assert_null(m.query.p);
	assert_int_equal(m.credential[31], 0);
	assert_int_equal(us_buf_put_u8(&b, 0), US_OK);
	assert_int_equal(us_msg_search_request_decode(&m, b.data, b.len), US_ERR_MALFORMED);
	us_buf_free(&b);
}

/* The bytes of three messages, which have every kind of field. */
static void
fields_stand_as_the_list_says(void **state)
{
	static const uint8_t died[] = { 4, 2, 1, 9 };
	static const uint8_t opened[] = { 0, 3, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
		'k', 'l', 'm', 'n', 'o', 'p', 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xfe, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t reply[] = { 1, 0xc8, 2, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 4,
		'n', 'o', 't', 'e', 0, 0, 0, 2, '{', '}' };
	const struct us_msg_died a = { 4, 2, 1, 9 };
	struct us_msg_session_opened b = { .reason = 3,
		.person = 258,
		.expires = -2,
		.entry = 0x0102030405060708 };
	const struct us_msg_reply c = { 456, 2, 1, 7, 9, us_bytes_of("note"), us_bytes_of("{}") };
	struct us_buf out;

	(void)state;
	memcpy(b.session, "abcdefghijklmnop", sizeof b.session);
	us_buf_init(&out, 4096);
	assert_int_equal(us_msg_died_encode(&out, &a), US_OK);
	assert_int_equal(out.len, sizeof died);
	assert_memory_equal(out.data, died, sizeof died);
	us_buf_reset(&out);
	assert_int_equal(us_msg_session_opened_encode(&out, &b), US_OK);
	assert_int_equal(out.len, sizeof opened);
	assert_memory_equal(out.data, opened, sizeof opened);
	us_buf_reset(&out);
	assert_int_equal(us_msg_reply_encode(&out, &c), US_OK);
	assert_int_equal(out.len, sizeof reply);
	assert_memory_equal(out.data, reply, sizeof reply);
	us_buf_free(&out);
}

static void
limits_hold(void **state)
{
	static uint8_t large[70000];
	struct us_msg_search_request m = { .query = { large, 65537 } };
	struct us_msg_reply reply = { .body = { large, 1 } };
	struct us_buf b, small;

	(void)state;
	us_buf_init(&b, 1 << 20);
	assert_int_equal(us_msg_search_request_encode(&b, &m), US_ERR_LIMIT);
	assert_int_equal(b.len, 0);
	us_buf_init(&small, 10);
	assert_int_equal(us_msg_reply_encode(&small, &reply), US_ERR_LIMIT);
	assert_int_equal(small.len, 0);
	us_buf_free(&b);
	us_buf_free(&small);
}

static void
numbers_are_distinct_and_directed(void **state)
{
	struct us_msg_info a;
	unsigned known = 0;

	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++)
		known += (unsigned)us_msg_info((uint16_t)type, &a);
#define X(name, number, from, to, max) +1u
	assert_int_equal(known, 0u US_MESSAGES(X));
#undef X
	assert_int_equal(us_msg_info(US_MSG_log, &a), 1);
	assert_int_equal(a.from, US_ROLE_VAULT);
	assert_int_equal(a.to, US_ROLE_KEEPER);
	assert_true(us_msg_may_go(&a, US_ROLE_VAULT, US_ROLE_KEEPER));
	assert_false(us_msg_may_go(&a, US_ROLE_KEEPER, US_ROLE_VAULT));
	assert_false(us_msg_may_go(&a, US_ROLE_FRONT, US_ROLE_KEEPER));
	/* handed on, but not past the vault, nor back */
	assert_int_equal(us_msg_info(US_MSG_share_request, &a), 1);
	assert_true(us_msg_may_go(&a, US_ROLE_FRONT, US_ROLE_VAULT));
	assert_true(us_msg_may_go(&a, US_ROLE_VAULT, US_ROLE_KEEPER));
	assert_false(us_msg_may_go(&a, US_ROLE_FRONT, US_ROLE_KEEPER));
	assert_false(us_msg_may_go(&a, US_ROLE_SEALER, US_ROLE_KEEPER));
	assert_false(us_msg_may_go(&a, US_ROLE_KEEPER, US_ROLE_VAULT));
	/* what the vault opens stays there; roles for all */
	assert_int_equal(us_msg_info(US_MSG_read_request, &a), 1);
	assert_true(us_msg_may_go(&a, US_ROLE_FRONT, US_ROLE_VAULT));
	assert_false(us_msg_may_go(&a, US_ROLE_VAULT, US_ROLE_KEEPER));
	assert_int_equal(us_msg_info(US_MSG_ready, &a), 1);
	assert_true(us_msg_may_go(&a, US_ROLE_FRONT, US_ROLE_MONITOR));
	assert_false(us_msg_may_go(&a, US_ROLE_FRONT, US_ROLE_VAULT));
	assert_int_equal(us_msg_check(0xffff, "", 0), US_ERR_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_cut_and_every_surplus_is_refused),
		cmocka_unit_test(fields_stand_as_the_list_says),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(numbers_are_distinct_and_directed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
