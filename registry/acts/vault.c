/* The vault itself: its beginning, and its sealing. */
#include "crypto/crypto.h"
#include "registry/acts/acts.h"
#include "registry/versions_internal.h"

/* ---- init ---- */

static void
code_init(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_init *a = &act->u.init;

	us_code_der(c, &a->ca);
	us_code_str32(c, &a->order_source, US_ORDER_SOURCE_MAX);
	us_code_str32(c, &a->order_compiled, US_ORDER_COMPILED_MAX);
	us_code_require(c, a->order_source.n > 0 && a->order_compiled.n > 0, US_ERR_FORMAT);
	us_code_count(c, &a->n_hosts, US_INIT_HOSTS);
	us_code_require(c, a->n_hosts > 0, US_ERR_LIMIT);
	for (size_t i = 0; i < a->n_hosts && us_code_ok(c); i++)
		us_code_text(c, &a->hosts[i], US_HOST_MAX);
	us_code_count(c, &a->n_people, US_INIT_PEOPLE);
	us_code_require(c, a->n_people > 0, US_ERR_LIMIT);
	for (size_t i = 0; i < a->n_people && us_code_ok(c); i++) {
		struct us_init_person *p = &a->people[i];
		us_code_text(c, &p->name, US_ORDER_NAME_MAX);
		us_code_capacity(c, &p->capacity);
		us_code_parties(c, &p->n_parties, p->parties);
		us_code_str32(c, &p->certificate, US_CERT_MAX);
	}
}

static int
init_person(const struct us_settled *s, size_t index, struct us_refusal *refusal)
{
	const struct us_act_init *a = &s->act->u.init;
	const struct us_init_person *p = &a->people[index];
	char name[US_ORDER_NAME_MAX + 1];
	struct us_cert_info cert;
	int err;

	memcpy(name, p->name.p, p->name.n);
	name[p->name.n] = '\0';
	for (size_t i = 0; i < index; i++)
		if (us_names_equal(name, a->people[i].name))
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "two people are called %s", name);
	if (p->n_parties == 0 && !us_capacity_runs_machine(p->capacity))
		return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY, "%s is of no party",
		    name);
	for (size_t i = 0; i < p->n_parties; i++) {
		size_t party;
		if (us_order_party(s->order, p->parties[i], &party) != US_OK ||
		    !us_order_is_signer(s->order, party, p->name, p->capacity))
			return us_refuse(refusal, US_ERR_DENIED, US_REASON_NOT_IN_ORDER,
			    "the order does not name %s as a roster signer of %.*s in that "
			    "capacity",
			    name, (int)p->parties[i].n, (const char *)p->parties[i].p);
	}
	if (p->certificate.n == 0)
		return us_capacity_class_of(p->capacity) == US_CAPACITIES_KEYHOLDER ?
		    US_OK :
		    us_refuse(refusal, US_ERR_FORMAT, US_REASON_MALFORMED, "%s has no certificate",
			name);
	if ((err = us_cert_verify(p->certificate, a->ca, US_CERT_CLIENT, s->time_ns)) != US_OK ||
	    (err = us_cert_parse(p->certificate, &cert)) != US_OK)
		return us_refuse(refusal, err, US_REASON_FOREIGN_CA, "the certificate of %s: %s",
		    name, us_strerror(err));
	if (strcmp(cert.name, name) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_FOREIGN_CA,
		    "the certificate of %s has another name", name);
	for (size_t i = 0; i < index; i++) {
		struct us_cert_info other;
		if (a->people[i].certificate.n > 0 &&
		    us_cert_parse(a->people[i].certificate, &other) == US_OK &&
		    memcmp(other.key_digest, cert.key_digest, 32) == 0)
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "the key of %s belongs to another person too", name);
	}
	return US_OK;
}

int
us_rules_init(const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_init *a = &s->act->u.init;
	struct us_cert_info ca;
	uint8_t digest[32];
	int administrators = 0, err;

	err = us_sha256(a->order_source.p, a->order_source.n, digest);
	if (err != US_OK)
		return err;
	if (memcmp(digest, s->order->source_digest, 32) != 0)
		return us_refuse(refusal, US_ERR_VERIFY, US_REASON_MALFORMED,
		    "the compiled order was not made from the source beside it");
	err = us_cert_parse(a->ca, &ca);
	if (err != US_OK || !ca.is_ca)
		return us_refuse(refusal, err != US_OK ? err : US_ERR_FORMAT, US_REASON_MALFORMED,
		    "the CA certificate is not one");
	for (size_t i = 0; i < a->n_people; i++) {
		err = init_person(s, i, refusal);
		if (err != US_OK)
			return err;
		administrators += us_capacity_class_of(a->people[i].capacity) ==
		    US_CAPACITIES_ADMINISTRATOR;
	}
	return administrators > 0 ?
	    US_OK :
	    us_refuse(refusal, US_ERR_FORMAT, US_REASON_MALFORMED, "there is no administrator");
}

int
us_fold_init(struct us_registry *reg, struct us_settled *s, const uint8_t vault_id[32],
    struct us_bytes payload)
{
	struct us_act *again = calloc(1, sizeof *again);
	struct us_version_full *first;
	int err;

	/* the views of init must live as long as we do */
	if (again == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&reg->init_bytes, US_ACT_SIGNED_MAX);
	if ((err = us_buf_put(&reg->init_bytes, payload.p, payload.n)) != US_OK ||
	    (err = us_code_read(again, US_ACT_INIT, code_init,
		 (struct us_bytes){ reg->init_bytes.data, reg->init_bytes.len })) != US_OK)
		goto out;
	reg->init = again->u.init;
	memcpy(reg->vault_id, vault_id, 32);
	for (size_t i = 0; i < reg->init.n_people; i++) {
		const struct us_init_person *from = &reg->init.people[i];
		struct us_credential_full *c;
		struct us_person *p;
		err = us_fold_person(reg, s->order, from, s->time_ns, &p);
		if (err != US_OK)
			goto out;
		p->status = US_PERSON_ACTIVE;
		p->signed_in = 1;
		p->signed_parties = (uint16_t)((1u << p->n_parties) - 1u);
		if (from->certificate.n == 0)
			continue;
		err = us_fold_credential(reg, p->id, from->certificate, s->time_ns, &c);
		if (err != US_OK)
			goto out;
		c->shown.approved = 1;
		c->approved_parties = p->signed_parties;
	}
	err = us_version_add(reg, s->order, reg->init.order_source, &first);
	if (err != US_OK)
		goto out;
	first->shown.proposed_ns = first->shown.signed_ns = s->time_ns;
	reg->order = s->order;
	s->order = NULL; /* transferred */
out:
	free(again);
	return err;
}

static int
check_init(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	(void)reg;
	(void)s;
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
	    "the vault has a beginning already");
}

/* The first act is folded by us_fold_init(). */
static int
fold_init(struct us_registry *reg, struct us_settled *s)
{
	(void)reg;
	(void)s;
	return US_ERR_STATE;
}

/* ---- seal: what it does is done by the keeper; here it is only counted ---- */

static void
code_seal(struct us_act_codec *c, struct us_act *act)
{
	us_code_text(c, &act->u.seal.reason, US_REASON_TEXT_MAX);
}

static int
check_seal(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	(void)reg;
	(void)s;
	(void)refusal;
	return US_OK;
}

static int
fold_seal(struct us_registry *reg, struct us_settled *s)
{
	(void)reg;
	(void)s;
	return US_OK;
}

const struct us_act_ops us_acts_seal[] = {
	{ .type = US_ACT_SEAL, .code = code_seal, .check = check_seal, .fold = fold_seal },
	{ 0 },
};

const struct us_act_ops us_acts_vault[] = {
	{ .type = US_ACT_INIT, .code = code_init, .check = check_init, .fold = fold_init },
	{ 0 },
};
