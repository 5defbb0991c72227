#include "daemon/keeper/acts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/barred.h"
#include "daemon/keeper/approve.h"
#include "daemon/keeper/batches.h"
#include "daemon/keeper/claim.h"
#include "daemon/keeper/dictionaries.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/loads.h"
#include "daemon/keeper/page_keys.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/session.h"
#include "registry/authority.h"

/* An act between its two phases. */
struct us_prepared {
	int valid;
	uint64_t sequence;
	struct us_buf committed;
	int is_batch;           /* of batch_prepare */
	uint8_t credential[32]; /* of the actor; zeros for the vault's own */
	uint8_t session[16];
	char peer[65];
};

int
us_acts_new(struct us_keeper *k)
{
	k->prepared = calloc(1, sizeof *k->prepared);
	if (k->prepared == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&k->prepared->committed, US_ACT_COMMITTED_MAX);
	return US_OK;
}

void
us_acts_free(struct us_keeper *k)
{
	if (k->prepared != NULL)
		us_buf_free(&k->prepared->committed);
	free(k->prepared);
	k->prepared = NULL;
}

void
us_acts_forget(struct us_keeper *k)
{
	k->prepared->valid = 0;
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
	struct us_prepared *pr = k->prepared;
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

/* A copy of what its taker may not read would be signed for and then not handed out (decide.c). */
static int
check_reading(const struct us_keeper *k, uint32_t actor, const struct us_context *facts,
    struct us_refusal *refusal)
{
	const struct us_act_copy *copy = &k->act->u.copy;
	const struct us_collection *c = us_registry_collection(k->registry, copy->collection);
	const struct us_subject subject = us_registry_subject(k->registry,
	    us_registry_person(k->registry, actor), facts->now_ns);
	struct us_context context = *facts;
	struct us_ruling ruling;

	if (k->act->type != US_ACT_COPY || c == NULL)
		return US_OK;
	context.collection = us_bytes_of(c->name);
	context.purpose = copy->purpose;
	context.records = copy->n;
	context.unknown |= US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL;
	us_order_evaluate(us_registry_order(k->registry), &subject, US_ACTION_READ, &context,
	    &ruling);
	if (ruling.decision == US_DECISION_ALLOW)
		return US_OK;
	refusal->reason = ruling.reason;
	refusal->rule = ruling.rule;
	(void)snprintf(refusal->paragraph, sizeof refusal->paragraph, "%.*s",
	    (int)ruling.paragraph.n, (const char *)ruling.paragraph.p);
	(void)snprintf(refusal->text, sizeof refusal->text,
	    "the order does not let you read what the copy would hold");
	(void)snprintf(refusal->cure, sizeof refusal->cure, "%s", ruling.cure);
	return US_ERR_DENIED;
}

static int
prepare(struct us_keeper *k, const struct us_msg_act_prepare *m, struct us_refusal *refusal)
{
	struct us_prepared *pr = k->prepared;
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
	if (err == US_OK)
		err = check_reading(k, actor, &facts, refusal);
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
	pr->is_batch = 0;
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
		return us_keeper_claim_refuse(k, &claim, us_keeper_claim_err(refusal.reason),
		    &refusal, &p);
	}
	err = us_signed_act_decode(&act, m.act.p, m.act.n);
	if (err == US_OK)
		claim.action = us_act_action(act.type);
	if (err == US_OK && memcmp(act.credential, m.credential, 32) != 0)
		err = US_ERR_SIGNATURE;
	if (err == US_OK && k->prepared->valid)
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
	if (claim.action == US_ACTION_COPY && !us_low_space_is_low(k) &&
	    us_act_decode(k->act, act.type, act.payload) == US_OK)
		claim.copy = &k->act->u.copy;
	return us_keeper_claim_refuse(k, &claim, err, &refusal, &p);
}

static int
prepare_batch(struct us_keeper *k, const struct us_msg_batch_prepare *m)
{
	struct us_prepared *pr = k->prepared;
	struct us_refusal refusal = { .reason = US_REASON_NONE };
	int err;

	if (pr->valid)
		return US_ERR_BUSY;
	err = us_batch_may_end(k, m);
	if (err != US_OK)
		return err;
	us_buf_reset(&pr->committed);
	/* the dictionary goes before the first batch that is packed with it */
	err = !us_batch_is_void(k, m->collection, m->slot) && us_dictionaries_wait(k, m->load) ?
	    us_dictionary_act(k, m->load, &pr->committed, &refusal) :
	    us_batch_act(k, m, &pr->committed, &refusal);
	if (err != US_OK) {
		us_log_err(err, "batch %u of collection %u cannot be closed: %s", m->slot,
		    m->collection, refusal.text);
		return err;
	}
	pr->valid = 1;
	pr->is_batch = 1;
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
	uint32_t collection, slot;
	int batch_closed;
};

static int
finish_commit(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_committed *c = p->data;
	struct us_msg_logged m = { .err = US_OK };
	uint8_t proof[2048];
	int err = us_keeper_fill_logged(k, p, &m, proof);

	us_buf_reset(&k->reply);
	if (err == US_OK && c->batch_closed)
		err = us_page_key_of_batch(k, c->collection, c->slot, &k->reply);
	m.page_key = (struct us_bytes){ k->reply.data, k->reply.len };
	if (err == US_OK && p->ch != NULL)
		err = us_send_logged(p->ch, p->tag, &m);
	us_buf_reset(&k->reply);
	return err;
}

/* What the act was about, for the boxes of its entry, and what it ends here. */
static void
describe(struct us_keeper *k, const struct us_act *act, struct us_entry_access *a,
    struct us_entry_disclosure *d, struct us_keeper_committed *c)
{
	const struct us_act_batch_close *closed = &act->u.batch_close;

	a->collection = us_act_collection(k->registry, act);
	if (act->type == US_ACT_BATCH_CLOSE) {
		d->has_batch = 1;
		d->slot = closed->slot;
		d->first = closed->first;
		d->count = closed->count;
		memcpy(d->manifest_root.b, closed->manifest_root, 32);
		c->batch_closed = 1;
		c->collection = a->collection;
		c->slot = closed->slot;
		us_batch_done(k, a->collection, d->slot);
	} else if (act->type == US_ACT_BATCH_VOID) {
		us_batch_done(k, a->collection, act->u.batch_void.slot);
	} else if (act->type == US_ACT_DICTIONARY) {
		us_dictionary_done(k, a->collection, act->u.dictionary.slot);
	}
}

static int
append_commit(struct us_keeper *k, struct us_pending *p)
{
	struct us_prepared *pr = k->prepared;
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
	if (!k->prepared->valid || k->prepared->sequence != m.sequence)
		err = US_ERR_STATE;
	if (err == US_OK)
		err = us_registry_apply(k->registry,
		    (struct us_bytes){ k->prepared->committed.data, k->prepared->committed.len },
		    NULL);
	if (err != US_OK) {
		if (k->prepared->valid && k->prepared->sequence == m.sequence)
			k->prepared->valid = 0;
		failed.err = (uint8_t)err;
		return us_send_logged(ch, tag, &failed);
	}
	p.data = calloc(1, sizeof(struct us_keeper_committed));
	if (p.data == NULL || append_commit(k, &p) != US_OK)
		us_fatal("an act was folded but its entry cannot be written. Stopping");
	if (!k->prepared->is_batch) {
		us_loads_review(k);
		us_barred_review(k);
	}
	p.behind_stop = us_keeper_stops(k);
	k->prepared->valid = 0;
	us_buf_reset(&k->prepared->committed);
	return us_keeper_answer(k, &p);
}

int
us_on_act_abort(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_act_abort m;
	int err = us_msg_act_abort_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	if (err == US_OK && k->prepared->valid && k->prepared->sequence == m.sequence) {
		k->prepared->valid = 0;
		us_buf_reset(&k->prepared->committed);
	}
	return err;
}
