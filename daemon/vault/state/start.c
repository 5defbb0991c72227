#include "daemon/vault/state/start.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"
#include "daemon/vault/state/writer.h"
#include "evidence/batch/batch.h"
#include "log/tiles.h"

struct us_vault_kept_act {
	uint64_t entry;
	int prepared;
	size_t at, n; /* in acts */
};

struct us_vault_start {
	struct us_vault *vault;
	void (*opened)(struct us_vault *v);
	struct us_buf acts; /* committed acts, one behind the other */
	struct us_vault_kept_act *kept;
	size_t n_kept, room;
	uint64_t tree_size;
	uint64_t bundle;   /* that is read to find entries */
	uint64_t sequence; /* of the act that the next entry back belongs to */
};

void
us_vault_start_free(struct us_vault *v)
{
	if (v->start == NULL)
		return;
	us_buf_free(&v->start->acts);
	free(v->start->kept);
	free(v->start);
	v->start = NULL;
}

static void
refuse(struct us_vault *v, const char *why)
{
	us_vault_state_refuse(v->state, why);
	us_log(US_LOG_ERROR, "%s: nothing is released", why);
	us_vault_start_free(v);
}

/* --- replay ----------------------------------------------------------------------------------- */

static int
keep_act(struct us_vault_start *s, struct us_bytes committed, int prepared, uint64_t entry)
{
	struct us_msg_replay m = { .prepared = (uint8_t)prepared, .committed = committed };
	int err;

	if (us_grow(&s->kept, s->n_kept, &s->room, sizeof *s->kept) != US_OK)
		return US_ERR_NOMEM;
	s->kept[s->n_kept++] = (struct us_vault_kept_act){ entry, prepared, s->acts.len,
		committed.n };
	err = us_buf_put(&s->acts, committed.p, committed.n);
	return err != US_OK ? err :
			      us_send_replay(us_vault_keeper_channel(s->vault->keeper), 0, &m);
}

static int
open_act(void *ctx, const struct us_store_act *act)
{
	struct us_vault_start *s = ctx;
	struct us_buf plain;
	int err;

	if (act->sequence != s->n_kept + 1)
		return US_ERR_VERIFY;
	us_buf_init(&plain, US_ACT_COMMITTED_MAX);
	err = us_vault_act_open(s->vault->state, act->sequence, act->sealed, &plain);
	if (err == US_OK)
		err = keep_act(s, (struct us_bytes){ plain.data, plain.len }, act->prepared,
		    act->entry);
	us_buf_free(&plain);
	return err;
}

static int
fold(struct us_vault *v, uint64_t keep)
{
	struct us_vault_start *s = v->start;
	struct us_registry *reg;
	uint64_t i;
	int err = us_registry_new(&reg);

	if (err == US_OK)
		us_vault_state_set_registry(v->state, reg);
	for (i = 0; i < keep && err == US_OK; i++) {
		struct us_bytes committed = { s->acts.data + s->kept[i].at, s->kept[i].n };

		err = us_registry_replay(reg, committed, NULL);
		if (err == US_OK)
			err = us_vault_note_act(v->state, i + 1, s->kept[i].entry, committed);
	}
	return err;
}

/* Pages of batches that were never closed: of void slots, and of slots behind the last. */
static int
tidy_range(struct us_vault *v, uint32_t collection, uint8_t first_kind, uint8_t last_kind,
    uint64_t from, uint64_t to)
{
	struct us_write job = { .op = US_WRITE_DELETE,
		.key = { collection, first_kind, from },
		.last = to };
	int err = US_OK;

	for (; job.key.kind <= last_kind && err == US_OK; job.key.kind++)
		err = us_writer_put(v->writer, &job);
	return err;
}

int
us_vault_start_tidy(struct us_vault *v, uint32_t id)
{
	const struct us_dictionary *d = us_registry_dictionary(us_vault_registry(v->state), id, 0);
	size_t i, n = us_registry_batches(us_vault_registry(v->state), id);
	uint32_t next = 0; /* slot behind the last one that counts */
	int err = US_OK;

	for (i = 0; i < n && err == US_OK; i++) {
		const struct us_batch *b = us_registry_batch(us_vault_registry(v->state), id, i);

		if (b->status == US_BATCH_VOID)
			continue;
		if (b->facts.slot > next)
			err = tidy_range(v, id, US_PAGE_RECORDS, US_PAGE_TAGS, PAGE_NUMBER(next, 0),
			    PAGE_NUMBER(b->facts.slot, 0) - 1);
		if (b->facts.slot >= next)
			next = b->facts.slot + 1;
	}
	if (err == US_OK)
		err = tidy_range(v, id, US_PAGE_RECORDS, US_PAGE_TAGS, PAGE_NUMBER(next, 0),
		    US_STORE_NUMBER_MAX);
	if (err == US_OK)
		err = tidy_range(v, id, US_PAGE_DICTIONARY, US_PAGE_DICTIONARY,
		    PAGE_NUMBER(d == NULL ? 1 : d->version + 1, 0), US_STORE_NUMBER_MAX);
	return err;
}

static int
tidy_store(struct us_vault *v)
{
	uint32_t id, n = us_registry_collections(us_vault_registry(v->state));
	int err = US_OK;

	for (id = 1; id <= n && err == US_OK; id++)
		err = us_vault_start_tidy(v, id);
	return err;
}

/* --- entries of acts that were committed but not noted: a crash or a full disk came between --- */

static void
replayed(struct us_vault *v)
{
	void (*const opened)(struct us_vault * v) = v->start->opened;
	const struct us_registry *reg = us_vault_registry(v->state);
	int err = tidy_store(v);

	if (err != US_OK)
		us_fatal("cannot tidy the store: %s", us_strerror(err));
	us_vault_start_free(v);
	us_vault_state_enter(v->state, US_VAULT_OPEN);
	opened(v);
	us_log(US_LOG_NOTICE, "open: %llu acts, %u collections",
	    (unsigned long long)us_registry_sequence(reg), us_registry_collections(reg));
}

static void ask_bundle(struct us_vault *v);

/* The lowest act whose entry is not known; 0 if all are. */
static uint64_t
first_unknown(const struct us_vault *v)
{
	uint64_t i, n = us_registry_sequence(us_vault_registry(v->state));

	for (i = 1; i <= n; i++)
		if (us_vault_entry_of(v->state, i) == NO_ENTRY)
			return i;
	return 0;
}

static void
settle(struct us_vault *v, uint64_t sequence, uint64_t entry)
{
	struct us_write job = { .op = US_WRITE_SETTLE_ACT, .number = sequence, .entry = entry };

	if (us_vault_note_entry(v->state, sequence, entry) != US_OK ||
	    us_writer_put(v->writer, &job) != US_OK)
		us_fatal("out of memory at start");
}

/* Each act has one entry of class state, in the same order: counted from the newest back. */
static void
on_bundle(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault *v = ctx;
	struct us_vault_start *s = v->start;
	uint64_t found[US_TILE_WIDTH], index = s->bundle * US_TILE_WIDTH;
	struct us_msg_log_data m;
	struct us_reader r;
	size_t n = 0;

	if (type != US_MSG_log_data || us_msg_log_data_decode(&m, body.p, body.n) != US_OK ||
	    m.err != US_OK) {
		refuse(v, "The log cannot be read to find the newest act's entry");
		return;
	}
	us_reader_init(&r, m.data.p, m.data.n);
	for (; r.left > 0 && r.err == US_OK && n < US_TILE_WIDTH; index++) {
		struct us_bytes e = us_bundle_take(&r);

		if (r.err == US_OK && e.n > 4 && e.p[4] == US_CLASS_STATE)
			found[n++] = index;
	}
	while (n-- > 0 && s->sequence > 0) {
		if (us_vault_entry_of(v->state, s->sequence) == NO_ENTRY)
			settle(v, s->sequence, found[n]);
		s->sequence--;
	}
	if (first_unknown(v) == 0) {
		replayed(v);
	} else if (s->bundle == 0 || s->sequence == 0) {
		refuse(v, "The log has no entry for an act of the store");
	} else {
		s->bundle--;
		ask_bundle(v);
	}
}

static void
ask_bundle(struct us_vault *v)
{
	struct us_vault_start *s = v->start;
	struct us_tile tile = { .entries = 1, .n = s->bundle };
	char path[US_TILE_PATH_MAX];
	struct us_msg_log_read m;
	uint32_t call = us_vault_keeper_call(v->keeper, on_bundle, v);

	tile.width = us_tile_width(s->tree_size, 0, s->bundle);
	if (call == 0 || us_tile_path(&tile, path, sizeof path) != US_OK)
		us_fatal("cannot read the log at start");
	m.path = us_bytes_of(path);
	if (us_send_log_read(us_vault_keeper_channel(v->keeper), call, &m) != US_OK)
		us_fatal("cannot ask the keeper at start");
}

static void
on_size(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault *v = ctx;
	struct us_msg_keeper_status_reply m;

	if (type != US_MSG_keeper_status_reply ||
	    us_msg_keeper_status_reply_decode(&m, body.p, body.n) != US_OK || m.tree_size == 0) {
		refuse(v, "The keeper's log is empty, the store is not");
		return;
	}
	v->start->tree_size = m.tree_size;
	v->start->bundle = (m.tree_size - 1) / US_TILE_WIDTH;
	v->start->sequence = us_registry_sequence(us_vault_registry(v->state));
	ask_bundle(v);
}

static void
on_replay_reply(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault *v = ctx;
	struct us_write drop = { .op = US_WRITE_DROP_ACTS };
	struct us_msg_keeper_status status = { 0 };
	struct us_msg_replay_reply m;
	uint32_t call;
	int err;

	if (type != US_MSG_replay_reply || us_msg_replay_reply_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer to the replay is not one");
	if (m.err != US_OK || m.keep > v->start->n_kept || m.keep == 0) {
		refuse(v,
		    "The store does not hold the state that the log ends in (an old copy was put "
		    "back, "
		    "or it was changed)");
		return;
	}
	if (m.keep < v->start->n_kept) {
		drop.number = m.keep + 1;
		if (us_writer_put(v->writer, &drop) != US_OK)
			us_fatal("out of memory at start");
	}
	err = fold(v, m.keep);
	if (err != US_OK) {
		us_log_err(err, "folding the acts");
		refuse(v, "The acts in the store do not fold");
		return;
	}
	if (first_unknown(v) == 0) {
		replayed(v);
		return;
	}
	call = us_vault_keeper_call(v->keeper, on_size, v);
	if (call == 0 ||
	    us_send_keeper_status(us_vault_keeper_channel(v->keeper), call, &status) != US_OK)
		us_fatal("cannot ask the keeper at start");
}

static int
end_replay(struct us_vault *v)
{
	struct us_msg_replay_end m = { 0 };
	uint32_t call = us_vault_keeper_call(v->keeper, on_replay_reply, v);

	return call == 0 ? US_ERR_BUSY :
			   us_send_replay_end(us_vault_keeper_channel(v->keeper), call, &m);
}

static void
on_init_stored(void *ctx, int err, size_t bytes)
{
	struct us_vault *v = ctx;

	(void)bytes;
	if (err != US_OK)
		us_fatal("cannot store the vault's first act: %s", us_strerror(err));
	if (v->start == NULL || us_vault_keeper_channel(v->keeper) == NULL ||
	    us_vault_is_leaving(v->state))
		return;
	if (end_replay(v) != US_OK)
		us_fatal("cannot send the acts to the keeper");
}

/* The first unsealing: the keeper made the first act at init, the store begins with it. */
static int
store_init(struct us_vault *v, struct us_bytes committed)
{
	struct us_write job = { .op = US_WRITE_ACT, .number = 1, .done = on_init_stored, .ctx = v };
	struct us_buf sealed;
	int err;

	us_buf_init(&sealed, US_ACT_COMMITTED_MAX + 65536);
	err = us_vault_act_seal(v->state, 1, committed, &sealed);
	if (err == US_OK)
		err = keep_act(v->start, committed, 0, NO_ENTRY);
	if (err == US_OK) {
		job.data = (struct us_bytes){ sealed.data, sealed.len };
		err = us_writer_put(v->writer, &job);
	}
	us_buf_free(&sealed);
	return err;
}

int
us_vault_start_unsealed(struct us_vault *v, struct us_bytes body,
    void (*opened)(struct us_vault *v))
{
	struct us_msg_unsealed m;
	int err = us_msg_unsealed_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if (us_vault_phase(v->state) != US_VAULT_SEALED)
		return US_ERR_MALFORMED;
	err = us_vault_state_take_keys(v->state, m.vault_id, m.state_key, m.cursor_key);
	us_wipe(m.state_key, sizeof m.state_key);
	us_wipe(m.cursor_key, sizeof m.cursor_key);
	if (err != US_OK)
		us_fatal("no memory for keys: %s", us_strerror(err));
	us_vault_state_enter(v->state, US_VAULT_REPLAYING);
	v->start = calloc(1, sizeof *v->start);
	if (v->start == NULL)
		us_fatal("out of memory at start");
	v->start->vault = v;
	v->start->opened = opened;
	us_buf_init(&v->start->acts, SIZE_MAX / 2);
	err = us_store_scan_acts(v->reader, 0, open_act, v->start);
	if (err == US_ERR_NOMEM || err == US_ERR_FULL)
		us_fatal("the acts cannot be shown to the keeper: %s. Stopping", us_strerror(err));
	if (err != US_OK) {
		us_log_err(err, "act %zu in the store", v->start->n_kept + 1);
		refuse(v, "The acts in the store cannot be opened");
		return US_OK;
	}
	err = v->start->n_kept == 0 ? store_init(v, m.init_act) : end_replay(v);
	if (err != US_OK)
		us_fatal("cannot send the acts to the keeper: %s", us_strerror(err));
	return US_OK;
}
