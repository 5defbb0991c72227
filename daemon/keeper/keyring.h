/*
 * Collection keys and everything that is derived from them.
 *
 * File "keyring": "USK1" ‖ u64 generation ‖ u32 n ‖ n × { u32 collection ‖ Cobblestone-256 of C
 * (104) under the keyring KEK, context "underseal/keyring/1" ‖ vault id ‖ u32 collection },
 * ascending; written whole, the generation counting its copies.
 *
 * Subtree keys of batches are kept in a small cache, so that a read costs the sixteen hashings
 * below one. All keys stand in locked memory. One owner, one thread.
 */
#ifndef US_DAEMON_KEEPER_KEYRING_H
#define US_DAEMON_KEEPER_KEYRING_H

#include "base/buf.h"
#include "crypto/key.h"

struct us_keyring;

/* Where a leaf stands, and the salt drawn with its slot. */
struct us_leaf_place {
	uint32_t collection;
	uint32_t slot;
	const uint8_t *salt; /* 32 bytes */
};

int us_keyring_new(struct us_keyring **out, const uint8_t vault_id[32]);
void us_keyring_free(struct us_keyring *ring);
/* Reads the file; a missing one is US_ERR_NOT_FOUND. US_ERR_COMMITMENT: not this KEK. */
int us_keyring_load(struct us_keyring *ring, const struct us_key *kek);
/* Writes the file with the next generation. */
int us_keyring_store(struct us_keyring *ring, const struct us_key *kek);
/* Draws a key for a collection, replacing one that is there (of an act that was never
 * committed). */
int us_keyring_draw(struct us_keyring *ring, uint32_t collection);
int us_keyring_has(const struct us_keyring *ring, uint32_t collection);

/* Derivations; US_ERR_NOT_FOUND if the collection has no key. */
/* record key(32) ‖ manifest salt(16) of one item of a batch */
int us_keyring_record(struct us_keyring *ring, const struct us_leaf_place *batch, uint16_t item,
    uint8_t out[48]);
int
us_keyring_subtree(struct us_keyring *ring, uint32_t collection, uint32_t slot, struct us_key *out);
int us_keyring_page_key(struct us_keyring *ring, const struct us_leaf_place *segment,
    struct us_key *out);
int us_keyring_dictionary_key(struct us_keyring *ring, const struct us_leaf_place *dictionary,
    struct us_key *out);
int us_keyring_duplicate_key(struct us_keyring *ring, uint32_t collection, struct us_key *out);
int
us_keyring_era_root(struct us_keyring *ring, uint32_t collection, uint32_t era, struct us_key *out);
int us_keyring_term_key(struct us_keyring *ring, uint32_t collection, uint32_t era,
    struct us_bytes word, struct us_key *out);

#endif
