/*
 * HMAC (RFC 2104, FIPS 198-1) and HKDF (RFC 5869) on the kept digest contexts. Built here because
 * EVP_MAC and EVP_KDF re-fetch their digest at each new key, which costs ten times the hashing.
 */
#include <string.h>

#include "crypto/crypto_internal.h"
#include "base/err.h"

#define BLOCK_MAX 128
#define DIGEST_MAX 64
#define PARTS_MAX 10

struct us_crypto_hash {
	EVP_MD_CTX *ctx;
	size_t size;
	size_t block;
};

static int
choose(int wide, struct us_crypto_hash *h)
{
	struct us_crypto_thread *t = us_crypto_thread();

	if (t == NULL)
		return US_ERR_CRYPTO;
	if (wide)
		*h = (struct us_crypto_hash){ t->sha512, 64, 128 };
	else
		*h = (struct us_crypto_hash){ t->sha256, 32, 64 };
	return US_OK;
}

/* H((key ^ opad) ‖ H((key ^ ipad) ‖ parts)); at most PARTS_MAX parts. */
static int
hmac(const struct us_crypto_hash *h, struct us_bytes key, const struct us_bytes *parts, size_t n,
    uint8_t *out)
{
	uint8_t pad[BLOCK_MAX] = { 0 }, inner[DIGEST_MAX];
	struct us_bytes in[PARTS_MAX + 1], outer[2];
	int err = US_OK;

	if (n > PARTS_MAX)
		return US_ERR_ARG;
	if (key.n > h->block)
		err = us_digest_parts(h->ctx, &key, 1, pad);
	else if (key.n != 0)
		memcpy(pad, key.p, key.n);
	for (size_t i = 0; i < h->block; i++)
		pad[i] ^= 0x36;
	in[0] = (struct us_bytes){ pad, h->block };
	for (size_t i = 0; i < n; i++)
		in[i + 1] = parts[i];
	if (err == US_OK)
		err = us_digest_parts(h->ctx, in, n + 1, inner);
	for (size_t i = 0; i < h->block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	outer[0] = (struct us_bytes){ pad, h->block };
	outer[1] = (struct us_bytes){ inner, h->size };
	if (err == US_OK)
		err = us_digest_parts(h->ctx, outer, 2, out);
	us_wipe(pad, sizeof pad);
	us_wipe(inner, sizeof inner);
	return err;
}

/* T(i) = HMAC(prk, T(i - 1) ‖ info ‖ u8 i). */
static int
expand(const struct us_crypto_hash *h, struct us_bytes prk, const struct us_bytes *info, size_t n,
    struct us_bytes out)
{
	struct us_bytes parts[PARTS_MAX];
	uint8_t t[DIGEST_MAX], counter = 0;
	uint8_t *to = (uint8_t *)(uintptr_t)out.p;
	size_t left = out.n;
	int err = US_OK;

	if (n > PARTS_MAX - 2 || out.n > 255 * h->size)
		return US_ERR_ARG;
	parts[0] = (struct us_bytes){ t, 0 };
	for (size_t i = 0; i < n; i++)
		parts[i + 1] = info[i];
	parts[n + 1] = (struct us_bytes){ &counter, 1 };
	while (left != 0 && err == US_OK) {
		size_t step = left < h->size ? left : h->size;

		counter++;
		err = hmac(h, prk, parts, n + 2, t);
		if (err != US_OK)
			break;
		memcpy(to, t, step);
		parts[0].n = h->size;
		to += step;
		left -= step;
	}
	us_wipe(t, sizeof t);
	if (err != US_OK)
		us_wipe((uint8_t *)(uintptr_t)out.p, out.n);
	return err;
}

int
us_hmac_sha256(struct us_bytes key, const struct us_bytes *parts, size_t n,
    uint8_t out[US_DIGEST_SIZE])
{
	struct us_crypto_hash h;
	int err = choose(0, &h);

	return err != US_OK ? err : hmac(&h, key, parts, n, out);
}

int
us_hkdf_extract(struct us_bytes salt, struct us_bytes ikm, struct us_key *prk)
{
	return us_hmac_sha256(salt, &ikm, 1, prk->b);
}

int
us_hkdf_expand(struct us_bytes prk, const struct us_bytes *info, size_t n, void *out, size_t out_n)
{
	struct us_crypto_hash h;
	int err = choose(0, &h);

	return err != US_OK ? err : expand(&h, prk, info, n, (struct us_bytes){ out, out_n });
}

int
us_hkdf_expand_sha512(struct us_bytes prk, const struct us_bytes *info, size_t n, void *out,
    size_t out_n)
{
	struct us_crypto_hash h;
	int err = choose(1, &h);

	return err != US_OK ? err : expand(&h, prk, info, n, (struct us_bytes){ out, out_n });
}

int
us_key_derive(const struct us_key *key, const char *label, struct us_key *out)
{
	struct us_bytes info = us_bytes_of(label);

	return us_hkdf_expand((struct us_bytes){ key->b, sizeof key->b }, &info, 1, out->b,
	    sizeof out->b);
}
