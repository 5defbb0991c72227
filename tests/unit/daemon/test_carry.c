/* Goal: what was counted and could be told nobody is kept until a keeper has it: one that has
 * ended, or has hung up because it is about to, has not. */
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

static int
no_message(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	(void)ctx;
	(void)ch;
	(void)type;
	(void)tag;
	(void)body;
	(void)fd;
	return US_ERR_MALFORMED;
}

static void
gone(void *ctx, struct us_channel *ch, int err)
{
	(void)ch;
	(void)err;
	((struct us_child *)ctx)->control = NULL;
}

static const struct us_channel_handler handler = { .on_message = no_message, .on_close = gone };

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
