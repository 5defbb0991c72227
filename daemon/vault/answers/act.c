/* Signed acts: sealing, copies, and everything else that changes who may do what. */
#include "daemon/vault/answers/kinds.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/role.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/read.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/history.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/request/engine.h"
#include "registry/answer.h"

/* What is kept of a request while its act is on its way. */
struct us_vault_acting {
	struct us_act act;                        /* views into the request's body */
	struct us_vault_act_job *job;             /* NULL: none, or it is done */
	const struct us_vault_act_result *result; /* in the step behind it alone */
	uint64_t *records;                        /* of a copy, once they are checked */
};

static void
acting_free(struct us_vault_request *r)
{
	struct us_vault_acting *a = r->own.acting;

	if (a->job != NULL)
		us_vault_act_forget(a->job);
	free(a->records);
	free(a);
}

/* --- seal ------------------------------------------------------------------------------------- */

static enum us_vault_next
send_seal(struct us_vault_request *r)
{
	const struct us_msg_act_request *q = &r->q.act_request;
	const uint32_t tag = us_vault_ask(r);
	struct us_msg_seal m;

	memcpy(m.credential, r->who.credential, sizeof m.credential);
	memcpy(m.session, r->who.session, sizeof m.session);
	m.peer = q->peer;
	m.act = q->act;
	m.signature = q->signature;
	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_send_seal(us_vault_keeper_channel(r->vault->keeper), tag, &m));
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct us_vault *v = arg;

	(void)fd;
	(void)what;
	v->leave(v, US_EXIT_SEALED);
}

/* The vault ends in the next turn of the loop, when the answer has been sent: nobody who is slow
 * keeps it open. */
static enum us_vault_next
sealed(struct us_vault_request *r)
{
	static const struct timeval at_once = { 0, 0 };
	struct us_msg_logged m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_logged ||
	    us_msg_logged_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	if (m.err != US_OK)
		return us_vault_fail(r, m.err, (enum us_reason)m.reason, m.index);
	if (event_base_once(r->vault->base, -1, EV_TIMEOUT, on_late, r->vault, &at_once) != 0)
		us_fatal("out of memory, and sealed");
	us_vault_json_begin(&j, &b, 1024);
	us_json_kv_cstr(&j, "status", "done");
	us_json_kv_cstr(&j, "type", "seal");
	us_json_kv_bool(&j, "sealed", 1);
	us_json_kv_uint(&j, "entry", m.index);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, m.index, &j, &b);
}

static const struct us_vault_step seal_steps[] = {
	{ .once = send_seal },
	{ .once = sealed },
	{ .once = NULL },
};

/* --- results ---------------------------------------------------------------------------------- */

static enum us_vault_next
refuse(struct us_vault_request *r, const struct us_vault_act_result *result)
{
	const struct us_order *order = us_registry_order(us_vault_registry_of(r));
	struct us_vault_problem *p = &r->problem;

	if (result->reason == US_REASON_NO_SESSION)
		return us_vault_fail(r, result->err, result->reason, result->entry);
	switch (result->err) {
	case US_ERR_DENIED:
		us_vault_problem_set(p, 403, "denied", "Refused", result->reason);
		break;
	case US_ERR_EXISTS:
	case US_ERR_STATE:
		us_vault_problem_conflict(p)->reason = result->reason;
		break;
	case US_ERR_NOT_FOUND:
		us_vault_problem_set(p, 404, "not-found", "Not found", result->reason);
		break;
	default:
		return us_vault_fail(r, result->err, result->reason, result->entry);
	}
	us_vault_problem_detail(p, result->detail);
	us_vault_problem_cite(p, order, result->rule);
	p->entry = result->entry;
	return US_VAULT_FAIL;
}

/* The act as it was committed, in the step behind put_act(). GO_ON, or FAIL. */
static enum us_vault_next
take_result(struct us_vault_request *r, struct us_committed_act *committed)
{
	const struct us_vault_act_result *result = r->own.acting->result;

	if (result->err != US_OK)
		return refuse(r, result);
	return us_committed_act_decode(committed, NULL, result->committed.p, result->committed.n) ==
		US_OK ?
	    US_VAULT_GO_ON :
	    us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, result->entry);
}

/* What was done by an act, as its answer tells it. */
static enum us_vault_next
put_done(struct us_vault_request *r, const struct us_committed_act *committed, uint64_t entry)
{
	const struct us_act *act = &r->own.acting->act;
	const struct us_registry *reg = us_vault_registry_of(r);
	struct us_json j;
	struct us_buf b;
	int pending = 0;

	us_vault_json_begin(&j, &b, 262144);
	us_json_kv_cstr(&j, "type", us_act_name(act->type));
	us_json_kv_uint(&j, "sequence", committed->sequence);
	us_json_kv_uint(&j, "entry", entry);
	us_json_kv_uint(&j, "order", us_registry_order(reg)->version);
	us_act_answer(reg, act, committed->result, &j, &pending);
	us_json_kv_cstr(&j, "status", pending ? "pending" : "done");
	us_json_close(&j);
	return us_vault_answer_json(r, pending ? 202 : 200, entry, &j, &b);
}

/* --- an act that was sent again --------------------------------------------------------------- */

struct us_vault_act_again {
	struct us_vault_request *request;
	enum us_vault_next next; /* GO_ON: these are not the bytes of then */
};

static int
put_first(void *ctx, uint64_t sequence, struct us_bytes bytes)
{
	struct us_vault_act_again *again = ctx;
	const struct us_vault_request *r = again->request;
	const struct us_bytes sent = r->q.act_request.act;
	struct us_committed_act committed;
	int err = us_committed_act_decode(&committed, NULL, bytes.p, bytes.n);

	if (err != US_OK)
		return err;
	if (committed.signed_act.n == sent.n && memcmp(committed.signed_act.p, sent.p, sent.n) == 0)
		again->next = put_done(again->request, &committed,
		    us_vault_entry_of(r->vault->state, sequence));
	return US_ERR_CLOSED;
}

/* Whoever did not hear how an act ended sends it again: the keeper did not do it twice, and the
 * same bytes get what they got the first time. What a copy gave is read once. GO_ON: it was not
 * answered before. */
static enum us_vault_next
answer_again(struct us_vault_request *r)
{
	struct us_vault_act_again again = { .request = r, .next = US_VAULT_GO_ON };
	struct us_signed_act envelope;
	uint64_t first;
	const struct us_bytes sent = r->q.act_request.act;

	if (us_signed_act_decode(&envelope, sent.p, sent.n) != US_OK)
		return US_VAULT_GO_ON;
	first = us_registry_done(us_vault_registry_of(r), &envelope);
	if (first != 0 && us_vault_history_from(r->vault, first, put_first, &again) != US_OK)
		return US_VAULT_GO_ON;
	return again.next;
}

static enum us_vault_next
put_answer(struct us_vault_request *r)
{
	const struct us_vault_act_result *result = r->own.acting->result;
	struct us_committed_act committed;
	enum us_vault_next next = US_VAULT_GO_ON;

	if (result->err != US_OK && result->reason == US_REASON_REPLAY)
		next = answer_again(r);
	if (next != US_VAULT_GO_ON)
		return next;
	next = take_result(r, &committed);
	return next != US_VAULT_GO_ON ? next : put_done(r, &committed, result->entry);
}

/* --- the act itself --------------------------------------------------------------------------- */

static void
on_done(void *ctx, const struct us_vault_act_result *result)
{
	struct us_vault_request *r = ctx;

	r->own.acting->job = NULL;
	r->own.acting->result = result;
	us_vault_resume(r, US_VAULT_GO_ON);
}

static enum us_vault_next
put_act(struct us_vault_request *r)
{
	struct us_msg_act_prepare m = {
		.peer = { (const uint8_t *)r->who.peer, r->who.peer_n },
		.act = r->q.act_request.act,
		.signature = r->q.act_request.signature,
	};
	int err;

	memcpy(m.credential, r->who.credential, sizeof m.credential);
	memcpy(m.session, r->who.session, sizeof m.session);
	err = us_vault_acts_put(r->vault->acts, &m, on_done, r, &r->own.acting->job);
	return err == US_OK ? US_VAULT_WAIT : us_vault_fail(r, err, US_REASON_ERROR, NO_ENTRY);
}

/* --- copies ----------------------------------------------------------------------------------- */

static enum us_vault_next
check_copy(struct us_vault_request *r)
{
	const struct us_act_copy *copy = &r->own.acting->act.u.copy;
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    copy->collection);

	if (c == NULL)
		return us_vault_fail(r, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, NO_ENTRY);
	r->who.collection = c->id;
	r->action = US_ACTION_COPY;
	return us_vault_ask_order(r, copy->purpose, copy->n);
}

static enum us_vault_next
check_records(struct us_vault_request *r)
{
	struct us_vault_acting *a = r->own.acting;
	const struct us_act_copy *copy = &a->act.u.copy;

	a->records = malloc((size_t)copy->n * sizeof *a->records);
	if (a->records == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	for (uint32_t i = 0; i < copy->n; i++)
		a->records[i] = us_act_copy_record(copy, i);
	r->asked = a->records;
	r->n_asked = copy->n;
	return us_vault_read_check(r, a->records, copy->n);
}

/* From here on it is a read. */
static enum us_vault_next
begin_copy(struct us_vault_request *r)
{
	struct us_act_copy copy = r->own.acting->act.u.copy; /* its views are of the body */
	const uint64_t entry = r->own.acting->result->entry;
	struct us_committed_act committed;
	enum us_vault_next next = take_result(r, &committed);

	if (next != US_VAULT_GO_ON)
		return next;
	acting_free(r);
	r->own_free = NULL;
	r->asked = NULL;
	r->n_asked = 0;
	return us_vault_read_copy(r, &copy, us_act_number(committed.result), entry);
}

static const struct us_vault_step copy_steps[] = {
	{ .once = check_copy },
	{ .once = us_vault_open_collection },
	{ .once = us_vault_take_page_keys },
	{ .once = check_records },
	{ .once = put_act },
	{ .once = begin_copy },
	{ .once = NULL },
};

/* --- any act ---------------------------------------------------------------------------------- */

static enum us_vault_next
take_act(struct us_vault_request *r)
{
	const struct us_bytes bytes = r->q.act_request.act;
	struct us_signed_act envelope;
	struct us_vault_acting *a;
	int err = us_signed_act_decode(&envelope, bytes.p, bytes.n);

	if (err == US_OK && us_act_is_vaults(envelope.type))
		err = US_ERR_RANGE;
	if (err != US_OK)
		return us_vault_fail(r, err, US_REASON_MALFORMED, NO_ENTRY);
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	r->own.acting = a;
	r->own_free = acting_free;
	err = us_act_decode(&a->act, envelope.type, envelope.payload);
	if (err != US_OK)
		return us_vault_fail(r, err, US_REASON_MALFORMED, NO_ENTRY);
	return a->act.type == US_ACT_SEAL ? us_vault_row(r, seal_steps) :
	    a->act.type == US_ACT_COPY    ? us_vault_row(r, copy_steps) :
					    US_VAULT_GO_ON;
}

const struct us_vault_step us_vault_act_request_steps[] = {
	{ .once = take_act },
	{ .once = put_act },
	{ .once = put_answer },
	{ .once = NULL },
};
