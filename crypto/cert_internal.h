/* Shared by pkey.c and cert*.c alone. */
#ifndef US_CRYPTO_CERT_INTERNAL_H
#define US_CRYPTO_CERT_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/cert.h"

struct us_pkey {
	EVP_PKEY *evp;
	enum us_pkey_type type;
	int is_private;
};

/* US_ERR_FORMAT unless evp is of one of the two kinds. */
int us_pkey_kind(const EVP_PKEY *evp, enum us_pkey_type *out);
/* Parses exactly one certificate. US_ERR_LIMIT, US_ERR_FORMAT, US_ERR_TRAILING. */
int us_x509_parse(struct us_bytes der, X509 **out);
/* The one common name of a subject, valid UTF-8 without control characters; "" if there is none.
 * US_ERR_FORMAT, US_ERR_ENCODING, US_ERR_LIMIT. */
int us_x509_common_name(const X509_NAME *name, char out[US_CERT_NAME_MAX + 1]);
/* Sets the common name alone. US_ERR_ENCODING, US_ERR_LIMIT (also for an empty one). */
int us_x509_set_common_name(X509_NAME *name, const char *text);
/* The SHA-256 of a public key as it stands in certificates. US_ERR_CRYPTO, US_ERR_NOMEM. */
int us_x509_key_digest(const EVP_PKEY *evp, uint8_t out[32]);
/* NULL for Ed25519. */
const EVP_MD *us_pkey_digest(enum us_pkey_type type);
/* Appends what i2d gives for object. */
int us_put_der(struct us_buf *out, int (*i2d)(const void *, unsigned char **), const void *object);
/* i2d functions of that shape, each of one kind of object: a certificate, */
int us_i2d_x509(const void *object, unsigned char **p);
/* a request for one, */
int us_i2d_x509_req(const void *object, unsigned char **p);
/* the public half of a key (an EVP_PKEY), */
int us_i2d_pubkey(const void *object, unsigned char **p);
/* a private key. */
int us_i2d_pkcs8(const void *object, unsigned char **p);

#endif
