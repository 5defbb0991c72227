#include "daemon/keeper/channels.h"

#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/acts.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/loads.h"
#include "daemon/keeper/outcome.h"
#include "daemon/keeper/peers.h"
#include "daemon/keeper/requests.h"
#include "daemon/keeper/tasks.h"

static int
on_message(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_keeper *k = ctx;
	int err;

	if (fd >= 0)
		(void)close(fd);
	err = us_keeper_dispatch(k, ch, type, tag, body);
	/* What was asked may be half done, and the log's state is this process: it begins anew from
	 * what is durable. A channel that has no room is its peer's doing, and ends alone. */
	if (err != US_OK && us_err_blame(err) != US_BLAME_PEER &&
	    us_err_blame(err) != US_BLAME_SENDING)
		us_fatal("the message \"%s\" of %s cannot be handled: %s. Stopping",
		    us_msg_name(type), us_role_name(us_channel_peer(ch)), us_strerror(err));
	return err;
}

static void
on_batch_end(void *ctx, struct us_channel *ch)
{
	(void)ch;
	us_keeper_settle(ctx);
}

static void
on_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_keeper *k = ctx;

	us_keeper_forget_channel(k, ch);
	us_loads_channel_gone(k, ch);
	us_tasks_drop(k, ch);
	/* What was asked before is in the log: make it durable. */
	us_keeper_settle(k);
	if (us_peers_forget(k, ch)) {
		us_acts_forget(k);
		us_answers_end(k, US_REASON_UNKNOWN);
		us_keeper_settle(k);
		us_log(US_LOG_NOTICE, "the vault's channel has ended%s",
		    us_err_blame(err) == US_BLAME_PEER ? " because of what it sent" : "");
	}
}

static void
on_drained(void *ctx, struct us_channel *ch)
{
	(void)ch;
	us_tasks_go_on(ctx);
}

static const struct us_channel_handler handler = { .on_message = on_message,
	.on_close = on_close,
	.on_batch_end = on_batch_end,
	.on_drained = on_drained };

void
us_channels_drop(struct us_keeper *k, struct us_channel *ch)
{
	us_keeper_forget_channel(k, ch);
	us_loads_channel_gone(k, ch);
	us_tasks_drop(k, ch);
	(void)us_peers_forget(k, ch);
	us_channel_free(ch);
	us_keeper_settle(k);
}

int
us_channels_add(struct us_keeper *k, enum us_role peer, uint8_t index, int fd)
{
	struct us_channel *ch, *former;
	int err;

	if (peer != US_ROLE_VAULT && peer != US_ROLE_SEALER && peer != US_ROLE_FRONT) {
		(void)close(fd);
		return US_ERR_MALFORMED;
	}
	ch = us_channel_new(k->base, fd, US_ROLE_KEEPER, peer, index, &handler, k);
	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	/* A peer that was started anew has one channel: the old one may still have to report its
	 * end, which this keeper, if it stood still meanwhile, has not looked at. */
	while ((former = us_peers_find(k, peer, index)) != NULL)
		us_channels_drop(k, former);
	err = us_peers_add(k, ch);
	if (err != US_OK)
		us_channel_free(ch);
	else if (peer == US_ROLE_SEALER)
		us_loads_sealer(k, ch);
	return err;
}
