#include "daemon/keeper/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/counters.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/handlers.h"
#include "log/opened.h"

#define MARK_EVERY_NS (INT64_C(5) * US_NS_PER_SECOND)
#define FAILED_MAX 65536u /* more answers than the vault has requests */

/* How far it is known how answers ended. */
struct us_answers {
	uint64_t first;   /* the start of this process: what stands before it is not its vault's */
	uint64_t settled; /* where the newest mark ends */
	uint64_t ended;   /* up to which the vault says that all have ended; at least settled */
	uint64_t granted; /* index of the newest entry that gave anything, plus one */
	uint64_t *failed; /* entries from settled on that have an outcome, ascending */
	size_t n_failed, failed_cap;
	int64_t marked_mono;
	int awaited; /* the process stops, and its vault is about to say how answers ended */
};

int
us_answers_new(struct us_keeper *k)
{
	k->answers = calloc(1, sizeof *k->answers);
	return k->answers == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_answers_free(struct us_keeper *k)
{
	if (k->answers != NULL)
		free(k->answers->failed);
	free(k->answers);
	k->answers = NULL;
}

void
us_answers_await(struct us_keeper *k)
{
	k->answers->awaited = 1;
}

int
us_answers_are_awaited(const struct us_keeper *k)
{
	return k->answers->awaited;
}

/* --- marks ------------------------------------------------------------------------------------ */

/* The journal is to say it too. */
static void
keep(struct us_keeper *k)
{
	us_counters_set_answers(k,
	    (struct us_counted_answers){ k->answers->settled, k->answers->granted });
}

static void
mark(struct us_keeper *k, uint64_t to, enum us_decision decision, enum us_reason reason)
{
	struct us_answers *a = k->answers;
	const struct us_event e = { .form = US_EVENT_ANSWERED,
		.answered = { .from = a->settled, .to = to } };
	size_t gone = 0;

	if (us_keeper_event(k, US_ACTION_ANSWERED, decision, reason, &e, NULL) != US_OK)
		return; /* the chain of marks goes on with the next one */
	a->settled = to;
	a->ended = a->ended < to ? to : a->ended;
	keep(k);
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
	const struct us_counted_answers counted = us_counters_answers(k);
	struct us_answers *a = k->answers;

	a->settled = counted.settled;
	a->granted = counted.granted;
	a->first = start;
	a->ended = a->settled;
	if (a->granted > a->settled)
		mark(k, start, US_DECISION_FAILED, US_REASON_UNKNOWN);
}

void
us_answers_granted(struct us_keeper *k, uint64_t index)
{
	k->answers->granted = index + 1;
	keep(k);
}

int
us_answers_open(const struct us_keeper *k)
{
	return k->answers->granted > k->answers->ended;
}

void
us_answers_tick(struct us_keeper *k)
{
	const struct us_answers *a = k->answers;

	if (a->granted <= a->settled || a->ended <= a->settled ||
	    us_time_mono_ns() - a->marked_mono < MARK_EVERY_NS)
		return;
	mark(k, a->ended, US_DECISION_NONE, US_REASON_NONE);
	us_keeper_settle(k);
}

void
us_answers_end(struct us_keeper *k, enum us_reason reason)
{
	const struct us_answers *a = k->answers;

	if (a->granted > a->settled && a->ended > a->settled)
		mark(k, a->ended, US_DECISION_NONE, US_REASON_NONE);
	if (a->granted > a->settled)
		mark(k, us_klog_size(k->klog) + us_klog_open_group(k->klog), US_DECISION_FAILED,
		    reason);
}

/* --- outcomes --------------------------------------------------------------------------------- */

/* Takes note that the entry has its outcome. US_ERR_MALFORMED: it had one, or so many there cannot
 * be; US_ERR_NOMEM. */
static int
note_failed(struct us_answers *a, uint64_t index)
{
	size_t at = a->n_failed;

	if (a->n_failed == FAILED_MAX)
		return US_ERR_MALFORMED;
	if (us_grow(&a->failed, a->n_failed, &a->failed_cap, sizeof *a->failed) != US_OK)
		return US_ERR_NOMEM;
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
	struct us_answers *a = k->answers;
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
	if (m.ended < k->answers->ended || m.ended > us_klog_size(k->klog))
		return US_ERR_MALFORMED;
	us_reader_init(&r, m.outcomes.p, m.outcomes.n);
	while (err == US_OK && r.left > 0) {
		const uint64_t index = us_take_u64(&r);
		const uint8_t reason = us_take_u8(&r);
		const uint64_t sent = us_take_u64(&r);

		err = r.err != US_OK ? US_ERR_MALFORMED : take_outcome(k, index, reason, sent);
	}
	if (err == US_OK)
		k->answers->ended = m.ended;
	else if (us_err_blame(err) == US_BLAME_PEER)
		us_log(US_LOG_WARNING, "the vault says of an answer what cannot be");
	return err;
}
