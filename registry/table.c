/* Hash table, slot sets, growing arrays. */
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

/* Keys are digests or random; mixing both ends keeps chosen nonces from sharing a chain too
 * cheaply. */
static size_t
place_of(const uint8_t key[32], size_t cap)
{
	uint64_t h = us_load_u64(key) ^ us_load_u64(key + 8) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	return (size_t)(h * UINT64_C(0xbf58476d1ce4e5b9) >> 20) & (cap - 1);
}

static struct us_table_slot *
find(struct us_table_slot *slots, size_t cap, const uint8_t key[32])
{
	size_t i = place_of(key, cap);

	while (slots[i].value != 0 && memcmp(slots[i].key, key, 32) != 0)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

uint32_t
us_table_get(const struct us_table *t, const uint8_t key[32])
{
	return t->cap == 0 ? 0 : find(t->slots, t->cap, key)->value;
}

int
us_table_reserve(struct us_table *t)
{
	struct us_table_slot *slots;
	size_t cap = t->cap == 0 ? 64 : t->cap * 2;

	if ((t->n + 1) * 2 <= t->cap)
		return US_OK;
	slots = calloc(cap, sizeof *slots);
	if (slots == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].value != 0)
			*find(slots, cap, t->slots[i].key) = t->slots[i];
	free(t->slots);
	t->slots = slots;
	t->cap = cap;
	return US_OK;
}

void
us_table_put(struct us_table *t, const uint8_t key[32], uint32_t value)
{
	struct us_table_slot *slot = find(t->slots, t->cap, key);

	if (slot->value == 0)
		t->n++;
	memcpy(slot->key, key, 32);
	slot->value = value;
}

void
us_table_free(struct us_table *t)
{
	free(t->slots);
	memset(t, 0, sizeof *t);
}

int
us_slots_has(const struct us_slots *s, uint32_t slot)
{
	return slot / 64 < s->words && (s->bits[slot / 64] >> (slot % 64) & 1) != 0;
}

int
us_slots_reserve(struct us_slots *s, uint32_t slot)
{
	size_t words = (size_t)slot / 64 + 1;
	uint64_t *bits;

	if (words <= s->words)
		return US_OK;
	words += words / 2;
	bits = realloc(s->bits, words * sizeof *bits);
	if (bits == NULL)
		return US_ERR_NOMEM;
	memset(bits + s->words, 0, (words - s->words) * sizeof *bits);
	s->bits = bits;
	s->words = words;
	return US_OK;
}

void
us_slots_put(struct us_slots *s, uint32_t slot)
{
	s->bits[slot / 64] |= UINT64_C(1) << (slot % 64);
}

int
us_grow(void *array, size_t n, size_t *cap, size_t size)
{
	void *old, *grown;
	size_t room = *cap == 0 ? 8 : *cap * 2;

	if (n < *cap)
		return US_OK;
	memcpy(&old, array, sizeof old);
	grown = reallocarray(old, room, size);
	if (grown == NULL)
		return US_ERR_NOMEM;
	memcpy(array, &grown, sizeof grown);
	*cap = room;
	return US_OK;
}
