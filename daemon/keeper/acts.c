/*
 * Acts in two phases (docs/PROTOCOL.md section 4). Prepare verifies and fixes what the act will be;
 * commit writes the entry that carries the state's new digest: the commit point. One act is between
 * the phases at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/approve.h"
#include "daemon/keeper/ledger.h"
#include "registry/authority.h"

/* --- refusals ------------------------------------------------------------------------------ */

struct us_keeper_refused {
	int err;
	struct us_refusal refusal;
	char detail[512];
};

static int
finish_refused(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_refused *r = p->data;
	const struct us_msg_act_prepared m = { .err = (uint8_t)r->err,
		.reason = (uint8_t)r->refusal.reason,
		.rule = r->refusal.rule,
		.detail = us_bytes_of(r->detail),
		.entry = p->index };

	(void)k;
	return p->ch == NULL ? US_OK : us_send_act_prepared(p->ch, p->tag, &m);
}

/* Who asked for what, as claimed: for the entry of a refusal. */
struct us_keeper_claim {
	const uint8_t *credential;
	const uint8_t *session;
	struct us_bytes peer;
	enum us_action action;
	struct us_bytes seal;           /* the signed act of a seal that was granted; empty: none */
	const struct us_act_copy *copy; /* of a refused copy, or NULL */
};

/* What a refused copy asked for, beside its query box q. words: room for all its terms. */
static int
name_copy(const struct us_keeper *k, const struct us_act_copy *copy, struct us_buf *terms,
    struct us_entry_query *q, struct us_bytes words[US_ENTRY_REFUSED + 1])
{
	struct us_reader r;
	int err = us_refused_terms(k, copy->collection, copy->records, copy->n, terms);

	us_reader_init(&r, terms->data, terms->len);
	while (err == US_OK && r.err == US_OK && r.left > 0)
		words[q->n_terms++] = us_take_str16(&r, UINT16_MAX);
	q->terms = words;
	q->purpose = copy->purpose;
	return err;
}

static int
append_claim(struct us_keeper *k, const struct us_keeper_claim *c, enum us_entry_class entry_class,
    const struct us_refusal *refusal, struct us_pending *p)
{
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = entry_class, .access = &a, .query = &q };
	struct us_bytes words[US_ENTRY_REFUSED + 1];
	struct us_buf terms;
	int err = US_OK;

	us_buf_init(&terms, US_REFUSED_MAX);
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	a.kind = US_KIND_INTENT;
	a.action = c->action == US_ACTION_NONE ? US_ACTION_STATUS : c->action;
	a.decision = refusal == NULL ? US_DECISION_ALLOW : US_DECISION_DENY;
	if (refusal != NULL) {
		a.reason = refusal->reason == US_REASON_NONE ? US_REASON_STATE : refusal->reason;
		a.rule = refusal->rule;
		a.paragraph = us_bytes_of(refusal->paragraph);
	}
	us_keeper_fill_person(k, &a, c->credential);
	memcpy(a.session, c->session, 16);
	if (c->seal.n > 0)
		a.event = (struct us_event){ .form = US_EVENT_SEAL, .seal = { c->seal } };
	q.address = c->peer;
	if (c->copy != NULL) {
		a.collection = us_registry_collection(k->registry, c->copy->collection) == NULL ?
		    0 :
		    c->copy->collection;
		err = name_copy(k, c->copy, &terms, &q, words);
	}
	if (err == US_OK)
		err = us_keeper_append(k, &e, &p->index, &p->time_ns);
	us_buf_free(&terms);
	return err;
}

static int
refuse(struct us_keeper *k, const struct us_keeper_claim *c, int err,
    const struct us_refusal *refusal, struct us_pending *p)
{
	struct us_keeper_refused *r = calloc(1, sizeof *r);

	if (r == NULL)
		return US_ERR_NOMEM;
	r->err = err;
	r->refusal = *refusal;
	(void)snprintf(r->detail, sizeof r->detail, "%s%s%s", refusal->text,
	    refusal->cure[0] == '\0' ? "" : ". ", refusal->cure);
	p->data = r;
	p->finish = finish_refused;
	err = append_claim(k, c, US_CLASS_ACCESS, refusal, p);
	if (err != US_OK) {
		free(r);
		return err;
	}
	return us_keeper_answer(k, p);
}

static int
state_err(enum us_reason reason)
{
	return reason == US_REASON_SEALED ? US_ERR_SEALED : US_ERR_DENIED;
}

/* --- prepare ------------------------------------------------------------------------------- */

/* What a person's act makes the keeper make: a certificate, or a collection's key. */
static int
make_things(struct us_keeper *k, const struct us_act *act, int64_t now, struct us_buf *certificate)
{
	struct us_issuer issuer = { k->ca_key, { k->conf.ca.data, k->conf.ca.len } };
	struct us_cert_validity validity = { now - US_NS_PER_SECOND * 60, 0 };
	const struct us_person *person;
	int err;

	if (act->type == US_ACT_CREDENTIAL_ISSUE) {
		person = us_registry_person(k->registry, act->u.issue.person);
		if (person == NULL)
			return US_ERR_NOT_FOUND;
		validity.to_ns = us_time_add_days(now, act->u.issue.days);
		return us_cert_issue_client(&issuer, act->u.issue.csr, person->name, validity,
		    certificate);
	}
	if (act->type == US_ACT_COLLECTION_CREATE) {
		/* The key is on the disk before anybody can name the collection. */
		err = us_keyring_draw(k->keyring, us_registry_collections(k->registry) + 1);
		return err != US_OK ? err : us_keyring_store(k->keyring, &k->root->keyring_kek);
	}
	return US_OK;
}

static int
send_prepared(struct us_keeper *k, struct us_channel *ch, uint32_t tag)
{
	struct us_prepared *pr = &k->prepared;
	const struct us_msg_act_prepared m = {
		.sequence = pr->sequence,
		.entry = US_ENTRY_NONE,
		.committed = { pr->committed.data, pr->committed.len },
	};

	return us_send_act_prepared(ch, tag, &m);
}

/* What the actor has had; a copy is asked for as if it were handed out now. */
static void
fill_usage(const struct us_keeper *k, uint32_t actor, struct us_context *facts)
{
	struct us_ledger_question q = { .person = us_registry_person(k->registry, actor),
		.action = us_act_action(k->act->type) };

	if (k->act->type == US_ACT_COPY) {
		q.collection = k->act->u.copy.collection;
		q.records = k->act->u.copy.records;
	}
	us_ledger_fill(k, &q, facts);
}

/* Who has approved this very copy; it is used up when the copy is handed out. */
static int
fill_approvers(const struct us_keeper *k, uint32_t actor, struct us_approved *approved,
    struct us_context *facts)
{
	const struct us_act_approval request = { .action = US_ACTION_COPY,
		.collection = k->act->u.copy.collection,
		.purpose = k->act->u.copy.purpose,
		.records = k->act->u.copy.records };
	int err;

	if (k->act->type != US_ACT_COPY)
		return US_OK;
	err = us_approval_find(k, us_registry_person(k->registry, actor), &request, approved);
	facts->approvers = approved->approvers;
	facts->n_approvers = err == US_OK ? approved->n : 0;
	return err;
}

static int
prepare(struct us_keeper *k, const struct us_msg_act_prepare *m, struct us_refusal *refusal)
{
	struct us_prepared *pr = &k->prepared;
	const int64_t now = us_time_now_ns();
	struct us_approved approved;
	struct us_context facts;
	struct us_buf certificate;
	uint32_t actor;
	int err = us_registry_check(k->registry, m->act, m->signature, now, k->act, &actor,
	    refusal);

	if (err != US_OK)
		return err;
	/* once more, with what only the moment knows: where from, with what credential */
	us_keeper_context(k, m->credential, m->peer, &facts);
	fill_usage(k, actor, &facts);
	err = fill_approvers(k, actor, &approved, &facts);
	if (err != US_OK)
		return err;
	err = us_authority_check(k->registry, us_registry_person(k->registry, actor), k->act,
	    &facts, refusal);
	if (err != US_OK)
		return err;
	us_buf_init(&certificate, US_CERT_MAX);
	us_buf_reset(&pr->committed);
	err = make_things(k, k->act, now, &certificate);
	if (err == US_OK)
		err = us_registry_prepare(k->registry, m->act, m->signature,
		    (struct us_bytes){ certificate.data, certificate.len }, now, &pr->committed,
		    refusal);
	us_buf_free(&certificate);
	if (err != US_OK)
		return err;
	pr->valid = 1;
	pr->is_batch = pr->is_dictionary = 0;
	pr->sequence = us_registry_sequence(k->registry) + 1;
	memcpy(pr->credential, m->credential, 32);
	memcpy(pr->session, m->session, 16);
	(void)snprintf(pr->peer, sizeof pr->peer, "%.*s", (int)m->peer.n, (const char *)m->peer.p);
	return US_OK;
}

int
us_on_act_prepare(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag };
	struct us_refusal refusal = { .reason = US_REASON_NONE };
	struct us_signed_act act;
	const struct us_person *person;
	struct us_msg_act_prepare m;
	struct us_keeper_claim claim = { .action = US_ACTION_NONE };
	int err = us_msg_act_prepare_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	claim.credential = m.credential;
	claim.session = m.session;
	claim.peer = m.peer;
	refusal.reason = us_keeper_session(k, m.session, m.credential, &person);
	if (refusal.reason != US_REASON_NONE) {
		(void)snprintf(refusal.text, sizeof refusal.text,
		    "no session of yours is live (%s)", us_reason_name(refusal.reason));
		return refuse(k, &claim, state_err(refusal.reason), &refusal, &p);
	}
	err = us_signed_act_decode(&act, m.act.p, m.act.n);
	if (err == US_OK)
		claim.action = us_act_action(act.type);
	if (err == US_OK && memcmp(act.credential, m.credential, 32) != 0)
		err = US_ERR_SIGNATURE;
	if (err == US_OK && k->prepared.valid)
		err = US_ERR_BUSY;
	if (err == US_OK && us_low_space_refuses(k, claim.action, m.credential)) {
		err = US_ERR_NOSPACE;
		refusal.reason = US_REASON_LOW_SPACE;
	}
	if (err == US_OK)
		err = prepare(k, &m, &refusal);
	if (err == US_OK)
		return send_prepared(k, ch, tag);
	if (refusal.text[0] == '\0')
		(void)snprintf(refusal.text, sizeof refusal.text, "%s",
		    err == US_ERR_BUSY ? "another act is being committed; try again" :
					 us_strerror(err));
	if (refusal.reason == US_REASON_NONE)
		refusal.reason = err == US_ERR_SIGNATURE ? US_REASON_BAD_SIGNATURE :
							   US_REASON_STATE;
	if (claim.action == US_ACTION_COPY && !k->space.low &&
	    us_act_decode(k->act, act.type, act.payload) == US_OK)
		claim.copy = &k->act->u.copy;
	return refuse(k, &claim, err, &refusal, &p);
}

static int
prepare_batch(struct us_keeper *k, const struct us_msg_batch_prepare *m)
{
	struct us_open_batch *b = us_keeper_batch(k, m->collection, m->slot);
	struct us_prepared *pr = &k->prepared;
	struct us_refusal refusal = { .reason = US_REASON_NONE };
	struct us_open_dictionary *d;
	int err;

	if (pr->valid)
		return US_ERR_BUSY;
	if (b == NULL || b->load != m->load)
		return US_ERR_NOT_FOUND;
	/* closing gives the vault the batch's page key; that it is void may be said */
	if (k->space.low && !b->is_void)
		return US_ERR_NOSPACE;
	us_buf_reset(&pr->committed);
	d = b->is_void ? NULL : us_keeper_dictionary(k, b->load);
	if (d != NULL) {
		*k->act = (struct us_act){ .type = US_ACT_DICTIONARY };
		k->act->u.dictionary = (struct us_act_dictionary){ .collection = d->collection,
			.version = d->version,
			.slot = d->slot };
		memcpy(k->act->u.dictionary.salt, d->salt, 32);
		err = us_registry_prepare_own(k->registry, k->act, NULL, us_time_now_ns(),
		    &pr->committed, &refusal);
	} else {
		err = us_keeper_batch_act(k, b, &pr->committed, &refusal);
	}
	if (err != US_OK) {
		us_log_err(err, "batch %u of collection %u cannot be closed: %s", m->slot,
		    m->collection, refusal.text);
		return err;
	}
	pr->valid = 1;
	pr->is_batch = 1;
	pr->is_dictionary = d != NULL;
	pr->collection = m->collection;
	pr->slot = m->slot;
	pr->sequence = us_registry_sequence(k->registry) + 1;
	memset(pr->credential, 0, 32);
	memset(pr->session, 0, 16);
	pr->peer[0] = '\0';
	return US_OK;
}

int
us_on_batch_prepare(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_act_prepared failed = { .entry = US_ENTRY_NONE };
	struct us_msg_batch_prepare m;
	int err = us_msg_batch_prepare_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = prepare_batch(k, &m);
	if (err == US_OK)
		return send_prepared(k, ch, tag);
	failed.err = (uint8_t)err;
	failed.reason = US_REASON_STATE;
	failed.detail = us_bytes_of(us_strerror(err));
	return us_send_act_prepared(ch, tag, &failed);
}

/* --- commit -------------------------------------------------------------------------------- */

struct us_keeper_committed {
	uint32_t collection, segment_slot;
	int batch_closed;
};

static int
finish_commit(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_committed *c = p->data;
	struct us_msg_logged m = { .err = US_OK };
	uint8_t proof[2048], keys[5 + US_KEY_SIZE];
	struct us_key key;
	int err = us_keeper_fill_logged(k, p, &m, proof);

	if (err == US_OK && c->batch_closed) {
		const struct us_batch *b = us_registry_batch_slot(k->registry, c->collection,
		    c->segment_slot);
		struct us_leaf_place place = { .collection = c->collection };

		if (b == NULL)
			return US_ERR_INTERNAL;
		place.slot = b->facts.segment_slot;
		place.salt = b->facts.segment_salt;
		err = us_keyring_page_key(k->keyring, &place, &key);
		keys[0] = 1;
		us_store_u32(keys + 1, b->facts.segment_slot);
		memcpy(keys + 5, key.b, US_KEY_SIZE);
		us_wipe(&key, sizeof key);
		m.page_keys = (struct us_bytes){ keys, sizeof keys };
	}
	if (err == US_OK && p->ch != NULL)
		err = us_send_logged(p->ch, p->tag, &m);
	us_wipe(keys, sizeof keys);
	return err;
}

static void
drop_dictionary(struct us_keeper *k, const struct us_act_dictionary *a)
{
	struct us_open_dictionary **at = &k->dictionaries;

	while (*at != NULL) {
		struct us_open_dictionary *d = *at;

		if (d->collection == a->collection && d->slot == a->slot) {
			*at = d->next;
			free(d);
			return;
		}
		at = &d->next;
	}
}

/* What the act was about, for the boxes of its entry. */
static void
describe(struct us_keeper *k, const struct us_act *act, struct us_entry_access *a,
    struct us_entry_disclosure *d, struct us_keeper_committed *c)
{
	switch ((unsigned)act->type) {
	case US_ACT_BATCH_CLOSE:
		a->collection = act->u.batch_close.collection;
		d->has_batch = 1;
		d->slot = act->u.batch_close.slot;
		d->first = act->u.batch_close.first;
		d->count = act->u.batch_close.count;
		memcpy(d->manifest_root.b, act->u.batch_close.manifest_root, 32);
		c->batch_closed = 1;
		c->collection = a->collection;
		c->segment_slot = act->u.batch_close.slot;
		us_keeper_batch_free(k, us_keeper_batch(k, a->collection, d->slot));
		break;
	case US_ACT_BATCH_VOID:
		a->collection = act->u.batch_void.collection;
		us_keeper_batch_free(k, us_keeper_batch(k, a->collection, act->u.batch_void.slot));
		break;
	case US_ACT_DICTIONARY:
		a->collection = act->u.dictionary.collection;
		drop_dictionary(k, &act->u.dictionary);
		break;
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
		a->collection = act->u.batch.collection;
		break;
	case US_ACT_COPY:
		a->collection = act->u.copy.collection;
		break;
	case US_ACT_COLLECTION_CREATE:
		a->collection = us_registry_collections(k->registry);
		break;
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		a->collection = act->u.records.selection.collection;
		break;
	case US_ACT_APPROVAL_REQUEST:
		a->collection = act->u.approval.collection;
		break;
	case US_ACT_PERSON_ADD:
	case US_ACT_DOCKET_SIGN:
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
	case US_ACT_CREDENTIAL_ISSUE:
	case US_ACT_CREDENTIAL_REVOKE:
	case US_ACT_COPY_RETURN:
	case US_ACT_SEAL:
	case US_ACT_INIT:
	case US_ACT_COPY_DIGEST:
	default:
		break;
	}
}

static int
append_commit(struct us_keeper *k, struct us_pending *p)
{
	struct us_prepared *pr = &k->prepared;
	const struct us_bytes committed = { pr->committed.data, pr->committed.len };
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_STATE,
		.access = &a,
		.disclosure = &d,
		.query = &q };
	struct us_committed_act act;
	struct us_signed_act signed_act;
	uint8_t digest[32];
	int err = us_committed_act_decode(&act, &signed_act, committed.p, committed.n);

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	us_entry_query_init(&q);
	if (err == US_OK)
		err = us_act_decode(k->act, signed_act.type, signed_act.payload);
	if (err == US_OK)
		err = us_event_of_act(&a.event, committed, digest);
	if (err != US_OK)
		return err;
	us_keeper_fill_person(k, &a, pr->credential);
	describe(k, k->act, &a, &d, p->data);
	d.collection = a.collection;
	a.kind = US_KIND_OUTCOME;
	a.action = us_act_action(signed_act.type);
	a.decision = US_DECISION_ALLOW;
	a.sequence = pr->sequence;
	memcpy(a.session, pr->session, 16);
	q.address = us_bytes_of(pr->peer);
	memcpy(e.state_digest, us_registry_digest(k->registry), sizeof e.state_digest);
	if (d.has_batch)
		memcpy(e.manifest_root, d.manifest_root.b, sizeof e.manifest_root);
	return us_keeper_append(k, &e, &p->index, &p->time_ns);
}

int
us_on_act_commit(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_commit };
	struct us_msg_logged failed = { .reason = US_REASON_STATE, .index = US_ENTRY_NONE };
	struct us_msg_act_commit m;
	int err = us_msg_act_commit_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (!k->prepared.valid || k->prepared.sequence != m.sequence)
		err = US_ERR_STATE;
	if (err == US_OK)
		err = us_registry_apply(k->registry,
		    (struct us_bytes){ k->prepared.committed.data, k->prepared.committed.len },
		    NULL);
	if (err != US_OK) {
		if (k->prepared.valid && k->prepared.sequence == m.sequence)
			k->prepared.valid = 0;
		failed.err = (uint8_t)err;
		return us_send_logged(ch, tag, &failed);
	}
	p.data = calloc(1, sizeof(struct us_keeper_committed));
	if (p.data == NULL || append_commit(k, &p) != US_OK)
		us_fatal("an act was folded but its entry cannot be written. Stopping");
	if (!k->prepared.is_batch)
		us_loads_review(k);
	p.behind_stop = us_loads_stops(k);
	k->prepared.valid = 0;
	us_buf_reset(&k->prepared.committed);
	return us_keeper_answer(k, &p);
}

int
us_on_act_abort(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_act_abort m;
	int err = us_msg_act_abort_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	if (err == US_OK && k->prepared.valid && k->prepared.sequence == m.sequence) {
		k->prepared.valid = 0;
		us_buf_reset(&k->prepared.committed);
	}
	return err;
}

/* --- seal ---------------------------------------------------------------------------------- */

struct us_keeper_sealing {
	int err;
	enum us_reason reason;
};

static int
finish_seal(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_sealing *s = p->data;
	int err = us_keeper_send_logged(k, p, s->err, s->reason);

	if (s->err == US_OK) {
		k->answers.awaited = 1;
		us_keeper_stop_sealed(k);
	}
	return err;
}

int
us_on_seal(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_seal };
	struct us_refusal refusal = { .reason = US_REASON_NONE };
	const struct us_person *person;
	struct us_context facts;
	struct us_signed_act act;
	struct us_msg_seal m;
	struct us_keeper_claim claim;
	struct us_keeper_sealing *s;
	uint32_t actor;
	int err = us_msg_seal_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	s = p.data = calloc(1, sizeof *s);
	if (s == NULL)
		return US_ERR_NOMEM;
	claim = (struct us_keeper_claim){ m.credential, m.session, m.peer, US_ACTION_SEAL, m.act,
		NULL };
	refusal.reason = us_keeper_session(k, m.session, m.credential, &person);
	if (refusal.reason != US_REASON_NONE)
		s->err = state_err(refusal.reason);
	if (s->err == US_OK)
		s->err = us_signed_act_decode(&act, m.act.p, m.act.n);
	if (s->err == US_OK &&
	    (act.type != US_ACT_SEAL || memcmp(act.credential, m.credential, 32) != 0))
		s->err = US_ERR_SIGNATURE;
	if (s->err == US_OK)
		s->err = us_registry_check(k->registry, m.act, m.signature, us_time_now_ns(),
		    k->act, &actor, &refusal);
	if (s->err == US_OK) {
		us_keeper_context(k, m.credential, m.peer, &facts);
		fill_usage(k, actor, &facts);
		s->err = us_authority_check(k->registry, us_registry_person(k->registry, actor),
		    k->act, &facts, &refusal);
	}
	if (s->err != US_OK && refusal.reason == US_REASON_NONE)
		refusal.reason = US_REASON_BAD_SIGNATURE;
	s->reason = refusal.reason;
	if (s->err != US_OK)
		claim.seal = (struct us_bytes){ NULL, 0 };
	us_low_space_tell(k, 1); /* nothing is told behind a seal */
	us_keeper_unattributed_tell(k, 1);
	err = append_claim(k, &claim, US_CLASS_SYSTEM, s->err == US_OK ? NULL : &refusal, &p);
	if (err != US_OK) {
		free(s);
		return err;
	}
	/* from its entry on nothing is decided any more, not even what comes with the same
	 * commit */
	if (s->err == US_OK) {
		k->stopping = 1;
		us_loads_end(k, US_REASON_SEALED);
		p.behind_stop = us_loads_stops(k);
	}
	return us_keeper_answer(k, &p);
}
