/* The vault's process: channels to the other roles, start and end. */
#include "daemon/vault/vault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "daemon/process/role.h"
#include "daemon/process/settings.h"
#include "daemon/vault/answers/kinds.h"
#include "daemon/vault/decide/sessions.h"
#include "daemon/vault/evidence/visible.h"
#include "daemon/vault/loads/sealer.h"
#include "daemon/vault/request/ask.h"
#include "daemon/vault/request/engine.h"
#include "daemon/vault/request/shares.h"
#include "daemon/vault/request/take.h"
#include "daemon/vault/state/acts.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/start.h"
#include "daemon/vault/state/writer.h"

#define CACHE_PAGES_DEFAULT 10240
#define FRONTS_MAX 64

struct us_vault_process;

struct us_vault_link {
	struct us_vault_process *process;
	struct us_vault_front *front;
	struct us_channel *channel;
};

/* The vault, and who it talks with. */
struct us_vault_process {
	struct us_vault vault; /* first: its leave() finds the process by it */
	struct us_vault_link fronts[FRONTS_MAX];
	struct us_vault_sealer *sealer;
	struct us_channel *control, *keeper_channel, *sealer_channel;
	int status; /* of the exit, once the vault leaves */
};

static int on_front(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body, int fd);
static void on_front_close(void *ctx, struct us_channel *ch, int err);
static void on_front_drained(void *ctx, struct us_channel *ch);
static int on_keeper(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body, int fd);
static void on_keeper_close(void *ctx, struct us_channel *ch, int err);
static int on_sealer(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body, int fd);
static void on_sealer_close(void *ctx, struct us_channel *ch, int err);

static const struct us_channel_handler front_handler = {
	.on_message = on_front,
	.on_close = on_front_close,
	.on_drained = on_front_drained,
};
static const struct us_channel_handler keeper_handler = {
	.on_message = on_keeper,
	.on_close = on_keeper_close,
};
static const struct us_channel_handler sealer_handler = {
	.on_message = on_sealer,
	.on_close = on_sealer_close,
};

/* --- fronts ----------------------------------------------------------------------------------- */

static int
on_front(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_vault_link *l = ctx;
	struct us_vault *v = &l->process->vault;
	int err;

	(void)fd;
	if (us_vault_is_leaving(v->state) && type != US_MSG_handshakes)
		return US_OK;
	switch (type) {
	case US_MSG_credit: {
		struct us_msg_credit m;

		err = us_msg_credit_decode(&m, body.p, body.n);
		if (err == US_OK)
			us_vault_request_credit(l->front, tag, m.bytes);
		return err;
	}
	case US_MSG_cancel:
		err = us_msg_check(type, body.p, body.n);
		if (err == US_OK)
			us_vault_request_cancel(l->front, tag);
		return err;
	case US_MSG_handshakes: {
		struct us_msg_handshakes m;

		err = us_msg_handshakes_decode(&m, body.p, body.n);
		return err != US_OK ? err : us_vault_keeper_count(v->keeper, v->state, m.counts);
	}
	case US_MSG_shares:
		return us_vault_shares_told(v->shares, us_channel_peer_index(ch), body);
	default:
		return us_vault_request_take(v, us_vault_kinds, l->front, type, tag, body);
	}
}

static void
on_front_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_vault_link *l = ctx;

	(void)err;
	if (l->channel != ch)
		return; /* replaced already */
	us_vault_requests_drop(l->front, US_REASON_GONE);
	l->channel = NULL;
	us_vault_front_connect(l->front, NULL);
}

static void
on_front_drained(void *ctx, struct us_channel *ch)
{
	struct us_vault_link *l = ctx;

	if (l->channel == ch)
		us_vault_front_drained(l->front);
}

static void
drop_requests(struct us_vault_process *p, enum us_reason why)
{
	for (size_t i = 0; i < FRONTS_MAX; i++)
		if (p->fronts[i].front != NULL)
			us_vault_requests_drop(p->fronts[i].front, why);
}

/* --- keeper ----------------------------------------------------------------------------------- */

static void
on_open(struct us_vault *v)
{
	us_vault_outcomes_open(v->outcomes);
}

static int
on_keeper(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_vault *v = &((struct us_vault_process *)ctx)->vault;
	int err;

	(void)ch;
	(void)fd;
	if (us_vault_is_leaving(v->state))
		return US_OK;
	switch (type) {
	case US_MSG_checkpoint:
		return us_vault_keeper_take_checkpoint(v->keeper, body);
	case US_MSG_unsealed:
		return us_vault_start_unsealed(v, body, on_open);
	default:
		/* here, so that whoever waits for it need not ask whether it is well formed */
		err = us_msg_check(type, body.p, body.n);
		return err != US_OK ? err : us_vault_keeper_answer(v->keeper, type, tag, body);
	}
}

/* What fronts have counted is taken; what they count from now on they pass on themselves. */
static void
hang_up(struct us_vault_process *p)
{
	for (size_t i = 0; i < FRONTS_MAX; i++)
		if (p->fronts[i].channel != NULL)
			us_channel_hang_up(p->fronts[i].channel);
}

static void
on_leave(evutil_socket_t fd, short what, void *arg)
{
	struct us_vault_process *p = arg;
	size_t i, backlog = 0;

	(void)fd;
	(void)what;
	for (i = 0; i < FRONTS_MAX; i++)
		if (p->fronts[i].channel != NULL)
			backlog += us_channel_backlog(p->fronts[i].channel);
	if (backlog > 0)
		us_log(US_LOG_NOTICE, "%zu bytes of replies were not sent any more", backlog);
	hang_up(p);
	us_writer_free(p->vault.writer);
	us_crypto_scrub();
	/* Nothing else is freed one by one: the address space goes. */
	_exit(p->status);
}

/* A later call changes the status alone, to US_EXIT_SEALED. */
static void
leave(struct us_vault *v, int status)
{
	struct us_vault_process *p = (struct us_vault_process *)v;
	struct timeval soon = { 0, 50000 };

	if (p->status != US_EXIT_SEALED)
		p->status = status;
	if (us_vault_is_leaving(v->state))
		return;
	us_vault_state_leave(v->state);
	/* What is not answered by now is cut off: the keys that it would need are gone. */
	drop_requests(p, US_REASON_CUT);
	us_vault_outcomes_tell(v->outcomes);
	us_vault_evidence_forget(v->evidence);
	(void)event_base_once(v->base, -1, EV_TIMEOUT, on_leave, p, &soon);
}

static void
on_keeper_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_vault_process *p = ctx;

	(void)ch;
	p->keeper_channel = NULL;
	us_vault_keeper_connect(p->vault.keeper, NULL);
	if (p->status != US_EXIT_SEALED && err == US_ERR_CLOSED)
		us_log(US_LOG_ERROR, "the keeper is gone: stopping");
	/* Nothing can be logged, so nothing may leave any more. */
	leave(&p->vault, 1);
}

/* --- sealer ----------------------------------------------------------------------------------- */

static int
on_sealer(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_vault_process *p = ctx;

	(void)ch;
	(void)fd;
	return us_vault_is_leaving(p->vault.state) ?
	    US_OK :
	    us_vault_sealer_message(p->sealer, type, tag, body);
}

static void
on_sealer_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_vault_process *p = ctx;

	(void)err;
	if (p->sealer_channel != ch)
		return;
	p->sealer_channel = NULL;
	us_vault_sealer_connect(p->sealer, NULL);
}

/* --- start and end ---------------------------------------------------------------------------- */

static int
open_store(struct us_vault *v)
{
	struct us_store_options options = { .path = "store.db", .create = 1 };
	struct us_store *store = NULL;
	int err = us_store_open(&store, &options);

	if (err == US_OK)
		err = us_store_reader_open(&v->reader, store);
	if (err == US_OK)
		err = us_writer_new(&v->writer, store, v->base);
	if (err != US_OK) {
		us_store_reader_close(v->reader);
		v->reader = NULL;
		us_store_close(store);
	}
	return err;
}

/* The rooms, each upon those before it. */
static int
open_rooms(struct us_vault_process *p, const struct us_settings *settings)
{
	struct us_vault *v = &p->vault;
	const size_t cache_pages = (size_t)us_setting_number(settings, "vault_cache_pages",
	    CACHE_PAGES_DEFAULT);
	int err = us_vault_state_new(&v->state, us_setting_number(settings, "frozen", 0) != 0);

	if (err == US_OK)
		err = us_vault_keeper_new(&v->keeper, p->control);
	if (err == US_OK)
		err = us_vault_acts_new(&v->acts, v);
	if (err == US_OK)
		err = us_vault_evidence_new(&v->evidence, v->state, v->reader, cache_pages);
	if (err == US_OK)
		err = us_vault_views_new(&v->views, v->evidence);
	if (err == US_OK)
		err = us_vault_sessions_new(&v->sessions);
	if (err == US_OK)
		err = us_vault_outcomes_new(&v->outcomes, v->base, v->state, v->keeper);
	if (err == US_OK)
		err = us_vault_gate_new(&v->log_gate, v->base, &us_vault_log_gate_limits, v->state,
		    us_vault_gate_opens);
	if (err == US_OK)
		err = us_vault_shares_new(v, settings, us_vault_request_turn);
	if (err == US_OK)
		err = us_vault_openings_new(&v->openings, v->base, us_vault_opening_goes_on);
	if (err == US_OK)
		err = us_vault_requests_new(&v->requests, v->base, us_vault_refusal);
	if (err == US_OK)
		err = us_vault_loads_new(&v->loads, v);
	if (err == US_OK)
		err = us_vault_sealer_new(&p->sealer, v);
	for (size_t i = 0; i < FRONTS_MAX && err == US_OK; i++) {
		p->fronts[i].process = p;
		err = us_vault_front_new(&p->fronts[i].front);
	}
	return err;
}

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_vault_process *p = ctx;
	int err;

	(void)index;
	p->vault.base = base;
	err = us_crypto_init();
	if (err == US_OK)
		err = open_store(&p->vault);
	if (err != US_OK)
		us_log_err(err, "cannot open the store");
	return err != US_OK ? err : open_rooms(p, settings);
}

static struct us_channel *
connect_front(struct us_vault_process *p, uint8_t index, int fd)
{
	struct us_vault_link *l = &p->fronts[index];

	if (l->channel != NULL) {
		us_vault_requests_drop(l->front, US_REASON_GONE);
		us_channel_free(l->channel);
	}
	l->channel = us_channel_new(p->vault.base, fd, US_ROLE_VAULT, US_ROLE_FRONT, index,
	    &front_handler, l);
	us_vault_front_connect(l->front, l->channel);
	return l->channel;
}

static struct us_channel *
connect_keeper(struct us_vault_process *p, uint8_t index, int fd)
{
	p->keeper_channel = us_channel_new(p->vault.base, fd, US_ROLE_VAULT, US_ROLE_KEEPER, index,
	    &keeper_handler, p);
	us_vault_keeper_connect(p->vault.keeper, p->keeper_channel);
	return p->keeper_channel;
}

static struct us_channel *
connect_sealer(struct us_vault_process *p, uint8_t index, int fd)
{
	if (p->sealer_channel != NULL) {
		us_channel_free(p->sealer_channel);
		us_vault_sealer_connect(p->sealer, NULL);
	}
	p->sealer_channel = us_channel_new(p->vault.base, fd, US_ROLE_VAULT, US_ROLE_SEALER, index,
	    &sealer_handler, p);
	us_vault_sealer_connect(p->sealer, p->sealer_channel);
	return p->sealer_channel;
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	struct us_vault_process *p = ctx;
	struct us_channel *ch;

	if ((peer != US_ROLE_FRONT || index >= FRONTS_MAX) &&
	    (peer != US_ROLE_KEEPER || p->keeper_channel != NULL) && peer != US_ROLE_SEALER) {
		(void)close(fd);
		return US_ERR_MALFORMED;
	}
	ch = peer == US_ROLE_FRONT ? connect_front(p, index, fd) :
	    peer == US_ROLE_KEEPER ? connect_keeper(p, index, fd) :
				     connect_sealer(p, index, fd);
	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	return US_OK;
}

static int
on_start(void *ctx)
{
	struct us_vault_process *p = ctx;

	return p->keeper_channel == NULL || p->vault.writer == NULL ? US_ERR_STATE : US_OK;
}

static void
process_free(struct us_vault_process *p)
{
	struct us_vault *v = &p->vault;

	drop_requests(p, US_REASON_CUT);
	for (size_t i = 0; i < FRONTS_MAX; i++) {
		us_channel_free(p->fronts[i].channel);
		us_vault_front_free(p->fronts[i].front);
	}
	us_channel_free(p->keeper_channel);
	us_channel_free(p->sealer_channel);
	us_writer_free(v->writer); /* finishes what was queued */
	us_vault_sealer_free(p->sealer);
	us_vault_loads_free(v->loads);
	us_vault_requests_free(v->requests);
	us_vault_gate_free(v->log_gate);
	us_vault_shares_free(v);
	us_vault_openings_free(v->openings);
	us_vault_outcomes_free(v->outcomes);
	us_vault_sessions_free(v->sessions);
	us_vault_views_free(v->views);
	us_vault_evidence_free(v->evidence);
	us_vault_start_free(v);
	us_vault_acts_free(v->acts);
	us_vault_keeper_free(v->keeper);
	us_vault_state_free(v->state);
	us_store_reader_close(v->reader);
	free(p);
}

/* Answers under way are cut; the keeper hears of it before its log ends. */
static int
may_stop(void *ctx)
{
	struct us_vault_process *p = ctx;
	struct us_vault *v = &p->vault;

	drop_requests(p, US_REASON_CUT);
	if (p->keeper_channel == NULL || us_vault_is_leaving(v->state) ||
	    us_vault_outcomes_told(v->outcomes))
		return p->keeper_channel == NULL || us_channel_backlog(p->keeper_channel) == 0;
	us_vault_outcomes_tell(v->outcomes);
	return 0;
}

static void
on_control(void *ctx, struct us_channel *control)
{
	struct us_vault_process *p = ctx;

	p->control = control;
	if (p->vault.keeper != NULL)
		us_vault_keeper_set_control(p->vault.keeper, control);
}

/* us_vault_main() frees everything when the loop has ended. */
static void
on_stop(void *ctx)
{
	struct us_vault_process *p = ctx;

	if (p->vault.state == NULL)
		return; /* nothing has begun */
	us_vault_state_leave(p->vault.state);
	hang_up(p);
	if (p->keeper_channel != NULL)
		us_channel_flush(p->keeper_channel);
}

int
us_vault_main(void)
{
	struct us_role_process process = {
		.role = US_ROLE_VAULT,
		.on_settings = on_settings,
		.on_channel = on_channel,
		.on_start = on_start,
		.may_stop = may_stop,
		.on_stop = on_stop,
		.on_control = on_control,
	};
	struct us_vault_process *p = calloc(1, sizeof *p);
	int status;

	if (p == NULL)
		return 1;
	p->vault.leave = leave;
	process.ctx = p;
	status = us_role_run(&process);
	process_free(p);
	return status;
}
