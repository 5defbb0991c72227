#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "crypto/cert_internal.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define SCRYPT_N 16384 /* the most that OpenSSL reads back: its limit is 32 MiB */
#define SCRYPT_R 8
#define SCRYPT_P 1
#define PEM_MAX ((size_t)64 * 1024)

int
us_i2d_x509(const void *object, unsigned char **p)
{
	return i2d_X509(object, p);
}

int
us_i2d_x509_req(const void *object, unsigned char **p)
{
	return i2d_X509_REQ(object, p);
}

int
us_i2d_pubkey(const void *object, unsigned char **p)
{
	return i2d_PUBKEY(object, p);
}

int
us_i2d_pkcs8(const void *object, unsigned char **p)
{
	return i2d_PKCS8_PRIV_KEY_INFO(object, p);
}

int
us_put_der(struct us_buf *out, int (*i2d)(const void *, unsigned char **), const void *object)
{
	uint8_t *p;
	int n = i2d(object, NULL), err;

	if (n <= 0)
		return US_ERR_CRYPTO;
	err = us_buf_reserve(out, (size_t)n, &p);
	if (err != US_OK)
		return err;
	if (i2d(object, &p) != n)
		return US_ERR_CRYPTO;
	out->len += (size_t)n;
	return US_OK;
}

int
us_pkey_kind(const EVP_PKEY *evp, enum us_pkey_type *out)
{
	char group[32];
	size_t n = 0;

	if (EVP_PKEY_is_a(evp, "ED25519")) {
		*out = US_PKEY_ED25519;
		return US_OK;
	}
	if (!EVP_PKEY_is_a(evp, "EC") ||
	    EVP_PKEY_get_group_name(evp, group, sizeof group, &n) != 1 ||
	    (strcmp(group, "prime256v1") != 0 && strcmp(group, "P-256") != 0))
		return US_ERR_FORMAT;
	*out = US_PKEY_P256;
	return US_OK;
}

const EVP_MD *
us_pkey_digest(enum us_pkey_type type)
{
	return type == US_PKEY_P256 ? EVP_sha256() : NULL;
}

/* Takes evp in any case. */
static int
adopt(EVP_PKEY *evp, int is_private, struct us_pkey **out)
{
	struct us_pkey *key;
	enum us_pkey_type type;
	int err;

	*out = NULL;
	if (evp == NULL) {
		ERR_clear_error();
		return US_ERR_FORMAT;
	}
	err = us_pkey_kind(evp, &type);
	key = err == US_OK ? malloc(sizeof *key) : NULL;
	if (key == NULL) {
		EVP_PKEY_free(evp);
		return err != US_OK ? err : US_ERR_NOMEM;
	}
	*key = (struct us_pkey){ evp, type, is_private };
	*out = key;
	return US_OK;
}

int
us_pkey_new(enum us_pkey_type type, struct us_pkey **out)
{
	EVP_PKEY *evp = NULL;

	*out = NULL;
	switch (type) {
	case US_PKEY_P256:
		evp = EVP_EC_gen("P-256");
		break;
	case US_PKEY_ED25519:
		evp = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	}
	return evp == NULL ? US_ERR_CRYPTO : adopt(evp, 1, out);
}

int
us_pkey_from_seed(const struct us_key *seed, struct us_pkey **out)
{
	return adopt(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->b, sizeof seed->b),
	    1, out);
}

int
us_pkey_from_der(struct us_bytes der, struct us_pkey **out)
{
	const unsigned char *p = der.p;
	PKCS8_PRIV_KEY_INFO *info;
	EVP_PKEY *evp;
	int trailing;

	*out = NULL;
	if (der.n > US_CERT_MAX)
		return US_ERR_LIMIT;
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
	trailing = info != NULL && p != der.p + der.n;
	evp = info == NULL || trailing ? NULL : EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	return trailing ? US_ERR_TRAILING : adopt(evp, 1, out);
}

int
us_pkey_to_der(const struct us_pkey *key, struct us_buf *out)
{
	PKCS8_PRIV_KEY_INFO *info;
	int err;

	if (!key->is_private)
		return US_ERR_ARG;
	info = EVP_PKEY2PKCS8(key->evp);
	err = info == NULL ? US_ERR_CRYPTO : us_put_der(out, us_i2d_pkcs8, info);
	PKCS8_PRIV_KEY_INFO_free(info);
	return err;
}

/* PBES2 with scrypt and AES-256-CBC (RFC 7914 section 7, RFC 8018). */
static int
write_encrypted(BIO *bio, const EVP_PKEY *evp, const char *passphrase)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(evp);
	X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 16, NULL, SCRYPT_N,
	    SCRYPT_R, SCRYPT_P);
	X509_SIG *sealed = NULL;
	int ok;

	if (info != NULL && pbe != NULL)
		sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, pbe);
	if (sealed == NULL)
		X509_ALGOR_free(pbe); /* else it belongs to sealed */
	ok = sealed != NULL && PEM_write_bio_PKCS8(bio, sealed) == 1;
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(info);
	return ok;
}

int
us_pkey_to_pem(const struct us_pkey *key, const char *passphrase, struct us_buf *out)
{
	BIO *bio;
	char *text;
	long n;
	int ok, err = US_ERR_CRYPTO;

	if (!key->is_private || (passphrase != NULL && passphrase[0] == '\0'))
		return US_ERR_ARG;
	bio = BIO_new(BIO_s_secmem());
	if (bio == NULL)
		return US_ERR_CRYPTO;
	ok = passphrase != NULL ?
	    write_encrypted(bio, key->evp, passphrase) :
	    PEM_write_bio_PKCS8PrivateKey(bio, key->evp, NULL, NULL, 0, NULL, NULL) == 1;
	n = ok ? BIO_get_mem_data(bio, &text) : 0;
	if (n > 0)
		err = us_buf_put(out, text, (size_t)n);
	BIO_free(bio);
	if (err == US_ERR_CRYPTO)
		ERR_clear_error();
	return err;
}

struct us_crypto_passphrase {
	const char *text;
	int asked;
};

static int
give_passphrase(char *buf, int size, int writing, void *data)
{
	struct us_crypto_passphrase *pass = data;
	size_t n;

	(void)writing;
	pass->asked = 1;
	if (pass->text == NULL)
		return -1;
	n = strlen(pass->text);
	if (n > (size_t)size)
		return -1;
	memcpy(buf, pass->text, n);
	return (int)n;
}

int
us_pkey_from_pem(struct us_bytes pem, const char *passphrase, struct us_pkey **out)
{
	struct us_crypto_passphrase pass = { passphrase, 0 };
	EVP_PKEY *evp;
	BIO *bio;

	*out = NULL;
	if (pem.n > PEM_MAX)
		return US_ERR_LIMIT;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return US_ERR_CRYPTO;
	evp = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &pass);
	BIO_free(bio);
	if (evp == NULL && pass.asked) {
		ERR_clear_error();
		return passphrase == NULL ? US_ERR_STATE : US_ERR_AUTH;
	}
	return adopt(evp, 1, out);
}

int
us_pkey_ed25519_public(const struct us_pkey *key, uint8_t out[32])
{
	size_t n = 32;

	if (key->type != US_PKEY_ED25519)
		return US_ERR_ARG;
	return EVP_PKEY_get_raw_public_key(key->evp, out, &n) == 1 && n == 32 ? US_OK :
										US_ERR_CRYPTO;
}

void *
us_pkey_native(const struct us_pkey *key)
{
	return key->evp;
}

void
us_pkey_free(struct us_pkey *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->evp);
	free(key);
}

int
us_pkey_sign(const struct us_pkey *key, struct us_bytes msg, uint8_t *out, size_t *out_n)
{
	static const uint8_t none[1];
	EVP_MD_CTX *ctx;
	size_t n = US_SIGNATURE_MAX;
	int ok;

	*out_n = 0;
	if (!key->is_private)
		return US_ERR_ARG;
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, us_pkey_digest(key->type), NULL, key->evp) == 1 &&
	    EVP_DigestSign(ctx, out, &n, msg.n == 0 ? none : msg.p, msg.n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return US_ERR_CRYPTO;
	*out_n = n;
	return US_OK;
}

int
us_pkey_verify(const struct us_pkey *key, struct us_bytes msg, struct us_bytes sig)
{
	static const uint8_t none[1];
	EVP_MD_CTX *ctx;
	int ok;

	if (sig.n == 0 || sig.n > US_SIGNATURE_MAX)
		return US_ERR_SIGNATURE;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL ||
	    EVP_DigestVerifyInit(ctx, NULL, us_pkey_digest(key->type), NULL, key->evp) != 1) {
		EVP_MD_CTX_free(ctx);
		return US_ERR_CRYPTO;
	}
	ok = EVP_DigestVerify(ctx, sig.p, sig.n, msg.n == 0 ? none : msg.p, msg.n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		ERR_clear_error();
	return ok ? US_OK : US_ERR_SIGNATURE;
}

int
us_pem_decode(struct us_bytes pem, const char *label, struct us_buf *out)
{
	BIO *bio;
	int err = US_ERR_NOT_FOUND;

	if (pem.n > PEM_MAX)
		return US_ERR_LIMIT;
	if (pem.n != 0 && pem.p[0] == 0x30) /* a DER SEQUENCE */
		return us_buf_put(out, pem.p, pem.n);
	bio = BIO_new_mem_buf(pem.n == 0 ? (const uint8_t *)"" : pem.p, (int)pem.n);
	if (bio == NULL)
		return US_ERR_CRYPTO;
	while (err == US_ERR_NOT_FOUND) {
		char *name = NULL, *header = NULL;
		unsigned char *data = NULL;
		long n = 0;

		if (PEM_read_bio(bio, &name, &header, &data, &n) != 1)
			break;
		if (strcmp(name, label) == 0)
			err = us_buf_put(out, data, (size_t)n);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	BIO_free(bio);
	ERR_clear_error();
	return err;
}

int
us_pem_encode(struct us_bytes der, const char *label, struct us_buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	int err = US_ERR_CRYPTO;

	if (der.n > PEM_MAX) {
		BIO_free(bio);
		return US_ERR_LIMIT;
	}
	if (bio != NULL && PEM_write_bio(bio, label, "", der.p, (long)der.n) > 0) {
		n = BIO_get_mem_data(bio, &text);
		if (n > 0)
			err = us_buf_put(out, text, (size_t)n);
	}
	BIO_free(bio);
	return err;
}
