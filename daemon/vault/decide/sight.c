/* Who sees what of the docket, the register of acknowledgements, and documents. */
#include <string.h>

#include "base/time.h"
#include "daemon/vault/answers/listing.h"

int
us_vault_sight_is_court(const struct us_vault_request *r)
{
	return r->subject.capacity == US_CAPACITY_COURT ||
	    r->subject.capacity == US_CAPACITY_SPECIAL_MASTER;
}

int
us_vault_sight_is_full(const struct us_vault_request *r)
{
	return us_vault_sight_is_court(r) || r->subject.capacity == US_CAPACITY_AUDITOR ||
	    r->subject.capacity == US_CAPACITY_ADMINISTRATOR;
}

int
us_vault_sight_shares_party(const struct us_vault_request *r, uint32_t person)
{
	const struct us_person *p = us_registry_person(r->vault->registry, person);

	return p != NULL && (p->id == r->person || (p->party_bits & r->subject.parties) != 0);
}

/* 1 if a party of the asker has been served with it. */
static int
is_served(const struct us_vault_request *r, const struct us_filing *f)
{
	const struct us_order *order = us_registry_order(r->vault->registry);
	size_t party;

	for (size_t i = 0; i < f->n_services; i++)
		if (us_order_party(order, us_bytes_of(f->services[i].party), &party) == US_OK &&
		    (r->subject.parties >> party & 1) != 0)
			return 1;
	return 0;
}

static int
waits_for_asker(const struct us_vault_request *r, const struct us_filing *f)
{
	const struct us_person *me = us_registry_person(r->vault->registry, r->person);

	return me != NULL && us_filing_waits_for(r->vault->registry, f, me, us_time_now_ns());
}

int
us_vault_sight_filing(const struct us_vault_request *r, const struct us_filing *f)
{
	if (us_vault_sight_is_full(r) || us_vault_sight_shares_party(r, f->filed_by) ||
	    is_served(r, f) || (f->person != 0 && us_vault_sight_shares_party(r, f->person)))
		return 1;
	switch (f->kind) {
	case US_FILING_ORDER:
	case US_FILING_CLAWBACK:
	case US_FILING_FREEZE: /* they bind everybody */
		if (r->subject.parties != 0)
			return 1;
		break;
	case US_FILING_CLEARANCE:
	case US_FILING_CHALLENGE:
	case US_FILING_APPROVAL:
		break;
	}
	return waits_for_asker(r, f);
}

int
us_vault_sight_filing_records(const struct us_vault_request *r, const struct us_filing *f)
{
	return us_vault_sight_is_court(r) ||
	    ((us_vault_sight_shares_party(r, f->filed_by) || is_served(r, f)) &&
		r->subject.capacity != US_CAPACITY_ADMINISTRATOR);
}

int
us_vault_sight_request(const struct us_vault_request *r, const struct us_filing *f)
{
	if (r->subject.capacity == US_CAPACITY_ADMINISTRATOR ||
	    r->subject.capacity == US_CAPACITY_KEYHOLDER)
		return 0;
	for (size_t i = 0; i < f->n_signatures; i++)
		if (f->signatures[i].person == r->person)
			return 1;
	return us_vault_sight_is_court(r) || f->filed_by == r->person || waits_for_asker(r, f);
}

/*
 * A document is shown to those who see what names it. Only a naming by those who could see the
 * document before counts, so that naming what one has merely heard the digest of opens nothing.
 * What an administrator added was given to all.
 */
static int
names_rightly(const struct us_vault_request *r, const struct us_document *d, uint32_t namer)
{
	const struct us_registry *reg = r->vault->registry;
	const struct us_person *adder = us_registry_person(reg, d->added_by),
			       *by = us_registry_person(reg, namer);

	if (adder == NULL || by == NULL)
		return 0;
	return adder->id == by->id || (adder->party_bits & by->party_bits) != 0 ||
	    adder->capacity == US_CAPACITY_ADMINISTRATOR || by->capacity == US_CAPACITY_COURT ||
	    by->capacity == US_CAPACITY_SPECIAL_MASTER;
}

static int
is_digest(const struct us_document *d, const uint8_t digest[32])
{
	return memcmp(d->digest, digest, sizeof d->digest) == 0;
}

int
us_vault_sight_document(const struct us_vault_request *r, const struct us_document *d)
{
	const struct us_registry *reg = r->vault->registry;

	if (d->added_by == r->person || us_vault_sight_is_court(r))
		return 1;
	for (size_t i = 0; i < us_registry_filings(reg); i++) {
		const struct us_filing *f = us_registry_filing(reg, i);

		/* the statement is about a person's work: for those alone who may object */
		if (is_digest(d, f->document) && names_rightly(r, d, f->filed_by) &&
		    (f->kind == US_FILING_CLEARANCE ? us_vault_sight_filing_records(r, f) :
						      us_vault_sight_filing(r, f)))
			return 1;
		if (f->objected_by != 0 && is_digest(d, f->grounds) &&
		    names_rightly(r, d, f->objected_by) && us_vault_sight_filing(r, f))
			return 1;
	}
	for (size_t i = 0; i < us_registry_acknowledgements(reg); i++) {
		const struct us_acknowledgement *a = us_registry_acknowledgement(reg, i);

		if (is_digest(d, a->form) && names_rightly(r, d, a->person) &&
		    (us_vault_sight_is_full(r) || us_vault_sight_shares_party(r, a->person)))
			return 1;
	}
	return 0;
}
