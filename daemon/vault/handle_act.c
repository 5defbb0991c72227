/* Signed acts: sealing, copies, and everything else that changes who may do what. */
#include <stdlib.h>
#include <string.h>

#include "daemon/process/role.h"
#include "daemon/vault/internal.h"
#include "registry/answer.h"
#include "registry/versions.h"

/* What is kept of a request while its act is on its way. */
struct us_vault_acting {
	struct us_act act;
	enum us_act_type type;
	struct us_vault_act_job *job; /* NULL once it is done */
	uint64_t *records;            /* of a copy, once they are checked */
};

static void
acting_free(void *state)
{
	struct us_vault_acting *a = state;

	if (a->job != NULL)
		a->job->done = NULL; /* the act goes its way; nobody waits for it */
	free(a->records);
	free(a);
}

/* --- seal ------------------------------------------------------------------------------------- */

static void
on_sealed(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_logged m;
	struct us_json j;
	struct us_buf b;

	r->call = 0;
	if (type != US_MSG_logged || us_msg_logged_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, (enum us_reason)m.reason, m.index);
		return;
	}
	us_buf_init(&b, 1024);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_cstr(&j, "status", "done");
	us_json_kv_cstr(&j, "type", "seal");
	us_json_kv_bool(&j, "sealed", 1);
	us_json_kv_uint(&j, "entry", m.index);
	us_json_close(&j);
	(void)us_json_end(&j);
	us_vault_reply_json(r, 200, m.index, &b);
	us_buf_free(&b);
	us_vault_leave(v, US_EXIT_SEALED);
}

static void
seal(struct us_vault_request *r, const struct us_msg_act_request *q)
{
	struct us_msg_seal m;
	int err;

	memcpy(m.credential, r->credential, sizeof m.credential);
	memcpy(m.session, r->session, sizeof m.session);
	m.peer = q->peer;
	m.act = q->act;
	m.signature = q->signature;
	r->call = us_vault_keeper_call_new(r->vault, on_sealed, r);
	err = r->call == 0 ? US_ERR_BUSY :
			     us_vault_keeper_call_sent(r->vault, &r->call,
				 us_send_seal(r->vault->keeper, r->call, &m));
	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
}

/* --- results ---------------------------------------------------------------------------------- */

static void
reply_refusal(struct us_vault_request *r, const struct us_vault_act_result *result)
{
	const struct us_order *order = us_registry_order(r->vault->registry);
	struct us_vault_problem p = { .status = 403,
		.type = "denied",
		.title = "Refused",
		.detail = result->detail,
		.reason = result->reason,
		.entry = result->entry,
		.position = -1,
		.rule = result->rule };

	if (p.rule > 0 && p.rule <= order->n_rules) {
		p.rule_id = order->rules[p.rule - 1].id;
		p.paragraph = order->rules[p.rule - 1].paragraph;
	}
	if ((result->err != US_ERR_DENIED && result->err != US_ERR_EXISTS &&
		result->err != US_ERR_STATE && result->err != US_ERR_NOT_FOUND) ||
	    result->reason == US_REASON_NO_SESSION) {
		us_vault_reply_error(r, result->err, result->reason, result->entry);
		return;
	}
	if (result->err == US_ERR_EXISTS || result->err == US_ERR_STATE) {
		p.status = 409;
		p.type = "conflict";
		p.title = "Not possible in the present state";
	} else if (result->err == US_ERR_NOT_FOUND) {
		p.status = 404;
		p.type = "not-found";
		p.title = "Not found";
	}
	us_vault_reply_problem(r, &p);
}

static void
on_done(struct us_vault *v, void *ctx, const struct us_vault_act_result *result)
{
	struct us_vault_request *r = ctx;
	struct us_vault_acting *a = r->state;
	struct us_committed_act committed;
	struct us_json j;
	struct us_buf b;
	int pending = 0, err;

	a->job = NULL;
	if (result->err != US_OK) {
		reply_refusal(r, result);
		return;
	}
	err = us_committed_act_decode(&committed, NULL, result->committed.p, result->committed.n);
	if (err != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, result->entry);
		return;
	}
	if (a->type == US_ACT_COPY) {
		/* act's views point into r->body, which stays; its state is replaced */
		struct us_act_copy copy = a->act.u.copy;

		acting_free(a);
		r->state = NULL;
		r->free_state = NULL;
		r->asked = NULL;
		r->n_asked = 0;
		err = us_vault_read_copy(r, &copy, us_act_number(committed.result), result->entry);
		if (err != US_OK)
			us_vault_reply_error(r, err, US_REASON_ERROR, result->entry);
		return;
	}
	us_buf_init(&b, 262144);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_cstr(&j, "type", us_act_name(a->type));
	us_json_kv_uint(&j, "sequence", committed.sequence);
	us_json_kv_uint(&j, "entry", result->entry);
	us_json_kv_uint(&j, "order", us_registry_order(v->registry)->version);
	us_act_answer(v->registry, &a->act, committed.result, &j, &pending);
	us_json_kv_cstr(&j, "status", pending ? "pending" : "done");
	us_json_close(&j);
	err = us_json_end(&j);
	if (err == US_OK)
		us_vault_reply_json(r, pending ? 202 : 200, result->entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, result->entry);
	us_buf_free(&b);
}

/* --- the request ------------------------------------------------------------------------------ */

static int
check_copy(struct us_vault_request *r, const struct us_act_copy *copy)
{
	const struct us_collection *c = us_registry_collection(r->vault->registry,
	    copy->collection);

	if (c == NULL) {
		us_vault_reply_error(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
		return US_ERR_NOT_FOUND;
	}
	r->collection = c->id;
	return us_vault_access_rule(r, US_ACTION_COPY, copy->purpose, copy->n);
}

static int
check_copy_records(struct us_vault_request *r, struct us_vault_acting *a)
{
	const struct us_act_copy *copy = &a->act.u.copy;

	a->records = malloc((size_t)copy->n * sizeof *a->records);
	if (a->records == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return US_ERR_NOMEM;
	}
	for (uint32_t i = 0; i < copy->n; i++)
		a->records[i] = us_act_copy_record(copy, i);
	r->asked = a->records;
	r->n_asked = copy->n;
	return us_vault_read_check(r, a->records, copy->n, US_ACTION_COPY, copy->purpose);
}

static void
put_job(struct us_vault_request *r, struct us_vault_acting *a, const struct us_msg_act_request *q)
{
	struct us_vault_act_job *job = calloc(1, sizeof *job);
	size_t act_at, sig_at;
	int err;

	if (job == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	/* The request may end before the act does: the job has bytes of its own. */
	us_buf_init(&job->copy, 2u << 20);
	err = us_buf_put(&job->copy, r->peer, r->peer_n);
	act_at = job->copy.len;
	if (err == US_OK)
		err = us_buf_put(&job->copy, q->act.p, q->act.n);
	sig_at = job->copy.len;
	if (err == US_OK)
		err = us_buf_put(&job->copy, q->signature.p, q->signature.n);
	if (err != US_OK) {
		us_buf_free(&job->copy);
		free(job);
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	memcpy(job->act.credential, r->credential, sizeof job->act.credential);
	memcpy(job->act.session, r->session, sizeof job->act.session);
	job->act.peer = (struct us_bytes){ job->copy.data, r->peer_n };
	job->act.act = (struct us_bytes){ job->copy.data + act_at, q->act.n };
	job->act.signature = (struct us_bytes){ job->copy.data + sig_at, q->signature.n };
	job->done = on_done;
	job->ctx = r;
	a->job = job;
	us_vault_acts_put(r->vault, job);
}

static void
copy_opened(struct us_vault_request *r)
{
	struct us_msg_act_request q;
	struct us_vault_acting *a = r->state;

	if (us_msg_act_request_decode(&q, r->body.data, r->body.len) != US_OK)
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	else if (check_copy_records(r, a) == US_OK)
		put_job(r, a, &q);
}

void
us_vault_handle_act(struct us_vault_request *r)
{
	struct us_msg_act_request q;
	struct us_signed_act envelope;
	struct us_vault_acting *a;
	int err = us_msg_act_request_decode(&q, r->body.data, r->body.len);

	if (err == US_OK)
		err = us_signed_act_decode(&envelope, q.act.p, q.act.n);
	if (err == US_OK && us_act_is_vaults(envelope.type))
		err = US_ERR_RANGE;
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	a = calloc(1, sizeof *a);
	if (a == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	r->state = a;
	r->free_state = acting_free;
	a->type = envelope.type;
	err = us_act_decode(&a->act, envelope.type, envelope.payload);
	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (a->type == US_ACT_SEAL) {
		seal(r, &q);
		return;
	}
	if (a->type == US_ACT_COPY) {
		if (check_copy(r, &a->act.u.copy) == US_OK)
			us_vault_access_open(r, a->act.u.copy.purpose, copy_opened);
		return;
	}
	put_job(r, a, &q);
}
