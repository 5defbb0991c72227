#include "registry/authority.h"

#include <string.h>

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

static int
refuse_capacity(const struct us_person *actor, const struct us_act *act, struct us_refusal *refusal)
{
	int err = us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
	    "a person in the capacity %s may not do %s",
	    us_capacity_name((unsigned)actor->capacity), us_act_name((unsigned)act->type));

	us_refuse_cure(refusal, "somebody whose capacity allows it must do it");
	return err;
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

/* What the order's rules are asked about. */
static int
order_question(const struct us_registry *reg, const struct us_act_ops *ops,
    const struct us_act *act, struct us_context *context, struct us_refusal *refusal)
{
	uint32_t collection = us_act_collection(reg, act);
	const struct us_collection *c;
	int err = ops->asks == NULL ? US_OK : ops->asks(reg, act, context, &collection, refusal);

	/* about a person, not about evidence */
	if (err != US_OK || (ops->asks == NULL && ops->collection == NULL))
		return err;
	c = us_registry_collection(reg, collection);
	if (c == NULL)
		return us_not_found(refusal, "collection");
	context->collection = us_bytes_of(c->name);
	return US_OK;
}

/* What the order adds: its ruling on the act's action in that context. */
static int
ask_order(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    const struct us_context *context, struct us_refusal *refusal)
{
	struct us_subject subject = us_registry_subject(reg, actor, context->now_ns);
	struct us_ruling ruling;
	int err;

	us_order_evaluate(reg->order, &subject, us_act_action(act->type), context, &ruling);
	if (ruling.decision == US_DECISION_ALLOW)
		return US_OK;
	err = us_refuse(refusal, US_ERR_DENIED, ruling.reason,
	    "the order does not let you do %s here", us_act_name((unsigned)act->type));
	us_refuse_cure(refusal, ruling.cure);
	if (refusal != NULL) {
		refusal->rule = ruling.rule;
		memcpy(refusal->paragraph,
		    ruling.paragraph.p == NULL ? (const uint8_t *)"" : ruling.paragraph.p,
		    ruling.paragraph.n);
		refusal->paragraph[ruling.paragraph.n] = '\0';
	}
	return err;
}

/* An act that the order permits: asked first, so that what it forbids says nothing of what is
 * there. */
static int
check_order(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act_ops *ops, const struct us_act *act, const struct us_context *facts,
    struct us_refusal *refusal)
{
	struct us_context context = *facts;
	int err = order_question(reg, ops, act, &context, refusal);

	if (err == US_OK)
		err = ask_order(reg, actor, act, &context, refusal);
	if (err == US_OK && ops->may != NULL)
		err = ops->may(reg, actor, act, US_AUTHORITY_ORDER, refusal);
	return err;
}

int
us_authority_check(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act *act, const struct us_context *facts, struct us_refusal *refusal)
{
	const enum us_act_authority authority = us_authority_of(actor->capacity, act->type);
	const struct us_act_ops *ops = us_act_ops(act->type);
	int err = US_OK;

	if (reg->order == NULL)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the vault has no beginning yet");
	switch (authority) {
	case US_AUTHORITY_NEVER:
		return refuse_capacity(actor, act, refusal);
	case US_AUTHORITY_ORDER:
		return check_order(reg, actor, ops, act, facts, refusal);
	case US_AUTHORITY_ALWAYS:
	case US_AUTHORITY_SIGNER:
	case US_AUTHORITY_OWN:
		break;
	}
	/* by capacity and signatures */
	if (ops->may != NULL)
		err = ops->may(reg, actor, act, authority, refusal);
	else if (authority == US_AUTHORITY_SIGNER)
		err = us_authority_signer(reg, actor, refusal);
	return err != US_OK ? err : ask_order(reg, actor, act, facts, refusal);
}
