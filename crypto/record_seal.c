#include "crypto/record_seal.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"

static const char aad_label[] = "underseal/record/1";
#define AAD_LABEL_SIZE (sizeof aad_label - 1)
#define AAD_SIZE (AAD_LABEL_SIZE + US_VAULT_ID_SIZE + 4 + 8 + 4)

static void
additional_data(const struct us_record_place *place, uint8_t out[AAD_SIZE])
{
	uint8_t *p = out;

	memcpy(p, aad_label, AAD_LABEL_SIZE);
	p += AAD_LABEL_SIZE;
	memcpy(p, place->vault, US_VAULT_ID_SIZE);
	p += US_VAULT_ID_SIZE;
	us_store_u32(p, place->collection);
	us_store_u64(p + 4, place->record);
	us_store_u32(p + 12, place->version);
}

static int
commitment(const struct us_key *key, const uint8_t aad[AAD_SIZE], uint8_t out[32])
{
	struct us_bytes parts[3] = {
		us_bytes_of("underseal/commit/1"),
		{ key->b, sizeof key->b },
		{ aad, AAD_SIZE },
	};

	return us_sha256_parts(parts, 3, out);
}

int
us_record_seal(const struct us_key *key, const struct us_record_place *place, struct us_bytes plain,
    uint8_t *out)
{
	uint8_t aad[AAD_SIZE];
	struct us_gcm g = { key, NULL, { aad, sizeof aad } };
	int err;

	additional_data(place, aad);
	err = commitment(key, aad, out);
	return err != US_OK ? err : us_gcm_seal(&g, plain, out + US_DIGEST_SIZE);
}

int
us_record_open(const struct us_key *key, const struct us_record_place *place,
    struct us_bytes sealed, uint8_t *out)
{
	uint8_t aad[AAD_SIZE], expected[32];
	struct us_gcm g = { key, NULL, { aad, sizeof aad } };
	int err;

	if (sealed.n < US_RECORD_SEAL_OVERHEAD)
		return US_ERR_TRUNCATED;
	additional_data(place, aad);
	err = commitment(key, aad, expected);
	if (err != US_OK)
		return err;
	if (!us_equal_secret(expected, sealed.p, sizeof expected))
		return US_ERR_COMMITMENT;
	return us_gcm_open(&g,
	    (struct us_bytes){ sealed.p + US_DIGEST_SIZE, sealed.n - US_DIGEST_SIZE }, out);
}
