/*
 * Packed lists of evidence/index/segment.h: one width byte a group of 128 values, then the groups,
 * least significant bit first. Pure functions; thread safe.
 */
#ifndef US_EVIDENCE_INDEX_PACK_H
#define US_EVIDENCE_INDEX_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define US_PACK_GROUP 128u

static inline size_t
us_pack_groups(size_t n)
{
	return n / US_PACK_GROUP + (n % US_PACK_GROUP != 0);
}
/* Bytes of a group of n (<= 128) values of width bits. */
static inline size_t
us_pack_bytes(size_t n, unsigned width)
{
	return (n * width + 7) / 8;
}
/* Appends Packed(n; v). */
int us_pack_put(struct us_buf *b, const uint32_t *v, size_t n);
/* n values of width <= 32 bits from p, which has us_pack_bytes(n, width) readable bytes. */
void us_unpack(const uint8_t *p, size_t n, unsigned width, uint32_t *out);
/* Takes Packed(n; ..) into out. Widths above 32 are US_ERR_FORMAT. */
int us_pack_take(struct us_reader *r, size_t n, uint32_t *out);
/* One value of width <= 64 bits, starting at bit `at`; size is how many bytes p has. 0 if
 * outside. */
uint64_t us_bits_get(const uint8_t *p, size_t size, uint64_t at, unsigned width);
/* Appends n values of width <= 64 bits, filled up to a byte. */
int us_bits_put(struct us_buf *b, const uint64_t *v, size_t n, unsigned width);

#endif
