#include "log/state.h"

#include <string.h>

#include "base/array.h"
#include "log/entry.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define ACT_MAGIC "underseal/act/1\n"
/* Of a signed act behind its magic and type: vault id, credential, nonce, time. */
#define ENVELOPE_BYTES (32 + 32 + 16 + 8)
/* Of the payload of one that closes a batch, what stands before the manifest root
 * (registry/payload.c). */
#define BEFORE_ROOT (4 + 4 + 8 + 4 + 8 + 4 + 4 + 32 + 4 + 32)
#define ROOT_BYTES 32

void
us_state_init(struct us_state *s)
{
	memset(s, 0, sizeof *s);
}

/* The manifest root, if the signed act closes a batch. */
static int
take_root(struct us_bytes signed_act, uint8_t root[ROOT_BYTES])
{
	struct us_bytes magic, payload;
	struct us_reader r;
	unsigned type;
	int err;

	us_reader_init(&r, signed_act.p, signed_act.n);
	magic = us_take(&r, sizeof ACT_MAGIC - 1);
	if (r.err == US_OK && memcmp(magic.p, ACT_MAGIC, magic.n) != 0)
		us_reader_fail(&r, US_ERR_FORMAT);
	type = us_take_u8(&r);
	(void)us_take(&r, ENVELOPE_BYTES);
	payload = us_take_str32(&r, US_ACT_COMMITTED_MAX);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err;
	memset(root, 0, ROOT_BYTES);
	if (type != US_STATE_BATCH_CLOSE)
		return US_OK;
	us_reader_init(&r, payload.p, payload.n);
	(void)us_take(&r, BEFORE_ROOT);
	us_take_into(&r, root, ROOT_BYTES);
	return r.err;
}

int
us_state_take(struct us_state *s, struct us_bytes committed)
{
	const struct us_bytes parts[] = { us_bytes_of("underseal/state/1"),
		{ s->digest, sizeof s->digest }, committed };
	struct us_state next = { .n = s->n + 1 };
	struct us_bytes signed_act;
	struct us_reader r;
	uint64_t sequence;
	int err;

	us_reader_init(&r, committed.p, committed.n);
	sequence = us_take_u64(&r);
	(void)us_take(&r, 8 + 4); /* time, actor */
	signed_act = us_take_str32(&r, US_ACT_COMMITTED_MAX);
	(void)us_take_str16(&r, UINT16_MAX);           /* signature */
	(void)us_take_str32(&r, US_ACT_COMMITTED_MAX); /* result */
	err = us_reader_end(&r);
	if (err == US_OK)
		err = take_root(signed_act, next.manifest_root);
	if (err == US_OK && sequence != next.n)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_sha256_parts(parts, US_COUNT(parts), next.digest);
	if (err == US_OK)
		*s = next;
	return err;
}

int
us_state_check(const struct us_state *s, const uint8_t commitment[32])
{
	uint8_t want[32];
	int err = us_entry_state_commitment(want, s->digest, s->manifest_root);

	return err != US_OK                            ? err :
	    memcmp(want, commitment, sizeof want) == 0 ? US_OK :
							 US_ERR_VERIFY;
}
