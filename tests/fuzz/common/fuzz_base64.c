/* Strictness means: what decodes encodes to the same text. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct us_buf bytes, text;

	us_buf_init(&bytes, 1 << 20);
	us_buf_init(&text, 1 << 21);
	if (us_base64_take(&bytes, (const char *)data, size) == US_OK) {
		if (us_base64_put(&text, bytes.data, bytes.len) != US_OK || text.len != size ||
		    (size != 0 && memcmp(text.data, data, size) != 0))
			abort();
	}
	us_buf_free(&bytes);
	us_buf_free(&text);
	return 0;
}
