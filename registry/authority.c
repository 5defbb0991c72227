#include "registry/authority.h"

#include <string.h>

#include "registry/internal.h"
#include "registry/signers.h"

static int
refuse_capacity(const struct us_person *actor, const struct us_act *act, struct us_refusal *refusal)
{
	int err = us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
	    "a person in the capacity %s may not do %s",
	    us_capacity_name((unsigned)actor->capacity), us_act_name((unsigned)act->type));

	us_refuse_cure(refusal, "somebody whose capacity allows it must do it");
	return err;
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
