/* Documents, added part by part. */
#include "crypto/crypto.h"
#include "registry/acts/acts.h"

#define DOCUMENTS_MAX 4096u
#define DOCUMENTS_BYTES (UINT64_C(512) << 20)
#define DOCUMENTS_BEGUN 4u /* of one person */

static void
code(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_document *a = &act->u.document;

	us_code_fixed(c, a->digest, 32);
	us_code_u64(c, &a->size);
	us_code_text(c, &a->name, US_DOCUMENT_NAME_MAX);
	us_code_u32(c, &a->part);
	us_code_str32(c, &a->bytes, US_DOCUMENT_PART);
	us_code_require(c, a->size != 0 && a->size <= US_DOCUMENT_MAX, US_ERR_LIMIT);
	const uint64_t at = (uint64_t)a->part * US_DOCUMENT_PART;
	const uint64_t left = at < a->size ? a->size - at : 0;
	us_code_require(c,
	    left != 0 && a->bytes.n == (left < US_DOCUMENT_PART ? left : US_DOCUMENT_PART),
	    US_ERR_RANGE);
}

/* A share of the room for each: nobody keeps the others from adding theirs. */
static int
check_room(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const uint64_t size = s->act->u.document.size;
	uint64_t all = size, own = size;
	unsigned begun = 0;

	for (size_t i = 0; i < reg->n_documents; i++) {
		const struct us_document *d = &reg->documents[i]->shown;
		const int mine = d->added_by == s->actor->id;

		all += d->size;
		own += mine ? d->size : 0;
		begun += mine && d->parts < d->parts_all;
	}
	if (reg->n_documents >= DOCUMENTS_MAX || all > DOCUMENTS_BYTES || own > DOCUMENTS_BYTES / 4)
		return us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
		    "the vault's room for documents is used up");
	return begun < DOCUMENTS_BEGUN ?
	    US_OK :
	    us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
		"you have begun %u documents that are not whole; finish them first", begun);
}

static int
check(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	static const uint8_t none[32];
	const struct us_act_document *a = &s->act->u.document;
	const struct us_document_full *d = us_document_full(reg, a->digest, s->actor->id);
	struct us_hash *hash;
	uint8_t digest[32];
	int err;

	if (memcmp(a->digest, none, 32) == 0)
		return us_refuse(refusal, US_ERR_FORMAT, US_REASON_MALFORMED,
		    "zeros are the digest of no document");
	if (d != NULL && d->shown.parts == d->shown.parts_all)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "the vault holds that document already");
	if (d == NULL ? a->part != 0 : a->part != d->shown.parts || a->size != d->shown.size)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "that is not the part that comes next");
	err = d == NULL ? check_room(reg, s, refusal) : US_OK;
	if (err != US_OK || (uint64_t)a->part * US_DOCUMENT_PART + a->bytes.n < a->size)
		return err;
	err = us_document_hash(d, a, &hash);
	if (err == US_OK)
		err = us_hash_final(hash, digest);
	us_hash_free(hash);
	if (err == US_OK && memcmp(digest, a->digest, 32) != 0)
		err = us_refuse(refusal, US_ERR_VERIFY, US_REASON_MALFORMED,
		    "the bytes are not those of the digest");
	return err;
}

static int
begin(struct us_registry *reg, const struct us_settled *s, struct us_document_full **out)
{
	const struct us_act_document *a = &s->act->u.document;
	struct us_document_full *d;
	int err = us_grow(&reg->documents, reg->n_documents, &reg->cap_documents,
	    sizeof(struct us_document_full *));

	if (err != US_OK)
		return err;
	d = calloc(1, sizeof *d);
	if (d == NULL)
		return US_ERR_NOMEM;
	memcpy(d->shown.digest, a->digest, 32);
	d->shown.size = a->size;
	us_copy_text(d->shown.name, sizeof d->shown.name, a->name);
	d->shown.added_by = s->actor->id;
	d->shown.added_ns = s->time_ns;
	d->shown.parts_all = (uint32_t)((a->size + US_DOCUMENT_PART - 1) / US_DOCUMENT_PART);
	reg->documents[reg->n_documents++] = d;
	*out = d;
	return US_OK;
}

static int
fold(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_document *a = &s->act->u.document;
	struct us_document_full *d = us_document_full(reg, a->digest, s->actor->id);
	struct us_hash *hash;
	int err = us_document_hash(d, a, &hash);

	if (err == US_OK && d == NULL)
		err = begin(reg, s, &d);
	if (err != US_OK) {
		us_hash_free(hash);
		return err;
	}
	us_hash_free(d->hash);
	d->hash = hash;
	d->shown.sequences[d->shown.parts++] = reg->sequence + 1;
	return US_OK;
}

static void
answer(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	const struct us_act_document *a = &act->u.document;
	const struct us_document *d = us_registry_document_of(reg, a->digest, 0);

	(void)result;
	(void)pending;
	us_json_kv_hex(j, "document", a->digest, sizeof a->digest);
	us_json_kv_uint(j, "parts", d == NULL ? 0 : d->parts);
	us_json_kv_uint(j, "parts_all", d == NULL ? 0 : d->parts_all);
}

const struct us_act_ops us_acts_documents[] = {
	{ .type = US_ACT_DOCUMENT_ADD,
	    .code = code,
	    .check = check,
	    .fold = fold,
	    .answer = answer },
	{ 0 },
};
