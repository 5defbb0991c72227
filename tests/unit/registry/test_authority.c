/* Every capacity × every act: what the table says, and that an act so refused does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/authority.h"
#include "tests/unit/registry/world.h"

static const enum us_act_type types[] = {
#define X(name, ...) US_ACT_##name,
	US_ACTS(X)
#undef X
};

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (unsigned c = 0; c <= US_CAPACITY_LAST + 1; c++) {
			enum us_act_type t = types[i];
			enum us_act_authority want = US_AUTHORITY_NEVER;
			int admin = c == US_CAPACITY_ADMINISTRATOR,
			    keyholder = c == US_CAPACITY_KEYHOLDER;
			int person = c >= 1 && c <= US_CAPACITY_LAST;
			if (person &&
			    (t == US_ACT_PERSON_SUSPEND || t == US_ACT_PERSON_REINSTATE ||
				t == US_ACT_PERSON_END))
				want = admin  ? US_AUTHORITY_ALWAYS :
				    keyholder ? US_AUTHORITY_NEVER :
						US_AUTHORITY_SIGNER;
			if (admin &&
			    (t == US_ACT_PERSON_ADD || t == US_ACT_CREDENTIAL_ISSUE ||
				t == US_ACT_COLLECTION_CREATE))
				want = US_AUTHORITY_ALWAYS;
			if (person && t == US_ACT_CREDENTIAL_REVOKE)
				want = admin ? US_AUTHORITY_ALWAYS : US_AUTHORITY_OWN;
			if (person && !admin && !keyholder && t == US_ACT_DOCKET_SIGN)
				want = US_AUTHORITY_SIGNER;
			if (person && !admin && !keyholder &&
			    (t == US_ACT_BATCH_RELEASE || t == US_ACT_BATCH_WITHDRAW ||
				t == US_ACT_COPY || t == US_ACT_COPY_RETURN))
				want = US_AUTHORITY_ORDER;
			if (t == US_ACT_SEAL &&
			    (admin || keyholder || c == US_CAPACITY_COURT ||
				c == US_CAPACITY_SPECIAL_MASTER))
				want = US_AUTHORITY_ALWAYS;
			const int party_person = person && !admin && !keyholder;
			switch ((unsigned)t) {
			case US_ACT_DOCUMENT_ADD:
			case US_ACT_DOCKET_WITHDRAW:
			case US_ACT_DOCKET_SERVE:
			case US_ACT_ACKNOWLEDGE: /* who keeps the data for others is bound too */
				want = admin || party_person ? US_AUTHORITY_ALWAYS :
							       US_AUTHORITY_NEVER;
				break;
			case US_ACT_ORDER_PROPOSE: /* proposing is no power: signatures are */
				want = admin     ? US_AUTHORITY_ALWAYS :
				    party_person ? US_AUTHORITY_SIGNER :
						   US_AUTHORITY_NEVER;
				break;
			case US_ACT_APPROVAL_REQUEST:
				want = party_person ? US_AUTHORITY_ALWAYS : US_AUTHORITY_NEVER;
				break;
			case US_ACT_CLEARANCE:
			case US_ACT_CHALLENGE:
			case US_ACT_RELABEL:
			case US_ACT_CLAWBACK:
				want = party_person ? US_AUTHORITY_ORDER : US_AUTHORITY_NEVER;
				break;
			case US_ACT_ORDER_SUSPEND:
			case US_ACT_DOCKET_OBJECT:
			case US_ACT_DOCKET_RESOLVE:
			case US_ACT_FREEZE:
			case US_ACT_UNFREEZE:
			case US_ACT_MATTER_SET:
				want = party_person ? US_AUTHORITY_SIGNER : US_AUTHORITY_NEVER;
				break;
			default:
				break;
			}
			if (us_authority_of((enum us_capacity)c, t) != want)
				fail_msg("capacity %u, act %s", c, us_act_name((unsigned)t));
		}
}

/* A person of every capacity, signed in by the plaintiffs, tries what is the administrator's. */
static void
test_escalation(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	world_open(w);
	for (unsigned c = 2; c <= US_CAPACITY_LAST; c++) {
		struct actor who, victim;
		char name[32], id[32];
		(void)snprintf(name, sizeof(name), "Person %u", c);
		actor_new(&who, name);
		assert_int_equal(world_add(w, &w->admin, &who, (enum us_capacity)c, "plaintiffs",
				     NULL),
		    US_OK);
		(void)snprintf(id, sizeof(id), "person-%u", (unsigned)who.person);
		assert_int_equal(world_issue(w, &w->admin, &who), US_OK);
		assert_int_equal(world_docket_sign(w, &w->attorney, id), US_OK);
		actor_new(&victim, "Victim");
		assert_int_equal(world_add(w, &who, &victim, US_CAPACITY_EXPERT, "plaintiffs",
				     NULL),
		    US_ERR_DENIED);
		victim.person = w->attorney.person;
		(void)snprintf(victim.name, sizeof(victim.name), "%s", w->attorney.name);
		assert_int_equal(world_issue(w, &who, &victim), US_ERR_DENIED);
		assert_int_equal(world_collection(w, &who, "demo", "DEMO"), US_ERR_DENIED);
		assert_int_equal(world_docket_sign(w, &who, id), US_ERR_DENIED);
		struct us_act *act = calloc(1, sizeof(*act));
		act->type = US_ACT_PERSON_END;
		act->u.change.person = w->attorney.person;
		act->u.change.reason = us_bytes_of("x");
		assert_int_equal(world_act(w, &who, act), US_ERR_DENIED);
		act->u.change.person = who.person; /* not even oneself */
		assert_int_equal(world_act(w, &who, act), US_ERR_DENIED);
		free(act);
		actor_free(&who);
		actor_free(&victim);
	}
	world_close(w);
	free(w);
}

/* The name of a roster signer alone is nothing: capacity and party must be those of the order, and
 * a signature must let the person in. */
static void
test_impostor(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct actor second;

	(void)state;
	world_open(w);
	actor_new(&second, "Alice Attorney");
	assert_int_equal(world_add(w, &w->admin, &second, US_CAPACITY_OUTSIDE_COUNSEL, "plaintiffs",
			     NULL),
	    US_ERR_EXISTS);
	/* a new credential for the signer herself waits: she is the only signer of her party, and
	 * the court's signer here is an auditor, who cannot stand in */
	second.person = w->attorney.person;
	assert_int_equal(world_issue(w, &w->admin, &second), US_OK);
	assert_int_equal(us_registry_standing(w->reg, second.fingerprint, w->now, NULL, NULL),
	    US_REASON_PENDING);
	assert_int_equal(world_docket_sign(w, &w->attorney, "person-2"), US_ERR_DENIED);
	assert_int_equal(world_docket_sign(w, &w->auditor, "person-2"), US_ERR_DENIED);
	actor_free(&second);
	world_close(w);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_escalation),
		cmocka_unit_test(test_impostor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
