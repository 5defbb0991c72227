/* A statement that decodes encodes to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[US_SESSION_STATEMENT_SIZE];
	struct us_session_statement s;

	if (us_session_decode((struct us_bytes){ data, size }, &s) != US_OK)
		return 0;
	us_session_encode(&s, again);
	if (size != sizeof again || memcmp(again, data, size) != 0)
		abort();
	(void)us_session_check_time(&s, 0);
	return 0;
}
