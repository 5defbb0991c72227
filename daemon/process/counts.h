/* Counts by reason, as messages and entries carry them: { u8 reason ‖ u32 count }, packed, of those
 * that are not zero. */
#ifndef US_DAEMON_PROCESS_COUNTS_H
#define US_DAEMON_PROCESS_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#define US_COUNTS (UINT8_MAX + 1u) /* one for each number that a reason can have in a byte */
#define US_COUNT_BYTES 5u          /* one of them packed */
#define US_COUNTS_BYTES (US_COUNTS * US_COUNT_BYTES)

/* Packs those that room has bytes for; returns how many bytes. */
size_t us_counts_pack(const uint32_t count[US_COUNTS], uint8_t *out, size_t room);

#endif
