/* Start, timers and end of the keeper. */
#include "daemon/keeper/keeper.h"

#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "crypto/key.h"
#include "daemon/keeper/acts.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/barred.h"
#include "daemon/keeper/batches.h"
#include "daemon/keeper/channels.h"
#include "daemon/keeper/cosign.h"
#include "daemon/keeper/counters.h"
#include "daemon/keeper/dictionaries.h"
#include "daemon/keeper/expiries.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger_file.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/loads.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/machine_events.h"
#include "daemon/keeper/outcome.h"
#include "daemon/keeper/page_keys.h"
#include "daemon/keeper/peers.h"
#include "daemon/keeper/replay.h"
#include "daemon/keeper/seal.h"
#include "daemon/keeper/session.h"
#include "daemon/keeper/succession.h"
#include "daemon/keeper/tasks.h"
#include "daemon/keeper/unattributed.h"
#include "daemon/keeper/unseal.h"
#include "daemon/keeper/witnesses.h"
#include "daemon/process/role.h"
#include "daemon/process/hooks.h"
#include "daemon/process/settings.h"
#include "log/cosignature.h"
#include "registry/act.h"

#define TICK_MS 100
#define TICK_BUSY_MS 20
#define HEARTBEAT_NS (INT64_C(10) * 60 * US_NS_PER_SECOND)
#define WATCH_NS US_NS_PER_SECOND
#define RESERVE_MIB 256
#define SEGMENT_MIB (US_JOURNAL_SEGMENT / 1024 / 1024)
#define REPLY_MAX (4u * 1024u * 1024u)

struct us_keeper_process {
	struct us_keeper k;
	struct us_keeper_succession lineage;
	int lock_fd;
	struct event *tick;
	int64_t watched_mono; /* the log's files */
	struct us_expiries expiries;
	size_t segment_size;
};

static struct us_keeper_process *
of(struct us_keeper *k)
{
	return (struct us_keeper_process *)(void *)k; /* its first member */
}

/* Closes the log, and wipes everything. */
static void
close_keeper(struct us_keeper_process *process)
{
	struct us_keeper *k = &process->k;

	us_keeper_queue_free(k);
	us_low_space_free(k);
	us_loads_free(k);
	us_tasks_free(k);
	us_batches_free(k);
	us_dictionaries_free(k);
	us_page_keys_free(k);
	us_ledger_file_free(k);
	us_unsealing_free(k);
	us_replay_free(k);
	us_witnesses_free(k);
	us_answers_free(k);
	us_machine_events_free(k);
	us_klog_close(k->klog);
	k->klog = NULL;
	us_keeper_life_free(k);
	us_registry_free(k->registry);
	us_usage_free(k->usage);
	us_key_free(k->nonce_key);
	us_boot_keys_free(&k->boot);
	us_vault_conf_free(&k->conf);
	us_keeper_succession_free(&process->lineage);
	us_acts_free(k);
	us_buf_free(&k->reply);
	us_sessions_free(k);
	us_barred_free(k);
	us_counters_free(k);
	us_keeper_unattributed_free(k);
	us_seal_free(k);
	us_peers_free(k);
	free(k->act);
	if (process->lock_fd >= 0)
		(void)close(process->lock_fd);
	us_crypto_scrub();
	memset(process, 0, sizeof *process);
	process->lock_fd = -1;
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
	struct us_keeper_process *process = arg;
	struct us_keeper *k = &process->k;
	struct us_channel *silent;
	int more;

	(void)fd;
	(void)what;
	us_unsealing_expire(k);
	us_keeper_order_at(k, us_time_now_ns());
	us_cosign_age(k);
	us_answers_tick(k);
	us_low_space_watch(k);
	us_machine_events_clocks(k);
	us_ledger_file_tick(k);
	us_expiries_tick(k, &process->expiries);
	silent = us_loads_tick(k);
	if (silent != NULL)
		us_channels_drop(k, silent);
	us_keeper_unattributed_tell(k, 0);
	if (us_klog_open_group(k->klog) > 0)
		us_keeper_settle(k);
	if (us_keeper_tell_held(k, 0))
		us_keeper_settle(k);
	if (us_time_mono_ns() - us_keeper_last_entry(k) > HEARTBEAT_NS) {
		(void)us_keeper_event(k, US_ACTION_HEARTBEAT, US_DECISION_NONE, US_REASON_NONE,
		    NULL, NULL);
		us_keeper_settle(k);
	}
	more = us_klog_tick(k->klog);
	if (us_time_mono_ns() - process->watched_mono > WATCH_NS) {
		process->watched_mono = us_time_mono_ns();
		us_klog_watch(k->klog);
	}
	arm(process->tick, more ? TICK_BUSY_MS : TICK_MS);
}

/* A fresh address space is what sealing means: the monitor starts us anew. */
static void
end_sealed(struct us_keeper *k)
{
	us_keeper_unattributed_pass_on(k);
	us_run_ended(us_klog_size(k->klog), US_GAP_SEALED);
	close_keeper(of(k));
	exit(US_EXIT_SEALED);
}

/* --- start --------------------------------------------------------------------------------- */

static int
fail_sync(void *arg, enum us_journal_op op)
{
	(void)arg;
	return op == US_JOURNAL_SYNC ? us_hooks_sync() : 0;
}

static int
read_files(struct us_keeper_process *process)
{
	struct us_keeper *k = &process->k;
	int err = us_keeper_lock(&process->lock_fd);

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
	err = us_keeper_succession_read(&process->lineage, US_LINEAGE_FILE);
	return err != US_OK ? err :
			      us_keeper_succession_check(&process->lineage, &k->conf, &k->boot);
}

static int
make_tables(struct us_keeper *k)
{
	int err = us_key_new(&k->nonce_key);

	if (err == US_OK)
		err = us_key_random(k->nonce_key);
	if (err == US_OK)
		err = us_registry_new(&k->registry);
	if (err == US_OK)
		err = us_sessions_new(k);
	if (err == US_OK)
		err = us_barred_new(k);
	if (err == US_OK)
		err = us_acts_new(k);
	if (err == US_OK)
		err = us_loads_new(k);
	if (err == US_OK)
		err = us_counters_new(k);
	if (err == US_OK)
		err = us_batches_new(k);
	if (err == US_OK)
		err = us_dictionaries_new(k);
	if (err == US_OK)
		err = us_page_keys_new(k);
	if (err == US_OK)
		err = us_ledger_file_new(k);
	if (err == US_OK)
		err = us_replay_new(k);
	if (err == US_OK)
		err = us_answers_new(k);
	if (err == US_OK)
		err = us_keeper_unattributed_new(k);
	us_buf_init(&k->reply, REPLY_MAX);
	k->act = calloc(1, sizeof *k->act);
	return err == US_OK && k->act == NULL ? US_ERR_NOMEM : err;
}

static int
open_log(struct us_keeper_process *process)
{
	struct us_keeper *k = &process->k;
	struct us_klog_options o = { .vault_id = k->conf.vault_id,
		.box_public = k->conf.box_public,
		.origin = k->conf.origin,
		.seed = k->boot.log_seed,
		.segment_size = process->segment_size,
		.fault = fail_sync };
	int err;

	us_keeper_succession_options(&process->lineage, &o);
	err = us_klog_open(&k->klog, &o);
	if (err == US_OK)
		err = us_keeper_succession_begin(&process->lineage, k->klog);
	if (err == US_OK)
		err = us_unsealing_new(k);
	if (err != US_OK)
		us_log_err(err, "the log cannot be opened");
	return err;
}

/* Files, log, and what it says of this start. */
static int
start(struct us_keeper_process *process)
{
	struct us_keeper *k = &process->k;
	uint64_t first = 0, size;
	int64_t last_ns;
	int err = read_files(process);

	if (err == US_OK)
		err = make_tables(k);
	if (err == US_OK)
		err = open_log(process);
	if (err == US_OK)
		err = us_keeper_life_new(k);
	if (err != US_OK)
		return err;
	us_low_space_watch(k);
	last_ns = us_klog_last_time(k->klog);
	size = us_klog_size(k->klog);
	err = us_keeper_event(k, US_ACTION_START, US_DECISION_NONE, US_REASON_NONE,
	    &(struct us_event){ .form = US_EVENT_START, .start = { k->frozen } }, &first);
	if (err == US_OK) {
		const int64_t start_ns = us_klog_last_time(k->klog);

		us_answers_begin(k, first);
		err = us_machine_events_begin(k, last_ns, start_ns, size);
	}
	if (err == US_OK)
		err = us_witnesses_load(k);
	if (err != US_OK)
		return err;
	us_keeper_settle(k);
	us_machine_events_begun(k);
	return US_OK;
}

/* What the settings say of each part. */
static int
configure(struct us_keeper_process *process, const struct us_settings *settings)
{
	struct us_keeper *k = &process->k;
	const struct us_witness_rule rule = {
		.max_ns = us_setting_number(settings, "witnesses.max-age", 0) * US_NS_PER_SECOND,
		.needed = (size_t)us_setting_number(settings, "witnesses.needed", 1),
		.seals = strcmp(us_setting(settings, "witnesses.when-old", "warn"), "warn") != 0,
	};
	int err;

	process->segment_size = (size_t)us_setting_number(settings, "keeper.segment", SEGMENT_MIB) *
	    1024 * 1024;
	us_hooks_configure(settings);
	k->frozen = us_setting_number(settings, "frozen", 0) != 0;
	err = us_low_space_new(k,
	    (uint64_t)us_setting_number(settings, "keeper.reserve", RESERVE_MIB) * 1024 * 1024);
	if (err == US_OK)
		err = us_machine_events_new(k, settings);
	return err != US_OK ? err :
			      us_witnesses_new(k, us_setting(settings, "witnesses", ""), &rule);
}

static int
protect(void)
{
	struct rlimit limit;
	const int may_lock = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
	    limit.rlim_cur == RLIM_INFINITY;
	int err = us_crypto_init();

	if (err == US_OK)
		err = us_process_protect(may_lock ? US_PROTECT_LOCK_ALL : 0);
	if (err != US_OK)
		us_log_err(err, "the key process cannot be protected");
	return err;
}

static int
on_settings(void *ctx, struct event_base *base, uint8_t index, const struct us_settings *settings)
{
	struct us_keeper_process *process = ctx;
	struct us_keeper *k = &process->k;
	int err = protect();

	(void)index;
	if (err != US_OK)
		return err;
	k->base = base;
	process->tick = evtimer_new(base, on_tick, process);
	if (process->tick == NULL || us_seal_new(k, base, end_sealed) != US_OK ||
	    us_tasks_new(k, base) != US_OK || us_keeper_queue_new(k) != US_OK)
		return US_ERR_NOMEM;
	err = configure(process, settings);
	return err != US_OK ? err : start(process);
}

static int
on_channel(void *ctx, enum us_role peer, uint8_t index, int fd)
{
	return us_channels_add(&((struct us_keeper_process *)ctx)->k, peer, index, fd);
}

static int
on_start(void *ctx)
{
	arm(((struct us_keeper_process *)ctx)->tick, TICK_MS);
	return US_OK;
}

/* The vault is asked to end with us, and tells how its answers ended. */
static int
may_stop(void *ctx)
{
	const struct us_keeper *k = &((struct us_keeper_process *)ctx)->k;

	return k->klog == NULL || us_peers_vault(k) == NULL || !us_answers_open(k);
}

static void
on_stop(void *ctx)
{
	struct us_keeper_process *process = ctx;
	struct us_keeper *k = &process->k;

	if (k->klog == NULL)
		return;
	us_peers_hang_up(k);
	if (k->klog == NULL)
		return; /* what was heard last has ended it */
	us_answers_end(k, US_REASON_CUT);
	(void)us_keeper_tell_held(k, 1);
	us_keeper_unattributed_tell(k, 1);
	us_keeper_unattributed_pass_on(k); /* if it could not be told */
	(void)us_keeper_event(k, US_ACTION_STOP, US_DECISION_NONE, US_REASON_NONE, NULL, NULL);
	us_keeper_settle(k);
	us_ledger_file_end(k);
	us_run_ended(us_klog_size(k->klog), US_GAP_STOPPED);
	close_keeper(process);
}

static int
on_told(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_keeper *k = &((struct us_keeper_process *)ctx)->k;

	return k->klog == NULL ? US_OK : us_machine_events_told(k, type, body);
}

static void
on_control(void *ctx, struct us_channel *control)
{
	us_peers_set_control(&((struct us_keeper_process *)ctx)->k, control);
}

int
us_keeper_main(void)
{
	static struct us_keeper_process keeper; /* of this process alone */
	const struct us_role_process process = {
		.role = US_ROLE_KEEPER,
		.on_settings = on_settings,
		.on_channel = on_channel,
		.on_start = on_start,
		.may_stop = may_stop,
		.on_stop = on_stop,
		.on_told = on_told,
		.on_control = on_control,
		.ctx = &keeper,
	};

	keeper.lock_fd = -1;
	if (us_peers_new(&keeper.k) != US_OK)
		us_fatal("no memory");
	return us_role_run(&process);
}
