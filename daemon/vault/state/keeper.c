/* Questions to the keeper: a tag is a place in a table and its generation, so that a late answer to
 * a question nobody remembers finds nobody. */
#include <stdlib.h>

#include "daemon/vault/internal.h"

#define CALLS_MAX 65535u
#define NONE UINT32_MAX

static int
grow(struct us_vault *v)
{
	uint32_t n = v->n_calls == 0 ? 256 : v->n_calls * 2;
	struct us_vault_keeper_call *more;
	uint32_t i;

	if (v->n_calls == CALLS_MAX)
		return US_ERR_BUSY;
	if (n > CALLS_MAX)
		n = CALLS_MAX;
	more = realloc(v->calls, n * sizeof *more);
	if (more == NULL)
		return US_ERR_NOMEM;
	v->calls = more;
	for (i = v->n_calls; i < n; i++)
		v->calls[i] = (struct us_vault_keeper_call){ .generation = 1,
			.next_free = i + 1 == n ? NONE : i + 1 };
	v->free_call = v->n_calls;
	v->n_calls = n;
	return US_OK;
}

uint32_t
us_vault_keeper_call_new(struct us_vault *v, call_fn fn, void *ctx)
{
	struct us_vault_keeper_call *c;
	uint32_t i;

	if ((v->n_calls == 0 || v->free_call == NONE) && grow(v) != US_OK)
		return 0;
	i = v->free_call;
	c = &v->calls[i];
	v->free_call = c->next_free;
	c->fn = fn;
	c->ctx = ctx;
	c->used = 1;
	return (uint32_t)c->generation << 16 | i;
}

void
us_vault_keeper_call_forget(struct us_vault *v, uint32_t tag)
{
	uint32_t i = tag & 0xffff;

	if (tag != 0 && i < v->n_calls && v->calls[i].used && v->calls[i].generation == tag >> 16)
		v->calls[i].fn = NULL;
}

int
us_vault_keeper_call_sent(struct us_vault *v, uint32_t *tag, int err)
{
	const uint32_t i = *tag & 0xffff;
	struct us_vault_keeper_call *c;

	if (err == US_OK || *tag == 0)
		return err;
	c = &v->calls[i];
	c->used = 0;
	c->next_free = v->free_call;
	v->free_call = i;
	*tag = 0;
	return err;
}

void
us_vault_keeper_call_hand_over(struct us_vault *v, uint32_t tag, call_fn fn, void *ctx)
{
	uint32_t i = tag & 0xffff;

	if (tag == 0 || i >= v->n_calls || !v->calls[i].used || v->calls[i].generation != tag >> 16)
		return;
	v->calls[i].fn = fn;
	v->calls[i].ctx = ctx;
}

int
us_vault_keeper_call_answer(struct us_vault *v, uint16_t type, uint32_t tag, struct us_bytes body)
{
	uint32_t i = tag & 0xffff;
	struct us_vault_keeper_call *c;
	call_fn fn;
	void *ctx;

	if (i >= v->n_calls || !v->calls[i].used || v->calls[i].generation != tag >> 16)
		return US_ERR_MALFORMED;
	c = &v->calls[i];
	fn = c->fn;
	ctx = c->ctx;
	c->used = 0;
	c->generation = (uint16_t)(c->generation == UINT16_MAX ? 1 : c->generation + 1);
	c->next_free = v->free_call;
	v->free_call = i;
	if (fn != NULL)
		fn(v, ctx, type, body);
	return US_OK;
}
