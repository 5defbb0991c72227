#include "daemon/vault/request/take.h"

#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/request/engine.h"
#include "daemon/vault/request/shares.h"
#include "daemon/vault/state/keeper.h"
#include "registry/versions.h"

/* Bytes of questions that the keeper has not taken: above that no more requests are. */
#define KEEPER_BACKLOG_MAX (64u * 1024u * 1024u)

#define X(message, to, action, sealed, needs) \
	_Static_assert(offsetof(struct us_msg_##message, credential) == 0 && \
		offsetof(struct us_msg_##message, peer) == 32, \
	    #message " does not begin with US_WHO");
US_VAULT_REQUESTS(X)
#undef X

/* The one place where messages of requests are decoded: r->body into r->q, and who asks, which
 * stands at the head of every one (US_WHO), into r->who. */
static int
decode(struct us_vault_request *r)
{
	struct us_reader in;
	struct us_bytes peer;
	const int err = us_request_take(&r->q, r->kind->type, r->body.data, r->body.len);

	if (err != US_OK)
		return err;
	us_reader_init(&in, r->body.data, r->body.len);
	us_take_into(&in, r->who.credential, sizeof r->who.credential);
	peer = us_take_str32(&in, sizeof r->who.peer);
	if (in.err != US_OK)
		return US_ERR_MALFORMED;
	if (peer.n > 0)
		memcpy(r->who.peer, peer.p, peer.n);
	r->who.peer_n = peer.n;
	return US_OK;
}

/* Whether it is taken on at all, and then who asks: the one place where a request's column (what
 * its kind needs) is enforced. Steps find person, subject and session in r, if that is what it
 * is. */
static enum us_vault_next
decide(struct us_vault_request *r)
{
	const struct us_vault *v = r->vault;
	enum us_vault_decision decision;

	if (!us_vault_is_open(v->state) && r->kind->sealed != US_SEALED_ANSWERED)
		return us_vault_fail(r, US_ERR_SEALED, US_REASON_SEALED, NO_ENTRY);
	if (us_vault_is_open(v->state))
		(void)us_registry_at(us_vault_registry(v->state), us_time_now_ns());
	decision = us_vault_decide_access(v, &r->who, r->kind->needs, &r->problem);
	if (decision == US_VAULT_REFUSED && r->step->name != NULL)
		r->step->name(r);
	return us_vault_decided(decision);
}

/* Before anything is decided: whether it is taken on, which teaches nothing, and whose turn it
 * is. */
static enum us_vault_next
begin(struct us_vault_request *r)
{
	const struct us_vault *v = r->vault;
	const struct us_channel *keeper = us_vault_keeper_channel(v->keeper);
	enum us_vault_next next;

	if (keeper != NULL && us_channel_backlog(keeper) > KEEPER_BACKLOG_MAX)
		return us_vault_fail(r, US_ERR_BUSY, US_REASON_ERROR, NO_ENTRY);
	next = us_vault_shares_begin(r);
	return next == US_VAULT_GO_ON ? decide(r) : next;
}

void
us_vault_request_turn(struct us_vault_request *r)
{
	us_vault_resume(r, decide(r));
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
us_vault_request_take(struct us_vault *v, const struct us_vault_step *const *kinds,
    struct us_vault_front *f, uint16_t type, uint32_t tag, struct us_bytes body)
{
	const struct us_request_info *info = us_request_info(type);
	struct us_vault_request *r;

	if (info == NULL || kinds[info->kind] == NULL || us_vault_front_find(f, tag) != NULL)
		return US_ERR_MALFORMED;
	r = us_vault_request_new(v, f, tag);
	if (r == NULL)
		return turn_away(f, tag);
	if (us_buf_put(&r->body, body.p, body.n) != US_OK) {
		us_vault_request_end(r, US_REASON_ERROR);
		return turn_away(f, tag);
	}
	r->kind = info;
	r->step = kinds[info->kind];
	r->action = info->action;
	if (decode(r) != US_OK) {
		us_vault_request_end(r, US_REASON_ERROR);
		return US_ERR_MALFORMED;
	}
	us_vault_resume(r, begin(r));
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
