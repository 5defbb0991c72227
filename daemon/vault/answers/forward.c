/* What works while the vault is sealed: status, the nonce for a session, shares; and sessions. */
#include <string.h>

#include "base/time.h"
#include "daemon/vault/answers/listing.h"

/* Asks the keeper; the answer goes to fn with r as its context. */
#define ASK(r, name, m, fn) \
	do { \
		int ask_err; \
		(r)->call = us_vault_keeper_call_new((r)->vault, fn, r); \
		ask_err = (r)->call == 0 ? US_ERR_BUSY : \
					   us_vault_keeper_call_sent((r)->vault, &(r)->call, \
					       us_send_##name((r)->vault->keeper, (r)->call, m)); \
		if (ask_err != US_OK) \
			us_vault_reply_error(r, ask_err, US_REASON_ERROR, NO_ENTRY); \
	} while (0)

static const char *
state_name(const struct us_vault *v, uint8_t keeper)
{
	if (v->state == VAULT_OPEN)
		return "open";
	if (v->state == VAULT_REFUSING || keeper == US_KEEPER_REFUSING)
		return "refusing";
	return v->state == VAULT_SEALED ? "sealed" : "opening";
}

static void
put_order(const struct us_vault *v, struct us_json *j)
{
	const struct us_order *o = v->registry == NULL ? NULL : us_registry_order(v->registry);

	us_json_key(j, "order");
	if (o == NULL || v->state != VAULT_OPEN) {
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

/* How many items of the docket wait for whose credential this is. */
static void
put_waiting(const struct us_vault_request *r, struct us_json *j)
{
	const struct us_person *person = NULL;
	const int64_t now = us_time_now_ns();

	if (r->vault->state != VAULT_OPEN ||
	    us_registry_standing(r->vault->registry, r->credential, now, &person, NULL) !=
		US_REASON_NONE)
		return;
	us_json_kv_uint(j, "waiting", us_vault_docket_waiting(r->vault, person, now));
}

static void
on_status(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_keeper_status_reply m;
	struct us_json j;
	struct us_buf b;
	int sealed = v->state == VAULT_SEALED;

	r->call = 0;
	if (type != US_MSG_keeper_status_reply ||
	    us_msg_keeper_status_reply_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	us_buf_init(&b, 65536);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_cstr(&j, "state", state_name(v, m.state));
	us_json_kv_bool(&j, "sealed", v->state != VAULT_OPEN);
	us_json_key(&j, "shares");
	us_json_object(&j);
	us_json_kv_uint(&j, "given", m.shares_given);
	us_json_kv_uint(&j, "wanted", m.shares_wanted);
	us_json_key(&j, "expires");
	if (m.shares_expire > 0)
		us_json_time(&j, m.shares_expire);
	else
		us_json_null(&j);
	us_json_close(&j);
	us_json_kv_time(&j, "since", m.since);
	if (v->state == VAULT_REFUSING)
		us_json_kv_cstr(&j, "why", v->why_refusing);
	else
		us_json_kv_str(&j, "why", m.why);
	us_json_kv_cstr(&j, "version", US_VERSION);
	us_json_kv_time(&j, "time", us_time_now_ns());
	put_order(v, &j);
	us_json_key(&j, "log");
	us_json_object(&j);
	us_json_kv_uint(&j, "size", m.tree_size);
	us_json_kv_str(&j, "root", root_of(m.checkpoint));
	us_json_kv_str(&j, "vkey", m.vkey);
	us_json_kv_str(&j, "checkpoint", m.checkpoint);
	us_json_close(&j);
	us_json_kv_hex(&j, "vault", m.vault_id, sizeof m.vault_id);
	put_waiting(r, &j);
	us_json_key(&j, "unseal_key");
	if (sealed)
		us_json_base64(&j, m.unseal_key, sizeof m.unseal_key);
	else
		us_json_null(&j);
	us_json_key(&j, "unseal_signature");
	if (sealed)
		us_json_base64(&j, m.unseal_signature, sizeof m.unseal_signature);
	else
		us_json_null(&j);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, NO_ENTRY, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	us_buf_free(&b);
}

void
us_vault_handle_status(struct us_vault_request *r)
{
	struct us_msg_keeper_status m = { 0 };

	ASK(r, keeper_status, &m, on_status);
}

static void
on_challenge(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_challenge_reply m;
	struct us_json j;
	struct us_buf b;

	(void)v;
	r->call = 0;
	if (type != US_MSG_challenge_reply ||
	    us_msg_challenge_reply_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	us_buf_init(&b, 4096);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_hex(&j, "vault", m.vault_id, sizeof m.vault_id);
	us_json_kv_hex(&j, "nonce", m.nonce, sizeof m.nonce);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, NO_ENTRY, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	us_buf_free(&b);
}

void
us_vault_handle_challenge(struct us_vault_request *r)
{
	struct us_msg_challenge m = { 0 };

	ASK(r, challenge, &m, on_challenge);
}

static void
on_session(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_session_opened m;
	const struct us_person *person;
	struct us_vault_session s;
	struct us_json j;
	struct us_buf b;

	r->call = 0;
	if (type != US_MSG_session_opened ||
	    us_msg_session_opened_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, (enum us_reason)m.reason, m.entry);
		return;
	}
	memcpy(s.credential, r->credential, sizeof s.credential);
	memcpy(s.id, m.session, sizeof s.id);
	s.person = m.person;
	s.expires_ns = m.expires;
	us_vault_session_put(v, &s);
	person = us_registry_person(v->registry, m.person);
	us_buf_init(&b, 4096);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_hex(&j, "session", m.session, sizeof m.session);
	us_json_kv_uint(&j, "person", m.person);
	us_json_kv_cstr(&j, "name", person == NULL ? NULL : person->name);
	us_json_kv_time(&j, "expires", m.expires);
	us_json_kv_uint(&j, "waiting",
	    person == NULL ? 0 : us_vault_docket_waiting(v, person, us_time_now_ns()));
	us_json_kv_uint(&j, "entry", m.entry);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 201, m.entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m.entry);
	us_buf_free(&b);
}

void
us_vault_handle_session(struct us_vault_request *r)
{
	struct us_msg_session_request q;
	struct us_msg_session_open m;

	if (us_msg_session_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	memcpy(m.credential, q.credential, sizeof m.credential);
	m.peer = q.peer;
	m.statement = q.statement;
	m.signature = q.signature;
	m.certificate = q.certificate;
	ASK(r, session_open, &m, on_session);
}

static void
on_share(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_share_reply m;
	struct us_json j;
	struct us_buf b;
	char detail[513] = "";
	struct us_vault_problem p = { .status = 400,
		.type = "share",
		.title = "The share was not taken",
		.detail = detail,
		.reason = US_REASON_WRONG_SHARE,
		.position = -1 };

	(void)v;
	r->call = 0;
	if (type != US_MSG_share_reply || us_msg_share_reply_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (m.err != US_OK) {
		if (m.detail.n > 0)
			memcpy(detail, m.detail.p, m.detail.n);
		if (m.err == US_ERR_STATE) {
			p.status = 409;
			p.type = "conflict";
			p.reason = US_REASON_STATE;
		} else if (m.err == US_ERR_IO || m.err == US_ERR_NOSPACE || m.err == US_ERR_NOMEM) {
			us_vault_reply_error(r, m.err,
			    m.err == US_ERR_NOSPACE ? US_REASON_LOW_SPACE : US_REASON_ERROR,
			    m.entry);
			return;
		}
		p.entry = m.entry;
		us_vault_reply_problem(r, &p);
		return;
	}
	us_buf_init(&b, 4096);
	us_json_begin(&j, &b);
	us_json_object(&j);
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
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, m.entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m.entry);
	us_buf_free(&b);
}

void
us_vault_handle_share(struct us_vault_request *r)
{
	struct us_msg_share_request q;
	struct us_msg_share m;

	if (us_msg_share_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	memcpy(m.credential, q.credential, sizeof m.credential);
	m.peer = q.peer;
	m.sealed = q.sealed;
	ASK(r, share, &m, on_share);
}
