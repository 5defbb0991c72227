/* Goal: when the log's disk is nearly full the keeper gives out nothing and logs that it did not,
 * still takes what takes rights away, and cannot be made to use up what is left by being asked
 * again and again. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/entry.h"
#include "log/tiles.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/keeper/low_space.h"
#include "daemon/process/role.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)
#define FULL "keeper.reserve=1000000\n" /* more than the disk has: as good as full */
#define FLOOD 300u

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

static void
restart(struct rig *r, const char *settings)
{
	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, settings);
	rig_open(r);
}

static void
expect_refusal(struct rig *r, uint64_t index, enum us_action action)
{
	struct us_entry_access a;
	struct us_buf content;

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	rig_open_access(r, index, &a, &content);
	assert_int_equal(a.action, action);
	assert_int_equal(a.decision, US_DECISION_DENY);
	assert_int_equal(a.reason, US_REASON_LOW_SPACE);
	us_buf_free(&content);
}

static struct us_msg_logged
ask(struct rig *r, int who, enum us_kind kind, enum us_action action)
{
	const uint8_t record[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct us_msg_logged l;
	struct us_msg_log m;

	rig_log_init(r, &m, who);
	m.kind = (uint8_t)kind;
	m.action = (uint8_t)action;
	m.collection = 1;
	m.query = us_bytes_of("whale");
	if (kind == US_KIND_DISCLOSURE)
		m.records = (struct us_bytes){ record, 8 };
	if (action == US_ACTION_SEARCH)
		m.terms = (struct us_bytes){ (const uint8_t *)"\0\5whale", 7 };
	m.load = action == US_ACTION_LOAD ? 78 : 0;
	assert_true(rig_log(r, &m, &l));
	return l;
}

static void
nothing_is_released_and_that_is_logged(void **state)
{
	static const struct {
		int who;
		enum us_kind kind;
		enum us_action action;
	} asked[] = {
		{ RIG_ATTORNEY, US_KIND_DISCLOSURE, US_ACTION_READ },
		{ RIG_ATTORNEY, US_KIND_INTENT, US_ACTION_SEARCH },
		{ RIG_ATTORNEY, US_KIND_INTENT, US_ACTION_COUNT },
		{ RIG_ATTORNEY, US_KIND_INTENT, US_ACTION_OPEN_COLLECTION },
		{ RIG_PRODUCER, US_KIND_INTENT, US_ACTION_LOAD },
	};
	enum { N = sizeof asked / sizeof asked[0] };
	struct us_act *act = calloc(1, sizeof *act);
	struct rig *r = *state;
	struct us_msg_log_keys keys = { .from = 0, .to = 5, .peer = us_bytes_of("192.0.2.1") };
	struct us_msg_log_keys_reply reply;
	struct us_msg_logged l;
	uint64_t index[N], of_keys;

	restart(r, FULL);
	for (size_t i = 0; i < N; i++) {
		l = ask(r, asked[i].who, asked[i].kind, asked[i].action);
		assert_int_equal(l.err, US_ERR_NOSPACE);
		assert_int_equal(l.reason, US_REASON_LOW_SPACE);
		assert_int_equal(l.record_keys.n + l.term_keys.n + l.page_key.n, 0);
		assert_true(l.index < r->tree_size);
		index[i] = l.index;
	}
	memcpy(keys.credential, r->people[RIG_AUDITOR].credential, 32);
	memcpy(keys.session, r->people[RIG_AUDITOR].session, 16);
	SEND(r->vault, log_keys, &keys);
	assert_true(rig_read(r, r->vault, US_MSG_log_keys_reply));
	assert_int_equal(us_msg_log_keys_reply_decode(&reply, r->body.data, r->body.len), US_OK);
	assert_int_equal(reply.err, US_ERR_NOSPACE);
	assert_int_equal(reply.boxes.n, 0);
	of_keys = reply.entry;
	/* nothing new comes in, but rights can be taken away */
	act->type = US_ACT_COLLECTION_CREATE;
	act->u.collection.name = us_bytes_of("more");
	act->u.collection.prefix = us_bytes_of("MORE");
	assert_int_equal(rig_act(r, RIG_ADMIN, act), US_ERR_NOSPACE);
	assert_int_equal(ask(r, RIG_ADMIN, US_KIND_INTENT, US_ACTION_PERSON_LIST).err, US_OK);
	memset(act, 0, sizeof *act);
	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change.person = 3;
	act->u.change.reason = us_bytes_of("while the disk is full");
	assert_int_equal(rig_act(r, RIG_ADMIN, act), US_OK);
	assert_int_equal(ask(r, RIG_PRODUCER, US_KIND_INTENT, US_ACTION_LOAD).reason,
	    US_REASON_SUSPENDED);
	/* with room again all of it goes on, and the refusals are there */
	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	{
		struct us_msg_share_reply share;
		struct us_msg_session_opened session;

		rig_unseal(r, 2, &share);
		assert_int_equal(rig_replay(r, r->n_acts), US_OK);
		for (int i = 0; i < RIG_PEOPLE; i++)
			(void)rig_session(r, i, 600, &session);
	}
	assert_int_equal(ask(r, RIG_ATTORNEY, US_KIND_DISCLOSURE, US_ACTION_READ).err, US_OK);
	for (size_t i = 0; i < N; i++)
		expect_refusal(r, index[i], asked[i].action);
	expect_refusal(r, of_keys, US_ACTION_AUDIT_KEYS);
	free(act);
}

/* One person asks and asks. The first refusals are written, the rest are counted, exactly; nobody
 * gets an answer before its entry; another person is not kept from anything. */
static void
flood_is_counted(void **state)
{
	struct rig *r = *state;
	const uint8_t many[8 * 4096] = { 0 };
	uint8_t said[RIG_SAID_MAX];
	uint64_t of[FLOOD], size, counted = 0, entries = 0;
	struct us_entry_access a;
	struct us_buf content;
	struct us_msg_logged l;
	struct us_msg_log m;

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	restart(r, FULL);
	size = r->tree_size;
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.kind = US_KIND_DISCLOSURE;
	m.action = US_ACTION_READ;
	m.collection = 1;
	/* its lists would take 33 KiB each time */
	m.records = (struct us_bytes){ many, sizeof many };
	for (unsigned i = 0; i < FLOOD; i++)
		SEND(r->vault, log, &m);
	for (unsigned i = 0; i < FLOOD; i++) {
		assert_true(rig_read(r, r->vault, US_MSG_logged));
		assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
		assert_int_equal(l.reason, US_REASON_LOW_SPACE);
		assert_true(l.index < r->tree_size);
		of[i] = l.index;
	}
	assert_true(r->tree_size - size < FLOOD / 4);
	if (r->people[RIG_ADMIN].credential[0] % US_SPACE_SHARES !=
	    r->people[RIG_ATTORNEY].credential[0] % US_SPACE_SHARES)
		assert_int_equal(ask(r, RIG_ADMIN, US_KIND_INTENT, US_ACTION_PERSON_LIST).err,
		    US_OK);
	restart(r, "");
	for (uint64_t i = size; i <= of[FLOOD - 1]; i++) {
		uint64_t answers = 0;

		for (unsigned j = 0; j < FLOOD; j++)
			answers += of[j] == i;
		rig_open_access(r, i, &a, &content);
		if (a.action == US_ACTION_READ) {
			assert_int_equal(answers, 1);
			entries++;
		} else if (a.action == US_ACTION_REFUSALS) {
			assert_int_equal(rig_said(&a, said), 5);
			assert_int_equal(said[0], US_REASON_LOW_SPACE);
			assert_int_equal(us_load_u32(said + 1), answers);
			counted += answers;
		} else {
			assert_int_equal(answers, 0);
		}
	}
	assert_true(entries > 10 && counted > 0);
	assert_int_equal(entries + counted, FLOOD);
	us_buf_free(&content);
}

/* Refusals that wait to be counted when the vault is sealed have their entry, and their answers,
 * before it. */
static void
seal_comes_behind_what_was_counted(void **state)
{
	struct rig *r = *state;
	struct us_msg_logged l = { .index = 0 };
	struct us_entry_access a;
	struct us_buf content;
	struct us_msg_log m;
	uint64_t seal, counted;

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	restart(r, FULL);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.action = US_ACTION_COUNT;
	m.collection = 1;
	for (unsigned i = 0; i < 100; i++)
		SEND(r->vault, log, &m);
	rig_send_seal(r);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(rig_read(r, r->vault, US_MSG_logged));
		assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
		assert_int_equal(l.reason, US_REASON_LOW_SPACE);
	}
	counted = l.index;
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
	assert_int_equal(l.err, US_OK);
	seal = l.index;
	assert_int_equal(rig_wait(r), US_EXIT_SEALED);
	rig_start(r, "");
	rig_open(r);
	rig_open_access(r, seal, &a, &content);
	assert_int_equal(a.action, US_ACTION_SEAL);
	rig_open_access(r, counted, &a, &content);
	assert_int_equal(a.action, US_ACTION_REFUSALS);
	assert_int_equal(counted, seal - 1);
	us_buf_free(&content);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(nothing_is_released_and_that_is_logged),
		T(flood_is_counted),
		T(seal_comes_behind_what_was_counted),
#undef T
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
