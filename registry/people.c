/* Looking up people and credentials; the docket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "crypto/crypto.h"
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

/* ---- docket ---- */

/* SHA-256("underseal/docket/1" ‖ vault id ‖ str16 id ‖ u8 new ‖ str16 name ‖ u8 capacity ‖ u8 n ‖ n
 * × str16 party ‖ u32 n ‖ n × fingerprint): everything that the signature lets in. */
static int
item_digest(const struct us_registry *reg, const struct us_person *p, struct us_docket_item *item)
{
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, 1 << 20);
	err |= us_buf_put(&b, "underseal/docket/1", 18);
	err |= us_buf_put(&b, reg->vault_id, 32);
	err |= us_buf_put_str16(&b, item->id, strlen(item->id));
	err |= us_buf_put_u8(&b, (uint8_t)item->is_new_person);
	err |= us_buf_put_str16(&b, p->name, strlen(p->name));
	err |= us_buf_put_u8(&b, (uint8_t)p->capacity);
	err |= us_buf_put_u8(&b, (uint8_t)p->n_parties);
	for (size_t i = 0; i < p->n_parties; i++)
		err |= us_buf_put_str16(&b, p->parties[i], strlen(p->parties[i]));
	err |= us_buf_put_u32(&b, (uint32_t)item->n_credentials);
	for (size_t i = 0; i < reg->n_credentials; i++) {
		const struct us_credential *c = &reg->credentials[i]->shown;
		if (c->person == p->id && !c->approved && !c->revoked)
			err |= us_buf_put(&b, c->fingerprint, 32);
	}
	err = err != US_OK ? US_ERR_NOMEM : us_sha256(b.data, b.len, item->digest);
	us_buf_free(&b);
	return err;
}

/* US_ERR_NOT_FOUND: nothing waits about this person. */
static int
item_of(const struct us_registry *reg, const struct us_person *p, struct us_docket_item *item)
{
	const unsigned all = (1u << p->n_parties) - 1u;
	unsigned approved_by_all = all;

	memset(item, 0, sizeof *item);
	if (p->status != US_PERSON_PENDING && p->status != US_PERSON_ACTIVE)
		return US_ERR_NOT_FOUND;
	(void)snprintf(item->id, sizeof item->id, "person-%u", (unsigned)p->id);
	item->person = p->id;
	item->is_new_person = p->status == US_PERSON_PENDING;
	item->served_ns = item->is_new_person ? p->added_ns : 0;
	for (size_t i = 0; i < reg->n_credentials; i++) {
		const struct us_credential_full *c = reg->credentials[i];
		if (c->shown.person != p->id || c->shown.approved || c->shown.revoked)
			continue;
		item->n_credentials++;
		approved_by_all &= c->approved_parties;
		if (item->served_ns == 0)
			item->served_ns = c->shown.issued_ns;
	}
	if (!item->is_new_person && item->n_credentials == 0)
		return US_ERR_NOT_FOUND;
	if (item->is_new_person)
		approved_by_all &= p->signed_parties;
	for (size_t i = 0; i < p->n_parties; i++) {
		size_t party;
		if ((approved_by_all >> i & 1) == 0 &&
		    us_order_party(reg->order, us_bytes_of(p->parties[i]), &party) == US_OK)
			item->waits_for |= UINT64_C(1) << party;
	}
	for (size_t i = 0; i < reg->order->n_parties; i++)
		if ((p->party_bits >> i & 1) != 0 &&
		    us_order_is_signer(reg->order, i, us_bytes_of(p->name), p->capacity))
			item->waits_for_court = 1;
	return item_digest(reg, p, item);
}

size_t
us_registry_docket(const struct us_registry *reg, uint32_t after, struct us_docket_item *items,
    size_t room)
{
	size_t n = 0;

	for (size_t i = after; i < reg->n_people && n < room; i++)
		if (item_of(reg, reg->people[i], &items[n]) == US_OK)
			n++;
	return n;
}

int
us_registry_docket_item(const struct us_registry *reg, struct us_bytes id,
    struct us_docket_item *out)
{
	static const char prefix[] = "person-";
	const size_t n = sizeof prefix - 1;
	const struct us_person *p;
	struct us_docket_item item;
	uint64_t number;
	int err;

	if (id.n < n || memcmp(id.p, prefix, n) != 0 ||
	    us_number_parse(id.p + n, id.n - n, UINT32_MAX, &number) != US_OK ||
	    (p = us_registry_person(reg, (uint32_t)number)) == NULL)
		return US_ERR_NOT_FOUND;
	err = item_of(reg, p, &item);
	if (err == US_OK)
		*out = item;
	return err;
}

int
us_registry_waits_for(const struct us_registry *reg, const struct us_docket_item *item,
    const struct us_person *who)
{
	const struct us_person *about = us_registry_person(reg, item->person);

	if (about == NULL)
		return 0;
	if (about->party_bits == 0)
		return us_authority_may_sign(reg, who, about, -1);
	for (size_t i = 0; i < reg->order->n_parties; i++)
		if ((item->waits_for >> i & 1) != 0 &&
		    us_authority_may_sign(reg, who, about, (int)i))
			return 1;
	return 0;
}
