/* Goal: what was counted and could be told nobody is kept until a keeper has it: one that has
 * ended, or has hung up because it is about to, has not. And what a keeper says last is heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/err.h"
#include "daemon/monitor/internal.h"

enum keeper { LISTENS, HAS_HUNG_UP, HAS_ENDED, NONE };

static unsigned heard;

static int
last_word(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	(void)ctx;
	(void)ch;
	(void)tag;
	(void)body;
	(void)fd;
	heard++;
	return type == US_MSG_uncounted ? US_OK : US_ERR_MALFORMED;
}

static void
gone(void *ctx, struct us_channel *ch, int err)
{
	(void)ch;
	(void)err;
	((struct us_child *)ctx)->control = NULL;
}

static const struct us_channel_handler handler = { .on_message = last_word, .on_close = gone };

/* What a keeper says last, of its own counts. */
static void
say_last(int fd)
{
	static const uint8_t counts[5] = { 1, 0, 0, 0, 3 };
	const struct us_msg_uncounted m = { .counts = { counts, sizeof counts } };
	uint8_t frame[US_FRAME_HEADER + 64];
	struct us_buf body;

	us_buf_init(&body, 64);
	assert_int_equal(us_msg_uncounted_encode(&body, &m), US_OK);
	us_frame_header(frame, US_MSG_uncounted, 0, (uint32_t)body.len);
	memcpy(frame + US_FRAME_HEADER, body.data, body.len);
	assert_int_equal(write(fd, frame, US_FRAME_HEADER + body.len),
	    (ssize_t)(US_FRAME_HEADER + body.len));
	us_buf_free(&body);
}

/* The monitor carries, or tells that somebody died, while the keeper hangs up, says its last and
 * ends: it is heard all the same, once. */
static void
last_words_are_heard_behind_a_failure(void **state)
{
	static const uint8_t counts[5] = { 1, 0, 0, 0, 9 };

	(void)state;
	for (int waits = 0; waits < 2; waits++) {
		const struct us_msg_died died = { .role = US_ROLE_FRONT };
		struct us_monitor m = { .base = event_base_new() };
		struct us_child c = { .monitor = &m, .role = US_ROLE_KEEPER, .pid = getpid() };
		int fd[2];

		heard = 0;
		us_buf_init(&m.uncounted, 64);
		assert_int_equal(us_buf_put(&m.uncounted, counts, sizeof counts), US_OK);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		c.control = us_channel_new(m.base, fd[0], US_ROLE_MONITOR, US_ROLE_KEEPER, 0,
		    &handler, &c);
		assert_int_equal(shutdown(fd[1], SHUT_RD), 0);
		if (waits) {
			/* the loop finds out, once the last word is there */
			assert_int_equal(us_send_died(c.control, 0, &died), US_OK);
			say_last(fd[1]);
			(void)close(fd[1]);
			(void)event_base_loop(m.base, EVLOOP_ONCE);
			assert_null(c.control);
		} else {
			us_child_carry(&m, &c);
			assert_int_equal(m.uncounted.len, sizeof counts);
			say_last(fd[1]);
			(void)close(fd[1]);
			us_channel_drain(c.control);
		}
		assert_int_equal(heard, 1);
		us_channel_free(c.control);
		us_buf_free(&m.uncounted);
		event_base_free(m.base);
	}
}

/* How many bytes of counts are left behind, after one try. */
static size_t
left_after(enum keeper what)
{
	static const uint8_t counts[5] = { 1, 0, 0, 0, 9 };
	struct us_monitor m = { .base = event_base_new() };
	struct us_child c = { .monitor = &m, .role = US_ROLE_KEEPER, .pid = getpid() };
	size_t left;
	int fd[2];

	us_buf_init(&m.uncounted, 64);
	assert_int_equal(us_buf_put(&m.uncounted, counts, sizeof counts), US_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	c.control = us_channel_new(m.base, fd[0], US_ROLE_MONITOR, US_ROLE_KEEPER, 0, &handler, &c);
	if (what == HAS_HUNG_UP)
		assert_int_equal(shutdown(fd[1], SHUT_RD), 0);
	if (what == HAS_ENDED)
		(void)close(fd[1]);
	if (what == NONE)
		c.pid = 0;
	us_child_carry(&m, &c);
	left = m.uncounted.len;
	us_child_carry(&m, &c); /* which knows by now */
	assert_int_equal(m.uncounted.len, left);
	if (what != HAS_ENDED)
		(void)close(fd[1]);
	us_channel_free(c.control);
	us_buf_free(&m.uncounted);
	event_base_free(m.base);
	return left;
}

static void
counts_are_kept_until_a_keeper_has_them(void **state)
{
	(void)state;
	assert_int_equal(left_after(LISTENS), 0);
	assert_int_equal(left_after(HAS_HUNG_UP), 5);
	assert_int_equal(left_after(HAS_ENDED), 5);
	assert_int_equal(left_after(NONE), 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_kept_until_a_keeper_has_them),
		cmocka_unit_test(last_words_are_heard_behind_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
