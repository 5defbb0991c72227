/*
 * "log": an entry in clear, and the keys of exactly what it names. Order of things: parse, decide, append,
 * commit (answer.c), derive, send. The decision of the vault is checked against the order again; what
 * does not hold becomes an entry of refusal and no key.
 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/timefmt.h"
#include "daemon/keeper/approve.h"
#include "daemon/keeper/ledger.h"
#include "registry/withheld.h"

#define TERM_KEYS_MAX 524288u
#define PAGE_KEYS_MAX 524288u
#define TERMS_PER_PART 256u
#define TERM_BYTES_PER_PART 8192u
/* Beside a longer query no lists stand in the first part. */
#define QUERY_ALONE 8192u
#define US_LOG_COPY 1u /* in flags: the entry discloses a copy */
#define RECORD_ANSWER 48u

/* What remains of a request until its entry is durable. */
struct answer {
	int err;
	enum us_reason reason;
	uint32_t rule;     /* that refused it; 0: none */
	const char *cure;  /* static */
	struct us_left left;
	uint32_t approval; /* that it uses up; 0: none */
	uint32_t collection;
	int record_keys, term_keys, page_keys;
	int is_load;
	struct us_load load;
	size_t n_records, n_terms, terms_size;
	uint8_t lists[]; /* records packed, then terms packed */
};

/* --- parse --------------------------------------------------------------------------------- */

static int
count_terms(struct us_bytes packed, size_t *n)
{
	struct us_reader r;

	us_reader_init(&r, packed.p, packed.n);
	*n = 0;
	while (r.err == US_OK && r.left > 0) {
		if (us_take_str16(&r, UINT16_MAX).n == 0)
			return US_ERR_FORMAT;
		++*n;
	}
	return us_reader_end(&r);
}

static int
well_formed(const struct us_msg_log *m, size_t *n_terms)
{
	if (us_kind_name(m->kind) == NULL || us_action_name(m->action) == NULL ||
	    us_decision_name(m->decision) == NULL || us_reason_name(m->reason) == NULL ||
	    m->action == US_ACTION_NONE || m->decision == US_DECISION_NONE)
		return US_ERR_RANGE;
	if (m->records.n % 8 != 0)
		return US_ERR_FORMAT;
	if ((m->decision == US_DECISION_ALLOW) != (m->reason == US_REASON_NONE) &&
	    m->decision != US_DECISION_FAILED)
		return US_ERR_FORMAT;
	return count_terms(m->terms, n_terms);
}

/* --- decide -------------------------------------------------------------------------------- */

static void
deny(struct answer *a, int err, enum us_reason reason)
{
	a->err = err;
	a->reason = reason;
}

/* Opening a collection's index comes before any request on it: it is for whoever may do anything with
 * its evidence. It discloses nothing, so limits over time are not asked. */
static int
may_open_collection(const struct us_keeper *k, const struct us_subject *subject,
    struct us_context *context, struct us_ruling *ruling)
{
	static const enum us_action any[] = { US_ACTION_SEARCH, US_ACTION_COUNT, US_ACTION_READ,
		US_ACTION_COPY, US_ACTION_MATCH, US_ACTION_SAMPLE, US_ACTION_TERMS };

	context->unknown |= US_UNKNOWN_USAGE;
	for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
		us_order_evaluate(us_registry_order(k->registry), subject, any[i], context, ruling);
		if (ruling->decision == US_DECISION_ALLOW || ruling->reason == US_REASON_PURPOSE_MISSING)
			return 1;
	}
	return 0;
}

/* The rule that refuses wants approvals: are there some for exactly this? */
static void
ask_approvers(const struct us_keeper *k, const struct us_msg_log *m, const struct us_ledger_question *question,
    struct us_context *context, struct answer *a, struct us_ruling *ruling)
{
	const struct us_act_approval request = { .action = question->action, .collection = m->collection,
		.purpose = m->purpose, .query = question->action == US_ACTION_COUNT ? m->query : (struct us_bytes){ NULL, 0 },
		.records = question->action == US_ACTION_COUNT ? (struct us_bytes){ NULL, 0 } : m->records };
	struct us_approved approved;

	if (us_approval_find(k, question->person, &request, &approved) != US_OK || approved.n == 0)
		return;
	context->approvers = approved.approvers;
	context->n_approvers = approved.n;
	us_ledger_evaluate(k, question, context, ruling);
	context->n_approvers = 0;
	context->approvers = NULL;
	a->approval = ruling->decision == US_DECISION_ALLOW ? approved.number : 0;
}

static void
decide_by_order(const struct us_keeper *k, const struct us_msg_log *m, const struct us_person *person,
    struct answer *a, struct us_ruling *ruling)
{
	const struct us_collection *c = us_registry_collection(k->registry, m->collection);
	const struct us_subject subject = us_registry_subject(k->registry, person, us_time_now_ns());
	struct us_ledger_question question = { .person = person, .action = (enum us_action)m->action,
		.collection = m->collection };
	struct us_context context;

	us_keeper_context(k, m->credential, m->peer, &context);
	if (c != NULL)
		context.collection = us_bytes_of(c->name);
	context.purpose = m->purpose;
	context.records = m->records.n / 8;
	if (m->collection != 0 && c == NULL) {
		deny(a, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND);
		return;
	}
	if (m->action == US_ACTION_OPEN_COLLECTION) {
		if (!may_open_collection(k, &subject, &context, ruling))
			deny(a, US_ERR_DENIED, ruling->reason);
		return;
	}
	if (m->kind == US_KIND_DISCLOSURE)
		question.records = m->records;
	/* what a read or copy opens first, words of rules, discloses nothing: its approval is asked with the records */
	if (m->kind == US_KIND_INTENT && (m->action == US_ACTION_READ || m->action == US_ACTION_COPY))
		context.unknown |= US_UNKNOWN_APPROVAL;
	us_ledger_evaluate(k, &question, &context, ruling);
	if (ruling->reason == US_REASON_APPROVAL && (m->action == US_ACTION_READ || m->action == US_ACTION_COPY ||
	    m->action == US_ACTION_COUNT))
		ask_approvers(k, m, &question, &context, a, ruling);
	a->left = ruling->left;
	if (ruling->decision == US_DECISION_ALLOW)
		return;
	deny(a, US_ERR_DENIED, ruling->reason);
	a->rule = ruling->rule;
	a->cure = ruling->cure;
}

/* A batch that is held is for the eyes of the party that loaded it. */
static int
same_party(const struct us_keeper *k, const struct us_person *person, uint32_t loader)
{
	const struct us_person *who = us_registry_person(k->registry, loader);

	return who != NULL && (who->id == person->id || (who->party_bits & person->party_bits) != 0);
}

/* 1 if the record is frozen, or clawed back and not shown to this capacity. */
static int
is_withheld(const struct us_keeper *k, uint32_t collection, uint64_t record, int withholds, const struct us_person *person,
    struct answer *a)
{
	const uint32_t sees = us_registry_order(k->registry)->workflows.clawback_visible;
	const unsigned why = withholds ? us_registry_withheld(k->registry, collection, record) : 0;

	if ((why & US_WITHHELD_FREEZE) != 0)
		deny(a, US_ERR_DENIED, US_REASON_FROZEN);
	else if ((why & US_WITHHELD_CLAWBACK) != 0 && (sees & US_CAPACITY_BIT(person->capacity)) == 0)
		deny(a, US_ERR_DENIED, US_REASON_CLAWED_BACK);
	else
		return 0;
	return 1;
}

static void
check_records(const struct us_keeper *k, const struct us_msg_log *m, const struct us_person *person,
    struct answer *a)
{
	const int withholds = us_registry_withholds(k->registry, m->collection, US_WITHHELD_CLAWBACK | US_WITHHELD_FREEZE);

	for (size_t i = 0; i < m->records.n; i += 8) {
		const struct us_batch *b = us_registry_batch_of(k->registry, m->collection,
		    us_load_u64(m->records.p + i));

		if (b == NULL)
			deny(a, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND);
		else if (b->status == US_BATCH_WITHDRAWN)
			deny(a, US_ERR_DENIED, US_REASON_WITHDRAWN);
		else if (b->status == US_BATCH_HELD && !same_party(k, person, b->facts.loaded_by))
			deny(a, US_ERR_DENIED, US_REASON_HELD);
		else if (is_withheld(k, m->collection, us_load_u64(m->records.p + i), withholds, person, a))
			;
		else if (b->status == US_BATCH_LIVE || b->status == US_BATCH_HELD)
			continue;
		else
			deny(a, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND);
		return;
	}
}

/* The copy that an entry with US_LOG_COPY names, or NULL: its note begins with the copy's number. */
static const struct us_copy *
copy_of(const struct us_keeper *k, const struct us_msg_log *m)
{
	if ((m->flags & US_LOG_COPY) == 0 || m->note.n < 8)
		return NULL;
	return us_registry_copy(k->registry, us_load_u64(m->note.p));
}

/* What leaves as a copy is what its taker has signed for, and nothing else. */
static void
check_copy(const struct us_keeper *k, const struct us_msg_log *m, const struct us_person *person,
    struct answer *a)
{
	const struct us_copy *c = copy_of(k, m);
	uint32_t low, high, middle;

	if (c == NULL || c->person != person->id || c->collection != m->collection) {
		deny(a, US_ERR_DENIED, US_REASON_STATE);
		return;
	}
	for (size_t i = 0; i < m->records.n; i += 8) {
		const uint64_t record = us_load_u64(m->records.p + i);

		for (low = 0, high = c->n; low < high;) {
			middle = low + (high - low) / 2;
			if (c->records[middle] < record)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == c->n || c->records[low] != record) {
			deny(a, US_ERR_DENIED, US_REASON_STATE);
			return;
		}
	}
}

static uint32_t
eras(const struct us_keeper *k, uint32_t collection)
{
	const struct us_collection *c = us_registry_collection(k->registry, collection);

	return c == NULL || c->next_record == 0 ? 0 :
	    (uint32_t)((c->next_record - 1) >> US_ERA_SHIFT) + 1;
}

/* What the order permits of these is seeing records; leave to count, for one, opens none. */
static int
shows_records(enum us_action action)
{
	return action == US_ACTION_READ || action == US_ACTION_COPY || action == US_ACTION_SEARCH ||
	    action == US_ACTION_MATCH || action == US_ACTION_SAMPLE;
}

/* Sets what keys the entry gives, or why it gives none. */
static void
decide(struct us_keeper *k, const struct us_msg_log *m, struct answer *a, struct us_ruling *ruling)
{
	const int asks = m->decision == US_DECISION_ALLOW &&
	    (m->kind == US_KIND_INTENT || m->kind == US_KIND_DISCLOSURE);
	const int evidence = us_action_is_evidence((enum us_action)m->action);
	const struct us_person *person;

	if (!asks) /* refusals, outcomes, events: written down, and that is all */
		return;
	a->reason = us_keeper_session(k, m->session, m->credential, &person);
	if (a->reason != US_REASON_NONE) {
		deny(a, a->reason == US_REASON_SEALED ? US_ERR_SEALED : US_ERR_DENIED, a->reason);
		return;
	}
	if (k->low_space) {
		deny(a, US_ERR_NOSPACE, US_REASON_ERROR);
		return;
	}
	decide_by_order(k, m, person, a, ruling);
	if (a->err == US_OK && m->kind == US_KIND_DISCLOSURE)
		check_records(k, m, person, a);
	if (a->err == US_OK && m->kind == US_KIND_DISCLOSURE && m->action == US_ACTION_COPY)
		check_copy(k, m, person, a);
	if (a->err != US_OK)
		return;
	a->record_keys = m->kind == US_KIND_DISCLOSURE && m->records.n > 0 && shows_records((enum us_action)m->action);
	a->term_keys = evidence && m->kind == US_KIND_INTENT && a->n_terms > 0;
	a->page_keys = m->action == US_ACTION_OPEN_COLLECTION && m->kind == US_KIND_INTENT;
	if (a->term_keys && (uint64_t)eras(k, m->collection) * (4 + 32 * (uint64_t)a->n_terms) >
	    TERM_KEYS_MAX)
		deny(a, US_ERR_LIMIT, US_REASON_ERROR);
	if (m->action == US_ACTION_LOAD && m->kind == US_KIND_INTENT && m->load != 0) {
		a->is_load = 1;
		a->load = (struct us_load){ .id = m->load, .collection = m->collection,
			.person = person->id };
		memcpy(a->load.credential, m->credential, 32);
	}
}

/* --- append -------------------------------------------------------------------------------- */

struct parts {
	struct us_reader terms;
	size_t records_at;
	size_t used; /* of records */
	uint64_t records[US_ENTRY_RECORDS];
	struct us_bytes words[TERMS_PER_PART];
};

static void
fill_part(struct parts *s, const struct us_msg_log *m, struct us_entry_disclosure *d,
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
	while (n < TERMS_PER_PART && s->terms.left > 2 && (n == 0 ||
	    bytes + us_load_u16(s->terms.p) <= TERM_BYTES_PER_PART)) {
		s->words[n] = us_take_str16(&s->terms, UINT16_MAX);
		bytes += s->words[n++].n;
	}
	q->terms = s->words;
	q->n_terms = n;
}

/* How many parts the lists need: the same walk, without writing. */
static uint32_t
count_parts(struct parts *s, const struct us_msg_log *m)
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

static int
append_parts(struct us_keeper *k, const struct us_msg_log *m, struct us_entry_access *access,
    struct us_pending *p)
{
	static struct parts s; /* 36 KiB; holds numbers and views only while this runs */
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_klog_entry e = { .entry_class = US_CLASS_ACCESS, .access = access, .disclosure = &d,
		.query = &q };
	uint32_t parts = count_parts(&s, m);
	const struct us_copy *copy = copy_of(k, m);
	int err = US_OK;

	for (uint32_t part = 0; err == US_OK && part < parts; part++) {
		us_entry_disclosure_init(&d);
		us_entry_query_init(&q);
		if (part > 0 || m->query.n <= QUERY_ALONE)
			fill_part(&s, m, &d, &q);
		d.snapshot = m->snapshot;
		d.total = m->total;
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
		if (err == US_OK && (us_approval_take(k, access, p->index) != US_OK ||
		    us_ledger_take(k, access, &d, e.order_version, p->time_ns) != US_OK))
			us_fatal("an entry of the log cannot be counted in the ledger. Stopping: limits would not hold");
	}
	us_wipe(s.records, s.used * sizeof s.records[0]);
	return err;
}

/* --- answer -------------------------------------------------------------------------------- */

static int
put_record_keys(struct us_keeper *k, const struct answer *a)
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
			err = us_keyring_record(k->keyring, &place, (uint16_t)(record - b->facts.first), to);
	}
	return err;
}

static int
put_term_keys(struct us_keeper *k, const struct answer *a)
{
	int err = US_OK;

	for (uint32_t era = 0; err == US_OK && era < eras(k, a->collection); era++) {
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

static int
put_page_key(struct us_keeper *k, uint8_t kind, uint32_t number, const struct us_leaf_place *place)
{
	struct us_key key;
	int err = kind == 1 ? us_keyring_page_key(k->keyring, place, &key) :
	    us_keyring_dictionary_key(k->keyring, place, &key);

	if (err == US_OK)
		err = us_buf_put_u8(&k->reply, kind);
	if (err == US_OK)
		err = us_buf_put_u32(&k->reply, number);
	if (err == US_OK)
		err = us_buf_put(&k->reply, key.b, US_KEY_SIZE);
	us_wipe(&key, sizeof key);
	return err;
}

static int
put_page_keys(struct us_keeper *k, uint32_t collection)
{
	const struct us_dictionary *d;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < us_registry_batches(k->registry, collection); i++) {
		const struct us_batch *b = us_registry_batch(k->registry, collection, i);
		const struct us_leaf_place place = { collection, b->facts.segment_slot,
			b->facts.segment_salt };

		if (b->status != US_BATCH_VOID)
			err = put_page_key(k, 1, b->facts.segment_slot, &place);
	}
	for (uint32_t v = 1; err == US_OK &&
	    (d = us_registry_dictionary(k->registry, collection, v)) != NULL; v++) {
		const struct us_leaf_place place = { collection, d->slot, d->salt };

		err = put_page_key(k, 2, v, &place);
	}
	return err == US_OK && k->reply.len > PAGE_KEYS_MAX ? US_ERR_LIMIT : err;
}

/* The entry is durable and signed for: now, and only now, its keys. */
static int
finish_log(struct us_keeper *k, struct us_pending *p)
{
	const struct answer *a = p->data;
	struct us_msg_logged m = { .err = (uint8_t)a->err, .reason = (uint8_t)a->reason, .rule = a->rule,
		.cure = us_bytes_of(a->cure), .left_request = a->left.records_per_request,
		.left_consecutive = a->left.consecutive, .left_day = a->left.per_day, .left_life = a->left.life,
		.left_share = a->left.share };
	uint8_t proof[2048];
	int err = us_keeper_fill_logged(k, p, &m, proof);

	us_buf_reset(&k->reply);
	if (err == US_OK && a->err == US_OK && k->keyring != NULL && k->state == US_KEEPER_OPEN) {
		if (a->is_load)
			err = us_keeper_load_open(k, &a->load);
		if (err == US_OK && a->record_keys)
			err = put_record_keys(k, a);
		else if (err == US_OK && a->term_keys)
			err = put_term_keys(k, a);
		else if (err == US_OK && a->page_keys)
			err = put_page_keys(k, a->collection);
	}
	if (err != US_OK) {
		us_log_err(err, "the keys of entry %llu cannot be derived", (unsigned long long)p->index);
		m.err = US_ERR_INTERNAL;
		m.reason = US_REASON_ERROR;
		us_buf_reset(&k->reply);
	}
	if (a->record_keys)
		m.record_keys = (struct us_bytes){ k->reply.data, k->reply.len };
	else if (a->term_keys)
		m.term_keys = (struct us_bytes){ k->reply.data, k->reply.len };
	else if (a->page_keys)
		m.page_keys = (struct us_bytes){ k->reply.data, k->reply.len };
	err = p->ch == NULL ? US_OK : us_send_logged(p->ch, p->tag, &m);
	us_buf_reset(&k->reply);
	return err;
}

static struct answer *
new_answer(const struct us_msg_log *m, size_t n_terms)
{
	struct answer *a = calloc(1, sizeof *a + m->records.n + m->terms.n);

	if (a == NULL)
		return NULL;
	a->left = (struct us_left){ US_UNLIMITED, US_UNLIMITED, US_UNLIMITED, US_UNLIMITED, US_UNLIMITED };
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
answer_malformed(struct us_channel *ch, uint32_t tag)
{
	const struct us_msg_logged m = { .err = US_ERR_FORMAT, .reason = US_REASON_MALFORMED,
		.index = US_ENTRY_NONE };

	us_log(US_LOG_WARNING, "the vault sent an entry that makes no sense: it is refused");
	return us_send_logged(ch, tag, &m);
}

int
us_on_log(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_log };
	struct us_ruling ruling = { .rule = 0 };
	struct us_entry_access access;
	uint8_t summary[US_APPROVAL_SUMMARY];
	struct us_msg_log m;
	struct answer *a;
	size_t n_terms;
	int err = us_msg_log_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (well_formed(&m, &n_terms) != US_OK)
		return answer_malformed(ch, tag);
	a = p.data = new_answer(&m, n_terms);
	if (a == NULL)
		return US_ERR_NOMEM;
	decide(k, &m, a, &ruling);
	us_entry_access_init(&access);
	access.kind = (enum us_kind)m.kind;
	access.action = (enum us_action)m.action;
	access.decision = a->err == US_OK ? (enum us_decision)m.decision : US_DECISION_DENY;
	access.reason = a->err == US_OK ? (enum us_reason)m.reason : a->reason;
	access.collection = m.collection;
	access.rule = ruling.rule != 0 ? ruling.rule : m.rule;
	access.paragraph = ruling.rule != 0 ? ruling.paragraph : m.paragraph;
	access.related = m.related;
	if ((m.flags & US_LOG_COPY) == 0)
		access.summary = m.note;
	if (a->approval != 0) {
		us_approval_summary(a->approval, summary);
		access.summary = (struct us_bytes){ summary, sizeof summary };
	}
	us_keeper_fill_person(k, &access, m.credential);
	memcpy(access.session, m.session, 16);
	err = append_parts(k, &m, &access, &p);
	if (err == US_ERR_LIMIT || err == US_ERR_ARG || err == US_ERR_FORMAT) {
		free(a);
		return answer_malformed(ch, tag);
	}
	if (err != US_OK) {
		free(a);
		return err;
	}
	return us_keeper_answer(k, &p);
}
