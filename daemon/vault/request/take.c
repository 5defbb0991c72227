#include "daemon/vault/request/take.h"

#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/request/decode.h"
#include "daemon/vault/request/engine.h"
#include "daemon/vault/state/keeper.h"
#include "registry/versions.h"

#define FRONT_REQUESTS_MAX 1024 /* of one front at a time; more are told to wait */
/* Bytes of questions that the keeper has not taken: above that no more requests are. */
#define KEEPER_BACKLOG_MAX (64u * 1024u * 1024u)

/* Whether it is taken on at all, and then who asks: the one place where a request's column (what
 * its kind needs) is enforced. Steps find person, subject and session in r, if that is what it
 * is. */
static enum us_vault_next
decide(struct us_vault_request *r, const struct us_request_info *info)
{
	const struct us_vault *v = r->vault;
	const struct us_channel *keeper = us_vault_keeper_channel(v->keeper);
	enum us_vault_decision decision;

	if (us_vault_front_requests(r->front) > FRONT_REQUESTS_MAX ||
	    (keeper != NULL && us_channel_backlog(keeper) > KEEPER_BACKLOG_MAX))
		return us_vault_fail(r, US_ERR_BUSY, US_REASON_ERROR, NO_ENTRY);
	if (!us_vault_is_open(v->state) && info->sealed != US_SEALED_ANSWERED)
		return us_vault_fail(r, US_ERR_SEALED, US_REASON_SEALED, NO_ENTRY);
	if (us_vault_is_open(v->state))
		(void)us_registry_at(us_vault_registry(v->state), us_time_now_ns());
	decision = us_vault_decide_access(v, &r->who, info->needs, &r->problem);
	if (decision == US_VAULT_REFUSED && r->kind->name != NULL)
		r->kind->name(r);
	return us_vault_decided(decision);
}

/* There is no memory for it. */
static int
turn_away(struct us_vault_front *f, uint32_t tag)
{
	const struct us_msg_reply m = { .status = 503,
		.type = US_TYPE_PROBLEM,
		.last = 1,
		.retry_after = 1,
		.entry = NO_ENTRY };

	return us_send_reply(us_vault_front_channel(f), tag, &m);
}

int
us_vault_request_take(struct us_vault *v, const struct us_vault_kind *kinds,
    struct us_vault_front *f, uint16_t type, uint32_t tag, struct us_bytes body)
{
	const struct us_request_info *info = us_request_info(type);
	struct us_vault_request *r;

	if (info == NULL || kinds[info->kind].steps == NULL || us_vault_front_find(f, tag) != NULL)
		return US_ERR_MALFORMED;
	r = us_vault_request_new(v, f, tag);
	if (r == NULL)
		return turn_away(f, tag);
	if (us_buf_put(&r->body, body.p, body.n) != US_OK) {
		us_vault_request_end(r, US_REASON_ERROR);
		return turn_away(f, tag);
	}
	r->kind = &kinds[info->kind];
	r->step = r->kind->steps;
	r->action = r->kind->action;
	if (us_vault_decode(r, info) != US_OK) {
		us_vault_request_end(r, US_REASON_ERROR);
		return US_ERR_MALFORMED;
	}
	us_vault_resume(r, decide(r, info));
	return US_OK;
}

void
us_vault_request_credit(struct us_vault_front *f, uint32_t tag, uint32_t bytes)
{
	struct us_vault_request *r = us_vault_front_find(f, tag);

	if (r != NULL)
		us_work_credit(&r->work, bytes);
}

void
us_vault_request_cancel(struct us_vault_front *f, uint32_t tag)
{
	struct us_vault_request *r = us_vault_front_find(f, tag);

	if (r != NULL)
		us_vault_request_end(r, US_REASON_GONE);
}

void
us_vault_requests_drop(struct us_vault_front *f, enum us_reason why)
{
	struct us_vault_request *r;

	while ((r = us_vault_front_any(f)) != NULL)
		us_vault_request_end(r, why);
}
