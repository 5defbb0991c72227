/* Goal: acts are taken for those of a log only if it commits to them, and what a log granted is
 * decided again by the order: each grant that the order would not have given is found, for its
 * reason, and no other. The acts are those of the registry's own tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/state.h"
#include "client/report/catalogue.h"
#include "client/report/redecision.h"
#include "base/err.h"
#include "tests/unit/registry/world.h"

#define RECORDS 5000
#define SLOTS 64
#define DAYS (INT64_C(86400) * WORLD_SECOND)

struct scene {
	struct world world;
	struct us_trail_entry entries[SLOTS];
	enum us_reason want[SLOTS];
	size_t n;
	size_t n_acts; /* of the world's that have an entry */
	struct us_trail trail;
};

static uint64_t numbers[RECORDS];

static struct us_trail_entry *
add(struct scene *s, enum us_entry_class entry_class)
{
	struct us_trail_entry *e = &s->entries[s->n];

	assert_true(s->n < SLOTS);
	*e = (struct us_trail_entry){ .index = s->n,
		.time_ns = s->world.now,
		.entry_class = entry_class,
		.opened = 7,
		.related = US_ENTRY_NONE,
		.sequence = US_ENTRY_NONE,
		.paragraph = "",
		.party = "",
		.recipient = "",
		.purpose = "",
		.address = "192.0.2.7:4711",
		.query = "" };
	s->want[s->n++] = US_REASON_NONE;
	return e;
}

/* Entries of the acts that the world has done since. */
static void
acts(struct scene *s)
{
	for (; s->n_acts < s->world.n_acts; s->n_acts++)
		add(s, US_CLASS_STATE)->sequence = s->n_acts + 1;
}

/* Records 0 .. n - 1 of collection 1, read by somebody; and what the order says to it. */
static struct us_trail_entry *
reads(struct scene *s, const struct actor *who, uint64_t n, enum us_reason want)
{
	struct us_trail_entry *e = add(s, US_CLASS_ACCESS);

	e->kind = US_KIND_DISCLOSURE;
	e->action = US_ACTION_READ;
	e->decision = US_DECISION_ALLOW;
	e->person = who->person;
	memcpy(e->credential, who->fingerprint, 32);
	e->collection = 1;
	e->purpose = "claim 3";
	e->records = numbers;
	e->n_records = n;
	s->want[e->index] = want;
	return e;
}

/* The file "acts" of an export. */
static void
commit(const struct scene *s, struct us_buf *file)
{
	us_buf_init(file, (size_t)1 << 26);
	for (size_t i = 0; i < s->n_acts; i++)
		assert_int_equal(us_buf_put_str32(file, s->world.acts[i].data,
				     s->world.acts[i].len),
		    US_OK);
}

/* The next entry of an act goes by. */
static void
act_goes_by(struct scene *s, struct us_state *state)
{
	static const uint8_t vault_id[32] = { 9 };
	const struct us_key secret = { .b = { 3 } };
	const struct us_buf *act = &s->world.acts[s->trail.n_acts];
	struct us_entry_in in = { .index = s->trail.n_acts,
		.entry_class = US_CLASS_STATE,
		.vault_id = vault_id,
		.secret = &secret };
	const struct us_trail_entry *e;
	struct us_opened opened;
	struct us_buf entry;

	us_buf_init(&entry, US_ENTRY_MAX);
	assert_int_equal(us_state_take(state, (struct us_bytes){ act->data, act->len }), US_OK);
	memcpy(in.state_digest, state->digest, 32);
	memcpy(in.manifest_root, state->manifest_root, 32);
	assert_int_equal(us_entry_encode(&entry, &in), US_OK);
	us_opened_init(&opened);
	assert_int_equal(us_opened_begin(&opened, (struct us_bytes){ entry.data, entry.len }),
	    US_OK);
	assert_int_equal(us_trail_next(&s->trail, &opened, &e), US_OK);
	us_opened_free(&opened);
	us_buf_free(&entry);
}

/* A trail that was given a file of acts. */
static void
begin_trail(struct scene *s, const struct us_buf *file)
{
	us_trail_free(&s->trail);
	us_trail_init(&s->trail);
	s->trail.offline = 1;
	us_trail_set_acts(&s->trail, (struct us_bytes){ file->data, file->len });
}

/* The entries of the acts go by. */
static void
go_by(struct scene *s, const struct us_buf *file)
{
	struct us_state state;

	begin_trail(s, file);
	us_state_init(&state);
	for (size_t i = 0; i < s->n_acts; i++)
		act_goes_by(s, &state);
}

/* The whole scene goes by a report; how it ends. */
static int
pass(struct scene *s, struct us_report *r, const struct us_buf *file)
{
	struct us_state state;

	begin_trail(s, file);
	us_state_init(&state);
	us_report_pass(r, &s->trail);
	for (size_t i = 0; i < s->n; i++) {
		if (s->entries[i].entry_class == US_CLASS_STATE)
			act_goes_by(s, &state);
		us_report_entry(r, &s->entries[i]);
	}
	return us_report_end(r);
}

static struct scene *
scene_new(void)
{
	struct scene *s = calloc(1, sizeof *s);

	assert_non_null(s);
	world_open(&s->world);
	us_trail_init(&s->trail);
	for (size_t i = 0; i < RECORDS; i++)
		numbers[i] = i;
	acts(s);
	assert_int_equal(world_collection(&s->world, &s->world.admin, "demo", "DEMO"), US_OK);
	assert_int_equal(world_batch(&s->world, 1, 0, 0, 2000, 0), US_OK);
	acts(s);
	return s;
}

static void
scene_free(struct scene *s)
{
	us_trail_free(&s->trail);
	world_close(&s->world);
	free(s);
}

/* How many records the request names that begins at entry i: its parts stand behind one another. */
static uint64_t
records_of(const struct scene *s, size_t i)
{
	uint64_t n = s->entries[i].n_records;

	for (size_t part = 1; i + part < s->n && s->entries[i + part].part == part; part++)
		n += s->entries[i + part].n_records;
	return n;
}

/* Decides everything again. */
static void
compare(struct scene *s)
{
	struct us_redecision *again;
	size_t n_acts = 0;

	assert_int_equal(us_redecision_new(&again), US_OK);
	for (size_t i = 0; i < s->n; i++) {
		const struct us_trail_entry *e = &s->entries[i];
		struct us_bytes act = { NULL, 0 };
		enum us_reason why;

		if (e->entry_class == US_CLASS_STATE) {
			act = (struct us_bytes){ s->world.acts[n_acts].data,
				s->world.acts[n_acts].len };
			n_acts++;
		}
		assert_int_equal(us_redecision_next(again, e, act,
				     us_redecision_asks(e) ? records_of(s, i) : 0, &why),
		    US_OK);
		if (why != s->want[i])
			fail_msg("entry %zu: %s, not %s", i, us_reason_name((unsigned)why),
			    us_reason_name((unsigned)s->want[i]));
	}
	us_redecision_free(again);
}

/* The report on exceptions finds the same, though it sees each entry once. */
static void
report(struct scene *s)
{
	const struct us_report_ask ask = { .person = NULL };
	struct us_report r;
	struct us_buf file;
	const cJSON *row;

	commit(s, &file);
	us_report_begin(&r, us_report_kind_named("exceptions"), &ask, NULL);
	assert_int_equal(pass(s, &r, &file), US_EXIT_DONE);
	row = r.rows->child;
	for (size_t i = 0; i < s->n; i++) {
		if (s->want[i] == US_REASON_NONE)
			continue;
		assert_non_null(row);
		assert_int_equal((int)us_json_number(row, "index", -1), i);
		assert_string_equal(us_json_text(row, "by_the_acts"),
		    us_reason_name((unsigned)s->want[i]));
		row = row->next;
	}
	assert_null(row);
	us_report_free(&r);
	/* some of the acts are not there: again, without the order */
	us_report_begin(&r, us_report_kind_named("exceptions"), &ask, NULL);
	file.len = 4 + s->world.acts[0].len;
	assert_int_equal(pass(s, &r, &file), US_REPORT_AGAIN);
	assert_int_equal(pass(s, &r, &file), US_EXIT_DONE);
	assert_int_equal((int)us_json_number(r.summary, "grants decided again by the order", -1),
	    -1);
	us_report_free(&r);
	us_buf_free(&file);
}

static void
test_requests(void **state)
{
	struct scene *s = scene_new();
	struct us_trail_entry *e;

	(void)state;
	(void)reads(s, &s->world.attorney, 1000, US_REASON_NONE);
	(void)reads(s, &s->world.attorney, 1001, US_REASON_QUOTA);
	reads(s, &s->world.attorney, 1, US_REASON_PURPOSE_MISSING)->purpose = "";
	(void)reads(s, &s->world.admin, 1, US_REASON_CAPACITY);
	(void)reads(s, &s->world.producer, 1, US_REASON_NOT_IN_ORDER);
	(void)reads(s, &s->world.auditor, 1, US_REASON_NOT_IN_ORDER);
	reads(s, &s->world.attorney, 1, US_REASON_CREDENTIAL)->person = s->world.admin.person;
	reads(s, &s->world.attorney, 1, US_REASON_UNKNOWN_CREDENTIAL)->credential[0] ^= 1;
	reads(s, &s->world.attorney, 1, US_REASON_NOT_FOUND)->records = &numbers[2000];
	reads(s, &s->world.attorney, 1, US_REASON_NOT_FOUND)->collection = 2;
	/* two parts are one request; the second has nothing to say but its records */
	reads(s, &s->world.attorney, 600, US_REASON_QUOTA)->records = numbers;
	e = reads(s, &s->world.attorney, 600, US_REASON_NONE);
	e->part = 1;
	e->purpose = "";
	/* not granted, not opened, not of the kind that the order decides about */
	reads(s, &s->world.admin, 1, US_REASON_NONE)->decision = US_DECISION_DENY;
	reads(s, &s->world.admin, 1, US_REASON_NONE)->opened = 3;
	reads(s, &s->world.admin, 0, US_REASON_NONE)->action = US_ACTION_OPEN_COLLECTION;
	reads(s, &s->world.admin, 0, US_REASON_NONE)->kind = US_KIND_OUTCOME;
	s->world.now += 400 * DAYS;
	(void)reads(s, &s->world.attorney, 1, US_REASON_EXPIRED);
	compare(s);
	report(s);
	scene_free(s);
}

static void
suspend(struct scene *s, const struct actor *who, enum us_act_type how)
{
	struct us_act *act = calloc(1, sizeof *act);

	act->type = how;
	act->u.change.person = who->person;
	act->u.change.reason = us_bytes_of("a test");
	assert_int_equal(world_act(&s->world, &s->world.admin, act), US_OK);
	free(act);
	acts(s);
}

/* What acts give and take counts from their entries on. */
static void
test_acts(void **state)
{
	struct scene *s = scene_new();
	struct actor bob = { .person = 0 };
	struct us_trail_entry *e;

	(void)state;
	actor_new(&bob, "Bob Barrister");
	assert_int_equal(world_add(&s->world, &s->world.admin, &bob, US_CAPACITY_OUTSIDE_COUNSEL,
			     "plaintiffs", NULL),
	    US_OK);
	assert_int_equal(world_issue(&s->world, &s->world.admin, &bob), US_OK);
	acts(s);
	(void)reads(s, &bob, 1, US_REASON_PENDING);
	assert_int_equal(world_docket_sign(&s->world, &s->world.attorney, "person-5"), US_OK);
	acts(s);
	(void)reads(s, &bob, 1, US_REASON_NONE);
	suspend(s, &bob, US_ACT_PERSON_SUSPEND);
	(void)reads(s, &bob, 1, US_REASON_SUSPENDED);
	suspend(s, &bob, US_ACT_PERSON_REINSTATE);
	(void)reads(s, &bob, 1, US_REASON_NONE);
	suspend(s, &bob, US_ACT_PERSON_END);
	(void)reads(s, &bob, 1, US_REASON_ENDED);
	assert_int_equal(world_batch(&s->world, 1, 1, 2000, 10, 1), US_OK); /* held */
	acts(s);
	reads(s, &s->world.attorney, 1, US_REASON_HELD)->records = &numbers[2005];
	/* started frozen: nobody is given anything until the next start */
	e = add(s, US_CLASS_SYSTEM);
	e->kind = US_KIND_EVENT;
	e->action = US_ACTION_START;
	e->event = (struct us_event){ .form = US_EVENT_START, .start = { 1 } };
	(void)reads(s, &s->world.attorney, 1, US_REASON_FROZEN);
	e = add(s, US_CLASS_SYSTEM);
	e->kind = US_KIND_EVENT;
	e->action = US_ACTION_START;
	(void)reads(s, &s->world.attorney, 1, US_REASON_NONE);
	compare(s);
	report(s);
	actor_free(&bob);
	scene_free(s);
}

/* Each act at its entry, none changed, none more; fewer are the beginning. */
static void
test_take(void **state)
{
	struct scene *s = scene_new();
	struct us_registry *reg;
	struct us_buf file, bad;

	(void)state;
	commit(s, &file);
	for (size_t at = 4; at < file.len; at += 97) {
		us_buf_init(&bad, file.max);
		assert_int_equal(us_buf_put(&bad, file.data, file.len), US_OK);
		bad.data[at] ^= 0x20;
		go_by(s, &bad);
		assert_int_not_equal(us_trail_end_acts(&s->trail), US_OK);
		assert_false(us_trail_has_acts(&s->trail));
		assert_int_equal(s->trail.act.n, 0);
		us_buf_free(&bad);
	}
	us_buf_init(&bad, file.max);
	assert_int_equal(us_buf_put(&bad, file.data, file.len - 1), US_OK);
	go_by(s, &bad);
	assert_int_equal(us_trail_end_acts(&s->trail), US_ERR_TRUNCATED);
	us_buf_reset(&bad);
	assert_int_equal(us_buf_put(&bad, file.data, file.len), US_OK);
	assert_int_equal(us_buf_put_str32(&bad, s->world.acts[1].data, s->world.acts[1].len),
	    US_OK);
	/* an export has one more than its log; of a vault's log that is what was done since */
	go_by(s, &bad);
	assert_int_equal(us_trail_end_acts(&s->trail), US_ERR_VERIFY);
	s->trail.offline = 0;
	assert_int_equal(us_trail_end_acts(&s->trail), US_OK);
	us_buf_reset(&bad);
	assert_int_equal(us_buf_put_str32(&bad, s->world.acts[0].data, s->world.acts[0].len),
	    US_OK);
	go_by(s, &bad);
	assert_int_equal(us_trail_end_acts(&s->trail), US_OK);
	assert_false(us_trail_has_acts(&s->trail));
	assert_int_equal(us_trail_registry(&s->trail, INT64_MAX, &reg), US_ERR_NOT_FOUND);
	go_by(s, &file);
	assert_true(us_trail_has_acts(&s->trail));
	assert_int_equal(us_trail_registry(&s->trail, INT64_MAX, &reg), US_OK);
	assert_int_equal(us_registry_sequence(reg), s->n_acts);
	us_registry_free(reg);
	assert_int_equal(us_trail_registry(&s->trail, 0, &reg), US_OK);
	assert_int_equal(us_registry_sequence(reg), 1);
	us_registry_free(reg);
	us_buf_free(&bad);
	us_buf_free(&file);
	scene_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
