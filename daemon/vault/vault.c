/* The vault's process: channels to the other roles, start and end. */
#include "daemon/vault/vault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "crypto/crypto.h"
#include "daemon/process/role.h"
#include "daemon/vault/internal.h"

#define CACHE_PAGES_DEFAULT 10240

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

/* What a front has counted. The keeper takes our word for it, so it is looked at here. */
static int
take_counts(struct us_vault *v, struct us_bytes counts)
{
	int err;

	if (counts.n == 0 || counts.n % 5 != 0)
		return US_ERR_MALFORMED;
	for (size_t i = 0; i < counts.n; i += 5)
		if (us_reason_name(counts.p[i]) == NULL)
			return US_ERR_MALFORMED;
	err = us_vault_refused(v, counts);
	if (err != US_OK)
		us_log_err(err, "what a front has refused could not be counted");
	return US_OK;
}

static int
on_front(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_vault_front *f = ctx;
	int err;

	(void)ch;
	(void)fd;
	if (f->vault->leaving && type != US_MSG_handshakes)
		return US_OK;
	switch (type) {
	case US_MSG_credit: {
		struct us_msg_credit m;

		err = us_msg_credit_decode(&m, body.p, body.n);
		if (err == US_OK)
			us_vault_request_credit(f, tag, m.bytes);
		return err;
	}
	case US_MSG_cancel:
		err = us_msg_check(type, body.p, body.n);
		if (err == US_OK)
			us_vault_request_cancel(f, tag);
		return err;
	case US_MSG_handshakes: {
		struct us_msg_handshakes m;

		err = us_msg_handshakes_decode(&m, body.p, body.n);
		return err != US_OK ? err : take_counts(f->vault, m.counts);
	}
	default:
		err = us_msg_check(type, body.p, body.n);
		return err != US_OK ? err : us_vault_request_take(f, type, tag, body);
	}
}

static void
on_front_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_vault_front *f = ctx;

	(void)err;
	if (f->channel != ch)
		return; /* replaced already */
	us_vault_requests_drop(f, US_REASON_GONE);
	f->channel = NULL;
}

static void
on_front_drained(void *ctx, struct us_channel *ch)
{
	struct us_vault_front *f = ctx;

	if (f->channel == ch)
		us_vault_front_drained(f);
}

/* --- keeper ----------------------------------------------------------------------------------- */

static int
take_checkpoint(struct us_vault *v, struct us_bytes body)
{
	struct us_msg_checkpoint m;
	int err = us_msg_checkpoint_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	v->tree_size = m.tree_size;
	us_buf_reset(&v->checkpoint);
	return us_buf_put(&v->checkpoint, m.text.p, m.text.n);
}

static int
on_keeper(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_vault *v = ctx;
	int err;

	(void)ch;
	(void)fd;
	if (v->leaving)
		return US_OK;
	switch (type) {
	case US_MSG_checkpoint:
		return take_checkpoint(v, body);
	case US_MSG_unsealed:
		return us_vault_start_unsealed(v, body);
	default:
		/* here, so that whoever waits for it need not ask whether it is well formed */
		err = us_msg_check(type, body.p, body.n);
		return err != US_OK ? err : us_vault_keeper_call_answer(v, type, tag, body);
	}
}

int
us_vault_refused(struct us_vault *v, struct us_bytes counts)
{
	const struct us_msg_noise noise = { .counts = counts };
	const struct us_msg_uncounted uncounted = { .counts = counts };
	int err;

	if (v->keeper != NULL && !v->leaving)
		return us_send_noise(v->keeper, 0, &noise);
	if (v->control == NULL)
		return US_OK;
	err = us_send_uncounted(v->control, 0, &uncounted);
	us_channel_flush(v->control);
	return err;
}

static void
on_leave(evutil_socket_t fd, short what, void *arg)
{
	struct us_vault *v = arg;
	size_t i, backlog = 0;

	(void)fd;
	(void)what;
	for (i = 0; i < FRONTS_MAX; i++)
		if (v->fronts[i].channel != NULL)
			backlog += us_channel_backlog(v->fronts[i].channel);
	if (backlog > 0)
		us_log(US_LOG_NOTICE, "%zu bytes of replies were not sent any more", backlog);
	us_writer_free(v->writer);
	us_crypto_scrub();
	/* Nothing else is freed one by one: the address space goes. */
	_exit(v->sealing ? US_EXIT_SEALED : 1);
}

void
us_vault_leave(struct us_vault *v, int status)
{
	struct timeval soon = { 0, 50000 };
	size_t i;

	if (status == US_EXIT_SEALED)
		v->sealing = 1;
	if (v->leaving)
		return;
	v->leaving = 1;
	/* What is not answered by now is cut off: the keys that it would need are gone. */
	for (i = 0; i < FRONTS_MAX; i++)
		us_vault_requests_drop(&v->fronts[i], US_REASON_CUT);
	us_vault_outcomes_tell(v);
	us_key_free(v->state_key);
	us_key_free(v->cursor_key);
	v->state_key = NULL;
	v->cursor_key = NULL;
	v->state = VAULT_SEALED;
	us_vault_evidence_free(v);
	(void)event_base_once(v->base, -1, EV_TIMEOUT, on_leave, v, &soon);
}

static void
on_keeper_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_vault *v = ctx;

	(void)ch;
	v->keeper = NULL;
	if (!v->sealing && err == US_ERR_CLOSED)
		us_log(US_LOG_ERROR, "the keeper is gone: stopping");
	/* Nothing can be logged, so nothing may leave any more. */
	us_vault_leave(v, v->sealing ? US_EXIT_SEALED : 1);
}

/* --- sealer ----------------------------------------------------------------------------------- */

static int
on_sealer(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	struct us_vault *v = ctx;

	(void)ch;
	(void)fd;
	return v->leaving ? US_OK : us_vault_load_message(v, type, tag, body);
}

static void
on_sealer_close(void *ctx, struct us_channel *ch, int err)
{
	struct us_vault *v = ctx;

	(void)err;
	if (v->sealer != ch)
		return;
	v->sealer = NULL;
	us_vault_load_sealer_gone(v);
}

/* --- start and end ---------------------------------------------------------------------------- */

static void
on_run(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	us_work_turn(&((struct us_vault *)arg)->work_queue);
}

static int
open_store(struct us_vault *v, size_t cache_pages)
{
	struct us_store_options options = { .path = "store.db", .create = 1 };
	struct us_store *store = NULL;
	int err = us_store_open(&store, &options);

	if (err == US_OK)
		err = us_store_reader_open(&v->reader, store);
	if (err == US_OK)
		err = us_cache_new(&v->cache, v->reader, cache_pages);
	if (err == US_OK)
		err = us_writer_new(&v->writer, store, v->base);
	if (err != US_OK) {
		us_store_reader_close(v->reader);
		v->reader = NULL;
		us_store_close(store);
	}
	return err;
}

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_vault *v = ctx;
	int err;

	(void)index;
	v->base = base;
	v->run_event = event_new(base, -1, 0, on_run, v);
	if (v->run_event == NULL)
		return US_ERR_NOMEM;
	v->frozen = us_setting_number(settings, "frozen", 0, 0, 1) != 0;
	err = us_crypto_init();
	if (err == US_OK)
		err = open_store(v,
		    (size_t)us_setting_number(settings, "vault_cache_pages", CACHE_PAGES_DEFAULT, 8,
			1 << 20));
	if (err != US_OK)
		us_log_err(err, "cannot open the store");
	return err;
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	struct us_vault *v = ctx;
	struct us_channel *ch = NULL;

	if ((peer != US_ROLE_FRONT || index >= FRONTS_MAX) &&
	    (peer != US_ROLE_KEEPER || v->keeper != NULL) && peer != US_ROLE_SEALER) {
		(void)close(fd);
		return US_ERR_MALFORMED;
	}
	if (peer == US_ROLE_FRONT) {
		struct us_vault_front *f = &v->fronts[index];

		if (f->channel != NULL) {
			us_vault_requests_drop(f, US_REASON_GONE);
			us_channel_free(f->channel);
		}
		f->vault = v;
		f->index = index;
		ch = f->channel = us_channel_new(v->base, fd, US_ROLE_VAULT, peer, index,
		    &front_handler, f);
	} else if (peer == US_ROLE_KEEPER) {
		ch = v->keeper = us_channel_new(v->base, fd, US_ROLE_VAULT, peer, index,
		    &keeper_handler, v);
	} else {
		if (v->sealer != NULL) {
			us_channel_free(v->sealer);
			v->sealer = NULL;
			us_vault_load_sealer_gone(v);
		}
		ch = v->sealer = us_channel_new(v->base, fd, US_ROLE_VAULT, peer, index,
		    &sealer_handler, v);
	}
	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	return US_OK;
}

static int
on_start(void *ctx)
{
	struct us_vault *v = ctx;

	return v->keeper == NULL || v->writer == NULL ? US_ERR_STATE : US_OK;
}

static void
vault_free(struct us_vault *v)
{
	size_t i;

	for (i = 0; i < FRONTS_MAX; i++) {
		us_vault_requests_drop(&v->fronts[i], US_REASON_CUT);
		us_channel_free(v->fronts[i].channel);
	}
	us_channel_free(v->keeper);
	us_channel_free(v->sealer);
	us_writer_free(v->writer); /* finishes what was queued */
	us_vault_start_free(v);
	us_vault_acts_free(v);
	us_vault_log_gate_free(v);
	us_vault_loads_free(v);
	us_vault_view_free_all(v);
	us_vault_evidence_free(v);
	us_cache_free(v->cache);
	us_store_reader_close(v->reader);
	us_registry_free(v->registry);
	us_key_free(v->state_key);
	us_key_free(v->cursor_key);
	us_vault_outcomes_free(v);
	us_buf_free(&v->checkpoint);
	us_buf_free(&v->sealed);
	us_buf_free(&v->plain);
	us_buf_free(&v->container);
	us_buf_free(&v->text);
	us_vault_requests_free(v);
	free(v->act_entries);
	free(v->changes);
	free(v->lost);
	free(v->calls);
	free(v->sessions);
	if (v->run_event != NULL)
		event_free(v->run_event);
	free(v);
}

/* Answers under way are cut; the keeper hears of it before its log ends. */
static int
may_stop(void *ctx)
{
	struct us_vault *v = ctx;
	size_t i;

	for (i = 0; i < FRONTS_MAX; i++)
		us_vault_requests_drop(&v->fronts[i], US_REASON_CUT);
	if (v->keeper == NULL || v->leaving || us_vault_outcomes_told(v))
		return v->keeper == NULL || us_channel_backlog(v->keeper) == 0;
	us_vault_outcomes_tell(v);
	return 0;
}

static void
on_control(void *ctx, struct us_channel *control)
{
	((struct us_vault *)ctx)->control = control;
}

/* The fronts have ended: what they counted is on its way. us_vault_main() frees everything when the
 * loop has ended. */
static void
on_stop(void *ctx)
{
	struct us_vault *v = ctx;

	v->leaving = 1;
	for (size_t i = 0; i < FRONTS_MAX; i++) {
		if (v->fronts[i].channel != NULL)
			us_channel_drain(v->fronts[i].channel);
	}
	if (v->keeper != NULL)
		us_channel_flush(v->keeper);
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
	struct us_vault *v = calloc(1, sizeof *v);
	int status;

	if (v == NULL)
		return 1;
	us_vault_outcomes_init(v);
	us_vault_requests_init(v);
	us_buf_init(&v->checkpoint, 4096);
	us_buf_init(&v->sealed, US_SEALED_RECORD_MAX);
	us_buf_init(&v->plain, US_SEALED_RECORD_MAX);
	us_buf_init(&v->container, US_CONTAINER_MAX);
	us_buf_init(&v->text, 64u * 1024u * 1024u);
	process.ctx = v;
	status = us_role_run(&process);
	vault_free(v);
	return status;
}
