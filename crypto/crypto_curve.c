/* Ed25519 (RFC 8032) and X25519 (RFC 7748), and sealing to an X25519 key. */
#include "crypto/cobblestone.h"
#include "crypto/crypto_internal.h"
#include "base/err.h"

static int
raw_public(int type, const struct us_key *priv, uint8_t out[32])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(type, NULL, priv->b, sizeof priv->b);
	size_t n = 32;
	int ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, out, &n) == 1 && n == 32;

	EVP_PKEY_free(pkey);
	return ok ? US_OK : US_ERR_CRYPTO;
}

int
us_ed25519_public(const struct us_key *seed, uint8_t out[32])
{
	return raw_public(EVP_PKEY_ED25519, seed, out);
}

int
us_ed25519_sign(const struct us_key *seed, struct us_bytes msg,
    uint8_t out[US_ED25519_SIGNATURE_SIZE])
{
	static const uint8_t none[1];
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->b,
	    sizeof seed->b);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = US_ED25519_SIGNATURE_SIZE;
	int ok = pkey != NULL && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, out, &n, msg.n == 0 ? none : msg.p, msg.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok && n == US_ED25519_SIGNATURE_SIZE ? US_OK : US_ERR_CRYPTO;
}

int
us_ed25519_verify(const uint8_t public_key[32], struct us_bytes msg, struct us_bytes sig)
{
	static const uint8_t none[1];
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;
	int err = US_ERR_CRYPTO;

	if (sig.n != US_ED25519_SIGNATURE_SIZE)
		return US_ERR_SIGNATURE;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
	ctx = EVP_MD_CTX_new();
	if (pkey != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1) {
		err = EVP_DigestVerify(ctx, sig.p, sig.n, msg.n == 0 ? none : msg.p, msg.n) == 1 ?
		    US_OK :
		    US_ERR_SIGNATURE;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return err;
}

int
us_x25519_public(const struct us_key *priv, uint8_t out[US_X25519_SIZE])
{
	return raw_public(EVP_PKEY_X25519, priv, out);
}

int
us_x25519(const struct us_key *priv, const uint8_t peer[US_X25519_SIZE], struct us_key *out)
{
	static const uint8_t none[32];
	EVP_PKEY *a = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv->b, sizeof priv->b);
	EVP_PKEY *b = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, US_X25519_SIZE);
	EVP_PKEY_CTX *ctx = a == NULL ? NULL : EVP_PKEY_CTX_new(a, NULL);
	size_t n = sizeof out->b;
	int ok = b != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, b) == 1 && EVP_PKEY_derive(ctx, out->b, &n) == 1 &&
	    n == sizeof out->b && !us_equal_secret(out->b, none, sizeof none);

	if (!ok)
		us_wipe(out, sizeof *out);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	return ok ? US_OK : US_ERR_CRYPTO;
}

/* HKDF(salt = e_pub ‖ recipient_pub, ikm = s, info = context, 32). */
static int
box_key(const struct us_key *shared, const uint8_t pubs[2 * US_X25519_SIZE],
    struct us_bytes context, struct us_key *out)
{
	struct us_key prk;
	int err;

	err = us_hkdf_extract((struct us_bytes){ pubs, 2 * US_X25519_SIZE },
	    (struct us_bytes){ shared->b, sizeof shared->b }, &prk);
	if (err == US_OK)
		err = us_hkdf_expand((struct us_bytes){ prk.b, sizeof prk.b }, &context, 1, out->b,
		    sizeof out->b);
	us_wipe(&prk, sizeof prk);
	return err;
}

int
us_seal_to_public(const uint8_t recipient[US_X25519_SIZE], struct us_bytes context,
    struct us_bytes plain, struct us_buf *out)
{
	struct us_key e, shared, key;
	uint8_t pubs[2 * US_X25519_SIZE], *head;
	size_t at = out->len;
	int err;

	for (size_t i = 0; i < US_X25519_SIZE; i++)
		pubs[US_X25519_SIZE + i] = recipient[i];
	err = us_key_random(&e);
	if (err == US_OK)
		err = us_x25519_public(&e, pubs);
	if (err == US_OK)
		err = us_x25519(&e, recipient, &shared);
	if (err == US_OK)
		err = box_key(&shared, pubs, context, &key);
	if (err == US_OK)
		err = us_buf_reserve(out, US_X25519_SIZE + us_cobblestone_sealed_size(plain.n),
		    &head);
	if (err == US_OK)
		err = us_buf_put(out, pubs, US_X25519_SIZE);
	if (err == US_OK)
		err = us_cobblestone_seal_to(&key, context, plain, out);
	if (err != US_OK)
		out->len = at;
	us_wipe(&e, sizeof e);
	us_wipe(&shared, sizeof shared);
	us_wipe(&key, sizeof key);
	return err;
}

int
us_open_from_public(const struct us_key *priv, struct us_bytes context, struct us_bytes sealed,
    struct us_buf *out)
{
	struct us_key shared, key;
	uint8_t pubs[2 * US_X25519_SIZE];
	int err;

	if (sealed.n < US_X25519_SIZE)
		return US_ERR_TRUNCATED;
	for (size_t i = 0; i < US_X25519_SIZE; i++)
		pubs[i] = sealed.p[i];
	err = us_x25519_public(priv, pubs + US_X25519_SIZE);
	if (err == US_OK && us_x25519(priv, pubs, &shared) != US_OK)
		err = US_ERR_AUTH; /* a point of low order: nobody honest sends one */
	if (err == US_OK)
		err = box_key(&shared, pubs, context, &key);
	if (err == US_OK)
		err = us_cobblestone_open_to(&key, context,
		    (struct us_bytes){ sealed.p + US_X25519_SIZE, sealed.n - US_X25519_SIZE }, out);
	us_wipe(&shared, sizeof shared);
	us_wipe(&key, sizeof key);
	return err;
}
