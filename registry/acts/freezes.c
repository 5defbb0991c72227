/* Freezes, and what lifts them. */
#include <stdio.h>

#include "registry/acts/acts.h"

/* ---- freeze ---- */

static void
code_freeze(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_freeze *a = &act->u.freeze;
	unsigned scope = (unsigned)a->scope;

	us_code_choice(c, &scope, US_FREEZE_EVERYTHING, US_FREEZE_RECORDS);
	if (!us_code_ok(c))
		return;
	a->scope = (enum us_freeze_scope)scope;
	switch (a->scope) {
	case US_FREEZE_EVERYTHING:
		break;
	case US_FREEZE_PARTY:
		us_code_name(c, &a->party, US_ORDER_ID_MAX);
		break;
	case US_FREEZE_PERSON:
		us_code_id(c, &a->person);
		break;
	case US_FREEZE_COLLECTION:
		us_code_id(c, &a->collection);
		break;
	case US_FREEZE_RECORDS:
		us_code_selection(c, &a->selection);
		break;
	}
	us_code_text(c, &a->authority, US_AUTHORITY_TEXT_MAX);
}

static int
check_freeze(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_freeze *a = &s->act->u.freeze;
	size_t party;

	if ((us_signer_bits(reg, s->actor) & reg->order->workflows.may_freeze) == 0)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "the order does not name you among those who may freeze");
	/* those of records are not counted; the last place is kept for the freeze that helps
	 * always */
	if (a->scope != US_FREEZE_RECORDS &&
	    reg->n_freezes + (a->scope != US_FREEZE_EVERYTHING) >= US_FREEZES_ON)
		return us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
		    "too many freezes are in force; freeze everything");
	if (a->scope == US_FREEZE_PARTY && us_order_party(reg->order, a->party, &party) != US_OK)
		return us_not_found(refusal, "party");
	if (a->scope == US_FREEZE_PERSON && us_registry_person(reg, a->person) == NULL)
		return us_not_found(refusal, "person");
	if (a->scope == US_FREEZE_COLLECTION && us_registry_collection(reg, a->collection) == NULL)
		return us_not_found(refusal, "collection");
	return a->scope == US_FREEZE_RECORDS ?
	    us_check_selection(reg, s, &a->selection, US_ANYBODYS, refusal) :
	    US_OK;
}

static int
fold_freeze(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_freeze *a = &s->act->u.freeze;
	struct us_record_set *set = NULL;
	struct us_filing *f;
	int err = a->scope == US_FREEZE_RECORDS ? us_fold_set(reg, &a->selection, &set) : US_OK;

	if (err != US_OK)
		return err;
	err = us_open_filing(reg, s, US_FILING_FREEZE, us_filings_next(reg, US_FILING_FREEZE), &f);
	if (err != US_OK) {
		free(set);
		return err;
	}
	f->set = set;
	f->scope = a->scope;
	f->person = a->person;
	f->collection = set != NULL ? set->collection : a->collection;
	us_copy_text(f->party, sizeof f->party, a->party);
	us_copy_text(f->text, sizeof f->text, a->authority);
	us_registry_rebind(reg);
	return US_OK;
}

/* ---- unfreeze ---- */

static void
code_unfreeze(struct us_act_codec *c, struct us_act *act)
{
	us_code_id(c, &act->u.unfreeze.freeze);
	us_code_text(c, &act->u.unfreeze.authority, US_AUTHORITY_TEXT_MAX);
}

static struct us_filing *
freeze_of(const struct us_registry *reg, const struct us_act *act)
{
	for (size_t i = 0; i < reg->n_filings; i++)
		if (reg->filings[i]->kind == US_FILING_FREEZE &&
		    reg->filings[i]->number == act->u.unfreeze.freeze)
			return reg->filings[i];
	return NULL;
}

static int
check_unfreeze(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_filing *f = freeze_of(reg, s->act);

	if (f == NULL)
		return us_not_found(refusal, "freeze");
	if (!us_filing_is_open(f))
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is lifted already",
		    f->id);
	return us_add_to_quorum(reg, s, f, refusal);
}

static int
fold_unfreeze(struct us_registry *reg, struct us_settled *s)
{
	struct us_filing *f = freeze_of(reg, s->act);

	if (us_sign_for_quorum(reg, s, f)) {
		us_close_filing(f, s, US_FILING_GRANTED, s->act->u.unfreeze.authority);
		us_registry_rebind(reg);
	}
	return US_OK;
}

static void
answer_unfreeze(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	char id[US_DOCKET_ID_MAX + 1];

	(void)result;
	(void)snprintf(id, sizeof id, "freeze-%u", act->u.unfreeze.freeze);
	us_answer_signed(reg, us_bytes_of(id), j, pending);
}

const struct us_act_ops us_acts_freezes[] = {
	{ .type = US_ACT_FREEZE,
	    .opens = US_FILING_FREEZE,
	    .code = code_freeze,
	    .check = check_freeze,
	    .fold = fold_freeze },
	{ .type = US_ACT_UNFREEZE,
	    .code = code_unfreeze,
	    .check = check_unfreeze,
	    .fold = fold_unfreeze,
	    .answer = answer_unfreeze },
	{ 0 },
};
