/*
 * Keys of the log's boxes that this profile was given, beside its mirror: a file for each full
 * bundle, PROFILE/mirror/keys/…, sealed under a key that follows from the profile's private key.
 * So they are as safe as that: under its passphrase, where it has one.
 *
 * They are work product. A file that does not open (changed, cut, or of another key) is as good as
 * none: the vault is asked again.
 */
#ifndef US_CLIENT_LOG_KEY_STORE_H
#define US_CLIENT_LOG_KEY_STORE_H

#include "client/core/profile.h"
#include "log/entry.h"
#include "log/tiles.h"

/* Keys of one entry's boxes; present has bit 1 << enum us_box. */
struct us_box_keys {
	uint8_t present;
	uint8_t key[US_BOXES][32];
};

struct us_key_store;

/* Derives the key. The profile, with its private key, must outlive it. US_ERR_NOMEM,
 * US_ERR_CRYPTO. */
int us_key_store_new(struct us_key_store **out, const struct us_profile *profile);
/* Wipes and frees; NULL is nothing. */
void us_key_store_free(struct us_key_store *s);
/* The keys of full bundle n. US_ERR_NOT_FOUND: there are none; US_ERR_AUTH, US_ERR_IO and the like:
 * they are damaged. */
int
us_key_store_get(const struct us_key_store *s, uint64_t n, struct us_box_keys keys[US_TILE_WIDTH]);
/* Keeps them. US_ERR_IO, US_ERR_NOSPACE (errno). */
int us_key_store_put(const struct us_key_store *s, uint64_t n,
    const struct us_box_keys keys[US_TILE_WIDTH]);

/* A file of the mirror that holds work product, sealed under the same key; what says which one it
 * is. Appends what it holds to out. US_ERR_NOT_FOUND, US_ERR_AUTH, US_ERR_IO. */
int us_key_store_open(const struct us_key_store *s, const char *path, struct us_buf *out);
/* Seals and writes it. US_ERR_IO, US_ERR_NOSPACE (errno). */
int us_key_store_seal(const struct us_key_store *s, const char *path, struct us_bytes plain);

#endif
