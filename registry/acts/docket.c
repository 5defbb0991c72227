/* What is done with an item of the docket: signed, objected to, resolved, withdrawn, served. */
#include "registry/acts/acts.h"
#include "registry/versions_internal.h"

/* ---- docket-sign ---- */

static void
code_sign(struct us_act_codec *c, struct us_act *act)
{
	us_code_name(c, &act->u.sign.docket_id, US_DOCKET_ID_MAX);
	us_code_fixed(c, act->u.sign.digest, 32);
}

/* Whose signature a filing waits for is checked with it; an approval waits for whom the rule names,
 * signer or not. */
static int
may_sign(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    enum us_act_authority authority, struct us_refusal *refusal)
{
	(void)authority;
	return us_filing_of(reg, act->u.sign.docket_id) != NULL ?
	    US_OK :
	    us_authority_signer(reg, actor, refusal);
}

static int
check_approval(const struct us_registry *reg, const struct us_settled *s, const struct us_filing *f,
    struct us_refusal *refusal)
{
	for (size_t i = 0; i < f->n_signatures; i++)
		if (f->signatures[i].person == s->actor->id)
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "you have signed %s", f->id);
	if (!us_approval_wants(reg, f, s->actor))
		return us_not_yours(refusal, f->id);
	return f->n_signatures < US_FILING_SIGNATURES ? US_OK : us_full(refusal, f);
}

static int
check_filing_sign(const struct us_registry *reg, const struct us_settled *s,
    const struct us_filing *f, struct us_refusal *refusal)
{
	int err;

	if (memcmp(f->digest, s->act->u.sign.digest, 32) != 0) {
		err = us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "that is not the digest of %s", f->id);
		us_refuse_cure(refusal, "look at it (docket show) and sign what it is");
		return err;
	}
	if (f->status != US_FILING_WAITS)
		return us_wrong_state(refusal, f);
	if (f->kind != US_FILING_ORDER && f->kind != US_FILING_CLEARANCE &&
	    f->kind != US_FILING_APPROVAL)
		return us_not_yours(refusal, f->id);
	/* whose signature counts comes first: what still stands in the way is not everybody's
	 * business */
	err = f->kind == US_FILING_APPROVAL ? check_approval(reg, s, f, refusal) :
					      us_add_to_quorum(reg, s, f, refusal);
	if (err == US_OK && f->kind == US_FILING_CLEARANCE &&
	    !us_filing_term_has_run(reg, f, s->time_ns)) {
		err = us_refuse(refusal, US_ERR_STATE, US_REASON_CLEARANCE,
		    "%s: not every party is served, or a term to object still runs", f->id);
		us_refuse_cure(refusal, "docket show says who was served when and what is due");
	}
	if (err == US_OK && f->kind == US_FILING_ORDER) {
		/* what was in force when it was proposed need not be so now */
		const struct us_order_version *v = us_registry_version_of(reg, f->number);
		err = v == NULL ? us_not_found(refusal, "version") :
				  us_rules_version(reg, s, v->order, v->effective_ns, refusal);
	}
	return err;
}

static int
check_sign(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_filing *f = us_filing_of(reg, s->act->u.sign.docket_id);

	return f != NULL ? check_filing_sign(reg, s, f, refusal) :
			   us_check_person_sign(reg, s, refusal);
}

static int
fold_sign(struct us_registry *reg, struct us_settled *s)
{
	struct us_filing *f = us_filing_of(reg, s->act->u.sign.docket_id);

	if (f == NULL) {
		us_fold_person_sign(reg, s);
		return US_OK;
	}
	if (f->kind == US_FILING_APPROVAL) {
		us_add_signature(reg, s, f);
		return US_OK;
	}
	if (!us_sign_for_quorum(reg, s, f))
		return US_OK;
	us_close_filing(f, s, US_FILING_GRANTED,
	    us_bytes_of(f->kind == US_FILING_ORDER ? f->text : "signed"));
	if (f->kind == US_FILING_ORDER) {
		us_fold_version(reg, f->number)->shown.signed_ns = s->time_ns;
		(void)us_registry_at(reg, s->time_ns);
	}
	return US_OK;
}

/* Of an approval who signs cannot tell whether more are needed: that is the rule's. */
void
us_answer_signed(const struct us_registry *reg, struct us_bytes id, struct us_json *j, int *pending)
{
	const struct us_filing *f = us_filing_of(reg, id);
	struct us_docket_item item;
	const int open = f != NULL ? us_filing_is_open(f) :
				     us_registry_docket_item(reg, id, &item) == US_OK;

	us_json_kv_bool(j, "open", open);
	us_json_kv_str(j, "docket", id);
	if (f != NULL && f->kind == US_FILING_ORDER)
		us_json_kv_uint(j, "version", f->number);
	*pending = open && f != NULL && f->kind != US_FILING_APPROVAL;
}

static void
answer_sign(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)result;
	us_answer_signed(reg, act->u.sign.docket_id, j, pending);
}

/* ---- the filing that the others are about ---- */

static void
code_id(struct us_act_codec *c, struct us_act *act)
{
	us_code_name(c, &act->u.docket.docket_id, US_DOCKET_ID_MAX);
}

static int
find(const struct us_registry *reg, const struct us_settled *s, const struct us_filing **out,
    struct us_refusal *refusal)
{
	*out = us_filing_of(reg, s->act->u.docket.docket_id);
	return *out != NULL ? US_OK :
			      us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND,
				  "nothing on the docket has that id");
}

static void
answer_status(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	const struct us_filing *f = us_filing_of(reg, act->u.docket.docket_id);

	(void)result;
	(void)pending;
	us_json_kv_str(j, "docket", act->u.docket.docket_id);
	if (f != NULL)
		us_json_kv_cstr(j, "filing_status", us_filing_status_name(f->status));
}

/* ---- docket-object ---- */

static void
code_object(struct us_act_codec *c, struct us_act *act)
{
	code_id(c, act);
	us_code_fixed(c, act->u.docket.grounds, 32);
}

static int
check_object(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_filing *f;
	int err = find(reg, s, &f, refusal);

	if (err != US_OK)
		return err;
	if (!us_filing_is_open(f))
		return us_wrong_state(refusal, f);
	if (f->kind == US_FILING_FREEZE || f->kind == US_FILING_APPROVAL)
		return us_not_yours(refusal, f->id);
	if (f->objected_by != 0)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "an objection to %s is noted already", f->id);
	if (f->kind == US_FILING_CLEARANCE) {
		uint64_t served = 0;
		size_t party;
		for (size_t i = 0; i < f->n_services; i++)
			if (us_order_party(reg->order, us_bytes_of(f->services[i].party), &party) ==
			    US_OK)
				served |= UINT64_C(1) << party;
		if ((us_signer_bits(reg, s->actor) & served) == 0)
			return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
			    "a roster signer of a party that was served objects");
	} else if (us_signer_bits(reg, s->actor) == 0) {
		return us_not_yours(refusal, f->id);
	}
	return us_needs_document(reg, s->act->u.docket.grounds, US_NEEDED,
	    "grounds of the objection", refusal);
}

static int
fold_object(struct us_registry *reg, struct us_settled *s)
{
	struct us_filing *f = us_filing_of(reg, s->act->u.docket.docket_id);

	f->objected_by = s->actor->id;
	f->objected_ns = s->time_ns;
	memcpy(f->grounds, s->act->u.docket.grounds, 32);
	if (f->kind == US_FILING_CLEARANCE)
		f->status = US_FILING_OBJECTED;
	return US_OK;
}

/* ---- docket-resolve ---- */

static void
code_resolve(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_docket *a = &act->u.docket;
	unsigned outcome = (unsigned)a->outcome;

	code_id(c, act);
	us_code_choice(c, &outcome, US_OUTCOME_GRANTED, US_OUTCOME_DENIED);
	a->outcome = outcome == US_OUTCOME_GRANTED ? US_OUTCOME_GRANTED : US_OUTCOME_DENIED;
	us_code_text(c, &a->text, US_AUTHORITY_TEXT_MAX);
}

static int
check_resolve(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_filing *f;
	int err = find(reg, s, &f, refusal);

	if (err != US_OK)
		return err;
	if (f->kind != US_FILING_CLEARANCE && f->kind != US_FILING_CHALLENGE &&
	    f->kind != US_FILING_CLAWBACK)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "%s is decided by signatures, not resolved", f->id);
	if (!us_filing_is_open(f))
		return us_wrong_state(refusal, f);
	return (us_signer_bits(reg, s->actor) & reg->order->workflows.may_resolve) != 0 ?
	    US_OK :
	    us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		"the order does not name you among those who resolve this");
}

static int
fold_resolve(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_docket *a = &s->act->u.docket;

	us_close_filing(us_filing_of(reg, a->docket_id), s,
	    a->outcome == US_OUTCOME_GRANTED ? US_FILING_GRANTED : US_FILING_DENIED, a->text);
	reg->generation++;
	return US_OK;
}

/* ---- docket-withdraw ---- */

static void
code_withdraw(struct us_act_codec *c, struct us_act *act)
{
	code_id(c, act);
	us_code_text(c, &act->u.docket.text, US_REASON_TEXT_MAX);
}

static int
check_withdraw(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_person *filer;
	const struct us_filing *f;
	int err = find(reg, s, &f, refusal);

	if (err != US_OK)
		return err;
	if (f->kind == US_FILING_FREEZE)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "a freeze is lifted by its quorum: underseal unfreeze");
	/* a clearance that was granted can be given back by who asked for it, and a clawback that
	 * was upheld be dropped */
	if (!us_filing_is_open(f) &&
	    !(f->status == US_FILING_GRANTED &&
		(f->kind == US_FILING_CLEARANCE || f->kind == US_FILING_CLAWBACK)))
		return us_wrong_state(refusal, f);
	filer = us_registry_person(reg, f->filed_by);
	if (s->actor->id != f->filed_by &&
	    (filer == NULL || (us_signer_bits(reg, s->actor) & filer->party_bits) == 0))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "%s is withdrawn by who filed it", f->id);
	return US_OK;
}

static int
fold_withdraw(struct us_registry *reg, struct us_settled *s)
{
	struct us_filing *f = us_filing_of(reg, s->act->u.docket.docket_id);

	us_close_filing(f, s, US_FILING_WITHDRAWN, s->act->u.docket.text);
	if (f->kind == US_FILING_ORDER)
		us_fold_version(reg, f->number)->shown.withdrawn = 1;
	reg->generation++;
	return US_OK;
}

/* ---- docket-serve ---- */

static void
code_serve(struct us_act_codec *c, struct us_act *act)
{
	code_id(c, act);
	us_code_name(c, &act->u.docket.party, US_ORDER_ID_MAX);
	us_code_time(c, &act->u.docket.at_ns);
}

static int
check_serve(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_docket *a = &s->act->u.docket;
	const uint64_t signer = us_signer_bits(reg, s->actor);
	const struct us_service *there;
	const struct us_person *filer;
	const struct us_filing *f;
	size_t party;
	int err = find(reg, s, &f, refusal);

	if (err != US_OK)
		return err;
	if (!us_filing_is_open(f) || f->kind == US_FILING_FREEZE || f->kind == US_FILING_APPROVAL)
		return us_wrong_state(refusal, f);
	if (us_order_party(reg->order, a->party, &party) != US_OK)
		return us_not_found(refusal, "party");
	if (a->at_ns > s->time_ns || a->at_ns < f->filed_ns)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "a service is between the filing and now");
	const int receives = (signer >> party & 1) != 0;
	filer = us_registry_person(reg, f->filed_by);
	if (!receives && !us_is_administrator(s->actor) &&
	    (signer & reg->order->workflows.may_resolve) == 0 && s->actor->id != f->filed_by &&
	    (filer == NULL || (filer->party_bits & signer) == 0))
		return us_not_yours(refusal, f->id);
	there = us_filing_service(f, a->party);
	if (there != NULL && (there->received || !receives))
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "that party has been served with %s", f->id);
	if (there == NULL && f->n_services == US_FILING_SERVICES)
		return us_refuse(refusal, US_ERR_LIMIT, US_REASON_STATE,
		    "too many parties are served");
	return US_OK;
}

/* The terms that begin with a service. */
static void
start_terms(const struct us_registry *reg, const struct us_filing *f, struct us_service *v)
{
	const struct us_calendar *calendar = us_order_calendar(reg->order);
	const struct us_workflows *w = &reg->order->workflows;

	for (size_t i = 0; f->kind == US_FILING_CLEARANCE && i < reg->order->n_clearances; i++)
		if (us_bytes_is(reg->order->clearances[i].id, f->text) &&
		    us_calendar_due(calendar, v->served_ns, reg->order->clearances[i].days,
			reg->order->clearances[i].working_only, &v->due_ns) != US_OK)
			v->due_ns = INT64_MAX; /* no term that could run out */
	if (f->kind == US_FILING_CHALLENGE && w->confer_days > 0)
		(void)us_calendar_due(calendar, v->served_ns, w->confer_days, 0, &v->confer_ns);
	if (f->kind == US_FILING_CHALLENGE && w->move_days > 0)
		(void)us_calendar_due(calendar, v->served_ns, w->move_days, 0, &v->due_ns);
}

static int
fold_serve(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_docket *a = &s->act->u.docket;
	struct us_filing *f = us_filing_of(reg, a->docket_id);
	struct us_service *v = us_filing_service(f, a->party);
	size_t party;

	if (v == NULL) {
		v = &f->services[f->n_services++];
		us_copy_text(v->party, sizeof v->party, a->party);
		v->served_ns = a->at_ns;
		v->served_by = s->actor->id;
		start_terms(reg, f, v);
	}
	if (us_order_party(reg->order, a->party, &party) == US_OK &&
	    (us_signer_bits(reg, s->actor) >> party & 1) != 0) {
		v->received = 1;
		v->received_ns = s->time_ns;
	}
	return US_OK;
}

const struct us_act_ops us_acts_docket[] = {
	{ .type = US_ACT_DOCKET_SIGN,
	    .code = code_sign,
	    .may = may_sign,
	    .check = check_sign,
	    .fold = fold_sign,
	    .answer = answer_sign },
	{ .type = US_ACT_DOCKET_OBJECT,
	    .code = code_object,
	    .check = check_object,
	    .fold = fold_object,
	    .answer = answer_status },
	{ .type = US_ACT_DOCKET_RESOLVE,
	    .code = code_resolve,
	    .check = check_resolve,
	    .fold = fold_resolve,
	    .answer = answer_status },
	{ .type = US_ACT_DOCKET_WITHDRAW,
	    .code = code_withdraw,
	    .check = check_withdraw,
	    .fold = fold_withdraw,
	    .answer = answer_status },
	{ .type = US_ACT_DOCKET_SERVE,
	    .code = code_serve,
	    .check = check_serve,
	    .fold = fold_serve,
	    .answer = answer_status },
	{ 0 },
};
