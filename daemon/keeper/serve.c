/* What is given without an entry of its own: status, log files, proofs, the TLS identity; and the keys
 * of log entries, which have one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/crypto.h"
#include "common/err.h"
#include "common/log.h"
#include "common/timefmt.h"
#include "daemon/keeper/ledger.h"

#define LOG_DATA_MAX (16u * 1024u * 1024u)
#define BOXES_PER_REPLY 4096u
#define TLS_SIGNATURE_MAX 128u

int
us_on_keeper_status(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_keeper_status_reply r = { .state = (uint8_t)k->state };
	struct us_msg_keeper_status m;
	int err = us_msg_keeper_status_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_keeper_unsealing_expire(k);
	r.shares_given = (uint8_t)k->unsealing.count;
	r.shares_wanted = (uint8_t)k->conf.threshold;
	r.shares_expire = k->unsealing.expires_ns;
	r.since = k->since_ns;
	r.why = us_bytes_of(k->why);
	memcpy(r.unseal_key, k->unsealing.public_key, 32);
	memcpy(r.unseal_signature, k->unsealing.signature, 64);
	memcpy(r.vault_id, k->conf.vault_id, 32);
	r.tree_size = us_klog_size(k->klog);
	r.checkpoint = us_klog_checkpoint(k->klog);
	r.vkey = us_bytes_of(us_klog_vkey(k->klog));
	return us_send_keeper_status_reply(ch, tag, &r);
}

int
us_on_log_read(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_log_data r = { 0 };
	struct us_msg_log_read m;
	struct us_buf b;
	int err = us_msg_log_read_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_buf_init(&b, LOG_DATA_MAX);
	r.err = (uint8_t)us_klog_serve(k->klog, m.path, &b);
	if (r.err == US_ERR_FORMAT)
		r.err = (uint8_t)us_keeper_witnessed(k, m.path, &b);
	if (r.err == US_OK)
		r.data = (struct us_bytes){ b.data, b.len };
	err = us_send_log_data(ch, tag, &r);
	us_buf_free(&b);
	if (err == US_ERR_NOMEM && r.err == US_OK) { /* no room for so much at once is an answer */
		r = (struct us_msg_log_data){ .err = US_ERR_NOMEM };
		err = us_send_log_data(ch, tag, &r);
	}
	return err;
}

/* Only entries that changed something: who holds a batch's or an act's receipt may have it anew. */
int
us_on_entry_proof(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_digest proof[US_PROOF_MAX];
	struct us_msg_entry_proof_reply r = { 0 };
	struct us_msg_entry_proof m;
	struct us_entry_view v;
	struct us_buf entry;
	size_t n = 0;
	int err = us_msg_entry_proof_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_buf_init(&entry, US_ENTRY_MAX);
	err = us_klog_entry_bytes(k->klog, m.index, &entry);
	if (err == US_OK)
		err = us_entry_decode(&v, entry.data, entry.len);
	if (err == US_OK && v.entry_class != US_CLASS_STATE)
		err = US_ERR_DENIED;
	if (err == US_OK)
		err = us_klog_proof(k->klog, m.index, proof, &n);
	r.err = (uint8_t)err;
	r.index = m.index;
	if (err == US_OK) {
		r.entry = (struct us_bytes){ entry.data, entry.len };
		r.proof = (struct us_bytes){ (const uint8_t *)proof, n * sizeof proof[0] };
		r.checkpoint = us_klog_checkpoint(k->klog);
	}
	err = us_send_entry_proof_reply(ch, tag, &r);
	us_buf_free(&entry);
	return err;
}

/* --- keys of the log's boxes --------------------------------------------------------------- */

struct boxes {
	int err;
	enum us_reason reason;
	uint8_t mask;
	enum us_log_scope scope;
	uint32_t person; /* who asks */
	uint64_t from, to;
};

/* Whose entry it is, as its access box says, and whether the asker's order opens that as a whole. */
static int
is_own(const struct us_person *asker, const struct boxes *q, const struct us_entry_access *a)
{
	if (a->person == 0)
		return 0;
	if (a->person == asker->id)
		return 1;
	if (q->scope == US_LOG_OF_SELF)
		return 0;
	for (size_t i = 0; i < a->n_parties; i++)
		for (size_t j = 0; j < asker->n_parties; j++)
			if (a->parties[i].n == strlen(asker->parties[j]) &&
			    memcmp(a->parties[i].p, asker->parties[j], a->parties[i].n) == 0)
				return 1;
	return 0;
}

/* 1 if the entry showed somebody records, and all of them came from people who share a party with the asker; below 0: minus an error. Where
 * others' records are among them the box stays closed: it would name those too. */
static int
shows_own_records(const struct us_keeper *k, const struct us_person *asker, const struct us_entry_access *a,
    const struct us_entry_view *view, const struct us_key *key)
{
	struct us_entry_disclosure d;
	struct us_buf content;
	int own, err;

	if (a->kind != US_KIND_DISCLOSURE || a->decision != US_DECISION_ALLOW)
		return 0;
	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	err = us_entry_open(view, US_BOX_DISCLOSURE, key, &content);
	if (err == US_OK)
		err = us_entry_disclosure_decode(&d, content.data, content.len);
	own = err == US_OK && d.n_records > 0;
	for (size_t i = 0; own && i < d.n_records; i++) {
		const struct us_batch *b = us_registry_batch_of(k->registry, a->collection, d.records[i]);
		const struct us_person *loader = b == NULL ? NULL : us_registry_person(k->registry, b->facts.loaded_by);

		own = loader != NULL && (loader->party_bits & asker->party_bits) != 0;
	}
	if (err == US_OK)
		us_entry_disclosure_free(&d);
	us_buf_free(&content);
	return err == US_OK || err == US_ERR_NOT_FOUND ? own : -err;
}

static int
mask_by_access(const struct us_keeper *k, const struct boxes *q, const struct us_entry_view *view,
    const struct us_key keys[US_BOXES], const struct us_entry_access *a, uint8_t *mask)
{
	const struct us_person *asker = us_registry_person(k->registry, q->person);
	int shows = 0;

	if (asker != NULL && is_own(asker, q, a))
		return US_OK;
	if (asker != NULL && q->scope == US_LOG_OF_OWN_RECORDS)
		shows = shows_own_records(k, asker, a, view, &keys[US_BOX_DISCLOSURE]);
	*mask = shows > 0 ? *mask & 1u << US_BOX_DISCLOSURE : 0;
	return shows < 0 ? -shows : US_OK;
}

/* The mask for one entry: nothing of an entry that is somebody else's, where the order opens only one's own; but that one's own records were
 * shown, where it opens that. */
static int
mask_of_entry(const struct us_keeper *k, const struct boxes *q, struct us_bytes entry,
    const struct us_key keys[US_BOXES], uint8_t *mask)
{
	struct us_entry_access access;
	struct us_entry_view view;
	struct us_buf content;
	int err;

	*mask = q->mask;
	if (q->scope == US_LOG_OF_ALL)
		return US_OK;
	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	err = us_entry_decode(&view, entry.p, entry.n);
	if (err == US_OK)
		err = us_entry_open(&view, US_BOX_ACCESS, &keys[US_BOX_ACCESS], &content);
	if (err == US_OK)
		err = us_entry_access_decode(&access, content.data, content.len);
	if (err == US_ERR_NOT_FOUND) { /* nobody's */
		*mask = 0;
		err = US_OK;
	} else if (err == US_OK) {
		err = mask_by_access(k, q, &view, keys, &access, mask);
	}
	us_buf_free(&content);
	return err;
}

static int
put_boxes(struct us_keeper *k, const struct boxes *q, uint64_t index, struct us_buf *out)
{
	uint8_t mask = 0;
	struct us_key keys[US_BOXES];
	struct us_buf entry;
	int err;

	us_buf_init(&entry, US_ENTRY_MAX);
	err = us_klog_entry_bytes(k->klog, index, &entry);
	if (err == US_OK)
		err = us_klog_box_keys(k->klog, (struct us_bytes){ entry.data, entry.len },
		    &k->root->log_box_private, keys);
	if (err == US_OK)
		err = mask_of_entry(k, q, (struct us_bytes){ entry.data, entry.len }, keys, &mask);
	if (err == US_OK)
		err = us_buf_put_u8(out, mask);
	for (unsigned i = 0; err == US_OK && i < US_BOXES; i++) {
		if ((mask >> i & 1) != 0)
			err = us_buf_put(out, keys[i].b, US_KEY_SIZE);
	}
	us_wipe(keys, sizeof keys);
	us_buf_free(&entry);
	return err;
}

static int
finish_log_keys(struct us_keeper *k, struct us_pending *p)
{
	const struct boxes *q = p->data;
	struct us_msg_log_keys_reply r = { .err = (uint8_t)q->err, .reason = (uint8_t)q->reason,
		.entry = p->index, .from = q->from, .next = q->from };
	uint64_t to = q->to < us_klog_size(k->klog) ? q->to : us_klog_size(k->klog);
	int err = US_OK;

	us_buf_reset(&k->reply);
	if (q->err == US_OK && k->root != NULL) {
		while (err == US_OK && r.next < to && r.next - q->from < BOXES_PER_REPLY) {
			err = put_boxes(k, q, r.next, &k->reply);
			r.next += err == US_OK;
		}
	}
	if (err != US_OK) {
		us_log_err(err, "the keys of entry %llu cannot be given", (unsigned long long)r.next);
		r.err = US_ERR_INTERNAL;
		us_buf_reset(&k->reply);
	}
	r.boxes = (struct us_bytes){ k->reply.data, k->reply.len };
	err = p->ch == NULL ? US_OK : us_send_log_keys_reply(p->ch, p->tag, &r);
	us_buf_reset(&k->reply);
	return err;
}

static void
decide_log_keys(struct us_keeper *k, const struct us_msg_log_keys *m, struct boxes *q,
    struct us_entry_access *a)
{
	struct us_ledger_question question = { .action = US_ACTION_AUDIT_KEYS };
	struct us_context context;
	const struct us_person *person;
	struct us_ruling ruling;

	q->reason = us_keeper_session(k, m->session, m->credential, &person);
	if (q->reason == US_REASON_NONE) {
		question.person = person;
		us_keeper_context(k, m->credential, m->peer, &context);
		us_ledger_evaluate(k, &question, &context, &ruling);
		a->rule = ruling.rule;
		a->paragraph = ruling.paragraph;
		q->reason = ruling.decision == US_DECISION_ALLOW ? US_REASON_NONE : ruling.reason;
		q->mask = ruling.boxes & US_BOXES_ALL;
		q->scope = ruling.log_scope;
		q->person = person->id;
	}
	if (q->reason == US_REASON_NONE && (q->mask == 0 || q->scope == 0))
		q->reason = US_REASON_NOT_IN_ORDER;
	if (q->reason == US_REASON_NONE && us_space_refuses(k, US_ACTION_AUDIT_KEYS, m->credential))
		q->reason = US_REASON_LOW_SPACE;
	q->err = q->reason == US_REASON_NONE ? US_OK : q->reason == US_REASON_SEALED ? US_ERR_SEALED :
	    q->reason == US_REASON_LOW_SPACE ? US_ERR_NOSPACE : US_ERR_DENIED;
}

int
us_on_log_keys(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_log_keys };
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_klog_entry e = { .entry_class = US_CLASS_ACCESS, .access = &a, .query = &q };
	struct us_msg_log_keys m;
	struct boxes *boxes;
	uint8_t range[16];
	int err = us_msg_log_keys_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	boxes = p.data = calloc(1, sizeof *boxes);
	if (boxes == NULL)
		return US_ERR_NOMEM;
	boxes->from = m.from;
	boxes->to = m.to;
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	decide_log_keys(k, &m, boxes, &a);
	a.kind = US_KIND_DISCLOSURE;
	a.action = US_ACTION_AUDIT_KEYS;
	a.decision = boxes->reason == US_REASON_NONE ? US_DECISION_ALLOW : US_DECISION_DENY;
	a.reason = boxes->reason;
	us_keeper_fill_person(k, &a, m.credential);
	memcpy(a.session, m.session, 16);
	us_store_u64(range, m.from);
	us_store_u64(range + 8, m.to);
	a.summary = (struct us_bytes){ range, sizeof range };
	q.address = m.peer;
	err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(boxes);
		return err;
	}
	if (boxes->err == US_OK)
		us_answers_granted(k, p.index);
	return us_keeper_answer(k, &p);
}

/* --- the TLS identity ----------------------------------------------------------------------- */

int
us_on_tls_identity(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_tls_identity_reply r = { 0 };
	struct us_msg_tls_identity m;
	int err = us_msg_tls_identity_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	memcpy(r.vault_id, k->conf.vault_id, 32);
	r.certificate = (struct us_bytes){ k->boot.tls_certificate.data, k->boot.tls_certificate.len };
	r.ca = (struct us_bytes){ k->conf.ca.data, k->conf.ca.len };
	return us_send_tls_identity_reply(ch, tag, &r);
}

int
us_on_tls_sign(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	uint8_t signature[TLS_SIGNATURE_MAX];
	size_t n = sizeof signature;
	struct us_msg_tls_signature r = { .err = US_ERR_CRYPTO };
	struct us_msg_tls_sign m;
	EVP_PKEY_CTX *ctx;
	int err = us_msg_tls_sign_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (m.digest.n != US_DIGEST_SIZE)
		return US_ERR_MALFORMED;
	ctx = EVP_PKEY_CTX_new(us_pkey_native(k->boot.tls_key), NULL);
	if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, signature, &n, m.digest.p, m.digest.n) == 1) {
		r.err = US_OK;
		r.signature = (struct us_bytes){ signature, n };
	}
	EVP_PKEY_CTX_free(ctx);
	return us_send_tls_signature(ch, tag, &r);
}
