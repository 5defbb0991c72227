/* Filings: found, told apart, and whom they wait for. What changes them: acts/. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "registry/answer.h"
#include "registry/internal.h"
#include "registry/signers.h"

const char *
us_filing_kind_name(enum us_filing_kind kind)
{
	switch (kind) {
	case US_FILING_ORDER:
		return "order";
	case US_FILING_CLEARANCE:
		return "clearance";
	case US_FILING_CHALLENGE:
		return "challenge";
	case US_FILING_CLAWBACK:
		return "clawback";
	case US_FILING_FREEZE:
		return "freeze";
	case US_FILING_APPROVAL:
		return "approval";
	}
	return "unknown";
}

const char *
us_filing_status_name(enum us_filing_status status)
{
	switch (status) {
	case US_FILING_WAITS:
		return "waits";
	case US_FILING_OBJECTED:
		return "objected";
	case US_FILING_GRANTED:
		return "granted";
	case US_FILING_DENIED:
		return "denied";
	case US_FILING_WITHDRAWN:
		return "withdrawn";
	}
	return "unknown";
}

size_t
us_registry_filings(const struct us_registry *reg)
{
	return reg->n_filings;
}

const struct us_filing *
us_registry_filing(const struct us_registry *reg, size_t i)
{
	return i < reg->n_filings ? reg->filings[i] : NULL;
}

struct us_filing *
us_filing_of(const struct us_registry *reg, struct us_bytes id)
{
	for (size_t i = 0; i < reg->n_filings; i++)
		if (us_bytes_is(id, reg->filings[i]->id))
			return reg->filings[i];
	return NULL;
}

const struct us_filing *
us_registry_filing_named(const struct us_registry *reg, struct us_bytes id)
{
	return us_filing_of(reg, id);
}

uint32_t
us_filings_next(const struct us_registry *reg, enum us_filing_kind kind)
{
	uint32_t n = 1;

	for (size_t i = 0; i < reg->n_filings; i++)
		n += reg->filings[i]->kind == kind;
	return n;
}

int
us_filing_new(struct us_registry *reg, enum us_filing_kind kind, uint32_t number,
    struct us_filing **out)
{
	struct us_filing *f;
	int err = us_grow(&reg->filings, reg->n_filings, &reg->cap_filings,
	    sizeof(struct us_filing *));

	if (err != US_OK)
		return err;
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&f->request, US_ACT_SIGNED_MAX);
	f->kind = kind;
	f->number = number;
	f->status = US_FILING_WAITS;
	(void)snprintf(f->id, sizeof f->id, "%s-%u", us_filing_kind_name(kind), (unsigned)number);
	reg->filings[reg->n_filings++] = f;
	*out = f;
	return US_OK;
}

void
us_filing_free(struct us_filing *f)
{
	if (f == NULL)
		return;
	free(f->set);
	us_buf_free(&f->request);
	free(f);
}

void
us_filing_answer(const struct us_registry *reg, enum us_filing_kind kind, uint64_t number,
    struct us_json *j, int *pending)
{
	char id[US_DOCKET_ID_MAX + 1];
	const struct us_filing *f;

	(void)snprintf(id, sizeof id, "%s-%llu", us_filing_kind_name(kind),
	    (unsigned long long)number);
	f = us_filing_of(reg, us_bytes_of(id));
	us_json_kv_cstr(j, "docket", id);
	if (f == NULL)
		return;
	us_json_kv_uint(j, f->kind == US_FILING_ORDER ? "version" : "number", f->number);
	us_json_kv_hex(j, "digest", f->digest, sizeof f->digest);
	us_json_kv_cstr(j, "filing_status", us_filing_status_name(f->status));
	/* a freeze and a clawback are in force at once; what follows is about lifting them */
	*pending = us_filing_is_open(f) &&
	    (f->kind == US_FILING_ORDER || f->kind == US_FILING_CLEARANCE ||
		f->kind == US_FILING_APPROVAL);
}

struct us_service *
us_filing_service(const struct us_filing *f, struct us_bytes party)
{
	for (size_t i = 0; i < f->n_services; i++)
		if (us_bytes_is(party, f->services[i].party))
			return (struct us_service *)(uintptr_t)&f->services[i];
	return NULL;
}

int
us_filing_is_open(const struct us_filing *f)
{
	return f->status == US_FILING_WAITS || f->status == US_FILING_OBJECTED;
}

uint64_t
us_filing_signed(const struct us_registry *reg, const struct us_filing *f,
    const struct us_order *order)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < f->n_signatures; i++) {
		const struct us_person *p = us_registry_person(reg, f->signatures[i].person);
		size_t party;

		/* who has left or is suspended does not stand for it any more */
		for (size_t k = 0; p != NULL && p->status == US_PERSON_ACTIVE && k < p->n_parties;
		     k++)
			if ((f->signatures[i].parties >> k & 1) != 0 &&
			    us_order_party(order, us_bytes_of(p->parties[k]), &party) == US_OK)
				bits |= UINT64_C(1) << party;
	}
	return bits;
}

static int
has_signed(const struct us_filing *f, uint32_t person)
{
	for (size_t i = 0; i < f->n_signatures; i++)
		if (f->signatures[i].person == person)
			return 1;
	return 0;
}

const struct us_quorum *
us_filing_quorum(const struct us_registry *reg, const struct us_filing *f)
{
	static const struct us_quorum nobody;

	if (f->kind == US_FILING_ORDER)
		return &reg->order->workflows.amend;
	if (f->kind == US_FILING_FREEZE)
		return &reg->order->workflows.lift;
	for (size_t i = 0; f->kind == US_FILING_CLEARANCE && i < reg->order->n_clearances; i++)
		if (us_bytes_is(reg->order->clearances[i].id, f->text))
			return &reg->order->clearances[i].confirm;
	return &nobody;
}

int
us_filing_signable(const struct us_registry *reg, const struct us_filing *f,
    const struct us_person *who)
{
	const struct us_quorum *q = us_filing_quorum(reg, f);
	const uint64_t there = us_filing_signed(reg, f, reg->order);
	uint64_t bits = 0;

	for (size_t i = 0; i < q->n; i++)
		bits |= q->alternatives[i];
	bits &= us_signer_bits(reg, who);
	if (bits == 0)
		return US_ERR_DENIED;
	/* another order may have come into force under which what was signed is enough: then
	 * anybody of the quorum closes it */
	if (us_quorum_met(q, there))
		return US_OK;
	if ((bits & ~there) == 0)
		return US_ERR_EXISTS;
	return f->n_signatures < US_FILING_SIGNATURES ? US_OK : US_ERR_LIMIT;
}

int
us_filing_term_has_run(const struct us_registry *reg, const struct us_filing *f, int64_t now_ns)
{
	const struct us_order *order = reg->order;

	for (size_t i = 0; i < order->n_clearances; i++) {
		if (!us_bytes_is(order->clearances[i].id, f->text))
			continue;
		for (size_t p = 0; p < order->n_parties; p++) {
			const struct us_service *s;

			if ((order->clearances[i].serve >> p & 1) == 0)
				continue;
			s = us_filing_service(f, order->parties[p].id);
			if (s == NULL || s->due_ns == 0 || now_ns <= s->due_ns)
				return 0;
		}
		return 1;
	}
	return 0; /* the order in force does not know this clearance any more */
}

int
us_approval_wants(const struct us_registry *reg, const struct us_filing *f,
    const struct us_person *who)
{
	const struct us_order *order = reg->order;

	if (f->filed_by == who->id || us_registry_person(reg, f->filed_by) == NULL)
		return 0;
	const struct us_person *asker = us_registry_person(reg, f->filed_by);
	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *r = &order->rules[i];
		const struct us_approval_need *need = &r->conditions.approval;

		if (r->effect == US_PERMIT && need->count != 0 &&
		    us_actions_has(r->actions, f->action) &&
		    (r->capacities & US_CAPACITY_BIT(asker->capacity)) != 0 &&
		    (r->any_party || (r->parties & asker->party_bits) != 0) &&
		    (need->capacities & US_CAPACITY_BIT(who->capacity)) != 0 &&
		    (need->any_party || (need->parties & who->party_bits) != 0))
			return 1;
	}
	return 0;
}

int
us_filing_waits_for(const struct us_registry *reg, const struct us_filing *f,
    const struct us_person *who, int64_t now_ns)
{
	const uint64_t signer = us_signer_bits(reg, who);

	if (!us_filing_is_open(f) || who->status != US_PERSON_ACTIVE)
		return 0;
	for (size_t i = 0; i < f->n_services; i++) {
		size_t party;

		if (us_order_party(reg->order, us_bytes_of(f->services[i].party), &party) ==
			US_OK &&
		    (signer >> party & 1) != 0 && !f->services[i].received)
			return 1;
	}
	if (f->kind == US_FILING_APPROVAL)
		return !has_signed(f, who->id) && us_approval_wants(reg, f, who);
	if (f->kind != US_FILING_ORDER && f->kind != US_FILING_FREEZE &&
	    (signer & reg->order->workflows.may_resolve) != 0)
		return 1;
	if (us_filing_signable(reg, f, who) != US_OK)
		return 0;
	return f->kind != US_FILING_CLEARANCE ||
	    (f->status == US_FILING_WAITS && us_filing_term_has_run(reg, f, now_ns));
}

/* ---- approvals ---- */

int
us_request_digest(const struct us_registry *reg, uint32_t person,
    const struct us_act_approval *request, uint8_t out[32])
{
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, US_ACT_SIGNED_MAX);
	err |= us_buf_put(&b, "underseal/request/1", 19);
	err |= us_buf_put(&b, reg->vault_id, 32);
	err |= us_buf_put_u32(&b, person);
	err |= us_buf_put_u8(&b, (uint8_t)request->action);
	err |= us_buf_put_u32(&b, request->collection);
	err |= us_buf_put_str16(&b, request->purpose.p, request->purpose.n);
	err |= us_buf_put_str16(&b, request->query.p, request->query.n);
	err |= us_buf_put_u32(&b, request->n);
	err |= us_buf_put(&b, request->records.p, request->records.n);
	err = err != US_OK ? US_ERR_NOMEM : us_sha256(b.data, b.len, out);
	us_buf_free(&b);
	return err;
}

const struct us_filing *
us_registry_approval(const struct us_registry *reg, const uint8_t request_digest[32],
    struct us_approver *approvers, size_t *n)
{
	*n = 0;
	for (size_t i = reg->n_filings; i-- > 0;) {
		const struct us_filing *f = reg->filings[i];

		if (f->kind != US_FILING_APPROVAL || !us_filing_is_open(f) ||
		    memcmp(f->request_digest, request_digest, 32) != 0)
			continue;
		for (size_t k = 0; k < f->n_signatures && *n < US_APPROVERS_MAX; k++) {
			const struct us_person *p = us_registry_person(reg,
			    f->signatures[k].person);

			/* who has left or is suspended does not stand for it any more */
			if (p != NULL && p->status == US_PERSON_ACTIVE)
				approvers[(*n)++] = (struct us_approver){ .person = p->id,
					.capacity = p->capacity,
					.parties = p->party_bits,
					.at_ns = f->signatures[k].at_ns };
		}
		return f;
	}
	return NULL;
}

/* ---- acknowledgements and documents ---- */

size_t
us_registry_acknowledgements(const struct us_registry *reg)
{
	return reg->n_acknowledgements;
}

const struct us_acknowledgement *
us_registry_acknowledgement(const struct us_registry *reg, size_t i)
{
	return i < reg->n_acknowledgements ? reg->acknowledgements[i] : NULL;
}

size_t
us_registry_documents(const struct us_registry *reg)
{
	return reg->n_documents;
}

const struct us_document *
us_registry_document(const struct us_registry *reg, size_t i)
{
	return i < reg->n_documents ? &reg->documents[i]->shown : NULL;
}

const struct us_document *
us_registry_document_of(const struct us_registry *reg, const uint8_t digest[32], int whole)
{
	for (size_t i = 0; i < reg->n_documents; i++) {
		const struct us_document *d = &reg->documents[i]->shown;

		if (memcmp(d->digest, digest, 32) == 0 && (!whole || d->parts == d->parts_all))
			return d;
	}
	return NULL;
}

struct us_document_full *
us_document_full(const struct us_registry *reg, const uint8_t digest[32], uint32_t person)
{
	struct us_document_full *begun = NULL;

	for (size_t i = 0; i < reg->n_documents; i++) {
		struct us_document_full *d = reg->documents[i];

		if (memcmp(d->shown.digest, digest, 32) != 0)
			continue;
		if (d->shown.parts == d->shown.parts_all)
			return d;
		if (d->shown.added_by == person)
			begun = d;
	}
	return begun;
}

int
us_document_hash(const struct us_document_full *d, const struct us_act_document *a,
    struct us_hash **out)
{
	int err = d == NULL ? us_hash_new(out) : us_hash_copy(d->hash, out);

	if (err == US_OK)
		err = us_hash_update(*out, a->bytes.p, a->bytes.n);
	if (err != US_OK) {
		us_hash_free(*out);
		*out = NULL;
	}
	return err;
}
