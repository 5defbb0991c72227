#include "client/evidence/sent_parts.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "registry/act.h"

int
us_sent_parts_add(struct us_sent_parts *sent, const uint8_t digest[32])
{
	if (us_grow(&sent->digests, sent->n, &sent->cap, sizeof *sent->digests) != US_OK)
		return US_ERR_NOMEM;
	memcpy(sent->digests[sent->n++], digest, 32);
	return US_OK;
}

void
us_sent_parts_free(struct us_sent_parts *sent)
{
	free(sent->digests);
	*sent = (struct us_sent_parts){ NULL, 0, 0 };
}

/* As the sealer makes it, of what was sent. */
static int
digest_of(const struct us_sent_parts *sent, const struct us_act_batch_close *a, uint8_t out[32])
{
	uint8_t head[8 + 4 + 4];
	const struct us_bytes parts[] = { us_bytes_of("underseal/load-parts/1"),
		{ head, sizeof head }, { sent->digests[a->first_part], (size_t)a->parts * 32 } };

	us_store_u64(head, a->load);
	us_store_u32(head + 8, a->first_part);
	us_store_u32(head + 12, a->parts);
	return us_sha256_parts(parts, 3, out);
}

static int
check_act(const struct us_sent_parts *sent, const struct us_batch_claim *claim,
    const struct us_act_batch_close *a)
{
	uint8_t digest[32];
	int err;

	if (a->load != claim->load || a->collection != claim->collection ||
	    a->slot != claim->slot || memcmp(a->manifest_root, claim->root, 32) != 0)
		return US_ERR_VERIFY;
	if (a->parts == 0 || a->first_part >= sent->n || a->parts > sent->n - a->first_part)
		return US_ERR_VERIFY;
	err = digest_of(sent, a, digest);
	return err != US_OK                          ? err :
	    memcmp(digest, a->parts_digest, 32) == 0 ? US_OK :
						       US_ERR_VERIFY;
}

int
us_sent_parts_check(const struct us_sent_parts *sent, const struct us_batch_claim *claim,
    uint64_t *records)
{
	struct us_act *act = calloc(1, sizeof *act);
	struct us_committed_act committed;
	struct us_signed_act envelope;
	uint8_t state[32];
	int err;

	if (act == NULL)
		return US_ERR_NOMEM;
	err = us_state_digest(claim->before, claim->committed, state);
	if (err == US_OK && memcmp(state, claim->state, 32) != 0)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_committed_act_decode(&committed, &envelope, claim->committed.p,
		    claim->committed.n);
	if (err == US_OK && envelope.type != US_ACT_BATCH_CLOSE)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_act_decode(act, envelope.type, envelope.payload);
	if (err == US_OK)
		err = check_act(sent, claim, &act->u.batch_close);
	if (err == US_OK)
		*records = act->u.batch_close.count;
	free(act);
	return err;
}
