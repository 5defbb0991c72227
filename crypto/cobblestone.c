#include "crypto/cobblestone.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"

#define CHUNK US_COBBLESTONE_CHUNK_SIZE
#define SEALED_CHUNK (CHUNK + US_GCM_TAG_SIZE)
#define TEXT_MAX ((size_t)1 << 30)
#define COMMITMENT_SIZE 32

/* With its terminating zero, which the specification asks for. */
static const char label[] = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM";

struct us_crypto_message_keys {
	struct us_key key;
	uint8_t nonce[US_GCM_NONCE_SIZE];
	uint8_t commitment[COMMITMENT_SIZE];
};

static int
derive(const struct us_key *key, const uint8_t *salt, struct us_bytes context,
    struct us_crypto_message_keys *out)
{
	struct us_bytes info[3] = {
		{ (const uint8_t *)label, sizeof label },
		{ salt, US_COBBLESTONE_SALT_SIZE },
		context,
	};
	uint8_t okm[US_KEY_SIZE + US_GCM_NONCE_SIZE + COMMITMENT_SIZE];
	int err = us_hkdf_expand_sha512((struct us_bytes){ key->b, sizeof key->b }, info, 3, okm,
	    sizeof okm);

	memcpy(out->key.b, okm, US_KEY_SIZE);
	memcpy(out->nonce, okm + US_KEY_SIZE, US_GCM_NONCE_SIZE);
	memcpy(out->commitment, okm + US_KEY_SIZE + US_GCM_NONCE_SIZE, COMMITMENT_SIZE);
	us_wipe(okm, sizeof okm);
	return err;
}

static void
chunk_nonce(const struct us_crypto_message_keys *k, uint32_t chunk, uint8_t out[US_GCM_NONCE_SIZE])
{
	memcpy(out, k->nonce, US_GCM_NONCE_SIZE);
	us_store_u32(out + 8, us_load_u32(out + 8) ^ chunk);
}

size_t
us_cobblestone_sealed_size(size_t n)
{
	return US_COBBLESTONE_HEADER_SIZE + n + (n / CHUNK + 1) * US_GCM_TAG_SIZE;
}

int
us_cobblestone_plain_size(size_t n, size_t *out)
{
	size_t body, last;

	if (n < US_COBBLESTONE_HEADER_SIZE + US_GCM_TAG_SIZE)
		return US_ERR_TRUNCATED;
	body = n - US_COBBLESTONE_HEADER_SIZE;
	last = body % SEALED_CHUNK;
	if (last < US_GCM_TAG_SIZE)
		return US_ERR_TRUNCATED;
	*out = body / SEALED_CHUNK * CHUNK + last - US_GCM_TAG_SIZE;
	return US_OK;
}

int
us_cobblestone_seal_salted(const struct us_key *key, const uint8_t salt[US_COBBLESTONE_SALT_SIZE],
    struct us_bytes context, struct us_bytes plain, uint8_t *out)
{
	struct us_crypto_message_keys k;
	uint8_t nonce[US_GCM_NONCE_SIZE];
	struct us_gcm g = { &k.key, nonce, { NULL, 0 } };
	int err;

	if (plain.n > TEXT_MAX)
		return US_ERR_LIMIT;
	err = derive(key, salt, context, &k);
	if (err != US_OK)
		goto out;
	memcpy(out, salt, US_COBBLESTONE_SALT_SIZE);
	memcpy(out + US_COBBLESTONE_SALT_SIZE, k.commitment, COMMITMENT_SIZE);
	for (size_t i = 0; i <= plain.n / CHUNK && err == US_OK; i++) {
		size_t left = plain.n - i * CHUNK;
		struct us_bytes text = { left == 0 ? NULL : plain.p + i * CHUNK,
			left < CHUNK ? left : CHUNK };

		chunk_nonce(&k, (uint32_t)i, nonce);
		err = us_gcm_seal(&g, text, out + US_COBBLESTONE_HEADER_SIZE + i * SEALED_CHUNK);
	}
out:
	us_wipe(&k, sizeof k);
	return err;
}

int
us_cobblestone_seal(const struct us_key *key, struct us_bytes context, struct us_bytes plain,
    uint8_t *out)
{
	uint8_t salt[US_COBBLESTONE_SALT_SIZE];
	int err = us_random(salt, sizeof salt);

	return err != US_OK ? err : us_cobblestone_seal_salted(key, salt, context, plain, out);
}

int
us_cobblestone_open(const struct us_key *key, struct us_bytes context, struct us_bytes sealed,
    uint8_t *out)
{
	struct us_crypto_message_keys k;
	uint8_t nonce[US_GCM_NONCE_SIZE];
	struct us_gcm g = { &k.key, nonce, { NULL, 0 } };
	size_t n;
	int err;

	err = us_cobblestone_plain_size(sealed.n, &n);
	if (err != US_OK)
		return err;
	if (n > TEXT_MAX)
		return US_ERR_LIMIT;
	err = derive(key, sealed.p, context, &k);
	if (err == US_OK &&
	    !us_equal_secret(k.commitment, sealed.p + US_COBBLESTONE_SALT_SIZE, COMMITMENT_SIZE))
		err = US_ERR_COMMITMENT;
	for (size_t i = 0; err == US_OK && i <= n / CHUNK; i++) {
		size_t at = US_COBBLESTONE_HEADER_SIZE + i * SEALED_CHUNK;
		size_t left = sealed.n - at;
		struct us_bytes chunk = { sealed.p + at,
			left < SEALED_CHUNK ? left : SEALED_CHUNK };

		chunk_nonce(&k, (uint32_t)i, nonce);
		err = us_gcm_open(&g, chunk, out + i * CHUNK);
	}
	us_wipe(&k, sizeof k);
	if (err != US_OK)
		us_wipe(out, n);
	return err;
}

int
us_cobblestone_seal_to(const struct us_key *key, struct us_bytes context, struct us_bytes plain,
    struct us_buf *out)
{
	uint8_t *p;
	size_t at = out->len;
	int err;

	if (plain.n > TEXT_MAX)
		return US_ERR_LIMIT;
	err = us_buf_extend(out, us_cobblestone_sealed_size(plain.n), &p);
	if (err != US_OK)
		return err;
	err = us_cobblestone_seal(key, context, plain, p);
	if (err != US_OK)
		out->len = at;
	return err;
}

int
us_cobblestone_open_to(const struct us_key *key, struct us_bytes context, struct us_bytes sealed,
    struct us_buf *out)
{
	uint8_t *p, none[1];
	size_t n, at = out->len;
	int err;

	err = us_cobblestone_plain_size(sealed.n, &n);
	if (err == US_OK)
		err = us_buf_extend(out, n, &p);
	if (err != US_OK)
		return err;
	err = us_cobblestone_open(key, context, sealed, n == 0 ? none : p);
	if (err != US_OK)
		out->len = at;
	return err;
}
