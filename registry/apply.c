/* Checking, preparing, applying: the path that every act takes. */
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "registry/authority.h"
#include "registry/internal.h"
#include "registry/versions_internal.h"

/* A person's nonce belongs to the credential: two people may draw the same without harm to
 * either. */
static void
nonce_key(const struct us_signed_act *act, uint8_t key[32])
{
	memcpy(key, act->nonce, US_ACT_NONCE);
	memcpy(key + US_ACT_NONCE, act->credential, 32 - US_ACT_NONCE);
}

static const char *
standing_text(enum us_reason reason)
{
	if (reason == US_REASON_UNKNOWN_CREDENTIAL)
		return "this credential is not known here";
	if (reason == US_REASON_REVOKED)
		return "this credential is revoked";
	if (reason == US_REASON_SUSPENDED)
		return "this person is suspended";
	if (reason == US_REASON_ENDED)
		return "this person has ended";
	if (reason == US_REASON_PENDING)
		return "this person or credential waits for a roster signer";
	if (reason == US_REASON_EXPIRED)
		return "this credential has expired";
	return "this credential is not valid yet";
}

static int
standing_err(enum us_reason reason)
{
	if (reason == US_REASON_UNKNOWN_CREDENTIAL)
		return US_ERR_NOT_FOUND;
	if (reason == US_REASON_REVOKED || reason == US_REASON_ENDED)
		return US_ERR_REVOKED;
	if (reason == US_REASON_SUSPENDED)
		return US_ERR_SUSPENDED;
	if (reason == US_REASON_PENDING)
		return US_ERR_PENDING;
	return reason == US_REASON_EXPIRED ? US_ERR_EXPIRED : US_ERR_NOT_YET;
}

uint64_t
us_registry_done(const struct us_registry *reg, const struct us_signed_act *act)
{
	uint8_t nonce[32];

	nonce_key(act, nonce);
	return us_table_get(&reg->nonces, nonce);
}

/* Envelope, clock, replay, standing, signature: everything before the payload. */
static int
check_envelope(const struct us_registry *reg, struct us_bytes signed_act, struct us_bytes signature,
    int64_t now_ns, struct us_signed_act *env, const struct us_person **actor,
    struct us_refusal *refusal)
{
	const struct us_credential *credential;
	uint8_t nonce[32];
	int err;

	if (reg->order == NULL || now_ns < 0)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the vault has no beginning yet");
	err = us_signed_act_decode(env, signed_act.p, signed_act.n);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the act: %s",
		    us_strerror(err));
	if (us_act_is_vaults(env->type))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY,
		    "only the vault itself can do that");
	if (memcmp(env->vault_id, reg->vault_id, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_MALFORMED,
		    "the act is for another vault");
	int64_t drift = now_ns - env->time_ns;
	if (drift > US_ACT_DRIFT_NS || drift < -US_ACT_DRIFT_NS) {
		err = us_refuse(refusal, US_ERR_EXPIRED, US_REASON_CLOCK,
		    "the act was signed more than 15 minutes from the vault's time");
		us_refuse_cure(refusal, "set your clock and sign again");
		return err;
	}
	enum us_reason reason = us_registry_standing(reg, env->credential, now_ns, actor,
	    &credential);
	if (reason != US_REASON_NONE)
		return us_refuse(refusal, standing_err(reason), reason, "%s",
		    standing_text(reason));
	err = us_cert_verify_signature(credential->certificate, signed_act, signature);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_BAD_SIGNATURE,
		    "the signature of the act does not verify");
	nonce_key(env, nonce);
	if (us_table_get(&reg->nonces, nonce) != 0)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_REPLAY,
		    "this act has been done already");
	return US_OK;
}

/* The whole check of a person's act; fills settled. */
static int
check_act(const struct us_registry *reg, struct us_bytes signed_act, struct us_bytes signature,
    struct us_act *act, struct us_settled *settled, struct us_signed_act *env,
    struct us_refusal *refusal)
{
	const struct us_person *actor = NULL;
	struct us_context facts;
	int err = check_envelope(reg, signed_act, signature, settled->time_ns, env, &actor,
	    refusal);

	if (err != US_OK)
		return err;
	err = us_act_decode(act, env->type, env->payload);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the act %s: %s",
		    us_act_name((unsigned)env->type), us_strerror(err));
	settled->act = act;
	settled->actor = actor;
	settled->credential = env->credential;
	if (us_version_now(reg, settled->time_ns)->order != reg->order)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "another version of the order has just come into force; try again");
	us_registry_context(reg, NULL, (struct us_bytes){ NULL, 0 }, settled->time_ns, &facts);
	facts.unknown = US_FACTS_UNKNOWN;
	err = us_authority_check(reg, actor, act, &facts, refusal);
	if (err == US_OK)
		err = us_act_ops(act->type)->check(reg, settled, refusal);
	return err;
}

int
us_registry_check(const struct us_registry *reg, struct us_bytes signed_act,
    struct us_bytes signature, int64_t now_ns, struct us_act *act, uint32_t *actor,
    struct us_refusal *refusal)
{
	struct us_settled settled = { .time_ns = now_ns };
	struct us_signed_act env;
	int err;

	if (refusal != NULL)
		memset(refusal, 0, sizeof *refusal);
	err = check_act(reg, signed_act, signature, act, &settled, &env, refusal);
	if (err == US_OK)
		*actor = settled.actor->id;
	us_order_free(settled.order);
	return err;
}

/* What the act gives back: ids that come next, or the certificate. */
static int
make_result(const struct us_registry *reg, const struct us_settled *s, struct us_buf *out)
{
	const struct us_act_ops *ops = us_act_ops(s->act->type);

	if (ops->result != NULL)
		return ops->result(reg, s, out);
	return (unsigned)ops->opens == 0 ? US_OK :
					   us_buf_put_u32(out, us_filings_next(reg, ops->opens));
}

static int
put_committed(const struct us_registry *reg, const struct us_settled *s, struct us_bytes signed_act,
    struct us_bytes signature, struct us_buf *committed)
{
	struct us_committed_act c = { .sequence = reg->sequence + 1,
		.time_ns = s->time_ns,
		.actor = s->actor == NULL ? 0 : s->actor->id,
		.signed_act = signed_act,
		.signature = signature };
	struct us_buf result;
	int err;

	us_buf_init(&result, US_ACT_RESULT_MAX);
	err = make_result(reg, s, &result);
	if (err == US_OK) {
		c.result = (struct us_bytes){ result.data, result.len };
		err = us_committed_act_encode(committed, &c);
	}
	us_buf_free(&result);
	return err;
}

int
us_registry_prepare(const struct us_registry *reg, struct us_bytes signed_act,
    struct us_bytes signature, struct us_bytes certificate, int64_t now_ns,
    struct us_buf *committed, struct us_refusal *refusal)
{
	struct us_settled settled = { .time_ns = now_ns, .certificate = certificate };
	struct us_act *act = malloc(sizeof *act);
	struct us_signed_act env;
	int err;

	if (act == NULL)
		return US_ERR_NOMEM;
	if (refusal != NULL)
		memset(refusal, 0, sizeof *refusal);
	err = check_act(reg, signed_act, signature, act, &settled, &env, refusal);
	if (err == US_OK && act->type == US_ACT_CREDENTIAL_ISSUE)
		err = us_rules_certificate(reg, &settled, refusal);
	if (err == US_OK)
		err = put_committed(reg, &settled, signed_act, signature, committed);
	us_order_free(settled.order);
	free(act);
	return err;
}

/* The rules for an act of the vault's own; init gets its order decoded into s. */
static int
check_own(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	int err;

	if (reg->order != NULL)
		return us_act_ops(s->act->type)->check(reg, s, refusal);
	if (s->act->type != US_ACT_INIT)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the vault has no beginning yet");
	err = us_order_decode(s->act->u.init.order_compiled.p, s->act->u.init.order_compiled.n,
	    &s->order);
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the compiled order: %s",
		    us_strerror(err));
	err = us_rules_init(s, refusal);
	if (err != US_OK) {
		us_order_free(s->order);
		s->order = NULL;
	}
	return err;
}

int
us_registry_prepare_own(const struct us_registry *reg, const struct us_act *act,
    const uint8_t vault_id[32], int64_t now_ns, struct us_buf *committed,
    struct us_refusal *refusal)
{
	struct us_settled settled = { .act = act, .time_ns = now_ns };
	struct us_signed_act env = { .type = act->type, .time_ns = now_ns };
	struct us_buf payload, signed_act;
	struct us_bytes none = { NULL, 0 };
	int err;

	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	us_buf_init(&signed_act, US_ACT_SIGNED_MAX);
	if (refusal != NULL)
		memset(refusal, 0, sizeof *refusal);
	if (!us_act_is_vaults(act->type) || (act->type == US_ACT_INIT && vault_id == NULL) ||
	    now_ns < 0)
		return US_ERR_ARG;
	/* encoding first: it refuses what the decoder would */
	err = us_act_encode(&payload, act);
	if (err == US_OK)
		err = check_own(reg, &settled, refusal);
	if (err != US_OK)
		goto out;
	env.payload = (struct us_bytes){ payload.data, payload.len };
	memcpy(env.vault_id, act->type == US_ACT_INIT ? vault_id : reg->vault_id, 32);
	err = us_signed_act_encode(&signed_act, &env);
	if (err == US_OK)
		err = put_committed(reg, &settled,
		    (struct us_bytes){ signed_act.data, signed_act.len }, none, committed);
out:
	us_order_free(settled.order);
	us_buf_free(&payload);
	us_buf_free(&signed_act);
	return err;
}

/* The result in a committed act must be what it had to be. */
static int
check_result(const struct us_registry *reg, struct us_settled *s, struct us_bytes result,
    struct us_refusal *refusal)
{
	struct us_buf expected;
	struct us_reader r;
	int err;

	if (s->act->type == US_ACT_CREDENTIAL_ISSUE) {
		us_reader_init(&r, result.p, result.n);
		s->certificate = us_take_str32(&r, US_CERT_MAX);
		err = us_reader_end(&r);
		return err != US_OK ? err : us_rules_certificate(reg, s, refusal);
	}
	us_buf_init(&expected, US_ACT_RESULT_MAX);
	err = make_result(reg, s, &expected);
	if (err == US_OK &&
	    (expected.len != result.n ||
		(result.n > 0 && memcmp(expected.data, result.p, result.n) != 0)))
		err = us_refuse(refusal, US_ERR_VERIFY, US_REASON_ERROR,
		    "the act's result is not the next number");
	us_buf_free(&expected);
	return err;
}

static int
apply_own(struct us_registry *reg, const struct us_committed_act *c,
    const struct us_signed_act *env, struct us_act *act, const uint8_t next[32],
    struct us_refusal *refusal)
{
	struct us_settled settled = { .act = act, .time_ns = c->time_ns, .next = next };
	int first = reg->order == NULL;
	int err;

	if (env->time_ns != c->time_ns || c->result.n != 0)
		return US_ERR_VERIFY;
	if (!first && memcmp(env->vault_id, reg->vault_id, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_MALFORMED,
		    "the act is for another vault");
	err = us_act_decode(act, env->type, env->payload);
	if (err == US_OK)
		err = check_own(reg, &settled, refusal);
	if (err == US_OK)
		err = first ? us_fold_init(reg, &settled, env->vault_id, env->payload) :
			      us_act_ops(act->type)->fold(reg, &settled);
	us_order_free(settled.order);
	if (err != US_OK && first)
		us_registry_empty(reg);
	if (err == US_OK) {
		reg->sequence++;
		if (settled.time_ns > reg->last_ns)
			reg->last_ns = settled.time_ns;
		memcpy(reg->digest, next, 32);
	}
	return err;
}

enum us_registry_age { AGE_NEW, AGE_PAST };

static int
apply_person(struct us_registry *reg, const struct us_committed_act *c, struct us_bytes committed,
    enum us_registry_age age, struct us_act *act, const uint8_t next[32],
    struct us_refusal *refusal)
{
	struct us_settled settled = { .time_ns = c->time_ns,
		.next = next,
		.committed = committed,
		.is_past = age == AGE_PAST };
	const struct us_order *order = reg->order;
	const uint64_t generation = reg->generation;
	struct us_signed_act env;
	uint8_t nonce[32];
	int err;

	(void)us_registry_at(reg, c->time_ns);
	err = check_act(reg, c->signed_act, c->signature, act, &settled, &env, refusal);
	if (err == US_OK && settled.actor->id != c->actor)
		err = us_refuse(refusal, US_ERR_VERIFY, US_REASON_ERROR,
		    "the act names another actor");
	if (err == US_OK)
		err = check_result(reg, &settled, c->result, refusal);
	if (err == US_OK)
		err = us_table_reserve(&reg->nonces);
	if (err == US_OK)
		err = us_act_ops(act->type)->fold(reg, &settled);
	us_order_free(settled.order); /* unless the fold has taken it */
	if (err != US_OK) {
		if (reg->order != order) {
			reg->order = order;
			us_registry_rebind(reg);
		}
		reg->generation = generation;
		return err;
	}
	nonce_key(&env, nonce);
	us_table_put(&reg->nonces, nonce,
	    c->sequence < UINT32_MAX ? (uint32_t)c->sequence : UINT32_MAX);
	reg->sequence++;
	if (settled.time_ns > reg->last_ns)
		reg->last_ns = settled.time_ns;
	memcpy(reg->digest, next, 32);
	return US_OK;
}

static int
apply(struct us_registry *reg, struct us_bytes committed, enum us_registry_age age,
    struct us_refusal *refusal)
{
	struct us_committed_act c;
	struct us_signed_act env;
	struct us_act *act;
	uint8_t next[32];
	int err;

	if (refusal != NULL)
		memset(refusal, 0, sizeof *refusal);
	err = us_committed_act_decode(&c, &env, committed.p, committed.n);
	if (err != US_OK)
		return err;
	if (c.sequence != reg->sequence + 1)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_ERROR,
		    "the act is not the next one");
	err = us_state_digest(reg->digest, committed, next);
	if (err != US_OK)
		return err;
	act = malloc(sizeof *act);
	if (act == NULL)
		return US_ERR_NOMEM;
	err = us_act_is_vaults(env.type) ?
	    apply_own(reg, &c, &env, act, next, refusal) :
	    apply_person(reg, &c, committed, age, act, next, refusal);
	free(act);
	return err;
}

int
us_registry_apply(struct us_registry *reg, struct us_bytes committed, struct us_refusal *refusal)
{
	return apply(reg, committed, AGE_NEW, refusal);
}

int
us_registry_replay(struct us_registry *reg, struct us_bytes committed, struct us_refusal *refusal)
{
	return apply(reg, committed, AGE_PAST, refusal);
}
