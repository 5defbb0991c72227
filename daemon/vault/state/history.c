#include "daemon/vault/state/history.h"

#include "base/err.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"
#include "daemon/vault/store/store.h"
#include "registry/versions.h"

struct us_vault_scan {
	const struct us_vault_state *state;
	int (*wants)(void *ctx, uint64_t sequence);
	int (*fn)(void *ctx, uint64_t sequence, struct us_bytes committed);
	void *ctx;
	struct us_buf plain;
};

static int
open_act(void *ctx, const struct us_store_act *act)
{
	struct us_vault_scan *s = ctx;
	int err;

	/* one that is being prepared has not happened yet */
	if (act->sequence > us_registry_sequence(us_vault_registry(s->state)))
		return US_ERR_CLOSED;
	if (s->wants != NULL && !s->wants(s->ctx, act->sequence))
		return US_OK;
	us_buf_reset(&s->plain);
	err = us_vault_act_open(s->state, act->sequence, act->sealed, &s->plain);
	return err != US_OK ?
	    err :
	    s->fn(s->ctx, act->sequence, (struct us_bytes){ s->plain.data, s->plain.len });
}

static int
scan(struct us_vault *v, uint64_t from, struct us_vault_scan *s)
{
	int err;

	us_buf_init(&s->plain, US_ACT_COMMITTED_MAX);
	err = us_store_scan_acts(v->reader, from, open_act, s);
	us_buf_free(&s->plain);
	return err == US_ERR_CLOSED ? US_OK : err;
}

int
us_vault_history_acts(struct us_vault *v, int (*wants)(void *ctx, uint64_t sequence),
    int (*fn)(void *ctx, uint64_t sequence, struct us_bytes committed), void *ctx)
{
	struct us_vault_scan s = { .state = v->state, .wants = wants, .fn = fn, .ctx = ctx };

	return scan(v, 0, &s);
}

int
us_vault_history_from(struct us_vault *v, uint64_t from,
    int (*fn)(void *ctx, uint64_t sequence, struct us_bytes committed), void *ctx)
{
	struct us_vault_scan s = { .state = v->state, .fn = fn, .ctx = ctx };

	return scan(v, from, &s);
}

struct us_vault_folding {
	struct us_registry *registry;
	int64_t at_ns;
};

static int
fold_act(void *ctx, uint64_t sequence, struct us_bytes committed)
{
	struct us_vault_folding *f = ctx;
	struct us_committed_act act;
	int err = us_committed_act_decode(&act, NULL, committed.p, committed.n);

	/* without its first act a vault is nothing: before that everything was as it made it */
	if (err == US_OK && sequence > 1 && act.time_ns > f->at_ns)
		return US_ERR_CLOSED;
	return err != US_OK ? err : us_registry_replay(f->registry, committed, NULL);
}

int
us_vault_history_registry(struct us_vault *v, int64_t at_ns, struct us_registry **out)
{
	struct us_vault_folding f = { .at_ns = at_ns };
	int err = us_registry_new(&f.registry);

	*out = NULL;
	if (err == US_OK)
		err = us_vault_history_acts(v, NULL, fold_act, &f);
	if (err != US_OK || us_registry_order(f.registry) == NULL) {
		us_registry_free(f.registry);
		return err != US_OK ? err : US_ERR_STATE;
	}
	(void)us_registry_at(f.registry, at_ns);
	*out = f.registry;
	return US_OK;
}
