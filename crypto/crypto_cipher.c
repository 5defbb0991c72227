/* AES-256-GCM (SP 800-38D) and AES-256-CTR (SP 800-38A) on the kept cipher contexts. */
#include "crypto/crypto_internal.h"
#include "base/err.h"

#define TEXT_MAX ((size_t)1 << 30)

static const uint8_t zero[32];

/* Setting a key of zeros overwrites the key schedule and the GHASH tables. */
static int
forget(EVP_CIPHER_CTX *ctx)
{
	return EVP_CipherInit_ex(ctx, NULL, NULL, zero, zero, -1) == 1;
}

static const uint8_t *
nonce_of(const struct us_gcm *g)
{
	return g->nonce == NULL ? zero : g->nonce;
}

int
us_gcm_seal(const struct us_gcm *g, struct us_bytes plain, uint8_t *out)
{
	struct us_crypto_thread *t = us_crypto_thread();
	int n = 0, ok;

	if (plain.n > TEXT_MAX || g->aad.n > TEXT_MAX)
		return US_ERR_LIMIT;
	if (t == NULL)
		return US_ERR_CRYPTO;
	ok = EVP_EncryptInit_ex(t->seal, NULL, NULL, g->key->b, nonce_of(g)) == 1;
	if (ok && g->aad.n != 0)
		ok = EVP_EncryptUpdate(t->seal, NULL, &n, g->aad.p, (int)g->aad.n) == 1;
	if (ok && plain.n != 0)
		ok = EVP_EncryptUpdate(t->seal, out, &n, plain.p, (int)plain.n) == 1;
	ok = ok && EVP_EncryptFinal_ex(t->seal, out + plain.n, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(t->seal, EVP_CTRL_AEAD_GET_TAG, US_GCM_TAG_SIZE, out + plain.n) ==
		1;
	ok &= forget(t->seal);
	if (!ok)
		us_wipe(out, plain.n + US_GCM_TAG_SIZE);
	return ok ? US_OK : US_ERR_CRYPTO;
}

int
us_gcm_open_next(const struct us_gcm *g, struct us_bytes sealed, uint8_t *out)
{
	struct us_crypto_thread *t = us_crypto_thread();
	uint8_t tag[US_GCM_TAG_SIZE], rest[16];
	int n = 0, ok, err = US_ERR_CRYPTO;
	size_t text;

	if (sealed.n < US_GCM_TAG_SIZE)
		return US_ERR_TRUNCATED;
	text = sealed.n - US_GCM_TAG_SIZE;
	if (text > TEXT_MAX || g->aad.n > TEXT_MAX)
		return US_ERR_LIMIT;
	if (t == NULL)
		return US_ERR_CRYPTO;
	for (size_t i = 0; i < sizeof tag; i++)
		tag[i] = sealed.p[text + i];
	ok = EVP_DecryptInit_ex(t->open, NULL, NULL, g->key->b, nonce_of(g)) == 1;
	if (ok && g->aad.n != 0)
		ok = EVP_DecryptUpdate(t->open, NULL, &n, g->aad.p, (int)g->aad.n) == 1;
	if (ok && text != 0)
		ok = EVP_DecryptUpdate(t->open, out, &n, sealed.p, (int)text) == 1;
	ok = ok && EVP_CIPHER_CTX_ctrl(t->open, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1;
	if (ok)
		err = EVP_DecryptFinal_ex(t->open, rest, &n) == 1 ? US_OK : US_ERR_AUTH;
	if (err != US_OK)
		us_wipe(out, text);
	return err;
}

int
us_gcm_open(const struct us_gcm *g, struct us_bytes sealed, uint8_t *out)
{
	int err = us_gcm_open_next(g, sealed, out);

	if (us_gcm_forget() == US_OK)
		return err;
	if (err == US_OK)
		us_wipe(out, sealed.n - US_GCM_TAG_SIZE);
	return US_ERR_CRYPTO;
}

int
us_gcm_forget(void)
{
	struct us_crypto_thread *t = us_crypto_thread();

	return t != NULL && forget(t->open) ? US_OK : US_ERR_CRYPTO;
}

int
us_ctr_xor(const struct us_key *key, const uint8_t iv[16], struct us_bytes in, uint8_t *out)
{
	struct us_crypto_thread *t = us_crypto_thread();
	int n = 0, ok;

	if (in.n > TEXT_MAX)
		return US_ERR_LIMIT;
	if (t == NULL)
		return US_ERR_CRYPTO;
	ok = EVP_EncryptInit_ex(t->ctr, NULL, NULL, key->b, iv) == 1;
	if (ok && in.n != 0)
		ok = EVP_EncryptUpdate(t->ctr, out, &n, in.p, (int)in.n) == 1;
	ok &= forget(t->ctr);
	if (!ok)
		us_wipe(out, in.n);
	return ok ? US_OK : US_ERR_CRYPTO;
}
