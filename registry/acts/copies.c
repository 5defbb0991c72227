/* Copies: taken, their file's digest noted by the vault, given back. */
#include "registry/acts/acts.h"
#include "registry/withheld.h"

/* ---- copy ---- */

static void
code_copy(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_copy *a = &act->u.copy;

	us_code_id(c, &a->collection);
	us_code_text(c, &a->recipient, US_RECIPIENT_MAX);
	us_code_text_or_empty(c, &a->purpose, US_PURPOSE_MAX);
	us_code_records(c, &a->n, &a->records, 1);
}

static uint32_t
collection_copy(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.copy.collection;
}

static int
asks_copy(const struct us_registry *reg, const struct us_act *act, struct us_context *context,
    uint32_t *collection, struct us_refusal *refusal)
{
	(void)reg;
	(void)refusal;
	*collection = act->u.copy.collection;
	context->purpose = act->u.copy.purpose;
	context->records = act->u.copy.n;
	return US_OK;
}

static int
check_copy(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_copy *a = &s->act->u.copy;
	const int withholds = us_registry_withholds(reg, a->collection,
	    US_WITHHELD_CLAWBACK | US_WITHHELD_FREEZE);
	const struct us_batch *b = NULL;

	for (uint32_t i = 0; i < a->n; i++) {
		uint64_t record = us_act_copy_record(a, i);
		if (b == NULL || record < b->facts.first ||
		    record - b->facts.first >= b->facts.count)
			b = us_registry_batch_of(reg, a->collection, record);
		if (b == NULL)
			return us_not_found(refusal, "record");
		if (b->status != US_BATCH_LIVE)
			return us_refuse(refusal, US_ERR_STATE,
			    b->status == US_BATCH_HELD ? US_REASON_HELD : US_REASON_WITHDRAWN,
			    "a record of a batch that is %s cannot be copied",
			    us_batch_status_name(b->status));
		if (withholds && us_registry_withheld(reg, a->collection, record) != 0)
			return us_refuse(refusal, US_ERR_STATE, US_REASON_FROZEN,
			    "some of these records are frozen or clawed back");
	}
	return US_OK;
}

static int
fold_copy(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_copy *a = &s->act->u.copy;
	struct us_copy_full *c;
	int err = us_grow(&reg->copies, reg->n_copies, &reg->cap_copies,
	    sizeof(struct us_copy_full *));

	if (err != US_OK)
		return err;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&c->purpose, US_PURPOSE_MAX + 1);
	c->records = malloc((size_t)a->n * sizeof *c->records);
	if (c->records == NULL || us_buf_put(&c->purpose, a->purpose.p, a->purpose.n) != US_OK) {
		free(c->records);
		free(c);
		return US_ERR_NOMEM;
	}
	for (uint32_t i = 0; i < a->n; i++)
		c->records[i] = us_act_copy_record(a, i);
	c->shown.id = reg->n_copies + 1;
	c->shown.collection = a->collection;
	c->shown.person = s->actor->id;
	c->shown.time_ns = s->time_ns;
	us_copy_text(c->shown.recipient, sizeof c->shown.recipient, a->recipient);
	c->shown.purpose = (struct us_bytes){ c->purpose.data, c->purpose.len };
	c->shown.n = a->n;
	c->shown.records = c->records;
	c->shown.status = US_COPY_OUT;
	reg->copies[reg->n_copies++] = c;
	return US_OK;
}

static int
result_copy(const struct us_registry *reg, const struct us_settled *s, struct us_buf *out)
{
	(void)s;
	return us_buf_put_u64(out, reg->n_copies + 1);
}

/* ---- copy-return ---- */

static void
code_return(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_copy_return *a = &act->u.copy_return;
	unsigned how = (unsigned)a->how;

	us_code_u64(c, &a->copy);
	us_code_u8(c, &how);
	us_code_require(c, a->copy != 0 && (how == US_COPY_RETURNED || how == US_COPY_DESTROYED),
	    US_ERR_RANGE);
	a->how = how == US_COPY_DESTROYED ? US_COPY_DESTROYED : US_COPY_RETURNED;
	us_code_text_or_empty(c, &a->note, US_REASON_TEXT_MAX);
}

static int
asks_return(const struct us_registry *reg, const struct us_act *act, struct us_context *context,
    uint32_t *collection, struct us_refusal *refusal)
{
	const struct us_copy *copy = us_registry_copy(reg, act->u.copy_return.copy);

	if (copy == NULL)
		return us_not_found(refusal, "copy");
	*collection = copy->collection;
	/* giving back needs no new purpose: it has the one of the copy */
	context->purpose = copy->purpose;
	return US_OK;
}

static int
may_return(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    enum us_act_authority authority, struct us_refusal *refusal)
{
	const struct us_copy *copy = us_registry_copy(reg, act->u.copy_return.copy);

	(void)authority;
	return us_shares_party(actor, us_registry_person(reg, copy->person)) ?
	    US_OK :
	    us_refuse(refusal, US_ERR_DENIED, US_REASON_NOT_IN_ORDER,
		"that copy was taken by another party");
}

static int
check_return(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_copy *c = us_registry_copy(reg, s->act->u.copy_return.copy);

	if (c == NULL)
		return us_not_found(refusal, "copy");
	return c->status == US_COPY_OUT ?
	    US_OK :
	    us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "that copy is %s already",
		us_copy_status_name(c->status));
}

static int
fold_return(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_copy_return *a = &s->act->u.copy_return;
	struct us_copy *c = &reg->copies[a->copy - 1]->shown;

	c->status = a->how == US_COPY_RETURNED ? US_COPY_GIVEN_BACK : US_COPY_GONE;
	c->ended_ns = s->time_ns;
	return US_OK;
}

static void
answer_return(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)reg;
	(void)result;
	(void)pending;
	us_json_kv_uint(j, "copy", act->u.copy_return.copy);
}

/* ---- copy-digest ---- */

static void
code_digest(struct us_act_codec *c, struct us_act *act)
{
	us_code_u64(c, &act->u.copy_digest.copy);
	us_code_fixed(c, act->u.copy_digest.digest, 32);
}

static int
check_digest(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_copy *c = us_registry_copy(reg, s->act->u.copy_digest.copy);

	if (c == NULL)
		return us_not_found(refusal, "copy");
	return c->has_digest ?
	    us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE, "that copy has its digest") :
	    US_OK;
}

static int
fold_digest(struct us_registry *reg, struct us_settled *s)
{
	struct us_copy *c = &reg->copies[s->act->u.copy_digest.copy - 1]->shown;

	memcpy(c->digest, s->act->u.copy_digest.digest, 32);
	c->has_digest = 1;
	return US_OK;
}

const struct us_act_ops us_acts_copies[] = {
	{ .type = US_ACT_COPY,
	    .code = code_copy,
	    .collection = collection_copy,
	    .asks = asks_copy,
	    .check = check_copy,
	    .fold = fold_copy,
	    .result = result_copy },
	{ .type = US_ACT_COPY_RETURN,
	    .code = code_return,
	    .asks = asks_return,
	    .may = may_return,
	    .check = check_return,
	    .fold = fold_return,
	    .answer = answer_return },
	{ .type = US_ACT_COPY_DIGEST,
	    .code = code_digest,
	    .check = check_digest,
	    .fold = fold_digest },
	{ 0 },
};
