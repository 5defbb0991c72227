/*
 * "log_keys": keys of the boxes of a range of entries, for whom the order lets audit. Decided,
 * logged and committed at once; then the range is walked as a task (tasks.h), each bundle read
 * once, and decided again before the keys leave: what was taken from the asker meanwhile does not.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/outcome.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/session.h"
#include "daemon/keeper/tasks.h"
#include "daemon/keeper/walk.h"
#include "log/opened.h"

#define BOXES_MAX 4096u /* entries of one answer */
#define ENTRY_BYTES (1u + US_BOXES * US_KEY_SIZE)

/* What was decided. */
struct us_keeper_boxes {
	int err;
	enum us_reason reason;
	uint8_t mask;
	enum us_log_scope scope;
	uint32_t person; /* who asks */
};

/* Whose entry it is, as its access box says, and whether the asker's order opens that as a
 * whole. */
static int
is_own(const struct us_person *asker, const struct us_keeper_boxes *q,
    const struct us_entry_access *a)
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

/* 1 if the entry showed somebody records, and all of them came from people who share a party with
 * the asker. Where others' records are among them the box stays closed: it would name those too. */
static int
shows_own_records(const struct us_keeper *k, const struct us_person *asker,
    const struct us_opened *e)
{
	int own = e->disclosure.n_records > 0;

	for (size_t i = 0; own && i < e->disclosure.n_records; i++) {
		const struct us_batch *b = us_registry_batch_of(k->registry, e->access.collection,
		    e->disclosure.records[i]);
		const struct us_person *loader = b == NULL ?
		    NULL :
		    us_registry_person(k->registry, b->facts.loaded_by);

		own = loader != NULL && (loader->party_bits & asker->party_bits) != 0;
	}
	return own;
}

/* e: its access box is open. */
static int
mask_by_access(const struct us_keeper *k, const struct us_keeper_boxes *q, struct us_opened *e,
    const struct us_key keys[US_BOXES], uint8_t *mask)
{
	const struct us_person *asker = us_registry_person(k->registry, q->person);
	int err = US_OK, shows = 0;

	if (asker != NULL && is_own(asker, q, &e->access))
		return US_OK;
	if (asker != NULL && q->scope == US_LOG_OF_OWN_RECORDS &&
	    e->access.kind == US_KIND_DISCLOSURE && e->access.decision == US_DECISION_ALLOW) {
		err = us_opened_box(e, US_BOX_DISCLOSURE, &keys[US_BOX_DISCLOSURE]);
		shows = err == US_OK && shows_own_records(k, asker, e);
	}
	*mask = shows ? *mask & 1u << US_BOX_DISCLOSURE : 0;
	return err;
}

/* The mask for one entry: nothing of an entry that is somebody else's, or nobody's, where the order
 * opens only one's own; but that one's own records were shown, where it opens that. */
static int
mask_of_entry(const struct us_keeper *k, const struct us_keeper_boxes *q, struct us_bytes entry,
    const struct us_key keys[US_BOXES], uint8_t *mask)
{
	struct us_opened e;
	int err;

	*mask = q->mask;
	if (q->scope == US_LOG_OF_ALL)
		return US_OK;
	us_opened_init(&e);
	err = us_opened_begin(&e, entry);
	if (err == US_OK)
		err = us_opened_box(&e, US_BOX_ACCESS, &keys[US_BOX_ACCESS]);
	if (err == US_OK)
		err = mask_by_access(k, q, &e, keys, mask);
	us_opened_free(&e);
	return err;
}

/* --- the answer ---------------------------------------------------------------------------- */

/* A range on its way. It is the data of the entry's answer until that is durable, then a task. */
struct us_keeper_log_keys {
	struct us_task task; /* the first member */
	uint32_t tag;
	uint64_t entry; /* that says so in the log */
	uint8_t credential[32], session[16];
	char peer[64];
	size_t peer_n;
	struct us_keeper_boxes q;
	uint64_t from, to, end; /* end: where this answer does */
	struct us_walk walk;
	struct us_buf boxes;
};

static struct us_keeper_log_keys *
of(struct us_task *task)
{
	return (struct us_keeper_log_keys *)(void *)task;
}

static void
free_task(struct us_task *task)
{
	us_walk_free(&of(task)->walk);
	us_buf_free(&of(task)->boxes);
	free(of(task));
}

static int
send_boxes(const struct us_keeper_log_keys *t, struct us_channel *ch, int err,
    enum us_reason reason)
{
	struct us_msg_log_keys_reply r = { .err = (uint8_t)err,
		.reason = (uint8_t)reason,
		.entry = t->entry,
		.from = t->from,
		.next = t->from };

	if (err == US_OK) {
		r.next = t->walk.index;
		r.boxes = (struct us_bytes){ t->boxes.data, t->boxes.len };
	}
	return us_send_log_keys_reply(ch, t->tag, &r);
}

static int
put_boxes(const struct us_keeper *k, const struct us_keeper_boxes *q, struct us_bytes entry,
    struct us_buf *out)
{
	struct us_key keys[US_BOXES];
	uint8_t mask = 0;
	int err = us_klog_box_keys(k->klog, entry, &k->root->log_box_private, keys);

	if (err == US_OK)
		err = mask_of_entry(k, q, entry, keys, &mask);
	if (err == US_OK)
		err = us_buf_put_u8(out, mask);
	for (unsigned i = 0; err == US_OK && i < US_BOXES; i++) {
		if ((mask >> i & 1) != 0)
			err = us_buf_put(out, keys[i].b, US_KEY_SIZE);
	}
	us_wipe(keys, sizeof keys);
	return err;
}

/* access: of the entry, to which the ruling is added; NULL when it stands already. */
static void
decide(struct us_keeper *k, const struct us_keeper_log_keys *t, struct us_keeper_boxes *q,
    struct us_entry_access *access)
{
	struct us_ledger_question question = { .action = US_ACTION_AUDIT_KEYS };
	struct us_context context;
	const struct us_person *person;
	struct us_ruling ruling;

	*q = (struct us_keeper_boxes){ .reason = us_keeper_session(k, t->session, t->credential,
					   &person) };
	if (q->reason == US_REASON_NONE) {
		question.person = person;
		us_keeper_context(k, t->credential,
		    (struct us_bytes){ (const uint8_t *)t->peer, t->peer_n }, &context);
		us_ledger_evaluate(k, &question, &context, &ruling);
		if (access != NULL) {
			access->rule = ruling.rule;
			access->paragraph = ruling.paragraph;
		}
		q->reason = ruling.decision == US_DECISION_ALLOW ? US_REASON_NONE : ruling.reason;
		q->mask = ruling.boxes & US_BOXES_ALL;
		q->scope = ruling.log_scope;
		q->person = person->id;
	}
	if (q->reason == US_REASON_NONE && (q->mask == 0 || q->scope == 0))
		q->reason = US_REASON_NOT_IN_ORDER;
	if (q->reason == US_REASON_NONE &&
	    us_low_space_refuses(k, US_ACTION_AUDIT_KEYS, t->credential))
		q->reason = US_REASON_LOW_SPACE;
	q->err = q->reason == US_REASON_NONE ? US_OK :
	    q->reason == US_REASON_SEALED    ? US_ERR_SEALED :
	    q->reason == US_REASON_LOW_SPACE ? US_ERR_NOSPACE :
					       US_ERR_DENIED;
}

/* All of it is there. */
static void
leave(struct us_keeper *k, struct us_keeper_log_keys *t)
{
	struct us_keeper_boxes now;
	int err;

	decide(k, t, &now, NULL);
	if (now.err != US_OK || now.mask != t->q.mask || now.scope != t->q.scope ||
	    now.person != t->q.person)
		err = send_boxes(t, t->task.ch, US_ERR_REVOKED,
		    now.reason == US_REASON_NONE ? US_REASON_NOT_IN_ORDER : now.reason);
	else
		err = send_boxes(t, t->task.ch, US_OK, US_REASON_NONE);
	if (err != US_OK)
		us_channel_fail(t->task.ch, err);
}

static int
step(struct us_keeper *k, struct us_task *task)
{
	struct us_keeper_log_keys *t = of(task);
	struct us_bytes entry;
	int err = US_OK;

	if (k->root == NULL)
		return 0; /* sealed: nobody waits for it */
	if (t->walk.index < t->end) {
		err = us_walk_next(&t->walk, k->klog, &entry);
		if (err == US_OK)
			err = put_boxes(k, &t->q, entry, &t->boxes);
	}
	if (err != US_OK) {
		us_log_err(err, "the keys of the log's boxes cannot be given, near entry %llu",
		    (unsigned long long)t->walk.index);
		err = send_boxes(t, task->ch, US_ERR_INTERNAL, US_REASON_ERROR);
		if (err != US_OK)
			us_channel_fail(task->ch, err);
		return 0;
	}
	if (t->walk.index < t->end)
		return 1;
	leave(k, t);
	return 0;
}

/* The entry is durable. */
static int
finish_log_keys(struct us_keeper *k, struct us_pending *p)
{
	struct us_keeper_log_keys *t = p->data;
	const uint64_t size = us_klog_size(k->klog);

	t->entry = p->index;
	if (p->ch == NULL || t->q.err != US_OK)
		return p->ch == NULL ? US_OK : send_boxes(t, p->ch, t->q.err, t->q.reason);
	t->end = t->to < size ? t->to : size;
	if (t->end < t->from)
		t->end = t->from;
	if (t->end - t->from > BOXES_MAX)
		t->end = t->from + BOXES_MAX;
	t->task = (struct us_task){ .ch = p->ch, .step = step, .free = free_task };
	us_walk_init(&t->walk, t->from);
	us_buf_init(&t->boxes, (size_t)BOXES_MAX * ENTRY_BYTES);
	us_tasks_add(k, &t->task);
	p->data = NULL; /* transferred */
	return US_OK;
}

static struct us_keeper_log_keys *
take(const struct us_msg_log_keys *m, uint32_t tag)
{
	struct us_keeper_log_keys *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->tag = tag;
	t->from = m->from;
	t->to = m->to;
	memcpy(t->credential, m->credential, sizeof t->credential);
	memcpy(t->session, m->session, sizeof t->session);
	t->peer_n = m->peer.n < sizeof t->peer ? m->peer.n : sizeof t->peer;
	if (t->peer_n > 0)
		memcpy(t->peer, m->peer.p, t->peer_n);
	return t;
}

int
us_on_log_keys(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_log_keys };
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &a, .query = &q };
	struct us_msg_log_keys m;
	struct us_keeper_log_keys *t;
	int err = us_msg_log_keys_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	t = p.data = take(&m, tag);
	if (t == NULL)
		return US_ERR_NOMEM;
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	decide(k, t, &t->q, &a);
	a.kind = US_KIND_DISCLOSURE;
	a.action = US_ACTION_AUDIT_KEYS;
	a.decision = t->q.err == US_OK ? US_DECISION_ALLOW : US_DECISION_DENY;
	a.reason = t->q.reason;
	us_keeper_fill_asker(k, &a, m.credential, m.session);
	a.event = (struct us_event){ .form = US_EVENT_BOX_KEYS,
		.box_keys = { .from = m.from, .to = m.to } };
	q.address = m.peer;
	err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(t);
		return err;
	}
	if (t->q.err == US_OK)
		us_answers_granted(k, p.index);
	return us_keeper_answer(k, &p);
}
