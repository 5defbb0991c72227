/* Tables of numbers by key, sets of slots. */
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

uint32_t
us_table_get(const struct us_table *t, const uint8_t key[32])
{
	const uint32_t *value = us_map_get(&t->map, key);

	return value == NULL ? 0 : *value;
}

int
us_table_reserve(struct us_table *t)
{
	if (t->map.key_size == 0)
		us_map_init(&t->map, 32, sizeof(uint32_t));
	return us_map_reserve(&t->map, 1);
}

void
us_table_put(struct us_table *t, const uint8_t key[32], uint32_t value)
{
	void *at;

	if (us_map_put(&t->map, key, &at) == US_OK)
		*(uint32_t *)at = value;
}

void
us_table_free(struct us_table *t)
{
	us_map_free(&t->map);
}

int
us_slots_has(const struct us_slots *s, uint32_t slot)
{
	return slot / 64 < s->words && (s->bits[slot / 64] >> (slot % 64) & 1) != 0;
}

int
us_slots_reserve(struct us_slots *s, uint32_t slot)
{
	const size_t before = s->words;
	int err = us_grow_to(&s->bits, (size_t)slot / 64 + 1, &s->words, sizeof *s->bits);

	if (s->words > before)
		memset(s->bits + before, 0, (s->words - before) * sizeof *s->bits);
	return err;
}

void
us_slots_put(struct us_slots *s, uint32_t slot)
{
	s->bits[slot / 64] |= UINT64_C(1) << (slot % 64);
}
