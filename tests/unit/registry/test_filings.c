/* The docket: clearances with their terms, challenges, approvals; and every act on every kind in
 * every status, against a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry/docket_acts.h"
#include "registry/withheld.h"

#define HOUR_NS (INT64_C(3600) * WORLD_SECOND)
/* Ends of days in New York, winter: the last nanosecond before 05:00 UTC of the next. */
#define END_OF(utc_midnight_of_next_day) \
	(INT64_C(utc_midnight_of_next_day) * WORLD_SECOND + 5 * HOUR_NS - 1)
#define DEC_1 1701388800 /* 2023-12-01T00:00Z */

static const struct us_filing *
filing(const struct world *w, const char *id)
{
	return us_registry_filing_named(w->reg, us_bytes_of(id));
}

static int
waits_for(const struct world *w, const char *id, const struct actor *a)
{
	return us_filing_waits_for(w->reg, filing(w, id), person_of(w, a), w->now);
}

/* ---- clearances ---- */

static void
test_clearance_request(void **state)
{
	struct world *w = *state;
	struct actor expert;
	struct us_act *act = calloc(1, sizeof(*act));

	join(w, &expert, "Erika Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	/* by a roster signer of the person's own party alone */
	assert_int_equal(clearance(w, &w->producer, "expert", &expert), US_ERR_DENIED);
	assert_int_equal(clearance(w, &w->auditor, "expert", &expert), US_ERR_DENIED);
	assert_int_equal(clearance(w, &w->admin, "expert", &expert), US_ERR_DENIED);
	assert_int_equal(clearance(w, &expert, "expert", &expert), US_ERR_DENIED);
	assert_int_equal(clearance(w, &w->attorney, "exper", &expert), US_ERR_NOT_FOUND);
	assert_int_equal(clearance(w, &w->attorney, "experts", &expert), US_ERR_NOT_FOUND);
	struct actor nobody = { .person = 99 };
	assert_int_equal(clearance(w, &w->attorney, "expert", &nobody), US_ERR_NOT_FOUND);
	act->type = US_ACT_CLEARANCE;
	act->u.clearance = (struct us_act_clearance){ .clearance = us_bytes_of("expert"),
		.person = expert.person };
	/* without a statement */
	assert_int_equal(world_act(w, &w->attorney, act), US_ERR_NOT_FOUND);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_OK);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_ERR_EXISTS);
	assert_int_equal(clearance(w, &w->attorney, "tool", &expert), US_OK);
	assert_int_equal(filing(w, "clearance-1")->person, expert.person);
	assert_string_equal(filing(w, "clearance-2")->text, "tool");
	assert_int_equal(withdraw(w, &w->producer, "clearance-2"), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &expert, "clearance-2"), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &w->attorney, "clearance-2"), US_OK);
	assert_int_equal(clearance(w, &w->attorney, "tool", &expert), US_OK);
	assert_non_null(filing(w, "clearance-3")); /* numbers are not given again */
	free(act);
	actor_free(&expert);
}

static void
test_clearance_term(void **state)
{
	struct world *w = *state;
	struct actor expert;

	join(w, &expert, "Erika Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_OK);
	assert_int_equal(sign(w, &w->auditor, "clearance-1"), US_ERR_STATE);
	assert_int_equal(w->refusal.reason, US_REASON_CLEARANCE);
	const int64_t filed = filing(w, "clearance-1")->filed_ns;
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant", filed - 1),
	    US_ERR_RANGE);
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant",
			     w->now + 60 * WORLD_SECOND),
	    US_ERR_RANGE);
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "nobody", filed), US_ERR_NOT_FOUND);
	assert_int_equal(serve(w, &expert, "clearance-1", "defendant", filed), US_ERR_DENIED);
	/* another party's service starts no term of this one */
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "court", filed), US_OK);
	w->now += 60 * DAY_NS;
	assert_int_equal(sign(w, &w->auditor, "clearance-1"), US_ERR_STATE);
	w->now -= 60 * DAY_NS;
	assert_int_equal(serve(w, &w->admin, "clearance-1", "defendant", filed), US_OK);
	assert_int_equal(serve(w, &w->admin, "clearance-1", "defendant", filed), US_ERR_EXISTS);
	/* Tuesday 14 November, 17:13 in New York: 14 days end on the 28th, a holiday, so on the
	 * 29th */
	const struct us_service *s = &filing(w, "clearance-1")->services[1];
	assert_string_equal(s->party, "defendant");
	assert_int_equal(s->due_ns, END_OF(DEC_1) - DAY_NS);
	assert_int_equal(s->received, 0);
	assert_true(waits_for(w, "clearance-1", &w->producer));
	/* received */
	assert_int_equal(serve(w, &w->producer, "clearance-1", "defendant", w->now), US_OK);
	assert_int_equal(s->received, 1);
	assert_int_equal(s->served_ns, filed); /* the first service counts */
	assert_int_equal(s->due_ns, END_OF(DEC_1) - DAY_NS);
	assert_int_equal(serve(w, &w->producer, "clearance-1", "defendant", w->now), US_ERR_EXISTS);
	w->now = s->due_ns - WORLD_SECOND; /* a second later it signs: the last nanosecond */
	assert_false(waits_for(w, "clearance-1", &w->producer));
	assert_int_equal(sign(w, &w->auditor, "clearance-1"), US_ERR_STATE);
	assert_int_equal(w->now, s->due_ns);
	assert_int_equal(subject_of(w, &expert).clearances, 0);
	assert_int_equal(sign(w, &w->admin, "clearance-1"), US_ERR_DENIED);
	assert_int_equal(sign(w, &expert, "clearance-1"), US_ERR_DENIED);
	/* nothing ends by time: it waits until somebody of the quorum signs */
	w->now += 100 * DAY_NS;
	assert_int_equal(status_of(w, "clearance-1"), US_FILING_WAITS);
	assert_int_equal(subject_of(w, &w->attorney).clearances, 0);
	w->now -= 99 * DAY_NS;
	assert_true(waits_for(w, "clearance-1", &w->auditor));
	assert_int_equal(sign(w, &w->auditor, "clearance-1"), US_OK);
	assert_int_equal(subject_of(w, &expert).clearances, 1);
	assert_int_equal(subject_of(w, &w->attorney).clearances, 0);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_ERR_EXISTS);
	/* given back */
	const uint64_t generation = us_registry_generation(w->reg);
	assert_int_equal(withdraw(w, &w->producer, "clearance-1"), US_ERR_DENIED);
	assert_int_equal(withdraw(w, &w->attorney, "clearance-1"), US_OK);
	assert_int_equal(subject_of(w, &expert).clearances, 0);
	assert_true(us_registry_generation(w->reg) > generation);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_OK);
	actor_free(&expert);
}

static void
test_clearance_two_sign(void **state)
{
	struct world *w = *state;
	struct actor expert;

	join(w, &expert, "Erika Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_OK);
	assert_int_equal(clearance(w, &w->attorney, "tool", &expert), US_OK);
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant", w->now), US_OK);
	/* three working days from Tuesday; every party of the list must be served */
	assert_int_equal(serve(w, &w->producer, "clearance-2", "defendant", w->now), US_OK);
	/* Friday the 17th */
	assert_int_equal(filing(w, "clearance-2")->services[0].due_ns, END_OF(1700265600));
	assert_int_equal(filing(w, "clearance-2")->services[0].received, 1);
	w->now += 20 * DAY_NS;
	assert_int_equal(sign(w, &w->auditor, "clearance-2"), US_ERR_STATE);
	assert_int_equal(sign(w, &w->attorney, "clearance-1"), US_OK);
	assert_int_equal(status_of(w, "clearance-1"), US_FILING_WAITS);
	assert_int_equal(subject_of(w, &expert).clearances, 0);
	assert_int_equal(sign(w, &w->attorney, "clearance-1"), US_ERR_EXISTS);
	assert_int_equal(sign(w, &w->producer, "clearance-1"), US_OK);
	assert_int_equal(subject_of(w, &expert).clearances, 1);
	assert_int_equal(filing(w, "clearance-1")->n_signatures, 2);
	assert_int_equal(us_filing_signed(w->reg, filing(w, "clearance-1"),
			     us_registry_order(w->reg)),
	    3);
	/* bits are those of the order that is asked about: in version 2 the clearances stand in
	 * another order */
	static const struct edit turned[] = { { "  - id: expert\n    paragraph: \"7\"",
						  "  - id: third\n    paragraph: \"7\"" },
		{ "  - id: tool", "  - id: expert" }, { NULL, NULL } };
	static const struct edit gone[] = { { "  - id: expert\n    paragraph: \"7\"",
						"  - id: other\n    paragraph: \"7\"" },
		{ "clearance: expert", "clearance: other" }, { NULL, NULL } };
	amend(w, 2, turned, 0);
	assert_int_equal(subject_of(w, &expert).clearances, 2);
	amend(w, 3, gone, 0);
	assert_int_equal(subject_of(w, &expert).clearances, 0);
	/* a person who has moved on keeps nothing by it */
	assert_int_equal(suspend_version(w, &w->auditor, 3), US_OK);
	assert_int_equal(suspend_version(w, &w->auditor, 2), US_OK);
	assert_int_equal(subject_of(w, &expert).clearances, 1);
	actor_free(&expert);
}

static void
test_clearance_objection(void **state)
{
	struct world *w = *state;
	struct actor expert;

	join(w, &expert, "Erika Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	assert_int_equal(clearance(w, &w->attorney, "expert", &expert), US_OK);
	/* not served yet */
	assert_int_equal(object(w, &w->producer, "clearance-1"), US_ERR_DENIED);
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant", w->now), US_OK);
	assert_int_equal(object(w, &w->attorney, "clearance-1"), US_ERR_DENIED);
	assert_int_equal(object(w, &w->auditor, "clearance-1"), US_ERR_DENIED);
	assert_int_equal(object(w, &w->producer, "clearance-1"), US_OK);
	assert_int_equal(status_of(w, "clearance-1"), US_FILING_OBJECTED);
	assert_int_equal(object(w, &w->producer, "clearance-1"), US_ERR_EXISTS);
	w->now += 30 * DAY_NS; /* the term has run, and helps nothing */
	assert_int_equal(sign(w, &w->auditor, "clearance-1"), US_ERR_STATE);
	assert_int_equal(sign(w, &w->producer, "clearance-1"), US_ERR_STATE);
	assert_int_equal(resolve(w, &w->attorney, "clearance-1", US_OUTCOME_GRANTED),
	    US_ERR_DENIED);
	assert_int_equal(resolve(w, &w->producer, "clearance-1", US_OUTCOME_DENIED), US_ERR_DENIED);
	assert_int_equal(resolve(w, &w->auditor, "clearance-1", US_OUTCOME_GRANTED), US_OK);
	assert_int_equal(subject_of(w, &expert).clearances, 1);
	assert_string_equal(filing(w, "clearance-1")->closed_text, "ECF No. 3");
	/* denied: nothing; and it may be asked for again */
	assert_int_equal(clearance(w, &w->attorney, "tool", &expert), US_OK);
	assert_int_equal(resolve(w, &w->auditor, "clearance-2", US_OUTCOME_DENIED), US_OK);
	assert_int_equal(subject_of(w, &expert).clearances, 1);
	assert_int_equal(withdraw(w, &w->attorney, "clearance-2"), US_ERR_STATE);
	assert_int_equal(clearance(w, &w->attorney, "tool", &expert), US_OK);
	actor_free(&expert);
}

static void
test_challenge(void **state)
{
	struct world *w = *state;

	/* of another party's records: what it is for */
	assert_int_equal(about_records(w, &w->attorney, US_ACT_CHALLENGE, 0, 5, NULL), US_OK);
	assert_int_equal(about_records(w, &w->attorney, US_ACT_CHALLENGE, 199, 2, NULL),
	    US_ERR_NOT_FOUND);
	const struct us_filing *f = filing(w, "challenge-1");
	assert_int_equal(f->set->records, 5);
	assert_int_equal(us_registry_withheld(w->reg, 1, 0), 0);
	assert_int_equal(serve(w, &w->attorney, "challenge-1", "defendant", w->now), US_OK);
	/* 14 days: the 28th is a holiday */
	assert_int_equal(f->services[0].confer_ns, END_OF(DEC_1) - DAY_NS);
	/* 21 days: 5 December */
	assert_int_equal(f->services[0].due_ns, END_OF(DEC_1) + 5 * DAY_NS);
	assert_int_equal(sign(w, &w->auditor, "challenge-1"), US_ERR_DENIED);
	assert_int_equal(object(w, &w->producer, "challenge-1"), US_OK); /* noted */
	assert_int_equal(f->status, US_FILING_WAITS);
	assert_int_equal(f->objected_by, w->producer.person);
	w->now += 100 * DAY_NS;
	assert_int_equal(resolve(w, &w->producer, "challenge-1", US_OUTCOME_DENIED), US_ERR_DENIED);
	assert_int_equal(status_of(w, "challenge-1"), US_FILING_WAITS);
	assert_true(waits_for(w, "challenge-1", &w->auditor));
	assert_int_equal(resolve(w, &w->auditor, "challenge-1", US_OUTCOME_GRANTED), US_OK);
	assert_null(us_registry_designation(w->reg, 1, 0)); /* whoever designated it relabels */
}

/* ---- approvals ---- */

static void
suspend_person(struct world *w, const struct actor *by, const struct actor *who)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change = (struct us_act_person_change){ who->person, us_bytes_of("leave") };
	assert_int_equal(world_act(w, by, act), US_OK);
	free(act);
}

static void
test_approvals(void **state)
{
	struct world *w = *state;
	struct us_approver who[US_APPROVERS_MAX];
	uint8_t digest[32], other[32];
	struct actor judge;
	size_t n;

	join(w, &judge, "Judith Judge", US_CAPACITY_COURT, "court", &w->auditor);
	/* 200 on are not there */
	assert_int_equal(request_copy(w, &w->attorney, 195, 10, NULL), US_ERR_NOT_FOUND);
	assert_int_equal(request_copy(w, &w->attorney, 0, 3, digest), US_OK);
	assert_int_equal(request_copy(w, &w->attorney, 0, 4, other), US_OK);
	assert_memory_not_equal(digest, other, 32);
	assert_true(waits_for(w, "approval-1", &w->producer));
	assert_false(waits_for(w, "approval-1", &w->attorney));
	/* of the party, but not of a capacity the rule counts */
	assert_false(waits_for(w, "approval-1", &judge));
	assert_int_equal(sign(w, &w->attorney, "approval-1"), US_ERR_DENIED);
	assert_int_equal(sign(w, &judge, "approval-1"), US_ERR_DENIED);
	assert_int_equal(sign(w, &w->producer, "approval-1"), US_OK);
	assert_int_equal(sign(w, &w->producer, "approval-1"), US_ERR_EXISTS);
	assert_int_equal(sign(w, &w->auditor, "approval-1"), US_OK);
	assert_int_equal(status_of(w, "approval-1"), US_FILING_WAITS); /* the evaluator counts */
	const struct us_filing *f = us_registry_approval(w->reg, digest, who, &n);
	assert_string_equal(f->id, "approval-1");
	assert_int_equal(n, 2);
	assert_int_equal(who[0].person, w->producer.person);
	assert_int_equal(who[0].parties, 2);
	assert_int_equal(who[0].at_ns, w->now - 2 * WORLD_SECOND);
	assert_int_equal(who[1].capacity, US_CAPACITY_AUDITOR);
	/* of the other request nothing was signed; of a third there is none */
	assert_string_equal(us_registry_approval(w->reg, other, who, &n)->id, "approval-2");
	assert_int_equal(n, 0);
	assert_null(us_registry_approval(w->reg, no_document, who, &n));
	/* another person's same request is another one */
	struct us_act_approval same = { .action = US_ACTION_COPY,
		.collection = 1,
		.purpose = us_bytes_of("report") };
	assert_int_equal(us_request_digest(w->reg, w->producer.person, &same, other), US_OK);
	assert_int_equal(us_request_digest(w->reg, w->attorney.person, &same, digest), US_OK);
	assert_memory_not_equal(digest, other, 32);
	/* who is suspended does not stand for it; withdrawn, it is none */
	suspend_person(w, &w->admin, &w->producer);
	assert_int_equal(request_copy(w, &w->attorney, 0, 3, digest), US_OK);
	assert_int_equal(withdraw(w, &w->attorney, "approval-3"), US_OK);
	assert_string_equal(us_registry_approval(w->reg, digest, who, &n)->id, "approval-1");
	assert_int_equal(n, 1);
	assert_int_equal(who[0].person, w->auditor.person);
	assert_int_equal(withdraw(w, &w->attorney, "approval-1"), US_OK);
	assert_null(us_registry_approval(w->reg, digest, who, &n));
	assert_int_equal(n, 0);
	actor_free(&judge);
}

/* Nobody approves their own request, even of a party and capacity that the rule counts; another of
 * the same party may. */
static void
test_approval_own(void **state)
{
	struct world *w = *state;
	static const struct edit own[] = {
		{ "count: 2, party: [court, defendant], capacity: [auditor, producer]",
		    "count: 1, party: plaintiffs, capacity: outside-counsel" },
		{ NULL, NULL }
	};
	struct us_approver who[US_APPROVERS_MAX];
	struct actor partner;
	uint8_t digest[32];
	size_t n;

	join(w, &partner, "Paul Partner", US_CAPACITY_OUTSIDE_COUNSEL, "plaintiffs", &w->attorney);
	amend(w, 2, own, 0);
	assert_int_equal(request_copy(w, &w->attorney, 0, 3, digest), US_OK);
	assert_false(waits_for(w, "approval-1", &w->attorney));
	assert_true(waits_for(w, "approval-1", &partner));
	assert_int_equal(sign(w, &w->attorney, "approval-1"), US_ERR_DENIED);
	/* was counted under version 1 */
	assert_int_equal(sign(w, &w->auditor, "approval-1"), US_ERR_DENIED);
	assert_int_equal(sign(w, &partner, "approval-1"), US_OK);
	assert_string_equal(us_registry_approval(w->reg, digest, who, &n)->id, "approval-1");
	assert_int_equal(n, 1);
	assert_int_equal(who[0].person, partner.person);
	actor_free(&partner);
}

/* ---- every act on every kind in every status ---- */

enum deed { SIGN, OBJECT, RESOLVE, WITHDRAW, SERVE, UNFREEZE, DEEDS };
#define OK US_OK
#define ST US_ERR_STATE
#define NO US_ERR_DENIED
#define NF US_ERR_NOT_FOUND
#define XX (-1) /* there is no such state */

/* Done by who may: the row says what the state alone allows. Terms have run; the court signs, the
 * defendant objects. */
static const int table[6][5][DEEDS] = {
	/*            sign object resolve withdraw serve unfreeze */
	{ /* order: an objection is noted and changes nothing; never resolved */
	    { OK, OK, ST, OK, OK, NF }, { XX }, { ST, ST, ST, ST, ST, NF }, { XX },
	    { ST, ST, ST, ST, ST, NF } },
	{ /* clearance: given back when granted */
	    { OK, OK, OK, OK, OK, NF }, { ST, US_ERR_EXISTS, OK, OK, OK, NF },
	    { ST, ST, ST, OK, ST, NF }, { ST, ST, ST, ST, ST, NF }, { ST, ST, ST, ST, ST, NF } },
	{ /* challenge */
	    { NO, OK, OK, OK, OK, NF }, { XX }, { ST, ST, ST, ST, ST, NF },
	    { ST, ST, ST, ST, ST, NF }, { ST, ST, ST, ST, ST, NF } },
	{ /* clawback: dropped when upheld */
	    { NO, OK, OK, OK, OK, NF }, { XX }, { ST, ST, ST, OK, ST, NF },
	    { ST, ST, ST, ST, ST, NF }, { ST, ST, ST, ST, ST, NF } },
	{ /* freeze: by its quorum alone */
	    { NO, NO, ST, ST, ST, OK }, { XX }, { ST, ST, ST, ST, ST, ST }, { XX }, { XX } },
	{ /* approval */
	    { OK, NO, ST, OK, ST, NF }, { XX }, { XX }, { XX }, { ST, ST, ST, ST, ST, NF } },
};

/* Opens a filing of that kind and brings it to that status. */
static void
bring(struct world *w, struct actor *expert, enum us_filing_kind kind, enum us_filing_status status,
    char id[32])
{
	(void)snprintf(id, 32, "%s-%d", us_filing_kind_name(kind), kind == US_FILING_ORDER ? 2 : 1);
	switch (kind) {
	case US_FILING_ORDER:
		assert_int_equal(propose(w, &w->attorney, 2, NULL, 0), US_OK);
		break;
	case US_FILING_CLEARANCE:
		assert_int_equal(clearance(w, &w->attorney, "expert", expert), US_OK);
		assert_int_equal(serve(w, &w->attorney, id, "defendant", w->now), US_OK);
		w->now += 30 * DAY_NS;
		break;
	case US_FILING_CHALLENGE:
		assert_int_equal(about_records(w, &w->attorney, US_ACT_CHALLENGE, 0, 5, NULL),
		    US_OK);
		break;
	case US_FILING_CLAWBACK:
		assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 0, 5, NULL),
		    US_OK);
		break;
	case US_FILING_FREEZE:
		assert_int_equal(freeze(w, &w->attorney, US_FREEZE_RECORDS, NULL, 0), US_OK);
		break;
	case US_FILING_APPROVAL:
		assert_int_equal(request_copy(w, &w->attorney, 0, 3, NULL), US_OK);
		break;
	}
	if (status == US_FILING_OBJECTED)
		assert_int_equal(object(w, &w->producer, id), US_OK);
	if (status == US_FILING_WITHDRAWN)
		assert_int_equal(withdraw(w,
				     kind == US_FILING_CLAWBACK ? &w->producer : &w->attorney, id),
		    US_OK);
	if (status == US_FILING_GRANTED && kind == US_FILING_ORDER)
		assert_int_equal(sign(w, &w->auditor, id), US_OK);
	else if (status == US_FILING_GRANTED && kind == US_FILING_FREEZE)
		assert_int_equal(unfreeze(w, &w->producer, 1) | unfreeze(w, &w->auditor, 1), US_OK);
	else if (status == US_FILING_GRANTED || status == US_FILING_DENIED)
		assert_int_equal(resolve(w, &w->auditor, id,
				     status == US_FILING_GRANTED ? US_OUTCOME_GRANTED :
								   US_OUTCOME_DENIED),
		    US_OK);
	assert_int_equal(status_of(w, id), status);
}

static int
deed(struct world *w, enum deed d, enum us_filing_kind kind, const char *id)
{
	switch (d) {
	case SIGN:
		return sign(w, &w->auditor, id);
	case OBJECT:
		return object(w, &w->producer, id);
	case RESOLVE:
		return resolve(w, &w->auditor, id, US_OUTCOME_GRANTED);
	case WITHDRAW:
		return withdraw(w, kind == US_FILING_CLAWBACK ? &w->producer : &w->attorney, id);
	case SERVE:
		return serve(w, &w->auditor, id, "court", w->now);
	case UNFREEZE:
		return unfreeze(w, &w->auditor, 1);
	case DEEDS:
		break;
	}
	return XX;
}

static void
test_table(void **state)
{
	static const char *const names[DEEDS] = { "sign", "object", "resolve", "withdraw", "serve",
		"unfreeze" };

	(void)state;
	for (int kind = US_FILING_ORDER; kind <= US_FILING_APPROVAL; kind++)
		for (int status = US_FILING_WAITS; status <= US_FILING_WITHDRAWN; status++)
			for (int d = 0; d < DEEDS; d++) {
				const int want = table[kind - 1][status - 1][d];
				struct actor expert;
				void *world;
				char id[32];

				if (table[kind - 1][status - 1][0] == XX)
					continue;
				assert_int_equal(docket_setup(&world), 0);
				join(world, &expert, "Erika Expert", US_CAPACITY_EXPERT,
				    "plaintiffs", &((struct world *)world)->attorney);
				bring(world, &expert, (enum us_filing_kind)kind,
				    (enum us_filing_status)status, id);
				const int err = deed(world, (enum deed)d, (enum us_filing_kind)kind,
				    id);
				if (err != want)
					fail_msg("%s %s that %s: %s, wanted %s", names[d], id,
					    us_filing_status_name((enum us_filing_status)status),
					    us_strerror(err), us_strerror(want));
				actor_free(&expert);
				assert_int_equal(docket_teardown(&world), 0);
			}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, docket_setup, docket_teardown)
	const struct CMUnitTest tests[] = {
		T(test_clearance_request),
		T(test_clearance_term),
		T(test_clearance_two_sign),
		T(test_clearance_objection),
		T(test_challenge),
		T(test_approvals),
		T(test_approval_own),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
