/* What is taken from view: clawbacks, freezes, relabels; for whom, since when, until who says
 * otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry/docket_acts.h"
#include "registry/withheld.h"

#define FREEZES_ON 256 /* in force at a time, the last only for everything */

static unsigned
withheld(const struct world *w, uint64_t record)
{
	return us_registry_withheld(w->reg, 1, record);
}

struct runs {
	size_t n;
	struct us_run run[8];
};

static void
collect(void *ctx, struct us_run run)
{
	struct runs *r = ctx;

	assert_true(r->n < 8);
	r->run[r->n++] = run;
}

static struct runs
runs_of(const struct world *w, uint64_t first, uint64_t count, unsigned why)
{
	struct runs r = { .n = 0 };

	us_registry_withheld_runs(w->reg, 1, first, count, why, collect, &r);
	return r;
}

/* A batch that the plaintiffs' attorney loaded: records first .. first + 9 at that slot. */
static void
attorneys_batch(struct world *w, uint32_t slot, uint64_t first)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = US_ACT_BATCH_CLOSE;
	act->u.batch_close = (struct us_act_batch_close){ .collection = 1,
		.slot = slot,
		.segment_slot = slot,
		.load = 2,
		.loaded_by = w->attorney.person,
		.first = first,
		.count = 10,
		.raw_bytes = 10 };
	assert_int_equal(world_own(w, act), US_OK);
	free(act);
}

static int
about_batch(struct world *w, const struct actor *by, enum us_act_type type, uint32_t slot)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = type;
	act->u.records.selection = (struct us_selection){ .collection = 1,
		.is_batch = 1,
		.slot = slot };
	memcpy(act->u.records.document, small_document(), 32);
	act->u.records.designation = us_bytes_of("CONFIDENTIAL");
	act->u.records.reason = us_bytes_of("agreed");
	int err = world_act(w, by, act);
	free(act);
	return err;
}

/* ---- clawback ---- */

static void
test_clawback(void **state)
{
	struct world *w = *state;
	uint64_t generation = us_registry_generation(w->reg);

	assert_false(us_registry_withholds(w->reg, 1, US_WITHHELD_CLAWBACK));
	/* over two batches */
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 90, 20, NULL), US_OK);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_int_equal(withheld(w, 89), 0);
	assert_int_equal(withheld(w, 90), US_WITHHELD_CLAWBACK);
	assert_int_equal(withheld(w, 109), US_WITHHELD_CLAWBACK);
	assert_int_equal(withheld(w, 110), 0);
	assert_int_equal(us_registry_withheld(w->reg, 2, 90), 0);
	assert_true(us_registry_withholds(w->reg, 1, US_WITHHELD_CLAWBACK));
	assert_false(us_registry_withholds(w->reg, 1, US_WITHHELD_FREEZE));
	assert_false(us_registry_withholds(w->reg, 2, US_WITHHELD_CLAWBACK));
	struct runs r = runs_of(w, 0, 95, US_WITHHELD_CLAWBACK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.run[0].first, 90);
	assert_int_equal(r.run[0].count, 5);
	assert_int_equal(runs_of(w, 0, 90, US_WITHHELD_CLAWBACK | US_WITHHELD_FREEZE).n, 0);
	assert_int_equal(runs_of(w, 0, 200, US_WITHHELD_FREEZE).n, 0);
	us_registry_withheld_runs(w->reg, 2, 0, 200, US_WITHHELD_CLAWBACK, collect, &r);
	assert_int_equal(r.n, 1); /* nothing came of another collection */
	/* an objection brings nothing back; denied, all is seen again */
	assert_int_equal(object(w, &w->attorney, "clawback-1"), US_OK);
	assert_int_equal(withheld(w, 90), US_WITHHELD_CLAWBACK);
	assert_int_equal(resolve(w, &w->attorney, "clawback-1", US_OUTCOME_DENIED), US_ERR_DENIED);
	assert_int_equal(resolve(w, &w->auditor, "clawback-1", US_OUTCOME_DENIED), US_OK);
	assert_int_equal(withheld(w, 90), 0);
	assert_false(us_registry_withholds(w->reg, 1, US_WITHHELD_CLAWBACK));
	/* granted, it stays; and what two name is hidden until both are over */
	assert_int_equal(about_batch(w, &w->producer, US_ACT_CLAWBACK, 1), US_OK);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 99, 2, NULL), US_OK);
	assert_int_equal(resolve(w, &w->auditor, "clawback-2", US_OUTCOME_GRANTED), US_OK);
	assert_int_equal(withheld(w, 199), US_WITHHELD_CLAWBACK);
	assert_int_equal(withdraw(w, &w->attorney, "clawback-3"), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &w->producer, "clawback-3"), US_OK);
	assert_int_equal(withheld(w, 99), 0);
	assert_int_equal(withheld(w, 100), US_WITHHELD_CLAWBACK);
	assert_int_equal(withdraw(w, &w->producer, "clawback-2"), US_OK);
	assert_int_equal(withheld(w, 100), 0);
	/* what is loaded later is in no set */
	assert_int_equal(about_batch(w, &w->producer, US_ACT_CLAWBACK, 1), US_OK);
	assert_int_equal(world_batch(w, 1, 2, 200, 10, 0), US_OK);
	assert_int_equal(withheld(w, 199), US_WITHHELD_CLAWBACK);
	assert_int_equal(withheld(w, 200), 0);
}

static void
test_clawback_whose(void **state)
{
	struct world *w = *state;
	struct us_act *act = calloc(1, sizeof(*act));

	attorneys_batch(w, 2, 200);
	assert_int_equal(about_records(w, &w->attorney, US_ACT_CLAWBACK, 0, 1, NULL),
	    US_ERR_DENIED);
	assert_int_equal(w->refusal.reason, US_REASON_NOT_IN_ORDER);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 200, 1, NULL),
	    US_ERR_DENIED);
	/* the last is not theirs */
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 199, 2, NULL),
	    US_ERR_DENIED);
	assert_int_equal(about_batch(w, &w->attorney, US_ACT_CLAWBACK, 0), US_ERR_DENIED);
	assert_int_equal(about_batch(w, &w->producer, US_ACT_CLAWBACK, 3), US_ERR_NOT_FOUND);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 150, 1000, NULL),
	    US_ERR_DENIED);
	/* past the end */
	assert_int_equal(about_records(w, &w->auditor, US_ACT_CLAWBACK, 205, 10, NULL),
	    US_ERR_NOT_FOUND);
	assert_int_equal(about_records(w, &w->admin, US_ACT_CLAWBACK, 0, 1, NULL), US_ERR_DENIED);
	assert_int_equal(about_records(w, &w->attorney, US_ACT_CLAWBACK, 200, 10, NULL), US_OK);
	/* who resolves, for all */
	assert_int_equal(about_records(w, &w->auditor, US_ACT_CLAWBACK, 195, 10, NULL), US_OK);
	assert_int_equal(withheld(w, 195), US_WITHHELD_CLAWBACK);
	/* a notice of tomorrow; none at all */
	act->type = US_ACT_CLAWBACK;
	act->u.records.selection = (struct us_selection){ .collection = 1,
		.is_batch = 1,
		.slot = 0 };
	memcpy(act->u.records.document, small_document(), 32);
	act->u.records.noticed_ns = w->now + 10 * WORLD_SECOND;
	assert_int_equal(world_act(w, &w->producer, act), US_ERR_RANGE);
	act->u.records.noticed_ns = w->now;
	memset(act->u.records.document, 0, 32);
	assert_int_equal(world_act(w, &w->producer, act), US_ERR_NOT_FOUND);
	act->u.records.selection.collection = 2;
	assert_int_equal(world_act(w, &w->producer, act), US_ERR_NOT_FOUND);
	/* void ranges hold no records */
	struct us_act *hole = calloc(1, sizeof(*hole));
	hole->type = US_ACT_BATCH_VOID;
	hole->u.batch_void = (struct us_act_batch_void){ 1, 3, 210, 5, us_bytes_of("interrupted") };
	assert_int_equal(world_own(w, hole), US_OK);
	assert_int_equal(about_batch(w, &w->auditor, US_ACT_CLAWBACK, 3), US_ERR_NOT_FOUND);
	assert_int_equal(about_records(w, &w->auditor, US_ACT_CLAWBACK, 209, 2, NULL),
	    US_ERR_NOT_FOUND);
	free(act);
	free(hole);
}

/* ---- freezes ---- */

static struct us_context
context(const struct world *w)
{
	struct us_context c;

	us_registry_context(w->reg, NULL, (struct us_bytes){ NULL, 0 }, w->now, &c);
	return c;
}

static enum us_reason
asks(const struct world *w, const struct actor *a, const char *collection)
{
	const struct us_subject s = subject_of(w, a);
	struct us_context c = context(w);
	struct us_ruling ruling;

	c.collection = us_bytes_of(collection);
	us_order_evaluate(us_registry_order(w->reg), &s, US_ACTION_SEARCH, &c, &ruling);
	return ruling.reason;
}

static void
lift(struct world *w, uint32_t number)
{
	assert_int_equal(unfreeze(w, &w->producer, number), US_OK);
	assert_int_equal(unfreeze(w, &w->auditor, number), US_OK);
}

static void
test_freeze_scopes(void **state)
{
	struct world *w = *state;
	struct actor expert;

	join(w, &expert, "Erika Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	assert_int_equal(acknowledge(w, &w->attorney, 1), US_OK);
	assert_int_equal(acknowledge(w, &expert, 1), US_OK);
	assert_int_equal(world_collection(w, &w->admin, "more", "MORE"), US_OK);
	assert_int_equal(asks(w, &expert, "logs"), US_REASON_NONE);
	/* one signer of a party that may; nobody else */
	assert_int_equal(freeze(w, &w->producer, US_FREEZE_EVERYTHING, NULL, 0), US_ERR_DENIED);
	assert_int_equal(freeze(w, &expert, US_FREEZE_EVERYTHING, NULL, 0), US_ERR_DENIED);
	assert_int_equal(freeze(w, &w->admin, US_FREEZE_EVERYTHING, NULL, 0), US_ERR_DENIED);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_PARTY, "nobody", 0), US_ERR_NOT_FOUND);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_PERSON, NULL, 9), US_ERR_NOT_FOUND);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_COLLECTION, NULL, 3), US_ERR_NOT_FOUND);
	const uint64_t generation = us_registry_generation(w->reg);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_EVERYTHING, NULL, 0), US_OK);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_int_equal(asks(w, &expert, "logs"), US_REASON_FROZEN);
	assert_int_equal(context(w).freezes[0].id, 1);
	lift(w, 1);
	assert_int_equal(context(w).n_freezes, 0);
	assert_int_equal(freeze(w, &w->auditor, US_FREEZE_PARTY, "defendant", 0), US_OK);
	assert_int_equal(asks(w, &expert, "logs"), US_REASON_NONE);
	assert_int_equal(freeze(w, &w->auditor, US_FREEZE_PARTY, "plaintiffs", 0), US_OK);
	assert_int_equal(asks(w, &expert, "logs"), US_REASON_FROZEN);
	assert_int_equal(context(w).freezes[1].parties, 1);
	lift(w, 3);
	assert_int_equal(freeze(w, &w->auditor, US_FREEZE_PERSON, NULL, expert.person), US_OK);
	assert_int_equal(asks(w, &expert, "logs"), US_REASON_FROZEN);
	assert_int_equal(asks(w, &w->attorney, "logs"), US_REASON_NONE);
	lift(w, 4);
	assert_int_equal(freeze(w, &w->auditor, US_FREEZE_COLLECTION, NULL, 2), US_OK);
	assert_int_equal(asks(w, &expert, "more"), US_REASON_FROZEN);
	assert_int_equal(asks(w, &expert, "logs"), US_REASON_NONE);
	/* ids stay, also of those behind one that was lifted */
	assert_int_equal(context(w).n_freezes, 2);
	assert_int_equal(context(w).freezes[0].id, 2);
	assert_int_equal(context(w).freezes[1].id, 5);
	/* of records: no ruling of its own */
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_RECORDS, NULL, 0), US_OK);
	assert_int_equal(context(w).n_freezes, 2);
	assert_int_equal(withheld(w, 9), 0);
	assert_int_equal(withheld(w, 10), US_WITHHELD_FREEZE);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 19, 2, NULL), US_OK);
	assert_int_equal(withheld(w, 19), US_WITHHELD_FREEZE | US_WITHHELD_CLAWBACK);
	assert_int_equal(withheld(w, 20), US_WITHHELD_CLAWBACK);
	lift(w, 6);
	assert_int_equal(withheld(w, 19), US_WITHHELD_CLAWBACK);
	actor_free(&expert);
}

static void
test_freeze_lifted(void **state)
{
	struct world *w = *state;
	struct actor judge;

	join(w, &judge, "Judith Judge", US_CAPACITY_COURT, "court", &w->auditor);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_EVERYTHING, NULL, 0), US_OK);
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of("freeze-1"));
	assert_int_equal(unfreeze(w, &w->auditor, 2), US_ERR_NOT_FOUND);
	/* who froze is not of the quorum */
	assert_int_equal(unfreeze(w, &w->attorney, 1), US_ERR_DENIED);
	assert_int_equal(unfreeze(w, &w->admin, 1), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &w->attorney, "freeze-1"), US_ERR_STATE);
	/* signed by unfreeze alone */
	assert_int_equal(sign(w, &w->auditor, "freeze-1"), US_ERR_DENIED);
	assert_true(us_filing_waits_for(w->reg, f, person_of(w, &judge), w->now));
	assert_int_equal(unfreeze(w, &w->auditor, 1), US_OK);
	assert_int_equal(context(w).n_freezes, 1); /* half of a quorum is none */
	assert_int_equal(f->n_signatures, 1);
	assert_int_equal(unfreeze(w, &w->auditor, 1), US_ERR_EXISTS);
	assert_int_equal(unfreeze(w, &judge, 1), US_ERR_EXISTS); /* the same party */
	assert_false(us_filing_waits_for(w->reg, f, person_of(w, &judge), w->now));
	assert_int_equal(unfreeze(w, &w->producer, 1), US_OK);
	assert_int_equal(context(w).n_freezes, 0);
	assert_int_equal(f->status, US_FILING_GRANTED);
	assert_int_equal(unfreeze(w, &w->producer, 1), US_ERR_STATE);
	actor_free(&judge);
}

/* An amendment must leave no freeze that nobody could lift. */
static void
test_freeze_order_changes(void **state)
{
	struct world *w = *state;
	static const struct edit court[] = { { "lift: [[court, defendant]]", "lift: [[court]]" },
		{ NULL, NULL } };
	/* the plaintiffs are no party any more: the freeze of them waits for them to come back */
	static const struct edit dropped[] = { { "plaintiffs\n    name", "others\n    name" },
		{ "confirm: [[court], [plaintiffs, defendant]]", "confirm: court" },
		{ "[court, plaintiffs]", "[court]" }, { "{party: plaintiffs", "{party: others" },
		{ "{party: plaintiffs", "{party: others" },
		{ "{party: plaintiffs", "{party: others" }, { NULL, NULL } };

	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_PARTY, "plaintiffs", 0), US_OK);
	amend(w, 2, dropped, 0);
	assert_int_equal(context(w).n_freezes, 1);
	assert_int_equal(context(w).freezes[0].parties, 0);
	assert_int_equal(asks(w, &w->auditor, "logs"), US_REASON_NOT_IN_ORDER);
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_OK);
	assert_int_equal(context(w).freezes[0].parties, 1);
	assert_int_equal(unfreeze(w, &w->auditor, 1), US_OK);
	amend(w, 3, court, 0);
	assert_int_equal(context(w).n_freezes, 1); /* not by itself */
	assert_int_equal(unfreeze(w, &w->producer, 1), US_ERR_DENIED);
	assert_int_equal(unfreeze(w, &w->auditor, 1), US_OK);
	assert_int_equal(context(w).n_freezes, 0);
}

static void
test_freezes_many(void **state)
{
	struct world *w = *state;

	for (unsigned i = 1; i < FREEZES_ON; i++)
		assert_int_equal(freeze(w, &w->attorney, US_FREEZE_PERSON, NULL, w->admin.person),
		    US_OK);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_PERSON, NULL, w->attorney.person),
	    US_ERR_LIMIT);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_RECORDS, NULL, 0), US_OK);
	/* there is always room for that */
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_EVERYTHING, NULL, 0), US_OK);
	assert_int_equal(context(w).n_freezes, FREEZES_ON);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_EVERYTHING, NULL, 0), US_ERR_LIMIT);
	assert_int_equal(asks(w, &w->auditor, "logs"), US_REASON_FROZEN);
	lift(w, 1);
	assert_int_equal(asks(w, &w->auditor, "logs"), US_REASON_FROZEN);
}

/* ---- relabels, matter ---- */

static void
test_relabel(void **state)
{
	struct world *w = *state;
	const uint64_t generation = us_registry_generation(w->reg);

	assert_null(us_registry_designation(w->reg, 1, 0));
	/* the other side's */
	assert_int_equal(about_records(w, &w->attorney, US_ACT_RELABEL, 0, 10, "CONFIDENTIAL"),
	    US_ERR_DENIED);
	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 0, 10, "PUBLIC"),
	    US_ERR_NOT_FOUND);
	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 0, 10, "CONFIDENTIA"),
	    US_ERR_NOT_FOUND);
	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 0, 10, "CONFIDENTIAL"),
	    US_OK);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_string_equal(us_registry_designation(w->reg, 1, 9), "CONFIDENTIAL");
	assert_null(us_registry_designation(w->reg, 1, 10));
	assert_null(us_registry_designation(w->reg, 2, 9));
	/* the newest wins, for the records that it names */
	assert_int_equal(about_records(w, &w->auditor, US_ACT_RELABEL, 5, 10, "RESTRICTED"), US_OK);
	assert_string_equal(us_registry_designation(w->reg, 1, 4), "CONFIDENTIAL");
	assert_string_equal(us_registry_designation(w->reg, 1, 5), "RESTRICTED");
	assert_string_equal(us_registry_designation(w->reg, 1, 14), "RESTRICTED");
	assert_int_equal(about_batch(w, &w->producer, US_ACT_RELABEL, 0), US_OK);
	assert_string_equal(us_registry_designation(w->reg, 1, 5), "CONFIDENTIAL");
	assert_int_equal(us_registry_relabels(w->reg), 3);
	const struct us_relabel *r = us_registry_relabel(w->reg, 1);
	assert_int_equal(r->by, w->auditor.person);
	assert_int_equal(r->set->runs[0].first, 5);
	assert_string_equal(r->reason, "agreed");
	assert_int_equal(r->sequence + 1, us_registry_sequence(w->reg));
	assert_null(us_registry_relabel(w->reg, 3));
}

static void
test_matter(void **state)
{
	struct world *w = *state;
	static const struct edit other[] = { { "matter: [open, appeal]", "matter: [open, closed]" },
		{ NULL, NULL } };

	assert_int_equal(acknowledge(w, &w->attorney, 1), US_OK);
	assert_string_equal(us_registry_matter(w->reg), "");
	assert_int_equal(context(w).matter, 0);
	assert_int_equal(asks(w, &w->attorney, "logs"), US_REASON_NONE);
	assert_int_equal(matter(w, &w->attorney, "appeal"), US_ERR_DENIED);
	assert_int_equal(matter(w, &w->admin, "appeal"), US_ERR_DENIED);
	assert_int_equal(matter(w, &w->auditor, "appea"), US_ERR_NOT_FOUND);
	const uint64_t generation = us_registry_generation(w->reg);
	assert_int_equal(matter(w, &w->auditor, "appeal"), US_OK);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_int_equal(asks(w, &w->attorney, "logs"), US_REASON_MATTER);
	assert_int_equal(context(w).matter, 1);
	/* a state that the order in force does not list is none of its states */
	amend(w, 2, other, 0);
	assert_int_equal(acknowledge(w, &w->attorney, 2), US_OK);
	assert_int_equal(asks(w, &w->attorney, "logs"), US_REASON_MATTER);
	assert_true(context(w).matter > 1);
	assert_int_equal(matter(w, &w->auditor, "open"), US_OK);
	assert_int_equal(asks(w, &w->attorney, "logs"), US_REASON_NONE);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, docket_setup, docket_teardown)
	const struct CMUnitTest tests[] = {
		T(test_clawback),
		T(test_clawback_whose),
		T(test_freeze_scopes),
		T(test_freeze_lifted),
		T(test_freeze_order_changes),
		T(test_freezes_many),
		T(test_relabel),
		T(test_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
