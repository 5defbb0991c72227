/* Preconditions of acts about the order and its docket. Who may do them at all: authority.c. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "registry/internal.h"

#define DOCUMENTS_MAX 4096u
#define DOCUMENTS_BYTES (UINT64_C(512) << 20)
#define DOCUMENTS_BEGUN 4u  /* of one person */
#define APPROVALS_OPEN 256u /* of one person */

static const uint8_t none[32];

static int
needs_document(const struct us_registry *reg, const uint8_t digest[32], int wanted,
    const char *what, struct us_refusal *refusal)
{
	int err;

	if (!wanted && memcmp(digest, none, 32) == 0)
		return US_OK;
	if (us_registry_document_of(reg, digest, 1) != NULL)
		return US_OK;
	err = us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
	    "the vault does not hold the %s", what);
	us_refuse_cure(refusal, "add the document first");
	return err;
}

static int
wrong_state(struct us_refusal *refusal, const struct us_filing *f)
{
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is %s", f->id,
	    us_filing_status_name(f->status));
}

static int
not_yours(struct us_refusal *refusal, const char *id)
{
	return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
	    "%s does not wait for you in this way", id);
}

/* ---- records ---- */

/* The records are there; and, if only_own, loaded by the actor's party, unless the actor may decide
 * such things for all. */
static int
check_selection(const struct us_registry *reg, const struct us_settled *s,
    const struct us_selection *sel, int only_own, struct us_refusal *refusal)
{
	const struct us_collection *c = us_registry_collection(reg, sel->collection);
	const int decides = (us_signer_bits(reg, s->actor) & reg->order->workflows.may_resolve) !=
	    0;
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
			if (only_own && !decides && loader->id != s->actor->id &&
			    (loader->party_bits & s->actor->party_bits) == 0)
				return us_refuse(refusal, US_ERR_DENIED, US_REASON_NOT_IN_ORDER,
				    "some of these records were produced by another party");
			record = b->facts.first + b->facts.count;
		}
	}
	return US_OK;
}

static int
records_act(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_records *a = &s->act->u.records;
	int err = check_selection(reg, s, &a->selection, s->act->type != US_ACT_CHALLENGE, refusal);

	if (err != US_OK)
		return err;
	if (s->act->type == US_ACT_CHALLENGE)
		return needs_document(reg, a->document, 1, "basis of the challenge", refusal);
	if (s->act->type == US_ACT_CLAWBACK) {
		if (a->noticed_ns > s->time_ns)
			return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
			    "a notice of a time that is to come");
		return needs_document(reg, a->document, 1, "notice", refusal);
	}
	return us_rules_designation(reg, s, a->designation, refusal);
}

/* ---- versions ---- */

static int
propose(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_order_propose *a = &s->act->u.order_propose;
	uint8_t digest[32];
	int err = needs_document(reg, a->instrument, 0, "instrument", refusal);

	if (err != US_OK)
		return err;
	us_order_free(s->order);
	s->order = NULL;
	err = us_order_decode(a->compiled.p, a->compiled.n, &s->order);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the compiled order: %s",
		    us_strerror(err));
	if ((err = us_sha256(a->source.p, a->source.n, digest)) != US_OK)
		return err;
	if (memcmp(digest, s->order->source_digest, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_MALFORMED,
		    "the compiled order was not made from the source beside it");
	const uint32_t last = reg->versions[reg->n_versions - 1]->shown.version;
	if (s->order->version <= last) {
		err = us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "version %u is taken; the next is %u", (unsigned)s->order->version,
		    (unsigned)last + 1);
		us_refuse_cure(refusal, "set the version in the file");
		return err;
	}
	/* an order that nobody signs for any more could neither be lifted nor amended again */
	if (s->order->n_parties == 0)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "the order has no party");
	return us_rules_version(reg, s, s->order, a->effective_ns, refusal);
}

static int
suspend(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_order_version *v = us_registry_version_of(reg,
	    s->act->u.order_suspend.version);

	if (v == NULL)
		return us_not_found(refusal, "version");
	if ((us_signer_bits(reg, s->actor) & reg->order->workflows.may_suspend) == 0)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "the order does not name you among those who may suspend it");
	if (v == &reg->versions[0]->shown)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the first version has no predecessor; freeze everything instead");
	switch (us_registry_version_status(reg, v, s->time_ns)) {
	case US_VERSION_SIGNED:
	case US_VERSION_IN_FORCE:
	case US_VERSION_REPLACED:
		return US_OK;
	case US_VERSION_PROPOSED:
	case US_VERSION_SUSPENDED:
	case US_VERSION_WITHDRAWN:
		break;
	}
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "version %u is %s",
	    (unsigned)v->version,
	    us_version_status_name(us_registry_version_status(reg, v, s->time_ns)));
}

static int
acknowledge(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_acknowledge *a = &s->act->u.acknowledge;
	const struct us_order_version *v = us_registry_version_of(reg, a->version);

	if (v == NULL || v->signed_ns == INT64_MAX || v->withdrawn)
		return us_not_found(refusal, "version that is signed");
	if (memcmp(a->source_digest, v->order->source_digest, 32) != 0 ||
	    memcmp(a->instrument, v->instrument, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_STATE,
		    "that is not what version %u says", (unsigned)a->version);
	for (size_t i = 0; i < reg->n_acknowledgements; i++)
		if (reg->acknowledgements[i]->person == s->actor->id &&
		    reg->acknowledgements[i]->version == a->version)
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "you have acknowledged version %u already", (unsigned)a->version);
	return needs_document(reg, a->form, 0, "signed form", refusal);
}

/* ---- the docket ---- */

static int
clearance(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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
	return needs_document(reg, a->statement, 1, "statement", refusal);
}

static int
full(struct us_refusal *refusal, const struct us_filing *f)
{
	return us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
	    "%s has all the signatures it can hold", f->id);
}

static int
add_to_quorum(const struct us_registry *reg, const struct us_settled *s, const struct us_filing *f,
    struct us_refusal *refusal)
{
	const int err = us_filing_signable(reg, f, s->actor);

	if (err == US_ERR_EXISTS)
		return us_refuse(refusal, err, US_REASON_DUPLICATE,
		    "%s has your signature, or another of your party", f->id);
	if (err == US_ERR_LIMIT)
		return full(refusal, f);
	return err == US_OK ? US_OK : not_yours(refusal, f->id);
}

static int
approve(const struct us_registry *reg, const struct us_settled *s, const struct us_filing *f,
    struct us_refusal *refusal)
{
	for (size_t i = 0; i < f->n_signatures; i++)
		if (f->signatures[i].person == s->actor->id)
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "you have signed %s", f->id);
	if (!us_approval_wants(reg, f, s->actor))
		return not_yours(refusal, f->id);
	return f->n_signatures < US_FILING_SIGNATURES ? US_OK : full(refusal, f);
}

static int
sign(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_sign *a = &s->act->u.sign;
	const struct us_filing *f = us_filing_of(reg, a->docket_id);
	int err;

	if (f == NULL)
		return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
		    "nothing on the docket waits under that id");
	if (memcmp(f->digest, a->digest, 32) != 0) {
		err = us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "that is not the digest of %s", f->id);
		us_refuse_cure(refusal, "look at it (docket show) and sign what it is");
		return err;
	}
	if (f->status != US_FILING_WAITS)
		return wrong_state(refusal, f);
	if (f->kind != US_FILING_ORDER && f->kind != US_FILING_CLEARANCE &&
	    f->kind != US_FILING_APPROVAL)
		return not_yours(refusal, f->id);
	/* whose signature counts comes first: what still stands in the way is not everybody's
	 * business */
	err = f->kind == US_FILING_APPROVAL ? approve(reg, s, f, refusal) :
					      add_to_quorum(reg, s, f, refusal);
	if (err == US_OK && f->kind == US_FILING_CLEARANCE &&
	    !us_filing_term_has_run(reg, f, s->time_ns)) {
		err = us_refuse(refusal, US_ERR_STATE, US_REASON_CLEARANCE,
		    "%s: not every party is served, or a term to object still runs", f->id);
		us_refuse_cure(refusal, "docket show says who was served when and what is due");
	}
	if (err == US_OK && f->kind == US_FILING_ORDER) {
		/* what was in force when it was proposed need not be so now */
		const struct us_order_version *v = us_registry_version_of(reg, f->number);
		err = v == NULL ? us_not_found(refusal, "version") :
				  us_rules_version(reg, s, v->order, v->effective_ns, refusal);
	}
	return err;
}

static int
object(const struct us_registry *reg, const struct us_settled *s, const struct us_filing *f,
    struct us_refusal *refusal)
{
	const struct us_act_docket *a = &s->act->u.docket;

	if (!us_filing_is_open(f))
		return wrong_state(refusal, f);
	if (f->kind == US_FILING_FREEZE || f->kind == US_FILING_APPROVAL)
		return not_yours(refusal, f->id);
	if (f->objected_by != 0)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "an objection to %s is noted already", f->id);
	if (f->kind == US_FILING_CLEARANCE) {
		uint64_t served = 0;
		size_t party;
		for (size_t i = 0; i < f->n_services; i++)
			if (us_order_party(reg->order, us_bytes_of(f->services[i].party), &party) ==
			    US_OK)
				served |= UINT64_C(1) << party;
		if ((us_signer_bits(reg, s->actor) & served) == 0)
			return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
			    "a roster signer of a party that was served objects");
	} else if (us_signer_bits(reg, s->actor) == 0) {
		return not_yours(refusal, f->id);
	}
	return needs_document(reg, a->grounds, 1, "grounds of the objection", refusal);
}

static int
serve(const struct us_registry *reg, const struct us_settled *s, const struct us_filing *f,
    struct us_refusal *refusal)
{
	const struct us_act_docket *a = &s->act->u.docket;
	const struct us_service *there = us_filing_service(f, a->party);
	const struct us_person *filer = us_registry_person(reg, f->filed_by);
	const uint64_t signer = us_signer_bits(reg, s->actor);
	size_t party;

	if (!us_filing_is_open(f) || f->kind == US_FILING_FREEZE || f->kind == US_FILING_APPROVAL)
		return wrong_state(refusal, f);
	if (us_order_party(reg->order, a->party, &party) != US_OK)
		return us_not_found(refusal, "party");
	if (a->at_ns > s->time_ns || a->at_ns < f->filed_ns)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "a service is between the filing and now");
	const int receives = (signer >> party & 1) != 0;
	if (!receives && s->actor->capacity != US_CAPACITY_ADMINISTRATOR &&
	    (signer & reg->order->workflows.may_resolve) == 0 && s->actor->id != f->filed_by &&
	    (filer == NULL || (filer->party_bits & signer) == 0))
		return not_yours(refusal, f->id);
	if (there != NULL && (there->received || !receives))
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "that party has been served with %s", f->id);
	if (there == NULL && f->n_services == US_FILING_SERVICES)
		return us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
		    "too many parties are served");
	return US_OK;
}

static int
withdraw(const struct us_registry *reg, const struct us_settled *s, const struct us_filing *f,
    struct us_refusal *refusal)
{
	const struct us_person *filer = us_registry_person(reg, f->filed_by);

	if (f->kind == US_FILING_FREEZE)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "a freeze is lifted by its quorum: underseal unfreeze");
	/* a clearance that was granted can be given back by who asked for it, and a clawback that
	 * was upheld be dropped */
	if (!us_filing_is_open(f) &&
	    !(f->status == US_FILING_GRANTED &&
		(f->kind == US_FILING_CLEARANCE || f->kind == US_FILING_CLAWBACK)))
		return wrong_state(refusal, f);
	if (s->actor->id != f->filed_by &&
	    (filer == NULL || (us_signer_bits(reg, s->actor) & filer->party_bits) == 0))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "%s is withdrawn by who filed it", f->id);
	return US_OK;
}

static int
docket(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_filing *f = us_filing_of(reg, s->act->u.docket.docket_id);

	if (f == NULL)
		return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
		    "nothing on the docket has that id");
	if (s->act->type == US_ACT_DOCKET_OBJECT)
		return object(reg, s, f, refusal);
	if (s->act->type == US_ACT_DOCKET_SERVE)
		return serve(reg, s, f, refusal);
	if (s->act->type == US_ACT_DOCKET_WITHDRAW)
		return withdraw(reg, s, f, refusal);
	if (f->kind != US_FILING_CLEARANCE && f->kind != US_FILING_CHALLENGE &&
	    f->kind != US_FILING_CLAWBACK)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "%s is decided by signatures, not resolved", f->id);
	if (!us_filing_is_open(f))
		return wrong_state(refusal, f);
	return (us_signer_bits(reg, s->actor) & reg->order->workflows.may_resolve) != 0 ?
	    US_OK :
	    us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		"the order does not name you among those who resolve this");
}

static int
freeze(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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
	return a->scope == US_FREEZE_RECORDS ? check_selection(reg, s, &a->selection, 0, refusal) :
					       US_OK;
}

static int
unfreeze(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_filing *f = NULL;

	for (size_t i = 0; i < reg->n_filings; i++)
		if (reg->filings[i]->kind == US_FILING_FREEZE &&
		    reg->filings[i]->number == s->act->u.unfreeze.freeze)
			f = reg->filings[i];
	if (f == NULL)
		return us_not_found(refusal, "freeze");
	if (!us_filing_is_open(f))
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is lifted already",
		    f->id);
	return add_to_quorum(reg, s, f, refusal);
}

static int
approval(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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
matter(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_matter *a = &s->act->u.matter;

	if ((us_signer_bits(reg, s->actor) & reg->order->workflows.may_resolve) == 0)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "the order does not name you among those who say where the matter stands");
	for (size_t i = 0; i < reg->order->n_matter_states; i++)
		if (reg->order->matter_states[i].n == a->state.n &&
		    memcmp(reg->order->matter_states[i].p, a->state.p, a->state.n) == 0)
			return US_OK;
	return us_not_found(refusal, "state of the matter in the order");
}

/* A share of the room for each: nobody keeps the others from adding theirs. */
static int
document_room(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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
document(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
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
	err = d == NULL ? document_room(reg, s, refusal) : US_OK;
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

int
us_rules_order(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	switch ((unsigned)s->act->type) {
	case US_ACT_DOCKET_SIGN:
		return sign(reg, s, refusal);
	case US_ACT_DOCUMENT_ADD:
		return document(reg, s, refusal);
	case US_ACT_ORDER_PROPOSE:
		return propose(reg, s, refusal);
	case US_ACT_ORDER_SUSPEND:
		return suspend(reg, s, refusal);
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		return docket(reg, s, refusal);
	case US_ACT_ACKNOWLEDGE:
		return acknowledge(reg, s, refusal);
	case US_ACT_CLEARANCE:
		return clearance(reg, s, refusal);
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		return records_act(reg, s, refusal);
	case US_ACT_FREEZE:
		return freeze(reg, s, refusal);
	case US_ACT_UNFREEZE:
		return unfreeze(reg, s, refusal);
	case US_ACT_APPROVAL_REQUEST:
		return approval(reg, s, refusal);
	case US_ACT_MATTER_SET:
		return matter(reg, s, refusal);
	default:
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "only the vault itself can do that");
	}
}
