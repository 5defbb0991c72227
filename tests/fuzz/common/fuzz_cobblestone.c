/* Bytes from an untrusted store: none open that were not sealed, and all come back that were. */
#include <stdlib.h>
#include <string.h>

#include "crypto/cobblestone.h"
#include "crypto/crypto.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct us_key key = { { 1 } };
	struct us_bytes context = { NULL, 0 }, in = { data, size };
	struct us_buf sealed, back;

	us_buf_init(&sealed, 1 << 21);
	us_buf_init(&back, 1 << 21);
	if (us_cobblestone_open_to(&key, context, in, &back) == US_OK)
		abort();
	if (us_open_from_public(&key, context, in, &back) == US_OK || back.len != 0)
		abort();
	if (us_cobblestone_seal_to(&key, context, in, &sealed) != US_OK ||
	    us_cobblestone_open_to(&key, context, (struct us_bytes){ sealed.data, sealed.len },
		&back) != US_OK ||
	    back.len != size || (size != 0 && memcmp(back.data, data, size) != 0))
		abort();
	us_buf_free(&sealed);
	us_buf_free(&back);
	return 0;
}
