/* Goal: what people see of the docket and its documents is what a table says, and what a comparison
 * of versions counts is what a slow second count of single records says. In a world without a
 * store: rules here have no queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/vault/answers/question_change.h"
#include "daemon/vault/decide/sight.h"
#include "tests/unit/registry/docket_acts.h"

static struct us_vault_asker
asker_of(const struct world *w, const struct actor *who)
{
	return (struct us_vault_asker){ .person = who->person, .subject = subject_of(w, who) };
}

/* ---- sight ---- */

enum { ATTORNEY, EXPERT, PRODUCER, DEFENCE, AUDITOR, JUDGE, ADMIN, PEOPLE };

static const char letters[] = "AEPDUJM";

/* Who of all sees the document, as a string of their letters in the order above. */
static void
check_document(const struct world *w, const struct actor *const people[PEOPLE],
    const char *of_document)
{
	const struct us_document *d = us_registry_document_of(w->reg, small_document(), 1);

	assert_non_null(d);
	for (size_t i = 0; i < PEOPLE; i++) {
		const struct us_vault_asker who = asker_of(w, people[i]);

		if (us_vault_sight_document(w->reg, &who, d) !=
		    (strchr(of_document, letters[i]) != NULL))
			fail_msg("%s and the document", people[i]->name);
	}
}

static void
check_sight(const struct world *w, const struct actor *const people[PEOPLE], const char *filing,
    const char *of_item, const char *of_records, const char *of_document)
{
	const struct us_filing *f = us_registry_filing_named(w->reg, us_bytes_of(filing));

	assert_non_null(f);
	for (size_t i = 0; i < PEOPLE; i++) {
		const struct us_vault_asker who = asker_of(w, people[i]);

		if (us_vault_sight_filing(w->reg, &who, f) != (strchr(of_item, letters[i]) != NULL))
			fail_msg("%s: %s and the item", filing, people[i]->name);
		if (us_vault_sight_filing_records(w->reg, &who, f) !=
		    (strchr(of_records, letters[i]) != NULL))
			fail_msg("%s: %s and its records", filing, people[i]->name);
	}
	check_document(w, people, of_document);
}

static void
test_sight(void **state)
{
	struct world *w = *state;
	struct actor expert, defence, judge;
	const struct actor *const people[PEOPLE] = { &w->attorney, &expert, &w->producer, &defence,
		&w->auditor, &judge, &w->admin };

	join(w, &expert, "Edgar Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	join(w, &defence, "Dora Defence", US_CAPACITY_COUNSEL_STAFF, "defendant", &w->producer);
	join(w, &judge, "Judith Judge", US_CAPACITY_COURT, "court", &w->auditor);
	check_document(w, people, "AJ"); /* nothing names it yet */
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_OK);
	check_sight(w, people, "clearance-1", "AEUJM", "AEJ", "AEJ");
	/* who names a statement of others as their own notice does not get to see it, nor do those
	 * who see that notice */
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 10, 10, NULL), US_OK);
	check_sight(w, people, "clawback-1", "AEPDUJM", "PDJ", "AEJ");
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant", w->now), US_OK);
	check_sight(w, people, "clearance-1", "AEPDUJM", "AEPDJ", "AEPDJ");
	/* named by those who added it in what the auditor may see: shown there */
	assert_int_equal(about_records(w, &w->attorney, US_ACT_CHALLENGE, 30, 5, NULL), US_OK);
	check_sight(w, people, "challenge-1", "AEUJM", "AEJ", "AEPDUJM");
	actor_free(&expert);
	actor_free(&defence);
	actor_free(&judge);
}

/* ---- comparison ---- */

#define LIVE 200u
#define HELD 10u

/* The versions of the test, told once more: 2 moves experts from reviewing to copying, 2 and 3 let
 * them see what was clawed back. */
static int
naive_sees(int version, const struct us_person *p, enum us_action action, uint64_t record)
{
	const int plaintiff = p->n_parties > 0 && strcmp(p->parties[0], "plaintiffs") == 0;
	const int counsel = p->capacity == US_CAPACITY_OUTSIDE_COUNSEL,
		  expert = p->capacity == US_CAPACITY_EXPERT;
	const int clawed_back = record >= 10 && record < 20;

	if (!plaintiff ||
	    record >= LIVE) /* the held ones are the producer's, whom no rule permits anything */
		return 0;
	if (clawed_back && !(version >= 2 && expert))
		return 0;
	if (action == US_ACTION_COPY)
		return counsel || (version == 2 && expert);
	return counsel || (version != 2 && expert);
}

static void
check_case(const struct world *w, int version, const struct us_vault_diff *d,
    const struct us_vault_diff_case *c)
{
	const struct us_person *p = us_registry_person(w->reg, c->person);
	const struct us_vault_diff_change *change = &d->changes[c->change];
	uint64_t gains = 0, loses = 0;

	for (uint64_t record = 0; record < LIVE + HELD; record++) {
		const int before = naive_sees(1, p, c->action, record),
			  after = naive_sees(version, p, c->action, record);

		gains += after && !before;
		loses += before && !after;
		if (after && !before && gains <= DIFF_SAMPLES)
			assert_int_equal(change->gains.samples[gains - 1], record);
		if (before && !after && loses <= DIFF_SAMPLES)
			assert_int_equal(change->loses.samples[loses - 1], record);
	}
	assert_int_equal(change->gains.records, gains);
	assert_int_equal(change->loses.records, loses);
	if (gains > 0) /* a rule of the new version */
		assert_true(us_bytes_is(change->gains.rule,
				c->action == US_ACTION_COPY ? "copies" : "review") &&
		    us_bytes_is(change->gains.paragraph, c->action == US_ACTION_COPY ? "5" : "3"));
	if (loses > 0) /* of the old one: the permission that is not there any more */
		assert_true(us_bytes_is(change->loses.rule, "review") &&
		    us_bytes_is(change->loses.paragraph, "3"));
}

static void
compare(struct world *w, uint32_t version, struct us_vault_diff *d)
{
	struct us_vault_question_rules rules[2];

	d->order[DIFF_FROM] = us_registry_version_of(w->reg, 1)->order;
	d->order[DIFF_TO] = us_registry_version_of(w->reg, version)->order;
	assert_int_equal(us_vault_diff_prepare(w->reg, d, w->now), US_OK);
	for (int side = DIFF_FROM; side <= DIFF_TO; side++)
		assert_int_equal(us_vault_question_rules_init(&rules[side], NULL, d->order[side],
				     1),
		    US_OK);
	assert_true(us_vault_diff_concerns(d, 1) && !us_vault_diff_concerns(d, 2) &&
	    !us_vault_diff_needs_index(d, 1));
	for (size_t i = 0; i < us_registry_batches(w->reg, 1); i++)
		assert_int_equal(us_vault_diff_count_batch(w->reg, d, rules, 1,
				     us_registry_batch(w->reg, 1, i)),
		    US_OK);
	for (int side = DIFF_FROM; side <= DIFF_TO; side++)
		us_vault_question_rules_free(&rules[side]);
}

static void
test_comparison(void **state)
{
	static const struct edit shown[] = {
		{ "clawback_visible: [court]", "clawback_visible: [court, expert]" }, { NULL, NULL }
	};
	static const struct edit edits[] = {
		{ "id: review\n    paragraph: \"3\"", "id: reviewing\n    paragraph: \"3(b)\"" },
		{ "[outside-counsel, counsel-staff, expert]", "[outside-counsel, counsel-staff]" },
		{ "    who: {party: plaintiffs, capacity: outside-counsel}\n    what: all\n    "
		  "actions: [copy]",
		    "    who: {party: plaintiffs, capacity: [outside-counsel, expert]}\n    what: "
		    "all\n    actions: [copy]" },
		{ "clawback_visible: [court]", "clawback_visible: [court, expert]" }, { NULL, NULL }
	};
	struct world *w = *state;
	struct us_vault_diff d;
	struct actor one, two;

	join(w, &one, "Edgar Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	join(w, &two, "Edna Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	assert_int_equal(world_batch(w, 1, 2, LIVE, HELD, 1), US_OK);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 10, 10, NULL), US_OK);
	assert_int_equal(propose(w, &w->attorney, 2, edits, 0), US_OK);
	assert_int_equal(propose(w, &w->attorney, 3, shown, 0), US_OK);
	for (int version = 2; version <= 3; version++) {
		unsigned seen = 0;

		memset(&d, 0, sizeof d);
		compare(w, (uint32_t)version, &d);
		for (size_t i = 0; i < d.n_cases; i++) {
			check_case(w, version, &d, &d.cases[i]);
			seen |= 1u << d.cases[i].person;
		}
		/* attorney and both experts, what they may do on either side; the experts share
		 * their changes */
		assert_int_equal(d.n_cases, version == 2 ? 12 : 10);
		assert_int_equal(seen,
		    1u << w->attorney.person | 1u << one.person | 1u << two.person);
		assert_int_equal(d.n_changes, version == 2 ? 4 : 3);
		us_vault_diff_free(&d);
	}
	actor_free(&one);
	actor_free(&two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sight, docket_setup, docket_teardown),
		cmocka_unit_test_setup_teardown(test_comparison, docket_setup, docket_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
