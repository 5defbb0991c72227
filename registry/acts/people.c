/* People: added, suspended, reinstated, ended for good; and their item of the docket, signed. */
#include <stdio.h>

#include "registry/acts/acts.h"

/* ---- person-add ---- */

static void
code_add(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_person_add *a = &act->u.person_add;

	us_code_text(c, &a->name, US_ORDER_NAME_MAX);
	us_code_capacity(c, &a->capacity);
	us_code_parties(c, &a->n_parties, a->parties);
}

static int
check_add(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_person_add *a = &s->act->u.person_add;

	if (us_registry_person_named(reg, a->name) != NULL)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "there is a person of that name already; a person is one entry for all their "
		    "parties");
	for (size_t i = 0; i < a->n_parties; i++) {
		size_t party;
		if (us_order_party(reg->order, a->parties[i], &party) != US_OK)
			return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
			    "the order has no party %.*s", (int)a->parties[i].n,
			    (const char *)a->parties[i].p);
	}
	if (a->n_parties == 0 && !us_capacity_runs_machine(a->capacity))
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "only administrators and keyholders can be of no party");
	return US_OK;
}

int
us_fold_person(struct us_registry *reg, const struct us_order *order,
    const struct us_init_person *from, int64_t time_ns, struct us_person **out)
{
	struct us_person *p;
	int err = us_grow(&reg->people, reg->n_people, &reg->cap_people,
	    sizeof(struct us_person *));

	if (err != US_OK)
		return err;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return US_ERR_NOMEM;
	p->id = (uint32_t)reg->n_people + 1;
	us_copy_text(p->name, sizeof p->name, from->name);
	p->capacity = from->capacity;
	p->status = US_PERSON_PENDING;
	p->n_parties = from->n_parties;
	for (size_t i = 0; i < from->n_parties; i++) {
		size_t party;

		us_copy_text(p->parties[i], sizeof p->parties[i], from->parties[i]);
		if (us_order_party(order, from->parties[i], &party) == US_OK)
			p->party_bits |= UINT64_C(1) << party;
	}
	p->added_ns = p->changed_ns = time_ns;
	reg->people[reg->n_people++] = p;
	*out = p;
	return US_OK;
}

static int
fold_add(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_person_add *a = &s->act->u.person_add;
	struct us_init_person from = { .name = a->name,
		.capacity = a->capacity,
		.n_parties = a->n_parties };
	struct us_person *p;

	memcpy(from.parties, a->parties, sizeof from.parties);
	int err = us_fold_person(reg, reg->order, &from, s->time_ns, &p);
	if (err != US_OK)
		return err;
	p->added_by = s->actor->id;
	/* a vault without an order has nobody who could sign, and nothing to see */
	if (reg->order->n_parties == 0) {
		p->status = US_PERSON_ACTIVE;
		p->signed_in = 1;
	}
	return US_OK;
}

static int
result_add(const struct us_registry *reg, const struct us_settled *s, struct us_buf *out)
{
	(void)s;
	return us_buf_put_u32(out, (uint32_t)reg->n_people + 1);
}

void
us_answer_person(const struct us_registry *reg, uint32_t person, struct us_json *j)
{
	struct us_docket_item item;
	char id[US_DOCKET_ID_MAX + 1];

	(void)snprintf(id, sizeof id, "person-%u", person);
	if (us_registry_docket_item(reg, us_bytes_of(id), &item) == US_OK) {
		us_json_kv_cstr(j, "docket", item.id);
		us_json_kv_hex(j, "digest", item.digest, sizeof item.digest);
	}
}

static void
answer_add(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	const uint32_t id = (uint32_t)us_act_number(result);
	const struct us_person *person = us_registry_person(reg, id);

	(void)act;
	us_json_kv_uint(j, "person", id);
	*pending = person != NULL && person->status == US_PERSON_PENDING;
	if (*pending)
		us_answer_person(reg, id, j);
}

/* ---- person-suspend, person-reinstate, person-end ---- */

static void
code_change(struct us_act_codec *c, struct us_act *act)
{
	us_code_id(c, &act->u.change.person);
	us_code_text(c, &act->u.change.reason, US_REASON_TEXT_MAX);
}

static int
may_change(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    enum us_act_authority authority, struct us_refusal *refusal)
{
	const uint32_t person = act->u.change.person;
	const struct us_person *about = us_registry_person(reg, person);
	int err = us_authority_about(reg, actor, act, person, authority, refusal);

	if (err != US_OK || act->type != US_ACT_PERSON_REINSTATE ||
	    about->status != US_PERSON_SUSPENDED)
		return err;
	if (about->suspended_by_signer && !us_signs_for(reg, actor, about)) {
		err = us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "a roster signer suspended %s; only a roster signer of the party can undo it",
		    about->name);
		us_refuse_cure(refusal, "ask the roster signer whom the order names for the party");
		return err;
	}
	if (!about->suspended_by_signer && !us_is_administrator(actor))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "an administrator suspended %s; only an administrator can undo it",
		    about->name);
	return US_OK;
}

/* 1 if another active administrator would be left. */
static int
other_administrator(const struct us_registry *reg, const struct us_person *p)
{
	for (size_t i = 0; i < reg->n_people; i++)
		if (reg->people[i] != p && us_is_administrator(reg->people[i]) &&
		    reg->people[i]->status == US_PERSON_ACTIVE)
			return 1;
	return 0;
}

static int
check_change(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_person *p = us_registry_person(reg, s->act->u.change.person);

	if (p == NULL)
		return us_not_found(refusal, "person");
	if (p->status == US_PERSON_ENDED)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_ENDED, "%s has ended for good",
		    p->name);
	if (s->act->type == US_ACT_PERSON_REINSTATE)
		return p->status == US_PERSON_SUSPENDED ?
		    US_OK :
		    us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is not suspended",
			p->name);
	/* a roster signer may suspend whom an administrator has suspended: it then takes them to
	 * undo it */
	if (s->act->type == US_ACT_PERSON_SUSPEND && p->status == US_PERSON_SUSPENDED &&
	    (p->suspended_by_signer || us_is_administrator(s->actor)))
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is suspended already",
		    p->name);
	if (us_is_administrator(p) && p->status == US_PERSON_ACTIVE &&
	    !other_administrator(reg, p)) {
		int err = us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "%s is the last active administrator", p->name);
		us_refuse_cure(refusal, "add another administrator first");
		return err;
	}
	return US_OK;
}

static struct us_person *
changed(struct us_registry *reg, const struct us_settled *s)
{
	struct us_person *p = us_person_of(reg, s->act->u.change.person);

	p->changed_ns = s->time_ns;
	us_copy_text(p->reason, sizeof p->reason, s->act->u.change.reason);
	return p;
}

static int
fold_suspend(struct us_registry *reg, struct us_settled *s)
{
	struct us_person *p = changed(reg, s);

	p->status = US_PERSON_SUSPENDED;
	p->suspended_by = s->actor->id;
	p->suspended_by_signer = !us_is_administrator(s->actor);
	reg->generation++;
	return US_OK;
}

static int
fold_reinstate(struct us_registry *reg, struct us_settled *s)
{
	struct us_person *p = changed(reg, s);

	p->status = p->signed_in ? US_PERSON_ACTIVE : US_PERSON_PENDING;
	p->suspended_by = 0;
	p->suspended_by_signer = 0;
	return US_OK;
}

static int
fold_end(struct us_registry *reg, struct us_settled *s)
{
	changed(reg, s)->status = US_PERSON_ENDED;
	reg->generation++;
	return US_OK;
}

static void
answer_change(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	const struct us_person *person = us_registry_person(reg, act->u.change.person);

	(void)result;
	(void)pending;
	us_json_kv_uint(j, "person", act->u.change.person);
	if (person != NULL)
		us_json_kv_cstr(j, "person_status", us_person_status_name(person->status));
}

/* ---- docket-sign of a person ---- */

int
us_check_person_sign(const struct us_registry *reg, const struct us_settled *s,
    struct us_refusal *refusal)
{
	const struct us_act_sign *a = &s->act->u.sign;
	struct us_docket_item item;
	int err = us_registry_docket_item(reg, a->docket_id, &item);

	if (err == US_ERR_NOT_FOUND)
		return us_refuse(refusal, err, US_REASON_NOT_FOUND,
		    "nothing on the docket waits under that id");
	if (err != US_OK)
		return err;
	if (memcmp(item.digest, a->digest, 32) != 0) {
		err = us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the item has changed since it was shown");
		us_refuse_cure(refusal, "look at it again (docket show) and sign what it is now");
		return err;
	}
	if (!us_registry_waits_for(reg, &item, s->actor))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "%s does not wait for your signature", item.id);
	return US_OK;
}

void
us_fold_person_sign(struct us_registry *reg, const struct us_settled *s)
{
	struct us_docket_item item;

	if (us_registry_docket_item(reg, s->act->u.sign.docket_id, &item) != US_OK)
		return; /* the rules have found it a moment ago */
	struct us_person *p = us_person_of(reg, item.person);
	const unsigned all = (1u << p->n_parties) - 1u;
	unsigned mask = 0;
	for (size_t i = 0; i < p->n_parties; i++) {
		size_t party;
		if (us_order_party(reg->order, us_bytes_of(p->parties[i]), &party) == US_OK &&
		    us_authority_may_sign(reg, s->actor, p, (int)party))
			mask |= 1u << i;
	}
	for (size_t i = 0; i < reg->n_credentials; i++) {
		struct us_credential_full *c = reg->credentials[i];
		if (c->shown.person != p->id || c->shown.approved || c->shown.revoked)
			continue;
		c->approved_parties |= (uint16_t)mask;
		c->shown.approved = (all & ~(unsigned)c->approved_parties) == 0;
	}
	p->signed_parties |= (uint16_t)mask;
	if (p->status == US_PERSON_PENDING && (all & ~(unsigned)p->signed_parties) == 0) {
		p->status = US_PERSON_ACTIVE;
		p->signed_in = 1;
		p->changed_ns = s->time_ns;
	}
}

const struct us_act_ops us_acts_people[] = {
	{ .type = US_ACT_PERSON_ADD,
	    .code = code_add,
	    .check = check_add,
	    .fold = fold_add,
	    .result = result_add,
	    .answer = answer_add },
	{ .type = US_ACT_PERSON_SUSPEND,
	    .code = code_change,
	    .may = may_change,
	    .check = check_change,
	    .fold = fold_suspend,
	    .answer = answer_change },
	{ .type = US_ACT_PERSON_REINSTATE,
	    .code = code_change,
	    .may = may_change,
	    .check = check_change,
	    .fold = fold_reinstate,
	    .answer = answer_change },
	{ .type = US_ACT_PERSON_END,
	    .code = code_change,
	    .may = may_change,
	    .check = check_change,
	    .fold = fold_end,
	    .answer = answer_change },
	{ 0 },
};
