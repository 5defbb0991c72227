/* The fold of acts about the order and its docket. Memory is taken first, so that a failure changes
 * nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "crypto/crypto.h"
#include "registry/internal.h"

static void
copy_text(char *out, size_t size, struct us_bytes text)
{
	const size_t n = text.n < size - 1 ? text.n : size - 1;

	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

/* The last filing again: what came after its making failed. */
static void
drop_filing(struct us_registry *reg, struct us_filing *f)
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

static int
open_filing(struct us_registry *reg, const struct us_settled *s, enum us_filing_kind kind,
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
		drop_filing(reg, f);
		return err;
	}
	*out = f;
	return US_OK;
}

static int
set_of(const struct us_registry *reg, const struct us_selection *sel, struct us_record_set **out)
{
	const struct us_batch *b = sel->is_batch ?
	    us_registry_batch_slot(reg, sel->collection, sel->slot) :
	    NULL;
	const struct us_run batch = { b == NULL ? 0 : b->facts.first,
		b == NULL ? 0 : b->facts.count };

	return us_record_set_new(sel, &batch, out);
}

/* ---- versions ---- */

static int
propose(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_order_propose *a = &s->act->u.order_propose;
	struct us_version_full *v;
	struct us_filing *f;
	int err = open_filing(reg, s, US_FILING_ORDER, s->order->version, &f);

	if (err != US_OK)
		return err;
	err = us_order_item_digest(reg->vault_id, s->order->version, a, f->digest);
	if (err == US_OK)
		err = us_version_add(reg, s->order, a->source, &v);
	if (err != US_OK) {
		drop_filing(reg, f);
		return err;
	}
	s->order = NULL; /* transferred */
	copy_text(f->text, sizeof f->text, a->authority);
	memcpy(f->document, a->instrument, 32);
	copy_text(v->shown.authority, sizeof v->shown.authority, a->authority);
	memcpy(v->shown.instrument, a->instrument, 32);
	v->shown.proposed_by = s->actor->id;
	v->shown.proposed_ns = s->time_ns;
	v->shown.effective_ns = a->effective_ns;
	return US_OK;
}

static struct us_version_full *
version_of(struct us_registry *reg, uint32_t version)
{
	for (size_t i = 0; i < reg->n_versions; i++)
		if (reg->versions[i]->shown.version == version)
			return reg->versions[i];
	return NULL;
}

static void
suspend(struct us_registry *reg, const struct us_settled *s)
{
	struct us_version_full *v = version_of(reg, s->act->u.order_suspend.version);

	v->shown.suspended_ns = s->time_ns;
	v->shown.suspended_by = s->actor->id;
	copy_text(v->shown.suspended_authority, sizeof v->shown.suspended_authority,
	    s->act->u.order_suspend.authority);
	(void)us_registry_at(reg, s->time_ns);
}

static int
acknowledge(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_acknowledge *a = &s->act->u.acknowledge;
	struct us_acknowledgement *k;
	int err = us_grow(&reg->acknowledgements, reg->n_acknowledgements,
	    &reg->cap_acknowledgements, sizeof(struct us_acknowledgement *));

	if (err != US_OK)
		return err;
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return US_ERR_NOMEM;
	k->person = s->actor->id;
	k->version = a->version;
	k->time_ns = s->time_ns;
	memcpy(k->credential, s->credential, 32);
	memcpy(k->instrument, a->instrument, 32);
	memcpy(k->form, a->form, 32);
	copy_text(k->address, sizeof k->address, a->address);
	copy_text(k->place, sizeof k->place, a->place);
	reg->acknowledgements[reg->n_acknowledgements++] = k;
	return US_OK;
}

/* ---- the docket ---- */

static void
close_filing(struct us_filing *f, const struct us_settled *s, enum us_filing_status status,
    struct us_bytes text)
{
	f->status = status;
	f->closed_ns = s->time_ns;
	f->closed_by = s->actor->id;
	copy_text(f->closed_text, sizeof f->closed_text, text);
}

static void
add_signature(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f)
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

/* Adds a signature unless what was signed was enough before; says whether it is now. */
static int
sign_for_quorum(const struct us_registry *reg, const struct us_settled *s, struct us_filing *f)
{
	if (!is_complete(reg, f))
		add_signature(reg, s, f);
	return is_complete(reg, f);
}

static void
sign(struct us_registry *reg, const struct us_settled *s)
{
	struct us_filing *f = us_filing_of(reg, s->act->u.sign.docket_id);

	if (f->kind == US_FILING_APPROVAL) {
		add_signature(reg, s, f);
		return;
	}
	if (!sign_for_quorum(reg, s, f))
		return;
	close_filing(f, s, US_FILING_GRANTED,
	    us_bytes_of(f->kind == US_FILING_ORDER ? f->text : "signed"));
	if (f->kind == US_FILING_ORDER) {
		version_of(reg, f->number)->shown.signed_ns = s->time_ns;
		(void)us_registry_at(reg, s->time_ns);
	}
}

static void
unfreeze(struct us_registry *reg, const struct us_settled *s)
{
	for (size_t i = 0; i < reg->n_filings; i++) {
		struct us_filing *f = reg->filings[i];

		if (f->kind != US_FILING_FREEZE || f->number != s->act->u.unfreeze.freeze)
			continue;
		if (sign_for_quorum(reg, s, f)) {
			close_filing(f, s, US_FILING_GRANTED, s->act->u.unfreeze.authority);
			us_registry_rebind(reg);
		}
	}
}

static void
serve(struct us_registry *reg, const struct us_settled *s, struct us_filing *f)
{
	const struct us_act_docket *a = &s->act->u.docket;
	const struct us_calendar *calendar = us_order_calendar(reg->order);
	const struct us_workflows *w = &reg->order->workflows;
	struct us_service *v = us_filing_service(f, a->party);
	size_t party;

	if (v == NULL) {
		v = &f->services[f->n_services++];
		copy_text(v->party, sizeof v->party, a->party);
		v->served_ns = a->at_ns;
		v->served_by = s->actor->id;
		for (size_t i = 0; f->kind == US_FILING_CLEARANCE && i < reg->order->n_clearances;
		     i++)
			if (us_bytes_is(reg->order->clearances[i].id, f->text) &&
			    us_calendar_due(calendar, a->at_ns, reg->order->clearances[i].days,
				reg->order->clearances[i].working_only, &v->due_ns) != US_OK)
				v->due_ns = INT64_MAX; /* no term that could run out */
		if (f->kind == US_FILING_CHALLENGE && w->confer_days > 0)
			(void)us_calendar_due(calendar, a->at_ns, w->confer_days, 0, &v->confer_ns);
		if (f->kind == US_FILING_CHALLENGE && w->move_days > 0)
			(void)us_calendar_due(calendar, a->at_ns, w->move_days, 0, &v->due_ns);
	}
	if (us_order_party(reg->order, a->party, &party) == US_OK &&
	    (us_signer_bits(reg, s->actor) >> party & 1) != 0) {
		v->received = 1;
		v->received_ns = s->time_ns;
	}
}

static void
docket(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_docket *a = &s->act->u.docket;
	struct us_filing *f = us_filing_of(reg, a->docket_id);

	if (s->act->type == US_ACT_DOCKET_SERVE) {
		serve(reg, s, f);
		return;
	}
	if (s->act->type == US_ACT_DOCKET_OBJECT) {
		f->objected_by = s->actor->id;
		f->objected_ns = s->time_ns;
		memcpy(f->grounds, a->grounds, 32);
		if (f->kind == US_FILING_CLEARANCE)
			f->status = US_FILING_OBJECTED;
		return;
	}
	if (s->act->type == US_ACT_DOCKET_RESOLVE) {
		close_filing(f, s,
		    a->outcome == US_OUTCOME_GRANTED ? US_FILING_GRANTED : US_FILING_DENIED,
		    a->text);
	} else {
		close_filing(f, s, US_FILING_WITHDRAWN, a->text);
		if (f->kind == US_FILING_ORDER)
			version_of(reg, f->number)->shown.withdrawn = 1;
	}
	reg->generation++;
}

static int
clearance(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_clearance *a = &s->act->u.clearance;
	struct us_filing *f;
	int err = open_filing(reg, s, US_FILING_CLEARANCE,
	    us_filings_next(reg, US_FILING_CLEARANCE), &f);

	if (err != US_OK)
		return err;
	copy_text(f->text, sizeof f->text, a->clearance);
	f->person = a->person;
	memcpy(f->document, a->statement, 32);
	return US_OK;
}

/* challenge, clawback */
static int
about_records(struct us_registry *reg, const struct us_settled *s, enum us_filing_kind kind)
{
	const struct us_act_records *a = &s->act->u.records;
	struct us_record_set *set;
	struct us_filing *f;
	int err = set_of(reg, &a->selection, &set);

	if (err != US_OK)
		return err;
	err = open_filing(reg, s, kind, us_filings_next(reg, kind), &f);
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

static int
relabel(struct us_registry *reg, const struct us_settled *s)
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
	err = set_of(reg, &a->selection, &r->set);
	if (err != US_OK) {
		free(r);
		return err;
	}
	copy_text(r->designation, sizeof r->designation, s->designation);
	copy_text(r->reason, sizeof r->reason, a->reason);
	r->by = s->actor->id;
	r->time_ns = s->time_ns;
	r->sequence = reg->sequence + 1;
	reg->relabels[reg->n_relabels++] = r;
	reg->generation++;
	return US_OK;
}

static int
freeze(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_freeze *a = &s->act->u.freeze;
	struct us_record_set *set = NULL;
	struct us_filing *f;
	int err = a->scope == US_FREEZE_RECORDS ? set_of(reg, &a->selection, &set) : US_OK;

	if (err != US_OK)
		return err;
	err = open_filing(reg, s, US_FILING_FREEZE, us_filings_next(reg, US_FILING_FREEZE), &f);
	if (err != US_OK) {
		free(set);
		return err;
	}
	f->set = set;
	f->scope = a->scope;
	f->person = a->person;
	f->collection = set != NULL ? set->collection : a->collection;
	copy_text(f->party, sizeof f->party, a->party);
	copy_text(f->text, sizeof f->text, a->authority);
	us_registry_rebind(reg);
	return US_OK;
}

static int
approval(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_approval *a = &s->act->u.approval;
	struct us_filing *f;
	uint8_t digest[32];
	int err = us_request_digest(reg, s->actor->id, a, digest);

	if (err == US_OK)
		err = open_filing(reg, s, US_FILING_APPROVAL,
		    us_filings_next(reg, US_FILING_APPROVAL), &f);
	if (err != US_OK)
		return err;
	err = us_act_encode(&f->request, s->act);
	if (err != US_OK) {
		drop_filing(reg, f);
		return err;
	}
	memcpy(f->request_digest, digest, 32);
	f->action = a->action;
	f->collection = a->collection;
	return US_OK;
}

static int
document_begin(struct us_registry *reg, const struct us_settled *s, struct us_document_full **out)
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
	copy_text(d->shown.name, sizeof d->shown.name, a->name);
	d->shown.added_by = s->actor->id;
	d->shown.added_ns = s->time_ns;
	d->shown.parts_all = (uint32_t)((a->size + US_DOCUMENT_PART - 1) / US_DOCUMENT_PART);
	reg->documents[reg->n_documents++] = d;
	*out = d;
	return US_OK;
}

static int
document(struct us_registry *reg, const struct us_settled *s)
{
	const struct us_act_document *a = &s->act->u.document;
	struct us_document_full *d = us_document_full(reg, a->digest, s->actor->id);
	struct us_hash *hash;
	int err = us_document_hash(d, a, &hash);

	if (err == US_OK && d == NULL)
		err = document_begin(reg, s, &d);
	if (err != US_OK) {
		us_hash_free(hash);
		return err;
	}
	us_hash_free(d->hash);
	d->hash = hash;
	d->shown.sequences[d->shown.parts++] = reg->sequence + 1;
	return US_OK;
}

int
us_fold_order(struct us_registry *reg, struct us_settled *s)
{
	switch ((unsigned)s->act->type) {
	case US_ACT_DOCKET_SIGN:
		sign(reg, s);
		return US_OK;
	case US_ACT_DOCUMENT_ADD:
		return document(reg, s);
	case US_ACT_ORDER_PROPOSE:
		return propose(reg, s);
	case US_ACT_ORDER_SUSPEND:
		suspend(reg, s);
		return US_OK;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		docket(reg, s);
		return US_OK;
	case US_ACT_ACKNOWLEDGE:
		return acknowledge(reg, s);
	case US_ACT_CLEARANCE:
		return clearance(reg, s);
	case US_ACT_CHALLENGE:
		return about_records(reg, s, US_FILING_CHALLENGE);
	case US_ACT_RELABEL:
		return relabel(reg, s);
	case US_ACT_CLAWBACK:
		return about_records(reg, s, US_FILING_CLAWBACK);
	case US_ACT_FREEZE:
		return freeze(reg, s);
	case US_ACT_UNFREEZE:
		unfreeze(reg, s);
		return US_OK;
	case US_ACT_APPROVAL_REQUEST:
		return approval(reg, s);
	case US_ACT_MATTER_SET:
		copy_text(reg->matter, sizeof reg->matter, s->act->u.matter.state);
		reg->generation++;
		return US_OK;
	default:
		return US_ERR_RANGE;
	}
}
