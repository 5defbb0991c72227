/* Goal: frames arrive whole and in order however they are cut; a peer that sends what it may not
 * is dropped, not obeyed; nobody is called malformed for what we could not do; a peer that does not
 * take what it asked for is not listened to until it does, if it is the less trusted one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/err.h"
#include "daemon/process/channel_internal.h"

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

static const struct us_channel_handler handler = { .on_message = take,
	.on_close = gone,
	.on_batch_end = batch_end };

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
	assert_int_equal(vault.closed, US_ERR_MALFORMED);
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

/* --- back-pressure --------------------------------------------------------------------- */

#define ANSWER 1000000u
#define QUESTIONS 100u

static uint8_t answer_bytes[ANSWER];

/* One end with a channel, the other a bare descriptor. */
struct half {
	struct event_base *base;
	struct us_channel *ch;
	int fd;
	unsigned taken, drained;
	size_t answer; /* bytes of the answer to each question; 0: none */
	int err;       /* that the handler returns */
	int closed;
};

static int
take_question(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct half *h = ctx;
	struct us_msg_reply m = { .status = 200, .last = 1, .body = { answer_bytes, h->answer } };

	(void)type;
	(void)body;
	(void)fd;
	h->taken++;
	if (h->answer > 0)
		assert_int_equal(us_send_reply(ch, tag, &m), US_OK);
	return h->err;
}

static void
half_gone(void *ctx, struct us_channel *ch, int err)
{
	struct half *h = ctx;

	(void)ch;
	h->closed = err;
	h->ch = NULL;
}

static void
half_drained(void *ctx, struct us_channel *ch)
{
	struct half *h = ctx;

	h->drained++;
	assert_false(us_channel_is_high(ch));
}

static const struct us_channel_handler half_handler = { .on_message = take_question,
	.on_close = half_gone,
	.on_drained = half_drained };

static void
half_open(struct half *h, enum us_role own, enum us_role peer)
{
	int fd[2];

	memset(h, 0, sizeof *h);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	h->base = event_base_new();
	h->ch = us_channel_new(h->base, fd[0], own, peer, 3, &half_handler, h);
	h->fd = fd[1];
	assert_int_equal(fcntl(h->fd, F_SETFL, O_NONBLOCK), 0);
}

static void
half_close(struct half *h)
{
	us_channel_free(h->ch);
	(void)close(h->fd);
	event_base_free(h->base);
}

static void
put_empty(int fd, uint16_t type, uint32_t tag, size_t n)
{
	uint8_t frame[US_FRAME_HEADER + 256] = { 0 };

	us_frame_header(frame, type, tag, (uint32_t)n);
	assert_int_equal(write(fd, frame, US_FRAME_HEADER + n), (ssize_t)(US_FRAME_HEADER + n));
}

/* Takes what there is; counts the tags, which must come one after the other. */
static size_t
read_answers(struct half *h, uint32_t *tag)
{
	static uint8_t bytes[1 << 20];
	static size_t skip, head_n;
	static uint8_t head[US_FRAME_HEADER];
	size_t total = 0;
	ssize_t n;

	if (*tag == 0)
		skip = head_n = 0;
	while ((n = read(h->fd, bytes, sizeof bytes)) > 0) {
		total += (size_t)n;
		for (size_t at = 0; at < (size_t)n;) {
			size_t some = (size_t)n - at;

			if (skip > 0) {
				some = some < skip ? some : skip;
				skip -= some;
				at += some;
				continue;
			}
			head[head_n++] = bytes[at++];
			if (head_n < sizeof head)
				continue;
			head_n = 0;
			skip = us_load_u32(head);
			assert_int_equal(us_load_u32(head + 8), ++*tag);
		}
	}
	return total;
}

/* All questions are there before the first answer is taken. */
static void
who_does_not_take_answers_is_not_listened_to(void **state)
{
	uint32_t tag = 0;
	struct half h;

	(void)state;
	half_open(&h, US_ROLE_VAULT, US_ROLE_FRONT);
	h.answer = ANSWER;
	for (uint32_t i = 1; i <= QUESTIONS; i++)
		put_empty(h.fd, US_MSG_cancel, i, 0);
	turn(h.base, 50);
	assert_true(us_channel_is_high(h.ch));
	assert_true(h.taken > US_CHANNEL_HIGH / ANSWER && h.taken <= US_CHANNEL_HIGH / ANSWER + 3);
	assert_true(us_channel_backlog(h.ch) <= US_CHANNEL_HIGH + ANSWER + 1024);
	turn(h.base, 50);
	assert_true(h.taken <= US_CHANNEL_HIGH / ANSWER + 3);
	for (unsigned i = 0; i < 5000 && tag < QUESTIONS; i++) {
		(void)read_answers(&h, &tag);
		turn(h.base, 2);
		assert_true(us_channel_backlog(h.ch) <= US_CHANNEL_HIGH + ANSWER + 1024);
	}
	assert_int_equal(tag, QUESTIONS);
	assert_int_equal(h.taken, QUESTIONS);
	assert_true(h.drained >= 2);
	assert_int_equal(h.closed, 0);
	half_close(&h);
}

/* What the other has said before it ended is heard all the same. */
static void
last_words_are_heard(void **state)
{
	struct half h;

	(void)state;
	half_open(&h, US_ROLE_VAULT, US_ROLE_FRONT);
	h.answer = ANSWER;
	for (uint32_t i = 1; i <= 40; i++)
		put_empty(h.fd, US_MSG_cancel, i, 0);
	turn(h.base, 50);
	assert_true(h.taken < 40);
	us_channel_drain(h.ch);
	assert_int_equal(h.taken, 40);
	half_close(&h);
}

/* Who hangs up hears what was said, lets the other know that no more is taken, and can still say
 * what it has heard. */
static void
who_hangs_up_takes_no_more_and_still_speaks(void **state)
{
	uint8_t frame[US_FRAME_HEADER] = { 0 };
	const struct us_msg_reply m = { .status = 200, .last = 1 };
	struct half h;
	uint32_t tag = 0;

	(void)state;
	half_open(&h, US_ROLE_VAULT, US_ROLE_FRONT);
	put_empty(h.fd, US_MSG_cancel, 1, 0);
	put_empty(h.fd, US_MSG_cancel, 2, 0);
	us_channel_hang_up(h.ch);
	assert_int_equal(h.taken, 2);
	us_frame_header(frame, US_MSG_cancel, 3, 0);
	assert_int_equal(send(h.fd, frame, sizeof frame, MSG_NOSIGNAL), -1);
	assert_false(us_channel_is_gone(h.ch));
	assert_int_equal(us_send_reply(h.ch, 1, &m), US_OK);
	turn(h.base, 10);
	assert_true(read_answers(&h, &tag) > 0);
	assert_int_equal(tag, 1);
	assert_int_equal(h.taken, 2);
	assert_int_equal(h.closed, 0);
	/* and that the other is gone is known by speaking */
	(void)close(h.fd);
	assert_int_equal(us_send_reply(h.ch, 2, &m), US_OK);
	us_channel_flush(h.ch);
	assert_true(us_channel_is_gone(h.ch));
	turn(h.base, 10);
	assert_int_equal(h.closed, US_ERR_CLOSED);
	assert_null(h.ch);
	h.fd = -1;
	half_close(&h);
}

/* The less trusted side listens however much it has to say. */
static void
the_more_trusted_is_always_listened_to(void **state)
{
	struct half h;
	struct us_msg_act_request m = { .act = { answer_bytes, ANSWER } };

	(void)state;
	half_open(&h, US_ROLE_FRONT, US_ROLE_VAULT);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(us_send_act_request(h.ch, i, &m), US_OK);
	turn(h.base, 10);
	assert_true(us_channel_is_high(h.ch));
	put_empty(h.fd, US_MSG_reply, 1, 0);
	turn(h.base, 10);
	assert_int_equal(h.taken, 1);
	half_close(&h);
}

static void
small_messages_have_a_reserve(void **state)
{
	struct us_msg_act_request large = { .act = { answer_bytes, ANSWER } };
	struct us_msg_cancel cancel = { 0 };
	struct us_msg_share_request too_long = { .sealed = { answer_bytes, 5000 } };
	uint32_t n = 0;
	struct half h;
	size_t full;
	int err;

	(void)state;
	half_open(&h, US_ROLE_FRONT, US_ROLE_VAULT);
	while ((err = us_send_act_request(h.ch, n, &large)) == US_OK && n < 1000)
		n++;
	assert_int_equal(err, US_ERR_FULL);
	full = us_channel_backlog(h.ch);
	assert_true(full > 200u << 20 && full <= 256u << 20);
	assert_int_equal(us_send_act_request(h.ch, n, &large), US_ERR_FULL);
	assert_int_equal(us_channel_backlog(h.ch), full); /* nothing of it stays */
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(us_send_cancel(h.ch, i, &cancel), US_OK);
	assert_int_equal(us_send_act_request(h.ch, n, &large), US_ERR_FULL);
	/* a field beyond its maximum is our own bug, and no limit of the channel's */
	assert_int_equal(us_send_share_request(h.ch, n, &too_long), US_ERR_INTERNAL);
	half_close(&h);
}

/* Something always waits, and yet what has left is not kept. */
static void
memory_follows_what_waits(void **state)
{
	struct us_msg_act_request m = { .act = { answer_bytes, ANSWER } };
	static uint8_t bytes[1 << 20];
	struct half h;

	(void)state;
	half_open(&h, US_ROLE_FRONT, US_ROLE_VAULT);
	for (unsigned i = 0; i < 1000; i++) { /* a gigabyte in all */
		assert_int_equal(us_send_act_request(h.ch, i, &m), US_OK);
		while (us_channel_backlog(h.ch) > 3u << 20) {
			(void)!read(h.fd, bytes, sizeof bytes);
			turn(h.base, 1);
		}
	}
	assert_true(us_channel_backlog(h.ch) > 0);
	assert_true(h.ch->out.cap <= 16u << 20);
	half_close(&h);
}

/* --- whose fault ----------------------------------------------------------------------- */

/* What a process says and how it ends (as of waitpid) when its handler returns err. */
static int
end_of(enum us_role own, enum us_role peer, uint16_t type, int err, char said[2048])
{
	int fd[2], status;
	size_t n = 0;
	ssize_t k;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct half h;

		(void)dup2(fd[1], 2);
		(void)signal(SIGABRT, SIG_DFL);
		half_open(&h, own, peer);
		h.err = err;
		put_empty(h.fd, type, 1, 0);
		turn(h.base, 10);
		_exit(h.closed == err ? 0 : 99);
	}
	(void)close(fd[1]);
	while (n < 2047 && (k = read(fd[0], said + n, 2047 - n)) > 0)
		n += (size_t)k;
	said[n] = '\0';
	(void)close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
nobody_is_blamed_for_what_we_could_not_do(void **state)
{
	static const int ours[] = { US_ERR_NOMEM, US_ERR_FULL, US_ERR_LIMIT, US_ERR_FORMAT,
		US_ERR_TRUNCATED, US_ERR_RANGE, US_ERR_IO, US_ERR_CRYPTO, US_ERR_STATE, US_ERR_BUSY,
		US_ERR_INTERNAL };
	char said[2048];
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
		/* a less trusted peer loses its channel, and is told true */
		status = end_of(US_ROLE_VAULT, US_ROLE_FRONT, US_MSG_cancel, ours[i], said);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		assert_null(strstr(said, "malformed"));
		assert_non_null(strstr(said, us_strerror(ours[i])));
		assert_non_null(strstr(said, "front 3"));
		/* without a more trusted one a process has no use */
		status = end_of(US_ROLE_FRONT, US_ROLE_VAULT, US_MSG_reply, ours[i], said);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
		assert_null(strstr(said, "malformed"));
		assert_non_null(strstr(said, us_strerror(ours[i])));
	}
	status = end_of(US_ROLE_VAULT, US_ROLE_FRONT, US_MSG_cancel, US_ERR_MALFORMED, said);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_non_null(strstr(said, "malformed message (\"cancel\") from front 3"));
	status = end_of(US_ROLE_FRONT, US_ROLE_VAULT, US_MSG_reply, US_ERR_MALFORMED, said);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(said, "malformed"));
	/* a handler cannot say that the peer is gone */
	status = end_of(US_ROLE_VAULT, US_ROLE_FRONT, US_MSG_cancel, US_ERR_CLOSED, said);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 99);
	assert_non_null(strstr(said, us_strerror(US_ERR_INTERNAL)));
}

static void
decoders_blame_the_sender(void **state)
{
	unsigned types = 0;

	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		static uint8_t bytes[200000];
		struct us_msg_info info;

		if (!us_msg_info((uint16_t)type, &info))
			continue;
		types++;
		memset(bytes, 0xff, sizeof bytes); /* lengths beyond everything */
		assert_int_equal(us_err_blame(us_msg_check((uint16_t)type, bytes, sizeof bytes)),
		    US_BLAME_PEER);
	}
	assert_true(types > 60);
	assert_int_equal(us_err_blame(US_ERR_LIMIT), US_BLAME_OURS);
	assert_int_equal(us_err_blame(US_ERR_NOMEM), US_BLAME_MEMORY);
	assert_int_equal(us_err_blame(US_ERR_FULL), US_BLAME_SENDING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_and_large_frames),
		cmocka_unit_test(forbidden_frames),
		cmocka_unit_test(who_does_not_take_answers_is_not_listened_to),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(who_hangs_up_takes_no_more_and_still_speaks),
		cmocka_unit_test(the_more_trusted_is_always_listened_to),
		cmocka_unit_test(small_messages_have_a_reserve),
		cmocka_unit_test(memory_follows_what_waits),
		cmocka_unit_test(nobody_is_blamed_for_what_we_could_not_do),
		cmocka_unit_test(decoders_blame_the_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
