/* Goal: the vault says how its answers ended, and no more than that: an outcome names an entry that
 * this process wrote, that gave something, once, with no more records than it names; nothing is
 * settled twice. The keeper is a real process. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)
#define ITEM 17

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
	rig_open(r);
	rig_load(r, 100);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	rig_destroy(*state);
	free(*state);
	return 0;
}

/* A read of two records, allowed or refused: the index of its entry. */
static uint64_t
read_two(struct rig *r, int who, int allowed)
{
	static const uint8_t records[16] = { 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9 };
	struct us_msg_logged l;
	struct us_msg_log m;

	rig_log_init(r, &m, who);
	m.kind = US_KIND_DISCLOSURE;
	m.action = US_ACTION_READ;
	m.collection = 1;
	m.records = (struct us_bytes){ records, sizeof records };
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err == US_OK, allowed);
	return l.index;
}

static void
say(struct rig *r, uint64_t ended, size_t n, uint64_t index, unsigned reason, uint64_t sent)
{
	uint8_t items[2 * ITEM];
	const struct us_msg_answers m = { .ended = ended, .outcomes = { items, n * ITEM } };

	for (size_t i = 0; i < n; i++) {
		us_store_u64(items + i * ITEM, index);
		items[i * ITEM + 8] = (uint8_t)reason;
		us_store_u64(items + i * ITEM + 9, sent);
	}
	SEND(r->vault, answers, &m);
}

/* Entries in the log; 0 if the keeper does not speak to this vault any more. */
static uint64_t
size(struct rig *r)
{
	const struct us_msg_keeper_status ask = { 0 };
	struct us_msg_keeper_status_reply reply;

	SEND(r->vault, keeper_status, &ask);
	if (!rig_read(r, r->vault, US_MSG_keeper_status_reply))
		return 0;
	assert_int_equal(us_msg_keeper_status_reply_decode(&reply, r->body.data, r->body.len),
	    US_OK);
	return reply.tree_size;
}

static void
one_outcome_an_answer(void **state)
{
	struct rig *r = *state;
	const uint64_t first = read_two(r, RIG_ATTORNEY, 1), second = read_two(r, RIG_ATTORNEY, 1),
		       before = size(r);

	/* nothing has ended yet: no mark comes in between */
	say(r, 0, 1, second, US_REASON_GONE, 0);
	(void)size(r); /* what is appended is committed at the end of a turn */
	assert_int_equal(size(r), before + 1);
	say(r, 0, 1, first, US_REASON_CUT, 2);
	(void)size(r);
	assert_int_equal(size(r), before + 2);
	say(r, second + 1, 0, 0, 0, 0);
	assert_int_not_equal(size(r), 0);
	assert_int_equal(rig_stop(r, 0), 0);
}

/* What a vault of good faith never says: the keeper has done with it, and writes nothing. */
static void
refused(struct rig *r, uint64_t ended, size_t n, uint64_t index, unsigned reason, uint64_t sent)
{
	say(r, ended, n, index, reason, sent);
	assert_int_equal(size(r), 0);
}

static void
twice_at_once(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	refused(*state, index, 2, index, US_REASON_CUT, 0);
}

static void
twice(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	say(*state, index, 1, index, US_REASON_CUT, 0);
	assert_int_not_equal(size(*state), 0);
	refused(*state, index, 1, index, US_REASON_GONE, 0);
}

static void
more_records_than_named(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	refused(*state, index, 1, index, US_REASON_CUT, 3);
}

static void
of_a_refusal(void **state)
{
	const uint64_t index = read_two(*state, RIG_ADMIN, 0);

	refused(*state, index, 1, index, US_REASON_CUT, 0);
}

static void
of_the_machine(void **state)
{
	const uint64_t last = read_two(*state, RIG_ATTORNEY, 1);

	refused(*state, 0, 1, last - 1, US_REASON_CUT, 0); /* the act that closed the batch */
}

static void
of_what_does_not_exist(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	refused(*state, index, 1, index + 1, US_REASON_CUT, 0);
}

static void
of_what_has_ended(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	say(*state, index + 1, 0, 0, 0, 0);
	assert_int_not_equal(size(*state), 0);
	refused(*state, index + 1, 1, index, US_REASON_CUT, 0);
}

static void
of_an_earlier_process(void **state)
{
	struct rig *r = *state;
	const uint64_t index = read_two(r, RIG_ATTORNEY, 1);

	rig_stop(r, SIGKILL);
	rig_start(r, "");
	rig_open(r);
	refused(r, size(r), 1, index, US_REASON_CUT, 0);
}

/* A session is answered too, and leaves nothing to settle: no mark stands between it and the next
 * start. */
static void
of_an_earlier_session(void **state)
{
	struct us_msg_session_opened session;
	struct rig *r = *state;

	rig_stop(r, SIGKILL);
	rig_start(r, "");
	rig_open(r);
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &session), US_OK);
	rig_stop(r, SIGKILL);
	rig_start(r, "");
	rig_open(r);
	refused(r, session.entry, 1, session.entry, US_REASON_CUT, 0);
}

static void
for_another_reason(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	refused(*state, index, 1, index, US_REASON_UNKNOWN, 0);
}

static void
half_an_outcome(void **state)
{
	static const uint8_t half[ITEM - 1];
	const struct us_msg_answers m = { .outcomes = { half, sizeof half } };
	struct rig *r = *state;

	SEND(r->vault, answers, &m);
	assert_int_equal(size(r), 0);
}

static void
ended_goes_back(void **state)
{
	const uint64_t index = read_two(*state, RIG_ATTORNEY, 1);

	say(*state, index + 1, 0, 0, 0, 0);
	assert_int_not_equal(size(*state), 0);
	refused(*state, index, 0, 0, 0, 0);
}

static void
ended_beyond_the_log(void **state)
{
	refused(*state, size(*state) + 1, 0, 0, 0, 0);
}

/* Sealed, nothing was given: there is nothing to say. */
static void
while_sealed(void **state)
{
	struct rig *r = *state;
	const uint64_t index = read_two(r, RIG_ATTORNEY, 1);

	say(r, index, 0, 0, 0, 0);
	assert_int_not_equal(size(r), 0);
	rig_stop(r, SIGKILL);
	rig_start(r, "");
	refused(r, size(r) - 1, 1, size(r) - 1, US_REASON_CUT, 0);
}

/* What a process left behind is settled by the next: by one entry beside those of the start and the
 * gap before it, and once. */
static void
left_behind(void **state)
{
	struct rig *r = *state;
	uint64_t before, after;

	(void)read_two(r, RIG_ATTORNEY, 1);
	before = size(r);
	rig_stop(r, SIGKILL);
	rig_start(r, "");
	after = size(r);
	assert_int_equal(after, before + 3);
	rig_stop(r, SIGKILL);
	rig_start(r, "");
	assert_int_equal(size(r), after + 2);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(one_outcome_an_answer),
		T(twice_at_once),
		T(twice),
		T(more_records_than_named),
		T(of_a_refusal),
		T(of_the_machine),
		T(of_what_does_not_exist),
		T(of_what_has_ended),
		T(of_an_earlier_process),
		T(of_an_earlier_session),
		T(for_another_reason),
		T(half_an_outcome),
		T(ended_goes_back),
		T(ended_beyond_the_log),
		T(while_sealed),
		T(left_behind),
#undef T
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
