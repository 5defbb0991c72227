/*
 * The outer seal of a record (docs/PROTOCOL.md section 5): commitment(32) ‖ AES-256-GCM
 * ciphertext ‖ tag(16) under a record key that is used once, nonce zero, additional data
 * "underseal/record/1" ‖ vault id ‖ u32 collection ‖ u64 record number ‖ u32 version, and
 * commitment = SHA-256("underseal/commit/1" ‖ record key ‖ additional data). What stands inside
 * (compressed, padded) is the caller's. Thread safe.
 */
#ifndef US_CRYPTO_RECORD_SEAL_H
#define US_CRYPTO_RECORD_SEAL_H

#include "base/buf.h"
#include "crypto/key.h"

#define US_VAULT_ID_SIZE 32
#define US_RECORD_SEAL_OVERHEAD 48

struct us_record_place {
	const uint8_t *vault; /* US_VAULT_ID_SIZE bytes */
	uint32_t collection;
	uint64_t record;
	uint32_t version;
};

/* Writes plain.n + US_RECORD_SEAL_OVERHEAD bytes; no overlap. */
int us_record_seal(const struct us_key *key, const struct us_record_place *place,
    struct us_bytes plain, uint8_t *out);
/* Writes sealed.n - US_RECORD_SEAL_OVERHEAD bytes, wiped on error. US_ERR_TRUNCATED;
 * US_ERR_COMMITMENT: the key is not the one that sealed, or the record stands in another place;
 * US_ERR_AUTH: the bytes were changed. */
int us_record_open(const struct us_key *key, const struct us_record_place *place,
    struct us_bytes sealed, uint8_t *out);

#endif
