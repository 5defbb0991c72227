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
#include "client/report_redecision.h"
#include "base/err.h"
#include "tests/unit/registry/world.h"

#define RECORDS 5000
#define SLOTS 64
#define DAYS (INT64_C(86400) * WORLD_SECOND)

struct scene {
	struct world world;
	struct us_trail trail;
	enum us_reason want[SLOTS]; /* by place in the trail */
	size_t n_acts;              /* of the world's that have an entry */
};

static uint64_t numbers[RECORDS];

static struct us_trail_entry *
add(struct scene *s, enum us_entry_class entry_class)
{
	struct us_trail *t = &s->trail;
	struct us_trail_entry *e = &t->entries[t->n];

	assert_true(t->n < SLOTS);
	*e = (struct us_trail_entry){ .index = t->n,
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
	s->want[t->n++] = US_REASON_NONE;
	return e;
}

/* Entries of the acts that the world has done since. */
static void
acts(struct scene *s)
{
	struct us_trail *t = &s->trail;

	for (; s->n_acts < s->world.n_acts; s->n_acts++) {
		t->acts[t->n_acts++] = (struct us_trail_state){ .place = t->n };
		add(s, US_CLASS_STATE)->sequence = s->n_acts + 1;
	}
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

static void
commit(struct scene *s, struct us_buf *file)
{
	struct us_state state;

	us_state_init(&state);
	us_buf_init(file, (size_t)1 << 26);
	for (size_t i = 0; i < s->n_acts; i++) {
		const struct us_buf *act = &s->world.acts[i];

		assert_int_equal(us_state_take(&state, (struct us_bytes){ act->data, act->len }),
		    US_OK);
		assert_int_equal(us_entry_state_commitment(s->trail.acts[i].commitment,
				     state.digest, state.manifest_root),
		    US_OK);
		assert_int_equal(us_buf_put_str32(file, act->data, act->len), US_OK);
	}
}

static struct scene *
scene_new(void)
{
	struct scene *s = calloc(1, sizeof *s);

	assert_non_null(s);
	world_open(&s->world);
	us_trail_init(&s->trail);
	s->trail.entries = calloc(SLOTS, sizeof *s->trail.entries);
	s->trail.acts = calloc(SLOTS, sizeof *s->trail.acts);
	assert_non_null(s->trail.entries);
	assert_non_null(s->trail.acts);
	s->trail.cap = s->trail.acts_cap = SLOTS;
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

/* Decides everything again. */
static void
compare(struct scene *s)
{
	struct us_redecision *again;
	struct us_buf file;

	commit(s, &file);
	assert_int_equal(us_redecision_new(&again, &s->trail), US_ERR_NOT_FOUND); /* no acts yet */
	assert_int_equal(us_trail_take_acts(&s->trail, &file), US_OK);
	assert_int_equal(us_redecision_new(&again, &s->trail), US_OK);
	for (size_t i = 0; i < s->trail.n; i++) {
		enum us_reason why;

		assert_int_equal(us_redecision_next(again, &s->trail.entries[i], &why), US_OK);
		if (why != s->want[i])
			fail_msg("entry %zu: %s, not %s", i, us_reason_name((unsigned)why),
			    us_reason_name((unsigned)s->want[i]));
	}
	us_redecision_free(again);
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
	struct us_redecision *again;

	(void)state;
	commit(s, &file);
	for (size_t at = 4; at < file.len; at += 97) {
		us_buf_init(&bad, file.max);
		assert_int_equal(us_buf_put(&bad, file.data, file.len), US_OK);
		bad.data[at] ^= 0x20;
		assert_int_not_equal(us_trail_take_acts(&s->trail, &bad), US_OK);
		assert_int_equal(s->trail.n_committed, 0);
		assert_int_equal(s->trail.acts[0].act.n, 0);
		us_buf_free(&bad);
	}
	us_buf_init(&bad, file.max);
	assert_int_equal(us_buf_put(&bad, file.data, file.len - 1), US_OK);
	assert_int_equal(us_trail_take_acts(&s->trail, &bad), US_ERR_TRUNCATED);
	us_buf_reset(&bad);
	assert_int_equal(us_buf_put(&bad, file.data, file.len), US_OK);
	assert_int_equal(us_buf_put_str32(&bad, s->world.acts[1].data, s->world.acts[1].len),
	    US_OK);
	/* one more than the log has */
	assert_int_equal(us_trail_take_acts(&s->trail, &bad), US_ERR_VERIFY);
	us_buf_reset(&bad);
	assert_int_equal(us_buf_put_str32(&bad, s->world.acts[0].data, s->world.acts[0].len),
	    US_OK);
	assert_int_equal(us_trail_take_acts(&s->trail, &bad), US_OK);
	assert_int_equal(s->trail.n_committed, 1);
	assert_int_equal(us_redecision_new(&again, &s->trail), US_ERR_NOT_FOUND);
	assert_int_equal(us_trail_registry(&s->trail, INT64_MAX, &reg), US_ERR_NOT_FOUND);
	assert_int_equal(us_trail_take_acts(&s->trail, &file), US_OK);
	assert_int_equal(us_trail_registry(&s->trail, INT64_MAX, &reg), US_OK);
	assert_int_equal(us_registry_sequence(reg), s->n_acts);
	us_registry_free(reg);
	assert_int_equal(us_trail_registry(&s->trail, 0, &reg), US_OK);
	assert_int_equal(us_registry_sequence(reg), 1);
	us_registry_free(reg);
	us_buf_free(&bad);
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
