#include "daemon/vault/request/engine.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/request/shares.h"
#include "daemon/vault/request/tell.h"
#include "daemon/vault/state/keeper.h"

#define REPLY_PIECE (256u * 1024u) /* of an answer, in one message */
#define BODY_MAX (2u * 1024u * 1024u)
#define OUT_MAX (80u * 1024u * 1024u)
#ifdef US_SANITIZED
#define KEEP_REQUESTS 0 /* so that the sanitizer sees who touches one that has ended */
#else
#define KEEP_REQUESTS 256
#endif
#define KEEP_BUFFER (64u * 1024u)

struct us_vault_requests {
	const struct us_vault_step *refusal;
	struct us_work_queue queue;
	struct event *turn;
	struct us_vault_request *kept; /* have ended */
	size_t n_kept;
};

/* --- life ------------------------------------------------------------------------------------- */

struct us_vault_request *
us_vault_request_new(struct us_vault *v, struct us_vault_front *f, uint32_t tag)
{
	struct us_vault_requests *q = v->requests;
	struct us_vault_request *r = q->kept;
	struct us_buf body, out;

	if (r != NULL) {
		q->kept = r->tag_next;
		q->n_kept--;
		body = r->body;
		out = r->work.out;
	} else {
		r = malloc(sizeof *r);
		if (r == NULL)
			return NULL;
		us_buf_init(&body, BODY_MAX);
		us_buf_init(&out, OUT_MAX);
	}
	memset(r, 0, sizeof *r);
	r->body = body;
	r->work.out = out;
	us_work_init(&r->work, &q->queue, r);
	us_vault_outcome_begin(&r->ending);
	r->vault = v;
	r->front = f;
	r->tag = tag;
	r->entry = NO_ENTRY;
	r->status = 200;
	us_vault_front_link(f, r);
	return r;
}

static void
request_free(struct us_vault_request *r)
{
	us_buf_free(&r->body);
	us_buf_free(&r->work.out);
	free(r);
}

void
us_vault_request_end(struct us_vault_request *r, enum us_reason why)
{
	struct us_vault *v = r->vault;
	struct us_vault_requests *q = v->requests;

	r->ending.reason = why;
	us_vault_front_unlink(r->front, r);
	if (r->call != 0 && r->asks)
		us_vault_outcome_orphan(v->outcomes, r->call, why);
	else if (r->ending.late == NULL)
		us_vault_keeper_call_forget(v->keeper, r->call);
	us_vault_outcome_end(v->outcomes, &r->ending, us_work_unsent(&r->work));
	us_work_end(&r->work);
	us_vault_gate_leave(v->log_gate, &r->pass);
	us_vault_shares_end(r);
	us_vault_opening_leave(v->openings, &r->opening);
	if (r->own_free != NULL)
		r->own_free(r);
	if (q->n_kept + 1 > KEEP_REQUESTS || r->body.cap > KEEP_BUFFER ||
	    r->work.out.cap > KEEP_BUFFER) {
		request_free(r);
		return;
	}
	us_buf_reset(&r->body);
	r->tag_next = q->kept;
	q->kept = r;
	q->n_kept++;
}

/* Of an answer that r->problem ends. Cut: it had begun, and may not go on. */
static enum us_reason
how_it_ends(const struct us_vault_request *r)
{
	const uint16_t status = r->problem.status;

	if (r->refused)
		return US_REASON_NONE; /* the entry tells */
	return status == 403 || status == 404 || status == 409 ? US_REASON_CUT : US_REASON_ERROR;
}

static void
answer_problem(struct us_vault_request *r)
{
	us_vault_tell_problem(r);
	us_vault_request_end(r, how_it_ends(r));
}

/* --- steps ------------------------------------------------------------------------------------ */

static enum us_step
make_unit(void *ctx)
{
	struct us_vault_request *r = ctx;

	return r->step[-1].unit(r);
}

static void
units_made(void *ctx)
{
	us_vault_resume(ctx, US_VAULT_GO_ON);
}

/* The one place where steps are made. */
void
us_vault_resume(struct us_vault_request *r, enum us_vault_next how)
{
	while (how == US_VAULT_GO_ON || how == US_VAULT_REFUSE) {
		const struct us_vault_step *s;

		if (how == US_VAULT_REFUSE)
			r->step = r->vault->requests->refusal;
		s = r->step++;
		if (s->unit != NULL) {
			const int is_last = s[1].once == NULL && s[1].unit == NULL;

			r->heard = (struct us_vault_heard){ .type = 0 };
			us_work_begin(&r->work, make_unit, is_last ? NULL : units_made);
			return;
		}
		how = s->once == NULL ? US_VAULT_ANSWER : s->once(r);
		r->heard = (struct us_vault_heard){ .type = 0 };
	}
	if (how == US_VAULT_ANSWER)
		us_work_finish(&r->work);
	else if (how == US_VAULT_FAIL)
		answer_problem(r);
}

/* --- what work.c asks for --------------------------------------------------------------------- */

/* While its front is behind with what it has been sent, the answer waits for
 * us_vault_front_drained(). */
static int
front_has_room(void *ctx)
{
	const struct us_vault_request *r = ctx;

	return !us_channel_is_high(us_vault_front_channel(r->front));
}

static void
answer_is_whole(void *ctx)
{
	us_vault_request_end(ctx, US_REASON_NONE);
}

static void
answer_has_failed(void *ctx, int err)
{
	struct us_vault_request *r = ctx;

	if (err != US_OK)
		(void)us_vault_fail(r, err, US_REASON_ERROR, r->entry);
	answer_problem(r);
}

/* LATER by a timer that is due at once, not by event_active(): that would make steps on and on
 * before sockets are looked at again. */
static void
want_turn(void *ctx, enum us_turn when)
{
	static const struct timeval at_once = { 0, 0 };
	struct us_vault_requests *q = ctx;

	switch (when) {
	case US_TURN_SOON:
		event_active(q->turn, EV_TIMEOUT, 1);
		break;
	case US_TURN_LATER:
		if (event_add(q->turn, &at_once) != 0)
			us_fatal("the next turn of answers cannot be set");
		break;
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_vault_requests_turn(arg);
}

int
us_vault_requests_new(struct us_vault_requests **out, struct event_base *base,
    const struct us_vault_step *refusal)
{
	static const struct us_work_owner owner = { .window = US_REPLY_WINDOW,
		.piece = REPLY_PIECE,
		.has_room = front_has_room,
		.send = us_vault_tell_piece,
		.whole = answer_is_whole,
		.failed = answer_has_failed,
		.turn = want_turn };
	struct us_vault_requests *q = calloc(1, sizeof *q);

	*out = NULL;
	if (q == NULL || (q->turn = event_new(base, -1, 0, on_turn, q)) == NULL) {
		free(q);
		return US_ERR_NOMEM;
	}
	q->refusal = refusal;
	us_work_queue_init(&q->queue, &owner, q);
	*out = q;
	return US_OK;
}

void
us_vault_requests_free(struct us_vault_requests *q)
{
	if (q == NULL)
		return;
	while (q->kept != NULL) {
		struct us_vault_request *r = q->kept;

		q->kept = r->tag_next;
		request_free(r);
	}
	event_free(q->turn);
	free(q);
}

int
us_vault_requests_have_work(const struct us_vault_requests *q)
{
	return q->queue.n > 0;
}

void
us_vault_requests_turn(struct us_vault_requests *q)
{
	us_work_turn(&q->queue);
}
