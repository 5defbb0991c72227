/* Versions of the order, and what depends on which of them is in force: parties of people,
 * acknowledgements, clearances, freezes. */
#include "registry/versions.h"

#include <stdlib.h>
#include <string.h>

#include "registry/versions_internal.h"

const char *
us_version_status_name(enum us_version_status status)
{
	switch (status) {
	case US_VERSION_PROPOSED:
		return "proposed";
	case US_VERSION_SIGNED:
		return "signed";
	case US_VERSION_IN_FORCE:
		return "in-force";
	case US_VERSION_REPLACED:
		return "replaced";
	case US_VERSION_SUSPENDED:
		return "suspended";
	case US_VERSION_WITHDRAWN:
		return "withdrawn";
	}
	return "unknown";
}

size_t
us_registry_versions(const struct us_registry *reg)
{
	return reg->n_versions;
}

const struct us_order_version *
us_registry_version(const struct us_registry *reg, size_t i)
{
	return i < reg->n_versions ? &reg->versions[i]->shown : NULL;
}

const struct us_order_version *
us_registry_version_of(const struct us_registry *reg, uint32_t version)
{
	for (size_t i = 0; i < reg->n_versions; i++)
		if (reg->versions[i]->shown.version == version)
			return &reg->versions[i]->shown;
	return NULL;
}

int64_t
us_order_version_starts(const struct us_order_version *v)
{
	if (v->signed_ns == INT64_MAX || v->withdrawn)
		return INT64_MAX;
	return v->effective_ns > v->signed_ns ? v->effective_ns : v->signed_ns;
}

const struct us_order_version *
us_registry_version_at(const struct us_registry *reg, int64_t now_ns)
{
	const struct us_order_version *best = us_registry_version(reg, 0);

	/* ascending: of two that start at the same moment the higher one counts */
	for (size_t i = 1; i < reg->n_versions; i++) {
		const struct us_order_version *v = &reg->versions[i]->shown;
		const int64_t starts = us_order_version_starts(v);

		if (starts <= now_ns && v->suspended_ns > now_ns &&
		    starts >= us_order_version_starts(best))
			best = v;
	}
	return best;
}

enum us_version_status
us_registry_version_status(const struct us_registry *reg, const struct us_order_version *v,
    int64_t now_ns)
{
	if (v->withdrawn)
		return US_VERSION_WITHDRAWN;
	if (v->signed_ns == INT64_MAX)
		return US_VERSION_PROPOSED;
	if (v->suspended_ns <= now_ns)
		return US_VERSION_SUSPENDED;
	if (us_order_version_starts(v) > now_ns)
		return US_VERSION_SIGNED;
	return us_registry_version_at(reg, now_ns) == v ? US_VERSION_IN_FORCE : US_VERSION_REPLACED;
}

int
us_version_add(struct us_registry *reg, struct us_order *order, struct us_bytes source,
    struct us_version_full **out)
{
	struct us_version_full *v;
	int err = us_grow(&reg->versions, reg->n_versions, &reg->cap_versions,
	    sizeof(struct us_version_full *));

	if (err != US_OK)
		return err;
	v = calloc(1, sizeof *v);
	if (v == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&v->source, US_ORDER_SOURCE_MAX);
	err = us_buf_put(&v->source, source.p, source.n);
	if (err != US_OK) {
		free(v);
		return err;
	}
	v->order = order;
	v->shown.version = order->version;
	v->shown.order = order;
	v->shown.source = (struct us_bytes){ v->source.data, v->source.len };
	v->shown.signed_ns = v->shown.suspended_ns = INT64_MAX;
	reg->versions[reg->n_versions++] = v;
	*out = v;
	return US_OK;
}

void
us_registry_rebind(struct us_registry *reg)
{
	for (size_t i = 0; i < reg->n_people; i++) {
		struct us_person *p = reg->people[i];
		size_t party;

		p->party_bits = 0;
		for (size_t k = 0; k < p->n_parties; k++)
			if (us_order_party(reg->order, us_bytes_of(p->parties[k]), &party) == US_OK)
				p->party_bits |= UINT64_C(1) << party;
	}
	reg->n_freezes = 0;
	for (size_t i = 0; i < reg->n_filings && reg->n_freezes < US_FREEZES_ON; i++) {
		const struct us_filing *f = reg->filings[i];
		struct us_freeze_on *on = &reg->freezes[reg->n_freezes];
		const struct us_collection *c;
		size_t party;

		if (f->kind != US_FILING_FREEZE || !us_filing_is_open(f) ||
		    f->scope == US_FREEZE_RECORDS)
			continue;
		*on = (struct us_freeze_on){ .id = f->number,
			.everything = f->scope == US_FREEZE_EVERYTHING,
			.person = f->person };
		if (f->scope == US_FREEZE_PARTY &&
		    us_order_party(reg->order, us_bytes_of(f->party), &party) == US_OK)
			on->parties = UINT64_C(1) << party;
		c = f->scope == US_FREEZE_COLLECTION ? us_registry_collection(reg, f->collection) :
						       NULL;
		if (c != NULL)
			on->collection = us_bytes_of(c->name);
		reg->n_freezes++;
	}
	reg->generation++;
}

const struct us_order_version *
us_version_now(const struct us_registry *reg, int64_t now_ns)
{
	return us_registry_version_at(reg, now_ns > reg->last_ns ? now_ns : reg->last_ns);
}

int
us_registry_at(struct us_registry *reg, int64_t now_ns)
{
	const struct us_order_version *v = us_version_now(reg, now_ns);

	if (v == NULL || v->order == reg->order)
		return 0;
	reg->order = v->order;
	us_registry_rebind(reg);
	return 1;
}

uint64_t
us_registry_generation(const struct us_registry *reg)
{
	return reg->generation;
}

const struct us_order *
us_registry_order(const struct us_registry *reg)
{
	return reg->order;
}

struct us_bytes
us_registry_order_source(const struct us_registry *reg)
{
	for (size_t i = 0; i < reg->n_versions; i++)
		if (reg->versions[i]->order == reg->order)
			return reg->versions[i]->shown.source;
	return (struct us_bytes){ NULL, 0 };
}

const char *
us_registry_matter(const struct us_registry *reg)
{
	return reg->matter;
}

/* ---- who somebody is under a version ---- */

static int
has_acknowledged(const struct us_registry *reg, uint32_t person, uint32_t version)
{
	for (size_t i = 0; i < reg->n_acknowledgements; i++)
		if (reg->acknowledgements[i]->person == person &&
		    reg->acknowledgements[i]->version == version)
			return 1;
	return 0;
}

/* For this version, or for one before it as long as each in between lets acknowledgements carry
 * over. */
static int
acknowledged(const struct us_registry *reg, uint32_t person, const struct us_order *order,
    int64_t now_ns)
{
	size_t i = reg->n_versions;

	while (i-- > 0) {
		const struct us_order_version *v = &reg->versions[i]->shown;

		if (v->version > order->version ||
		    (v->version < order->version && v->signed_ns == INT64_MAX))
			continue;
		if (has_acknowledged(reg, person, v->version))
			return 1;
		if (!v->order->workflows.carries_over || now_ns >= v->order->workflows.renew_by_ns)
			return 0;
	}
	return 0;
}

struct us_subject
us_registry_subject_under(const struct us_registry *reg, const struct us_person *person,
    const struct us_order *order, int64_t now_ns)
{
	struct us_subject s = { .person = person->id, .capacity = person->capacity };
	size_t party;

	for (size_t i = 0; i < person->n_parties; i++)
		if (us_order_party(order, us_bytes_of(person->parties[i]), &party) == US_OK)
			s.parties |= UINT64_C(1) << party;
	s.acknowledged = acknowledged(reg, person->id, order, now_ns);
	for (size_t i = 0; i < reg->n_filings; i++) {
		const struct us_filing *f = reg->filings[i];

		if (f->kind != US_FILING_CLEARANCE || f->status != US_FILING_GRANTED ||
		    f->person != person->id)
			continue;
		for (size_t c = 0; c < order->n_clearances; c++)
			if (us_bytes_is(order->clearances[c].id, f->text))
				s.clearances |= UINT32_C(1) << c;
	}
	return s;
}

struct us_subject
us_registry_subject(const struct us_registry *reg, const struct us_person *person, int64_t now_ns)
{
	return us_registry_subject_under(reg, person, reg->order, now_ns);
}

/* ECDSA P-256 and Ed25519, the only keys there are (crypto/cert.h): NIST SP 800-57 part 1 rev. 5,
 * table 2; RFC 8032, section 8.5. */
#define CREDENTIAL_BITS 128
#define DAY_NS (INT64_C(86400) * 1000000000)
#define NO_MATTER UINT8_MAX /* a state that this order does not list: no condition on it holds */

void
us_registry_context(const struct us_registry *reg, const struct us_credential *credential,
    struct us_bytes peer, int64_t now_ns, struct us_context *out)
{
	static const struct us_meter full = { UINT64_MAX, UINT64_MAX, UINT64_MAX };

	memset(out, 0, sizeof *out);
	out->now_ns = now_ns;
	out->has_address = us_address_parse(out->address, peer) == US_OK;
	out->person_before = out->person_after = full;
	out->party_before = out->party_after = full;
	out->freezes = reg->freezes;
	out->n_freezes = reg->n_freezes;
	if (reg->matter[0] != '\0') {
		out->matter = NO_MATTER;
		for (size_t i = 0; reg->order != NULL && i < reg->order->n_matter_states; i++)
			if (us_bytes_is(reg->order->matter_states[i], reg->matter))
				out->matter = (uint8_t)i;
	}
	if (credential == NULL || credential->to_ns <= credential->from_ns)
		return;
	const int64_t days = (credential->to_ns - credential->from_ns) / DAY_NS;
	out->credential_bits = CREDENTIAL_BITS;
	out->credential_days = days > UINT16_MAX ? UINT16_MAX : (uint16_t)days;
}
