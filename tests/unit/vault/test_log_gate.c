/* Goal: how much of the log may be under way, for a credential and in all; who waits, in which
 * turn, and who is told to come back; that an answer is under way until its client has it; and that
 * no answer is lost or cut when a front does not take what it is sent. The test is the keeper and
 * the fronts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/err.h"
#include "tests/unit/vault/rooms.h"

#define TAGS 2048u
#define LARGE 1000000u
#define REPLY_PIECE (256u * 1024u)        /* of an answer, in one message (engine.c) */
#define BACKLOG_MAX (64u * 1024u * 1024u) /* of questions (take.c) */

/* What came back for one request. */
struct answer {
	uint16_t status, retry_after;
	int last;
	size_t n;
};

struct fixture {
	struct event_base *base;
	struct rooms *rooms;
	struct us_channel *vault_keeper, *vault_front; /* the vault's ends */
	struct us_channel *keeper;                     /* its end */
	int front;            /* its end: frames are read when the test wants it */
	uint32_t asked[TAGS]; /* tags of the vault's questions, in order */
	size_t n_asked, n_answered;
	unsigned over_limit; /* refusals that the keeper was told of */
	struct answer answer[TAGS];
	struct us_buf in; /* what was read and is no whole frame */
	size_t front_read;
};

static int
on_question(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct fixture *f = ctx;
	struct us_msg_noise noise;

	(void)ch;
	(void)fd;
	if (type == US_MSG_noise) {
		assert_int_equal(us_msg_noise_decode(&noise, body.p, body.n), US_OK);
		assert_int_equal(noise.counts.n, 5);
		assert_int_equal(noise.counts.p[0], US_REASON_OVER_LIMIT);
		f->over_limit += us_load_u32(noise.counts.p + 1);
		return US_OK;
	}
	assert_int_equal(type, US_MSG_log_read);
	assert_true(f->n_asked < TAGS);
	f->asked[f->n_asked++] = tag;
	return US_OK;
}

static void
on_close(void *ctx, struct us_channel *ch, int err)
{
	(void)ctx;
	(void)ch;
	(void)err;
}

static int
on_keeper(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	(void)ch;
	(void)fd;
	return us_vault_keeper_answer(((struct fixture *)ctx)->rooms->vault.keeper, type, tag,
	    body);
}

static int
on_front(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct rooms *r = ((struct fixture *)ctx)->rooms;
	struct us_msg_credit credit;

	(void)ch;
	(void)fd;
	switch (type) {
	case US_MSG_credit:
		assert_int_equal(us_msg_credit_decode(&credit, body.p, body.n), US_OK);
		us_vault_request_credit(r->front, tag, credit.bytes);
		return US_OK;
	case US_MSG_cancel:
		us_vault_request_cancel(r->front, tag);
		return US_OK;
	default:
		return us_vault_request_take(&r->vault, us_vault_kinds, r->front, type, tag, body);
	}
}

static void
on_front_drained(void *ctx, struct us_channel *ch)
{
	(void)ch;
	us_vault_front_drained(((struct fixture *)ctx)->rooms->front);
}

static const struct us_channel_handler question_handler = { .on_message = on_question,
	.on_close = on_close };
static const struct us_channel_handler keeper_handler = { .on_message = on_keeper,
	.on_close = on_close };
static const struct us_channel_handler front_handler = { .on_message = on_front,
	.on_close = on_close,
	.on_drained = on_front_drained };

static struct us_vault_gate *
gate_of(const struct fixture *f)
{
	return f->rooms->vault.log_gate;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int fd[2];

	assert_non_null(f);
	f->base = event_base_new();
	f->rooms = rooms_open(f->base, NULL, NULL, NULL);
	us_buf_init(&f->in, 64u << 20);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	f->vault_keeper = us_channel_new(f->base, fd[0], US_ROLE_VAULT, US_ROLE_KEEPER, 0,
	    &keeper_handler, f);
	us_vault_keeper_connect(f->rooms->vault.keeper, f->vault_keeper);
	f->keeper = us_channel_new(f->base, fd[1], US_ROLE_KEEPER, US_ROLE_VAULT, 0,
	    &question_handler, f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	f->vault_front = us_channel_new(f->base, fd[0], US_ROLE_VAULT, US_ROLE_FRONT, 0,
	    &front_handler, f);
	us_vault_front_connect(f->rooms->front, f->vault_front);
	f->front = fd[1];
	assert_int_equal(fcntl(f->front, F_SETFL, O_NONBLOCK), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	us_vault_requests_drop(f->rooms->front, US_REASON_CUT);
	assert_int_equal(us_vault_gate_under_way(gate_of(f)), 0);
	assert_int_equal(us_vault_gate_waiting(gate_of(f)), 0);
	us_channel_free(f->vault_front);
	us_channel_free(f->vault_keeper);
	us_channel_free(f->keeper);
	rooms_close(f->rooms);
	(void)close(f->front);
	us_buf_free(&f->in);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void
turn(struct fixture *f)
{
	for (int i = 0; i < 6; i++)
		(void)event_base_loop(f->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void
put_frame(struct fixture *f, uint16_t type, uint32_t tag, const struct us_buf *body)
{
	uint8_t header[US_FRAME_HEADER];

	us_frame_header(header, type, tag, (uint32_t)body->len);
	assert_int_equal(write(f->front, header, sizeof header), (ssize_t)sizeof header);
	assert_int_equal(write(f->front, body->data, body->len), (ssize_t)body->len);
}

/* tag: of the request, below TAGS. */
static void
ask(struct fixture *f, uint8_t who, uint32_t tag)
{
	struct us_msg_log_request m = { .peer = us_bytes_of("1.2.3.4:5"),
		.path = us_bytes_of("tile/entries/000") };
	struct us_buf b;

	memset(m.credential, who, sizeof m.credential);
	us_buf_init(&b, 512);
	assert_int_equal(us_msg_log_request_encode(&b, &m), US_OK);
	put_frame(f, US_MSG_log_request, tag, &b);
	us_buf_free(&b);
	turn(f);
}

/* The keeper answers the oldest question that has no answer. */
static void
serve(struct fixture *f, size_t n)
{
	static uint8_t data[LARGE];
	const struct us_msg_log_data m = { .data = { data, n } };

	assert_true(f->n_answered < f->n_asked);
	assert_int_equal(us_send_log_data(f->keeper, f->asked[f->n_answered++], &m), US_OK);
	turn(f);
}

static void
take_frame(struct fixture *f, uint16_t type, uint32_t tag, struct us_bytes body)
{
	struct answer *a = &f->answer[tag];
	struct us_msg_reply_more more;
	struct us_msg_reply first;

	assert_true(tag < TAGS);
	assert_false(a->last);
	if (type == US_MSG_reply) {
		assert_int_equal(us_msg_reply_decode(&first, body.p, body.n), US_OK);
		assert_int_equal(a->status, 0);
		a->status = first.status;
		a->retry_after = first.retry_after;
		a->n = first.body.n;
		a->last = first.last;
	} else {
		assert_int_equal(type, US_MSG_reply_more);
		assert_int_equal(us_msg_reply_more_decode(&more, body.p, body.n), US_OK);
		assert_int_not_equal(a->status, 0);
		a->n += more.body.n;
		a->last = more.last;
	}
}

/* The front takes what there is. */
static void
listen_to(struct fixture *f)
{
	uint8_t *to;
	ssize_t n;

	for (int idle = 0; idle < 4;) {
		turn(f);
		assert_int_equal(us_buf_reserve(&f->in, 1 << 20, &to), US_OK);
		n = read(f->front, to, 1 << 20);
		idle = n > 0 ? 0 : idle + 1;
		if (n > 0) {
			f->in.len += (size_t)n;
			f->front_read += (size_t)n;
		}
		while (f->in.len >= US_FRAME_HEADER &&
		    f->in.len - US_FRAME_HEADER >= us_load_u32(f->in.data)) {
			const uint32_t size = us_load_u32(f->in.data);

			take_frame(f, us_load_u16(f->in.data + 4), us_load_u32(f->in.data + 8),
			    (struct us_bytes){ f->in.data + US_FRAME_HEADER, size });
			us_buf_consume(&f->in, US_FRAME_HEADER + size);
		}
	}
}

/* The client of that request has taken n bytes. */
static void
credit(struct fixture *f, uint32_t tag, uint32_t n)
{
	const struct us_msg_credit m = { .bytes = n };
	struct us_buf b;

	us_buf_init(&b, 16);
	assert_int_equal(us_msg_credit_encode(&b, &m), US_OK);
	put_frame(f, US_MSG_credit, tag, &b);
	us_buf_free(&b);
	turn(f);
}

static size_t
count(const struct fixture *f, uint16_t status)
{
	size_t n = 0;

	for (size_t i = 0; i < TAGS; i++)
		n += f->answer[i].last && f->answer[i].status == status;
	return n;
}

/* --- tests ---------------------------------------------------------------------------- */

static void
one_credential(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 100; i++)
		ask(f, 'a', i);
	assert_int_equal(f->n_asked, LOG_GATE_OWN);
	assert_int_equal(us_vault_gate_waiting(gate_of(f)), LOG_GATE_WAITING);
	listen_to(f);
	assert_int_equal(count(f, 429), 100 - LOG_GATE_OWN - LOG_GATE_WAITING);
	assert_int_equal(f->over_limit, 100 - LOG_GATE_OWN - LOG_GATE_WAITING);
	assert_int_equal(f->answer[99].status, 429);
	assert_int_equal(f->answer[99].retry_after, 1);
	while (f->n_answered < f->n_asked) {
		serve(f, 500);
		assert_true(us_vault_gate_under_way(gate_of(f)) <= LOG_GATE_OWN);
	}
	listen_to(f);
	assert_int_equal(count(f, 200), LOG_GATE_OWN + LOG_GATE_WAITING);
	/* and it is open again */
	ask(f, 'a', 200);
	assert_int_equal(f->n_asked, LOG_GATE_OWN + LOG_GATE_WAITING + 1);
}

static void
all_credentials(void **state)
{
	struct fixture *f = *state;
	uint32_t tag = 0;

	for (uint8_t who = 1; who <= 4; who++)
		for (unsigned i = 0; i < LOG_GATE_OWN + 2; i++)
			ask(f, who, tag++);
	assert_int_equal(us_vault_gate_under_way(gate_of(f)), LOG_GATE_ALL);
	/* who has none may begin one, all the same */
	for (unsigned i = 0; i < 3; i++)
		ask(f, 100, tag++);
	assert_int_equal(us_vault_gate_under_way(gate_of(f)), LOG_GATE_ALL + 1);
	for (uint8_t who = 101; who < 200; who++)
		ask(f, who, tag++);
	assert_int_equal(us_vault_gate_under_way(gate_of(f)), LOG_GATE_MOST);
	assert_int_equal(f->n_asked, LOG_GATE_MOST);
	listen_to(f);
	assert_int_equal(count(f, 429), 0);
	while (f->n_answered < f->n_asked) {
		serve(f, 500);
		assert_true(us_vault_gate_under_way(gate_of(f)) <= LOG_GATE_MOST);
	}
	listen_to(f);
	assert_int_equal(count(f, 200), tag);
}

/* Five ask at once for more than may be under way: each gets its share, the last of them too. */
static void
credentials_take_turns(void **state)
{
	struct fixture *f = *state;

	for (uint8_t who = 1; who <= 5; who++)
		for (uint32_t i = 0; i < 60; i++)
			ask(f, who, who * 100u + i);
	for (unsigned i = 0; i < 150; i++) {
		serve(f, 500);
		if (i % 10 == 9)
			listen_to(f);
	}
	for (uint32_t who = 1; who <= 5; who++) {
		unsigned served = 0;

		for (uint32_t i = 0; i < 60; i++)
			served += (unsigned)f->answer[who * 100 + i].last;
		assert_in_range(served, 22, 38);
	}
}

static void
under_way_until_the_client_has_it(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < LOG_GATE_OWN + 1; i++)
		ask(f, 'a', i);
	for (uint32_t i = 0; i < LOG_GATE_OWN; i++)
		serve(f, LARGE);
	listen_to(f);
	/* all of it is with the front; nobody has taken it */
	for (uint32_t i = 0; i < LOG_GATE_OWN; i++) {
		assert_int_equal(f->answer[i].n, LARGE);
		assert_false(f->answer[i].last);
	}
	assert_int_equal(f->n_asked, LOG_GATE_OWN);
	credit(f, 3, LARGE - 1);
	listen_to(f);
	assert_false(f->answer[3].last);
	credit(f, 3, 1);
	listen_to(f);
	assert_true(f->answer[3].last);
	assert_int_equal(f->answer[3].n, LARGE);
	assert_int_equal(f->n_asked, LOG_GATE_OWN + 1);
	/* a small one is with its front when it is sent */
	serve(f, 500);
	listen_to(f);
	assert_true(f->answer[LOG_GATE_OWN].last);
}

static void
who_goes_makes_room(void **state)
{
	struct fixture *f = *state;
	const struct us_msg_cancel m = { 0 };
	struct us_buf b;

	us_buf_init(&b, 16);
	assert_int_equal(us_msg_cancel_encode(&b, &m), US_OK);
	for (uint32_t i = 0; i < LOG_GATE_OWN + 4; i++)
		ask(f, 'a', i);
	put_frame(f, US_MSG_cancel, LOG_GATE_OWN + 1, &b); /* that waits, in the middle */
	turn(f);
	assert_int_equal(us_vault_gate_waiting(gate_of(f)), 3);
	put_frame(f, US_MSG_cancel, 0, &b);
	put_frame(f, US_MSG_cancel, 1, &b);
	put_frame(f, US_MSG_cancel, LOG_GATE_OWN + 3, &b); /* the last of all */
	turn(f);
	assert_int_equal(us_vault_gate_waiting(gate_of(f)), 0);
	assert_int_equal(us_vault_gate_under_way(gate_of(f)), LOG_GATE_OWN);
	assert_int_equal(f->n_asked, LOG_GATE_OWN + 2);
	us_vault_requests_drop(f->rooms->front, US_REASON_GONE);
	turn(f);
	assert_int_equal(us_vault_gate_under_way(gate_of(f)), 0);
	us_buf_free(&b);
}

/* 40 MB for a front that stands still: they wait as answers, not in its channel, and leave whole
 * when it goes on. */
static void
a_front_that_stands_still(void **state)
{
	struct fixture *f = *state;
	struct us_channel *ch = f->vault_front;

	for (uint32_t i = 0; i < 40; i++)
		ask(f, (uint8_t)(i + 1), i);
	assert_int_equal(f->n_asked, 40);
	while (f->n_answered < 40) {
		serve(f, LARGE);
		assert_true(us_channel_backlog(ch) <= US_CHANNEL_HIGH + REPLY_PIECE + 1024);
	}
	assert_true(us_channel_is_high(ch));
	/* nothing is taken from it meanwhile, so this waits in the socket */
	ask(f, 200, 50);
	assert_int_equal(f->n_asked, 40);
	listen_to(f);
	assert_int_equal(f->n_asked, 41);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(f->answer[i].n, LARGE);
		credit(f, i, LARGE);
	}
	serve(f, 500);
	listen_to(f);
	assert_int_equal(count(f, 200), 41);
}

/* The keeper stands still: what is asked of it does not pile up without end. */
static void
a_keeper_that_stands_still(void **state)
{
	struct fixture *f = *state;
	static uint8_t note[16384];
	const struct us_msg_cosign_request m = { .note = { note, sizeof note } };

	while (us_channel_backlog(f->vault_keeper) <= BACKLOG_MAX)
		assert_int_equal(us_send_cosign_request(f->vault_keeper, 0, &m), US_OK);
	{
		struct us_msg_log_request q = { .path = us_bytes_of("checkpoint") };
		struct us_buf b;

		us_buf_init(&b, 512);
		assert_int_equal(us_msg_log_request_encode(&b, &q), US_OK);
		assert_int_equal(us_vault_request_take(&f->rooms->vault, us_vault_kinds,
				     f->rooms->front, US_MSG_log_request, 7,
				     (struct us_bytes){ b.data, b.len }),
		    US_OK);
		us_buf_free(&b);
	}
	assert_int_equal(us_vault_front_requests(f->rooms->front), 0);
	us_channel_flush(f->vault_front);
	{
		uint8_t frame[4096];
		struct us_msg_reply reply;
		ssize_t n = read(f->front, frame, sizeof frame);

		assert_true(n > (ssize_t)US_FRAME_HEADER);
		assert_int_equal(us_msg_reply_decode(&reply, frame + US_FRAME_HEADER,
				     (size_t)n - US_FRAME_HEADER),
		    US_OK);
		assert_int_equal(reply.status, 503);
		assert_int_equal(reply.retry_after, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_credential, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(credentials_take_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(under_way_until_the_client_has_it, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(who_goes_makes_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_front_that_stands_still, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_keeper_that_stands_still, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
