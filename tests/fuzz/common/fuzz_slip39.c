/* Typed words: what normalises is stable, and what parses has the shape it says. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/slip39_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[US_SLIP39_TEXT_MAX], again[US_SLIP39_TEXT_MAX];
	struct us_slip39_share share;

	if (us_slip39_normalise((struct us_bytes){ data, size }, text) != US_OK)
		return 0;
	if (us_slip39_normalise(us_bytes_of(text), again) != US_OK || strcmp(text, again) != 0)
		abort();
	if (us_slip39_decode(text, &share) != US_OK)
		return 0;
	if (share.info.secret_size < 16 || share.info.secret_size > US_SLIP39_SECRET_MAX)
		abort();
	us_slip39_encode(&share, again);
	if (strcmp(text, again) != 0)
		abort();
	return 0;
}
