#include "daemon/vault/request/tell.h"

#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/request/front.h"
#include "daemon/vault/request/shares.h"
#include "daemon/vault/state/keeper.h"

/* A front that does not hear what ends an answer would keep somebody waiting for ever, so its
 * channel ends. */
static int
sent(struct us_vault_request *r, int err)
{
	if (err != US_OK)
		us_channel_fail(us_vault_front_channel(r->front), err);
	return err;
}

/* What is refused without an entry of its own is counted by the keeper. */
static void
count_refused(struct us_vault_request *r)
{
	uint8_t count[5] = { 0, 0, 0, 0, 1 };

	count[0] = (uint8_t)us_vault_problem_counted_as(&r->problem);
	if (us_vault_keeper_count(r->vault->keeper, r->vault->state,
		(struct us_bytes){ count, sizeof count }) != US_OK)
		us_log(US_LOG_WARNING, "a refused request could not be counted");
}

/* The keeper sends a checkpoint before it says that an entry is there, so the newest covers it. */
static struct us_bytes
checkpoint_for(const struct us_vault_request *r, uint64_t entry)
{
	return entry == NO_ENTRY ? (struct us_bytes){ NULL, 0 } :
				   us_vault_checkpoint(r->vault->keeper);
}

void
us_vault_tell_problem(struct us_vault_request *r)
{
	const struct us_vault_problem *p = &r->problem;
	struct us_channel *front = us_vault_front_channel(r->front);
	struct us_msg_reply m = { .status = p->status,
		.type = US_TYPE_PROBLEM,
		.last = 1,
		.retry_after = p->retry_after,
		.entry = p->entry,
		.checkpoint = checkpoint_for(r, p->entry) };
	struct us_buf b;

	if (p->entry == NO_ENTRY)
		count_refused(r);
	else
		us_vault_shares_refused(r);
	us_buf_init(&b, 65536);
	if (us_vault_problem_write(&b, p) != US_OK)
		us_buf_reset(&b);
	m.body = (struct us_bytes){ b.data, b.len };
	if (!r->work.begun)
		(void)sent(r, us_send_reply(front, r->tag, &m));
	else
		(void)sent(r,
		    us_send_reply_more(front, r->tag,
			&(struct us_msg_reply_more){ .last = 1, .body = m.body }));
	us_buf_free(&b);
}

int
us_vault_tell_piece(void *ctx, const struct us_piece *piece)
{
	struct us_vault_request *r = ctx;
	struct us_channel *front = us_vault_front_channel(r->front);
	const struct us_msg_reply first = { .status = r->status,
		.type = r->content,
		.last = piece->is_last,
		.entry = r->entry,
		.checkpoint = checkpoint_for(r, r->entry),
		.body = piece->bytes };
	const struct us_msg_reply_more more = { .last = piece->is_last, .body = piece->bytes };

	return sent(r,
	    piece->is_first ? us_send_reply(front, r->tag, &first) :
			      us_send_reply_more(front, r->tag, &more));
}
