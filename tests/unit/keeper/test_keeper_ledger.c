/* Goal: limits over time hold through the keeper, request after request and over kills: its ledger
 * against a table of who has had what that the test keeps itself. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"
#include "rig.h"

#define RECORDS 60
#define LINE "      records_per_request: 1000\n"
#define NONE UINT32_MAX

static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* The clock, which the linker puts here (--wrap), moved by what the environment says: for the
 * keeper's process too. */
#define CLOCK "US_TEST_CLOCK"
int64_t __real_us_time_now_ns(void);
int64_t __wrap_us_time_now_ns(void);

int64_t
__wrap_us_time_now_ns(void)
{
	const char *offset = getenv(CLOCK);

	return __real_us_time_now_ns() + (offset == NULL ? 0 : strtoll(offset, NULL, 10));
}

/* The keeper takes over what is set when it starts. */
static void
set_clock(const char *text)
{
	char offset[32];
	int64_t ns;

	assert_int_equal(us_time_parse(text, strlen(text), &ns), US_OK);
	(void)snprintf(offset, sizeof offset, "%lld", (long long)(ns - __real_us_time_now_ns()));
	assert_int_equal(setenv(CLOCK, offset, 1), 0);
}

static void
begin(struct rig *r, const char *limits)
{
	set_clock("2026-12-01T12:00:00Z"); /* no midnight comes in between */
	rig_create_order(r, (const char *const[]){ LINE, limits, NULL });
	rig_start(r, "");
	rig_open(r);
	rig_load(r, RECORDS);
}

/* An orderly end leaves the ledger written down, any other one what was written before it. */
static void
restart(struct rig *r)
{
	if (random_below(2) == 0)
		assert_int_equal(rig_stop(r, SIGKILL), -1);
	else
		assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	rig_open(r);
}

static struct us_msg_logged
disclose(struct rig *r, enum us_kind kind, enum us_action action, const uint64_t *records, size_t n)
{
	uint8_t packed[RECORDS * 8];
	struct us_msg_logged l;
	struct us_msg_log m;

	for (size_t i = 0; i < n; i++)
		us_store_u64(packed + 8 * i, records[i]);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.kind = (uint8_t)kind;
	m.action = (uint8_t)action;
	m.collection = 1;
	m.records = (struct us_bytes){ packed, n * 8 };
	assert_true(rig_log(r, &m, &l));
	return l;
}

/* ---- one limit after the other, against a table ---- */

struct limits {
	const char *text;
	uint32_t in_all; /* records, whatever the limit is called */
	uint32_t run;
};

static size_t
longest_run(const int *had)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < RECORDS; i++) {
		run = had[i] ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void
random_requests(struct rig *r, const struct limits *limits)
{
	unsigned allowed = 0, denied = 0;
	int had[RECORDS] = { 0 };
	size_t n_had = 0;

	for (unsigned i = 0; i < 120; i++) {
		const size_t n = 1 + random_below(3);
		int after[RECORDS];
		uint64_t records[3];
		struct us_msg_logged l;
		size_t n_after = 0;

		memcpy(after, had, sizeof had);
		for (size_t k = 0; k < n; k++) {
			records[k] = random_below(RECORDS);
			after[records[k]] = 1;
		}
		for (size_t k = 0; k < RECORDS; k++)
			n_after += after[k] != 0;
		/* runs of before hold the limit, so a longer one holds something of this request */
		const int ok = n_after <= limits->in_all && longest_run(after) <= limits->run;

		l = disclose(r, US_KIND_DISCLOSURE,
		    random_below(2) == 0 ? US_ACTION_READ : US_ACTION_SEARCH, records, n);
		assert_int_equal(l.err, ok ? US_OK : US_ERR_DENIED);
		assert_int_equal(l.record_keys.n, ok ? n * 48 : 0);
		if (ok) {
			memcpy(had, after, sizeof had);
			n_had = n_after;
			allowed++;
		} else {
			assert_int_equal(l.reason, US_REASON_QUOTA);
			assert_int_equal(l.rule, 1);
			assert_true(l.cure.n > 0);
			denied++;
		}
		if (limits->in_all != NONE)
			assert_int_equal(l.left_day != NONE ? l.left_day :
				l.left_life != NONE         ? l.left_life :
							      l.left_share,
			    limits->in_all - n_had);
		/* asking without being shown anything costs nothing, at the edge too */
		assert_int_equal(disclose(r, US_KIND_INTENT, US_ACTION_COUNT, records, 0).err,
		    US_OK);
		if (i % 20 == 19)
			restart(r);
	}
	assert_true(allowed > 3 && denied > 3);
}

static void
limits_hold(void **state)
{
	static const struct limits all[] = {
		{ "      per_day: 20\n", 20, NONE },
		{ "      life: 25\n      records_per_request: 1000\n", 25, NONE },
		{ "      share: \"50%\"\n      per: party\n", 30, NONE },
		{ "      consecutive: 4\n", NONE, 4 },
		{ "      consecutive: 4\n      per: party\n", NONE, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct rig r;

		print_message("%s", all[i].text);
		begin(&r, all[i].text);
		random_requests(&r, &all[i]);
		rig_destroy(&r);
	}
}

/* ---- what counts and what does not ---- */

static int
take_copy(struct rig *r, const uint64_t *records, uint32_t n, uint64_t *id)
{
	struct us_act *act = calloc(1, sizeof *act);
	uint8_t packed[RECORDS * 8];
	int err;

	for (uint32_t i = 0; i < n; i++)
		us_store_u64(packed + 8 * i, records[i]);
	act->type = US_ACT_COPY;
	act->u.copy.collection = 1;
	act->u.copy.recipient = us_bytes_of("Dr. Expert");
	act->u.copy.purpose = us_bytes_of("test");
	act->u.copy.n = n;
	act->u.copy.records = (struct us_bytes){ packed, 8u * n };
	err = rig_act(r, RIG_ATTORNEY, act);
	free(act);
	*id += err == US_OK;
	return err;
}

static struct us_msg_logged
hand_out(struct rig *r, const uint64_t *records, size_t n, uint64_t copy)
{
	uint8_t packed[RECORDS * 8], note[10] = { 0 };
	struct us_msg_logged l;
	struct us_msg_log m;

	for (size_t i = 0; i < n; i++)
		us_store_u64(packed + 8 * i, records[i]);
	us_store_u64(note, copy);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.kind = US_KIND_DISCLOSURE;
	m.action = US_ACTION_COPY;
	m.collection = 1;
	m.flags = 1;
	m.note = (struct us_bytes){ note, sizeof note };
	m.records = (struct us_bytes){ packed, n * 8 };
	assert_true(rig_log(r, &m, &l));
	return l;
}

static void
copies_and_views_are_two_meters(void **state)
{
	const uint64_t records[6] = { 3, 5, 7, 9, 11, 13 };
	uint64_t copy = 0;
	struct rig r;

	(void)state;
	begin(&r, "      life: 4\n");
	assert_int_equal(take_copy(&r, records, 5, &copy), US_ERR_DENIED);
	assert_int_equal(take_copy(&r, records, 3, &copy), US_OK);
	/* the act alone has disclosed nothing: what leaves is counted */
	assert_int_equal(take_copy(&r, records, 4, &copy), US_OK);
	assert_int_equal(hand_out(&r, records, 3, 1).left_life, 1);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(take_copy(&r, records + 2, 3, &copy), US_ERR_DENIED);
		assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records + 2, 4)
				     .left_life,
		    0);
		assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records, 1).err,
		    US_ERR_DENIED);
		restart(&r);
	}
	assert_int_equal(hand_out(&r, records, 4, 2).left_life, 0);
	rig_destroy(&r);
}

/* Several requests in one commit group: each is decided with those before it. */
static void
a_group_is_no_way_around(void **state)
{
	uint8_t record[8];
	struct us_msg_logged l;
	struct us_msg_log m;
	unsigned allowed = 0;
	struct rig r;

	(void)state;
	begin(&r, "      per_day: 7\n");
	for (unsigned i = 0; i < 40; i++) {
		us_store_u64(record, i);
		rig_log_init(&r, &m, RIG_ATTORNEY);
		m.kind = US_KIND_DISCLOSURE;
		m.action = US_ACTION_READ;
		m.collection = 1;
		m.records = (struct us_bytes){ record, 8 };
		rig_send(r.vault, US_MSG_log, (us_encode_fn)(void (*)(void))us_msg_log_encode, &m);
	}
	for (unsigned i = 0; i < 40; i++) {
		assert_true(rig_read(&r, r.vault, US_MSG_logged));
		assert_int_equal(us_msg_logged_decode(&l, r.body.data, r.body.len), US_OK);
		allowed += l.err == US_OK && l.record_keys.n == 48;
	}
	assert_int_equal(allowed, 7);
	/* refusals, and what the vault itself refused, are in the log but in no meter */
	restart(&r);
	us_store_u64(record, 3);
	rig_log_init(&r, &m, RIG_ATTORNEY);
	m.kind = US_KIND_DISCLOSURE;
	m.action = US_ACTION_READ;
	m.collection = 1;
	m.kind = US_KIND_INTENT;
	m.decision = US_DECISION_DENY;
	m.reason = US_REASON_NOT_VISIBLE;
	m.records = (struct us_bytes){ record, 8 };
	assert_true(rig_log(&r, &m, &l));
	assert_int_equal(l.left_day, NONE);
	m.kind = US_KIND_DISCLOSURE;
	m.decision = US_DECISION_ALLOW;
	m.reason = US_REASON_NONE;
	assert_true(rig_log(&r, &m, &l));
	assert_int_equal(l.err, US_OK); /* one that was had before */
	assert_int_equal(l.left_day, 0);
	rig_destroy(&r);
}

/* Midnight in New York is five in the morning in UTC. */
static void
days_are_the_calendars(void **state)
{
	static const char *const pieces[] = { LINE, "      per_day: 3\n", "  paragraph: \"4\"\n",
		"  paragraph: \"4\"\n  calendar: court\n\ncalendars:\n  - id: court\n    "
		"time_zone: \"America/New_York\"\n"
		"    days: [monday, tuesday, wednesday, thursday, friday]\n",
		NULL };
	const uint64_t records[] = { 1, 2, 3, 11, 12, 13, 14 };
	struct rig r;

	(void)state;
	set_clock("2026-12-01T04:50:00Z");
	rig_create_order(&r, pieces);
	rig_start(&r, "");
	rig_open(&r);
	rig_load(&r, RECORDS);
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records, 3).left_day, 0);
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records + 3, 1).err,
	    US_ERR_DENIED);
	set_clock("2026-12-01T05:10:00Z");
	restart(&r);
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records + 3, 2).left_day,
	    1);
	/* what was had the day before counts again today */
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records, 2).err,
	    US_ERR_DENIED);
	set_clock("2026-12-01T23:50:00Z");
	restart(&r);
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records + 5, 2).err,
	    US_ERR_DENIED);
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records, 1).left_day, 0);
	set_clock("2026-12-02T04:50:00Z"); /* Wednesday in UTC, still Tuesday in New York */
	restart(&r);
	assert_int_equal(disclose(&r, US_KIND_DISCLOSURE, US_ACTION_READ, records + 6, 1).err,
	    US_ERR_DENIED);
	rig_destroy(&r);
}

/* ---- the ledger as it was written down ---- */

static void
shell(const struct rig *r, const char *what)
{
	char command[512];

	assert_true(snprintf(command, sizeof command, "cd %s && { %s; }", r->dir, what) <
	    (int)sizeof command);
	assert_int_equal(system(command), 0);
}

static void
flip(const struct rig *r, long at)
{
	char path[128];
	FILE *f;
	int c;

	(void)snprintf(path, sizeof path, "%s/ledger", r->dir);
	f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, -1, SEEK_CUR), 0);
	assert_int_equal(fputc(c ^ 1, f), c ^ 1);
	assert_int_equal(fclose(f), 0);
}

/* Has one record more, and says how many it may still have. */
static uint32_t
one_more(struct rig *r, uint64_t record)
{
	const struct us_msg_logged l = disclose(r, US_KIND_DISCLOSURE, US_ACTION_READ, &record, 1);

	assert_int_equal(l.err, US_OK);
	return l.left_life;
}

static void
start_again(struct rig *r)
{
	rig_start(r, "");
	rig_open(r);
}

/* Whatever became of the file, the ledger is the log's. */
static void
written_down(void **state)
{
	static const long places[] = { 0, 5, 22, 40, 100, -1 };
	struct rig r;

	(void)state;
	begin(&r, "      life: 40\n      records_per_request: 1000\n");
	assert_int_equal(one_more(&r, 0), 39);
	assert_int_equal(rig_stop(&r, 0), 0);
	shell(&r, "cp ledger former.1");
	start_again(&r); /* by the file alone */
	assert_int_equal(one_more(&r, 1), 38);
	assert_int_equal(rig_stop(&r, SIGKILL), -1);
	start_again(&r); /* by the file and what came behind it */
	assert_int_equal(one_more(&r, 2), 37);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		assert_int_equal(rig_stop(&r, 0), 0);
		flip(&r, places[i]);
		start_again(&r);
		assert_int_equal(one_more(&r, 3 + i), 36 - i);
	}
	assert_int_equal(rig_stop(&r, 0), 0);
	shell(&r, "cp former.1 ledger"); /* an old one */
	start_again(&r);
	assert_int_equal(one_more(&r, 20), 30);
	assert_int_equal(rig_stop(&r, 0), 0);
	shell(&r, "rm ledger");
	start_again(&r);
	assert_int_equal(one_more(&r, 21), 29);
	/* one of a log that has gone on: an older copy of everything else is put back */
	assert_int_equal(rig_stop(&r, 0), 0);
	shell(&r, "mkdir ../copy.$$ && cp -a . ../copy.$$/ && echo ../copy.$$ > copied");
	start_again(&r);
	assert_int_equal(one_more(&r, 22), 28);
	assert_int_equal(one_more(&r, 23), 27);
	assert_int_equal(rig_stop(&r, 0), 0);
	shell(&r,
	    "c=$(cat copied); cp ledger $c/; find . -mindepth 1 -delete; cp -a $c/. .; "
	    "rm -r $c");
	start_again(&r);
	assert_int_equal(one_more(&r, 24), 28);
	rig_destroy(&r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(copies_and_views_are_two_meters),
		cmocka_unit_test(a_group_is_no_way_around),
		cmocka_unit_test(days_are_the_calendars),
		cmocka_unit_test(written_down),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
