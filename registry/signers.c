#include "registry/signers.h"

#include "registry/internal.h"

static int
is_signer_of(const struct us_registry *reg, const struct us_person *who, size_t party)
{
	return party < 64 && (who->party_bits >> party & 1) != 0 &&
	    us_order_is_signer(reg->order, party, us_bytes_of(who->name), who->capacity);
}

/* 1 if the order names them as a signer, also while they still wait or are suspended. */
static int
is_named(const struct us_registry *reg, const struct us_person *who)
{
	for (size_t i = 0; i < reg->order->n_parties; i++)
		if (is_signer_of(reg, who, i))
			return 1;
	return 0;
}

static int
is_signer(const struct us_registry *reg, const struct us_person *who)
{
	return us_signer_bits(reg, who) != 0;
}

uint64_t
us_signer_bits(const struct us_registry *reg, const struct us_person *who)
{
	uint64_t bits = 0;

	for (size_t i = 0; who->status == US_PERSON_ACTIVE && i < reg->order->n_parties; i++)
		if (is_signer_of(reg, who, i))
			bits |= UINT64_C(1) << i;
	return bits;
}

uint16_t
us_signer_mask(const struct us_registry *reg, const struct us_person *who)
{
	const uint64_t bits = us_signer_bits(reg, who);
	unsigned mask = 0;
	size_t party;

	for (size_t i = 0; i < who->n_parties; i++)
		if (us_order_party(reg->order, us_bytes_of(who->parties[i]), &party) == US_OK &&
		    (bits >> party & 1) != 0)
			mask |= 1u << i;
	return (uint16_t)mask;
}

int
us_authority_may_sign(const struct us_registry *reg, const struct us_person *who,
    const struct us_person *about, int party)
{
	if (who->status != US_PERSON_ACTIVE || who->id == about->id || !is_signer(reg, who))
		return 0;
	if (party < 0)
		return 1;
	if (is_signer_of(reg, who, (size_t)party))
		return 1;
	/* for whoever signs a roster themselves, the court's signer may stand in */
	return is_named(reg, about) && us_capacity_class_of(who->capacity) == US_CAPACITIES_COURT;
}

int
us_signs_for(const struct us_registry *reg, const struct us_person *who,
    const struct us_person *about)
{
	for (size_t i = 0; i < reg->order->n_parties; i++)
		if ((about->party_bits >> i & 1) != 0 &&
		    us_authority_may_sign(reg, who, about, (int)i))
			return 1;
	return about->party_bits == 0 && us_authority_may_sign(reg, who, about, -1);
}

int
us_authority_about(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act *act, uint32_t person, enum us_act_authority authority,
    struct us_refusal *refusal)
{
	const struct us_person *about = us_registry_person(reg, person);
	int err;

	if (about == NULL)
		return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
		    "there is no person %u", (unsigned)person);
	if (authority == US_AUTHORITY_ALWAYS || us_signs_for(reg, actor, about) ||
	    (authority == US_AUTHORITY_OWN && about->id == actor->id))
		return US_OK;
	err = us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
	    "only an administrator or a roster signer of that person's party may do %s",
	    us_act_name((unsigned)act->type));
	us_refuse_cure(refusal, "ask the roster signer whom the order names for the party");
	return err;
}

int
us_authority_signer(const struct us_registry *reg, const struct us_person *actor,
    struct us_refusal *refusal)
{
	return is_signer(reg, actor) ? US_OK :
				       us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
					   "the order names you as a roster signer of no party");
}

int
us_is_administrator(const struct us_person *who)
{
	return us_capacity_class_of(who->capacity) == US_CAPACITIES_ADMINISTRATOR;
}

int
us_shares_party(const struct us_person *a, const struct us_person *b)
{
	return a != NULL && b != NULL && (a->id == b->id || (a->party_bits & b->party_bits) != 0);
}
