/*
 * A hash table from keys of a fixed length to values of a fixed size, both copied into it.
 *
 * Where a key falls depends on a secret that each table draws (SipHash-1-3 under it): whoever
 * chooses keys cannot choose that they fall on one place. So the order of us_map_next() differs
 * from run to run, and what leaves a process is sorted before.
 *
 * A pointer to a value holds until the next put, reserve, clear or free. What leaves the
 * table is wiped. Not thread safe; one owner.
 */
#ifndef US_BASE_MAP_H
#define US_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

/* Invariant: at most half of the places, 0 or a power of two, are used. */
struct us_map {
	size_t key_size, value_size, slot_size; /* bytes */
	size_t places;
	size_t n; /* keys in the table; read freely */
	uint64_t secret[2];
	uint8_t *slots;
};

/* An empty table for keys of key_size bytes (not 0) and values of value_size (0: a set). Allocates
 * nothing. */
void us_map_init(struct us_map *m, size_t key_size, size_t value_size);
/* Wipes and frees; m is then empty as after us_map_init(). */
void us_map_free(struct us_map *m);
/* Removes all keys and keeps the memory. */
void us_map_clear(struct us_map *m);
/* The value of the key, or NULL: it is not in the table. In a set it points to no bytes. */
void *us_map_get(const struct us_map *m, const void *key);
/* The value of the key to *value (NULL: is not wanted), all zeros if the key is new. US_ERR_NOMEM,
 * US_ERR_CRYPTO (no randomness for the secret): nothing has changed. */
int us_map_put(struct us_map *m, const void *key, void **value);
/* Room for so many more keys: that many puts then do not fail. Errors of us_map_put(). */
int us_map_reserve(struct us_map *m, size_t more);
/* The next value, or NULL behind the last; *at is 0 at first, *key (NULL: is not wanted) points
 * into the table. The table must not change between. */
void *us_map_next(const struct us_map *m, size_t *at, const void **key);

#endif
