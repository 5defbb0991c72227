/* The order: proposed, suspended, acknowledged; and the state of the matter that it speaks of. */
#include "crypto/crypto.h"
#include "registry/acts/acts.h"
#include "registry/versions_internal.h"

struct us_version_full *
us_fold_version(struct us_registry *reg, uint32_t version)
{
	for (size_t i = 0; i < reg->n_versions; i++)
		if (reg->versions[i]->shown.version == version)
			return reg->versions[i];
	return NULL;
}

/* ---- order-propose ---- */

static void
code_propose(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_order_propose *a = &act->u.order_propose;

	us_code_str32(c, &a->source, US_ORDER_SOURCE_MAX);
	us_code_str32(c, &a->compiled, US_ORDER_COMPILED_MAX);
	us_code_fixed(c, a->instrument, 32);
	us_code_text(c, &a->authority, US_AUTHORITY_TEXT_MAX);
	us_code_time(c, &a->effective_ns);
	us_code_require(c, a->source.n > 0 && a->compiled.n > 0, US_ERR_FORMAT);
}

static int
check_propose(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_order_propose *a = &s->act->u.order_propose;
	uint8_t digest[32];
	int err = us_needs_document(reg, a->instrument, US_MAY_BE_NONE, "instrument", refusal);

	if (err != US_OK)
		return err;
	us_order_free(s->order);
	s->order = NULL;
	err = us_order_decode(a->compiled.p, a->compiled.n, &s->order);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the compiled order: %s",
		    us_strerror(err));
	if ((err = us_sha256(a->source.p, a->source.n, digest)) != US_OK)
		return err;
	if (memcmp(digest, s->order->source_digest, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_MALFORMED,
		    "the compiled order was not made from the source beside it");
	const uint32_t last = reg->versions[reg->n_versions - 1]->shown.version;
	if (s->order->version <= last) {
		err = us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "version %u is taken; the next is %u", (unsigned)s->order->version,
		    (unsigned)last + 1);
		us_refuse_cure(refusal, "set the version in the file");
		return err;
	}
	/* an order that nobody signs for any more could neither be lifted nor amended again */
	if (s->order->n_parties == 0)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "the order has no party");
	return us_rules_version(reg, s, s->order, a->effective_ns, refusal);
}

static int
fold_propose(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_order_propose *a = &s->act->u.order_propose;
	struct us_version_full *v;
	struct us_filing *f;
	int err = us_open_filing(reg, s, US_FILING_ORDER, s->order->version, &f);

	if (err != US_OK)
		return err;
	err = us_order_item_digest(reg->vault_id, s->order->version, a, f->digest);
	if (err == US_OK)
		err = us_version_add(reg, s->order, a->source, &v);
	if (err != US_OK) {
		us_drop_filing(reg, f);
		return err;
	}
	s->order = NULL; /* transferred */
	us_copy_text(f->text, sizeof f->text, a->authority);
	memcpy(f->document, a->instrument, 32);
	us_copy_text(v->shown.authority, sizeof v->shown.authority, a->authority);
	memcpy(v->shown.instrument, a->instrument, 32);
	v->shown.proposed_by = s->actor->id;
	v->shown.proposed_ns = s->time_ns;
	v->shown.effective_ns = a->effective_ns;
	return US_OK;
}

/* The version that was proposed with this source: not always the newest, when the act was sent
 * again. */
static void
answer_propose(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	const struct us_bytes source = act->u.order_propose.source;
	uint32_t version = 0;

	(void)result;
	for (size_t i = us_registry_versions(reg); i-- > 0 && version == 0;) {
		const struct us_order_version *v = us_registry_version(reg, i);

		if (v->source.n == source.n && memcmp(v->source.p, source.p, source.n) == 0)
			version = v->version;
	}
	us_filing_answer(reg, US_FILING_ORDER, version, j, pending);
}

/* ---- order-suspend ---- */

static void
code_suspend(struct us_act_codec *c, struct us_act *act)
{
	us_code_id(c, &act->u.order_suspend.version);
	us_code_text(c, &act->u.order_suspend.authority, US_AUTHORITY_TEXT_MAX);
}

static int
check_suspend(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_order_version *v = us_registry_version_of(reg,
	    s->act->u.order_suspend.version);

	if (v == NULL)
		return us_not_found(refusal, "version");
	if ((us_signer_bits(reg, s->actor) & reg->order->workflows.may_suspend) == 0)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "the order does not name you among those who may suspend it");
	if (v == &reg->versions[0]->shown)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the first version has no predecessor; freeze everything instead");
	switch (us_registry_version_status(reg, v, s->time_ns)) {
	case US_VERSION_SIGNED:
	case US_VERSION_IN_FORCE:
	case US_VERSION_REPLACED:
		return US_OK;
	case US_VERSION_PROPOSED:
	case US_VERSION_SUSPENDED:
	case US_VERSION_WITHDRAWN:
		break;
	}
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "version %u is %s",
	    (unsigned)v->version,
	    us_version_status_name(us_registry_version_status(reg, v, s->time_ns)));
}

static int
fold_suspend(struct us_registry *reg, struct us_settled *s)
{
	struct us_version_full *v = us_fold_version(reg, s->act->u.order_suspend.version);

	v->shown.suspended_ns = s->time_ns;
	v->shown.suspended_by = s->actor->id;
	us_copy_text(v->shown.suspended_authority, sizeof v->shown.suspended_authority,
	    s->act->u.order_suspend.authority);
	(void)us_registry_at(reg, s->time_ns);
	return US_OK;
}

static void
answer_suspend(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)result;
	(void)pending;
	us_json_kv_uint(j, "version", act->u.order_suspend.version);
	us_json_kv_uint(j, "in_force", reg->order->version);
}

/* ---- acknowledge ---- */

static void
code_acknowledge(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_acknowledge *a = &act->u.acknowledge;

	us_code_id(c, &a->version);
	us_code_fixed(c, a->source_digest, 32);
	us_code_fixed(c, a->instrument, 32);
	us_code_text(c, &a->address, US_ADDRESS_TEXT_MAX);
	us_code_text(c, &a->place, US_ADDRESS_TEXT_MAX);
	us_code_fixed(c, a->form, 32);
}

static int
check_acknowledge(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_acknowledge *a = &s->act->u.acknowledge;
	const struct us_order_version *v = us_registry_version_of(reg, a->version);

	if (v == NULL || v->signed_ns == INT64_MAX || v->withdrawn)
		return us_not_found(refusal, "version that is signed");
	if (memcmp(a->source_digest, v->order->source_digest, 32) != 0 ||
	    memcmp(a->instrument, v->instrument, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_STATE,
		    "that is not what version %u says", (unsigned)a->version);
	for (size_t i = 0; i < reg->n_acknowledgements; i++)
		if (reg->acknowledgements[i]->person == s->actor->id &&
		    reg->acknowledgements[i]->version == a->version)
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "you have acknowledged version %u already", (unsigned)a->version);
	return us_needs_document(reg, a->form, US_MAY_BE_NONE, "signed form", refusal);
}

static int
fold_acknowledge(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_acknowledge *a = &s->act->u.acknowledge;
	struct us_acknowledgement *k;
	int err = us_grow(&reg->acknowledgements, reg->n_acknowledgements,
	    &reg->cap_acknowledgements, sizeof(struct us_acknowledgement *));

	if (err != US_OK)
		return err;
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return US_ERR_NOMEM;
	k->person = s->actor->id;
	k->version = a->version;
	k->time_ns = s->time_ns;
	memcpy(k->credential, s->credential, 32);
	memcpy(k->instrument, a->instrument, 32);
	memcpy(k->form, a->form, 32);
	us_copy_text(k->address, sizeof k->address, a->address);
	us_copy_text(k->place, sizeof k->place, a->place);
	reg->acknowledgements[reg->n_acknowledgements++] = k;
	return US_OK;
}

static void
answer_acknowledge(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)reg;
	(void)result;
	(void)pending;
	us_json_kv_uint(j, "version", act->u.acknowledge.version);
}

/* ---- matter-set ---- */

static void
code_matter(struct us_act_codec *c, struct us_act *act)
{
	us_code_name(c, &act->u.matter.state, US_ORDER_ID_MAX);
	us_code_text(c, &act->u.matter.authority, US_AUTHORITY_TEXT_MAX);
}

static int
check_matter(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_bytes state = s->act->u.matter.state;

	if ((us_signer_bits(reg, s->actor) & reg->order->workflows.may_resolve) == 0)
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "the order does not name you among those who say where the matter stands");
	for (size_t i = 0; i < reg->order->n_matter_states; i++)
		if (reg->order->matter_states[i].n == state.n &&
		    memcmp(reg->order->matter_states[i].p, state.p, state.n) == 0)
			return US_OK;
	return us_not_found(refusal, "state of the matter in the order");
}

static int
fold_matter(struct us_registry *reg, struct us_settled *s)
{
	us_copy_text(reg->matter, sizeof reg->matter, s->act->u.matter.state);
	reg->generation++;
	return US_OK;
}

static void
answer_matter(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)act;
	(void)result;
	(void)pending;
	us_json_kv_cstr(j, "matter", reg->matter);
}

const struct us_act_ops us_acts_orders[] = {
	{ .type = US_ACT_ORDER_PROPOSE,
	    .code = code_propose,
	    .check = check_propose,
	    .fold = fold_propose,
	    .answer = answer_propose },
	{ .type = US_ACT_ORDER_SUSPEND,
	    .code = code_suspend,
	    .check = check_suspend,
	    .fold = fold_suspend,
	    .answer = answer_suspend },
	{ 0 },
};

const struct us_act_ops us_acts_acknowledgements[] = {
	{ .type = US_ACT_ACKNOWLEDGE,
	    .code = code_acknowledge,
	    .check = check_acknowledge,
	    .fold = fold_acknowledge,
	    .answer = answer_acknowledge },
	{ 0 },
};

const struct us_act_ops us_acts_matter[] = {
	{ .type = US_ACT_MATTER_SET,
	    .code = code_matter,
	    .check = check_matter,
	    .fold = fold_matter,
	    .answer = answer_matter },
	{ 0 },
};
