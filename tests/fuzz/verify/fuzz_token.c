/* Timestamps and certificates of authorities. The first byte says which; what is taken must be
 * usable. */
#include <stdlib.h>

#include "base/err.h"
#include "verify/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t digest[32];
	struct us_authority *authority;
	struct us_token *token;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		if (us_token_parse(&token, (struct us_bytes){ data + 1, size - 1 }) != US_OK)
			return 0;
		if (us_token_time_s(token) < 0)
			abort();
		(void)us_token_is_of(token, digest);
		(void)us_token_answers(token, 1);
		us_token_free(token);
	} else if (us_authority_new(&authority, "name", (struct us_bytes){ data + 1, size - 1 }) ==
	    US_OK) {
		us_authority_free(authority);
	}
	return 0;
}
