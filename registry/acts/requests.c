/* What is asked of others: a person's clearance, the approval of a request. */
#include "registry/acts/acts.h"

#define APPROVALS_OPEN 256u /* of one person */
#define RECORD_LAST ((UINT64_C(1) << 52) - 1)

/* ---- clearance ---- */

static void
code_clearance(struct us_act_codec *c, struct us_act *act)
{
	us_code_name(c, &act->u.clearance.clearance, US_ORDER_ID_MAX);
	us_code_id(c, &act->u.clearance.person);
	us_code_fixed(c, act->u.clearance.statement, 32);
}

static int
check_clearance(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_clearance *a = &s->act->u.clearance;
	const struct us_person *p = us_registry_person(reg, a->person);
	size_t i = 0;

	while (i < reg->order->n_clearances &&
	    !(reg->order->clearances[i].id.n == a->clearance.n &&
		memcmp(reg->order->clearances[i].id.p, a->clearance.p, a->clearance.n) == 0))
		i++;
	if (i == reg->order->n_clearances)
		return us_not_found(refusal, "clearance in the order");
	if (p == NULL || p->status == US_PERSON_ENDED)
		return us_not_found(refusal, "person");
	if ((us_signer_bits(reg, s->actor) & p->party_bits) == 0)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "a roster signer of the person's own party asks for a clearance");
	for (i = 0; i < reg->n_filings; i++) {
		const struct us_filing *f = reg->filings[i];
		if (f->kind == US_FILING_CLEARANCE && f->person == a->person &&
		    us_bytes_is(a->clearance, f->text) &&
		    (us_filing_is_open(f) || f->status == US_FILING_GRANTED))
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "%s asks for that already", f->id);
	}
	return us_needs_document(reg, a->statement, US_NEEDED, "statement", refusal);
}

static int
fold_clearance(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_clearance *a = &s->act->u.clearance;
	struct us_filing *f;
	int err = us_open_filing(reg, s, US_FILING_CLEARANCE,
	    us_filings_next(reg, US_FILING_CLEARANCE), &f);

	if (err != US_OK)
		return err;
	us_copy_text(f->text, sizeof f->text, a->clearance);
	f->person = a->person;
	memcpy(f->document, a->statement, 32);
	return US_OK;
}

/* ---- approval-request ---- */

static void
code_approval(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_approval *a = &act->u.approval;
	unsigned action = (unsigned)a->action;

	us_code_u8(c, &action);
	us_code_require(c,
	    action == US_ACTION_COUNT || action == US_ACTION_READ || action == US_ACTION_COPY,
	    US_ERR_RANGE);
	if (!us_code_ok(c))
		return;
	a->action = (enum us_action)action;
	us_code_id(c, &a->collection);
	us_code_text_or_empty(c, &a->purpose, US_PURPOSE_MAX);
	/* a query is any text that the query language takes: checked there */
	us_code_str16(c, &a->query, US_APPROVAL_QUERY_MAX);
	us_code_records(c, &a->n, &a->records, 0);
	if (us_code_ok(c) && a->n > 0)
		us_code_require(c,
		    us_load_u64(a->records.p + (size_t)(a->n - 1) * 8) <= RECORD_LAST,
		    US_ERR_FORMAT);
	us_code_require(c, (a->action == US_ACTION_COUNT) == (a->n == 0), US_ERR_FORMAT);
}

static uint32_t
collection_approval(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.approval.collection;
}

static int
check_approval(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_approval *a = &s->act->u.approval;
	uint32_t open = 0;

	if (us_registry_collection(reg, a->collection) == NULL)
		return us_not_found(refusal, "collection");
	for (uint32_t i = 0; i < a->n; i++)
		if (us_registry_batch_of(reg, a->collection,
			us_load_u64(a->records.p + (size_t)i * 8)) == NULL)
			return us_not_found(refusal, "record");
	for (size_t i = 0; i < reg->n_filings; i++)
		open += reg->filings[i]->kind == US_FILING_APPROVAL &&
		    reg->filings[i]->filed_by == s->actor->id && us_filing_is_open(reg->filings[i]);
	return open < APPROVALS_OPEN ?
	    US_OK :
	    us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
		"you have %u requests for approval open; withdraw some", (unsigned)open);
}

static int
fold_approval(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_approval *a = &s->act->u.approval;
	struct us_filing *f;
	uint8_t digest[32];
	int err = us_request_digest(reg, s->actor->id, a, digest);

	if (err == US_OK)
		err = us_open_filing(reg, s, US_FILING_APPROVAL,
		    us_filings_next(reg, US_FILING_APPROVAL), &f);
	if (err != US_OK)
		return err;
	err = us_code_write(&f->request, s->act, code_approval);
	if (err != US_OK) {
		us_drop_filing(reg, f);
		return err;
	}
	memcpy(f->request_digest, digest, 32);
	f->action = a->action;
	f->collection = a->collection;
	return US_OK;
}

const struct us_act_ops us_acts_clearances[] = {
	{ .type = US_ACT_CLEARANCE,
	    .opens = US_FILING_CLEARANCE,
	    .code = code_clearance,
	    .check = check_clearance,
	    .fold = fold_clearance },
	{ 0 },
};

const struct us_act_ops us_acts_approvals[] = {
	{ .type = US_ACT_APPROVAL_REQUEST,
	    .opens = US_FILING_APPROVAL,
	    .code = code_approval,
	    .collection = collection_approval,
	    .check = check_approval,
	    .fold = fold_approval },
	{ 0 },
};
