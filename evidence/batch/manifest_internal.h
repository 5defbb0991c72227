/* Shape of the manifest's pages, for the writer and the reader. */
#ifndef US_EVIDENCE_BATCH_MANIFEST_INTERNAL_H
#define US_EVIDENCE_BATCH_MANIFEST_INTERNAL_H

#include <stdint.h>

#include "log/merkle.h"

#define MANIFEST_HEADER 4u
#define MANIFEST_LEAF_LEVELS 7u  /* 0 .. 6 */
#define MANIFEST_UPPER_LEVELS 6u /* 8 .. 13 */

/* Nodes of level l above n nodes of level 0. */
static inline uint32_t
level_count(uint32_t n, unsigned l)
{
	return (n + (1u << l) - 1) >> l;
}

/* Hashes in `levels` levels above and including n nodes. */
static inline uint32_t
levels_total(uint32_t n, unsigned levels)
{
	uint32_t total = 0;

	for (unsigned l = 0; l < levels; l++)
		total += level_count(n, l);
	return total;
}

/* The level above n nodes, where a last one without neighbour goes up unchanged. to may be from. */
static inline uint32_t
level_up(struct us_digest *to, const struct us_digest *from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i + 1 < n; i += 2)
		us_merkle_node(&to[i / 2], &from[i], &from[i + 1]);
	if (i < n)
		to[i / 2] = from[i];
	return (n + 1) / 2;
}

#endif
