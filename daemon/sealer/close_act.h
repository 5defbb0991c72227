/* Apart from internal.h, since registry/act.h and crypto/keytree.h name some limits alike. */
#ifndef US_DAEMON_SEALER_CLOSE_ACT_H
#define US_DAEMON_SEALER_CLOSE_ACT_H

#include <stdint.h>

#include "evidence/batch/batch.h"
#include "base/buf.h"

struct us_sealer_close_act {
	uint32_t collection, slot;
	uint64_t load;
	uint64_t first;
	uint32_t count;
	uint8_t salt[32], segment_salt[32], manifest_root[32];
	uint32_t pages[US_BATCH_KINDS]; /* by enum us_page_kind; 0: none of it */
	uint8_t roots[US_BATCH_KINDS][32];
	int held;
	uint32_t dictionary_version;
	uint64_t raw_bytes, duplicates, refused;
	uint32_t first_part, parts;
	uint8_t parts_digest[32];
};

/* Appends the payload of the act batch-close. */
int us_sealer_close_act_encode(const struct us_sealer_close_act *f, struct us_buf *out);

#endif
