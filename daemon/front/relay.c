/* Requests under way: to the vault or an intake, and their answers back to the client. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/front/front_internal.h"
#include "daemon/process/counts.h"

#define CREDIT_STEP (64u * 1024u)
/* One piece of a reply more than the window is a vault that does not keep to it. */
#define REPLY_SLACK (1048576u)

static const struct us_problem busy = { .status = 503,
	.type = "busy",
	.detail = "too much is under way, try again",
	.retry_after = 1 };

const struct us_problem us_relay_too_many = { .status = 429,
	.type = "too-many",
	.detail = "you have your share of what is under way here, try again",
	.retry_after = 1 };

/* --- room ------------------------------------------------------------------------------ */

int
us_relay_admit(struct us_conn *c, const struct us_route *route, struct us_problem *p)
{
	if (route->info->kind == US_REQUEST_part && us_conn_charge_part(c) != US_OK) {
		*p = us_relay_too_many;
		return p->status;
	}
	return 0;
}

void
us_relay_release(struct us_conn *c)
{
	us_conn_give_back(c);
	if (c->route != NULL)
		us_front_route_put(c->front, c->route);
	c->route = NULL;
	us_buf_free(&c->body);
}

/* --- requests -------------------------------------------------------------------------- */

static uint32_t
tag_of(const struct us_conn *c)
{
	return c->slot | c->generation << US_SLOT_BITS;
}

/* The connection whose request has this tag, or NULL if it is gone. */
static struct us_conn *
find(struct us_front *f, uint32_t tag)
{
	uint32_t slot = tag & ((1u << US_SLOT_BITS) - 1);
	struct us_conn *c = slot < f->connections_max ? f->slots[slot] : NULL;

	return c != NULL && c->state == US_CONN_WAIT && tag_of(c) == tag ? c : NULL;
}

/* Parts go round among the intakes that live, by their number. */
static int
pick_intake(const struct us_front *f, uint32_t part)
{
	unsigned alive = 0, nth;

	for (unsigned i = 0; i < f->intake_n; i++)
		alive += f->intakes[i] != NULL;
	if (alive == 0)
		return -1;
	nth = part % alive;
	for (unsigned i = 0; i < f->intake_n; i++)
		if (f->intakes[i] != NULL && nth-- == 0)
			return (int)i;
	return -1;
}

static int
send_part(struct us_conn *c, const struct us_msg_part *m, struct us_problem *p)
{
	struct us_front *f = c->front;
	int i = pick_intake(f, m->part);

	if (i < 0) {
		*p = (struct us_problem){ .status = 503,
			.type = "intake",
			.detail = "no intake is running now, try again",
			.retry_after = 1 };
		return p->status;
	}
	if (us_send_part(f->intakes[i], tag_of(c), m) != US_OK) {
		*p = busy;
		return p->status;
	}
	c->intake = (int16_t)i;
	return 0;
}

void
us_relay_request(struct us_conn *c, const struct us_route *route, struct us_bytes body)
{
	struct us_front *f = c->front;
	struct us_problem problem = busy;
	struct us_request request;
	struct us_who who = { .peer = { (const uint8_t *)c->peer, c->peer_n } };
	int status;

	memcpy(who.credential, c->credential, sizeof who.credential);
	c->generation = ++f->generations[c->slot] & (UINT32_MAX >> US_SLOT_BITS);
	c->intake = -1;
	c->uncredited = 0;
	status = us_request_decode(route, body, &who, &f->arena, &request, &problem);
	if (status == 0 && request.type == US_MSG_part)
		status = send_part(c, &request.u.part, &problem);
	else if (status == 0 &&
	    (f->vault == NULL || us_channel_backlog(f->vault) > US_BACKLOG_MAX ||
		us_request_send(f->vault, tag_of(c), request.type, &request.u) != US_OK)) {
		problem = busy;
		status = problem.status;
	}
	if (f->arena.cap > 65536)
		us_buf_free(&f->arena);
	if (status != 0) {
		us_relay_problem(c, &problem, 0);
		return;
	}
	us_conn_move(c, US_CONN_WAIT);
	c->deadline = INT64_MAX;
}

/* err: of telling the vault what an answer there waits for. */
static void
told(struct us_front *f, int err)
{
	if (err != US_OK)
		us_front_fail(f, "the vault cannot be told how an answer goes on");
}

void
us_relay_cancel(struct us_conn *c)
{
	struct us_msg_cancel m = { 0 };

	if (c->state == US_CONN_WAIT && c->intake < 0 && c->front->vault != NULL)
		told(c->front, us_send_cancel(c->front->vault, tag_of(c), &m));
	c->intake = -1;
}

/* --- answers --------------------------------------------------------------------------- */

static int
will_close(const struct us_conn *c)
{
	return c->close || c->front->now - c->born >= US_AGE_SECONDS;
}

/* A whole answer at once. */
static void
answer(struct us_conn *c, struct us_answer *a, struct us_bytes body)
{
	char head[US_ANSWER_HEAD_MAX];
	struct us_bytes parts[2];

	a->date = c->front->date;
	a->close = will_close(c);
	a->length = body.n;
	parts[0] = (struct us_bytes){ (const uint8_t *)head, us_answer_head(a, head) };
	parts[1] = body;
	us_conn_send(c, parts, 2);
	if (c->state != US_CONN_DEAD)
		us_conn_answered(c);
}

void
us_relay_problem(struct us_conn *c, const struct us_problem *p, int close)
{
	struct us_answer a = { .status = p->status,
		.type = US_TYPE_PROBLEM,
		.entry = UINT64_MAX,
		.retry_after = p->retry_after,
		.allow = p->allow };
	char body[US_ANSWER_PROBLEM_MAX];
	size_t n = us_answer_problem(p, body);

	us_relay_refused(c->front,
	    p->status == 401     ? US_REASON_TICKET :
		p->status == 408 ? US_REASON_TIMEOUT :
		p->status == 404 ? US_REASON_NOT_FOUND :
		p->status == 429 ? US_REASON_OVER_LIMIT :
		p->status < 500  ? US_REASON_MALFORMED :
				   US_REASON_OVER_LIMIT);
	if (close)
		c->close = 1;
	answer(c, &a, (struct us_bytes){ (const uint8_t *)body, n });
}

void
us_relay_credit(struct us_conn *c)
{
	struct us_msg_credit m;
	size_t left = c->out.len - c->out_at;
	size_t gone = c->uncredited > left ? c->uncredited - left : 0;

	if (gone == 0 || (gone < CREDIT_STEP && left > 0) || c->intake >= 0)
		return;
	c->uncredited -= gone;
	m.bytes = (uint32_t)gone;
	if (c->front->vault != NULL)
		told(c->front, us_send_credit(c->front->vault, tag_of(c), &m));
}

/* A piece of a streamed answer in a chunk of its own, the end behind the last. */
static void
send_chunk(struct us_conn *c, struct us_bytes head, struct us_bytes body, int last)
{
	static const char end[] = "0\r\n\r\n", line[] = "\r\n";
	struct us_bytes parts[5];
	size_t n = 0;
	char size[16];

	if (head.n != 0)
		parts[n++] = head;
	if (body.n != 0) {
		int k = snprintf(size, sizeof size, "%zx\r\n", body.n);

		parts[n++] = (struct us_bytes){ (const uint8_t *)size, (size_t)k };
		parts[n++] = body;
		parts[n++] = (struct us_bytes){ (const uint8_t *)line, 2 };
	}
	if (last)
		parts[n++] = (struct us_bytes){ (const uint8_t *)end, 5 };
	c->uncredited += body.n;
	if (c->uncredited > US_REPLY_WINDOW + REPLY_SLACK) {
		us_log(US_LOG_WARNING, "the vault sends beyond its window: dropping a connection");
		us_conn_drop(c);
		return;
	}
	us_conn_send(c, parts, n);
	if (c->state == US_CONN_DEAD)
		return;
	if (last)
		us_conn_answered(c);
	else
		us_relay_credit(c);
}

static int
on_reply(struct us_front *f, uint32_t tag, struct us_bytes body)
{
	char head[US_ANSWER_HEAD_MAX];
	struct us_msg_reply m;
	struct us_answer a;
	struct us_conn *c;
	size_t n;
	int err = us_msg_reply_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	c = find(f, tag);
	if (c == NULL || c->intake >= 0 || c->streaming)
		return c != NULL && c->streaming ? US_ERR_MALFORMED : US_OK;
	a = (struct us_answer){ .status = m.status,
		.type = (enum us_content_type)m.type,
		.retry_after = m.retry_after,
		.entry = m.entry,
		.checkpoint = m.checkpoint };
	if (m.last) {
		answer(c, &a, m.body);
		return US_OK;
	}
	a.chunked = 1;
	a.date = f->date;
	a.close = will_close(c);
	c->close = (uint8_t)a.close; /* said now, so done later */
	c->streaming = 1;
	n = us_answer_head(&a, head);
	send_chunk(c, (struct us_bytes){ (const uint8_t *)head, n }, m.body, 0);
	return US_OK;
}

static int
on_reply_more(struct us_front *f, uint32_t tag, struct us_bytes body)
{
	struct us_bytes none = { NULL, 0 };
	struct us_msg_reply_more m;
	struct us_conn *c;
	int err = us_msg_reply_more_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	c = find(f, tag);
	if (c == NULL)
		return US_OK;
	if (!c->streaming)
		return US_ERR_MALFORMED;
	send_chunk(c, none, m.body, m.last);
	return US_OK;
}

static int
on_vault(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	(void)ch;
	(void)fd;
	switch (type) {
	case US_MSG_reply:
		return on_reply(ctx, tag, body);
	case US_MSG_reply_more:
		return on_reply_more(ctx, tag, body);
	default:
		return US_ERR_MALFORMED;
	}
}

/* Without a vault there is nothing to do here; the monitor ends the daemon. */
static void
on_vault_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_front *f = ctx;

	(void)ch;
	(void)err;
	f->vault = NULL;
	us_log(US_LOG_NOTICE, "the vault is gone: stopping");
	us_relay_last_words(f);
	(void)event_base_loopbreak(f->base);
}

const struct us_channel_handler us_relay_vault_handler = { .on_message = on_vault,
	.on_close = on_vault_close };

static int
on_intake(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_answer a = { .entry = UINT64_MAX };
	struct us_msg_part_done m;
	struct us_conn *c;
	int err;

	(void)fd;
	if (type != US_MSG_part_done)
		return US_ERR_MALFORMED;
	err = us_msg_part_done_decode(&m, body.p, body.n);
	if (err != US_OK)
		return err;
	c = find(ctx, tag);
	/* only the intake that has the part may answer for it */
	if (c == NULL || c->intake != us_channel_peer_index(ch))
		return US_OK;
	c->intake = -1;
	/* no log entry tells of it: it is counted, as what is refused here is */
	if (m.status == 401 || m.status == 403)
		us_relay_refused(ctx, US_REASON_TICKET);
	a.status = m.status;
	/* 422 is the report of a part with defects */
	a.type = m.status < 400 || m.status == 422 ? US_TYPE_JSON : US_TYPE_PROBLEM;
	answer(c, &a, m.body);
	return US_OK;
}

/* The monitor starts an intake anew and sends a channel to it; what this one held is lost. */
static void
on_intake_close(void *ctx, struct us_channel *ch, int err)
{
	static const struct us_problem lost = { .status = 503,
		.type = "intake",
		.detail = "the intake that held this part has ended, send it again",
		.retry_after = 1 };
	struct us_front *f = ctx;
	uint8_t index = us_channel_peer_index(ch);
	struct us_conn *c;

	(void)err;
	if (f->intakes[index] == ch) {
		f->intakes[index] = NULL;
		f->intake_lost[index] = f->now;
	}
	us_log(US_LOG_WARNING, "intake %u has ended", index);
	for (uint32_t i = 0; i < f->connections_max; i++) {
		c = f->slots[i];
		if (c == NULL || c->state != US_CONN_WAIT || c->intake != index)
			continue;
		c->intake = -1;
		us_relay_problem(c, &lost, 0);
	}
}

const struct us_channel_handler us_relay_intake_handler = { .on_message = on_intake,
	.on_close = on_intake_close };

/* --- what was refused here ---------------------------------------------------------------- */

void
us_relay_refused(struct us_front *f, enum us_reason why)
{
	if (f->refused[(uint8_t)why] < UINT32_MAX)
		f->refused[(uint8_t)why]++;
}

void
us_relay_handshakes(struct us_front *f)
{
	uint8_t counts[US_REASONS_MAX * US_COUNT_BYTES];
	struct us_msg_handshakes m = { .counts = { counts, 0 } };

	if (f->vault == NULL || f->now - f->last_handshakes < US_HANDSHAKES_SECONDS ||
	    us_channel_backlog(f->vault) > 0)
		return;
	m.counts.n = us_counts_pack(f->refused, counts, sizeof counts);
	if (m.counts.n == 0)
		return;
	f->last_handshakes = f->now;
	if (us_send_handshakes(f->vault, 0, &m) != US_OK)
		return;
	/* a vault that has hung up has not got them: they are for the last words then */
	us_channel_flush(f->vault);
	if (f->vault != NULL && !us_channel_is_gone(f->vault))
		memset(f->refused, 0, sizeof f->refused);
}

void
us_relay_shares(struct us_front *f)
{
	uint8_t now[sizeof f->told] = { 0 };
	const size_t n = us_shares_pack(f->shares, US_SHARE_FRONT,
	    us_time_mono_ns() / US_FRONT_NS_PER_MS, now);
	const struct us_msg_shares m = { .figures = { now, n } };

	/* figures: nobody waits for them, so whoever is behind does without */
	if (f->vault == NULL || us_channel_backlog(f->vault) > 0 ||
	    memcmp(now, f->told, sizeof now) == 0 || us_send_shares(f->vault, 0, &m) != US_OK)
		return;
	memcpy(f->told, now, sizeof now);
}

void
us_relay_last_words(struct us_front *f)
{
	uint8_t counts[US_REASONS_MAX * US_COUNT_BYTES];
	const struct us_msg_uncounted m = {
		.counts = { counts, us_counts_pack(f->refused, counts, sizeof counts) }
	};

	/* what was said to a vault that is still there arrives */
	if (f->vault != NULL)
		us_channel_flush(f->vault);
	if (m.counts.n == 0 || f->control == NULL || us_send_uncounted(f->control, 0, &m) != US_OK)
		return;
	us_channel_flush(f->control);
	memset(f->refused, 0, sizeof f->refused);
}
