/*
 * The primitives, all from OpenSSL's default provider (FIPS 180-4, 198-1, 197, SP 800-38A/D,
 * RFC 5869, 7748, 8032). Algorithms are fetched once a process; contexts are kept a thread and
 * are cleared of key material after each call (cipher contexts are re-keyed with zeros, digest
 * contexts re-initialised), so that no key schedule or hash state lingers.
 *
 * All functions are thread safe, return US_OK or an error, and on error leave outputs wiped or
 * untouched. US_ERR_CRYPTO means that the library failed, in practice that memory is out; it is
 * not listed again at each function. Input and output may not overlap unless said.
 */
#ifndef US_CRYPTO_CRYPTO_H
#define US_CRYPTO_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/key.h"

#define US_DIGEST_SIZE 32
#define US_GCM_NONCE_SIZE 12
#define US_GCM_TAG_SIZE 16
#define US_X25519_SIZE 32
#define US_ED25519_SIGNATURE_SIZE 64

/* Fetches everything and opens the random generator. Idempotent; the functions below do it by
 * themselves, but a process calls it before its sandbox closes the file system. */
int us_crypto_init(void);
/* Frees this thread's contexts and overwrites the unused stack below: called when a vault seals,
 * and by a worker that goes idle after it held keys. Cheap enough to call once a request. */
void us_crypto_scrub(void);

/* n random bytes from OpenSSL's generator. */
int us_random(void *out, size_t n);
/* A new key from the same generator. US_ERR_CRYPTO. */
int us_key_random(struct us_key *out);

/* SHA-256 of n bytes. US_ERR_CRYPTO, as everything below that hashes. */
int us_sha256(const void *p, size_t n, uint8_t out[US_DIGEST_SIZE]);
/* Of the n parts in order. */
int us_sha256_parts(const struct us_bytes *parts, size_t n, uint8_t out[US_DIGEST_SIZE]);

/* Streaming SHA-256 for what does not stand in memory at once. One owner. */
struct us_hash;
/* Begins an empty message. US_ERR_NOMEM, US_ERR_CRYPTO. Free with us_hash_free(). */
int us_hash_new(struct us_hash **out);
/* Appends n bytes to the message. */
int us_hash_update(struct us_hash *h, const void *p, size_t n);
/* The digest; h may then take a new message. */
int us_hash_final(struct us_hash *h, uint8_t out[US_DIGEST_SIZE]);
/* Another that goes on from the same bytes. */
int us_hash_copy(const struct us_hash *from, struct us_hash **out);
/* NULL is allowed. */
void us_hash_free(struct us_hash *h);

/* HMAC-SHA-256 over the parts (at most 10, else US_ERR_ARG); the key may have any length. */
int us_hmac_sha256(struct us_bytes key, const struct us_bytes *parts, size_t n,
    uint8_t out[US_DIGEST_SIZE]);
/* RFC 5869. salt may be empty. */
int us_hkdf_extract(struct us_bytes salt, struct us_bytes ikm, struct us_key *prk);
/* out_n <= 255 * 32, else US_ERR_ARG; info is the concatenation of the n parts (at most 8). */
int
us_hkdf_expand(struct us_bytes prk, const struct us_bytes *info, size_t n, void *out, size_t out_n);
/* The same with HMAC-SHA-512, for Cobblestone. out_n <= 255 * 64. */
int us_hkdf_expand_sha512(struct us_bytes prk, const struct us_bytes *info, size_t n, void *out,
    size_t out_n);
/* The common case: HKDF-Expand(key, label, 32). out may be the same as key. */
int us_key_derive(const struct us_key *key, const char *label, struct us_key *out);

/* AES-256-GCM. A (key, nonce) seals once, ever: see docs/PROTOCOL.md section 2. */
struct us_gcm {
	const struct us_key *key;
	const uint8_t *nonce; /* US_GCM_NONCE_SIZE bytes; NULL: all zeros */
	struct us_bytes aad;  /* may be empty */
};
/* Writes plain.n + 16 bytes: ciphertext, tag. out may be plain.p. US_ERR_LIMIT above 1 GiB. */
int us_gcm_seal(const struct us_gcm *g, struct us_bytes plain, uint8_t *out);
/* Writes sealed.n - 16 bytes; wiped unless the tag is right. out may be sealed.p. US_ERR_TRUNCATED
 * if shorter than a tag, US_ERR_AUTH if it does not open. */
int us_gcm_open(const struct us_gcm *g, struct us_bytes sealed, uint8_t *out);
/* The same for who opens many, one after the other: the key stays in this thread's cipher until the
 * next one overwrites it, or us_gcm_forget() does. */
int us_gcm_open_next(const struct us_gcm *g, struct us_bytes sealed, uint8_t *out);
int us_gcm_forget(void); /* US_ERR_CRYPTO */
/* AES-256-CTR with a 16-byte initial counter block: out = in XOR keystream. out may be in.p. */
int us_ctr_xor(const struct us_key *key, const uint8_t iv[16], struct us_bytes in, uint8_t *out);

/* RFC 8032, pure Ed25519. For many signatures under one key use us_pkey (crypto/cert.h), which
 * derives the public key once. */
int us_ed25519_public(const struct us_key *seed, uint8_t out[32]);
/* Signs msg under the private key of 32 bytes. US_ERR_CRYPTO. */
int us_ed25519_sign(const struct us_key *seed, struct us_bytes msg,
    uint8_t out[US_ED25519_SIGNATURE_SIZE]);
/* US_ERR_SIGNATURE. sig.n must be 64. */
int us_ed25519_verify(const uint8_t public_key[32], struct us_bytes msg, struct us_bytes sig);

/* RFC 7748. US_ERR_CRYPTO if the shared secret is all zeros (a point of low order). */
int us_x25519_public(const struct us_key *priv, uint8_t out[US_X25519_SIZE]);
/* The secret that priv shares with the public key peer. */
int us_x25519(const struct us_key *priv, const uint8_t peer[US_X25519_SIZE], struct us_key *out);

/* Sealing to a public key, docs/PROTOCOL.md section 2. Appends e_pub(32) and the Cobblestone text
 * to out (bounded by out->max: US_ERR_LIMIT). context must be the same at both sides. */
int us_seal_to_public(const uint8_t recipient[US_X25519_SIZE], struct us_bytes context,
    struct us_bytes plain, struct us_buf *out);
/* Appends the text to out. US_ERR_TRUNCATED, US_ERR_COMMITMENT (other key or context),
 * US_ERR_AUTH. */
int us_open_from_public(const struct us_key *priv, struct us_bytes context, struct us_bytes sealed,
    struct us_buf *out);

/* The Padmé length of n: the smallest n' >= n whose low bits are zero so that only O(log log n)
 * bits of the length leak, at most 12% more. Nikitin et al., "Reducing Metadata Leakage from
 * Encrypted Files and Communication with PURBs", PETS 2019, algorithm 1. 0 and 1 stay. */
uint64_t us_padme(uint64_t n);

#endif
