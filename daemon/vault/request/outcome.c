/*
 * How answers end, for the log. A request that was given something, by an entry, is on a list until
 * its answer has ended; the keeper is told up to which entry all have, and of those that did not
 * leave whole, how and after how many records.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/time.h"
#include "daemon/vault/internal.h"

#define TELL_MS 1000     /* how soon the keeper hears that answers have left */
#define OUTCOME_SIZE 17u /* u64 entry, u8 reason, u64 records */
#define OUTCOMES_AT_ONCE 512u
#define OUTCOMES_MAX (65536u * OUTCOME_SIZE)

/* --- telling ---------------------------------------------------------------------------------- */

static uint64_t
ended(const struct us_vault *v)
{
	const uint64_t to = v->open_first != NULL ? v->open_first->open_entry : v->answered;

	return v->late_first != NULL && v->late_first->bound < to ? v->late_first->bound : to;
}

void
us_vault_outcomes_tell(struct us_vault *v)
{
	struct us_msg_answers m = { .ended = v->ended_told };
	size_t at = 0;
	int err = US_OK;

	if (v->keeper == NULL)
		return;
	do {
		size_t n = v->outcomes.len - at;

		if (n > OUTCOMES_AT_ONCE * OUTCOME_SIZE)
			n = OUTCOMES_AT_ONCE * OUTCOME_SIZE;
		m.outcomes = (struct us_bytes){ v->outcomes.data + at, n };
		at += n;
		if (at == v->outcomes.len)
			m.ended = ended(v);
		if (n > 0 || m.ended != v->ended_told)
			err = us_send_answers(v->keeper, 0, &m);
	} while (err == US_OK && at < v->outcomes.len);
	if (err != US_OK)
		us_fatal("the keeper cannot be told how answers ended: %s", us_strerror(err));
	v->ended_told = m.ended;
	us_buf_reset(&v->outcomes);
}

int
us_vault_outcomes_told(const struct us_vault *v)
{
	return v->outcomes.len == 0 && v->ended_told == ended(v);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_vault_outcomes_tell(arg);
}

static void
tell_soon(struct us_vault *v, int ms)
{
	const struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (v->leaving)
		return;
	if (v->outcome_timer == NULL)
		v->outcome_timer = evtimer_new(v->base, on_timer, v);
	if (v->outcome_timer == NULL)
		us_fatal("out of memory");
	if ((ms == 0 || !evtimer_pending(v->outcome_timer, NULL)) &&
	    event_add(v->outcome_timer, &tv) != 0)
		us_fatal("the timer of outcomes cannot be set");
}

static void
put_outcome(struct us_vault *v, uint64_t entry, enum us_reason reason, uint64_t sent)
{
	if (us_buf_put_u64(&v->outcomes, entry) != US_OK ||
	    us_buf_put_u8(&v->outcomes, (uint8_t)reason) != US_OK ||
	    us_buf_put_u64(&v->outcomes, sent) != US_OK)
		us_fatal("out of memory");
	tell_soon(v, 0);
}

void
us_vault_outcomes_init(struct us_vault *v)
{
	us_buf_init(&v->outcomes, OUTCOMES_MAX);
}

void
us_vault_outcomes_free(struct us_vault *v)
{
	while (v->late_first != NULL) {
		struct us_vault_late *next = v->late_first->next;

		free(v->late_first);
		v->late_first = next;
	}
	if (v->outcome_timer != NULL)
		event_free(v->outcome_timer);
	us_buf_free(&v->outcomes);
}

/* --- requests --------------------------------------------------------------------------------- */

void
us_vault_outcome_answered(struct us_vault *v, uint64_t entry)
{
	/* entries come back in the order of their indexes, but for late ones */
	if (entry != NO_ENTRY && entry >= v->answered)
		v->answered = entry + 1;
}

int
us_vault_outcome_is_given(int err)
{
	return err == US_OK || err == US_ERR_INTERNAL || err == US_ERR_REVOKED;
}

void
us_vault_outcome_granted(struct us_vault_request *r, uint64_t entry)
{
	struct us_vault *v = r->vault;
	struct us_vault_request *before = v->open_last;

	r->granted = entry;
	r->records_put = 0;
	if (r->open_entry != NO_ENTRY)
		return;
	r->open_entry = entry;
	while (before != NULL && before->open_entry > entry) /* r's was late */
		before = before->open_before;
	r->open_before = before;
	r->open_next = before == NULL ? v->open_first : before->open_next;
	if (r->open_next != NULL)
		r->open_next->open_before = r;
	else
		v->open_last = r;
	if (before != NULL)
		before->open_next = r;
	else
		v->open_first = r;
}

/* Each record of an answer ends in a newline: what left is all but those that are still here. */
static uint64_t
records_sent(const struct us_vault_request *r)
{
	const struct us_bytes unsent = us_work_unsent(&r->work);
	uint64_t kept = 0;

	for (size_t i = 0; i < unsent.n; i++)
		kept += unsent.p[i] == '\n';
	return r->records_put > kept ? r->records_put - kept : 0;
}

/* The "logged" of a request that has ended meanwhile: what it gave is thrown away. ctx: why the
 * request ended. */
static void
nobody_waits(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	const enum us_reason reason = (enum us_reason)(uintptr_t)ctx;
	struct us_msg_logged m;
	uint64_t entry = NO_ENTRY;
	int err = US_ERR_FORMAT;

	if (type == US_MSG_logged && us_msg_logged_decode(&m, body.p, body.n) == US_OK) {
		entry = m.index;
		err = m.err;
	}
	us_vault_outcome_answered(v, entry);
	if (us_vault_outcome_is_given(err))
		put_outcome(v, entry, reason, 0);
}

static void
leave_list(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;

	if (r->open_before != NULL)
		r->open_before->open_next = r->open_next;
	else
		v->open_first = r->open_next;
	if (r->open_next != NULL)
		r->open_next->open_before = r->open_before;
	else
		v->open_last = r->open_before;
	r->open_entry = NO_ENTRY;
}

void
us_vault_outcome_whole(struct us_vault_request *r)
{
	if (r->open_entry == NO_ENTRY)
		return;
	leave_list(r);
	tell_soon(r->vault, TELL_MS);
}

void
us_vault_outcome_end(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;

	if (r->late != NULL) {
		r->late->r = NULL;
		r->late->ending = r->ending;
	} else if (r->call != 0 && r->asks)
		us_vault_keeper_call_hand_over(v, r->call, nobody_waits,
		    (void *)(uintptr_t)r->ending);
	else
		us_vault_keeper_call_forget(v, r->call);
	if (r->open_entry == NO_ENTRY)
		return;
	leave_list(r);
	if (r->ending != US_REASON_NONE)
		put_outcome(v, r->granted, r->ending, records_sent(r));
	else
		tell_soon(v, TELL_MS);
}

/* --- late answers --------------------------------------------------------------------- */

struct us_vault_late *
us_vault_outcome_late(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;
	struct us_vault_late *late = calloc(1, sizeof *late);

	if (late == NULL)
		return NULL;
	/* its entry will stand behind all that has one by now */
	late->bound = v->tree_size > v->answered ? v->tree_size : v->answered;
	late->r = r;
	late->before = v->late_last;
	if (v->late_last != NULL)
		v->late_last->next = late;
	else
		v->late_first = late;
	v->late_last = late;
	r->late = late;
	return late;
}

struct us_vault_request *
us_vault_outcome_not_late(struct us_vault *v, struct us_vault_late *late, uint64_t entry, int given)
{
	struct us_vault_request *r = late->r;

	if (late->before != NULL)
		late->before->next = late->next;
	else
		v->late_first = late->next;
	if (late->next != NULL)
		late->next->before = late->before;
	else
		v->late_last = late->before;
	us_vault_outcome_answered(v, entry);
	if (r != NULL)
		r->late = NULL;
	else if (given)
		put_outcome(v, entry, late->ending, 0);
	else
		tell_soon(v, TELL_MS);
	free(late);
	return r;
}

void
us_vault_outcomes_open(struct us_vault *v)
{
	v->answered = v->ended_told = v->tree_size;
}
