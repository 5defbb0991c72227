/* Who may do what: sessions, the order's ruling, and the log entries that go with both. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "log/entry.h"
#include "log/proof.h"
#include "base/time.h"
#include "daemon/vault/internal.h"

#define SESSIONS_MAX 65536u
#define CURE_MAX 256 /* bytes of "cure" in a "logged" */

/* --- sessions: open addressing by credential; an entry is overwritten by the person's next ---- */

static struct us_vault_session *
session_place(const struct us_vault *v, const uint8_t credential[32])
{
	size_t i = us_load_u64(credential) & v->session_mask;

	while (v->sessions[i].person != 0 && memcmp(v->sessions[i].credential, credential, 32) != 0)
		i = (i + 1) & v->session_mask;
	return &v->sessions[i];
}

static void
session_grow(struct us_vault *v)
{
	struct us_vault_session *old = v->sessions;
	size_t n = old == NULL ? 0 : v->session_mask + 1, i;
	size_t more = n == 0 ? 256 : n * 2;
	struct us_vault_session *fresh = calloc(more, sizeof *fresh);

	if (fresh == NULL)
		return;
	v->sessions = fresh;
	v->session_mask = more - 1;
	for (i = 0; i < n; i++)
		if (old[i].person != 0)
			*session_place(v, old[i].credential) = old[i];
	free(old);
}

void
us_vault_session_put(struct us_vault *v, const struct us_vault_session *s)
{
	struct us_vault_session *place;

	if (v->sessions == NULL || (v->n_sessions + 1) * 2 > v->session_mask + 1)
		session_grow(v);
	if (v->sessions == NULL || v->n_sessions >= SESSIONS_MAX ||
	    v->n_sessions + 1 > v->session_mask)
		return;
	place = session_place(v, s->credential);
	if (place->person == 0)
		v->n_sessions++;
	*place = *s;
}

const struct us_vault_session *
us_vault_session_get(const struct us_vault *v, const uint8_t credential[32])
{
	const struct us_vault_session *s;

	if (v->sessions == NULL)
		return NULL;
	s = session_place(v, credential);
	return s->person == 0 ? NULL : s;
}

/* --- logging ---------------------------------------------------------------------------------- */

static const char *title_of(enum us_reason reason);

/* The keeper knows more than this process, above all what was disclosed before: by that the order
 * has refused. */
static void
reply_ruled_out(struct us_vault_request *r, const struct us_msg_logged *m)
{
	const struct us_order *order = us_registry_order(r->vault->registry);
	struct us_vault_problem p = { .status = 403,
		.type = "denied",
		.reason = (enum us_reason)m->reason,
		.rule = m->rule,
		.title = title_of((enum us_reason)m->reason),
		.paragraph = order->default_paragraph,
		.entry = m->index,
		.position = -1 };
	char cure[CURE_MAX + 1];

	(void)snprintf(cure, sizeof cure, "%.*s", (int)m->cure.n, (const char *)m->cure.p);
	p.cure = cure;
	if (m->rule > 0 && m->rule <= order->n_rules) {
		p.rule_id = order->rules[m->rule - 1].id;
		p.paragraph = order->rules[m->rule - 1].paragraph;
	}
	if (p.reason == US_REASON_QUOTA)
		p.left = &r->left;
	us_vault_reply_problem(r, &p);
}

static void
on_logged(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_logged m;

	(void)v;
	r->call = 0;
	if (type != US_MSG_logged || us_msg_logged_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	r->left = (struct us_remaining){ .records_per_request = m.left_request,
		.consecutive = m.left_consecutive,
		.per_day = m.left_day,
		.life = m.left_life,
		.share = m.left_share };
	us_vault_outcome_answered(r->vault, m.index);
	if (r->asks && us_vault_outcome_is_given(m.err))
		us_vault_outcome_granted(r, m.index);
	else
		r->refused = m.index != NO_ENTRY;
	if (m.err == US_ERR_DENIED && m.cure.n > 0)
		reply_ruled_out(r, &m);
	else if (m.err != US_OK)
		us_vault_reply_error(r, m.err, (enum us_reason)m.reason, m.index);
	else
		r->answer(r, &m);
}

void
us_vault_access_log(struct us_vault_request *r, const struct us_msg_log *e,
    void (*answer)(struct us_vault_request *r, const struct us_msg_logged *m))
{
	struct us_vault *v = r->vault;
	struct us_msg_log m = *e;
	int err;

	memcpy(m.credential, r->credential, sizeof m.credential);
	m.peer = (struct us_bytes){ (const uint8_t *)r->peer, r->peer_n };
	memcpy(m.session, r->session, sizeof m.session);
	m.collection = r->collection;
	m.rule = r->ruling.rule;
	m.paragraph = r->ruling.paragraph;
	r->answer = answer;
	r->asks = e->decision == US_DECISION_ALLOW;
	r->call = us_vault_keeper_call_new(v, on_logged, r);
	err = r->call == 0 ?
	    US_ERR_BUSY :
	    us_vault_keeper_call_sent(v, &r->call, us_send_log(v->keeper, r->call, &m));
	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
}

/* A refusal is logged first; its problem waits in r->work.out. */
static void
refusal_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_msg_reply reply = { .status = r->status,
		.type = US_TYPE_PROBLEM,
		.last = 1,
		.entry = m->index };
	struct us_buf *b = &r->work.out;

	/* The writer closed the object before the entry was known. */
	if (b->len > 0 && b->data[b->len - 1] == '}') {
		b->len--;
		(void)us_buf_putf(b, ",\"entry\":%llu}", (unsigned long long)m->index);
	}
	reply.body = (struct us_bytes){ b->data, b->len };
	us_vault_reply_sent(r, us_send_reply(r->front->channel, r->tag, &reply));
	r->ending = US_REASON_NONE; /* the refusal's entry tells */
	us_vault_request_end(r);
}

void
us_vault_access_refuse(struct us_vault_request *r, enum us_action action, struct us_bytes purpose,
    const struct us_vault_problem *p)
{
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.action = (uint8_t)action,
		.decision = US_DECISION_DENY,
		.reason = (uint8_t)p->reason,
		.purpose = purpose,
		.related = NO_ENTRY };
	struct us_vault_problem named = *p;
	uint8_t asked[US_ENTRY_REFUSED * 8];
	const size_t n = r->n_asked < US_ENTRY_REFUSED ? r->n_asked : US_ENTRY_REFUSED;

	for (size_t i = 0; i < n; i++)
		us_store_u64(asked + 8 * i, r->asked[i]);
	e.records = (struct us_bytes){ asked, 8 * n };
	e.total = r->n_asked;
	named.entry = NO_ENTRY;
	us_work_clear(&r->work);
	if (us_vault_problem_write(&r->work.out, &named) != US_OK)
		us_work_clear(&r->work);
	r->status = p->status;
	us_vault_access_log(r, &e, refusal_logged);
}

static void
opening_logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	int err = us_vault_evidence_take_keys(r->vault, r->collection, m->page_keys);

	if (err != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
		return;
	}
	us_vault_outcome_whole(r);
	r->opened(r);
}

void
us_vault_access_open(struct us_vault_request *r, struct us_bytes purpose,
    void (*opened)(struct us_vault_request *r))
{
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.action = US_ACTION_OPEN_COLLECTION,
		.decision = US_DECISION_ALLOW,
		.purpose = purpose,
		.related = NO_ENTRY };

	if (us_vault_evidence_complete(r->vault, r->collection)) {
		opened(r);
		return;
	}
	r->opened = opened;
	us_vault_access_log(r, &e, opening_logged);
}

/* --- checks ----------------------------------------------------------------------------------- */

static enum us_action
action_of_request(const struct us_vault_request *r)
{
	struct us_msg_list_request list;
	enum us_action action;

	switch (r->type) {
	case US_MSG_list_request:
		action = us_msg_list_request_decode(&list, r->body.data, r->body.len) == US_OK ?
		    us_vault_list_action(list.what) :
		    US_ACTION_NONE;
		return action == US_ACTION_NONE ? US_ACTION_STATUS : action;
	case US_MSG_question_request:
		return US_ACTION_ORDER_EXPLAIN;
	case US_MSG_log_request:
		return US_ACTION_AUDIT_TILE;
	case US_MSG_search_request:
		return US_ACTION_SEARCH;
	case US_MSG_read_request:
		return US_ACTION_READ;
	case US_MSG_load_open_request:
	case US_MSG_load_end_request:
	case US_MSG_load_ticket_request:
		return US_ACTION_LOAD;
	case US_MSG_log_keys_request:
		return US_ACTION_AUDIT_KEYS;
	default:
		return US_ACTION_STATUS; /* a refusal without an action could not be logged */
	}
}

/* Credential and person: 0, or the refusal is on its way into the log. */
static int
check_standing(struct us_vault_request *r, const struct us_vault_session *s, int64_t now,
    const struct us_person **person)
{
	struct us_vault_problem p = { .status = 403,
		.type = "denied",
		.title = "Refused",
		.entry = NO_ENTRY,
		.position = -1 };

	p.reason = us_registry_standing(r->vault->registry, r->credential, now, person, NULL);
	if (p.reason == US_REASON_NONE)
		return US_OK;
	if (*person != NULL)
		r->person = (*person)->id;
	if (s != NULL && s->expires_ns > now)
		memcpy(r->session, s->id, sizeof r->session);
	if (r->type == US_MSG_read_request)
		us_vault_read_asked(r);
	p.detail = "This credential, or the person it names, may not act now";
	us_vault_access_refuse(r, action_of_request(r), (struct us_bytes){ NULL, 0 }, &p);
	return US_ERR_DENIED;
}

/* A live session of a live person: 0, and r has all three. */
static int
check_session(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;
	const struct us_vault_session *s = us_vault_session_get(v, r->credential);
	const struct us_person *person = NULL;
	const int64_t now = us_time_now_ns();
	const struct us_vault_problem p = { .status = 401,
		.type = "session",
		.title = "No live session",
		.reason = US_REASON_NO_SESSION,
		.cure = "Sign a session: GET and POST /v1/session",
		.entry = NO_ENTRY,
		.position = -1 };

	if (check_standing(r, s, now, &person) != US_OK)
		return US_ERR_DENIED;
	if (s == NULL || s->expires_ns <= now || s->person != person->id) {
		us_vault_reply_problem(r, &p);
		return US_ERR_DENIED;
	}
	r->person = person->id;
	memcpy(r->session, s->id, sizeof r->session);
	r->subject = us_registry_subject(v->registry, person, now);
	r->generation = us_registry_generation(v->registry);
	return US_OK;
}

int
us_vault_access_authorise(struct us_vault_request *r, enum us_needs needs)
{
	const struct us_person *person = NULL;
	const struct us_vault_session *s;

	switch (needs) {
	case US_NEEDS_CERTIFICATE:
		return US_OK;
	case US_NEEDS_TREE:
		if (r->vault->state != VAULT_OPEN)
			return US_OK; /* there is no registry to ask */
		s = us_vault_session_get(r->vault, r->credential);
		return check_standing(r, s, us_time_now_ns(), &person);
	case US_NEEDS_SESSION:
		return check_session(r);
	case US_NEEDS_TICKET:
		break; /* not checked here, so nothing that needs one is answered here */
	}
	us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	return US_ERR_DENIED;
}

int
us_vault_access_collection(struct us_vault_request *r, struct us_bytes name, enum us_action action)
{
	const struct us_collection *c = us_registry_collection_named(r->vault->registry, name);
	struct us_vault_problem p = { .status = 404,
		.type = "not-found",
		.title = "No such collection",
		.reason = US_REASON_NOT_FOUND,
		.entry = NO_ENTRY,
		.position = -1 };

	if (c == NULL) {
		us_vault_access_refuse(r, action, (struct us_bytes){ NULL, 0 }, &p);
		return US_ERR_NOT_FOUND;
	}
	r->collection = c->id;
	return US_OK;
}

static const char *
title_of(enum us_reason reason)
{
	if (reason == US_REASON_NOT_IN_ORDER)
		return "The order does not permit this";
	if (reason == US_REASON_PROHIBITED)
		return "The order prohibits this";
	if (reason == US_REASON_PURPOSE_MISSING)
		return "The order wants a stated purpose";
	if (reason == US_REASON_QUOTA)
		return "More records than the order allows";
	if (reason == US_REASON_CAPACITY)
		return "Nobody of this capacity may do this";
	if (reason == US_REASON_HOURS || reason == US_REASON_PERIOD)
		return "Not at this time";
	if (reason == US_REASON_NETWORK)
		return "Not from this network";
	if (reason == US_REASON_CREDENTIAL)
		return "Not with this credential";
	if (reason == US_REASON_NO_ACKNOWLEDGEMENT)
		return "The order wants an acknowledgement first";
	if (reason == US_REASON_CLEARANCE)
		return "The order wants a clearance first";
	if (reason == US_REASON_APPROVAL)
		return "The order wants others' approval";
	if (reason == US_REASON_FROZEN)
		return "Frozen until it is lifted";
	if (reason == US_REASON_CLAWED_BACK)
		return "Clawed back";
	if (reason == US_REASON_MATTER)
		return "Not in the present state of the matter";
	return "Refused by the order";
}

void
us_vault_access_ruling(struct us_vault_request *r, enum us_action action, struct us_bytes purpose,
    uint64_t records, struct us_ruling *out)
{
	struct us_vault *v = r->vault;
	const struct us_collection *c = us_registry_collection(v->registry, r->collection);
	const struct us_credential *credential = NULL;
	const int64_t now = us_time_now_ns();
	struct us_context context;

	(void)us_registry_standing(v->registry, r->credential, now, NULL, &credential);
	us_registry_context(v->registry, credential,
	    (struct us_bytes){ (const uint8_t *)r->peer, r->peer_n }, now, &context);
	if (v->frozen)
		us_context_freeze(&context);
	/* the keeper's to decide: it has the ledger, and what approvals were used */
	context.unknown |= US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL;
	context.purpose = purpose;
	context.records = records;
	if (c != NULL)
		context.collection = us_bytes_of(c->name);
	us_order_evaluate(us_registry_order(v->registry), &r->subject, action, &context, out);
}

/* Which freeze it is, and by whose authority; "" if none. */
static void
freeze_detail(const struct us_vault_request *r, char *out, size_t size)
{
	char id[US_DOCKET_ID_MAX + 1];
	const struct us_filing *f;

	out[0] = '\0';
	if (r->ruling.freeze == 0)
		return;
	if (r->ruling.freeze == US_FREEZE_AT_START) {
		(void)snprintf(out, size,
		    "The daemon was started frozen; started without --frozen it is open again");
		return;
	}
	(void)snprintf(id, sizeof id, "freeze-%u", (unsigned)r->ruling.freeze);
	f = us_registry_filing_named(r->vault->registry, us_bytes_of(id));
	if (f != NULL)
		(void)snprintf(out, size, "%s (%s)", f->id, f->text);
}

int
us_vault_access_rule(struct us_vault_request *r, enum us_action action, struct us_bytes purpose,
    uint64_t records)
{
	struct us_vault_problem p = { .status = 403,
		.type = "denied",
		.entry = NO_ENTRY,
		.position = -1 };
	char detail[US_DOCKET_ID_MAX + US_AUTHORITY_TEXT_MAX + 8];

	us_vault_access_ruling(r, action, purpose, records, &r->ruling);
	if (r->ruling.decision == US_DECISION_ALLOW)
		return US_OK;
	p.reason = r->ruling.reason;
	p.title = title_of(p.reason);
	p.rule = r->ruling.rule;
	p.rule_id = r->ruling.rule_id;
	p.paragraph = r->ruling.paragraph;
	p.cure = r->ruling.cure;
	freeze_detail(r, detail, sizeof detail);
	p.detail = detail;
	us_vault_access_refuse(r, action, purpose, &p);
	return US_ERR_DENIED;
}

void
us_vault_reply_bad_query(struct us_vault_request *r, int err, const struct us_query_error *e)
{
	struct us_vault_problem p = { .status = 400,
		.type = "query",
		.title = "The query is not understood",
		.detail = e->message,
		.reason = US_REASON_MALFORMED,
		.entry = NO_ENTRY,
		.position = (int64_t)e->at };

	if (err == US_ERR_NOMEM)
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
	else
		us_vault_reply_problem(r, &p);
}

enum us_vault_access_change
us_vault_access_again(struct us_vault_request *r, enum us_action action, struct us_bytes purpose,
    uint64_t records)
{
	struct us_vault *v = r->vault;
	struct us_vault_problem *p = &r->problem;
	const int64_t now = us_time_now_ns();
	const struct us_person *person = NULL;
	struct us_ruling reading;

	(void)us_registry_at(v->registry, now);
	if (us_registry_generation(v->registry) == r->generation)
		return ACCESS_SAME;
	r->generation = us_registry_generation(v->registry);
	*p = (struct us_vault_problem){ .status = 403,
		.type = "denied",
		.entry = r->entry,
		.position = -1 };
	p->reason = us_registry_standing(v->registry, r->credential, now, &person, NULL);
	if (p->reason == US_REASON_NONE) {
		r->subject = us_registry_subject(v->registry, person, now);
		us_vault_access_ruling(r, action, purpose, records, &r->ruling);
		p->reason = r->ruling.reason;
		p->rule = r->ruling.rule;
		p->rule_id = r->ruling.rule_id;
		p->paragraph = r->ruling.paragraph;
		p->cure = r->ruling.cure;
	}
	if (p->reason != US_REASON_NONE) {
		p->title = title_of(p->reason);
		return ACCESS_ENDED;
	}
	us_vault_access_ruling(r, US_ACTION_READ, purpose, 0, &reading);
	if (action == US_ACTION_SEARCH || action == US_ACTION_COUNT)
		us_mask_add(&r->ruling.mask, &reading.mask);
	return ACCESS_CHANGED;
}

/* --- parts of answers ------------------------------------------------------------------------- */

void
us_vault_access_quota(struct us_json *j, const struct us_remaining *left)
{
	const struct {
		const char *name;
		uint32_t left;
	} limits[] = {
		{ "records_per_request", left->records_per_request },
		{ "consecutive", left->consecutive },
		{ "per_day", left->per_day },
		{ "life", left->life },
		{ "share", left->share },
	};

	us_json_object(j);
	for (size_t i = 0; i < US_COUNT(limits); i++) {
		us_json_key(j, limits[i].name);
		if (limits[i].left == US_UNLIMITED)
			us_json_null(j);
		else
			us_json_uint(j, limits[i].left);
	}
	us_json_close(j);
}

void
us_vault_access_json(struct us_vault_request *r, struct us_json *j, uint64_t snapshot,
    uint64_t entry)
{
	us_json_kv_uint(j, "snapshot", snapshot);
	us_json_kv_uint(j, "order", us_registry_order(r->vault->registry)->version);
	us_json_kv_uint(j, "entry", entry);
	us_json_key(j, "quota");
	us_vault_access_quota(j, &r->left);
}

int
us_vault_access_proof_of(uint64_t index, struct us_bytes hashes, struct us_bytes checkpoint,
    struct us_buf *out)
{
	struct us_tlog_proof p = { .index = index,
		.n_hashes = hashes.n / US_HASH_LEN,
		.checkpoint = checkpoint };

	if (hashes.n % US_HASH_LEN != 0 || p.n_hashes > US_PROOF_MAX)
		return US_ERR_FORMAT;
	if (hashes.n > 0)
		memcpy(p.hashes, hashes.p, hashes.n);
	return us_tlog_proof_encode(out, &p);
}

int
us_vault_access_proof(struct us_vault *v, const struct us_msg_logged *m, struct us_buf *out)
{
	return us_vault_access_proof_of(m->index, m->proof,
	    (struct us_bytes){ v->checkpoint.data, v->checkpoint.len }, out);
}
