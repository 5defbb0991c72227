/* Goal: the engine makes a row's steps in their order, hears for them what they wait for, and alone
 * answers and frees: a step that ends the request, one that fails, one that is refused (logged
 * first), units that go on and break off, a client that goes in the middle. What has ended is on no
 * queue, and is told to the outcomes. Rows are the test's own; it is the front and the keeper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/err.h"
#include "tests/unit/vault/rooms.h"

#define TAG 7u
#define STEPS_MAX 32

/* What happened: steps by a letter, and what left. */
struct trace {
	char steps[STEPS_MAX];
	size_t n;
	uint16_t status;
	unsigned lasts;
	char answer[512];
	size_t answer_n;
	uint32_t logged; /* tag of the question for an entry; 0: none */
	struct us_msg_log entry;
	unsigned counted; /* refusals without an entry */
	struct us_buf outcomes;
	uint64_t ended;
	unsigned freed;
	int front_is_high;
};
static struct trace trace;

struct fixture {
	struct event_base *base;
	struct rooms *rooms;
};

/* --- messages --------------------------------------------------------------------------------- */

#define WRAP(name) \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m); \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m)

static void
take_piece(uint32_t tag, struct us_bytes body, uint8_t last)
{
	assert_int_equal(tag, TAG);
	assert_int_equal(trace.lasts, 0); /* nothing behind the last piece */
	trace.lasts += last;
	assert_true(trace.answer_n + body.n < sizeof trace.answer);
	if (body.n > 0)
		memcpy(trace.answer + trace.answer_n, body.p, body.n);
	trace.answer_n += body.n;
	trace.answer[trace.answer_n] = '\0';
}

WRAP(reply)
{
	(void)ch;
	trace.status = m->status;
	take_piece(tag, m->body, m->last);
	return US_OK;
}

WRAP(reply_more)
{
	(void)ch;
	take_piece(tag, m->body, m->last);
	return US_OK;
}

WRAP(log)
{
	(void)ch;
	trace.logged = tag;
	trace.entry = *m;
	return US_OK;
}

WRAP(noise)
{
	(void)ch;
	(void)tag;
	trace.counted += us_load_u32(m->counts.p + 1);
	return US_OK;
}

WRAP(answers)
{
	(void)ch;
	(void)tag;
	trace.ended = m->ended;
	return us_buf_put(&trace.outcomes, m->outcomes.p, m->outcomes.n);
}

size_t __wrap_us_channel_backlog(const struct us_channel *ch);
int __wrap_us_channel_is_high(const struct us_channel *ch);
void __wrap_us_channel_flush(struct us_channel *ch);
int __wrap_us_channel_is_gone(const struct us_channel *ch);

size_t
__wrap_us_channel_backlog(const struct us_channel *ch)
{
	(void)ch;
	return 0;
}

int
__wrap_us_channel_is_high(const struct us_channel *ch)
{
	(void)ch;
	return trace.front_is_high;
}

void
__wrap_us_channel_flush(struct us_channel *ch)
{
	(void)ch;
}

int
__wrap_us_channel_is_gone(const struct us_channel *ch)
{
	(void)ch;
	return 0;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void
note(char step)
{
	assert_true(trace.n + 1 < STEPS_MAX);
	trace.steps[trace.n++] = step;
	trace.steps[trace.n] = '\0';
}

static void
count_free(struct us_vault_request *r)
{
	(void)r;
	trace.freed++;
}

static enum us_vault_next
step_a(struct us_vault_request *r)
{
	r->own_free = count_free;
	note('a');
	return US_VAULT_GO_ON;
}

static enum us_vault_next
step_text(struct us_vault_request *r)
{
	note('t');
	assert_int_equal(us_buf_put(&r->work.out, "text", 4), US_OK);
	return US_VAULT_GO_ON;
}

static enum us_vault_next
step_answer(struct us_vault_request *r)
{
	note('A');
	return us_vault_answer_bytes(r, 201, US_TYPE_TEXT, 5, us_bytes_of("here"));
}

static enum us_vault_next
step_fail(struct us_vault_request *r)
{
	note('F');
	return us_vault_fail(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
}

static const uint64_t asked[] = { 3, 4 };

static enum us_vault_next
step_refuse(struct us_vault_request *r)
{
	note('R');
	r->asked = asked;
	r->n_asked = 2;
	r->purpose = us_bytes_of("why");
	us_vault_problem_set(&r->problem, 403, "denied", "Refused", US_REASON_QUOTA);
	return US_VAULT_REFUSE;
}

static enum us_vault_next
step_wait(struct us_vault_request *r)
{
	(void)r;
	note('w');
	return US_VAULT_WAIT;
}

static enum us_vault_next
step_log(struct us_vault_request *r)
{
	const struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.related = NO_ENTRY };

	note('l');
	return us_vault_log(r, &e);
}

static enum us_vault_next
step_logged(struct us_vault_request *r)
{
	note('k');
	assert_non_null(r->heard.logged);
	r->entry = r->heard.logged->index;
	return US_VAULT_GO_ON;
}

/* The keeper's answer is for the step behind the question alone. */
static enum us_vault_next
step_deaf(struct us_vault_request *r)
{
	note('d');
	assert_null(r->heard.logged);
	return US_VAULT_GO_ON;
}

/* Three lines. */
static enum us_step
unit_lines(struct us_vault_request *r)
{
	note('u');
	assert_int_equal(us_buf_put(&r->work.out, "line\n", 5), US_OK);
	return ++r->ending.records == 3 ? US_STEP_DONE : US_STEP_AGAIN;
}

static enum us_step
unit_breaks(struct us_vault_request *r)
{
	note('b');
	if (r->ending.records == 2)
		return us_vault_unit_failed(r, US_ERR_NOT_FOUND, US_REASON_ERROR, r->entry);
	r->ending.records++;
	assert_int_equal(us_buf_put(&r->work.out, "line\n", 5), US_OK);
	return US_STEP_AGAIN;
}

static const struct us_vault_step other_row[] = { { .once = step_text }, { .once = NULL } };

static enum us_vault_next
step_jump(struct us_vault_request *r)
{
	note('j');
	return us_vault_row(r, other_row);
}

#define ROW(name, ...) static const struct us_vault_step name[] = { __VA_ARGS__, { .once = NULL } }
ROW(to_the_end, { .once = step_a }, { .once = step_text });
ROW(early, { .once = step_a }, { .once = step_answer }, { .once = step_text });
ROW(failing, { .once = step_a }, { .once = step_fail }, { .once = step_text });
ROW(refused, { .once = step_a }, { .once = step_refuse }, { .once = step_text });
ROW(waiting, { .once = step_a }, { .once = step_wait }, { .once = step_text });
ROW(jumping, { .once = step_a }, { .once = step_jump }, { .once = step_fail });
ROW(logging, { .once = step_a }, { .once = step_log }, { .once = step_logged },
    { .once = step_deaf }, { .once = step_text });
ROW(lines, { .once = step_a }, { .once = step_log }, { .once = step_logged },
    { .unit = unit_lines });
ROW(lines_first, { .once = step_a }, { .unit = unit_lines }, { .once = step_text });
ROW(breaking, { .once = step_a }, { .once = step_log }, { .once = step_logged },
    { .unit = unit_breaks });

/* --- the front and the keeper ----------------------------------------------------------------- */

static int
set_up(void **state)
{
	static char nobody; /* the other end of all channels: what is sent stops above */
	struct us_channel *channel = (struct us_channel *)(void *)&nobody;
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	memset(&trace, 0, sizeof trace);
	us_buf_init(&trace.outcomes, 4096);
	f->base = event_base_new();
	f->rooms = rooms_open(f->base, NULL, NULL, NULL);
	us_vault_keeper_connect(f->rooms->vault.keeper, channel);
	us_vault_front_connect(f->rooms->front, channel);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	rooms_close(f->rooms); /* no request is left */
	us_buf_free(&trace.outcomes);
	event_base_free(f->base);
	free(f);
	return 0;
}

/* A request that works on a sealed vault, with that row. */
static int
take(struct fixture *f, const struct us_vault_step *row)
{
	const struct us_vault_step *kinds[US_REQUEST_COUNT] = { NULL };
	struct us_msg_status_request m = { .peer = us_bytes_of("127.0.0.1") };
	struct us_buf b;
	int err;

	kinds[US_REQUEST_status_request] = row;
	us_buf_init(&b, 512);
	assert_int_equal(us_msg_status_request_encode(&b, &m), US_OK);
	err = us_vault_request_take(&f->rooms->vault, kinds, f->rooms->front, US_MSG_status_request,
	    TAG, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	return err;
}

static void
keeper_says(struct fixture *f, int err, uint64_t index)
{
	const struct us_msg_logged m = { .err = (uint8_t)err,
		.reason = err == US_OK ? US_REASON_NONE : US_REASON_QUOTA,
		.index = index };
	struct us_buf b;

	us_buf_init(&b, 4096);
	assert_int_equal(us_msg_logged_encode(&b, &m), US_OK);
	assert_int_equal(us_vault_keeper_answer(f->rooms->vault.keeper, US_MSG_logged, trace.logged,
			     (struct us_bytes){ b.data, b.len }),
	    US_OK);
	us_buf_free(&b);
}

static struct us_vault_request *
request(struct fixture *f)
{
	return us_vault_front_find(f->rooms->front, TAG);
}

/* It has ended, once, and is nowhere any more. */
static void
has_ended(struct fixture *f, const char *steps)
{
	assert_string_equal(trace.steps, steps);
	assert_null(request(f));
	assert_int_equal(us_vault_front_requests(f->rooms->front), 0);
	assert_false(us_vault_requests_have_work(f->rooms->vault.requests));
	assert_int_equal(trace.freed, 1);
	us_vault_requests_turn(f->rooms->vault.requests); /* touches nothing */
	us_vault_outcomes_tell(f->rooms->vault.outcomes);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
a_row_to_its_end(void **state)
{
	assert_int_equal(take(*state, to_the_end), US_OK);
	has_ended(*state, "at");
	assert_int_equal(trace.status, 200);
	assert_string_equal(trace.answer, "text");
	assert_int_equal(trace.lasts, 1);
}

static void
a_step_that_ends_the_request(void **state)
{
	assert_int_equal(take(*state, early), US_OK);
	has_ended(*state, "aA");
	assert_int_equal(trace.status, 201);
	assert_string_equal(trace.answer, "here");
}

static void
a_step_that_fails(void **state)
{
	assert_int_equal(take(*state, failing), US_OK);
	has_ended(*state, "aF");
	assert_int_equal(trace.status, 404);
	assert_int_equal(trace.counted, 1); /* no entry: the keeper counts it */
	assert_int_equal(trace.logged, 0);
	assert_non_null(strstr(trace.answer, "urn:underseal:problem:not-found"));
}

/* No entry, no answer. */
static void
a_refusal_is_logged_first(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, refused), US_OK);
	assert_int_equal(trace.status, 0);
	assert_true(trace.logged != 0);
	assert_int_equal(trace.entry.decision, US_DECISION_DENY);
	assert_int_equal(trace.entry.action, US_ACTION_STATUS);
	assert_int_equal(trace.entry.reason, US_REASON_QUOTA);
	assert_int_equal(trace.entry.total, 2);
	keeper_says(f, US_OK, 77);
	has_ended(f, "aR");
	assert_int_equal(trace.status, 403);
	assert_non_null(strstr(trace.answer, "\"entry\":77}"));
	assert_int_equal(trace.counted, 0);
	assert_int_equal(trace.outcomes.len, 0); /* its entry tells */
}

static void
a_refusal_that_cannot_be_logged(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, refused), US_OK);
	keeper_says(f, US_ERR_IO, NO_ENTRY);
	has_ended(f, "aR");
	assert_int_equal(trace.status, 503);
	assert_null(strstr(trace.answer, "Refused"));
}

static void
a_step_that_waits(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, waiting), US_OK);
	assert_string_equal(trace.steps, "aw");
	assert_non_null(request(f));
	assert_int_equal(trace.status, 0);
	us_vault_resume(request(f), US_VAULT_GO_ON);
	has_ended(f, "awt");
	assert_int_equal(trace.status, 200);
}

static void
another_row(void **state)
{
	assert_int_equal(take(*state, jumping), US_OK);
	has_ended(*state, "ajt");
}

static void
an_entry(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, logging), US_OK);
	assert_string_equal(trace.steps, "al");
	keeper_says(f, US_OK, 9);
	has_ended(f, "alkdt");
	assert_int_equal(trace.ended, 10); /* it has left whole */
	assert_int_equal(trace.outcomes.len, 0);
}

static void
an_entry_that_the_keeper_refuses(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, logging), US_OK);
	keeper_says(f, US_ERR_DENIED, 9);
	has_ended(f, "al");
	assert_int_equal(trace.status, 403);
	assert_int_equal(trace.outcomes.len, 0);
	assert_int_equal(trace.ended, 10);
}

static void
units(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, lines), US_OK);
	keeper_says(f, US_OK, 9);
	assert_string_equal(trace.steps, "alk"); /* in the next turn */
	while (us_vault_requests_have_work(f->rooms->vault.requests))
		us_vault_requests_turn(f->rooms->vault.requests);
	has_ended(f, "alkuuu");
	assert_string_equal(trace.answer, "line\nline\nline\n");
}

static void
units_before_a_step(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, lines_first), US_OK);
	while (us_vault_requests_have_work(f->rooms->vault.requests))
		us_vault_requests_turn(f->rooms->vault.requests);
	has_ended(f, "auuut");
	assert_string_equal(trace.answer, "line\nline\nline\ntext");
}

/* One outcome: its entry, why it broke off, and how many records had left. */
static void
one_outcome(uint64_t entry, enum us_reason reason, uint64_t records)
{
	struct us_reader in;

	us_reader_init(&in, trace.outcomes.data, trace.outcomes.len);
	assert_int_equal(us_take_u64(&in), entry);
	assert_int_equal(us_take_u8(&in), reason);
	assert_int_equal(us_take_u64(&in), records);
	assert_int_equal(us_reader_end(&in), US_OK);
}

static void
units_that_break_off(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, breaking), US_OK);
	keeper_says(f, US_OK, 9);
	while (us_vault_requests_have_work(f->rooms->vault.requests))
		us_vault_requests_turn(f->rooms->vault.requests);
	has_ended(f, "alkbbb");
	assert_int_equal(trace.lasts, 1);
	one_outcome(9, US_REASON_CUT, 0); /* the lines were still here */
}

/* --- clients that go -------------------------------------------------------------------------- */

static void
cancelled_while_it_waits(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, waiting), US_OK);
	us_vault_request_cancel(f->rooms->front, TAG);
	has_ended(f, "aw");
	assert_int_equal(trace.lasts, 0);
}

/* The entry gives it something, and it is gone: that is told, and no step is made. */
static void
cancelled_while_its_entry_is_written(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, logging), US_OK);
	us_vault_request_cancel(f->rooms->front, TAG);
	keeper_says(f, US_OK, 9);
	has_ended(f, "al");
	one_outcome(9, US_REASON_GONE, 0);
	assert_int_equal(trace.ended, 10);
}

static void
cancelled_among_units(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, lines), US_OK);
	keeper_says(f, US_OK, 9);
	assert_true(us_vault_requests_have_work(f->rooms->vault.requests));
	us_vault_request_cancel(f->rooms->front, TAG);
	has_ended(f, "alk");
	one_outcome(9, US_REASON_GONE, 0);
}

/* All of a front at once, as when it goes. */
static void
a_front_that_is_behind(void **state)
{
	struct fixture *f = *state;

	trace.front_is_high = 1;
	assert_int_equal(take(f, to_the_end), US_OK);
	assert_non_null(request(f)); /* its answer waits */
	trace.front_is_high = 0;
	us_vault_front_drained(f->rooms->front);
	has_ended(f, "at");
	assert_string_equal(trace.answer, "text");
}

static void
a_front_that_goes(void **state)
{
	struct fixture *f = *state;

	trace.front_is_high = 1;
	assert_int_equal(take(f, lines), US_OK);
	keeper_says(f, US_OK, 9);
	us_vault_requests_drop(f->rooms->front, US_REASON_CUT);
	has_ended(f, "alk");
	one_outcome(9, US_REASON_CUT, 0);
}

/* --- taking ----------------------------------------------------------------------------------- */

static int
take_bytes(struct fixture *f, uint16_t type, const void *p, size_t n)
{
	return us_vault_request_take(&f->rooms->vault, us_vault_kinds, f->rooms->front, type, TAG,
	    (struct us_bytes){ p, n });
}

static void
what_a_front_may_not_send(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, waiting), US_OK);
	assert_int_equal(take(f, waiting), US_ERR_MALFORMED); /* the tag is in use */
	us_vault_request_cancel(f->rooms->front, TAG);
	assert_int_equal(take_bytes(f, US_MSG_read_request, "x", 1), US_ERR_MALFORMED);
	assert_int_equal(take_bytes(f, US_MSG_session_request, "x", 1), US_ERR_MALFORMED);
	assert_int_equal(take_bytes(f, US_MSG_part, "x", 1), US_ERR_MALFORMED);
	assert_int_equal(take_bytes(f, US_MSG_credit, "x", 1), US_ERR_MALFORMED);
	assert_null(request(f));
	assert_int_equal(trace.lasts, 0);
}

/* A kind that needs a session, of a vault that is sealed. */
static void
a_sealed_vault(void **state)
{
	struct fixture *f = *state;
	const struct us_msg_read_request m = { .peer = us_bytes_of("127.0.0.1") };
	struct us_buf b;

	us_buf_init(&b, 512);
	assert_int_equal(us_msg_read_request_encode(&b, &m), US_OK);
	assert_int_equal(take_bytes(f, US_MSG_read_request, b.data, b.len), US_OK);
	us_buf_free(&b);
	assert_null(request(f));
	assert_int_equal(trace.status, 503);
	assert_non_null(strstr(trace.answer, "urn:underseal:problem:sealed"));
}

/* Every kind that goes to the vault has a row, and the row an end. What is the keeper's is handed on
 * in it, once, and nothing else is. */
static void
all_kinds(void **state)
{
	const struct us_request_info *table = us_request_table();

	(void)state;
	for (size_t i = 0; i < US_REQUEST_COUNT; i++) {
		const struct us_vault_step *steps = us_vault_kinds[table[i].kind];
		unsigned handed_on = 0;

		assert_int_equal(steps != NULL, table[i].to != US_ROLE_SEALER);
		for (size_t s = 0; steps != NULL; s++) {
			if (steps[s].once == NULL && steps[s].unit == NULL)
				break;
			assert_true((steps[s].once == NULL) != (steps[s].unit == NULL));
			assert_true(s == 0 || steps[s].name == NULL);
			handed_on += steps[s].once == us_vault_forward;
		}
		assert_int_equal(handed_on, table[i].to == US_ROLE_KEEPER);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(a_row_to_its_end),
		T(a_step_that_ends_the_request),
		T(a_step_that_fails),
		T(a_refusal_is_logged_first),
		T(a_refusal_that_cannot_be_logged),
		T(a_step_that_waits),
		T(another_row),
		T(an_entry),
		T(an_entry_that_the_keeper_refuses),
		T(units),
		T(units_before_a_step),
		T(units_that_break_off),
		T(cancelled_while_it_waits),
		T(cancelled_while_its_entry_is_written),
		T(cancelled_among_units),
		T(a_front_that_is_behind),
		T(a_front_that_goes),
		T(what_a_front_may_not_send),
		T(a_sealed_vault),
#undef T
		cmocka_unit_test(all_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
