/* Preconditions and folding that several families need. */
#include "base/array.h"
#include "crypto/crypto.h"
#include "registry/acts/acts.h"

static const uint8_t none[32];

int
us_needs_document(const struct us_registry *reg, const uint8_t digest[32], enum us_needed needed,
    const char *what, struct us_refusal *refusal)
{
	int err;

	if (needed == US_MAY_BE_NONE && memcmp(digest, none, 32) == 0)
		return US_OK;
	if (us_registry_document_of(reg, digest, 1) != NULL)
		return US_OK;
	err = us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
	    "the vault does not hold the %s", what);
	us_refuse_cure(refusal, "add the document first");
	return err;
}

int
us_wrong_state(struct us_refusal *refusal, const struct us_filing *f)
{
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is %s", f->id,
	    us_filing_status_name(f->status));
}

int
us_not_yours(struct us_refusal *refusal, const char *id)
{
	return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
	    "%s does not wait for you in this way", id);
}

int
us_full(struct us_refusal *refusal, const struct us_filing *f)
{
	return us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
	    "%s has all the signatures it can hold", f->id);
}

int
us_add_to_quorum(const struct us_registry *reg, const struct us_settled *s,
    const struct us_filing *f, struct us_refusal *refusal)
{
	const int err = us_filing_signable(reg, f, s->actor);

	if (err == US_ERR_EXISTS)
		return us_refuse(refusal, err, US_REASON_DUPLICATE,
		    "%s has your signature, or another of your party", f->id);
	if (err == US_ERR_LIMIT)
		return us_full(refusal, f);
	return err == US_OK ? US_OK : us_not_yours(refusal, f->id);
}

/* ---- folding ---- */

void
us_copy_text(char *out, size_t size, struct us_bytes text)
{
	const size_t n = text.n < size - 1 ? text.n : size - 1;

	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

void
us_drop_filing(struct us_registry *reg, struct us_filing *f)
{
	reg->n_filings--;
	us_filing_free(f);
}

/* SHA-256("underseal/docket/filing/1" ‖ vault id ‖ str16 id ‖ SHA-256(committed act)) */
static int
filing_digest(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f)
{
	const struct us_bytes label = us_bytes_of("underseal/docket/filing/1");
	uint8_t act[32], n[2];
	int err = us_sha256(s->committed.p, s->committed.n, act);

	us_store_u16(n, (uint16_t)strlen(f->id));
	const struct us_bytes parts[] = { label, { reg->vault_id, 32 }, { n, 2 },
		us_bytes_of(f->id), { act, 32 } };
	return err != US_OK ? err : us_sha256_parts(parts, US_COUNT(parts), f->digest);
}

int
us_open_filing(struct us_registry *reg, const struct us_settled *s, enum us_filing_kind kind,
    uint32_t number, struct us_filing **out)
{
	struct us_filing *f;
	int err = us_filing_new(reg, kind, number, &f);

	if (err != US_OK)
		return err;
	f->filed_by = s->actor->id;
	f->filed_ns = s->time_ns;
	f->sequence = reg->sequence + 1;
	err = filing_digest(reg, s, f);
	if (err != US_OK) {
		us_drop_filing(reg, f);
		return err;
	}
	*out = f;
	return US_OK;
}

void
us_close_filing(struct us_filing *f, const struct us_settled *s, enum us_filing_status status,
    struct us_bytes text)
{
	f->status = status;
	f->closed_ns = s->time_ns;
	f->closed_by = s->actor->id;
	us_copy_text(f->closed_text, sizeof f->closed_text, text);
}

void
us_add_signature(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f)
{
	f->signatures[f->n_signatures++] = (struct us_filing_signature){ .person = s->actor->id,
		.capacity = s->actor->capacity,
		.at_ns = s->time_ns,
		.parties = us_signer_mask(reg, s->actor) };
}

/* Is what was signed enough? */
static int
is_complete(const struct us_registry *reg, const struct us_filing *f)
{
	return us_quorum_met(us_filing_quorum(reg, f), us_filing_signed(reg, f, reg->order));
}

int
us_sign_for_quorum(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f)
{
	if (!is_complete(reg, f))
		us_add_signature(reg, s, f);
	return is_complete(reg, f);
}
