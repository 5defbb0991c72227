/*
 * What an earlier entry has named: a set of keys of 16 bytes, with when and by whom. The keys come
 * from the log, whose writer may choose them (base/map.h).
 */
#ifndef US_VERIFY_KEY_SET_H
#define US_VERIFY_KEY_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

/* When and by whom a key was named. */
struct us_verify_key_set_item {
	int64_t time_ns;
	uint32_t person;
	uint8_t credential[32];
};

struct us_verify_key_set {
	struct us_map map;
	size_t sweep_at; /* so many keys there may be until those that are too old are dropped */
};

/* An empty set. Allocates nothing. */
void us_verify_key_set_init(struct us_verify_key_set *s);
/* Frees what the set holds; it is then as after init. */
void us_verify_key_set_free(struct us_verify_key_set *s);
/* Empty again, with its memory. */
void us_verify_key_set_clear(struct us_verify_key_set *s);
/* What was added under the key, until the next change of the set; or NULL. */
const struct us_verify_key_set_item *
us_verify_key_set_find(const struct us_verify_key_set *s, const uint8_t key[16]);
/* Adds a copy of the item under a key that is not in the set. Items older than oldest_ns are
 * dropped when the set has to grow. Errors of us_map_put(). */
int us_verify_key_set_add(struct us_verify_key_set *s, const uint8_t key[16],
    const struct us_verify_key_set_item *item, int64_t oldest_ns);

#endif
