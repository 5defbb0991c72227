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

/* 1 if who is a roster signer of one of the parties of about. */
static int
signs_for(const struct us_registry *reg, const struct us_person *who, const struct us_person *about)
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

/* The person an act is about, or NULL. */
static int
subject_of(const struct us_registry *reg, const struct us_act *act, const struct us_person **out,
    struct us_refusal *refusal)
{
	uint32_t id = act->type == US_ACT_CREDENTIAL_REVOKE ? act->u.revoke.person :
							      act->u.change.person;

	if (act->type == US_ACT_CREDENTIAL_REVOKE && !act->u.revoke.by_person) {
		uint32_t at = us_table_get(&reg->by_fingerprint, act->u.revoke.fingerprint);
		if (at == 0)
			return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_UNKNOWN_CREDENTIAL,
			    "there is no credential with that fingerprint");
		id = reg->credentials[at - 1]->shown.person;
	}
	*out = us_registry_person(reg, id);
	if (*out == NULL)
		return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
		    "there is no person %u", (unsigned)id);
	return US_OK;
}

static int
check_about(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    enum us_act_authority authority, struct us_refusal *refusal)
{
	const struct us_person *about;
	int err = subject_of(reg, act, &about, refusal);

	if (err != US_OK)
		return err;
	if (authority == US_AUTHORITY_OWN && about->id == actor->id)
		return US_OK;
	if (authority != US_AUTHORITY_ALWAYS && !signs_for(reg, actor, about)) {
		err = us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "only an administrator or a roster signer of that person's party may do %s",
		    us_act_name((unsigned)act->type));
		us_refuse_cure(refusal, "ask the roster signer whom the order names for the party");
		return err;
	}
	if (act->type == US_ACT_PERSON_REINSTATE && about->status == US_PERSON_SUSPENDED &&
	    about->suspended_by_signer && !signs_for(reg, actor, about)) {
		err = us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "a roster signer suspended %s; only a roster signer of the party can undo it",
		    about->name);
		us_refuse_cure(refusal, "ask the roster signer whom the order names for the party");
		return err;
	}
	if (act->type == US_ACT_PERSON_REINSTATE && about->status == US_PERSON_SUSPENDED &&
	    !about->suspended_by_signer && actor->capacity != US_CAPACITY_ADMINISTRATOR)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "an administrator suspended %s; only an administrator can undo it",
		    about->name);
	return US_OK;
}

static int
shares_party(const struct us_person *a, const struct us_person *b)
{
	return a != NULL && b != NULL && (a->id == b->id || (a->party_bits & b->party_bits) != 0);
}

/* What the order's rules are asked about, and whose thing it is. */
static int
order_question(const struct us_registry *reg, const struct us_act *act, struct us_context *context,
    const struct us_person **owner, struct us_refusal *refusal)
{
	uint32_t collection;
	uint32_t owner_id = 0;

	if (act->type == US_ACT_CLEARANCE)
		return US_OK; /* about a person, not about evidence */
	if (act->type == US_ACT_CHALLENGE || act->type == US_ACT_RELABEL ||
	    act->type == US_ACT_CLAWBACK) {
		collection = act->u.records.selection.collection;
	} else if (act->type == US_ACT_COPY) {
		collection = act->u.copy.collection;
		context->purpose = act->u.copy.purpose;
		context->records = act->u.copy.n;
	} else if (act->type == US_ACT_COPY_RETURN) {
		const struct us_copy *copy = us_registry_copy(reg, act->u.copy_return.copy);
		if (copy == NULL)
			return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
			    "there is no such copy");
		collection = copy->collection;
		owner_id = copy->person;
		/* giving back needs no new purpose: it has the one of the copy */
		context->purpose = copy->purpose;
	} else {
		collection = act->u.batch.collection;
		const struct us_batch *batch = us_registry_batch_slot(reg, collection,
		    act->u.batch.slot);
		if (batch == NULL)
			return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
			    "there is no such batch");
		owner_id = batch->facts.loaded_by;
	}
	const struct us_collection *c = us_registry_collection(reg, collection);
	if (c == NULL)
		return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
		    "there is no such collection");
	context->collection = us_bytes_of(c->name);
	*owner = us_registry_person(reg, owner_id);
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

static int
check_order(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    const struct us_context *facts, struct us_refusal *refusal)
{
	struct us_context context = *facts;
	const struct us_person *owner = NULL;
	int err = order_question(reg, act, &context, &owner, refusal);

	if (err == US_OK)
		err = ask_order(reg, actor, act, &context, refusal);
	if (err != US_OK)
		return err;
	/* whose records a challenge, relabel or clawback may name is a precondition:
	 * rules_order.c */
	if ((act->type == US_ACT_COPY_RETURN || act->type == US_ACT_BATCH_RELEASE ||
		act->type == US_ACT_BATCH_WITHDRAW) &&
	    !shares_party(actor, owner))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_NOT_IN_ORDER,
		    act->type == US_ACT_COPY_RETURN ? "that copy was taken by another party" :
						      "that batch was loaded by another party");
	return US_OK;
}

/* An act that capacity and signatures decide. */
static int
check_administrative(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act *act, enum us_act_authority authority, struct us_refusal *refusal)
{
	/* whose signature an item waits for is checked with the item; an approval waits for whom
	 * the rule names, signer or not */
	if (act->type == US_ACT_DOCKET_SIGN && us_filing_of(reg, act->u.sign.docket_id) != NULL)
		return US_OK;
	if (authority == US_AUTHORITY_SIGNER &&
	    (act->type == US_ACT_DOCKET_SIGN || act->type >= US_ACT_DOCUMENT_ADD))
		return is_signer(reg, actor) ?
		    US_OK :
		    us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
			"the order names you as a roster signer of no party");
	if (act->type == US_ACT_PERSON_SUSPEND || act->type == US_ACT_PERSON_REINSTATE ||
	    act->type == US_ACT_PERSON_END || act->type == US_ACT_CREDENTIAL_REVOKE)
		return check_about(reg, actor, act, authority, refusal);
	return US_OK;
}

int
us_authority_check(const struct us_registry *reg, const struct us_person *actor,
    const struct us_act *act, const struct us_context *facts, struct us_refusal *refusal)
{
	enum us_act_authority authority = us_authority_of(actor->capacity, act->type);
	int err;

	if (reg->order == NULL)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the vault has no beginning yet");
	switch (authority) {
	case US_AUTHORITY_NEVER:
		return refuse_capacity(actor, act, refusal);
	case US_AUTHORITY_ORDER:
		return check_order(reg, actor, act, facts, refusal);
	case US_AUTHORITY_ALWAYS:
	case US_AUTHORITY_SIGNER:
	case US_AUTHORITY_OWN:
		break;
	}
	err = check_administrative(reg, actor, act, authority, refusal);
	return err != US_OK ? err : ask_order(reg, actor, act, facts, refusal);
}
