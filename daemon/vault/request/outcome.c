#include "daemon/vault/request/outcome.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"

#define TELL_MS 1000     /* how soon the keeper hears that answers have left */
#define OUTCOME_SIZE 17u /* u64 entry, u8 reason, u64 records */
#define OUTCOMES_AT_ONCE 512u
#define OUTCOMES_MAX (65536u * OUTCOME_SIZE)

/* A question whose answer may be late. Its entry cannot be below `bound`. */
struct us_vault_late {
	struct us_vault_outcomes *outcomes;
	struct us_vault_late *before, *next;
	uint64_t bound;
	struct us_vault_ending *of;
	struct us_vault_request *r; /* NULL if it has ended, for `reason` */
	enum us_reason reason;
};

/* What hears answers of requests that have ended for that reason. */
struct us_vault_orphans {
	struct us_vault_outcomes *outcomes;
	enum us_reason reason;
};

struct us_vault_outcomes {
	struct event_base *base;
	const struct us_vault_state *state;
	struct us_vault_keeper *keeper;
	struct us_vault_ending *first, *last;         /* whose answers have not ended, by entry */
	struct us_vault_late *late_first, *late_last; /* by bound */
	uint64_t answered;   /* the keeper's newest answer was about the entry before this */
	uint64_t told;       /* answers to entries before it have ended, and the keeper knows */
	struct us_buf texts; /* to tell: as in the message */
	struct event *timer;
	struct us_vault_orphans orphans[US_REASONS_MAX]; /* by reason */
};

/* --- telling ---------------------------------------------------------------------------------- */

static uint64_t
ended(const struct us_vault_outcomes *o)
{
	const uint64_t to = o->first != NULL ? o->first->first : o->answered;

	return o->late_first != NULL && o->late_first->bound < to ? o->late_first->bound : to;
}

void
us_vault_outcomes_tell(struct us_vault_outcomes *o)
{
	struct us_msg_answers m = { .ended = o->told };
	size_t at = 0;
	int err = US_OK;

	if (us_vault_keeper_channel(o->keeper) == NULL)
		return;
	do {
		size_t n = o->texts.len - at;

		if (n > OUTCOMES_AT_ONCE * OUTCOME_SIZE)
			n = OUTCOMES_AT_ONCE * OUTCOME_SIZE;
		m.outcomes = (struct us_bytes){ o->texts.data + at, n };
		at += n;
		if (at == o->texts.len)
			m.ended = ended(o);
		if (n > 0 || m.ended != o->told)
			err = us_send_answers(us_vault_keeper_channel(o->keeper), 0, &m);
	} while (err == US_OK && at < o->texts.len);
	if (err != US_OK)
		us_fatal("the keeper cannot be told how answers ended: %s", us_strerror(err));
	o->told = m.ended;
	us_buf_reset(&o->texts);
}

int
us_vault_outcomes_told(const struct us_vault_outcomes *o)
{
	return o->texts.len == 0 && o->told == ended(o);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_vault_outcomes_tell(arg);
}

static void
tell_soon(struct us_vault_outcomes *o, int ms)
{
	const struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (us_vault_is_leaving(o->state))
		return;
	if (o->timer == NULL)
		o->timer = evtimer_new(o->base, on_timer, o);
	if (o->timer == NULL)
		us_fatal("out of memory");
	if ((ms == 0 || !evtimer_pending(o->timer, NULL)) && event_add(o->timer, &tv) != 0)
		us_fatal("the timer of outcomes cannot be set");
}

static void
put_outcome(struct us_vault_outcomes *o, uint64_t entry, enum us_reason reason, uint64_t sent)
{
	if (us_buf_put_u64(&o->texts, entry) != US_OK ||
	    us_buf_put_u8(&o->texts, (uint8_t)reason) != US_OK ||
	    us_buf_put_u64(&o->texts, sent) != US_OK)
		us_fatal("out of memory");
	tell_soon(o, 0);
}

int
us_vault_outcomes_new(struct us_vault_outcomes **out, struct event_base *base,
    const struct us_vault_state *state, struct us_vault_keeper *keeper)
{
	struct us_vault_outcomes *o = calloc(1, sizeof *o);

	*out = o;
	if (o == NULL)
		return US_ERR_NOMEM;
	o->base = base;
	o->state = state;
	o->keeper = keeper;
	us_buf_init(&o->texts, OUTCOMES_MAX);
	for (size_t i = 0; i < US_COUNT(o->orphans); i++)
		o->orphans[i] = (struct us_vault_orphans){ o, (enum us_reason)i };
	return US_OK;
}

void
us_vault_outcomes_free(struct us_vault_outcomes *o)
{
	if (o == NULL)
		return;
	while (o->late_first != NULL) {
		struct us_vault_late *next = o->late_first->next;

		free(o->late_first);
		o->late_first = next;
	}
	if (o->timer != NULL)
		event_free(o->timer);
	us_buf_free(&o->texts);
	free(o);
}

/* --- requests --------------------------------------------------------------------------------- */

void
us_vault_outcome_answered(struct us_vault_outcomes *o, uint64_t entry)
{
	/* entries come back in the order of their indexes, but for late ones */
	if (entry != NO_ENTRY && entry >= o->answered)
		o->answered = entry + 1;
}

int
us_vault_outcome_is_given(int err)
{
	return err == US_OK || err == US_ERR_INTERNAL || err == US_ERR_REVOKED;
}

void
us_vault_outcome_begin(struct us_vault_ending *e)
{
	*e = (struct us_vault_ending){ .reason = US_REASON_ERROR,
		.newest = NO_ENTRY,
		.first = NO_ENTRY };
}

void
us_vault_outcome_granted(struct us_vault_outcomes *o, struct us_vault_ending *e, uint64_t entry)
{
	struct us_vault_ending *before = o->last;

	e->newest = entry;
	e->records = 0;
	if (e->first != NO_ENTRY)
		return;
	e->first = entry;
	while (before != NULL && before->first > entry) /* this one was late */
		before = before->before;
	e->before = before;
	e->next = before == NULL ? o->first : before->next;
	*(e->next != NULL ? &e->next->before : &o->last) = e;
	*(before != NULL ? &before->next : &o->first) = e;
}

static void
leave_list(struct us_vault_outcomes *o, struct us_vault_ending *e)
{
	*(e->before != NULL ? &e->before->next : &o->first) = e->next;
	*(e->next != NULL ? &e->next->before : &o->last) = e->before;
	e->first = NO_ENTRY;
}

void
us_vault_outcome_whole(struct us_vault_outcomes *o, struct us_vault_ending *e)
{
	if (e->first == NO_ENTRY)
		return;
	leave_list(o, e);
	tell_soon(o, TELL_MS);
}

/* Each record of an answer ends in a newline: what left is all but those that are still here. */
static uint64_t
records_sent(const struct us_vault_ending *e, struct us_bytes unsent)
{
	uint64_t kept = 0;

	for (size_t i = 0; i < unsent.n; i++)
		kept += unsent.p[i] == '\n';
	return e->records > kept ? e->records - kept : 0;
}

void
us_vault_outcome_end(struct us_vault_outcomes *o, struct us_vault_ending *e, struct us_bytes unsent)
{
	if (e->late != NULL) {
		e->late->r = NULL;
		e->late->reason = e->reason;
	}
	if (e->first == NO_ENTRY)
		return;
	leave_list(o, e);
	if (e->reason != US_REASON_NONE)
		put_outcome(o, e->newest, e->reason, records_sent(e, unsent));
	else
		tell_soon(o, TELL_MS);
}

/* What its entry gave is thrown away. */
static void
nobody_waits(void *ctx, uint16_t type, struct us_bytes body)
{
	const struct us_vault_orphans *orphans = ctx;
	struct us_msg_logged m;
	uint64_t entry = NO_ENTRY;
	int err = US_ERR_FORMAT;

	if (type == US_MSG_logged && us_msg_logged_decode(&m, body.p, body.n) == US_OK) {
		entry = m.index;
		err = m.err;
	}
	us_vault_outcome_answered(orphans->outcomes, entry);
	if (us_vault_outcome_is_given(err))
		put_outcome(orphans->outcomes, entry, orphans->reason, 0);
}

void
us_vault_outcome_orphan(struct us_vault_outcomes *o, uint32_t tag, enum us_reason reason)
{
	us_vault_keeper_call_hand_over(o->keeper, tag, nobody_waits, &o->orphans[reason]);
}

uint64_t
us_vault_outcome_log_size(const struct us_vault_outcomes *o)
{
	const uint64_t size = us_vault_tree_size(o->keeper);

	return size > o->answered ? size : o->answered;
}

/* --- late answers --------------------------------------------------------------------- */

struct us_vault_late *
us_vault_outcome_late(struct us_vault_outcomes *o, struct us_vault_ending *e,
    struct us_vault_request *r)
{
	struct us_vault_late *late = calloc(1, sizeof *late);

	if (late == NULL)
		return NULL;
	late->outcomes = o;
	/* its entry will stand behind all that has one by now */
	late->bound = us_vault_outcome_log_size(o);
	late->of = e;
	late->r = r;
	late->before = o->late_last;
	*(o->late_last != NULL ? &o->late_last->next : &o->late_first) = late;
	o->late_last = late;
	e->late = late;
	return late;
}

struct us_vault_request *
us_vault_outcome_not_late(struct us_vault_late *late, uint64_t entry, int given)
{
	struct us_vault_outcomes *o = late->outcomes;
	struct us_vault_request *r = late->r;

	*(late->before != NULL ? &late->before->next : &o->late_first) = late->next;
	*(late->next != NULL ? &late->next->before : &o->late_last) = late->before;
	us_vault_outcome_answered(o, entry);
	if (r != NULL)
		late->of->late = NULL;
	else if (given)
		put_outcome(o, entry, late->reason, 0);
	else
		tell_soon(o, TELL_MS);
	free(late);
	return r;
}

void
us_vault_outcomes_open(struct us_vault_outcomes *o)
{
	o->answered = o->told = us_vault_tree_size(o->keeper);
}
