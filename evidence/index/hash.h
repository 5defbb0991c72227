/* A hash for tables of terms in memory: multiply and fold, eight bytes a step, under a random seed
 * so that a producer cannot choose words that collide. Not cryptographic; never stored. */
#ifndef US_EVIDENCE_INDEX_HASH_H
#define US_EVIDENCE_INDEX_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
us_term_hash(const uint8_t *p, size_t n, uint64_t seed)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
	uint64_t h = seed ^ (n * k), x;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&x, p, 8);
		h = (h ^ x) * k;
		h ^= h >> 29;
	}
	if (n != 0) {
		x = 0;
		memcpy(&x, p, n);
		h = (h ^ x) * k;
		h ^= h >> 29;
	}
	h *= k;
	return h ^ h >> 32;
}

#endif
