/* Goal: the report on a clawback counts what was disclosed, against a table that the test keeps
 * itself. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "rig.h"

#define RECORDS 60
#define NOTICE "notice of inadvertent production"
#define SEND(fd, name, m) rig_send(fd, US_MSG_##name, (us_encode_fn)us_msg_##name##_encode, m)

static uint64_t seed = 1181783497276652981u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* The attorney reads these records, all on one day. */
static void
disclose(struct rig *r, const uint64_t *records, size_t n)
{
	uint8_t packed[RECORDS * 8];
	struct us_msg_logged l;
	struct us_msg_log m;

	for (size_t i = 0; i < n; i++)
		us_store_u64(packed + 8 * i, records[i]);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.kind = US_KIND_DISCLOSURE;
	m.action = US_ACTION_READ;
	m.collection = 1;
	m.records = (struct us_bytes){ packed, n * 8 };
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
}

static void
add_notice(struct rig *r, uint8_t digest[32])
{
	struct us_act *act = calloc(1, sizeof *act);

	assert_non_null(act);
	assert_int_equal(us_sha256(NOTICE, sizeof NOTICE, digest), US_OK);
	act->type = US_ACT_DOCUMENT_ADD;
	act->u.document = (struct us_act_document){ .size = sizeof NOTICE,
		.name = us_bytes_of("notice"),
		.bytes = { (const uint8_t *)NOTICE, sizeof NOTICE } };
	memcpy(act->u.document.digest, digest, 32);
	assert_int_equal(rig_act(r, RIG_PRODUCER, act), US_OK);
	free(act);
}

static int
claw_back(struct rig *r, const uint8_t notice[32], const uint64_t *records, size_t n)
{
	struct us_act *act = calloc(1, sizeof *act);
	struct us_buf runs;
	uint32_t n_runs;
	int err;

	assert_non_null(act);
	us_buf_init(&runs, 4096);
	assert_int_equal(us_selection_pack(records, n, &runs, &n_runs), US_OK);
	act->type = US_ACT_CLAWBACK;
	act->u.records.selection = (struct us_selection){ .collection = 1,
		.n_runs = n_runs,
		.runs = { runs.data, runs.len } };
	memcpy(act->u.records.document, notice, 32);
	act->u.records.noticed_ns = 1;
	err = rig_act(r, RIG_PRODUCER, act);
	us_buf_free(&runs);
	free(act);
	return err;
}

static struct us_msg_disclosed_reply
ask(struct rig *r, int who, uint32_t clawback)
{
	struct us_msg_disclosed m = { .clawback = clawback };
	struct us_msg_disclosed_reply reply;

	memcpy(m.credential, r->people[who].credential, 32);
	memcpy(m.session, r->people[who].session, 16);
	SEND(r->vault, disclosed, &m);
	assert_true(rig_read(r, r->vault, US_MSG_disclosed_reply));
	assert_int_equal(us_msg_disclosed_reply_decode(&reply, r->body.data, r->body.len), US_OK);
	return reply;
}

static void
begin(struct rig *r)
{
	rig_create(r);
	rig_start(r, "");
	rig_open(r);
	rig_load(r, RECORDS);
}

static void
test_counts(void **state)
{
	struct us_msg_disclosed_reply reply;
	uint64_t set[RECORDS], had[RECORDS];
	size_t n = 0, n_had = 0, both = 0;
	int in_set[RECORDS] = { 0 };
	uint8_t notice[32];
	struct rig r;

	(void)state;
	begin(&r);
	add_notice(&r, notice);
	for (uint64_t i = 0; i < RECORDS; i++) {
		if (random_below(3) == 0) {
			in_set[i] = 1;
			set[n++] = i;
		}
		if (random_below(2) == 0)
			had[n_had++] = i;
	}
	for (size_t i = 0; i < n_had; i++)
		both += in_set[had[i]] != 0;
	/* the numbers must differ to be told apart */
	assert_true(both > 2 && both < n && both < n_had);
	assert_int_equal(claw_back(&r, notice, set, n), US_OK);
	reply = ask(&r, RIG_PRODUCER, 1);
	assert_int_equal(reply.err, US_OK);
	assert_int_equal(reply.people + reply.records + reply.views + reply.copies, 0);
	rig_stop(&r, SIGKILL);
	rig_destroy(&r);

	/* what was disclosed before it was clawed back */
	begin(&r);
	add_notice(&r, notice);
	disclose(&r, had, n_had / 2);
	disclose(&r, had + n_had / 2, n_had - n_had / 2);
	disclose(&r, had, 1); /* again, on the same day: once */
	assert_int_equal(claw_back(&r, notice, set, n), US_OK);
	for (int again = 0; again < 2; again++) {
		reply = ask(&r, RIG_PRODUCER, 1);
		assert_int_equal(reply.err, US_OK);
		assert_int_equal(reply.people, 1);
		assert_int_equal(reply.records, both);
		assert_int_equal(reply.views, both);
		assert_int_equal(reply.copies, 0);
		if (again)
			break;
		assert_int_equal(rig_stop(&r, SIGKILL), -1);
		rig_start(&r, "");
		rig_open(&r);
	}
	(void)rig_stop(&r, SIGTERM);
	rig_destroy(&r);
}

static void
test_refusals(void **state)
{
	struct us_msg_disclosed_reply reply;
	uint8_t id[16];
	struct rig r;

	(void)state;
	begin(&r);
	reply = ask(&r, RIG_PRODUCER, 1);
	assert_int_equal(reply.err, US_ERR_NOT_FOUND);
	memcpy(id, r.people[RIG_PRODUCER].session, sizeof id);
	r.people[RIG_PRODUCER].session[0] ^= 1;
	reply = ask(&r, RIG_PRODUCER, 1);
	assert_int_equal(reply.err, US_ERR_DENIED);
	assert_int_equal(reply.reason, US_REASON_NO_SESSION);
	memcpy(r.people[RIG_PRODUCER].session, id, sizeof id);
	(void)rig_stop(&r, SIGTERM);
	rig_destroy(&r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_refusals),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
