/* Looking up people and credentials. */
#include "registry/internal.h"

const char *
us_person_status_name(enum us_person_status status)
{
	switch (status) {
	case US_PERSON_PENDING:
		return "pending";
	case US_PERSON_ACTIVE:
		return "active";
	case US_PERSON_SUSPENDED:
		return "suspended";
	case US_PERSON_ENDED:
		return "ended";
	}
	return "unknown";
}

enum us_credential_status
us_credential_status(const struct us_credential *c)
{
	if (c->revoked)
		return US_CREDENTIAL_REVOKED;
	return c->approved ? US_CREDENTIAL_LIVE : US_CREDENTIAL_PENDING;
}

const char *
us_credential_status_name(enum us_credential_status status)
{
	switch (status) {
	case US_CREDENTIAL_PENDING:
		return "pending";
	case US_CREDENTIAL_LIVE:
		return "live";
	case US_CREDENTIAL_REVOKED:
		return "revoked";
	}
	return "unknown";
}

int
us_names_equal(const char *a, struct us_bytes b)
{
	return us_bytes_is(b, a);
}

struct us_person *
us_person_of(const struct us_registry *reg, uint32_t id)
{
	return id == 0 || id > reg->n_people ? NULL : reg->people[id - 1];
}

const struct us_person *
us_registry_person(const struct us_registry *reg, uint32_t id)
{
	return us_person_of(reg, id);
}

const struct us_person *
us_registry_person_named(const struct us_registry *reg, struct us_bytes name)
{
	for (size_t i = 0; i < reg->n_people; i++)
		if (us_names_equal(reg->people[i]->name, name))
			return reg->people[i];
	return NULL;
}

uint32_t
us_registry_people(const struct us_registry *reg)
{
	return (uint32_t)reg->n_people;
}

enum us_reason
us_registry_standing(const struct us_registry *reg, const uint8_t fingerprint[32], int64_t now_ns,
    const struct us_person **person, const struct us_credential **credential)
{
	uint32_t at = us_table_get(&reg->by_fingerprint, fingerprint);
	const struct us_credential *c = at == 0 ? NULL : &reg->credentials[at - 1]->shown;
	const struct us_person *p = c == NULL ? NULL : us_registry_person(reg, c->person);

	if (person != NULL)
		*person = p;
	if (credential != NULL)
		*credential = c;
	if (c == NULL || p == NULL)
		return US_REASON_UNKNOWN_CREDENTIAL;
	if (c->revoked)
		return US_REASON_REVOKED;
	if (p->status == US_PERSON_ENDED)
		return US_REASON_ENDED;
	if (p->status == US_PERSON_SUSPENDED)
		return US_REASON_SUSPENDED;
	if (p->status != US_PERSON_ACTIVE || !c->approved)
		return US_REASON_PENDING;
	if (now_ns < c->from_ns)
		return US_REASON_NOT_YET_VALID;
	if (now_ns >= c->to_ns)
		return US_REASON_EXPIRED;
	return US_REASON_NONE;
}

size_t
us_registry_credentials(const struct us_registry *reg)
{
	return reg->n_credentials;
}

const struct us_credential *
us_registry_credential(const struct us_registry *reg, size_t i)
{
	return i < reg->n_credentials ? &reg->credentials[i]->shown : NULL;
}
