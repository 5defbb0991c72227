/* Goal: frames arrive whole and in order however they are cut; a peer that sends what it may not
 * is dropped, not obeyed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "common/err.h"
#include "daemon/lib/channel.h"

struct side {
	struct us_channel *ch;
	unsigned messages;
	unsigned batches;
	size_t bytes;
	uint32_t last_tag;
	int closed;
};

static int
take(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body, int fd)
{
	struct side *s = ctx;
	struct us_msg_reply m;

	(void)ch;
	(void)fd;
	if (type != US_MSG_reply)
		return US_OK;
	s->messages++;
	s->last_tag = tag;
	assert_int_equal(us_msg_reply_decode(&m, body.p, body.n), US_OK);
	s->bytes += m.body.n;
	return US_OK;
}

static void
gone(void *ctx, struct us_channel *ch, int err)
{
	struct side *s = ctx;

	(void)ch;
	s->closed = err;
	s->ch = NULL;
}

static void
batch_end(void *ctx, struct us_channel *ch)
{
	struct side *s = ctx;

	(void)ch;
	s->batches++;
}

static const struct us_channel_handler handler = { take, gone, batch_end };

static void
turn(struct event_base *base, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
many_and_large_frames(void **state)
{
	struct event_base *base = event_base_new();
	struct side vault = { 0 }, front = { 0 };
	static uint8_t large[1000000];
	struct us_msg_reply m = { .status = 200, .body = { large, sizeof large } };
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	vault.ch = us_channel_new(base, fd[0], US_ROLE_VAULT, US_ROLE_FRONT, 0, &handler, &vault);
	front.ch = us_channel_new(base, fd[1], US_ROLE_FRONT, US_ROLE_VAULT, 0, &handler, &front);
	for (uint32_t i = 1; i <= 1000; i++) {
		m.body.n = i % 100 == 0 ? sizeof large : i;
		assert_int_equal(us_send_reply(vault.ch, i, &m), US_OK);
	}
	for (unsigned i = 0; i < 10000 && front.messages < 1000; i++)
		turn(base, 1);
	assert_int_equal(front.messages, 1000);
	assert_int_equal(front.last_tag, 1000);
	assert_true(front.batches < front.messages);
	us_channel_free(vault.ch);
	turn(base, 3);
	assert_int_equal(front.closed, US_ERR_CLOSED);
	event_base_free(base);
}

static void
expect_dropped(const uint8_t *frame, size_t n)
{
	struct event_base *base = event_base_new();
	struct side vault = { 0 };
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	vault.ch = us_channel_new(base, fd[0], US_ROLE_VAULT, US_ROLE_FRONT, 0, &handler, &vault);
	assert_int_equal(write(fd[1], frame, n), (ssize_t)n);
	turn(base, 4);
	assert_int_equal(vault.closed, US_ERR_FORMAT);
	assert_int_equal(vault.messages, 0);
	(void)close(fd[1]);
	event_base_free(base);
}

static void
forbidden_frames(void **state)
{
	/* a type of the keeper's, one that goes the other way, an unknown one, one too long, one
	 * with its reserved bytes set */
	static const uint8_t keepers[12] = { 0, 0, 0, 0, 0x06, 0x88 };
	static const uint8_t replies[12] = { 0, 0, 0, 0, 0x01, 0x81 };
	static const uint8_t unknown[12] = { 0, 0, 0, 0, 0x7f, 0x01 };
	static const uint8_t longer[12] = { 0, 0, 1, 1, 0x01, 0x01 };
	static const uint8_t reserved[12] = { 0, 0, 0, 0, 0x01, 0x01, 0, 1 };

	(void)state;
	expect_dropped(keepers, sizeof keepers);
	expect_dropped(replies, sizeof replies);
	expect_dropped(unknown, sizeof unknown);
	expect_dropped(longer, sizeof longer);
	expect_dropped(reserved, sizeof reserved);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_and_large_frames),
		cmocka_unit_test(forbidden_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
