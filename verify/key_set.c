#include "verify/key_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define PLACES_MIN 64

int
us_verify_key_set_init(struct us_verify_key_set *s)
{
	memset(s, 0, sizeof *s);
	return us_random(s->secret, sizeof s->secret);
}

void
us_verify_key_set_free(struct us_verify_key_set *s)
{
	free(s->items);
	s->items = NULL;
	s->places = s->count = 0;
}

void
us_verify_key_set_clear(struct us_verify_key_set *s)
{
	if (s->count > 0)
		memset(s->items, 0, s->places * sizeof *s->items);
	s->count = 0;
}

/* The key's place, or the free one where it would go. There is always a free one. */
static struct us_verify_key_set_item *
place(const struct us_verify_key_set *s, const uint8_t key[16])
{
	uint64_t h = (us_load_u64(key) ^ s->secret[0]) * (s->secret[1] | 1);
	size_t i;

	h = (h ^ h >> 29 ^ us_load_u64(key + 8)) * (s->secret[0] | 1);
	for (i = (size_t)(h >> 32) & (s->places - 1);
	     s->items[i].used && memcmp(s->items[i].key, key, 16) != 0;)
		i = (i + 1) & (s->places - 1);
	return &s->items[i];
}

const struct us_verify_key_set_item *
us_verify_key_set_find(const struct us_verify_key_set *s, const uint8_t key[16])
{
	const struct us_verify_key_set_item *item = s->count == 0 ? NULL : place(s, key);

	return item != NULL && item->used ? item : NULL;
}

/* Makes the set anew without what is too old, and with room for as much again. */
static int
grow(struct us_verify_key_set *s, int64_t oldest_ns)
{
	struct us_verify_key_set bigger = *s;

	bigger.count = 0;
	for (size_t i = 0; i < s->places; i++)
		bigger.count += s->items[i].used && s->items[i].time_ns >= oldest_ns;
	for (bigger.places = PLACES_MIN; bigger.places / 4 < bigger.count; bigger.places *= 2)
		;
	bigger.items = calloc(bigger.places, sizeof *bigger.items);
	if (bigger.items == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < s->places; i++) {
		if (!s->items[i].used || s->items[i].time_ns < oldest_ns)
			continue;
		*place(&bigger, s->items[i].key) = s->items[i];
	}
	free(s->items);
	*s = bigger;
	return US_OK;
}

int
us_verify_key_set_add(struct us_verify_key_set *s, const struct us_verify_key_set_item *item,
    int64_t oldest_ns)
{
	struct us_verify_key_set_item *at;
	int err;

	if (s->count >= s->places / 2) {
		err = grow(s, oldest_ns);
		if (err != US_OK)
			return err;
	}
	at = place(s, item->key);
	*at = *item;
	at->used = 1;
	s->count++;
	return US_OK;
}
