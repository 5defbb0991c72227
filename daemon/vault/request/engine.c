/* Requests of people: their life, replies and problems. How long answers go on is work.c's. */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/time.h"
#include "daemon/vault/internal.h"

#define OUT_MAX (80u * 1024u * 1024u)
#ifdef US_SANITIZED
#define KEEP_REQUESTS 0 /* so that the sanitizer sees who touches one that has ended */
#else
#define KEEP_REQUESTS 256
#endif
#define KEEP_BUFFER (64u * 1024u)

/* --- life ----------------------------------------------------------------------------------- */

static struct us_vault_request **
place_of(struct us_vault_front *f, uint32_t tag)
{
	struct us_vault_request **at = &f->by_tag[tag % TAG_BUCKETS];

	while (*at != NULL && (*at)->tag != tag)
		at = &(*at)->tag_next;
	return at;
}

static struct us_vault_request *
request_new(struct us_vault_front *f, uint16_t type, uint32_t tag)
{
	struct us_vault *v = f->vault;
	struct us_vault_request *r = v->free_requests;
	struct us_buf body, out;

	if (r != NULL) {
		v->free_requests = r->tag_next;
		v->n_free_requests--;
		body = r->body;
		out = r->work.out;
	} else {
		r = malloc(sizeof *r);
		if (r == NULL)
			return NULL;
		us_buf_init(&body, 2u * 1024u * 1024u);
		us_buf_init(&out, OUT_MAX);
	}
	memset(r, 0, sizeof *r);
	r->body = body;
	r->work.out = out;
	us_work_init(&r->work, &v->work_queue, r);
	r->vault = v;
	r->front = f;
	r->type = type;
	r->tag = tag;
	r->entry = r->granted = r->open_entry = NO_ENTRY;
	r->ending = US_REASON_ERROR;
	r->status = 200;
	r->tag_next = f->by_tag[tag % TAG_BUCKETS];
	f->by_tag[tag % TAG_BUCKETS] = r;
	f->n_requests++;
	return r;
}

void
us_vault_request_end(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;
	struct us_vault_request **at = place_of(r->front, r->tag);

	if (*at == r)
		*at = r->tag_next;
	r->front->n_requests--;
	us_vault_outcome_end(r);
	us_work_end(&r->work);
	us_vault_log_gate_leave(r);
	us_vault_load_request_gone(v, r);
	if (r->free_state != NULL)
		r->free_state(r->state);
	r->state = NULL;
	r->free_state = NULL;
	if (v->n_free_requests + 1 <= KEEP_REQUESTS && r->body.cap <= KEEP_BUFFER &&
	    r->work.out.cap <= KEEP_BUFFER) {
		us_buf_reset(&r->body);
		r->tag_next = v->free_requests;
		v->free_requests = r;
		v->n_free_requests++;
		return;
	}
	us_buf_free(&r->body);
	us_buf_free(&r->work.out);
	free(r);
}

void
us_vault_requests_drop(struct us_vault_front *f, enum us_reason why)
{
	size_t i;

	for (i = 0; i < TAG_BUCKETS; i++)
		while (f->by_tag[i] != NULL) {
			f->by_tag[i]->ending = why;
			us_vault_request_end(f->by_tag[i]);
		}
}

/* Credential and address stand at the head of every request (US_WHO). */
static int
take_who(struct us_vault_request *r)
{
	struct us_reader in;
	struct us_bytes peer;

	us_reader_init(&in, r->body.data, r->body.len);
	us_take_into(&in, r->credential, sizeof r->credential);
	peer = us_take_str32(&in, sizeof r->peer);
	if (in.err != US_OK)
		return in.err;
	if (peer.n > 0)
		memcpy(r->peer, peer.p, peer.n);
	r->peer_n = peer.n;
	return US_OK;
}

/* The one place where a request's column is enforced: behind it handlers find person, subject and
 * session in r, if that is what the kind needs. */
static void
dispatch(struct us_vault_request *r, const struct us_request_info *info)
{
	if (r->vault->state == VAULT_OPEN)
		(void)us_registry_at(r->vault->registry, us_time_now_ns());
	if (us_vault_access_authorise(r, info->needs) != US_OK)
		return;
	switch (info->kind) {
	case US_REQUEST_status_request:
		us_vault_handle_status(r);
		return;
	case US_REQUEST_challenge_request:
		us_vault_handle_challenge(r);
		return;
	case US_REQUEST_session_request:
		us_vault_handle_session(r);
		return;
	case US_REQUEST_share_request:
		us_vault_handle_share(r);
		return;
	case US_REQUEST_act_request:
		us_vault_handle_act(r);
		return;
	case US_REQUEST_list_request:
		us_vault_handle_list(r);
		return;
	case US_REQUEST_question_request:
		us_vault_handle_question(r);
		return;
	case US_REQUEST_search_request:
		us_vault_handle_search(r);
		return;
	case US_REQUEST_read_request:
		us_vault_handle_read(r);
		return;
	case US_REQUEST_load_open_request:
		us_vault_handle_load_open(r);
		return;
	case US_REQUEST_load_end_request:
		us_vault_handle_load_end(r);
		return;
	case US_REQUEST_load_ticket_request:
		us_vault_handle_load_ticket(r);
		return;
	case US_REQUEST_log_request:
		us_vault_handle_log(r);
		return;
	case US_REQUEST_log_keys_request:
		us_vault_handle_log_keys(r);
		return;
	case US_REQUEST_cosign_request:
		us_vault_handle_cosign(r);
		return;
	case US_REQUEST_part:
		break; /* goes to intakes */
	}
	us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
}

int
us_vault_request_take(struct us_vault_front *f, uint16_t type, uint32_t tag, struct us_bytes body)
{
	const struct us_request_info *info = us_request_info(type);
	struct us_vault_request *r;

	if (*place_of(f, tag) != NULL)
		return US_ERR_MALFORMED;
	r = request_new(f, type, tag);
	if (r == NULL || us_buf_put(&r->body, body.p, body.n) != US_OK || take_who(r) != US_OK) {
		struct us_msg_reply m = { .status = 503,
			.type = US_TYPE_PROBLEM,
			.last = 1,
			.retry_after = 1,
			.entry = NO_ENTRY };

		if (r != NULL)
			us_vault_request_end(r);
		return us_send_reply(f->channel, tag, &m);
	}
	if (f->n_requests > FRONT_REQUESTS_MAX ||
	    (r->vault->keeper != NULL && us_channel_backlog(r->vault->keeper) > KEEPER_BACKLOG_MAX))
		us_vault_reply_error(r, US_ERR_BUSY, US_REASON_ERROR, NO_ENTRY);
	else if (info == NULL)
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	else if (r->vault->state != VAULT_OPEN && info->sealed != US_SEALED_ANSWERED)
		us_vault_reply_error(r, US_ERR_SEALED, US_REASON_SEALED, NO_ENTRY);
	else
		dispatch(r, info);
	return US_OK;
}

void
us_vault_request_cancel(struct us_vault_front *f, uint32_t tag)
{
	struct us_vault_request *r = *place_of(f, tag);

	if (r == NULL)
		return;
	r->ending = US_REASON_GONE;
	us_vault_request_end(r);
}

void
us_vault_request_credit(struct us_vault_front *f, uint32_t tag, uint32_t bytes)
{
	struct us_vault_request *r = *place_of(f, tag);

	if (r != NULL)
		us_work_credit(&r->work, bytes);
}

void
us_vault_front_drained(struct us_vault_front *f)
{
	struct us_vault_request *r, *next;

	/* in turn: who was first this time comes last the next */
	for (size_t i = 0; i < TAG_BUCKETS && !us_channel_is_high(f->channel); i++) {
		for (r = f->by_tag[f->next_bucket]; r != NULL; r = next) {
			next = r->tag_next;
			if (!us_channel_is_high(f->channel))
				us_work_credit(&r->work, 0);
		}
		f->next_bucket = (f->next_bucket + 1) % TAG_BUCKETS;
	}
}

/* --- what work.c asks for --------------------------------------------------------------------- */

static int
send_piece(void *ctx, const struct us_piece *piece)
{
	struct us_vault_request *r = ctx;
	const struct us_msg_reply first = { .status = r->status,
		.type = r->content,
		.last = piece->is_last,
		.entry = r->entry,
		.body = piece->bytes };
	const struct us_msg_reply_more more = { .last = piece->is_last, .body = piece->bytes };
	const int err = piece->is_first ? us_send_reply(r->front->channel, r->tag, &first) :
					  us_send_reply_more(r->front->channel, r->tag, &more);

	us_vault_reply_sent(r, err);
	return err;
}

/* While its front is behind with what it has been sent, the answer waits for
 * us_vault_front_drained(). */
static int
front_has_room(void *ctx)
{
	const struct us_vault_request *r = ctx;

	return !us_channel_is_high(r->front->channel);
}

static void
answer_is_whole(void *ctx)
{
	struct us_vault_request *r = ctx;

	r->ending = US_REASON_NONE;
	us_vault_request_end(r);
}

/* A reply that breaks off must not look whole: the problem behind it is no record, and clients see
 * that. */
static void
answer_has_failed(void *ctx, int err)
{
	struct us_vault_request *r = ctx;

	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_ERROR, r->entry);
	else
		us_vault_reply_problem(r, &r->problem);
}

/* LATER by a timer that is due at once, not by event_active(): that would make steps on and on
 * before sockets are looked at again. */
static void
want_turn(void *ctx, enum us_turn when)
{
	static const struct timeval at_once = { 0, 0 };
	struct us_vault *v = ctx;

	switch (when) {
	case US_TURN_SOON:
		event_active(v->run_event, EV_TIMEOUT, 1);
		break;
	case US_TURN_LATER:
		if (event_add(v->run_event, &at_once) != 0)
			us_fatal("the next turn of answers cannot be set");
		break;
	}
}

void
us_vault_requests_init(struct us_vault *v)
{
	static const struct us_work_owner owner = { .window = US_REPLY_WINDOW,
		.piece = REPLY_PIECE,
		.has_room = front_has_room,
		.send = send_piece,
		.whole = answer_is_whole,
		.failed = answer_has_failed,
		.turn = want_turn };

	us_work_queue_init(&v->work_queue, &owner, v);
}

void
us_vault_requests_free(struct us_vault *v)
{
	while (v->free_requests != NULL) {
		struct us_vault_request *r = v->free_requests;

		v->free_requests = r->tag_next;
		us_buf_free(&r->body);
		us_buf_free(&r->work.out);
		free(r);
	}
}

/* --- replies -------------------------------------------------------------------------------- */

void
us_vault_reply_bytes(struct us_vault_request *r, uint16_t status, uint8_t content,
    struct us_bytes body)
{
	r->status = status;
	r->content = content;
	us_work_clear(&r->work);
	if (us_buf_put(&r->work.out, body.p, body.n) != US_OK) {
		r->status = 503;
		r->content = US_TYPE_PROBLEM;
	}
	us_work_finish(&r->work);
}

void
us_vault_reply_json(struct us_vault_request *r, uint16_t status, uint64_t entry,
    struct us_buf *json)
{
	r->entry = entry;
	us_vault_reply_bytes(r, status, US_TYPE_JSON, (struct us_bytes){ json->data, json->len });
}

/* --- problems --------------------------------------------------------------------------------- */

int
us_vault_problem_write(struct us_buf *out, const struct us_vault_problem *p)
{
	char type[96] = "urn:underseal:problem:";
	struct us_json j;

	strncat(type, p->type, sizeof type - strlen(type) - 1);
	us_json_begin(&j, out);
	us_json_object(&j);
	us_json_kv_cstr(&j, "type", type);
	us_json_kv_cstr(&j, "title", p->title);
	us_json_kv_uint(&j, "status", p->status);
	if (p->detail != NULL && p->detail[0] != '\0')
		us_json_kv_cstr(&j, "detail", p->detail);
	if (p->reason != US_REASON_NONE)
		us_json_kv_cstr(&j, "reason", us_reason_name(p->reason));
	if (p->rule != 0)
		us_json_kv_uint(&j, "rule_number", p->rule);
	if (p->rule_id.n > 0)
		us_json_kv_str(&j, "rule", p->rule_id);
	if (p->paragraph.n > 0)
		us_json_kv_str(&j, "paragraph", p->paragraph);
	if (p->cure != NULL && p->cure[0] != '\0')
		us_json_kv_cstr(&j, "cure", p->cure);
	if (p->left != NULL) {
		us_json_key(&j, "quota");
		us_vault_access_quota(&j, p->left);
	}
	if (p->position >= 0)
		us_json_kv_int(&j, "position", p->position);
	if (p->entry != NO_ENTRY)
		us_json_kv_uint(&j, "entry", p->entry);
	us_json_close(&j);
	return us_json_end(&j);
}

void
us_vault_reply_sent(struct us_vault_request *r, int err)
{
	if (err != US_OK)
		us_channel_fail(r->front->channel, err);
}

/* Whether an answer that had begun ends by it because it may not go on. */
static int
is_taken_away(const struct us_vault_problem *p)
{
	return p->status == 403 || p->status == 404 || p->status == 409;
}

/* What is refused without an entry of its own is counted by the keeper. */
static void
count_refused(struct us_vault *v, const struct us_vault_problem *p)
{
	uint8_t count[5] = { 0, 0, 0, 0, 1 };

	count[0] = p->reason != US_REASON_NONE && p->reason != US_REASON_ERROR ?
	    (uint8_t)p->reason :
	    p->status == 404 ? US_REASON_NOT_FOUND :
	    p->status == 409 ? US_REASON_STATE :
	    p->status < 500  ? US_REASON_MALFORMED :
	    p->status == 503 ? US_REASON_OVER_LIMIT :
			       US_REASON_ERROR;
	if (us_vault_refused(v, (struct us_bytes){ count, sizeof count }) != US_OK)
		us_log(US_LOG_WARNING, "a refused request could not be counted");
}

void
us_vault_reply_problem(struct us_vault_request *r, const struct us_vault_problem *p)
{
	struct us_msg_reply m = { .status = p->status,
		.type = US_TYPE_PROBLEM,
		.last = 1,
		.retry_after = p->retry_after,
		.entry = p->entry };
	struct us_buf b;

	if (p->entry == NO_ENTRY)
		count_refused(r->vault, p);
	us_buf_init(&b, 65536);
	if (us_vault_problem_write(&b, p) != US_OK)
		us_buf_reset(&b);
	m.body = (struct us_bytes){ b.data, b.len };
	if (!r->work.begun)
		us_vault_reply_sent(r, us_send_reply(r->front->channel, r->tag, &m));
	else
		/* Too late for a problem. The line that follows is no record: clients see it. */
		us_vault_reply_sent(r,
		    us_send_reply_more(r->front->channel, r->tag,
			&(struct us_msg_reply_more){ .last = 1, .body = m.body }));
	us_buf_free(&b);
	r->ending = r->refused ? US_REASON_NONE :
	    is_taken_away(p)   ? US_REASON_CUT :
				 US_REASON_ERROR;
	us_vault_request_end(r);
}

struct us_vault_problem
us_vault_problem_of(const struct us_vault_request *r, int err, enum us_reason reason,
    uint64_t entry)
{
	struct us_vault_problem p = { .status = 500,
		.type = "internal",
		.title = "The vault failed",
		.reason = reason,
		.entry = entry,
		.position = -1 };

	switch (err) {
	case US_ERR_SEALED:
		p.status = 503;
		p.type = "sealed";
		p.title = "The vault is sealed";
		p.detail = r->vault->state == VAULT_REFUSING ?
		    r->vault->why_refusing :
		    r->vault->state == VAULT_SEALED ?
		    "It waits for its keyholders' shares" :
		    "It has been unsealed and checks its state; try again in a moment";
		p.retry_after = r->vault->state == VAULT_SEALED ||
			r->vault->state == VAULT_REFUSING ?
		    0 :
		    1;
		break;
	case US_ERR_DENIED:
	case US_ERR_REVOKED:
	case US_ERR_SUSPENDED:
	case US_ERR_EXPIRED:
	case US_ERR_NOT_YET:
	case US_ERR_SIGNATURE:
		p.status = reason == US_REASON_NO_SESSION ? 401 : 403;
		p.type = reason == US_REASON_NO_SESSION ? "session" : "denied";
		p.title = reason == US_REASON_NO_SESSION ? "No session: sign one first" : "Refused";
		break;
	case US_ERR_NOT_FOUND:
		p.status = 404;
		p.type = "not-found";
		p.title = "Not found";
		break;
	case US_ERR_FORMAT:
	case US_ERR_TRUNCATED:
	case US_ERR_TRAILING:
	case US_ERR_RANGE:
	case US_ERR_ENCODING:
	case US_ERR_ARG:
	case US_ERR_MALFORMED:
		p.status = 400;
		p.type = "malformed";
		p.title = "The request is malformed";
		break;
	case US_ERR_LIMIT:
		p.status = 413;
		p.type = "too-large";
		p.title = "The request is too large";
		break;
	case US_ERR_EXISTS:
	case US_ERR_STATE:
		p.status = 409;
		p.type = "conflict";
		p.title = "Not possible in the present state";
		break;
	case US_ERR_NOSPACE:
		if (reason == US_REASON_LOW_SPACE) {
			p.status = 503;
			p.type = "low-space";
			p.title = "The log's disk is nearly full: nothing is released until there "
				  "is room again";
			p.cure = "The administrator makes room on the file system of keeper/; "
				 "sealing, revoking and freezing go on "
				 "meanwhile";
			p.retry_after = 60;
			break;
		}
		p.status = 507;
		p.type = "no-space";
		p.title = "The vault's disk is full";
		p.cure = "The administrator frees space; what was acknowledged is safe";
		break;
	case US_ERR_FULL:
		p.detail = "Too much is under way inside the vault; try again";
		p.status = 503;
		p.type = "busy";
		p.title = "The vault cannot serve this now";
		p.retry_after = 1;
		break;
	case US_ERR_NOMEM:
	case US_ERR_BUSY:
	case US_ERR_IO:
	case US_ERR_CLOSED:
		p.status = 503;
		p.type = "busy";
		p.title = "The vault cannot serve this now";
		p.retry_after = 1;
		break;
	default:
		us_log_err(err, "a request failed");
		break;
	}
	if (p.detail == NULL)
		p.detail = us_strerror(err);
	return p;
}

void
us_vault_reply_error(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry)
{
	const struct us_vault_problem p = us_vault_problem_of(r, err, reason, entry);

	us_vault_reply_problem(r, &p);
}

enum us_step
us_vault_step_failed(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry)
{
	r->problem = us_vault_problem_of(r, err, reason, entry);
	return US_STEP_FAILED;
}
