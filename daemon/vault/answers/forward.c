/* What is the keeper's to answer: its status, the nonce for a session, sessions, shares, and what
 * witnesses bring. Sessions, shares and cosignatures are forwarded as they came. */
#include "daemon/vault/answers/kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/listing.h"
#include "daemon/vault/answers/recalls.h"
#include "daemon/vault/decide/sessions.h"
#include "daemon/vault/request/shares.h"
#include "daemon/vault/state/keeper.h"

static enum us_vault_next
bad_answer(struct us_vault_request *r)
{
	return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
}

/* --- status ----------------------------------------------------------------------------------- */

static const char *
state_name(const struct us_vault_state *s, uint8_t keeper)
{
	if (us_vault_is_open(s))
		return "open";
	if (us_vault_phase(s) == US_VAULT_REFUSING || keeper == US_KEEPER_REFUSING)
		return "refusing";
	return us_vault_phase(s) == US_VAULT_SEALED ? "sealed" : "opening";
}

static void
put_order(const struct us_vault_state *s, struct us_json *j)
{
	const struct us_order *o = us_vault_registry(s) == NULL ?
	    NULL :
	    us_registry_order(us_vault_registry(s));

	us_json_key(j, "order");
	if (o == NULL || !us_vault_is_open(s)) {
		us_json_null(j);
		return;
	}
	us_json_object(j);
	us_json_kv_uint(j, "version", o->version);
	us_json_kv_str(j, "title", o->title);
	us_json_kv_str(j, "docket", o->docket);
	us_json_kv_hex(j, "digest", o->source_digest, 32);
	us_json_close(j);
}

/* The root as it stands in the checkpoint: its third line. */
static struct us_bytes
root_of(struct us_bytes checkpoint)
{
	struct us_bytes line = { NULL, 0 };
	size_t i, start = 0, n = 0;

	for (i = 0; i < checkpoint.n && n < 3; i++) {
		if (checkpoint.p[i] != '\n')
			continue;
		if (++n == 3)
			line = (struct us_bytes){ checkpoint.p + start, i - start };
		start = i + 1;
	}
	return line;
}

/* What waits in the docket for whose credential this is, and what they are to give back. */
static void
put_waiting(const struct us_vault_request *r, struct us_json *j)
{
	const struct us_person *person = NULL;
	const int64_t now = us_time_now_ns();

	if (!us_vault_is_open(r->vault->state) ||
	    us_registry_standing(us_vault_registry_of(r), r->who.credential, now, &person, NULL) !=
		US_REASON_NONE)
		return;
	us_json_kv_uint(j, "waiting",
	    us_vault_docket_waiting(us_vault_registry_of(r), person, now));
	us_vault_put_recalls(us_vault_registry_of(r), person, j);
}

/* How much of what people share is taken, for who runs the machine. */
static void
put_limits(const struct us_vault_request *r, struct us_json *j)
{
	const struct us_person *person = NULL;

	if (us_vault_is_open(r->vault->state) &&
	    us_registry_standing(us_vault_registry_of(r), r->who.credential, us_time_now_ns(),
		&person, NULL) == US_REASON_NONE &&
	    us_capacity_class_of(person->capacity) == US_CAPACITIES_ADMINISTRATOR)
		us_vault_put_limits(r->vault->shares, j);
}

static enum us_vault_next
ask_status(struct us_vault_request *r)
{
	const struct us_msg_keeper_status m = { 0 };
	const uint32_t tag = us_vault_ask(r);

	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_send_keeper_status(us_vault_keeper_channel(r->vault->keeper), tag, &m));
}

static void
put_shares(struct us_json *j, const struct us_msg_keeper_status_reply *m)
{
	us_json_key(j, "shares");
	us_json_object(j);
	us_json_kv_uint(j, "given", m->shares_given);
	us_json_kv_uint(j, "wanted", m->shares_wanted);
	us_json_key(j, "expires");
	if (m->shares_expire > 0)
		us_json_time(j, m->shares_expire);
	else
		us_json_null(j);
	us_json_close(j);
}

static void
put_log(struct us_json *j, const struct us_msg_keeper_status_reply *m)
{
	us_json_key(j, "log");
	us_json_object(j);
	us_json_kv_uint(j, "size", m->tree_size);
	us_json_kv_str(j, "root", root_of(m->checkpoint));
	us_json_kv_str(j, "vkey", m->vkey);
	us_json_kv_str(j, "checkpoint", m->checkpoint);
	us_json_close(j);
}

/* How to seal a share for this vault; nulls if it is unsealed. */
static void
put_unseal(struct us_json *j, const struct us_msg_keeper_status_reply *m, int is_sealed)
{
	us_json_key(j, "unseal_key");
	if (is_sealed)
		us_json_base64(j, m->unseal_key, sizeof m->unseal_key);
	else
		us_json_null(j);
	us_json_key(j, "unseal_signature");
	if (is_sealed)
		us_json_base64(j, m->unseal_signature, sizeof m->unseal_signature);
	else
		us_json_null(j);
}

static enum us_vault_next
put_status(struct us_vault_request *r)
{
	const struct us_vault_state *s = r->vault->state;
	struct us_msg_keeper_status_reply m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_keeper_status_reply ||
	    us_msg_keeper_status_reply_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return bad_answer(r);
	us_vault_json_begin(&j, &b, 131072);
	us_json_kv_cstr(&j, "state", state_name(s, m.state));
	us_json_kv_bool(&j, "sealed", !us_vault_is_open(s));
	put_shares(&j, &m);
	us_json_kv_time(&j, "since", m.since);
	if (us_vault_phase(s) == US_VAULT_REFUSING)
		us_json_kv_cstr(&j, "why", us_vault_why_refusing(s));
	else
		us_json_kv_str(&j, "why", m.why);
	us_json_kv_cstr(&j, "version", US_VERSION);
	us_json_kv_time(&j, "time", us_time_now_ns());
	put_order(s, &j);
	put_log(&j, &m);
	us_json_kv_hex(&j, "vault", m.vault_id, sizeof m.vault_id);
	put_waiting(r, &j);
	put_limits(r, &j);
	put_unseal(&j, &m, us_vault_phase(s) == US_VAULT_SEALED);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, NO_ENTRY, &j, &b);
}

const struct us_vault_step us_vault_status_request_steps[] = {
	{ .once = ask_status },
	{ .once = put_status },
	{ .once = NULL },
};

/* --- sessions --------------------------------------------------------------------------------- */

static enum us_vault_next
ask_challenge(struct us_vault_request *r)
{
	const struct us_msg_challenge m = { 0 };
	const uint32_t tag = us_vault_ask(r);

	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_send_challenge(us_vault_keeper_channel(r->vault->keeper), tag, &m));
}

static enum us_vault_next
put_challenge(struct us_vault_request *r)
{
	struct us_msg_challenge_reply m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_challenge_reply ||
	    us_msg_challenge_reply_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return bad_answer(r);
	us_vault_json_begin(&j, &b, 4096);
	us_json_kv_hex(&j, "vault", m.vault_id, sizeof m.vault_id);
	us_json_kv_hex(&j, "nonce", m.nonce, sizeof m.nonce);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, NO_ENTRY, &j, &b);
}

const struct us_vault_step us_vault_challenge_request_steps[] = {
	{ .once = ask_challenge },
	{ .once = put_challenge },
	{ .once = NULL },
};

static void
keep_session(struct us_vault_request *r, const struct us_msg_session_opened *m)
{
	struct us_vault_session s = { .person = m->person, .expires_ns = m->expires };

	memcpy(s.credential, r->who.credential, sizeof s.credential);
	memcpy(s.id, m->session, sizeof s.id);
	us_vault_session_put(r->vault->sessions, &s);
}

static enum us_vault_next
put_session(struct us_vault_request *r)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_person *person;
	struct us_msg_session_opened m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_session_opened ||
	    us_msg_session_opened_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return bad_answer(r);
	if (m.err != US_OK)
		return us_vault_fail(r, m.err, (enum us_reason)m.reason, m.entry);
	keep_session(r, &m);
	person = us_registry_person(reg, m.person);
	us_vault_json_begin(&j, &b, 65536);
	us_json_kv_hex(&j, "session", m.session, sizeof m.session);
	us_json_kv_uint(&j, "person", m.person);
	us_json_kv_cstr(&j, "name", person == NULL ? NULL : person->name);
	us_json_kv_time(&j, "expires", m.expires);
	us_json_kv_uint(&j, "waiting",
	    person == NULL ? 0 : us_vault_docket_waiting(reg, person, us_time_now_ns()));
	if (person != NULL)
		us_vault_put_recalls(reg, person, &j);
	us_json_kv_uint(&j, "entry", m.entry);
	us_json_close(&j);
	return us_vault_answer_json(r, 201, m.entry, &j, &b);
}

const struct us_vault_step us_vault_session_request_steps[] = {
	{ .once = us_vault_forward },
	{ .once = put_session },
	{ .once = NULL },
};

/* --- shares ----------------------------------------------------------------------------------- */

static enum us_vault_next
refuse_share(struct us_vault_request *r, const struct us_msg_share_reply *m)
{
	struct us_vault_problem *p = &r->problem;

	if (m->err == US_ERR_IO || m->err == US_ERR_NOSPACE || m->err == US_ERR_NOMEM)
		return us_vault_fail(r, m->err,
		    m->err == US_ERR_NOSPACE ? US_REASON_LOW_SPACE : US_REASON_ERROR, m->entry);
	us_vault_problem_set(p, 400, "share", "The share was not taken", US_REASON_WRONG_SHARE);
	if (m->err == US_ERR_STATE) {
		p->status = 409;
		p->type = "conflict";
		p->reason = US_REASON_STATE;
	}
	(void)snprintf(p->detail, sizeof p->detail, "%.*s", (int)m->detail.n,
	    m->detail.n == 0 ? "" : (const char *)m->detail.p);
	p->entry = m->entry;
	return US_VAULT_FAIL;
}

static enum us_vault_next
put_share(struct us_vault_request *r)
{
	struct us_msg_share_reply m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_share_reply ||
	    us_msg_share_reply_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return bad_answer(r);
	if (m.err != US_OK)
		return refuse_share(r, &m);
	us_vault_json_begin(&j, &b, 4096);
	us_json_kv_uint(&j, "share", m.share);
	us_json_key(&j, "shares");
	us_json_object(&j);
	us_json_kv_uint(&j, "given", m.shares_given);
	us_json_kv_uint(&j, "wanted", m.shares_wanted);
	us_json_close(&j);
	us_json_kv_bool(&j, "sealed", m.shares_given < m.shares_wanted);
	us_json_kv_str(&j, "detail", m.detail);
	if (m.entry != NO_ENTRY)
		us_json_kv_uint(&j, "entry", m.entry);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, m.entry, &j, &b);
}

const struct us_vault_step us_vault_share_request_steps[] = {
	{ .once = us_vault_forward },
	{ .once = put_share },
	{ .once = NULL },
};

/* --- cosignatures ----------------------------------------------------------------------------- */

static enum us_vault_next
put_cosigned(struct us_vault_request *r)
{
	struct us_msg_cosigned m;
	struct us_json j;
	struct us_buf b;

	if (r->heard.type != US_MSG_cosigned ||
	    us_msg_cosigned_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return bad_answer(r);
	if (m.err != US_OK)
		return us_vault_fail(r, m.err, (enum us_reason)m.reason, m.entry);
	us_vault_json_begin(&j, &b, 4096);
	us_json_kv_uint(&j, "entry", m.entry);
	us_json_kv_uint(&j, "size", m.size);
	us_json_kv_uint(&j, "cosignatures", m.count);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, m.entry, &j, &b);
}

/* Anybody who may see the tree may bring what a witness has signed: its key speaks for it, not who
 * carries it. */
const struct us_vault_step us_vault_cosign_request_steps[] = {
	{ .once = us_vault_pass_gate },
	{ .once = us_vault_forward },
	{ .once = put_cosigned },
	{ .once = NULL },
};
