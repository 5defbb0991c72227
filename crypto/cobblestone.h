/*
 * Cobblestone-256: C2SP chunked-encryption (https://c2sp.org/chunked-encryption) with HKDF-SHA-512
 * and AES-256-GCM. Key-committing; a random salt each time, so that one key may seal 2^55 texts.
 *
 *   key(32) ‖ base nonce(12) ‖ commitment(32) = HKDF-Expand-SHA-512(prk = input key,
 *       info = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" ‖ 0x00 ‖ salt(24) ‖ context)
 *   output = salt(24) ‖ commitment(32) ‖ chunk 0 ‖ chunk 1 ‖ …
 *
 * A chunk is AES-256-GCM of 16 KiB of text, the last one of fewer (maybe none), with the base
 * nonce XOR the chunk's number and no additional data: 16 bytes of tag each. The commitment is
 * checked before anything is opened. Whole texts only, at most 1 GiB.
 */
#ifndef US_CRYPTO_COBBLESTONE_H
#define US_CRYPTO_COBBLESTONE_H

#include "base/buf.h"
#include "crypto/key.h"

#define US_COBBLESTONE_SALT_SIZE 24
#define US_COBBLESTONE_HEADER_SIZE 56
#define US_COBBLESTONE_CHUNK_SIZE 16384
/* What texts shorter than one chunk grow by. */
#define US_COBBLESTONE_SMALL_OVERHEAD 72

/* Length of the sealed form of n bytes. */
size_t us_cobblestone_sealed_size(size_t n);
/* Length of the text in a sealed form of n bytes. US_ERR_TRUNCATED if no text has that length. */
int us_cobblestone_plain_size(size_t n, size_t *out);
/* Writes us_cobblestone_sealed_size(plain.n) bytes; no overlap. US_ERR_LIMIT. */
int us_cobblestone_seal(const struct us_key *key, struct us_bytes context, struct us_bytes plain,
    uint8_t *out);
/* Writes us_cobblestone_plain_size() bytes; wiped on error. US_ERR_TRUNCATED, US_ERR_COMMITMENT
 * (another key or context), US_ERR_AUTH. */
int us_cobblestone_open(const struct us_key *key, struct us_bytes context, struct us_bytes sealed,
    uint8_t *out);
/* The same, appending to a buffer (US_ERR_LIMIT if it is full). */
int us_cobblestone_seal_to(const struct us_key *key, struct us_bytes context, struct us_bytes plain,
    struct us_buf *out);
/* us_cobblestone_open(), appending the plaintext to out. Also US_ERR_LIMIT if it is full. */
int us_cobblestone_open_to(const struct us_key *key, struct us_bytes context,
    struct us_bytes sealed, struct us_buf *out);
/* With a salt that the caller gives: for tests and vectors only. */
int
us_cobblestone_seal_salted(const struct us_key *key, const uint8_t salt[US_COBBLESTONE_SALT_SIZE],
    struct us_bytes context, struct us_bytes plain, uint8_t *out);

#endif
