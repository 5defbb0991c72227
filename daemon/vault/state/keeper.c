#include "daemon/vault/state/keeper.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "case/action.h"
#include "daemon/vault/state/state.h"

#define CALLS_MAX 65535u
#define NONE UINT32_MAX

struct us_vault_keeper_call {
	us_vault_heard_fn fn;
	void *ctx;
	uint16_t generation;
	uint16_t used;
	uint32_t next_free;
};

struct us_vault_keeper {
	struct us_channel *channel;
	struct us_channel *control; /* to the monitor */
	struct us_vault_keeper_call *calls;
	uint32_t n_calls, free_call;
	uint64_t tree_size;
	struct us_buf checkpoint;
};

int
us_vault_keeper_new(struct us_vault_keeper **out, struct us_channel *control)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->control = control;
	us_buf_init(&(*out)->checkpoint, 4096);
	return US_OK;
}

void
us_vault_keeper_free(struct us_vault_keeper *k)
{
	if (k == NULL)
		return;
	us_buf_free(&k->checkpoint);
	free(k->calls);
	free(k);
}

void
us_vault_keeper_connect(struct us_vault_keeper *k, struct us_channel *channel)
{
	k->channel = channel;
}

void
us_vault_keeper_set_control(struct us_vault_keeper *k, struct us_channel *control)
{
	k->control = control;
}

struct us_channel *
us_vault_keeper_channel(const struct us_vault_keeper *k)
{
	return k->channel;
}

static int
pass_on(struct us_vault_keeper *k, const struct us_vault_state *s, struct us_bytes counts)
{
	const struct us_msg_noise noise = { .counts = counts };
	const struct us_msg_uncounted uncounted = { .counts = counts };
	int err;

	if (k->channel != NULL && !us_vault_is_leaving(s)) {
		err = us_send_noise(k->channel, 0, &noise);
		if (err != US_OK)
			return err;
		/* a keeper that has hung up has not got them: they are the monitor's to carry */
		us_channel_flush(k->channel);
		if (!us_channel_is_gone(k->channel))
			return US_OK;
	}
	if (k->control == NULL)
		return US_OK;
	err = us_send_uncounted(k->control, 0, &uncounted);
	us_channel_flush(k->control);
	return err;
}

int
us_vault_keeper_count(struct us_vault_keeper *k, const struct us_vault_state *s,
    struct us_bytes counts)
{
	int err;

	/* the keeper takes our word for it */
	if (counts.n == 0 || counts.n % 5 != 0)
		return US_ERR_MALFORMED;
	for (size_t i = 0; i < counts.n; i += 5)
		if (us_reason_name(counts.p[i]) == NULL)
			return US_ERR_MALFORMED;
	err = pass_on(k, s, counts);
	if (err != US_OK)
		us_log_err(err, "what was refused could not be counted");
	return US_OK;
}

/* --- questions -------------------------------------------------------------------------------- */

static int
grow(struct us_vault_keeper *k)
{
	uint32_t n = k->n_calls == 0 ? 256 : k->n_calls * 2;
	size_t cap = k->n_calls;
	uint32_t i;

	if (k->n_calls == CALLS_MAX)
		return US_ERR_BUSY;
	if (n > CALLS_MAX)
		n = CALLS_MAX;
	if (us_grow_to(&k->calls, n, &cap, sizeof *k->calls) != US_OK)
		return US_ERR_NOMEM;
	for (i = k->n_calls; i < n; i++)
		k->calls[i] = (struct us_vault_keeper_call){ .generation = 1,
			.next_free = i + 1 == n ? NONE : i + 1 };
	k->free_call = k->n_calls;
	k->n_calls = n;
	return US_OK;
}

uint32_t
us_vault_keeper_call(struct us_vault_keeper *k, us_vault_heard_fn fn, void *ctx)
{
	struct us_vault_keeper_call *c;
	uint32_t i;

	if ((k->n_calls == 0 || k->free_call == NONE) && grow(k) != US_OK)
		return 0;
	i = k->free_call;
	c = &k->calls[i];
	k->free_call = c->next_free;
	c->fn = fn;
	c->ctx = ctx;
	c->used = 1;
	return (uint32_t)c->generation << 16 | i;
}

void
us_vault_keeper_call_forget(struct us_vault_keeper *k, uint32_t tag)
{
	uint32_t i = tag & 0xffff;

	if (tag != 0 && i < k->n_calls && k->calls[i].used && k->calls[i].generation == tag >> 16)
		k->calls[i].fn = NULL;
}

int
us_vault_keeper_call_sent(struct us_vault_keeper *k, uint32_t *tag, int err)
{
	const uint32_t i = *tag & 0xffff;
	struct us_vault_keeper_call *c;

	if (*tag == 0)
		return US_ERR_BUSY;
	if (err == US_OK)
		return US_OK;
	c = &k->calls[i];
	c->used = 0;
	c->next_free = k->free_call;
	k->free_call = i;
	*tag = 0;
	return err;
}

void
us_vault_keeper_call_hand_over(struct us_vault_keeper *k, uint32_t tag, us_vault_heard_fn fn,
    void *ctx)
{
	uint32_t i = tag & 0xffff;

	if (tag == 0 || i >= k->n_calls || !k->calls[i].used || k->calls[i].generation != tag >> 16)
		return;
	k->calls[i].fn = fn;
	k->calls[i].ctx = ctx;
}

int
us_vault_keeper_answer(struct us_vault_keeper *k, uint16_t type, uint32_t tag, struct us_bytes body)
{
	uint32_t i = tag & 0xffff;
	struct us_vault_keeper_call *c;
	us_vault_heard_fn fn;
	void *ctx;

	if (i >= k->n_calls || !k->calls[i].used || k->calls[i].generation != tag >> 16)
		return US_ERR_MALFORMED;
	c = &k->calls[i];
	fn = c->fn;
	ctx = c->ctx;
	c->used = 0;
	c->generation = (uint16_t)(c->generation == UINT16_MAX ? 1 : c->generation + 1);
	c->next_free = k->free_call;
	k->free_call = i;
	if (fn != NULL)
		fn(ctx, type, body);
	return US_OK;
}

/* --- the newest checkpoint -------------------------------------------------------------------- */

int
us_vault_keeper_take_checkpoint(struct us_vault_keeper *k, struct us_bytes body)
{
	struct us_msg_checkpoint m;
	int err = us_msg_checkpoint_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	k->tree_size = m.tree_size;
	us_buf_reset(&k->checkpoint);
	return us_buf_put(&k->checkpoint, m.text.p, m.text.n);
}

struct us_bytes
us_vault_checkpoint(const struct us_vault_keeper *k)
{
	return (struct us_bytes){ k->checkpoint.data, k->checkpoint.len };
}

uint64_t
us_vault_tree_size(const struct us_vault_keeper *k)
{
	return k->tree_size;
}
