/*
 * Small secrets for one person, as files: CMS enveloped data (RFC 5652, RFC 5753: ECDH on the
 * certificate's P-256 key, AES-256-CBC content), PEM. Any CMS tool opens them:
 *   openssl cms -decrypt -inform PEM -in share-1.p7m -inkey key.pem
 * Thread safe.
 */
#ifndef US_CRYPTO_CMS_H
#define US_CRYPTO_CMS_H

#include "crypto/cert.h"

#define US_CMS_MAX 65536
#define US_CMS_BEGIN "-----BEGIN CMS-----"

/* Appends PEM. cert: DER of the recipient's certificate. US_ERR_FORMAT, US_ERR_CRYPTO. */
int us_cms_encrypt(struct us_bytes cert, struct us_bytes secret, struct us_buf *out);
/* Appends the secret; out should be wiped soon. US_ERR_FORMAT, US_ERR_AUTH (not for this key, or
 * changed). */
int us_cms_decrypt(const struct us_pkey *key, struct us_bytes cert, struct us_bytes pem,
    struct us_buf *out);

#endif
