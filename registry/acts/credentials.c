/* Credentials: issued, revoked. */
#include "registry/acts/acts.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

/* ---- credential-issue ---- */

static void
code_issue(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_issue *a = &act->u.issue;

	us_code_id(c, &a->person);
	us_code_u16(c, &a->days);
	us_code_require(c, a->days != 0 && a->days <= US_CREDENTIAL_DAYS_MAX, US_ERR_RANGE);
	us_code_der(c, &a->csr);
}

static int
check_issue(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_issue *a = &s->act->u.issue;
	const struct us_person *p = us_registry_person(reg, a->person);
	struct us_csr_info csr;
	int err;

	if (p == NULL)
		return us_not_found(refusal, "person");
	if (p->status == US_PERSON_ENDED)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_ENDED, "%s has ended for good",
		    p->name);
	err = us_csr_check(a->csr, &csr);
	if (err == US_ERR_NOMEM || err == US_ERR_CRYPTO)
		return err;
	if (err != US_OK)
		return us_refuse(refusal, err, US_REASON_MALFORMED, "the certificate request: %s",
		    us_strerror(err));
	for (size_t i = 0; i < reg->n_credentials; i++) {
		const struct us_credential_full *c = reg->credentials[i];
		if (memcmp(c->key_digest, csr.key_digest, 32) != 0)
			continue;
		if (c->shown.person != p->id)
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "that key belongs to another person's credential");
		if (c->shown.revoked)
			return us_refuse(refusal, US_ERR_REVOKED, US_REASON_REVOKED,
			    "that key belongs to a revoked credential; make a new one");
	}
	return US_OK;
}

int
us_rules_certificate(const struct us_registry *reg, const struct us_settled *s,
    struct us_refusal *refusal)
{
	const struct us_act_issue *a = &s->act->u.issue;
	const struct us_person *p = us_registry_person(reg, a->person);
	struct us_cert_info cert;
	struct us_csr_info csr;
	int err;

	if (p == NULL)
		return US_ERR_NOT_FOUND;
	if ((err = us_csr_check(a->csr, &csr)) != US_OK ||
	    (err = us_cert_verify(s->certificate, reg->init.ca, US_CERT_CLIENT, s->time_ns)) !=
		US_OK ||
	    (err = us_cert_parse(s->certificate, &cert)) != US_OK)
		return us_refuse(refusal, err, US_REASON_ERROR, "the issued certificate: %s",
		    us_strerror(err));
	/* a second of tolerance: certificates count in seconds */
	if (memcmp(cert.key_digest, csr.key_digest, 32) != 0 || strcmp(cert.name, p->name) != 0 ||
	    cert.is_ca || cert.validity.from_ns < s->time_ns - DAY_NS ||
	    cert.validity.to_ns > s->time_ns + a->days * DAY_NS + INT64_C(1000000000))
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_ERROR,
		    "the issued certificate is not what the act asked for");
	if (us_table_get(&reg->by_fingerprint, cert.fingerprint) != 0)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
		    "that certificate is a credential already");
	return US_OK;
}

int
us_fold_credential(struct us_registry *reg, uint32_t person, struct us_bytes der, int64_t time_ns,
    struct us_credential_full **out)
{
	struct us_credential_full *c = NULL;
	struct us_cert_info info;
	int err;

	if ((err = us_cert_parse(der, &info)) != US_OK ||
	    (err = us_grow(&reg->credentials, reg->n_credentials, &reg->cap_credentials,
		 sizeof(struct us_credential_full *))) != US_OK ||
	    (err = us_table_reserve(&reg->by_fingerprint)) != US_OK)
		return err;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&c->der, US_CERT_MAX);
	err = us_buf_put(&c->der, der.p, der.n);
	if (err != US_OK) {
		free(c);
		return err;
	}
	memcpy(c->shown.fingerprint, info.fingerprint, 32);
	memcpy(c->key_digest, info.key_digest, 32);
	c->shown.person = person;
	c->shown.from_ns = info.validity.from_ns;
	c->shown.to_ns = info.validity.to_ns;
	c->shown.issued_ns = time_ns;
	c->shown.certificate = (struct us_bytes){ c->der.data, c->der.len };
	reg->credentials[reg->n_credentials++] = c;
	us_table_put(&reg->by_fingerprint, info.fingerprint, (uint32_t)reg->n_credentials);
	*out = c;
	return US_OK;
}

static int
fold_issue(struct us_registry *reg, struct us_settled *s)
{
	const struct us_person *p = us_registry_person(reg, s->act->u.issue.person);
	struct us_credential_full *c;
	int err = us_fold_credential(reg, p->id, s->certificate, s->time_ns, &c);

	if (err != US_OK)
		return err;
	c->shown.issued_by = s->actor->id;
	/* renewing one's own adds no power; and without an order nobody could approve */
	if (reg->order->n_parties == 0 || (s->actor->id == p->id && p->n_parties == 0))
		c->shown.approved = 1;
	return US_OK;
}

static int
result_issue(const struct us_registry *reg, const struct us_settled *s, struct us_buf *out)
{
	(void)reg;
	return us_buf_put_str32(out, s->certificate.p, s->certificate.n);
}

static void
answer_issue(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	struct us_reader in;
	struct us_bytes der;

	us_reader_init(&in, result.p, result.n);
	der = us_take_str32(&in, US_ACT_RESULT_MAX);
	us_json_key(j, "certificate");
	us_json_base64(j, der.p, der.n);
	us_json_key(j, "ca");
	us_json_base64(j, reg->init.ca.p, reg->init.ca.n);
	for (size_t i = reg->n_credentials; i-- > 0;) {
		const struct us_credential *c = &reg->credentials[i]->shown;

		if (c->certificate.n != der.n || memcmp(c->certificate.p, der.p, der.n) != 0)
			continue;
		us_json_kv_hex(j, "fingerprint", c->fingerprint, sizeof c->fingerprint);
		us_json_kv_uint(j, "person", c->person);
		*pending = !c->approved;
		break;
	}
	if (*pending)
		us_answer_person(reg, act->u.issue.person, j);
}

/* ---- credential-revoke ---- */

static void
code_revoke(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_revoke *a = &act->u.revoke;
	unsigned by = a->by_person ? 2 : 1;

	us_code_choice(c, &by, 1, 2);
	a->by_person = by == 2;
	if (a->by_person)
		us_code_id(c, &a->person);
	else
		us_code_fixed(c, a->fingerprint, 32);
	us_code_text(c, &a->reason, US_REASON_TEXT_MAX);
	us_code_time(c, &a->lost_since_ns);
}

static int
may_revoke(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    enum us_act_authority authority, struct us_refusal *refusal)
{
	const struct us_act_revoke *a = &act->u.revoke;
	uint32_t person = a->person;

	if (!a->by_person) {
		const uint32_t at = us_table_get(&reg->by_fingerprint, a->fingerprint);
		if (at == 0)
			return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_UNKNOWN_CREDENTIAL,
			    "there is no credential with that fingerprint");
		person = reg->credentials[at - 1]->shown.person;
	}
	return us_authority_about(reg, actor, act, person, authority, refusal);
}

/* 1 if the act is about this credential, which is not revoked yet. */
static int
revokes(const struct us_act_revoke *a, const struct us_credential *c)
{
	return !c->revoked &&
	    (a->by_person ? c->person == a->person :
			    memcmp(c->fingerprint, a->fingerprint, 32) == 0);
}

static int
check_revoke(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_revoke *a = &s->act->u.revoke;

	if (a->lost_since_ns > s->time_ns)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "lost since a time that is to come");
	for (size_t i = 0; i < reg->n_credentials; i++)
		if (revokes(a, &reg->credentials[i]->shown))
			return US_OK;
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
	    a->by_person ? "that person has no credential that is not revoked" :
			   "that credential is revoked already");
}

static int
fold_revoke(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_revoke *a = &s->act->u.revoke;

	for (size_t i = 0; i < reg->n_credentials; i++) {
		struct us_credential *c = &reg->credentials[i]->shown;
		if (!revokes(a, c))
			continue;
		c->revoked = 1;
		c->revoked_ns = s->time_ns;
		c->lost_since_ns = a->lost_since_ns;
		us_copy_text(c->reason, sizeof c->reason, a->reason);
	}
	reg->generation++;
	return US_OK;
}

const struct us_act_ops us_acts_credentials[] = {
	{ .type = US_ACT_CREDENTIAL_ISSUE,
	    .code = code_issue,
	    .check = check_issue,
	    .fold = fold_issue,
	    .result = result_issue,
	    .answer = answer_issue },
	{ .type = US_ACT_CREDENTIAL_REVOKE,
	    .code = code_revoke,
	    .may = may_revoke,
	    .check = check_revoke,
	    .fold = fold_revoke },
	{ 0 },
};
