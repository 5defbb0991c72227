/*
 * How answers end. Most leave whole: every few seconds one entry, a mark, says so of all up to an
 * index. One that did not has an entry of its own, an outcome, before the mark that passes it. What
 * a process leaves behind when it ends is marked as not known.
 *
 *   settled <= ended <= committed entries; every mark begins where the one before it ended.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"
#include "log/opened.h"

#define MARK_EVERY_NS (INT64_C(5) * US_NS_PER_SECOND)
#define FAILED_MAX 65536u /* more answers than the vault has requests */
#define COUNTER_SIZE 20u  /* of a group of the journal's counters */

/* --- the journal's counters: the group of collection 0 is settled and granted ----------------- */

/* The group's place, or the end. */
static size_t
place(struct us_bytes counters)
{
	size_t at = 0;

	while (counters.n - at >= COUNTER_SIZE && us_load_u32(counters.p + at) != 0)
		at += COUNTER_SIZE;
	return at;
}

static void
read_counters(struct us_keeper *k)
{
	const struct us_bytes counters = us_klog_counters(k->klog);
	const size_t at = place(counters);

	if (counters.n - at < COUNTER_SIZE)
		return;
	k->answers.settled = us_load_u64(counters.p + at + 4);
	k->answers.granted = us_load_u64(counters.p + at + 12);
	/* of another log */
	if (k->answers.settled > us_klog_size(k->klog) ||
	    k->answers.granted > us_klog_size(k->klog))
		k->answers.settled = k->answers.granted = 0;
}

int
us_answers_put(const struct us_keeper *k, struct us_buf *counters)
{
	int err = us_buf_put_u32(counters, 0);

	if (err == US_OK)
		err = us_buf_put_u64(counters, k->answers.settled);
	return err != US_OK ? err : us_buf_put_u64(counters, k->answers.granted);
}

void
us_answers_save(struct us_keeper *k)
{
	const struct us_bytes old = us_klog_counters(k->klog);
	const size_t at = place(old);
	struct us_buf b;
	int err;

	if (!k->answers.changed)
		return;
	us_buf_init(&b, US_JOURNAL_COUNTERS_MAX);
	err = us_answers_put(k, &b);
	if (err == US_OK && at > 0)
		err = us_buf_put(&b, old.p, at);
	if (err == US_OK && old.n - at > COUNTER_SIZE)
		err = us_buf_put(&b, old.p + at + COUNTER_SIZE, old.n - at - COUNTER_SIZE);
	if (err == US_OK)
		err = us_klog_set_counters(k->klog, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	if (err != US_OK)
		us_fatal("the journal's counters cannot be kept: %s. Stopping", us_strerror(err));
	k->answers.changed = 0;
}

/* --- marks ------------------------------------------------------------------------------------ */

static void
mark(struct us_keeper *k, uint64_t to, enum us_decision decision, enum us_reason reason)
{
	struct us_answers *a = &k->answers;
	const struct us_event e = { .form = US_EVENT_ANSWERED, .answered = { a->settled, to } };
	size_t gone = 0;

	if (us_keeper_event(k, US_ACTION_ANSWERED, decision, reason, &e, NULL) != US_OK)
		return; /* the chain of marks goes on with the next one */
	a->settled = to;
	a->ended = a->ended < to ? to : a->ended;
	a->changed = 1;
	a->marked_mono = us_time_mono_ns();
	while (gone < a->n_failed && a->failed[gone] < to)
		gone++;
	a->n_failed -= gone;
	if (gone > 0 && a->n_failed > 0)
		memmove(a->failed, a->failed + gone, a->n_failed * sizeof *a->failed);
}

void
us_answers_begin(struct us_keeper *k, uint64_t start)
{
	struct us_answers *a = &k->answers;

	read_counters(k);
	a->first = start;
	a->ended = a->settled;
	if (a->granted > a->settled)
		mark(k, start, US_DECISION_FAILED, US_REASON_UNKNOWN);
}

void
us_answers_granted(struct us_keeper *k, uint64_t index)
{
	k->answers.granted = index + 1;
	k->answers.changed = 1;
}

int
us_answers_open(const struct us_keeper *k)
{
	return k->answers.granted > k->answers.ended;
}

void
us_answers_tick(struct us_keeper *k)
{
	const struct us_answers *a = &k->answers;

	if (a->granted <= a->settled || a->ended <= a->settled ||
	    us_time_mono_ns() - a->marked_mono < MARK_EVERY_NS)
		return;
	mark(k, a->ended, US_DECISION_NONE, US_REASON_NONE);
	us_keeper_settle(k);
}

void
us_answers_end(struct us_keeper *k, enum us_reason reason)
{
	const struct us_answers *a = &k->answers;

	if (a->granted > a->settled && a->ended > a->settled)
		mark(k, a->ended, US_DECISION_NONE, US_REASON_NONE);
	if (a->granted > a->settled)
		mark(k, us_klog_size(k->klog) + us_klog_open_group(k->klog), US_DECISION_FAILED,
		    reason);
}

void
us_answers_free(struct us_keeper *k)
{
	free(k->answers.failed);
	k->answers.failed = NULL;
	k->answers.n_failed = k->answers.failed_cap = 0;
}

/* --- outcomes --------------------------------------------------------------------------------- */

/* Takes note that the entry has its outcome. US_ERR_MALFORMED: it had one, or so many there cannot
 * be; US_ERR_NOMEM. */
static int
note_failed(struct us_answers *a, uint64_t index)
{
	size_t at = a->n_failed;

	if (a->n_failed == a->failed_cap) {
		size_t cap = a->failed_cap == 0 ? 64 : a->failed_cap * 2;
		uint64_t *more = cap > FAILED_MAX ? NULL : realloc(a->failed, cap * sizeof *more);

		if (more == NULL)
			return cap > FAILED_MAX ? US_ERR_MALFORMED : US_ERR_NOMEM;
		a->failed = more;
		a->failed_cap = cap;
	}
	while (at > 0 && a->failed[at - 1] > index)
		at--;
	if (at > 0 && a->failed[at - 1] == index)
		return US_ERR_MALFORMED;
	memmove(a->failed + at + 1, a->failed + at, (a->n_failed - at) * sizeof *a->failed);
	a->failed[at] = index;
	a->n_failed++;
	return US_OK;
}

/* Opens the entry that was answered: bytes of it to entry, of which e is a view. US_ERR_MALFORMED:
 * it is no entry that is answered. Other errors are of our own log. */
static int
open_answered(struct us_keeper *k, uint64_t index, struct us_buf *entry, struct us_opened *e)
{
	struct us_key keys[US_BOXES];
	int err = us_klog_entry_bytes(k->klog, index, entry);

	if (err == US_OK)
		err = us_opened_begin(e, (struct us_bytes){ entry->data, entry->len });
	if (err == US_OK && e->view.entry_class != US_CLASS_ACCESS)
		return US_ERR_MALFORMED;
	if (err == US_OK)
		err = us_klog_box_keys(k->klog, (struct us_bytes){ entry->data, entry->len },
		    &k->root->log_box_private, keys);
	if (err != US_OK)
		return err;
	err = us_opened_box(e, US_BOX_ACCESS, &keys[US_BOX_ACCESS]);
	if (err == US_OK)
		err = us_opened_box(e, US_BOX_DISCLOSURE, &keys[US_BOX_DISCLOSURE]);
	us_wipe(keys, sizeof keys);
	return err;
}

static int
append_outcome(struct us_keeper *k, const struct us_opened *answered, enum us_reason reason,
    uint64_t sent)
{
	struct us_entry_access access = answered->access;
	struct us_entry_disclosure disclosure;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS,
		.access = &access,
		.disclosure = &disclosure };
	uint64_t at;
	int64_t time_ns;

	us_entry_disclosure_init(&disclosure);
	disclosure.collection = access.collection;
	disclosure.snapshot = answered->disclosure.snapshot;
	disclosure.total = sent;
	access.kind = US_KIND_OUTCOME;
	access.decision = US_DECISION_FAILED;
	access.reason = reason;
	access.related = answered->view.index;
	access.event = (struct us_event){ .form = US_EVENT_NONE };
	return us_keeper_append(k, &e, &at, &time_ns);
}

/* What the vault says of one answer. Anything that cannot be is its error. */
static int
take_outcome(struct us_keeper *k, uint64_t index, unsigned reason, uint64_t sent)
{
	struct us_answers *a = &k->answers;
	struct us_opened e;
	struct us_buf entry;
	int err;

	if (index < a->first || index < a->ended || index >= us_klog_size(k->klog) ||
	    k->root == NULL ||
	    (reason != US_REASON_CUT && reason != US_REASON_GONE && reason != US_REASON_ERROR))
		return US_ERR_MALFORMED;
	us_buf_init(&entry, US_ENTRY_MAX);
	us_opened_init(&e);
	err = open_answered(k, index, &entry, &e);
	if (err == US_OK &&
	    (e.access.decision != US_DECISION_ALLOW ||
		(e.access.kind != US_KIND_INTENT && e.access.kind != US_KIND_DISCLOSURE) ||
		e.disclosure.part + 1 != e.disclosure.parts ||
		sent > (uint64_t)e.disclosure.part * US_ENTRY_RECORDS + e.disclosure.n_records))
		err = US_ERR_MALFORMED;
	if (err == US_OK)
		err = note_failed(a, index);
	if (err == US_OK)
		err = append_outcome(k, &e, (enum us_reason)reason, sent);
	us_opened_free(&e);
	us_buf_free(&entry);
	return err;
}

int
us_on_answers(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_answers m;
	struct us_reader r;
	int err = us_msg_answers_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	if (err != US_OK)
		return err;
	if (m.ended < k->answers.ended || m.ended > us_klog_size(k->klog))
		return US_ERR_MALFORMED;
	us_reader_init(&r, m.outcomes.p, m.outcomes.n);
	while (err == US_OK && r.left > 0) {
		const uint64_t index = us_take_u64(&r);
		const uint8_t reason = us_take_u8(&r);
		const uint64_t sent = us_take_u64(&r);

		err = r.err != US_OK ? US_ERR_MALFORMED : take_outcome(k, index, reason, sent);
	}
	if (err == US_OK)
		k->answers.ended = m.ended;
	else if (us_err_blame(err) == US_BLAME_PEER)
		us_log(US_LOG_WARNING, "the vault says of an answer what cannot be");
	return err;
}
