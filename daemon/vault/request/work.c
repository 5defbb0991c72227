#include "daemon/vault/request/work.h"

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/process/slice.h"

/* --- states ----------------------------------------------------------------------------------- */

#define TO(state) (1u << (state))

/* From each state to which; an end is possible from all but STEPPING. */
static const unsigned char moves[] = {
	[US_WORK_IDLE] = TO(US_WORK_WAITING) | TO(US_WORK_ENDING) | TO(US_WORK_ENDED),
	[US_WORK_WAITING] = TO(US_WORK_STEPPING) | TO(US_WORK_ENDED),
	[US_WORK_STEPPING] = TO(US_WORK_WAITING) | TO(US_WORK_HELD) | TO(US_WORK_ENDING) |
	    TO(US_WORK_IDLE),
	[US_WORK_HELD] = TO(US_WORK_WAITING) | TO(US_WORK_IDLE) | TO(US_WORK_ENDED),
	[US_WORK_ENDING] = TO(US_WORK_IDLE) | TO(US_WORK_ENDED),
	[US_WORK_ENDED] = 0,
};

static void
leave_queue(struct us_work *work)
{
	struct us_work_queue *q = work->queue;
	struct us_work_flow *f = &q->flow[work->whose];

	*(work->before != NULL ? &work->before->next : &f->first) = work->next;
	*(work->next != NULL ? &work->next->before : &f->last) = work->before;
	work->before = work->next = NULL;
	q->n--;
	if (f->first != NULL)
		return;
	*(f->before != NULL ? &f->before->next : &q->active) = f->next;
	if (f->next != NULL)
		f->next->before = f->before;
}

/* NULL: nobody has anything. */
static struct us_work_flow *
least_used(const struct us_work_queue *q)
{
	struct us_work_flow *best = q->active;

	for (struct us_work_flow *f = best; f != NULL; f = f->next)
		if (f->used_ns < best->used_ns)
			best = f;
	return best;
}

static void
begin_flow(struct us_work_queue *q, struct us_work_flow *f)
{
	const struct us_work_flow *least = least_used(q);

	if (least != NULL && f->used_ns < least->used_ns)
		f->used_ns = least->used_ns;
	f->before = NULL;
	f->next = q->active;
	if (q->active != NULL)
		q->active->before = f;
	q->active = f;
}

static void
join_queue(struct us_work *work)
{
	struct us_work_queue *q = work->queue;
	struct us_work_flow *f = &q->flow[work->whose];

	if (f->first == NULL)
		begin_flow(q, f);
	work->before = f->last;
	work->next = NULL;
	*(f->last != NULL ? &f->last->next : &f->first) = work;
	f->last = work;
	q->n++;
	if (q->n == 1 && !q->in_turn)
		q->owner->turn(q->ctx, US_TURN_SOON);
}

/* The only place that changes a state, and the queue with it: what is WAITING is on it, and nothing
 * else. */
static void
move(struct us_work *work, enum us_work_state to)
{
	const enum us_work_state from = work->state;

	if ((moves[from] & TO(to)) == 0)
		us_panic("the work of an answer goes from state %d to %d", (int)from, (int)to);
	if (from == US_WORK_WAITING)
		leave_queue(work);
	work->state = to;
	if (to == US_WORK_WAITING)
		join_queue(work);
}

/* --- sending ---------------------------------------------------------------------------------- */

static size_t
unsent(const struct us_work *work)
{
	return work->out.len - work->out_at;
}

static int
window_is_open(const struct us_work *work)
{
	const struct us_work_owner *owner = work->queue->owner;

	return work->under_way + unsent(work) < owner->window && owner->has_room(work->ctx);
}

static int
send_piece(struct us_work *work, size_t n, int is_last)
{
	const struct us_piece piece = { .is_first = !work->begun,
		.is_last = is_last != 0,
		.bytes = { n == 0 ? NULL : work->out.data + work->out_at, n } };
	const int err = work->queue->owner->send(work->ctx, &piece);

	if (err != US_OK)
		return err;
	work->begun = 1;
	work->ended = is_last != 0;
	work->out_at += n;
	work->under_way += n;
	return US_OK;
}

/* Whether the next n bytes of it are the end of the answer. */
static int
is_last(const struct us_work *work, size_t n)
{
	return work->state == US_WORK_ENDING && n == unsent(work) &&
	    (!work->ends_when_taken || (n == 0 && work->under_way == 0));
}

/* Sends what the window allows. */
static int
flush(struct us_work *work)
{
	const struct us_work_owner *owner = work->queue->owner;
	size_t n, window;
	int err = US_OK;

	do {
		window = work->under_way < owner->window ? owner->window - work->under_way : 0;
		n = unsent(work) < owner->piece ? unsent(work) : owner->piece;
		if (n > window)
			n = window;
		if ((n == 0 && !is_last(work, n)) || !owner->has_room(work->ctx))
			break;
		err = send_piece(work, n, is_last(work, n));
	} while (err == US_OK && !work->ended);
	if (err == US_OK && unsent(work) == 0)
		us_work_clear(work);
	return err;
}

/* --- how it goes on: who calls one of these does not touch it any more ------------------------ */

static void
fail(struct us_work *work, int err)
{
	move(work, US_WORK_IDLE);
	work->queue->owner->failed(work->ctx, err);
}

static void
go_on_ending(struct us_work *work)
{
	const int err = flush(work);

	if (err != US_OK)
		fail(work, err);
	else if (work->ended)
		work->queue->owner->whole(work->ctx);
}

static void
go_on_later(struct us_work *work)
{
	const int err = flush(work);

	if (err != US_OK)
		fail(work, err);
	else if (window_is_open(work))
		move(work, US_WORK_WAITING);
	else if (work->state != US_WORK_HELD)
		move(work, US_WORK_HELD);
}

static void
go_on_done(struct us_work *work)
{
	const us_then_fn then = work->then;

	work->step = NULL;
	work->then = NULL;
	move(work, then != NULL ? US_WORK_IDLE : US_WORK_ENDING);
	if (then != NULL)
		then(work->ctx);
	else
		go_on_ending(work);
}

/* One slice of steps. */
static void
go_on(struct us_work *work)
{
	const struct us_work_owner *owner = work->queue->owner;
	struct us_slice slice;
	enum us_step how;
	int err = US_OK;

	move(work, US_WORK_STEPPING);
	us_slice_begin(&slice, US_SLICE_STEPS);
	do {
		how = work->step(work->ctx);
		if (how == US_STEP_AGAIN && unsent(work) >= owner->piece)
			err = flush(work);
	} while (how == US_STEP_AGAIN && err == US_OK && window_is_open(work) &&
	    !us_slice_is_over(&slice));
	if (err != US_OK) {
		fail(work, err);
		return;
	}
	switch (how) {
	case US_STEP_AGAIN:
		go_on_later(work);
		break;
	case US_STEP_DONE:
		go_on_done(work);
		break;
	case US_STEP_FAILED:
		fail(work, US_OK);
		break;
	}
}

/* --- interface -------------------------------------------------------------------------------- */

/* What others may do depends on the state too: not in the middle of a step, nor twice. */
static void
must_be_idle(const struct us_work *work)
{
	if (work->state != US_WORK_IDLE)
		us_panic("an answer is begun or finished in state %d", (int)work->state);
}

void
us_work_queue_init(struct us_work_queue *q, const struct us_work_owner *owner, void *ctx)
{
	*q = (struct us_work_queue){ .owner = owner, .ctx = ctx };
}

void
us_work_turn(struct us_work_queue *q)
{
	size_t left = q->n; /* no more than there are now: sockets are looked at between turns */
	struct us_work_flow *f;
	struct us_slice turn;

	us_slice_begin(&turn, US_SLICE_TURN);
	q->in_turn = 1;
	for (; left > 0 && (f = least_used(q)) != NULL; left--) {
		const int64_t began_ns = us_time_mono_ns();

		go_on(f->first);
		f->used_ns += us_time_mono_ns() - began_ns;
		if (us_slice_is_over(&turn))
			break;
	}
	q->in_turn = 0;
	if (q->n > 0)
		q->owner->turn(q->ctx, US_TURN_LATER);
}

void
us_work_belongs(struct us_work *work, uint64_t whose)
{
	must_be_idle(work);
	work->whose = (unsigned)(whose & (US_WORK_FLOWS - 1));
}

void
us_work_init(struct us_work *work, struct us_work_queue *q, void *ctx)
{
	struct us_buf out = work->out;

	us_buf_reset(&out);
	*work = (struct us_work){ .queue = q, .ctx = ctx, .state = US_WORK_IDLE, .out = out };
}

void
us_work_begin(struct us_work *work, us_step_fn step, us_then_fn then)
{
	must_be_idle(work);
	work->step = step;
	work->then = then;
	move(work, US_WORK_WAITING);
}

void
us_work_finish(struct us_work *work)
{
	must_be_idle(work);
	move(work, US_WORK_ENDING);
	go_on_ending(work);
}

void
us_work_credit(struct us_work *work, size_t bytes)
{
	work->under_way -= bytes < work->under_way ? bytes : work->under_way;
	switch (work->state) {
	case US_WORK_HELD:
		go_on_later(work);
		break;
	case US_WORK_ENDING:
		go_on_ending(work);
		break;
	case US_WORK_IDLE:
	case US_WORK_WAITING:
	case US_WORK_STEPPING:
	case US_WORK_ENDED:
		break;
	}
}

void
us_work_clear(struct us_work *work)
{
	us_buf_reset(&work->out);
	work->out_at = 0;
}

struct us_bytes
us_work_unsent(const struct us_work *work)
{
	const size_t n = unsent(work);

	return (struct us_bytes){ n == 0 ? NULL : work->out.data + work->out_at, n };
}

void
us_work_end(struct us_work *work)
{
	move(work, US_WORK_ENDED);
	us_work_clear(work);
}
