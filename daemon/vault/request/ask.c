#include "daemon/vault/request/ask.h"

#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/evidence/evidence.h"
#include "daemon/vault/request/engine.h"
#include "daemon/vault/request/opening.h"
#include "daemon/vault/state/keeper.h"
#include "log/entry.h"
#include "registry/versions.h"

/* --- the keeper ------------------------------------------------------------------------------- */

static void
on_heard(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;

	r->call = 0;
	r->heard = (struct us_vault_heard){ .type = type, .body = body };
	us_vault_resume(r, US_VAULT_GO_ON);
}

uint32_t
us_vault_ask(struct us_vault_request *r)
{
	r->asks = 0; /* not by an entry */
	return r->call = us_vault_keeper_call(r->vault->keeper, on_heard, r);
}

enum us_vault_next
us_vault_asked(struct us_vault_request *r, int err)
{
	err = us_vault_keeper_call_sent(r->vault->keeper, &r->call, err);
	return err == US_OK ? US_VAULT_WAIT : us_vault_fail(r, err, US_REASON_ERROR, r->entry);
}

static int
put_body(struct us_buf *b, const void *m)
{
	const struct us_buf *body = m;

	return us_buf_put(b, body->data, body->len);
}

enum us_vault_next
us_vault_forward(struct us_vault_request *r)
{
	const uint32_t tag = us_vault_ask(r);

	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_channel_send(us_vault_keeper_channel(r->vault->keeper), r->kind->type,
			   tag, put_body, &r->body));
}

/* --- entries ---------------------------------------------------------------------------------- */

static enum us_vault_next
hear_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_outcomes *o = r->vault->outcomes;

	r->who.left = (struct us_remaining){ .records_per_request = m->left_request,
		.consecutive = m->left_consecutive,
		.per_day = m->left_day,
		.life = m->left_life,
		.share = m->left_share };
	us_vault_outcome_answered(o, m->index);
	if (r->asks && us_vault_outcome_is_given(m->err))
		us_vault_outcome_granted(o, &r->ending, m->index);
	else
		r->refused = m->index != NO_ENTRY;
	if (m->err == US_OK) {
		r->heard.logged = m;
		return US_VAULT_GO_ON;
	}
	if (m->err != US_ERR_DENIED || m->cure.n == 0)
		return us_vault_fail(r, m->err, (enum us_reason)m->reason, m->index);
	us_vault_ruled_out(r->vault, &r->who, m, &r->problem);
	return US_VAULT_FAIL;
}

static void
on_logged(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_logged m;

	r->call = 0;
	us_vault_resume(r,
	    type == US_MSG_logged && us_msg_logged_decode(&m, body.p, body.n) == US_OK ?
		hear_logged(r, &m) :
		us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY));
}

enum us_vault_next
us_vault_log(struct us_vault_request *r, const struct us_vault_entry *e)
{
	struct us_vault_keeper *k = r->vault->keeper;
	struct us_msg_log m;

	us_vault_entry_message(e, &r->who, &m);
	r->asks = e->decision == US_DECISION_ALLOW;
	r->call = us_vault_keeper_call(k, on_logged, r);
	return us_vault_asked(r,
	    r->call == 0 ? US_ERR_BUSY : us_send_log(us_vault_keeper_channel(k), r->call, &m));
}

static enum us_vault_next
log_refusal(struct us_vault_request *r)
{
	struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = r->action,
		.decision = US_DECISION_DENY,
		.reason = r->problem.reason,
		.purpose = r->purpose,
		.related = NO_ENTRY };
	uint8_t asked[US_ENTRY_REFUSED * 8];
	const size_t n = r->n_asked < US_ENTRY_REFUSED ? r->n_asked : US_ENTRY_REFUSED;

	for (size_t i = 0; i < n; i++)
		us_store_u64(asked + 8 * i, r->asked[i]);
	e.records = (struct us_bytes){ asked, 8 * n };
	e.total = r->n_asked;
	return us_vault_log(r, &e);
}

static enum us_vault_next
tell_refusal(struct us_vault_request *r)
{
	r->problem.entry = r->heard.logged->index;
	return US_VAULT_FAIL;
}

const struct us_vault_step us_vault_refusal[] = {
	{ .once = log_refusal },
	{ .once = tell_refusal },
	{ .once = NULL },
};

/* --- the order -------------------------------------------------------------------------------- */

enum us_vault_next
us_vault_ask_order(struct us_vault_request *r, struct us_bytes purpose, uint64_t records)
{
	r->purpose = purpose;
	return us_vault_decided(
	    us_vault_decide_action(r->vault, &r->who, r->action, purpose, records, &r->problem));
}

/* --- page keys -------------------------------------------------------------------------------- */

enum us_vault_next
us_vault_open_collection(struct us_vault_request *r)
{
	const struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = US_ACTION_OPEN_COLLECTION,
		.decision = US_DECISION_ALLOW,
		.purpose = r->purpose,
		.related = NO_ENTRY };
	struct us_vault_lacking lacking;

	if (!us_vault_evidence_lacks(r->vault->evidence, r->who.collection, &lacking))
		return US_VAULT_GO_ON;
	if (us_vault_opening_enter(r->vault->openings, &r->opening, r, r->who.collection) ==
	    US_VAULT_OPENER_IS)
		return us_vault_log(r, &e);
	r->step--; /* and asks again, when its turn has come */
	return US_VAULT_WAIT;
}

void
us_vault_opening_goes_on(struct us_vault_request *r)
{
	us_vault_resume(r, US_VAULT_GO_ON);
}

static enum us_vault_next
ask_page_keys(struct us_vault_request *r, const struct us_vault_lacking *lacking)
{
	const struct us_msg_page_keys_request m = { .collection = r->who.collection,
		.batch = lacking->batch,
		.dictionary = lacking->dictionary };
	const uint32_t tag = us_vault_ask(r);

	r->step--; /* the answer is for this step again */
	return us_vault_asked(r,
	    tag == 0 ?
		US_ERR_BUSY :
		us_send_page_keys_request(us_vault_keeper_channel(r->vault->keeper), tag, &m));
}

/* What the keeper has answered; nothing where there should be something is an error of ours. */
static int
take_page_keys(struct us_vault_request *r)
{
	struct us_msg_page_keys m;
	int err = r->heard.type == US_MSG_page_keys ?
	    us_msg_page_keys_decode(&m, r->heard.body.p, r->heard.body.n) :
	    US_ERR_INTERNAL;

	if (err == US_OK && (m.err != US_OK || m.keys.n == 0))
		err = m.err != US_OK ? m.err : US_ERR_INTERNAL;
	return err != US_OK ?
	    err :
	    us_vault_evidence_take_keys(r->vault->evidence, r->who.collection, m.keys);
}

enum us_vault_next
us_vault_take_page_keys(struct us_vault_request *r)
{
	struct us_vault_lacking lacking;

	if (r->opening.is != US_VAULT_OPENER_IS) /* they were here, or are not for who asks */
		return US_VAULT_GO_ON;
	if (r->heard.logged == NULL && take_page_keys(r) != US_OK)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, r->opening.entry);
	if (r->heard.logged != NULL)
		r->opening.entry = r->heard.logged->index;
	if (us_vault_evidence_lacks(r->vault->evidence, r->who.collection, &lacking))
		return ask_page_keys(r, &lacking);
	us_vault_opening_leave(r->vault->openings, &r->opening);
	us_vault_outcome_whole(r->vault->outcomes, &r->ending);
	return US_VAULT_GO_ON;
}

/* --- the gate --------------------------------------------------------------------------------- */

enum us_vault_next
us_vault_pass_gate(struct us_vault_request *r)
{
	switch (us_vault_gate_enter(r->vault->log_gate, &r->pass, r, r->who.credential)) {
	case US_VAULT_GATE_PASSED:
		return US_VAULT_GO_ON;
	case US_VAULT_GATE_WAITS:
		return US_VAULT_WAIT;
	case US_VAULT_GATE_SHUT:
		us_vault_problem_set(&r->problem, 429, "too-many",
		    "Too much of the log is under way for this credential", US_REASON_OVER_LIMIT)
		    ->retry_after = 1;
		return US_VAULT_FAIL;
	case US_VAULT_GATE_FAILED:
		break;
	}
	return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
}

void
us_vault_gate_opens(struct us_vault_request *r)
{
	if (us_vault_is_open(r->vault->state))
		(void)us_registry_at(us_vault_registry(r->vault->state), us_time_now_ns());
	us_vault_resume(r, US_VAULT_GO_ON);
}
