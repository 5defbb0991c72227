/* Shared by the crypto_*.c files alone: the contexts of a thread. */
#ifndef US_CRYPTO_CRYPTO_INTERNAL_H
#define US_CRYPTO_CRYPTO_INTERNAL_H

#include <openssl/evp.h>

#include "crypto/crypto.h"

/* Digest contexts stand initialised between calls, cipher contexts under an all-zero key. */
struct us_crypto_thread {
	EVP_MD_CTX *sha256;
	EVP_MD_CTX *sha512;
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	EVP_CIPHER_CTX *ctr;
};

/* This thread's contexts; NULL if memory is out. */
struct us_crypto_thread *us_crypto_thread(void);
/* Hashes the parts with a context that stands initialised, and initialises it again, which
 * overwrites the state. out has the digest's size. */
int us_digest_parts(EVP_MD_CTX *ctx, const struct us_bytes *parts, size_t n, uint8_t *out);

#endif
