/*
 * What an earlier entry has named: a set of keys of 16 bytes, with when and by whom. The keys come
 * from the log, so their places depend on a secret drawn for each set: nobody can make a log whose
 * keys all fall on one place.
 */
#ifndef US_VERIFY_KEY_SET_H
#define US_VERIFY_KEY_SET_H

#include <stddef.h>
#include <stdint.h>

struct us_verify_key_set_item {
	uint8_t key[16];
	int used;
	int64_t time_ns;
	uint32_t person;
	uint8_t credential[32];
};

/* Invariant: at most half of the 2^n places are used. Zeroed but for the secret, it is empty. */
struct us_verify_key_set {
	uint64_t secret[2];
	size_t places; /* 0 or a power of two */
	size_t count;
	struct us_verify_key_set_item *items;
};

int us_verify_key_set_init(struct us_verify_key_set *s); /* US_ERR_CRYPTO */
void us_verify_key_set_free(struct us_verify_key_set *s);
void us_verify_key_set_clear(struct us_verify_key_set *s); /* empty again */
const struct us_verify_key_set_item *
us_verify_key_set_find(const struct us_verify_key_set *s, const uint8_t key[16]);
/* Adds a copy of the item, whose key is not in the set. Items older than oldest_ns are dropped when
 * the set has to grow. US_ERR_NOMEM. */
int us_verify_key_set_add(struct us_verify_key_set *s, const struct us_verify_key_set_item *item,
    int64_t oldest_ns);

#endif
