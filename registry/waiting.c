/* People who wait for their roster signers: their part of the docket (docket.h). */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "crypto/crypto.h"
#include "registry/docket.h"
#include "registry/internal.h"
#include "registry/signers.h"

int
us_person_item_digest(const uint8_t vault_id[32], const struct us_person_item *item,
    uint8_t out[32])
{
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, 1 << 20);
	err |= us_buf_put(&b, "underseal/docket/1", 18);
	err |= us_buf_put(&b, vault_id, 32);
	err |= us_buf_put_str16(&b, item->id.p, item->id.n);
	err |= us_buf_put_u8(&b, (uint8_t)item->is_new);
	err |= us_buf_put_str16(&b, item->name.p, item->name.n);
	err |= us_buf_put_u8(&b, (uint8_t)item->capacity);
	err |= us_buf_put_u8(&b, (uint8_t)item->n_parties);
	for (size_t i = 0; i < item->n_parties; i++)
		err |= us_buf_put_str16(&b, item->parties[i].p, item->parties[i].n);
	err |= us_buf_put_u32(&b, (uint32_t)(item->fingerprints.n / 32));
	err |= us_buf_put(&b, item->fingerprints.p, item->fingerprints.n);
	err = err != US_OK ? US_ERR_NOMEM : us_sha256(b.data, b.len, out);
	us_buf_free(&b);
	return err;
}

static int
item_digest(const struct us_registry *reg, const struct us_person *p, struct us_docket_item *item)
{
	struct us_person_item shown = { .id = us_bytes_of(item->id),
		.is_new = item->is_new_person,
		.name = us_bytes_of(p->name),
		.capacity = p->capacity,
		.n_parties = p->n_parties };
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, 1 << 20);
	for (size_t i = 0; i < p->n_parties; i++)
		shown.parties[i] = us_bytes_of(p->parties[i]);
	for (size_t i = 0; i < reg->n_credentials; i++) {
		const struct us_credential *c = &reg->credentials[i]->shown;
		if (c->person == p->id && !c->approved && !c->revoked)
			err |= us_buf_put(&b, c->fingerprint, 32);
	}
	shown.fingerprints = (struct us_bytes){ b.data, b.len };
	err = err != US_OK ? US_ERR_NOMEM :
			     us_person_item_digest(reg->vault_id, &shown, item->digest);
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
