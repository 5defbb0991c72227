#include "tests/unit/vault/rooms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void
leave(struct us_vault *v, int status)
{
	((struct rooms *)v)->left = status;
}

struct rooms *
rooms_open(struct event_base *base, struct us_registry *reg, struct us_store_reader *reader,
    struct us_writer *writer)
{
	static const uint8_t keys[US_KEY_SIZE] = { 1 };
	struct rooms *r = calloc(1, sizeof *r);
	struct us_vault *v;

	assert_non_null(r);
	v = &r->vault;
	*v = (struct us_vault){ .base = base, .reader = reader, .writer = writer, .leave = leave };
	assert_int_equal(us_vault_state_new(&v->state, 0), US_OK);
	assert_int_equal(us_vault_state_take_keys(v->state, keys, keys, keys), US_OK);
	assert_int_equal(us_vault_keeper_new(&v->keeper, NULL), US_OK);
	assert_int_equal(us_vault_acts_new(&v->acts, v), US_OK);
	assert_int_equal(us_vault_evidence_new(&v->evidence, v->state, reader, 8), US_OK);
	assert_int_equal(us_vault_views_new(&v->views, v->evidence), US_OK);
	assert_int_equal(us_vault_sessions_new(&v->sessions), US_OK);
	assert_int_equal(us_vault_outcomes_new(&v->outcomes, base, v->state, v->keeper), US_OK);
	assert_int_equal(us_vault_gate_new(&v->log_gate, base, &us_vault_log_gate_limits, v->state,
			     us_vault_gate_opens),
	    US_OK);
	assert_int_equal(us_vault_shares_new(v, NULL, us_vault_request_turn), US_OK);
	assert_int_equal(us_vault_openings_new(&v->openings, base, us_vault_opening_goes_on),
	    US_OK);
	assert_int_equal(us_vault_requests_new(&v->requests, base, us_vault_refusal), US_OK);
	assert_int_equal(us_vault_loads_new(&v->loads, v), US_OK);
	assert_int_equal(us_vault_sealer_new(&r->sealer, v), US_OK);
	assert_int_equal(us_vault_front_new(&r->front), US_OK);
	if (reg == NULL)
		return r;
	us_vault_state_set_registry(v->state, reg);
	us_vault_state_enter(v->state, US_VAULT_OPEN);
	for (uint64_t i = 1; i <= us_registry_sequence(reg); i++)
		assert_int_equal(us_vault_note_entry(v->state, i, i), US_OK);
	return r;
}

void
rooms_close(struct rooms *r)
{
	struct us_vault *v = &r->vault;

	assert_int_equal(us_vault_front_requests(r->front), 0);
	us_vault_front_free(r->front);
	us_vault_sealer_free(r->sealer);
	us_vault_loads_free(v->loads);
	us_vault_requests_free(v->requests);
	us_vault_gate_free(v->log_gate);
	us_vault_shares_free(v);
	us_vault_openings_free(v->openings);
	us_vault_outcomes_free(v->outcomes);
	us_vault_sessions_free(v->sessions);
	us_vault_views_free(v->views);
	us_vault_evidence_free(v->evidence);
	us_vault_acts_free(v->acts);
	us_vault_keeper_free(v->keeper);
	us_vault_state_set_registry(v->state, NULL); /* the test's */
	us_vault_state_free(v->state);
	free(r);
}
