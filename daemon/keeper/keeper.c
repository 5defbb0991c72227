/* Start, channels, timers and end of the keeper. */
#include "daemon/keeper/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "log/cosignature.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/key.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"

#define TICK_MS 100
#define TICK_BUSY_MS 20
#define HEARTBEAT_NS (INT64_C(10) * 60 * US_NS_PER_SECOND)
#define WATCH_NS US_NS_PER_SECOND
#define RESERVE_MIB 256
#define SEGMENT_MIB (US_JOURNAL_SEGMENT / 1024 / 1024)
#define REPLY_MAX (4u * 1024u * 1024u)

/* --- channels ------------------------------------------------------------------------------ */

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
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers[i] == ch)
			k->peers[i] = NULL;
	}
	if (k->vault == ch) {
		k->vault = NULL;
		k->prepared.valid = 0;
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

const struct us_channel_handler us_keeper_handler = { .on_message = on_message,
	.on_close = on_close,
	.on_batch_end = on_batch_end,
	.on_drained = on_drained };

void
us_keeper_drop_peer(struct us_keeper *k, struct us_channel *ch)
{
	us_keeper_forget_channel(k, ch);
	us_loads_channel_gone(k, ch);
	us_tasks_drop(k, ch);
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers[i] == ch)
			k->peers[i] = NULL;
	}
	us_channel_free(ch);
	us_keeper_settle(k);
}

/* A peer that was started anew has one channel: the old one may still have to report its end, which
 * this keeper, if it stood still meanwhile, has not looked at. */
static void
drop_former(struct us_keeper *k, enum us_role peer, uint8_t index)
{
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		struct us_channel *old = k->peers[i];

		if (old == NULL || us_channel_peer(old) != peer ||
		    us_channel_peer_index(old) != index)
			continue;
		us_keeper_drop_peer(k, old);
	}
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	struct us_keeper *k = ctx;
	struct us_channel *ch;

	if (peer != US_ROLE_VAULT && peer != US_ROLE_SEALER && peer != US_ROLE_FRONT) {
		(void)close(fd);
		return US_ERR_MALFORMED;
	}
	ch = us_channel_new(k->base, fd, US_ROLE_KEEPER, peer, index, &us_keeper_handler, k);
	if (ch == NULL) {
		(void)close(fd);
		return US_ERR_NOMEM;
	}
	drop_former(k, peer, index);
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers[i] != NULL)
			continue;
		k->peers[i] = ch;
		if (peer == US_ROLE_VAULT)
			k->vault = ch;
		if (peer == US_ROLE_SEALER)
			k->stops = (struct us_stops){ .sealer = ch };
		return US_OK;
	}
	us_channel_free(ch);
	return US_ERR_LIMIT;
}

/* --- timers -------------------------------------------------------------------------------- */

static void
arm(struct event *e, int64_t ms)
{
	const struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	(void)event_add(e, &tv);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct us_keeper *k = arg;
	int more;

	(void)fd;
	(void)what;
	us_keeper_unsealing_expire(k);
	us_keeper_order_at(k, us_time_now_ns());
	us_keeper_witnesses_age(k);
	us_answers_tick(k);
	us_low_space_watch(k);
	us_machine_events_clocks(k);
	us_loads_tick(k);
	us_keeper_unattributed_tell(k, 0);
	if (us_klog_open_group(k->klog) > 0)
		us_keeper_settle(k);
	if (k->space.held != NULL) {
		us_low_space_tell(k, 0);
		us_keeper_settle(k);
	}
	if (us_time_mono_ns() - k->last_entry_mono > HEARTBEAT_NS) {
		(void)us_keeper_event(k, US_ACTION_HEARTBEAT, US_DECISION_NONE, US_REASON_NONE,
		    NULL, NULL);
		us_keeper_settle(k);
	}
	more = us_klog_tick(k->klog);
	if (us_time_mono_ns() - k->watched_mono > WATCH_NS) {
		k->watched_mono = us_time_mono_ns();
		us_klog_watch(k->klog);
	}
	arm(k->tick, more ? TICK_BUSY_MS : TICK_MS);
}

/* What the others have said before they ended. */
static void
drain(struct us_keeper *k)
{
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers[i] != NULL)
			us_channel_drain(k->peers[i]);
	}
}

static void
on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
	struct us_keeper *k = arg;
	int wait = k->answers.awaited && k->vault != NULL && us_answers_open(k);

	(void)fd;
	(void)what;
	for (size_t i = 0; i < US_KEEPER_PEERS; i++)
		wait |= k->peers[i] != NULL && us_channel_backlog(k->peers[i]) > 0;
	if (wait && k->stopping++ < 200) {
		arm(k->stop_timer, 10);
		return;
	}
	drain(k);
	us_answers_end(k, US_REASON_CUT);
	us_keeper_settle(k);
	us_log(US_LOG_NOTICE, "sealed on request");
	us_keeper_unattributed_pass_on(k);
	us_machine_events_ended(k, US_GAP_SEALED);
	us_keeper_close(k);
	/* A fresh address space is what sealing means: the monitor starts us anew. */
	exit(US_EXIT_SEALED);
}

void
us_keeper_stop_sealed(struct us_keeper *k)
{
	k->stopping = 1;
	k->state = US_KEEPER_SEALED;
	us_tasks_drop(k, NULL); /* they have keys, or are about to */
	us_keyring_free(k->keyring);
	us_pkey_free(k->ca_key);
	k->keyring = NULL;
	k->ca_key = NULL;
	/* the log's own keys stay until the vault, if it knows, has said in a moment which answers
	 * this cuts */
	if (!k->answers.awaited) {
		us_klog_set_box_key(k->klog, NULL);
		us_root_keys_free(k->root);
		k->root = NULL;
	}
	if (k->stop_timer != NULL)
		arm(k->stop_timer, 10);
}

/* --- start --------------------------------------------------------------------------------- */

static int
fail_sync(void *arg, enum us_journal_op op)
{
	struct us_keeper *k = arg;

	return op == US_JOURNAL_SYNC && k->fail_sync > 0 && --k->fail_sync == 0 ? EIO : 0;
}

static int
read_files(struct us_keeper *k)
{
	int err = us_keeper_lock(&k->lock_fd);

	if (err != US_OK) {
		us_log_err(err,
		    err == US_ERR_BUSY ? "another daemon is running on this data directory; "
					 "stop it first" :
					 "the keeper's directory cannot be locked");
		return err;
	}
	err = us_vault_conf_read(&k->conf);
	if (err != US_OK) {
		us_log_err(err,
		    "vault.conf cannot be read: is this a directory that \"undersealed init\" "
		    "made?");
		return err;
	}
	err = us_boot_keys_read(&k->boot);
	if (err != US_OK) {
		us_log_err(err, "boot.keys cannot be read");
		return err;
	}
	us_buf_init(&k->init_act, US_ACT_COMMITTED_MAX); /* filled when the vault is unsealed */
	err = us_keeper_succession_read(&k->lineage, US_LINEAGE_FILE);
	return err != US_OK ? err : us_keeper_succession_check(&k->lineage, &k->conf, &k->boot);
}

static int
make_tables(struct us_keeper *k)
{
	int err = us_key_new(&k->nonce_key);

	if (err == US_OK)
		err = us_key_random(k->nonce_key);
	if (err == US_OK)
		err = us_registry_new(&k->registry);
	k->sessions = calloc(US_KEEPER_SESSIONS, sizeof *k->sessions);
	k->act = calloc(1, sizeof *k->act);
	if (err == US_OK && (k->sessions == NULL || k->act == NULL))
		err = US_ERR_NOMEM;
	us_buf_init(&k->prepared.committed, US_ACT_COMMITTED_MAX);
	us_buf_init(&k->reply, REPLY_MAX);
	k->pending_tail = &k->pending;
	return err;
}

int
us_keeper_start(struct us_keeper *k)
{
	struct us_klog_options o = { .vault_id = k->conf.vault_id,
		.box_public = k->conf.box_public,
		.origin = k->conf.origin,
		.segment_size = k->segment_size,
		.fault = fail_sync,
		.arg = k };
	uint64_t start = 0;
	int64_t last_ns, start_ns;
	uint64_t size;
	int err = read_files(k);

	if (err == US_OK)
		err = make_tables(k);
	if (err != US_OK)
		return err;
	o.seed = k->boot.log_seed;
	us_keeper_succession_options(&k->lineage, &o);
	err = us_klog_open(&k->klog, &o);
	if (err == US_OK)
		err = us_keeper_succession_begin(&k->lineage, k->klog);
	if (err == US_OK)
		err = us_keeper_unsealing_begin(k);
	if (err != US_OK) {
		us_log_err(err, "the log cannot be opened");
		return err;
	}
	k->since_ns = us_time_now_ns();
	us_low_space_watch(k);
	last_ns = us_klog_last_time(k->klog);
	size = us_klog_size(k->klog);
	err = us_keeper_event(k, US_ACTION_START, US_DECISION_NONE, US_REASON_NONE,
	    &(struct us_event){ .form = US_EVENT_START, .start = { k->frozen } }, &start);
	start_ns = us_klog_last_time(k->klog);
	if (err == US_OK) {
		us_answers_begin(k, start);
		err = us_machine_events_begin(k, last_ns, start_ns, size);
	}
	if (err == US_OK)
		err = us_keeper_witnesses_load(k);
	if (err != US_OK)
		return err;
	us_keeper_settle(k);
	us_machine_events_begun(k);
	return US_OK;
}

static void
forget_answers(struct us_pending *p)
{
	while (p != NULL) {
		struct us_pending *next = p->next;

		free(p->data);
		free(p);
		p = next;
	}
}

void
us_keeper_close(struct us_keeper *k)
{
	forget_answers(k->pending);
	forget_answers(k->space.held);
	us_keeper_loads_free(k);
	us_tasks_free(k);
	while (k->batches != NULL)
		us_keeper_batch_free(k, k->batches);
	while (k->dictionaries != NULL) {
		struct us_open_dictionary *next = k->dictionaries->next;

		free(k->dictionaries);
		k->dictionaries = next;
	}
	us_keeper_unsealing_end(k);
	us_keeper_witnesses_free(k);
	us_answers_free(k);
	us_machine_events_free(k);
	us_klog_close(k->klog);
	us_root_keys_free(k->root);
	us_keyring_free(k->keyring);
	us_pkey_free(k->ca_key);
	us_registry_free(k->registry);
	us_usage_free(k->usage);
	us_key_free(k->nonce_key);
	us_boot_keys_free(&k->boot);
	us_vault_conf_free(&k->conf);
	us_keeper_succession_free(&k->lineage);
	us_buf_free(&k->init_act);
	us_buf_free(&k->prepared.committed);
	us_buf_free(&k->reply);
	free(k->sessions);
	free(k->act);
	free(k->counters);
	if (k->lock_fd >= 0)
		(void)close(k->lock_fd);
	us_crypto_scrub();
	memset(k, 0, sizeof *k);
	k->lock_fd = -1;
}

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_protect_options protect = { 0 };
	struct us_keeper *k = ctx;
	struct rlimit limit;
	int err;

	(void)index;
	k->base = base;
	us_low_space_init(&k->space,
	    (uint64_t)us_setting_number(settings, "keeper.reserve", RESERVE_MIB, 0, 1 << 20) *
		1024 * 1024);
	k->segment_size = (size_t)us_setting_number(settings, "keeper.segment", SEGMENT_MIB, 8,
			      1024) *
	    1024 * 1024;
	k->frozen = us_setting_number(settings, "frozen", 0, 0, 1) != 0;
	k->fail_sync = us_setting_number(settings, "keeper.fail-sync", 0, 0, INT32_MAX);
	protect.lock_all = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
	    limit.rlim_cur == RLIM_INFINITY;
	err = us_crypto_init();
	if (err == US_OK)
		err = us_process_protect(&protect);
	if (err != US_OK) {
		us_log_err(err, "the key process cannot be protected");
		return err;
	}
	k->tick = evtimer_new(base, on_tick, k);
	k->stop_timer = evtimer_new(base, on_stop_timer, k);
	if (k->tick == NULL || k->stop_timer == NULL || us_tasks_init(k, base) != US_OK)
		return US_ERR_NOMEM;
	k->witness_age.max_ns = us_setting_number(settings, "witnesses.max-age", 0, 0, INT32_MAX) *
	    US_NS_PER_SECOND;
	k->witness_age.needed = (size_t)us_setting_number(settings, "witnesses.needed", 1, 1,
	    US_COSIGNERS_MAX);
	k->witness_age.seals = strcmp(us_setting(settings, "witnesses.when-old", "warn"), "warn") !=
	    0;
	err = us_machine_events_settings(k, settings);
	if (err == US_OK)
		err = us_keeper_witnesses_set(k, us_setting(settings, "witnesses", ""));
	return err != US_OK ? err : us_keeper_start(k);
}

static int
on_start(void *ctx)
{
	struct us_keeper *k = ctx;

	arm(k->tick, TICK_MS);
	return US_OK;
}

/* The vault is asked to end with us, and tells how its answers ended. */
static int
may_stop(void *ctx)
{
	const struct us_keeper *k = ctx;

	return k->klog == NULL || k->vault == NULL || !us_answers_open(k);
}

static void
on_stop(void *ctx)
{
	struct us_keeper *k = ctx;

	if (k->klog == NULL)
		return;
	drain(k);
	us_answers_end(k, US_REASON_CUT);
	us_low_space_tell(k, 1);
	us_keeper_unattributed_tell(k, 1);
	(void)us_keeper_event(k, US_ACTION_STOP, US_DECISION_NONE, US_REASON_NONE, NULL, NULL);
	us_keeper_settle(k);
	us_machine_events_ended(k, US_GAP_STOPPED);
	us_keeper_close(k);
}

static int
on_told(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_keeper *k = ctx;

	return k->klog == NULL ? US_OK : us_machine_events_told(k, type, body);
}

static void
on_control(void *ctx, struct us_channel *control)
{
	((struct us_keeper *)ctx)->control = control;
}

int
us_keeper_main(void)
{
	static struct us_keeper k; /* 100 KiB, of this process alone */
	const struct us_role_process process = {
		.role = US_ROLE_KEEPER,
		.on_settings = on_settings,
		.on_channel = on_channel,
		.on_start = on_start,
		.may_stop = may_stop,
		.on_stop = on_stop,
		.on_told = on_told,
		.on_control = on_control,
		.ctx = &k,
	};

	k.lock_fd = -1;
	return us_role_run(&process);
}
