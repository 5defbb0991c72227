#include "daemon/process/counts.h"

#include "base/buf.h"

size_t
us_counts_pack(const uint32_t count[US_COUNTS], uint8_t *out, size_t room)
{
	size_t n = 0;

	for (unsigned reason = 0; reason < US_COUNTS && room - n >= US_COUNT_BYTES; reason++) {
		if (count[reason] == 0)
			continue;
		out[n] = (uint8_t)reason;
		us_store_u32(out + n + 1, count[reason]);
		n += US_COUNT_BYTES;
	}
	return n;
}
