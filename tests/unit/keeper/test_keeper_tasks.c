/* Goal: what reads much of the log does not keep anybody else waiting, gives what it always gave,
 * and gives nothing to whom it may no longer be given; and nothing is decided before the ledger
 * holds the whole log. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/role.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)
#define ENTRIES 5000u
#define WANTED 4096u

/* So many counts of the attorney, a few hundred a commit. */
static void
grow(struct rig *r, unsigned n)
{
	struct us_msg_log m;

	rig_log_init(r, &m, RIG_ATTORNEY);
	m.action = US_ACTION_COUNT;
	m.collection = 1;
	m.query = us_bytes_of("whale");
	for (unsigned i = 0; i < n; i += 250) {
		for (unsigned j = 0; j < 250; j++)
			SEND(r->vault, log, &m);
		for (unsigned j = 0; j < 250; j++)
			assert_true(rig_read(r, r->vault, US_MSG_logged));
	}
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
	rig_open(r);
	rig_load(r, 100);
	grow(r, ENTRIES);
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
ask(struct rig *r, uint64_t from, uint64_t to)
{
	struct us_msg_log_keys m = { .from = from, .to = to, .peer = us_bytes_of("192.0.2.1") };

	memcpy(m.credential, r->people[RIG_AUDITOR].credential, 32);
	memcpy(m.session, r->people[RIG_AUDITOR].session, 16);
	SEND(r->vault, log_keys, &m);
}

static struct us_msg_log_keys_reply
take(struct rig *r)
{
	struct us_msg_log_keys_reply reply;

	assert_true(rig_read(r, r->vault, US_MSG_log_keys_reply));
	assert_int_equal(us_msg_log_keys_reply_decode(&reply, r->body.data, r->body.len), US_OK);
	return reply;
}

/* Milliseconds until the keeper has signed a handshake's digest. */
static double
sign(struct rig *r)
{
	static const uint8_t digest[32];
	const struct us_msg_tls_sign m = { .digest = { digest, sizeof digest } };
	const int64_t start = us_time_mono_ns();
	struct us_msg_tls_signature reply;

	SEND(r->front, tls_sign, &m);
	assert_true(rig_read(r, r->front, US_MSG_tls_signature));
	assert_int_equal(us_msg_tls_signature_decode(&reply, r->body.data, r->body.len), US_OK);
	assert_int_equal(reply.err, US_OK);
	return (double)(us_time_mono_ns() - start) / 1e6;
}

/* Whether an answer is there; checkpoints are taken on the way. */
static int
has_answer(struct rig *r)
{
	struct pollfd p = { .fd = r->vault, .events = POLLIN };
	uint8_t frame[8192];

	while (poll(&p, 1, 0) == 1) {
		assert_int_equal(recv(r->vault, frame, US_FRAME_HEADER, MSG_PEEK | MSG_WAITALL),
		    US_FRAME_HEADER);
		if (us_load_u16(frame + 4) != US_MSG_checkpoint)
			return 1;
		(void)recv(r->vault, frame, US_FRAME_HEADER + us_load_u32(frame), MSG_WAITALL);
	}
	return 0;
}

/* Ranges that begin and end anywhere give what single entries give. */
static void
ranges_are_made_of_entries(void **state)
{
	static const struct {
		uint64_t from, to;
	} ranges[] = { { 0, 4096 }, { 255, 257 }, { 300, 301 }, { 256, 512 }, { 511, 1030 },
		{ 4900, 4999 } };
	struct rig *r = *state;
	struct us_msg_log_keys_reply reply;
	struct us_buf whole;

	us_buf_init(&whole, 1 << 20);
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		us_buf_reset(&whole);
		ask(r, ranges[i].from, ranges[i].to);
		reply = take(r);
		assert_int_equal(reply.err, US_OK);
		assert_int_equal(reply.next, ranges[i].to);
		assert_int_equal(reply.boxes.n, 97 * (ranges[i].to - ranges[i].from));
		assert_int_equal(us_buf_put(&whole, reply.boxes.p, reply.boxes.n), US_OK);
		for (uint64_t at = ranges[i].from; at < ranges[i].to; at += i == 0 ? 97 : 1) {
			ask(r, at, at + 1);
			reply = take(r);
			assert_int_equal(reply.boxes.n, 97);
			assert_memory_equal(reply.boxes.p, whole.data + 97 * (at - ranges[i].from),
			    97);
		}
	}
	/* no more than that at once, nothing behind the end, and nothing where it begins behind the
	 * end */
	ask(r, 5, UINT64_MAX);
	assert_int_equal(take(r).next, 5 + WANTED);
	ask(r, ENTRIES, UINT64_MAX);
	reply = take(r);
	assert_int_equal(reply.next, reply.entry + 1);
	ask(r, UINT64_MAX - 1, UINT64_MAX);
	reply = take(r);
	assert_int_equal(reply.next, UINT64_MAX - 1);
	assert_int_equal(reply.boxes.n, 0);
	ask(r, 7, 3);
	assert_int_equal(take(r).boxes.n, 0);
	us_buf_free(&whole);
}

/* Forty at once take a while; a signature waits for none of them. */
static void
others_do_not_wait(void **state)
{
	struct rig *r = *state;
	const int64_t start = us_time_mono_ns();
	double longest = 0, took;
	unsigned before = 0;

	for (unsigned i = 0; i < 40; i++)
		ask(r, i, i + WANTED);
	while (!has_answer(r)) {
		took = sign(r);
		longest = took > longest ? took : longest;
		before++;
	}
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(take(r).err, US_OK);
		took = sign(r);
		longest = took > longest ? took : longest;
	}
	print_message("%u signatures before the first of 40 answers, each within %.1f ms; all in "
		      "%.0f ms\n",
	    before, longest, (double)(us_time_mono_ns() - start) / 1e6);
	assert_true(before >= 10);
	assert_true(longest < 500);
}

/* The asker is suspended while the log is being read: the keys stay. */
static void
taken_away_meanwhile(void **state)
{
	struct us_act *act = calloc(1, sizeof *act);
	struct rig *r = *state;
	struct us_msg_log_keys_reply reply;

	for (unsigned i = 0; i < 40; i++)
		ask(r, i, i + WANTED);
	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change.person = 4;
	act->u.change.reason = us_bytes_of("test");
	assert_int_equal(rig_act(r, RIG_ADMIN, act), US_OK);
	for (unsigned i = 0; i < 40; i++) {
		reply = take(r);
		assert_int_equal(reply.err, US_ERR_REVOKED);
		assert_int_equal(reply.reason, US_REASON_SUSPENDED);
		assert_int_equal(reply.boxes.n, 0);
		assert_int_equal(reply.next, reply.from);
	}
	free(act);
}

static void
sealed_meanwhile(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 40; i++)
		ask(r, i, i + WANTED);
	rig_send_seal(r);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_false(rig_read(r, r->vault, US_MSG_log_keys_reply)); /* it ends without one */
	assert_int_equal(rig_wait(r), US_EXIT_SEALED);
}

static void
who_asked_is_gone(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 40; i++)
		ask(r, i, i + WANTED);
	(void)sign(r);
	(void)close(r->vault);
	r->vault = -1;
	for (unsigned i = 0; i < 20; i++)
		(void)sign(r);
	assert_int_equal(rig_stop(r, 0), 0);
}

/* --- the ledger --------------------------------------------------------------------------- */

static void
show(struct rig *r)
{
	const struct us_msg_replay_end end = { 0 };

	for (size_t i = 0; i < r->n_acts; i++) {
		const struct us_msg_replay m = { .committed = { r->acts[i].data, r->acts[i].len } };

		SEND(r->vault, replay, &m);
	}
	SEND(r->vault, replay_end, &end);
}

static void
unseal(struct rig *r)
{
	struct us_msg_share_reply share;
	char written[sizeof r->dir + 8];

	assert_int_equal(rig_stop(r, 0), 0);
	/* what was written down of the ledger is gone: it is made of the whole log */
	(void)snprintf(written, sizeof written, "%s/ledger", r->dir);
	(void)unlink(written);
	rig_start(r, "");
	rig_unseal(r, 2, &share);
	assert_int_equal(share.err, US_OK);
}

/* What works sealed goes on; what does not is refused, and in the log. */
static void
nothing_is_decided_without_the_ledger(void **state)
{
	struct rig *r = *state;
	const struct us_msg_keeper_status status = { 0 };
	struct us_msg_keeper_status_reply reply;
	struct us_msg_replay_reply shown;
	struct us_msg_session_opened session;
	struct us_msg_logged logged;
	struct us_msg_log m;

	unseal(r);
	show(r);
	SEND(r->vault, keeper_status, &status);
	assert_true(rig_read(r, r->vault, US_MSG_keeper_status_reply));
	assert_int_equal(us_msg_keeper_status_reply_decode(&reply, r->body.data, r->body.len),
	    US_OK);
	assert_int_equal(reply.state, US_KEEPER_REPLAYING);
	assert_true(sign(r) < 1000);
	for (unsigned i = 0; i < 300; i++) {
		rig_log_init(r, &m, RIG_ATTORNEY); /* with a session of the run before */
		m.action = US_ACTION_COUNT;
		m.collection = 1;
		SEND(r->vault, log, &m);
	}
	for (unsigned i = 0; i < 300; i++) {
		assert_true(rig_read(r, r->vault, US_MSG_logged));
		assert_int_equal(us_msg_logged_decode(&logged, r->body.data, r->body.len), US_OK);
		assert_int_equal(logged.err, US_ERR_SEALED);
	}
	assert_true(rig_read(r, r->vault, US_MSG_replay_reply));
	assert_int_equal(us_msg_replay_reply_decode(&shown, r->body.data, r->body.len), US_OK);
	assert_int_equal(shown.err, US_OK);
	assert_true(r->tree_size > logged.index + 1); /* the opening has its entry behind them */
	assert_int_equal(rig_session(r, RIG_AUDITOR, 600, &session), US_OK);
	ask(r, logged.index - 5, logged.index + 1);
	assert_int_equal(take(r).boxes.n, 6 * 97);
}

/* The state was compared before: no act comes behind that, nor is it compared twice. */
static void
no_act_while_the_ledger_is_made(void **state)
{
	static const uint8_t act[64] = { 0, 0, 0, 0, 0, 0, 0, 99 };
	const struct us_msg_replay more = { .committed = { act, sizeof act } };
	const struct us_msg_replay_end end = { 0 };
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		unseal(r);
		show(r);
		if (i == 0)
			SEND(r->vault, replay, &more);
		else
			SEND(r->vault, replay_end, &end);
		assert_false(rig_read(r, r->vault, US_MSG_replay_reply));
		(void)sign(r); /* only the vault is dropped */
		if (i == 0)
			assert_int_equal(rig_stop(r, 0), 0);
		if (i == 0)
			rig_start(r, "");
	}
}

static void
ended_while_the_ledger_is_made(void **state)
{
	struct us_msg_session_opened session;
	struct rig *r = *state;

	unseal(r);
	show(r);
	(void)sign(r);
	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	rig_open(r);
	assert_int_equal(rig_session(r, RIG_AUDITOR, 600, &session), US_OK);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(ranges_are_made_of_entries),
		T(others_do_not_wait),
		T(taken_away_meanwhile),
		T(sealed_meanwhile),
		T(who_asked_is_gone),
		T(nothing_is_decided_without_the_ledger),
		T(no_act_while_the_ledger_is_made),
		T(ended_while_the_ledger_is_made),
	};
#undef T

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
