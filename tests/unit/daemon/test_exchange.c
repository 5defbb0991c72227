/* Goal: an answer is taken for no question but its own, and a line on which one failed asks none
 * any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/process/exchange.h"

#define SOON_MS 50

static int
encode_sign(struct us_buf *b, const void *m)
{
	return us_msg_tls_sign_encode(b, m);
}

static int
ask(struct us_line *line, struct us_buf *reply)
{
	const struct us_msg_tls_sign m = { .digest = us_bytes_of("digest") };
	const struct us_line_question question = { .type = US_MSG_tls_sign,
		.reply_type = US_MSG_tls_signature,
		.encode = encode_sign,
		.m = &m,
		.timeout_ms = SOON_MS };

	return us_line_ask(line, &question, reply);
}

/* Puts a frame with a body of n bytes that each are `fill` where the answer comes from. */
static void
put(int fd, uint16_t type, uint32_t tag, size_t n, int fill)
{
	uint8_t frame[US_FRAME_HEADER + 512];

	memset(frame + US_FRAME_HEADER, fill, n);
	us_frame_header(frame, type, tag, (uint32_t)n);
	assert_int_equal(write(fd, frame, US_FRAME_HEADER + n), (ssize_t)(US_FRAME_HEADER + n));
}

/* Bytes of the questions that wait at fd. */
static size_t
asked(int fd)
{
	uint8_t scrap[4096];
	ssize_t n = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);

	return n < 0 ? 0 : (size_t)n;
}

struct pair {
	int fd[2];
	struct us_line line;
	struct us_buf reply;
};

static void
set_up(struct pair *p)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p->fd), 0);
	us_line_init(&p->line, p->fd[0]);
	us_buf_init(&p->reply, 1024);
}

static void
tear_down(struct pair *p)
{
	us_buf_free(&p->reply);
	(void)close(p->fd[0]);
	(void)close(p->fd[1]);
}

static void
late_answers_are_dropped(void **state)
{
	struct pair p;

	(void)state;
	set_up(&p);
	put(p.fd[1], US_MSG_tls_signature, 1, 5, 'a');
	assert_int_equal(ask(&p.line, &p.reply), US_OK);
	assert_int_equal(p.reply.data[0], 'a');
	put(p.fd[1], US_MSG_tls_signature, 1, 400, 'a'); /* once more */
	put(p.fd[1], US_MSG_tls_signature, 77, 0, 0);
	put(p.fd[1], US_MSG_tls_signature, 2, 7, 'b');
	assert_int_equal(ask(&p.line, &p.reply), US_OK);
	assert_int_equal(p.reply.len, 7);
	assert_int_equal(p.reply.data[6], 'b');
	tear_down(&p);
}

/* Whatever goes wrong: from then on nothing is asked. */
static void
expect_ended(struct pair *p, int err)
{
	assert_int_equal(ask(&p->line, &p->reply), err);
	assert_true(p->line.ended);
	(void)asked(p->fd[1]);
	put(p->fd[1], US_MSG_tls_signature, p->line.tag + 1, 5, 'x');
	assert_int_equal(ask(&p->line, &p->reply), US_ERR_CLOSED);
	assert_int_equal(asked(p->fd[1]), 0);
	tear_down(p);
}

static void
a_failure_ends_the_line(void **state)
{
	struct pair p;

	(void)state;
	set_up(&p); /* no answer at all */
	expect_ended(&p, US_ERR_BUSY);
	set_up(&p); /* only a late one */
	put(p.fd[1], US_MSG_tls_signature, 0, 5, 'a');
	expect_ended(&p, US_ERR_BUSY);
	set_up(&p); /* half of one */
	assert_int_equal(write(p.fd[1], "\0\0\0\5\7\4\0\0", 8), 8);
	expect_ended(&p, US_ERR_BUSY);
}

static void
not_an_answer(void **state)
{
	struct pair p;

	(void)state;
	set_up(&p); /* of another type */
	put(p.fd[1], US_MSG_tls_identity_reply, 1, 5, 'a');
	expect_ended(&p, US_ERR_FORMAT);
	set_up(&p); /* of no type */
	put(p.fd[1], 0x7f01, 1, 5, 'a');
	expect_ended(&p, US_ERR_FORMAT);
	set_up(&p); /* longer than a signature may be */
	put(p.fd[1], US_MSG_tls_signature, 1, 0, 0);
	assert_int_equal(recv(p.fd[0], (uint8_t[US_FRAME_HEADER]){ 0 }, US_FRAME_HEADER, 0),
	    US_FRAME_HEADER);
	assert_int_equal(write(p.fd[1], "\0\0\2\1\7\4\0\0\0\0\0\1", 12), 12);
	expect_ended(&p, US_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_answers_are_dropped),
		cmocka_unit_test(a_failure_ends_the_line),
		cmocka_unit_test(not_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
