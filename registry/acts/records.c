/* Acts about records of a collection: challenged, relabelled, clawed back. */
#include "registry/acts/acts.h"
#include "registry/withheld.h"

int
us_check_selection(const struct us_registry *reg, const struct us_settled *s,
    const struct us_selection *sel, enum us_whose whose, struct us_refusal *refusal)
{
	const struct us_collection *c = us_registry_collection(reg, sel->collection);
	const int any = whose == US_ANYBODYS ||
	    (us_signer_bits(reg, s->actor) & reg->order->workflows.may_resolve) != 0;
	struct us_run run = { 0, 0 };
	size_t at = 0;

	if (c == NULL)
		return us_not_found(refusal, "collection");
	if (sel->is_batch) {
		const struct us_batch *b = us_registry_batch_slot(reg, sel->collection, sel->slot);
		if (b == NULL || b->status == US_BATCH_VOID)
			return us_not_found(refusal, "batch");
		run = (struct us_run){ b->facts.first, b->facts.count };
	}
	while (sel->is_batch ? at++ == 0 : us_selection_next(sel, &at, &run)) {
		for (uint64_t record = run.first; record < run.first + run.count;) {
			const struct us_batch *b = us_registry_batch_of(reg, sel->collection,
			    record);
			const struct us_person *loader = b == NULL ?
			    NULL :
			    us_registry_person(reg, b->facts.loaded_by);

			if (b == NULL || loader == NULL)
				return us_not_found(refusal, "record");
			if (!any && !us_shares_party(loader, s->actor))
				return us_refuse(refusal, US_ERR_DENIED, US_REASON_NOT_IN_ORDER,
				    "some of these records were produced by another party");
			record = b->facts.first + b->facts.count;
		}
	}
	return US_OK;
}

int
us_fold_set(const struct us_registry *reg, const struct us_selection *sel,
    struct us_record_set **out)
{
	const struct us_batch *b = sel->is_batch ?
	    us_registry_batch_slot(reg, sel->collection, sel->slot) :
	    NULL;
	const struct us_run batch = { b == NULL ? 0 : b->facts.first,
		b == NULL ? 0 : b->facts.count };

	return us_record_set_new(sel, &batch, out);
}

static uint32_t
collection(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.records.selection.collection;
}

/* ---- challenge, clawback: filings ---- */

static void
code_filing(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_records *a = &act->u.records;

	us_code_selection(c, &a->selection);
	us_code_fixed(c, a->document, 32);
	if (act->type == US_ACT_CLAWBACK)
		us_code_time(c, &a->noticed_ns);
}

static int
check_challenge(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_records *a = &s->act->u.records;
	int err = us_check_selection(reg, s, &a->selection, US_ANYBODYS, refusal);

	return err != US_OK ?
	    err :
	    us_needs_document(reg, a->document, US_NEEDED, "basis of the challenge", refusal);
}

static int
check_clawback(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_records *a = &s->act->u.records;
	int err = us_check_selection(reg, s, &a->selection, US_OWN_PARTYS, refusal);

	if (err != US_OK)
		return err;
	if (a->noticed_ns > s->time_ns)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "a notice of a time that is to come");
	return us_needs_document(reg, a->document, US_NEEDED, "notice", refusal);
}

static int
fold_filing(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_records *a = &s->act->u.records;
	const enum us_filing_kind kind = s->act->type == US_ACT_CLAWBACK ? US_FILING_CLAWBACK :
									   US_FILING_CHALLENGE;
	struct us_record_set *set;
	struct us_filing *f;
	int err = us_fold_set(reg, &a->selection, &set);

	if (err != US_OK)
		return err;
	err = us_open_filing(reg, s, kind, us_filings_next(reg, kind), &f);
	if (err != US_OK) {
		free(set);
		return err;
	}
	f->set = set;
	f->collection = set->collection;
	memcpy(f->document, a->document, 32);
	f->noticed_ns = a->noticed_ns;
	reg->generation++;
	return US_OK;
}

/* ---- relabel ---- */

static void
code_relabel(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_records *a = &act->u.records;

	us_code_selection(c, &a->selection);
	us_code_text(c, &a->designation, US_DESIGNATION_MAX);
	us_code_text(c, &a->reason, US_REASON_TEXT_MAX);
}

static int
check_relabel(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_records *a = &s->act->u.records;
	int err = us_check_selection(reg, s, &a->selection, US_OWN_PARTYS, refusal);

	return err != US_OK ? err : us_rules_designation(reg, s, a->designation, refusal);
}

static int
fold_relabel(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_records *a = &s->act->u.records;
	struct us_relabel *r;
	int err = us_grow(&reg->relabels, reg->n_relabels, &reg->cap_relabels,
	    sizeof(struct us_relabel *));

	if (err != US_OK)
		return err;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return US_ERR_NOMEM;
	err = us_fold_set(reg, &a->selection, &r->set);
	if (err != US_OK) {
		free(r);
		return err;
	}
	us_copy_text(r->designation, sizeof r->designation, s->designation);
	us_copy_text(r->reason, sizeof r->reason, a->reason);
	r->by = s->actor->id;
	r->time_ns = s->time_ns;
	r->sequence = reg->sequence + 1;
	reg->relabels[reg->n_relabels++] = r;
	reg->generation++;
	return US_OK;
}

const struct us_act_ops us_acts_challenges[] = {
	{ .type = US_ACT_CHALLENGE,
	    .opens = US_FILING_CHALLENGE,
	    .code = code_filing,
	    .collection = collection,
	    .check = check_challenge,
	    .fold = fold_filing },
	{ 0 },
};

const struct us_act_ops us_acts_designations[] = {
	{ .type = US_ACT_RELABEL,
	    .code = code_relabel,
	    .collection = collection,
	    .check = check_relabel,
	    .fold = fold_relabel },
	{ 0 },
};

const struct us_act_ops us_acts_clawbacks[] = {
	{ .type = US_ACT_CLAWBACK,
	    .opens = US_FILING_CLAWBACK,
	    .code = code_filing,
	    .collection = collection,
	    .check = check_clawback,
	    .fold = fold_filing },
	{ 0 },
};
