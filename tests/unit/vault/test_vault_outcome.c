/* Goal: what the vault tells the keeper of its answers: up to where all have ended, never past one
 * that has not; and of each that broke off, once, how, and how many records had left. The test is
 * the keeper. */
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
#include "daemon/vault/request/outcome.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"

#define OUTCOMES_MAX 1024

/* What was heard, all of it. */
struct heard {
	uint64_t ended;
	size_t messages, n;
	struct {
		uint64_t entry, sent;
		uint8_t reason;
	} of[OUTCOMES_MAX];
};

struct fixture {
	struct event_base *base;
	struct us_vault_state *state;
	struct us_vault_keeper *questions;
	struct us_vault_outcomes *outcomes;
	struct us_channel *vault, *keeper; /* their ends */
	struct heard heard;
};

static int
on_message(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct heard *h = ctx;
	struct us_msg_answers m;
	struct us_reader r;

	(void)ch;
	(void)tag;
	(void)fd;
	assert_int_equal(type, US_MSG_answers);
	assert_int_equal(us_msg_answers_decode(&m, body.p, body.n), US_OK);
	assert_true(m.ended >= h->ended);
	us_reader_init(&r, m.outcomes.p, m.outcomes.n);
	while (r.left > 0) {
		assert_true(h->n < OUTCOMES_MAX);
		h->of[h->n].entry = us_take_u64(&r);
		h->of[h->n].reason = us_take_u8(&r);
		h->of[h->n].sent = us_take_u64(&r);
		/* never of what was said to have ended */
		assert_true(h->of[h->n++].entry >= h->ended);
	}
	assert_int_equal(us_reader_end(&r), US_OK);
	h->ended = m.ended;
	h->messages++;
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
not_expected(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	(void)ctx;
	(void)ch;
	(void)type;
	(void)tag;
	(void)body;
	(void)fd;
	return US_ERR_FORMAT;
}

static const struct us_channel_handler keeper_handler = { .on_message = on_message,
	.on_close = on_close };
static const struct us_channel_handler vault_handler = { .on_message = not_expected,
	.on_close = on_close };

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int fd[2];

	assert_non_null(f);
	f->base = event_base_new();
	assert_non_null(f->base);
	assert_int_equal(us_vault_state_new(&f->state, 0), US_OK);
	assert_int_equal(us_vault_keeper_new(&f->questions, NULL), US_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	f->vault = us_channel_new(f->base, fd[0], US_ROLE_VAULT, US_ROLE_KEEPER, 0, &vault_handler,
	    f);
	f->keeper = us_channel_new(f->base, fd[1], US_ROLE_KEEPER, US_ROLE_VAULT, 0,
	    &keeper_handler, &f->heard);
	assert_non_null(f->vault);
	assert_non_null(f->keeper);
	us_vault_keeper_connect(f->questions, f->vault);
	assert_int_equal(us_vault_outcomes_new(&f->outcomes, f->base, f->state, f->questions),
	    US_OK);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	us_vault_outcomes_free(f->outcomes);
	us_channel_free(f->vault);
	us_channel_free(f->keeper);
	us_vault_keeper_free(f->questions);
	us_vault_state_free(f->state);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void
listen_to(struct fixture *f)
{
	us_vault_outcomes_tell(f->outcomes);
	for (int i = 0; i < 8; i++)
		(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
}

/* What outcomes know of a request. */
struct answer {
	struct fixture *f;
	struct us_vault_ending ending;
	struct us_buf out;
	size_t sent; /* bytes of it */
	uint32_t call;
	int asks;
};

static struct answer
answer_of(struct fixture *f)
{
	struct answer a = { .f = f };

	us_vault_outcome_begin(&a.ending);
	us_buf_init(&a.out, 65536);
	return a;
}

static void
give(struct answer *a, uint64_t entry)
{
	us_vault_outcome_answered(a->f->outcomes, entry);
	us_vault_outcome_granted(a->f->outcomes, &a->ending, entry);
}

/* As the engine does it. */
static void
end(struct answer *a, enum us_reason how)
{
	const struct us_bytes unsent = { a->out.data + a->sent, a->out.len - a->sent };

	a->ending.reason = how;
	if (a->call != 0 && a->asks)
		us_vault_outcome_orphan(a->f->outcomes, a->call, how);
	else if (a->ending.late == NULL)
		us_vault_keeper_call_forget(a->f->questions, a->call);
	us_vault_outcome_end(a->f->outcomes, &a->ending,
	    unsent.n == 0 ? (struct us_bytes){ NULL, 0 } : unsent);
	us_buf_free(&a->out);
}

static void
up_to_the_first_open_one(void **state)
{
	struct fixture *f = *state;
	struct answer a = answer_of(f), b = answer_of(f), c = answer_of(f);

	give(&a, 3);
	give(&b, 4);
	give(&c, 7);
	listen_to(f);
	assert_int_equal(f->heard.ended, 3);
	end(&b, US_REASON_NONE);
	listen_to(f);
	assert_int_equal(f->heard.ended, 3);
	give(&a, 9); /* a second entry of the same request */
	end(&a, US_REASON_NONE);
	listen_to(f);
	assert_int_equal(f->heard.ended, 7);
	end(&c, US_REASON_NONE);
	listen_to(f);
	assert_int_equal(f->heard.ended, 10);
	assert_int_equal(f->heard.n, 0);
	listen_to(f);
	assert_int_equal(f->heard.messages, 3); /* with nothing new, nothing is said */
}

static void
put(struct answer *r, const char *text, uint64_t records)
{
	assert_int_equal(us_buf_put(&r->out, text, strlen(text)), US_OK);
	r->ending.records += records;
}

static void
records_that_left(void **state)
{
	static const struct {
		const char *answer;
		uint64_t records; /* whole ones in it */
		size_t sent;      /* bytes */
		uint64_t left;
	} cases[] = {
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 0, 0 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 6, 0 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 7, 0 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 10, 0 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 11, 1 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 14, 1 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 15, 2 },
		{ "{head}\n{1}\n{2}\n{3}\n", 3, 19, 3 },
		{ "{head}\n{1}\n{2}\n{half", 2, 15, 2 },
		{ "{head}\n{1}\n{2}\n{half", 2, 18, 2 },
		{ "", 0, 0, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer r = answer_of(f);

		give(&r, 100 + i);
		put(&r, cases[i].answer, cases[i].records);
		r.sent = cases[i].sent;
		end(&r, US_REASON_CUT);
		listen_to(f);
		assert_int_equal(f->heard.n, i + 1);
		assert_int_equal(f->heard.of[i].entry, 100 + i);
		assert_int_equal(f->heard.of[i].reason, US_REASON_CUT);
		assert_int_equal(f->heard.of[i].sent, cases[i].left);
		assert_int_equal(f->heard.ended, 101 + i);
	}
}

/* Of several entries the newest is the one that breaks off; what was for the vault itself does
 * not. */
static void
of_the_newest_entry(void **state)
{
	struct fixture *f = *state;
	struct answer a = answer_of(f), b = answer_of(f);

	give(&a, 1);
	put(&a, "{head}\n{1}\n", 1);
	a.sent = a.out.len; /* all of it has left */
	give(&a, 2);
	end(&a, US_REASON_GONE);
	give(&b, 3);
	us_vault_outcome_whole(f->outcomes, &b.ending);
	end(&b, US_REASON_CUT);
	listen_to(f);
	assert_int_equal(f->heard.n, 1);
	assert_int_equal(f->heard.of[0].entry, 2);
	assert_int_equal(f->heard.of[0].reason, US_REASON_GONE);
	assert_int_equal(f->heard.of[0].sent, 0);
	assert_int_equal(f->heard.ended, 4);
}

static void
nobody(void *ctx, uint16_t type, struct us_bytes body)
{
	(void)ctx;
	(void)type;
	(void)body;
	fail_msg("the request that asked is gone");
}

static void
keeper_says(struct fixture *f, uint32_t call, int err, uint64_t index)
{
	const struct us_msg_logged m = { .err = (uint8_t)err, .index = index };
	struct us_buf b;

	us_buf_init(&b, 65536);
	assert_int_equal(us_msg_logged_encode(&b, &m), US_OK);
	assert_int_equal(us_vault_keeper_answer(f->questions, US_MSG_logged, call,
			     (struct us_bytes){ b.data, b.len }),
	    US_OK);
	us_buf_free(&b);
}

/* A request that ends while the keeper still writes its entry. */
static void
between_question_and_entry(void **state)
{
	struct fixture *f = *state;
	struct answer a = answer_of(f), b = answer_of(f), c = answer_of(f);
	uint32_t call[3];

	a.call = call[0] = us_vault_keeper_call(f->questions, nobody, &a);
	b.call = call[1] = us_vault_keeper_call(f->questions, nobody, &b);
	c.call = call[2] = us_vault_keeper_call(f->questions, nobody, &c);
	a.asks = b.asks = 1; /* c was to be refused anyway */
	end(&a, US_REASON_GONE);
	end(&b, US_REASON_CUT);
	end(&c, US_REASON_GONE);
	listen_to(f);
	assert_int_equal(f->heard.messages, 0);
	keeper_says(f, call[0], US_OK, 20);
	keeper_says(f, call[1], US_ERR_DENIED, 21);
	keeper_says(f, call[2], US_OK, 22);
	listen_to(f);
	assert_int_equal(f->heard.n, 1);
	assert_int_equal(f->heard.of[0].entry, 20);
	assert_int_equal(f->heard.of[0].reason, US_REASON_GONE);
	assert_int_equal(f->heard.ended, 22); /* of c nobody asked any more */
}

static void
checkpoint(struct fixture *f, uint64_t size)
{
	const struct us_msg_checkpoint m = { .tree_size = size };
	struct us_buf b;

	us_buf_init(&b, 4096);
	assert_int_equal(us_msg_checkpoint_encode(&b, &m), US_OK);
	assert_int_equal(us_vault_keeper_take_checkpoint(f->questions,
			     (struct us_bytes){ b.data, b.len }),
	    US_OK);
	us_buf_free(&b);
}

/* Outcomes never look into one. */
static struct us_vault_request *
request_of(struct answer *a)
{
	return (struct us_vault_request *)(void *)a;
}

/* Keys of the log come when the log is read: answers to later entries overtake them. */
static void
late_answers(void **state)
{
	struct fixture *f = *state;
	struct answer a = answer_of(f), b = answer_of(f), c = answer_of(f);
	struct answer gone = answer_of(f), refused = answer_of(f);
	struct us_vault_late *la, *lg, *lr;

	checkpoint(f, 10); /* so their entries are 10 or more */
	la = us_vault_outcome_late(f->outcomes, &a.ending, request_of(&a));
	lg = us_vault_outcome_late(f->outcomes, &gone.ending, request_of(&gone));
	lr = us_vault_outcome_late(f->outcomes, &refused.ending, request_of(&refused));
	give(&b, 14);
	end(&b, US_REASON_NONE);
	listen_to(f);
	assert_int_equal(f->heard.ended, 10); /* what is late may be any from there on */
	end(&gone, US_REASON_GONE);
	give(&c, 15);
	listen_to(f);
	assert_int_equal(f->heard.ended, 10);
	assert_ptr_equal(us_vault_outcome_not_late(lr, 12, 0), request_of(&refused));
	assert_ptr_equal(us_vault_outcome_not_late(la, 11, 1), request_of(&a));
	us_vault_outcome_granted(f->outcomes, &a.ending, 11);
	listen_to(f);
	assert_int_equal(f->heard.ended, 10);
	assert_null(us_vault_outcome_not_late(lg, 13, 1));
	listen_to(f);
	assert_int_equal(f->heard.n, 1);
	assert_int_equal(f->heard.of[0].entry, 13);
	assert_int_equal(f->heard.of[0].reason, US_REASON_GONE);
	assert_int_equal(f->heard.ended, 11); /* c's, younger, stands behind a's */
	end(&a, US_REASON_NONE);
	listen_to(f);
	assert_int_equal(f->heard.ended, 15);
	end(&c, US_REASON_CUT);
	end(&refused, US_REASON_NONE);
	listen_to(f);
	assert_int_equal(f->heard.ended, 16);
	assert_int_equal(f->heard.n, 2);
}

/* The keeper never hears of less than it knows, whatever it knew before this vault opened. */
static void
from_where_the_log_ended(void **state)
{
	struct fixture *f = *state;
	struct answer a = answer_of(f), b = answer_of(f);

	f->heard.ended = 5000;
	checkpoint(f, 5000);
	us_vault_outcomes_open(f->outcomes);
	(void)us_vault_outcome_late(f->outcomes, &a.ending, request_of(&a));
	for (uint64_t i = 0; i < OUTCOMES_MAX; i++) {
		struct answer r = answer_of(f);

		give(&r, 5001 + i);
		end(&r, US_REASON_CUT);
	}
	listen_to(f);
	assert_int_equal(f->heard.ended, 5000);
	assert_int_equal(f->heard.n, OUTCOMES_MAX);
	end(&a, US_REASON_CUT);
	end(&b, US_REASON_NONE);
}

static void
many_at_once(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < OUTCOMES_MAX; i++) {
		struct answer r = answer_of(f);

		give(&r, i);
		end(&r, US_REASON_CUT);
	}
	listen_to(f);
	assert_int_equal(f->heard.n, OUTCOMES_MAX);
	assert_int_equal(f->heard.messages, 2);
	for (uint64_t i = 0; i < OUTCOMES_MAX; i++)
		assert_int_equal(f->heard.of[i].entry, i);
	assert_int_equal(f->heard.ended, OUTCOMES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(up_to_the_first_open_one),
		T(records_that_left),
		T(of_the_newest_entry),
		T(between_question_and_entry),
		T(many_at_once),
		T(late_answers),
		T(from_where_the_log_ended),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
