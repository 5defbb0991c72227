#include "daemon/intake/intake.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "case/action.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/intake/part.h"
#include "daemon/process/role.h"

#define FRONTS_MAX 256
#define PENDING_MAX 64
/* Lines named in one answer; at 62 bytes at most each they fit into it. */
#define LINES_SHOWN 4096
#define BODY_MAX 262144u
#define LOST_SECONDS 10

/* A part that the sealer has not answered yet. */
struct us_intake_pending {
	int used;
	uint8_t front;
	struct us_channel *channel; /* the front's, NULL if it is gone */
	uint32_t front_tag;
	uint32_t tag; /* towards the sealer */
	uint32_t part;
	uint8_t flags;
	uint32_t records;
	uint32_t n_defects; /* all; at most LINES_SHOWN are kept */
	struct us_part_defect *defects;
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

/* The last part of the problem's type (RFC 9457), as the vault and the front name theirs. */
static const char *
problem_of(uint16_t status, enum us_reason reason)
{
	switch (status) {
	case 401:
	case 403:
		return reason == US_REASON_NONE ? "ticket" : "denied";
	case 409:
		return "conflict";
	case 503:
		return reason == US_REASON_SEALED ? "sealed" : "busy";
	case 500:
		return "internal";
	default:
		return "part";
	}
}

/* A part that failed as a whole: a problem document with "part", "error" and, where there is one,
 * "code". */
static void
fail_for(struct us_channel *ch, uint32_t tag, uint32_t part, uint16_t status, const char *why,
    enum us_defect code, enum us_reason reason)
{
	char type[64];
	struct us_buf body;
	struct us_json j;

	us_buf_init(&body, BODY_MAX);
	us_json_begin(&j, &body);
	us_json_object(&j);
	(void)snprintf(type, sizeof type, "urn:underseal:problem:%s", problem_of(status, reason));
	us_json_kv_cstr(&j, "type", type);
	us_json_kv_cstr(&j, "title", "The part was not taken");
	us_json_kv_uint(&j, "status", status);
	us_json_kv_cstr(&j, "detail", why);
	if (reason != US_REASON_NONE)
		us_json_kv_cstr(&j, "reason", us_reason_name(reason));
	us_json_kv_uint(&j, "part", part);
	us_json_kv_cstr(&j, "error", why);
	if (code != US_DEFECT_NONE)
		us_json_kv_cstr(&j, "code", us_defect_code(code));
	us_json_close(&j);
	if (us_json_end(&j) != US_OK) {
		us_buf_reset(&body); /* the status says it too */
		us_log(US_LOG_WARNING, "out of memory: a part's failure is not explained");
	}
	done(ch, tag, status, &body);
	us_buf_free(&body);
}

static void
fail(struct us_channel *ch, uint32_t tag, uint32_t part, uint16_t status, const char *why,
    enum us_defect code)
{
	fail_for(ch, tag, part, status, why, code, US_REASON_NONE);
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
	free(p->defects);
	*p = (struct us_intake_pending){ 0 };
}

static int
keep_defects(struct us_intake_pending *p, const struct us_part_result *r)
{
	size_t n = r->n_defects < LINES_SHOWN ? r->n_defects : LINES_SHOWN;

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
		.part = m.part,
		.flags = m.flags,
		.records = r->records };
	d = (struct us_msg_documents){ .ticket = m.ticket,
		.load = m.load,
		.part = m.part,
		.flags = m.flags,
		.count = r->count,
		.defects = r->n_defects,
		.documents = { r->documents.data, r->documents.len } };
	memcpy(d.credential, m.credential, sizeof d.credential);
	memcpy(d.digest, m.digest, sizeof d.digest);
	err = keep_defects(p, r);
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

static void
put_defect(struct us_json *j, uint64_t line, unsigned code)
{
	us_json_object(j);
	us_json_kv_uint(j, "line", line);
	us_json_kv_cstr(j, "code", us_defect_code(code));
	us_json_close(j);
}

/* The sealer's lines: the refused ones as defects, or the duplicates, until *left is 0. Returns how
 * many there are, named or not. */
static size_t
put_sealer_lines(struct us_json *j, struct us_bytes lines, int duplicates, size_t *left)
{
	struct us_reader r;
	size_t n = 0;

	us_reader_init(&r, lines.p, lines.n);
	while (r.left > 0) {
		uint64_t line = us_take_u64(&r);
		uint8_t code = us_take_u8(&r);

		if (r.err != US_OK)
			break;
		if ((code == US_DEFECT_NONE) != duplicates)
			continue;
		n++;
		if (*left == 0)
			continue;
		--*left;
		if (duplicates)
			us_json_uint(j, line);
		else
			put_defect(j, line, code);
	}
	return n;
}

/* {"part", "records", "accepted", "duplicates", "refused", "defects": [{"line", "code"}…], "more",
 * "duplicate_lines": [line…]}: the intake's defects, then those of the sealer (duplicate ids);
 * more: of them not named. In a part of at most LINES_SHOWN lines every line is named that is not
 * accepted. */
static int
report(const struct us_intake_pending *p, const struct us_msg_documents_done *m,
    struct us_buf *body)
{
	size_t own = p->n_defects < LINES_SHOWN ? p->n_defects : LINES_SHOWN,
	       left = LINES_SHOWN - own;
	size_t n, before = left;
	struct us_json j;

	us_json_begin(&j, body);
	us_json_object(&j);
	us_json_kv_uint(&j, "part", p->part);
	us_json_kv_uint(&j, "records", p->records);
	us_json_kv_uint(&j, "accepted", m->accepted);
	us_json_kv_uint(&j, "duplicates", m->duplicates);
	us_json_kv_uint(&j, "refused", (uint64_t)m->refused + p->n_defects);
	us_json_key(&j, "defects");
	us_json_array(&j);
	for (size_t i = 0; i < own; i++)
		put_defect(&j, p->defects[i].line, p->defects[i].code);
	n = put_sealer_lines(&j, m->lines, 0, &left);
	us_json_close(&j);
	us_json_kv_uint(&j, "more", p->n_defects - own + n - (before - left));
	us_json_key(&j, "duplicate_lines");
	us_json_array(&j);
	(void)put_sealer_lines(&j, m->lines, 1, &left);
	us_json_close(&j);
	us_json_close(&j);
	return us_json_end(&j);
}

/* Of a load that was stopped. */
static const char *
why_stopped(enum us_reason reason)
{
	static const char sealed[] = "the vault has been sealed: what was not admitted is not; "
				     "once it is unsealed, load again";
	static const char frozen[] =
	    "a freeze stops loading: what was not admitted is not; once it is lifted, load again";
	static const char revoked[] = "the credential that opened the load was revoked";
	static const char standing[] =
	    "the person or credential that opened the load may not act any more";
	static const char order[] = "the order does not allow the load any more";

	if (reason == US_REASON_SEALED)
		return sealed;
	if (reason == US_REASON_FROZEN)
		return frozen;
	if (reason == US_REASON_REVOKED)
		return revoked;
	return reason == US_REASON_SUSPENDED || reason == US_REASON_ENDED ||
		reason == US_REASON_EXPIRED ?
	    standing :
	    order;
}

static uint16_t
status_of(int err, enum us_reason reason, const char **why)
{
	switch (err) {
	case US_ERR_SIGNATURE:
		*why = "the ticket is not one of this load and credential: the load has ended, or "
		       "the vault was "
		       "sealed or started anew; load again";
		return 403;
	case US_ERR_EXPIRED:
		*why = "the ticket has expired; get another one (POST /v1/loads/{load}/ticket)";
		return 401;
	case US_ERR_DENIED:
		*why = why_stopped(reason);
		return reason == US_REASON_SEALED ? 503 : 403;
	case US_ERR_ARG:
		*why = "the part's flags are not those that its load was opened with";
		return 400;
	case US_ERR_CLOSED:
		*why = "the load was given up";
		return 409;
	case US_ERR_STATE:
		*why = "the load has stopped because of a refused record; end it";
		return 409;
	case US_ERR_EXISTS:
		*why = "another part was taken under this number; or this one is on its way over "
		       "another connection";
		return 409;
	case US_ERR_FORMAT:
		*why = "the part is out of place";
		return 400;
	default:
		*why = "the load cannot be taken at present: try again";
		return 503;
	}
}

static int
on_documents_done(struct us_intake *in, uint32_t tag, struct us_bytes body)
{
	struct us_msg_documents_done m;
	struct us_intake_pending *p = NULL;
	struct us_buf text;
	const char *why;
	uint16_t status;
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
		status = status_of(m.err, (enum us_reason)m.reason, &why);
		fail_for(p->channel, p->front_tag, p->part, status, why, US_DEFECT_NONE,
		    (enum us_reason)m.reason);
		pending_end(p);
		return US_OK;
	}
	us_buf_init(&text, BODY_MAX);
	err = report(p, &m, &text);
	if (err == US_OK)
		done(p->channel, p->front_tag,
		    (p->flags & US_LOAD_SKIP_DEFECTS) == 0 && m.refused + p->n_defects > 0 ? 422 :
											     200,
		    &text);
	else
		fail(p->channel, p->front_tag, p->part, 500, "the intake failed", US_DEFECT_NONE);
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
			fail(p->channel, p->front_tag, p->part, 503,
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
		free(in->pending[i].defects);
	free(in);
	return status;
}
