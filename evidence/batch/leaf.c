/* The manifest leaf of a record. */
#include <string.h>

#include "evidence/batch/reader.h"
#include "crypto/crypto.h"
#include "base/err.h"

int
us_manifest_leaf_hash(uint32_t collection, uint64_t record, uint32_t version,
    const uint8_t salt[16], struct us_bytes source, uint8_t leaf[32])
{
	static const char label[] = "underseal/manifest/1";
	struct us_bytes parts[2] = { { salt, 16 }, source };
	uint8_t text[1 + sizeof label - 1 + 4 + 8 + 4 + 32], *p = text;
	int err;

	*p++ = 0x00; /* RFC 6962 leaf */
	memcpy(p, label, sizeof label - 1);
	p += sizeof label - 1;
	us_store_u32(p, collection);
	us_store_u64(p + 4, record);
	us_store_u32(p + 12, version);
	err = us_sha256_parts(parts, 2, p + 16);
	if (err != US_OK)
		return err;
	return us_sha256(text, sizeof text, leaf);
}
