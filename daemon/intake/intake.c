#include "daemon/intake/intake.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/intake/answer.h"
#include "daemon/intake/part.h"
#include "daemon/process/role.h"

#define FRONTS_MAX 256
#define PENDING_MAX 64
#define LOST_SECONDS 10

/* A part that the sealer has not answered yet. */
struct us_intake_pending {
	int used;
	uint8_t front;
	struct us_channel *channel; /* the front's, NULL if it is gone */
	uint32_t front_tag;
	uint32_t tag; /* towards the sealer */
	uint8_t flags;
	struct us_intake_taken part;
};

struct us_intake {
	struct event_base *base;
	struct event *lost; /* pending while there is no sealer */
	struct us_part_worker *worker;
	struct us_channel *front[FRONTS_MAX];
	struct us_channel *sealer;
	uint32_t next_tag;
	struct us_intake_pending pending[PENDING_MAX];
};

static const struct us_channel_handler handler;
static void on_lost(evutil_socket_t fd, short what, void *arg);

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_intake *in = ctx;

	(void)index;
	(void)settings;
	in->base = base;
	if (in->lost == NULL)
		in->lost = evtimer_new(base, on_lost, in);
	return in->lost == NULL ? US_ERR_NOMEM : US_OK;
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	struct us_intake *in = ctx;
	struct us_channel **slot = peer == US_ROLE_FRONT ? &in->front[index] : &in->sealer;
	struct us_channel *ch;

	if (peer != US_ROLE_FRONT && peer != US_ROLE_SEALER) {
		(void)close(fd);
		return US_ERR_MALFORMED;
	}
	ch = us_channel_new(in->base, fd, US_ROLE_INTAKE, peer, index, &handler, in);
	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	/* an old one reports its end by itself, and finds that it stands nowhere any more */
	*slot = ch;
	if (peer == US_ROLE_SEALER)
		(void)event_del(in->lost);
	return US_OK;
}

static void
done(struct us_channel *ch, uint32_t tag, uint16_t status, struct us_buf *body)
{
	struct us_msg_part_done m = { .status = status, .body = { body->data, body->len } };
	const int err = us_send_part_done(ch, tag, &m);

	if (err != US_OK) /* who sent the part would wait for ever */
		us_channel_fail(ch, err);
}

/* A part that failed as a whole. */
static void
fail_for(struct us_channel *ch, uint32_t tag, uint32_t part, const struct us_intake_failure *why)
{
	struct us_buf body;

	us_buf_init(&body, US_INTAKE_BODY_MAX);
	us_intake_problem(part, why, &body);
	done(ch, tag, why->status, &body);
	us_buf_free(&body);
}

static void
fail(struct us_channel *ch, uint32_t tag, uint32_t part, uint16_t status, const char *why,
    enum us_defect code)
{
	const struct us_intake_failure failure = { .status = status, .why = why, .code = code };

	fail_for(ch, tag, part, &failure);
}

static struct us_intake_pending *
pending_new(struct us_intake *in)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (!in->pending[i].used)
			return &in->pending[i];
	}
	return NULL;
}

static void
pending_end(struct us_intake_pending *p)
{
	free(p->part.defects);
	*p = (struct us_intake_pending){ 0 };
}

static int
keep_defects(struct us_intake_taken *p, const struct us_part_result *r)
{
	size_t n = r->n_defects < US_INTAKE_LINES_SHOWN ? r->n_defects : US_INTAKE_LINES_SHOWN;

	p->n_defects = r->n_defects;
	if (n == 0)
		return US_OK;
	p->defects = malloc(n * sizeof *p->defects);
	if (p->defects == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		p->defects[i] = r->defects[i];
	return US_OK;
}

static int
on_part(struct us_intake *in, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_part m;
	struct us_part_result *r;
	struct us_msg_documents d;
	struct us_intake_pending *p;
	int err = us_msg_part_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	p = pending_new(in);
	if (in->sealer == NULL || p == NULL) {
		fail(ch, tag, m.part, 503, "the load cannot be taken at present: try again",
		    US_DEFECT_NONE);
		return US_OK;
	}
	struct us_part part = { m.part, m.first_line, m.encoding, m.digest, m.data };

	if (m.format != 0) {
		fail(ch, tag, m.part, 400, "unknown format", US_DEFECT_NONE);
		return US_OK;
	}
	err = us_part_process(in->worker, &part, us_time_now_ns(), &r);
	if (err != US_OK) {
		if (r->why == NULL)
			us_log_err(err, "cannot read a part");
		fail(ch, tag, m.part, r->why != NULL ? 400 : 503,
		    r->why != NULL ? r->why : "the intake failed: try again", r->code);
		return US_OK;
	}
	*p = (struct us_intake_pending){ .used = 1,
		.front = us_channel_peer_index(ch),
		.channel = ch,
		.front_tag = tag,
		.tag = ++in->next_tag,
		.flags = m.flags,
		.part = { .part = m.part, .records = r->records } };
	d = (struct us_msg_documents){ .ticket = m.ticket,
		.load = m.load,
		.part = m.part,
		.flags = m.flags,
		.count = r->count,
		.defects = r->n_defects,
		.documents = { r->documents.data, r->documents.len } };
	memcpy(d.credential, m.credential, sizeof d.credential);
	memcpy(d.digest, m.digest, sizeof d.digest);
	err = keep_defects(&p->part, r);
	if (err == US_OK)
		err = us_send_documents(in->sealer, p->tag, &d);
	if (err != US_OK) {
		us_log_err(err, "cannot hand a part to the sealer");
		pending_end(p);
		fail(ch, tag, m.part, 503, "the load cannot be taken at present: try again",
		    US_DEFECT_NONE);
	}
	us_part_worker_clear(in->worker);
	(void)malloc_trim(0);
	return US_OK;
}

static int
on_documents_done(struct us_intake *in, uint32_t tag, struct us_bytes body)
{
	struct us_msg_documents_done m;
	struct us_intake_pending *p = NULL;
	struct us_buf text;
	struct us_intake_failure why;
	int err = us_msg_documents_done_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	for (size_t i = 0; i < PENDING_MAX && p == NULL; i++) {
		if (in->pending[i].used && in->pending[i].tag == tag)
			p = &in->pending[i];
	}
	if (p == NULL)
		return US_ERR_MALFORMED;
	if (p->channel == NULL) {
		pending_end(p);
		return US_OK;
	}
	if (m.err != US_OK) {
		why = us_intake_failure_of(m.err, (enum us_reason)m.reason);
		fail_for(p->channel, p->front_tag, p->part.part, &why);
		pending_end(p);
		return US_OK;
	}
	us_buf_init(&text, US_INTAKE_BODY_MAX);
	err = us_intake_report(&p->part, &m, &text);
	if (err == US_OK)
		done(p->channel, p->front_tag,
		    (p->flags & US_LOAD_SKIP_DEFECTS) == 0 && m.refused + p->part.n_defects > 0 ?
			422 :
			200,
		    &text);
	else
		fail(p->channel, p->front_tag, p->part.part, 500, "the intake failed",
		    US_DEFECT_NONE);
	us_buf_free(&text);
	pending_end(p);
	return US_OK;
}

static int
on_message(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_intake *in = ctx;

	(void)fd;
	if (type == US_MSG_part && us_channel_peer(ch) == US_ROLE_FRONT)
		return on_part(in, ch, tag, body);
	if (type == US_MSG_documents_done && us_channel_peer(ch) == US_ROLE_SEALER)
		return on_documents_done(in, tag, body);
	return US_ERR_MALFORMED;
}

/* A sealer that ended is started anew, and comes with a new channel. One that only ended ours does
 * not. */
static void
on_lost(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	us_fatal("no sealer has come for %d seconds. Stopping", LOST_SECONDS);
}

static void
on_close(void *ctx, struct us_channel *ch, int err)
{
	static const struct timeval wait = { LOST_SECONDS, 0 };
	struct us_intake *in = ctx;

	(void)err;
	for (size_t i = 0; i < FRONTS_MAX; i++) {
		if (in->front[i] == ch)
			in->front[i] = NULL;
	}
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct us_intake_pending *p = &in->pending[i];

		if (p->used && p->channel == ch)
			p->channel = NULL;
		if (!p->used || us_channel_peer(ch) != US_ROLE_SEALER)
			continue;
		if (p->channel != NULL)
			fail(p->channel, p->front_tag, p->part.part, 503,
			    "the sealer was restarted: open the load again", US_DEFECT_NONE);
		pending_end(p);
	}
	if (in->sealer != ch)
		return;
	in->sealer = NULL;
	if (event_add(in->lost, &wait) != 0)
		us_fatal("out of memory");
}

static const struct us_channel_handler handler = { .on_message = on_message, .on_close = on_close };

int
us_intake_main(void)
{
	struct us_intake *in = calloc(1, sizeof *in);
	struct us_role_process process = { .role = US_ROLE_INTAKE,
		.on_settings = on_settings,
		.on_channel = on_channel,
		.ctx = in };
	int status;

	if (in == NULL)
		us_fatal("no memory");
	if (us_crypto_init() != US_OK || us_part_worker_new(&in->worker) != US_OK)
		us_fatal("cannot set up the intake");
	status = us_role_run(&process);
	us_part_worker_free(in->worker);
	if (in->lost != NULL)
		event_free(in->lost);
	for (size_t i = 0; i < PENDING_MAX; i++)
		free(in->pending[i].part.defects);
	free(in);
	return status;
}
