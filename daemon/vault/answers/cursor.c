#include "daemon/vault/answers/cursor.h"

#include <string.h>

#include "base/base64.h"
#include "crypto/cobblestone.h"
#include "base/err.h"

#define LABEL "underseal/cursor-at-client/1"
#define PLAIN_SIZE (4 + 4 + 8 * 4 + 32)
#define SEALED_SIZE (PLAIN_SIZE + US_COBBLESTONE_SMALL_OVERHEAD)

static struct us_bytes
context(const uint8_t vault[32], uint8_t *buffer)
{
	memcpy(buffer, LABEL, sizeof LABEL - 1);
	memcpy(buffer + sizeof LABEL - 1, vault, 32);
	return (struct us_bytes){ buffer, sizeof LABEL - 1 + 32 };
}

int
us_cursor_seal(const struct us_key *key, const uint8_t vault[32], const struct us_cursor *c,
    struct us_buf *out)
{
	uint8_t ctx[64], plain[PLAIN_SIZE], sealed[SEALED_SIZE];
	char text[US_BASE64_SIZE(SEALED_SIZE) + 1];
	size_t i, n;
	int err;

	us_store_u32(plain, c->collection);
	us_store_u32(plain + 4, c->person);
	us_store_u64(plain + 8, c->snapshot);
	us_store_u64(plain + 16, c->place);
	us_store_u64(plain + 24, c->total);
	us_store_u64(plain + 32, c->intent);
	memcpy(plain + 40, c->query, 32);
	err = us_cobblestone_seal(key, context(vault, ctx),
	    (struct us_bytes){ plain, sizeof plain }, sealed);
	if (err != US_OK)
		return err;
	us_base64_encode(sealed, sizeof sealed, text);
	n = strlen(text);
	while (n > 0 && text[n - 1] == '=')
		n--;
	for (i = 0; i < n; i++)
		text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
	return us_buf_put(out, text, n);
}

int
us_cursor_open(const struct us_key *key, const uint8_t vault[32], struct us_bytes text,
    struct us_cursor *out)
{
	uint8_t ctx[64], plain[PLAIN_SIZE], sealed[SEALED_SIZE + 4];
	char padded[US_BASE64_SIZE(SEALED_SIZE) + 4];
	size_t i, n = 0;

	if (text.n > US_BASE64_SIZE(SEALED_SIZE))
		return US_ERR_FORMAT;
	for (i = 0; i < text.n; i++) {
		char c = (char)text.p[i];

		if (c == '+' || c == '/' || c == '=')
			return US_ERR_FORMAT;
		padded[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	for (; i % 4 != 0; i++)
		padded[i] = '=';
	if (us_base64_decode(padded, i, sealed, sizeof sealed, &n) != US_OK || n != SEALED_SIZE ||
	    us_cobblestone_open(key, context(vault, ctx), (struct us_bytes){ sealed, n }, plain) !=
		US_OK)
		return US_ERR_FORMAT;
	out->collection = us_load_u32(plain);
	out->person = us_load_u32(plain + 4);
	out->snapshot = us_load_u64(plain + 8);
	out->place = us_load_u64(plain + 16);
	out->total = us_load_u64(plain + 24);
	out->intent = us_load_u64(plain + 32);
	memcpy(out->query, plain + 40, 32);
	return US_OK;
}
