#include "daemon/vault/evidence/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define NONE UINT32_MAX

struct us_vault_slot {
	uint64_t key; /* packed; 0: free (no collection has the number 0) */
	uint32_t n;
	uint32_t chain; /* next of the same bucket */
	uint32_t older, newer;
	uint8_t *page;
};

/* Invariant: every slot stands in the list from newest to oldest; those with a key also in the
 * chain of their bucket. */
struct us_cache {
	struct us_store_reader *reader;
	struct us_vault_slot *slots;
	uint32_t *buckets;
	uint32_t n_slots, mask;
	uint32_t newest, oldest;
};

static uint64_t
pack(const struct us_store_key *key)
{
	return (uint64_t)key->collection << 48 | (uint64_t)key->kind << 40 | key->number;
}

static uint32_t
bucket_of(const struct us_cache *c, uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & c->mask;
}

int
us_cache_new(struct us_cache **out, struct us_store_reader *reader, size_t pages)
{
	struct us_cache *c = calloc(1, sizeof *c);
	uint32_t i, n = 16;

	*out = NULL;
	if (c == NULL)
		return US_ERR_NOMEM;
	c->n_slots = (uint32_t)(pages < 8 ? 8 : pages);
	while (n < c->n_slots * 2)
		n *= 2;
	c->mask = n - 1;
	c->reader = reader;
	c->slots = calloc(c->n_slots, sizeof *c->slots);
	c->buckets = malloc(n * sizeof *c->buckets);
	if (c->slots == NULL || c->buckets == NULL) {
		us_cache_free(c);
		return US_ERR_NOMEM;
	}
	memset(c->buckets, 0xff, n * sizeof *c->buckets);
	for (i = 0; i < c->n_slots; i++) {
		c->slots[i].newer = i == 0 ? NONE : i - 1;
		c->slots[i].older = i + 1 == c->n_slots ? NONE : i + 1;
		c->slots[i].chain = NONE;
	}
	c->oldest = c->n_slots - 1;
	*out = c;
	return US_OK;
}

void
us_cache_free(struct us_cache *c)
{
	uint32_t i;

	if (c == NULL)
		return;
	for (i = 0; c->slots != NULL && i < c->n_slots; i++) {
		if (c->slots[i].page != NULL)
			us_wipe(c->slots[i].page, US_CACHE_PAGE_MAX);
		free(c->slots[i].page);
	}
	free(c->slots);
	free(c->buckets);
	free(c);
}

static void
to_front(struct us_cache *c, uint32_t i)
{
	struct us_vault_slot *s = &c->slots[i];

	if (c->newest == i)
		return;
	c->slots[s->newer].older = s->older;
	if (s->older != NONE)
		c->slots[s->older].newer = s->newer;
	else
		c->oldest = s->newer;
	s->newer = NONE;
	s->older = c->newest;
	c->slots[c->newest].newer = i;
	c->newest = i;
}

static void
unchain(struct us_cache *c, uint32_t i)
{
	uint32_t *at = &c->buckets[bucket_of(c, c->slots[i].key)];

	while (*at != i)
		at = &c->slots[*at].chain;
	*at = c->slots[i].chain;
	c->slots[i].chain = NONE;
	c->slots[i].key = 0;
}

struct us_vault_fill {
	struct us_vault_slot *slot;
	us_cache_open_fn open;
	void *ctx;
};

static int
fill_slot(void *ctx, const struct us_store_key *key, struct us_bytes stored)
{
	struct us_vault_fill *f = ctx;
	size_t n = 0;
	int err = US_OK;

	(void)key;
	if (stored.p == NULL)
		return US_ERR_NOT_FOUND;
	if (stored.n > US_CACHE_PAGE_MAX)
		return US_ERR_LIMIT;
	if (f->open != NULL) {
		err = f->open(f->ctx, stored, f->slot->page, &n);
	} else {
		memcpy(f->slot->page, stored.p, stored.n);
		n = stored.n;
	}
	f->slot->n = (uint32_t)n;
	return err;
}

int
us_cache_get(struct us_cache *c, const struct us_store_key *key, us_cache_open_fn open, void *ctx,
    struct us_bytes *page)
{
	uint64_t packed = pack(key);
	uint32_t b = bucket_of(c, packed);
	uint32_t i;
	struct us_vault_fill f;
	int err;

	for (i = c->buckets[b]; i != NONE; i = c->slots[i].chain) {
		if (c->slots[i].key != packed)
			continue;
		to_front(c, i);
		*page = (struct us_bytes){ c->slots[i].page, c->slots[i].n };
		return US_OK;
	}
	i = c->oldest;
	if (c->slots[i].key != 0)
		unchain(c, i);
	if (c->slots[i].page == NULL && (c->slots[i].page = malloc(US_CACHE_PAGE_MAX)) == NULL)
		return US_ERR_NOMEM;
	f = (struct us_vault_fill){ &c->slots[i], open, ctx };
	err = us_store_get_many(c->reader, key, 1, fill_slot, &f);
	if (err != US_OK)
		return err;
	c->slots[i].key = packed;
	c->slots[i].chain = c->buckets[b];
	c->buckets[b] = i;
	to_front(c, i);
	*page = (struct us_bytes){ c->slots[i].page, c->slots[i].n };
	return US_OK;
}

void
us_cache_forget(struct us_cache *c, const struct us_store_key *from, uint64_t to)
{
	struct us_store_key last = *from;
	uint64_t low = pack(from), high;
	uint32_t i;

	last.number = to;
	high = pack(&last);
	for (i = 0; i < c->n_slots; i++)
		if (c->slots[i].key != 0 && c->slots[i].key >= low && c->slots[i].key <= high)
			unchain(c, i);
}
