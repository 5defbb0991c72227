/* The table of acts read, their envelopes, and the state digest. */
#include "registry/act.h"

#include <string.h>

#include "base/array.h"
#include "log/state.h"
#include "crypto/crypto.h"

static const uint8_t zeros[32];

/* what the log's side says of acts without looking into them */
_Static_assert(US_STATE_BATCH_CLOSE == US_ACT_BATCH_CLOSE, "log/state.h");

/* ---- the table ---- */

/* the letters of its columns */
enum {
	N = US_AUTHORITY_NEVER,
	A = US_AUTHORITY_ALWAYS,
	S = US_AUTHORITY_SIGNER,
	O = US_AUTHORITY_ORDER,
	W = US_AUTHORITY_OWN
};

static const struct us_act_row {
	const char *text;
	enum us_action action;
	const char *path;
	uint8_t may[US_CAPACITIES_PERSON + 1];
} rows[] = {
#define X(name, number, text, action, path, administrator, keyholder, court, person) \
	[number] = { text, US_ACTION_##action, #path, \
		{ [US_CAPACITIES_ADMINISTRATOR] = administrator, \
		    [US_CAPACITIES_KEYHOLDER] = keyholder, \
		    [US_CAPACITIES_COURT] = court, \
		    [US_CAPACITIES_PERSON] = person } },
	US_ACTS(X)
#undef X
};

static const struct us_act_row *
row_of(unsigned type)
{
	return type < US_COUNT(rows) && rows[type].text != NULL ? &rows[type] : NULL;
}

const char *
us_act_name(unsigned type)
{
	const struct us_act_row *row = row_of(type);

	return row == NULL ? NULL : row->text;
}

enum us_action
us_act_action(enum us_act_type type)
{
	const struct us_act_row *row = row_of(type);

	return row == NULL ? US_ACTION_NONE : row->action;
}

const char *
us_act_path(enum us_act_type type)
{
	const struct us_act_row *row = row_of(type);

	return row == NULL || us_act_is_vaults(type) ? NULL : row->path;
}

enum us_act_authority
us_authority_of(enum us_capacity capacity, enum us_act_type type)
{
	const struct us_act_row *row = row_of(type);

	if (row == NULL || us_capacity_name(capacity) == NULL)
		return US_AUTHORITY_NEVER;
	return (enum us_act_authority)row->may[us_capacity_class_of(capacity)];
}

/* ---- envelopes ---- */

int
us_signed_act_encode(struct us_buf *out, const struct us_signed_act *act)
{
	size_t start = out->len;
	int err;

	if (act->payload.n > US_ACT_SIGNED_MAX ||
	    act->payload.n + sizeof US_ACT_MAGIC + 93 > US_ACT_SIGNED_MAX)
		return US_ERR_LIMIT;
	if (us_act_name((unsigned)act->type) == NULL)
		return US_ERR_RANGE;
	if ((err = us_buf_put(out, US_ACT_MAGIC, sizeof US_ACT_MAGIC - 1)) != US_OK ||
	    (err = us_buf_put_u8(out, (uint8_t)act->type)) != US_OK ||
	    (err = us_buf_put(out, act->vault_id, 32)) != US_OK ||
	    (err = us_buf_put(out, act->credential, 32)) != US_OK ||
	    (err = us_buf_put(out, act->nonce, US_ACT_NONCE)) != US_OK ||
	    (err = us_buf_put_u64(out, (uint64_t)act->time_ns)) != US_OK ||
	    (err = us_buf_put_str32(out, act->payload.p, act->payload.n)) != US_OK)
		out->len = start;
	return err;
}

int
us_signed_act_decode(struct us_signed_act *out, const void *p, size_t n)
{
	struct us_signed_act act;
	struct us_reader r;
	int err;

	if (n > US_ACT_SIGNED_MAX)
		return US_ERR_LIMIT;
	us_reader_init(&r, p, n);
	struct us_bytes magic = us_take(&r, sizeof US_ACT_MAGIC - 1);
	if (r.err == US_OK && memcmp(magic.p, US_ACT_MAGIC, magic.n) != 0)
		us_reader_fail(&r, US_ERR_FORMAT);
	unsigned type = us_take_u8(&r);
	us_take_into(&r, act.vault_id, 32);
	us_take_into(&r, act.credential, 32);
	us_take_into(&r, act.nonce, US_ACT_NONCE);
	act.time_ns = (int64_t)us_take_u64(&r);
	act.payload = us_take_str32(&r, US_ACT_SIGNED_MAX);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err;
	/* nobody's clock says a time before the epoch; differences of such times cannot overflow */
	if (us_act_name(type) == NULL || act.time_ns < 0)
		return US_ERR_RANGE;
	act.type = (enum us_act_type)type;
	if (us_act_is_vaults(act.type) &&
	    (memcmp(act.credential, zeros, 32) != 0 || memcmp(act.nonce, zeros, US_ACT_NONCE) != 0))
		return US_ERR_FORMAT;
	*out = act;
	return US_OK;
}

int
us_committed_act_encode(struct us_buf *out, const struct us_committed_act *act)
{
	size_t start = out->len;
	int err;

	if (act->signed_act.n > US_ACT_SIGNED_MAX || act->signature.n > US_ACT_SIGNATURE_MAX ||
	    act->result.n > US_ACT_RESULT_MAX)
		return US_ERR_LIMIT;
	if ((err = us_buf_put_u64(out, act->sequence)) != US_OK ||
	    (err = us_buf_put_u64(out, (uint64_t)act->time_ns)) != US_OK ||
	    (err = us_buf_put_u32(out, act->actor)) != US_OK ||
	    (err = us_buf_put_str32(out, act->signed_act.p, act->signed_act.n)) != US_OK ||
	    (err = us_buf_put_str16(out, act->signature.p, act->signature.n)) != US_OK ||
	    (err = us_buf_put_str32(out, act->result.p, act->result.n)) != US_OK)
		out->len = start;
	return err;
}

int
us_committed_act_decode(struct us_committed_act *out, struct us_signed_act *out_act, const void *p,
    size_t n)
{
	struct us_committed_act act;
	struct us_signed_act inner;
	struct us_reader r;
	int err;

	if (n > US_ACT_COMMITTED_MAX)
		return US_ERR_LIMIT;
	us_reader_init(&r, p, n);
	act.sequence = us_take_u64(&r);
	act.time_ns = (int64_t)us_take_u64(&r);
	act.actor = us_take_u32(&r);
	act.signed_act = us_take_str32(&r, US_ACT_SIGNED_MAX);
	act.signature = us_take_str16(&r, US_ACT_SIGNATURE_MAX);
	act.result = us_take_str32(&r, US_ACT_RESULT_MAX);
	err = us_reader_end(&r);
	if (err != US_OK)
		return err;
	if (act.sequence == 0 || act.time_ns < 0)
		return US_ERR_RANGE;
	err = us_signed_act_decode(&inner, act.signed_act.p, act.signed_act.n);
	if (err != US_OK)
		return err;
	int own = us_act_is_vaults(inner.type);
	if (own != (act.signature.n == 0) || own != (act.actor == 0))
		return US_ERR_FORMAT;
	*out = act;
	if (out_act != NULL)
		*out_act = inner;
	return US_OK;
}

uint64_t
us_act_number(struct us_bytes result)
{
	return result.n == 4 ? us_load_u32(result.p) : result.n == 8 ? us_load_u64(result.p) : 0;
}

int
us_state_digest(const uint8_t digest[32], struct us_bytes committed, uint8_t next[32])
{
	struct us_bytes parts[3] = { us_bytes_of("underseal/state/1"), { digest, 32 }, committed };
	uint8_t sum[32];
	int err = us_sha256_parts(parts, 3, sum);

	if (err == US_OK)
		memcpy(next, sum, 32);
	return err;
}

int
us_order_item_digest(const uint8_t vault_id[32], uint32_t version,
    const struct us_act_order_propose *p, uint8_t out[32])
{
	uint8_t source[32], compiled[32], number[4], effective[8];
	const struct us_bytes parts[] = { us_bytes_of("underseal/docket/order/1"), { vault_id, 32 },
		{ number, 4 }, { source, 32 }, { compiled, 32 }, { p->instrument, 32 },
		{ effective, 8 }, p->authority };
	int err = us_sha256(p->source.p, p->source.n, source);

	if (err == US_OK)
		err = us_sha256(p->compiled.p, p->compiled.n, compiled);
	us_store_u32(number, version);
	us_store_u64(effective, (uint64_t)p->effective_ns);
	return err != US_OK ? err : us_sha256_parts(parts, US_COUNT(parts), out);
}
