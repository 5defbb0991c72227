/*
 * "log": an entry in clear, and the keys of exactly what it names. Order of things: parse, decide,
 * append, commit (answer.c), derive, send. The decision of the vault is checked against the order
 * again; what does not hold becomes an entry of refusal and no key.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/approve.h"
#include "daemon/keeper/decide.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/session.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/outcome.h"
#include "daemon/keeper/page_keys.h"
#include "daemon/keeper/refused.h"
#include "daemon/keeper/unattributed.h"
#include "daemon/keeper/vault_entry.h"
#include "daemon/keeper/handlers.h"
#include "daemon/process/ticket.h"

#define TERMS_PER_PART 256u
#define TERM_BYTES_PER_PART 8192u
/* Beside a longer query no lists stand in the first part. */
#define QUERY_ALONE 8192u
#define RECORD_ANSWER 48u

/* --- append -------------------------------------------------------------------------------- */

struct us_keeper_parts {
	struct us_reader terms;
	size_t records_at;
	size_t used; /* of records */
	uint64_t records[US_ENTRY_RECORDS];
	struct us_bytes words[TERMS_PER_PART];
};

static void
fill_part(struct us_keeper_parts *s, const struct us_msg_log *m, struct us_entry_disclosure *d,
    struct us_entry_query *q)
{
	size_t n = 0, bytes = 0;

	while (n < US_ENTRY_RECORDS && s->records_at < m->records.n) {
		s->records[n++] = us_load_u64(m->records.p + s->records_at);
		s->records_at += 8;
	}
	d->records = s->records;
	d->n_records = n;
	if (n > s->used)
		s->used = n;
	n = 0;
	while (n < TERMS_PER_PART && s->terms.left > 2 &&
	    (n == 0 || bytes + us_load_u16(s->terms.p) <= TERM_BYTES_PER_PART)) {
		s->words[n] = us_take_str16(&s->terms, UINT16_MAX);
		bytes += s->words[n++].n;
	}
	q->terms = s->words;
	q->n_terms = n;
}

/* How many parts the lists need: the same walk, without writing. */
static uint32_t
count_parts(struct us_keeper_parts *s, const struct us_msg_log *m)
{
	struct us_entry_disclosure d;
	struct us_entry_query q;
	uint32_t parts = m->query.n > QUERY_ALONE ? 1 : 0;

	s->used = 0;
	s->records_at = 0;
	us_reader_init(&s->terms, m->terms.p, m->terms.n);
	do {
		fill_part(s, m, &d, &q);
		if (d.n_records > 0 || q.n_terms > 0 || parts == 0)
			parts++;
	} while (s->records_at < m->records.n || s->terms.left > 0);
	s->records_at = 0;
	us_reader_init(&s->terms, m->terms.p, m->terms.n);
	return parts;
}

/* One entry for what has no room for its lists: how many records they name is said. */
static struct us_msg_log
without_lists(const struct us_msg_log *m)
{
	struct us_msg_log brief = *m;

	if (brief.total == 0)
		brief.total = m->records.n / 8;
	brief.records.n = brief.terms.n = 0;
	return brief;
}

static int
append_parts(struct us_keeper *k, const struct us_msg_log *m, struct us_entry_access *access,
    struct us_pending *p)
{
	static struct us_keeper_parts s; /* 36 KiB; holds numbers and views only while this runs */
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS,
		.access = access,
		.disclosure = &d,
		.query = &q };
	struct us_ledger_fact fact = { .access = access, .disclosure = &d };
	uint32_t parts = count_parts(&s, m);
	const struct us_copy *copy = us_log_copy(k, m);
	int err = US_OK;

	for (uint32_t part = 0; err == US_OK && part < parts; part++) {
		us_entry_disclosure_init(&d);
		us_entry_query_init(&q);
		if (part > 0 || m->query.n <= QUERY_ALONE)
			fill_part(&s, m, &d, &q);
		d.collection = m->collection;
		d.snapshot = m->snapshot;
		d.total = m->total;
		d.fewer = (m->flags & US_LOG_FEWER) != 0;
		d.part = q.part = part;
		d.parts = q.parts = parts;
		if (copy != NULL) {
			d.has_copy = 1;
			d.copy_id = copy->id;
			d.recipient = us_bytes_of(copy->recipient);
		}
		q.purpose = m->purpose;
		q.address = m->peer;
		if (part == 0)
			q.query = m->query;
		err = us_keeper_append(k, &e, &p->index, &p->time_ns);
		fact.order_version = e.order_version;
		fact.time_ns = p->time_ns;
		/* half a request would stand in the log for ever */
		if (err != US_OK && part > 0)
			us_fatal("a part of a request cannot be logged: %s. Stopping",
			    us_strerror(err));
		if (err == US_OK &&
		    (us_approval_take(k->usage, access, p->index) != US_OK ||
			us_ledger_take(k, &fact) != US_OK))
			us_fatal("an entry of the log cannot be counted in the ledger. Stopping: "
				 "limits would not hold");
	}
	us_wipe(s.records, s.used * sizeof s.records[0]);
	return err;
}

/* --- refusals ------------------------------------------------------------------------------ */

/* What was asked for and refused is work product: it goes to the query box, where who may see what
 * was disclosed does not look. */
static int
name_refused(const struct us_keeper *k, struct us_msg_log *m, struct us_buf *terms)
{
	const uint64_t n = m->records.n / 8,
		       all = m->decision == US_DECISION_DENY && m->total > n ? m->total : n;
	const int err = us_refused_terms(k, m->collection, m->records, all, terms);

	m->records = (struct us_bytes){ NULL, 0 };
	m->terms = (struct us_bytes){ terms->data, terms->len };
	m->total = 0;
	return err;
}

/* --- answer -------------------------------------------------------------------------------- */

static int
put_record_keys(struct us_keeper *k, const struct us_log_answer *a)
{
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < a->n_records; i++) {
		uint64_t record = us_load_u64(a->lists + 8 * i);
		const struct us_batch *b = us_registry_batch_of(k->registry, a->collection, record);
		struct us_leaf_place place = { .collection = a->collection };
		uint8_t *to;

		if (b == NULL)
			return US_ERR_NOT_FOUND;
		place.slot = b->facts.slot;
		place.salt = b->facts.salt;
		err = us_buf_extend(&k->reply, RECORD_ANSWER, &to);
		if (err == US_OK)
			err = us_keyring_record(k->keyring, &place,
			    (uint16_t)(record - b->facts.first), to);
	}
	return err;
}

static int
put_term_keys(struct us_keeper *k, const struct us_log_answer *a)
{
	int err = US_OK;

	for (uint32_t era = 0; err == US_OK && era < us_log_eras(k, a->collection); era++) {
		struct us_reader r;

		us_reader_init(&r, a->lists + 8 * a->n_records, a->terms_size);
		err = us_buf_put_u32(&k->reply, era);
		for (size_t i = 0; err == US_OK && i < a->n_terms; i++) {
			struct us_key key;

			err = us_keyring_term_key(k->keyring, a->collection, era,
			    us_take_str16(&r, UINT16_MAX), &key);
			if (err == US_OK)
				err = us_buf_put(&k->reply, key.b, US_KEY_SIZE);
			us_wipe(&key, sizeof key);
		}
	}
	return err;
}

/* The load is opened, or goes on, and gets a ticket for its parts. */
static int
put_ticket(struct us_keeper *k, const struct us_pending *p, const struct us_load *load,
    uint8_t out[US_TICKET_SIZE], struct us_msg_logged *m)
{
	struct us_ticket t = { .load = load->id,
		.person = load->person,
		.expires_ns = p->time_ns + US_TICKET_SECONDS * US_NS_PER_SECOND };
	struct us_key key;
	int err = us_load_open(k, load);

	if (err != US_OK)
		return err;
	memcpy(t.credential, load->credential, sizeof t.credential);
	err = us_ticket_key(k->nonce_key, load->id, &key);
	if (err == US_OK)
		err = us_ticket_make(&key, &t, out);
	us_wipe(&key, sizeof key);
	if (err == US_OK)
		m->ticket = (struct us_bytes){ out, US_TICKET_SIZE };
	return err;
}

/* The entry is durable and signed for: now, and only now, its keys. */
static int
finish_log(struct us_keeper *k, struct us_pending *p)
{
	const struct us_log_answer *a = p->data;
	struct us_msg_logged m = { .err = (uint8_t)a->err,
		.reason = (uint8_t)a->reason,
		.rule = a->rule,
		.cure = us_bytes_of(a->cure),
		.left_request = a->left.records_per_request,
		.left_consecutive = a->left.consecutive,
		.left_day = a->left.per_day,
		.left_life = a->left.life,
		.left_share = a->left.share };
	uint8_t proof[2048], ticket[US_TICKET_SIZE];
	int err = us_keeper_fill_logged(k, p, &m, proof);

	us_buf_reset(&k->reply);
	if (err == US_OK && a->err == US_OK && k->keyring != NULL &&
	    us_keeper_state(k) == US_KEEPER_OPEN) {
		if (a->load != NULL && a->granted)
			err = put_ticket(k, p, a->load, ticket, &m);
		if (err == US_OK && a->record_keys)
			err = put_record_keys(k, a);
		else if (err == US_OK && a->term_keys)
			err = put_term_keys(k, a);
		else if (err == US_OK && a->opens)
			err = us_page_keys_open(k, a->collection);
	}
	if (err != US_OK) {
		us_log_err(err, "the keys of entry %llu cannot be derived",
		    (unsigned long long)p->index);
		m.err = US_ERR_INTERNAL;
		m.reason = US_REASON_ERROR;
		m.ticket.n = 0;
		us_buf_reset(&k->reply);
	}
	if (a->record_keys)
		m.record_keys = (struct us_bytes){ k->reply.data, k->reply.len };
	else if (a->term_keys)
		m.term_keys = (struct us_bytes){ k->reply.data, k->reply.len };
	err = p->ch == NULL ? US_OK : us_send_logged(p->ch, p->tag, &m);
	us_buf_reset(&k->reply);
	return err;
}

static struct us_log_answer *
new_answer(const struct us_msg_log *m, size_t n_terms)
{
	const size_t lists = sizeof(struct us_log_answer) + m->records.n + m->terms.n;
	const size_t load_at = (lists + _Alignof(struct us_load) - 1) / _Alignof(struct us_load) *
	    _Alignof(struct us_load);
	const int opens = m->action == US_ACTION_LOAD && m->kind == US_KIND_INTENT && m->load != 0;
	struct us_log_answer *a = calloc(1, opens ? load_at + sizeof(struct us_load) : lists);

	if (a == NULL)
		return NULL;
	if (opens)
		a->load = (struct us_load *)(void *)((uint8_t *)a + load_at);
	a->left = (struct us_remaining){ US_UNLIMITED, US_UNLIMITED, US_UNLIMITED, US_UNLIMITED,
		US_UNLIMITED };
	a->cure = "";
	a->collection = m->collection;
	a->n_records = m->records.n / 8;
	a->n_terms = n_terms;
	a->terms_size = m->terms.n;
	if (m->records.n > 0)
		memcpy(a->lists, m->records.p, m->records.n);
	if (m->terms.n > 0)
		memcpy(a->lists + m->records.n, m->terms.p, m->terms.n);
	return a;
}

static int
answer_malformed(struct us_keeper *k, struct us_channel *ch, uint32_t tag)
{
	static const uint8_t count[5] = { US_REASON_MALFORMED, 0, 0, 0, 1 };
	const struct us_msg_logged m = { .err = US_ERR_FORMAT,
		.reason = US_REASON_MALFORMED,
		.index = US_ENTRY_NONE };

	us_log(US_LOG_WARNING, "the vault sent an entry that makes no sense: it is refused");
	(void)us_keeper_unattributed_take(k, (struct us_bytes){ count, sizeof count });
	return us_send_logged(ch, tag, &m);
}

int
us_on_log(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_log };
	struct us_ruling ruling = { .rule = 0 };
	struct us_entry_access access;
	struct us_msg_log m;
	struct us_log_answer *a;
	struct us_buf refused;
	size_t n_terms;
	int err = us_msg_log_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (us_vault_entry_check(k, &m, &n_terms) != US_OK)
		return answer_malformed(k, ch, tag);
	us_vault_entry_correct(k, &m);
	a = p.data = new_answer(&m, n_terms);
	if (a == NULL)
		return US_ERR_NOMEM;
	us_log_decide(k, &m, a, &ruling);
	us_entry_access_init(&access);
	access.kind = (enum us_kind)m.kind;
	access.action = (enum us_action)m.action;
	access.decision = a->err == US_OK ? (enum us_decision)m.decision : US_DECISION_DENY;
	access.reason = a->err == US_OK ? (enum us_reason)m.reason : a->reason;
	access.collection = m.collection;
	access.rule = ruling.rule != 0 ? ruling.rule : m.rule;
	access.paragraph = ruling.rule != 0 ? ruling.paragraph : m.paragraph;
	access.related = m.related;
	if (a->approval != 0)
		access.event = (struct us_event){ .form = US_EVENT_APPROVAL,
			.approval = { a->approval } };
	us_keeper_fill_asker(k, &access, m.credential, m.session);
	if (us_low_space_is_low(k) && access.decision == US_DECISION_DENY)
		m = without_lists(&m);
	us_buf_init(&refused, US_REFUSED_MAX);
	err = access.decision == US_DECISION_DENY && m.records.n > 0 ?
	    name_refused(k, &m, &refused) :
	    US_OK;
	if (err == US_OK)
		err = append_parts(k, &m, &access, &p);
	us_buf_free(&refused);
	if (err == US_ERR_LIMIT || err == US_ERR_ARG || err == US_ERR_FORMAT) {
		free(a);
		return answer_malformed(k, ch, tag);
	}
	if (err != US_OK) {
		free(a);
		return err;
	}
	if (a->granted)
		us_answers_granted(k, p.index);
	return us_keeper_answer(k, &p);
}
