#include "client/log/key_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/log/mirror_files.h"
#include "crypto/crypto.h"

#define LABEL "underseal/client/mirror/1"
#define KEY_DER_MAX 4096
#define PLAIN_MAX ((size_t)1 << 30)
#define ENTRY_BYTES (1 + US_BOXES * US_KEY_SIZE)

struct us_key_store {
	const struct us_profile *profile;
	struct us_key *key;
};

int
us_key_store_new(struct us_key_store **out, const struct us_profile *profile)
{
	struct us_key_store *s = calloc(1, sizeof *s);
	struct us_buf der;
	int err = s == NULL ? US_ERR_NOMEM : us_key_new(&s->key);

	*out = NULL;
	us_buf_init(&der, KEY_DER_MAX);
	if (err == US_OK)
		err = us_pkey_to_der(profile->key, &der);
	if (err == US_OK)
		err = us_hkdf_extract(us_bytes_of(LABEL), (struct us_bytes){ der.data, der.len },
		    s->key);
	us_buf_free(&der);
	if (err != US_OK) {
		us_key_store_free(s);
		return err;
	}
	s->profile = profile;
	*out = s;
	return US_OK;
}

void
us_key_store_free(struct us_key_store *s)
{
	if (s == NULL)
		return;
	us_key_free(s->key);
	free(s);
}

/* ---- sealed files: nonce(12) ‖ AES-256-GCM, with the path as what is bound ---- */

int
us_key_store_seal(const struct us_key_store *s, const char *path, struct us_bytes plain)
{
	const size_t n = US_GCM_NONCE_SIZE + plain.n + US_GCM_TAG_SIZE;
	uint8_t *sealed = malloc(n);
	const struct us_gcm g = { s->key, sealed, us_bytes_of(path) };
	int err = sealed == NULL ? US_ERR_NOMEM : us_random(sealed, US_GCM_NONCE_SIZE);

	if (err == US_OK)
		err = us_gcm_seal(&g, plain, sealed + US_GCM_NONCE_SIZE);
	if (err == US_OK)
		err = us_mirror_file_write(s->profile->directory, path,
		    (struct us_bytes){ sealed, n });
	free(sealed);
	return err;
}

int
us_key_store_open(const struct us_key_store *s, const char *path, struct us_buf *out)
{
	struct us_buf sealed;
	struct us_gcm g = { s->key, NULL, us_bytes_of(path) };
	uint8_t *plain;
	int err;

	us_buf_init(&sealed, PLAIN_MAX);
	err = us_mirror_file_read(s->profile->directory, path, &sealed);
	if (err == US_OK && sealed.len < US_GCM_NONCE_SIZE + US_GCM_TAG_SIZE)
		err = US_ERR_TRUNCATED;
	if (err == US_OK)
		err = us_buf_extend(out, sealed.len - US_GCM_NONCE_SIZE - US_GCM_TAG_SIZE, &plain);
	if (err == US_OK) {
		const struct us_bytes text = { sealed.data + US_GCM_NONCE_SIZE,
			sealed.len - US_GCM_NONCE_SIZE };

		g.nonce = sealed.data;
		err = us_gcm_open(&g, text, plain);
		if (err != US_OK)
			out->len -= text.n - US_GCM_TAG_SIZE;
	}
	us_buf_free(&sealed);
	return err;
}

/* ---- keys ---- */

static int
path_of(uint64_t n, char path[US_TILE_PATH_MAX])
{
	static const char tiles[] = "tile/entries/", keys[] = "keys/";
	const struct us_tile tile = { .entries = 1, .n = n, .width = US_TILE_WIDTH };
	char whole[US_TILE_PATH_MAX];
	int err = us_tile_path(&tile, whole, sizeof whole);

	if (err == US_OK)
		(void)snprintf(path, US_TILE_PATH_MAX, "%s%s", keys, whole + sizeof tiles - 1);
	return err;
}

int
us_key_store_get(const struct us_key_store *s, uint64_t n, struct us_box_keys keys[US_TILE_WIDTH])
{
	char path[US_TILE_PATH_MAX];
	struct us_buf plain;
	int err = path_of(n, path);

	us_buf_init(&plain, US_TILE_WIDTH * ENTRY_BYTES);
	if (err == US_OK)
		err = us_key_store_open(s, path, &plain);
	if (err == US_OK && plain.len != US_TILE_WIDTH * ENTRY_BYTES)
		err = US_ERR_FORMAT;
	for (size_t i = 0; err == US_OK && i < US_TILE_WIDTH; i++) {
		const uint8_t *p = plain.data + i * ENTRY_BYTES;

		keys[i].present = p[0] & ((1u << US_BOXES) - 1);
		memcpy(keys[i].key, p + 1, sizeof keys[i].key);
	}
	us_buf_free(&plain);
	return err;
}

int
us_key_store_put(const struct us_key_store *s, uint64_t n,
    const struct us_box_keys keys[US_TILE_WIDTH])
{
	uint8_t plain[US_TILE_WIDTH * ENTRY_BYTES];
	char path[US_TILE_PATH_MAX];
	int err = path_of(n, path);

	for (size_t i = 0; i < US_TILE_WIDTH; i++) {
		plain[i * ENTRY_BYTES] = keys[i].present;
		memcpy(plain + i * ENTRY_BYTES + 1, keys[i].key, sizeof keys[i].key);
	}
	if (err == US_OK)
		err = us_key_store_seal(s, path, (struct us_bytes){ plain, sizeof plain });
	us_wipe(plain, sizeof plain);
	return err;
}
