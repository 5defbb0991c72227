/*
 * Open addressing, linear probing. A slot is the value, the key, and a byte that says whether it is
 * used, padded so that values are aligned.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/err.h"

#define PLACES_MIN 16
#define ALIGN 8 /* of values */

/* ---- where a key falls ---- */

static uint64_t
turn(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = turn(v[1], 13) ^ v[0];
	v[0] = turn(v[0], 32);
	v[2] += v[3];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012) but for the order of bytes, which nobody sees. */
static uint64_t
hash_of(const uint64_t secret[2], const uint8_t *p, size_t n)
{
	uint64_t v[4] = { secret[0] ^ UINT64_C(0x736f6d6570736575),
		secret[1] ^ UINT64_C(0x646f72616e646f6d), secret[0] ^ UINT64_C(0x6c7967656e657261),
		secret[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t word = (uint64_t)n;
	size_t i;

	for (i = 0; n - i >= 8; i += 8) {
		const uint64_t w = us_load_u64(p + i);

		v[3] ^= w;
		sip_round(v);
		v[0] ^= w;
	}
	for (; i < n; i++)
		word = word << 8 | p[i];
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- slots ---- */

static uint8_t *
slot_of(const struct us_map *m, size_t place)
{
	return m->slots + place * m->slot_size;
}

static size_t
key_at(const struct us_map *m)
{
	return (m->value_size + ALIGN - 1) / ALIGN * ALIGN;
}

static uint8_t *
key_of(const struct us_map *m, uint8_t *slot)
{
	return slot + key_at(m);
}

static uint8_t *
used(const struct us_map *m, uint8_t *slot)
{
	return key_of(m, slot) + m->key_size;
}

static size_t
home(const struct us_map *m, const void *key)
{
	return (size_t)hash_of(m->secret, key, m->key_size) & (m->places - 1);
}

/* The place of the key, or the free one where it would go. There is always a free one. */
static size_t
place(const struct us_map *m, const void *key)
{
	size_t i = home(m, key);

	while (*used(m, slot_of(m, i)) && memcmp(key_of(m, slot_of(m, i)), key, m->key_size) != 0)
		i = (i + 1) & (m->places - 1);
	return i;
}

/* ---- the table ---- */

void
us_map_init(struct us_map *m, size_t key_size, size_t value_size)
{
	*m = (struct us_map){ .key_size = key_size, .value_size = value_size };
	m->slot_size = (key_at(m) + key_size + 1 + ALIGN - 1) / ALIGN * ALIGN;
}

void
us_map_free(struct us_map *m)
{
	us_wipe(m->slots, m->places * m->slot_size);
	free(m->slots);
	us_map_init(m, m->key_size, m->value_size);
}

void
us_map_clear(struct us_map *m)
{
	if (m->n != 0)
		us_wipe(m->slots, m->places * m->slot_size);
	m->n = 0;
}

void *
us_map_get(const struct us_map *m, const void *key)
{
	uint8_t *slot;

	if (m->n == 0)
		return NULL;
	slot = slot_of(m, place(m, key));
	return *used(m, slot) ? slot : NULL;
}

int
us_map_reserve(struct us_map *m, size_t more)
{
	struct us_map bigger = *m;
	const void *key;
	void *value;

	if (more > SIZE_MAX / 4 - m->n)
		return US_ERR_NOMEM;
	if (bigger.places == 0 &&
	    getrandom(bigger.secret, sizeof bigger.secret, 0) != (ssize_t)sizeof bigger.secret)
		return US_ERR_CRYPTO;
	while (bigger.places < PLACES_MIN || bigger.places / 2 < m->n + more)
		bigger.places = bigger.places == 0 ? PLACES_MIN : bigger.places * 2;
	if (bigger.places == m->places)
		return US_OK;
	bigger.slots = calloc(bigger.places, bigger.slot_size);
	if (bigger.slots == NULL)
		return US_ERR_NOMEM;
	for (size_t at = 0; (value = us_map_next(m, &at, &key)) != NULL;)
		memcpy(slot_of(&bigger, place(&bigger, key)), value, m->slot_size);
	us_wipe(m->slots, m->places * m->slot_size);
	free(m->slots);
	*m = bigger;
	return US_OK;
}

int
us_map_put(struct us_map *m, const void *key, void **value)
{
	uint8_t *slot = us_map_get(m, key);
	int err = slot != NULL ? US_OK : us_map_reserve(m, 1);

	if (err != US_OK)
		return err;
	if (slot == NULL) {
		slot = slot_of(m, place(m, key));
		memcpy(key_of(m, slot), key, m->key_size);
		*used(m, slot) = 1;
		m->n++;
	}
	if (value != NULL)
		*value = slot;
	return US_OK;
}

void *
us_map_next(const struct us_map *m, size_t *at, const void **key)
{
	while (*at < m->places) {
		uint8_t *slot = slot_of(m, (*at)++);

		if (!*used(m, slot))
			continue;
		if (key != NULL)
			*key = key_of(m, slot);
		return slot;
	}
	return NULL;
}
