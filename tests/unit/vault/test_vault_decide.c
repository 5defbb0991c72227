/* Goal: what is decided about a request, by who asks, with what, for what: allowed, refused (to be
 * logged) or turned away, and why. Decisions are values: nothing is sent, for there is nobody to
 * send to. In the world of docket.yaml, whose hour is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/array.h"
#include "base/err.h"
#include "tests/unit/registry/docket_acts.h"
#include "tests/unit/vault/rooms.h"

static int64_t now_ns;

int64_t __wrap_us_time_now_ns(void);
int64_t
__wrap_us_time_now_ns(void)
{
	return now_ns;
}

struct fixture {
	struct world *world;
	struct event_base *base;
	struct rooms *rooms;
	struct us_vault_problem problem;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	assert_int_equal(docket_setup((void **)&f->world), 0);
	assert_int_equal(acknowledge(f->world, &f->world->attorney, 1), US_OK);
	now_ns = f->world->now;
	f->base = event_base_new();
	f->rooms = rooms_open(f->base, f->world->reg, NULL, NULL);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	rooms_close(f->rooms);
	event_base_free(f->base);
	(void)docket_teardown((void **)&f->world);
	free(f);
	return 0;
}

static struct us_vault_asker
asker(const struct actor *a)
{
	struct us_vault_asker who = { .peer = "127.0.0.1", .peer_n = 9 };

	memcpy(who.credential, a->fingerprint, sizeof who.credential);
	return who;
}

static void
give_session(struct fixture *f, const struct actor *a, uint32_t person, int64_t expires_ns)
{
	struct us_vault_session s = { .id = { 1, 2, 3 },
		.person = person,
		.expires_ns = expires_ns };

	memcpy(s.credential, a->fingerprint, sizeof s.credential);
	us_vault_session_put(f->rooms->vault.sessions, &s);
}

static enum us_vault_decision
access_of(struct fixture *f, struct us_vault_asker *who, enum us_needs needs)
{
	return us_vault_decide_access(&f->rooms->vault, who, needs, &f->problem);
}

/* In a session, with what reads want. */
static struct us_vault_asker
reader(struct fixture *f, const struct actor *a)
{
	struct us_vault_asker who = asker(a);

	give_session(f, a, a->person, INT64_MAX);
	assert_int_equal(access_of(f, &who, US_NEEDS_SESSION), US_VAULT_ALLOWED);
	who.collection = 1;
	return who;
}

/* --- who is it -------------------------------------------------------------------------------- */

static void
what_a_kind_needs(void **state)
{
	struct fixture *f = *state;
	const struct actor *a = &f->world->attorney;
	struct us_vault_asker who = asker(a);

	assert_int_equal(access_of(f, &who, US_NEEDS_CERTIFICATE), US_VAULT_ALLOWED);
	assert_int_equal(access_of(f, &who, US_NEEDS_TREE), US_VAULT_ALLOWED);
	assert_int_equal(who.person, 0);
	assert_int_equal(access_of(f, &who, US_NEEDS_SESSION), US_VAULT_TURNED_AWAY);
	assert_int_equal(f->problem.status, 401);
	assert_int_equal(f->problem.reason, US_REASON_NO_SESSION);
	assert_int_equal(access_of(f, &who, US_NEEDS_TICKET), US_VAULT_TURNED_AWAY);
	assert_int_equal(f->problem.status, 500);
	assert_int_equal(access_of(f, &who, (enum us_needs)0), US_VAULT_TURNED_AWAY);
}

static void
sessions(void **state)
{
	struct fixture *f = *state;
	const struct actor *a = &f->world->attorney;
	const struct {
		uint32_t person;
		int64_t expires_ns;
		enum us_vault_decision decision;
	} cases[] = {
		{ a->person, now_ns + 1, US_VAULT_ALLOWED },
		{ a->person, now_ns, US_VAULT_TURNED_AWAY },
		{ a->person, now_ns - 1, US_VAULT_TURNED_AWAY },
		{ a->person + 1, now_ns + 1, US_VAULT_TURNED_AWAY },
	};

	for (size_t i = 0; i < US_COUNT(cases); i++) {
		struct us_vault_asker who = asker(a);

		give_session(f, a, cases[i].person, cases[i].expires_ns);
		assert_int_equal(access_of(f, &who, US_NEEDS_SESSION), cases[i].decision);
		assert_int_equal(who.person, cases[i].decision == US_VAULT_ALLOWED ? a->person : 0);
		assert_int_equal(who.session[0], cases[i].decision == US_VAULT_ALLOWED);
	}
}

/* Of many, each its own; the newest counts. */
static void
many_sessions(void **state)
{
	struct fixture *f = *state;
	struct us_vault_sessions *t = f->rooms->vault.sessions;
	struct us_vault_session s = { .expires_ns = 1 };

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 1; i <= 2000; i++) {
			us_store_u32(s.credential, i);
			s.person = i + 5000u * (uint32_t)round;
			us_vault_session_put(t, &s);
		}
	for (uint32_t i = 1; i <= 2000; i++) {
		us_store_u32(s.credential, i);
		assert_int_equal(us_vault_session_get(t, s.credential)->person, i + 5000);
	}
	us_store_u32(s.credential, 2001);
	assert_null(us_vault_session_get(t, s.credential));
}

/* A credential that is nobody's, and one whose person was suspended: the refusal has the session if
 * there is one, and the person if there is one. */
static void
standing(void **state)
{
	struct fixture *f = *state;
	const struct actor *a = &f->world->attorney;
	struct us_act act = { .type = US_ACT_PERSON_SUSPEND };
	struct us_vault_asker who = { .peer_n = 0 };

	memset(who.credential, 0xee, sizeof who.credential);
	assert_int_equal(access_of(f, &who, US_NEEDS_TREE), US_VAULT_REFUSED);
	assert_int_equal(f->problem.status, 403);
	assert_int_equal(f->problem.reason, US_REASON_UNKNOWN_CREDENTIAL);
	assert_int_equal(who.person, 0);
	act.u.change.person = a->person;
	act.u.change.reason = us_bytes_of("test");
	assert_int_equal(world_act(f->world, &f->world->admin, &act), US_OK);
	give_session(f, a, a->person, INT64_MAX);
	who = asker(a);
	assert_int_equal(access_of(f, &who, US_NEEDS_SESSION), US_VAULT_REFUSED);
	assert_int_equal(f->problem.reason, US_REASON_SUSPENDED);
	assert_int_equal(who.person, a->person);
	assert_int_equal(who.session[0], 1);
}

/* While it is sealed nobody's standing is known. */
static void
of_a_sealed_vault(void **state)
{
	struct fixture *f = *state;
	struct us_vault_asker who = { .peer_n = 0 };

	us_vault_state_enter(f->rooms->vault.state, US_VAULT_SEALED);
	assert_int_equal(access_of(f, &who, US_NEEDS_TREE), US_VAULT_ALLOWED);
	us_vault_state_enter(f->rooms->vault.state, US_VAULT_OPEN);
	assert_int_equal(access_of(f, &who, US_NEEDS_TREE), US_VAULT_REFUSED);
}

static void
collections(void **state)
{
	struct fixture *f = *state;
	struct us_vault_asker who = reader(f, &f->world->attorney);

	who.collection = 0;
	assert_int_equal(us_vault_decide_collection(&f->rooms->vault, &who, us_bytes_of("none"),
			     &f->problem),
	    US_VAULT_REFUSED);
	assert_int_equal(f->problem.status, 404);
	assert_int_equal(who.collection, 0);
	assert_int_equal(us_vault_decide_collection(&f->rooms->vault, &who, us_bytes_of("logs"),
			     &f->problem),
	    US_VAULT_ALLOWED);
	assert_int_equal(who.collection, 1);
}

/* --- what does the order say ------------------------------------------------------------------ */

static enum us_vault_decision
action_of(struct fixture *f, struct us_vault_asker *who, enum us_action action)
{
	return us_vault_decide_action(&f->rooms->vault, who, action, us_bytes_of("test"), 1,
	    &f->problem);
}

static void
actions(void **state)
{
	struct fixture *f = *state;
	const struct world *w = f->world;
	const struct {
		const struct actor *who;
		enum us_action action;
		enum us_vault_decision decision;
		enum us_reason reason;
	} cases[] = {
		{ &w->attorney, US_ACTION_READ, US_VAULT_ALLOWED, US_REASON_NONE },
		{ &w->attorney, US_ACTION_SEARCH, US_VAULT_ALLOWED, US_REASON_NONE },
		{ &w->attorney, US_ACTION_TERMS, US_VAULT_REFUSED, US_REASON_CAPACITY },
		{ &w->producer, US_ACTION_READ, US_VAULT_REFUSED, US_REASON_NOT_IN_ORDER },
		{ &w->producer, US_ACTION_LOAD, US_VAULT_ALLOWED, US_REASON_NONE },
		{ &w->admin, US_ACTION_READ, US_VAULT_REFUSED, US_REASON_CAPACITY },
	};

	for (size_t i = 0; i < US_COUNT(cases); i++) {
		struct us_vault_asker who = reader(f, cases[i].who);

		if (action_of(f, &who, cases[i].action) != cases[i].decision)
			fail_msg("case %zu", i);
		if (cases[i].decision == US_VAULT_ALLOWED)
			continue;
		assert_int_equal(f->problem.status, 403);
		assert_string_equal(f->problem.type, "denied");
		assert_int_equal(f->problem.reason, who.ruling.reason);
		assert_true(f->problem.reason != US_REASON_NONE);
		assert_int_equal(f->problem.rule, who.ruling.rule);
		assert_int_equal(f->problem.entry, NO_ENTRY);
	}
}

static void
a_freeze(void **state)
{
	struct fixture *f = *state;
	struct us_vault_asker who = reader(f, &f->world->attorney);

	assert_int_equal(freeze(f->world, &f->world->auditor, US_FREEZE_EVERYTHING, "", 0), US_OK);
	now_ns = f->world->now;
	assert_int_equal(action_of(f, &who, US_ACTION_READ), US_VAULT_REFUSED);
	assert_int_equal(f->problem.reason, US_REASON_FROZEN);
	assert_non_null(strstr(f->problem.detail, "freeze-1 ("));
}

/* --- is it still so --------------------------------------------------------------------------- */

static enum us_vault_change
again(struct fixture *f, struct us_vault_asker *who)
{
	return us_vault_decide_again(&f->rooms->vault, who, US_ACTION_READ, us_bytes_of("test"), 1,
	    42, &f->problem);
}

static void
what_changes_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct us_act act = { .type = US_ACT_PERSON_SUSPEND };
	struct us_vault_asker who = reader(f, &f->world->attorney);

	assert_int_equal(action_of(f, &who, US_ACTION_READ), US_VAULT_ALLOWED);
	assert_int_equal(again(f, &who), US_VAULT_SAME);
	act.u.change.person = f->world->producer.person;
	act.u.change.reason = us_bytes_of("test");
	assert_int_equal(world_act(f->world, &f->world->admin, &act), US_OK);
	assert_int_equal(again(f, &who), US_VAULT_CHANGED); /* somebody else: still allowed */
	assert_int_equal(again(f, &who), US_VAULT_SAME);
	assert_int_equal(freeze(f->world, &f->world->auditor, US_FREEZE_EVERYTHING, "", 0), US_OK);
	now_ns = f->world->now;
	assert_int_equal(again(f, &who), US_VAULT_NO_LONGER);
	assert_int_equal(f->problem.reason, US_REASON_FROZEN);
	assert_int_equal(f->problem.entry, 42);
	assert_int_equal(f->problem.status, 403);
}

static void
who_is_suspended_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct us_act act = { .type = US_ACT_PERSON_SUSPEND };
	struct us_vault_asker who = reader(f, &f->world->attorney);

	assert_int_equal(action_of(f, &who, US_ACTION_READ), US_VAULT_ALLOWED);
	act.u.change.person = f->world->attorney.person;
	act.u.change.reason = us_bytes_of("test");
	assert_int_equal(world_act(f->world, &f->world->admin, &act), US_OK);
	assert_int_equal(again(f, &who), US_VAULT_NO_LONGER);
	assert_int_equal(f->problem.reason, US_REASON_SUSPENDED);
}

/* --- queries ---------------------------------------------------------------------------------- */

static enum us_vault_decision
query_of(struct fixture *f, struct us_vault_asker *who, const char *text)
{
	struct us_query_error error;
	enum us_vault_decision decision;
	struct us_query *q;

	assert_int_equal(us_query_parse(text, strlen(text), &q, &error), US_OK);
	decision = us_vault_decide_query(&f->rooms->vault, who, us_bytes_of("test"), q,
	    &f->problem);
	us_query_free(q);
	return decision;
}

/* A mask goes over what a search finds: its words cannot be searched. */
static void
behind_a_mask(void **state)
{
	struct fixture *f = *state;
	const struct {
		uint8_t fields;
		const char *query;
		enum us_vault_decision decision;
		int64_t position;
	} cases[] = {
		{ 0, "harbour", US_VAULT_ALLOWED, -1 },
		{ US_MASK_CREATED, "harbour", US_VAULT_ALLOWED, -1 },
		{ US_MASK_CREATED, "harbour date:2021", US_VAULT_REFUSED, 8 },
		{ US_MASK_MODEL, "model:big", US_VAULT_REFUSED, 0 },
		{ US_MASK_LANGUAGE, "model:big", US_VAULT_ALLOWED, -1 },
		{ US_MASK_LANGUAGE, "harbour OR language:en", US_VAULT_REFUSED, 11 },
	};

	for (size_t i = 0; i < US_COUNT(cases); i++) {
		struct us_vault_asker who = reader(f, &f->world->attorney);

		assert_int_equal(action_of(f, &who, US_ACTION_SEARCH), US_VAULT_ALLOWED);
		who.ruling.mask.fields = cases[i].fields;
		if (query_of(f, &who, cases[i].query) != cases[i].decision)
			fail_msg("%s", cases[i].query);
		if (cases[i].decision == US_VAULT_REFUSED) {
			assert_int_equal(f->problem.reason, US_REASON_MASKED);
			assert_int_equal(f->problem.position, cases[i].position);
		}
		assert_int_equal(who.counts_only, 0);
	}
}

/* --- problems --------------------------------------------------------------------------------- */

static void
errors(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int err;
		enum us_reason reason;
		uint16_t status;
		const char *type;
		uint16_t retry_after;
		enum us_reason counted_as;
	} cases[] = {
		{ US_ERR_DENIED, US_REASON_QUOTA, 403, "denied", 0, US_REASON_QUOTA },
		{ US_ERR_DENIED, US_REASON_NO_SESSION, 401, "session", 0, US_REASON_NO_SESSION },
		{ US_ERR_NOT_FOUND, US_REASON_ERROR, 404, "not-found", 0, US_REASON_NOT_FOUND },
		{ US_ERR_FORMAT, US_REASON_ERROR, 400, "malformed", 0, US_REASON_MALFORMED },
		{ US_ERR_LIMIT, US_REASON_MALFORMED, 413, "too-large", 0, US_REASON_MALFORMED },
		{ US_ERR_STATE, US_REASON_ERROR, 409, "conflict", 0, US_REASON_STATE },
		{ US_ERR_NOSPACE, US_REASON_ERROR, 507, "no-space", 0, US_REASON_ERROR },
		{ US_ERR_NOSPACE, US_REASON_LOW_SPACE, 503, "low-space", 60, US_REASON_LOW_SPACE },
		{ US_ERR_NOMEM, US_REASON_ERROR, 503, "busy", 1, US_REASON_OVER_LIMIT },
		{ US_ERR_FULL, US_REASON_NONE, 503, "busy", 1, US_REASON_OVER_LIMIT },
		{ US_ERR_INTERNAL, US_REASON_ERROR, 500, "internal", 0, US_REASON_ERROR },
	};
	struct us_vault_problem *p = &f->problem;

	for (size_t i = 0; i < US_COUNT(cases); i++) {
		us_vault_problem_of(p, f->rooms->vault.state, cases[i].err, cases[i].reason, 5);
		assert_int_equal(p->status, cases[i].status);
		assert_string_equal(p->type, cases[i].type);
		assert_int_equal(p->retry_after, cases[i].retry_after);
		assert_int_equal(p->entry, 5);
		assert_int_equal(p->position, -1);
		assert_true(p->detail[0] != '\0');
		assert_int_equal(us_vault_problem_counted_as(p), cases[i].counted_as);
	}
}

static void
why_it_is_sealed(void **state)
{
	struct fixture *f = *state;
	struct us_vault_state *s = f->rooms->vault.state;

	us_vault_state_enter(s, US_VAULT_SEALED);
	us_vault_problem_of(&f->problem, s, US_ERR_SEALED, US_REASON_SEALED, NO_ENTRY);
	assert_string_equal(f->problem.detail, "It waits for its keyholders' shares");
	assert_int_equal(f->problem.retry_after, 0);
	us_vault_state_enter(s, US_VAULT_REPLAYING);
	us_vault_problem_of(&f->problem, s, US_ERR_SEALED, US_REASON_SEALED, NO_ENTRY);
	assert_int_equal(f->problem.retry_after, 1);
	us_vault_state_refuse(s, "of that");
	us_vault_problem_of(&f->problem, s, US_ERR_SEALED, US_REASON_SEALED, NO_ENTRY);
	assert_string_equal(f->problem.detail, "of that");
	assert_int_equal(f->problem.retry_after, 0);
	us_vault_state_enter(s, US_VAULT_OPEN);
}

static void
as_json(void **state)
{
	struct us_vault_problem p;
	struct us_remaining left = { .records_per_request = US_UNLIMITED,
		.consecutive = US_UNLIMITED,
		.per_day = 3,
		.life = US_UNLIMITED,
		.share = US_UNLIMITED };
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 4096);
	us_vault_problem_set(&p, 403, "denied", "Refused", US_REASON_QUOTA);
	assert_int_equal(us_vault_problem_write(&b, &p), US_OK);
	assert_true(us_bytes_is((struct us_bytes){ b.data, b.len },
	    "{\"type\":\"urn:underseal:problem:denied\",\"title\":\"Refused\",\"status\":403,"
	    "\"reason\":\"quota\"}"));
	us_buf_reset(&b);
	us_vault_problem_detail(&p, "d");
	us_vault_problem_cure(&p, "c");
	p.rule = 2;
	p.rule_id = us_bytes_of("id");
	p.paragraph = us_bytes_of("3");
	p.left = &left;
	p.position = 0;
	p.entry = 7;
	assert_int_equal(us_vault_problem_write(&b, &p), US_OK);
	assert_true(us_bytes_is((struct us_bytes){ b.data, b.len },
	    "{\"type\":\"urn:underseal:problem:denied\",\"title\":\"Refused\",\"status\":403,"
	    "\"detail\":\"d\",\"reason\":\"quota\",\"rule_number\":2,\"rule\":\"id\","
	    "\"paragraph\":\"3\",\"cure\":\"c\",\"quota\":{\"records_per_request\":null,"
	    "\"consecutive\":null,\"per_day\":3,\"life\":null,\"share\":null},\"position\":0,"
	    "\"entry\":7}"));
	us_buf_free(&b);
}

static void
ruled_out_by_the_keeper(void **state)
{
	struct fixture *f = *state;
	struct us_vault_asker who = reader(f, &f->world->attorney);
	struct us_msg_logged m = { .err = US_ERR_DENIED,
		.reason = US_REASON_QUOTA,
		.rule = 1,
		.index = 9,
		.cure = us_bytes_of("less") };

	us_vault_ruled_out(&f->rooms->vault, &who, &m, &f->problem);
	assert_int_equal(f->problem.status, 403);
	assert_true(us_bytes_is(f->problem.rule_id, "review"));
	assert_true(us_bytes_is(f->problem.paragraph, "3"));
	assert_string_equal(f->problem.cure, "less");
	assert_ptr_equal(f->problem.left, &who.left);
	m.rule = 999; /* none of this order's: the default's paragraph */
	m.reason = US_REASON_FROZEN;
	us_vault_ruled_out(&f->rooms->vault, &who, &m, &f->problem);
	assert_int_equal(f->problem.rule_id.n, 0);
	assert_true(us_bytes_is(f->problem.paragraph, "2"));
	assert_null(f->problem.left);
	assert_int_equal(f->problem.entry, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(what_a_kind_needs),
		T(sessions),
		T(many_sessions),
		T(standing),
		T(of_a_sealed_vault),
		T(collections),
		T(actions),
		T(a_freeze),
		T(what_changes_meanwhile),
		T(who_is_suspended_meanwhile),
		T(behind_a_mask),
		T(errors),
		T(why_it_is_sealed),
		T(as_json),
		T(ruled_out_by_the_keeper),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
