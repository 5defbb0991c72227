#include "daemon/vault/decide/sight.h"

#include <string.h>

#include "base/err.h"
#include "base/time.h"

int
us_vault_sight_is_court(const struct us_vault_asker *who)
{
	return who->subject.capacity == US_CAPACITY_COURT ||
	    who->subject.capacity == US_CAPACITY_SPECIAL_MASTER;
}

int
us_vault_sight_is_full(const struct us_vault_asker *who)
{
	return us_vault_sight_is_court(who) || who->subject.capacity == US_CAPACITY_AUDITOR ||
	    who->subject.capacity == US_CAPACITY_ADMINISTRATOR;
}

int
us_vault_sight_shares_party(const struct us_registry *reg, const struct us_vault_asker *who,
    uint32_t person)
{
	const struct us_person *p = us_registry_person(reg, person);

	return p != NULL && (p->id == who->person || (p->party_bits & who->subject.parties) != 0);
}

/* 1 if a party of the asker has been served with it. */
static int
is_served(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f)
{
	const struct us_order *order = us_registry_order(reg);
	size_t party;

	for (size_t i = 0; i < f->n_services; i++)
		if (us_order_party(order, us_bytes_of(f->services[i].party), &party) == US_OK &&
		    (who->subject.parties >> party & 1) != 0)
			return 1;
	return 0;
}

static int
waits_for_asker(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f)
{
	const struct us_person *me = us_registry_person(reg, who->person);

	return me != NULL && us_filing_waits_for(reg, f, me, us_time_now_ns());
}

int
us_vault_sight_filing(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f)
{
	if (us_vault_sight_is_full(who) || us_vault_sight_shares_party(reg, who, f->filed_by) ||
	    is_served(reg, who, f) ||
	    (f->person != 0 && us_vault_sight_shares_party(reg, who, f->person)))
		return 1;
	switch (f->kind) {
	case US_FILING_ORDER:
	case US_FILING_CLAWBACK:
	case US_FILING_FREEZE: /* they bind everybody */
		if (who->subject.parties != 0)
			return 1;
		break;
	case US_FILING_CLEARANCE:
	case US_FILING_CHALLENGE:
	case US_FILING_APPROVAL:
		break;
	}
	return waits_for_asker(reg, who, f);
}

int
us_vault_sight_filing_records(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f)
{
	return us_vault_sight_is_court(who) ||
	    ((us_vault_sight_shares_party(reg, who, f->filed_by) || is_served(reg, who, f)) &&
		who->subject.capacity != US_CAPACITY_ADMINISTRATOR);
}

int
us_vault_sight_request(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_filing *f)
{
	if (who->subject.capacity == US_CAPACITY_ADMINISTRATOR ||
	    who->subject.capacity == US_CAPACITY_KEYHOLDER)
		return 0;
	for (size_t i = 0; i < f->n_signatures; i++)
		if (f->signatures[i].person == who->person)
			return 1;
	return us_vault_sight_is_court(who) || f->filed_by == who->person ||
	    waits_for_asker(reg, who, f);
}

/*
 * A document is shown to those who see what names it. Only a naming by those who could see the
 * document before counts, so that naming what one has merely heard the digest of opens nothing.
 * What an administrator added was given to all.
 */
static int
names_rightly(const struct us_registry *reg, const struct us_document *d, uint32_t namer)
{
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
us_vault_sight_document(const struct us_registry *reg, const struct us_vault_asker *who,
    const struct us_document *d)
{

	if (d->added_by == who->person || us_vault_sight_is_court(who))
		return 1;
	for (size_t i = 0; i < us_registry_filings(reg); i++) {
		const struct us_filing *f = us_registry_filing(reg, i);

		/* the statement is about a person's work: for those alone who may object */
		if (is_digest(d, f->document) && names_rightly(reg, d, f->filed_by) &&
		    (f->kind == US_FILING_CLEARANCE ? us_vault_sight_filing_records(reg, who, f) :
						      us_vault_sight_filing(reg, who, f)))
			return 1;
		if (f->objected_by != 0 && is_digest(d, f->grounds) &&
		    names_rightly(reg, d, f->objected_by) && us_vault_sight_filing(reg, who, f))
			return 1;
	}
	for (size_t i = 0; i < us_registry_acknowledgements(reg); i++) {
		const struct us_acknowledgement *a = us_registry_acknowledgement(reg, i);

		if (is_digest(d, a->form) && names_rightly(reg, d, a->person) &&
		    (us_vault_sight_is_full(who) ||
			us_vault_sight_shares_party(reg, who, a->person)))
			return 1;
	}
	return 0;
}
