/* Preconditions of acts: what must be true of the registry before an act may change it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/crypto.h"
#include "registry/internal.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

int
us_refuse(struct us_refusal *refusal, int err, enum us_reason reason, const char *format, ...)
{
	va_list ap;

	if (refusal == NULL)
		return err;
	memset(refusal, 0, sizeof *refusal);
	refusal->reason = reason;
	va_start(ap, format);
	(void)vsnprintf(refusal->text, sizeof refusal->text, format, ap);
	va_end(ap);
	return err;
}

void
us_refuse_cure(struct us_refusal *refusal, const char *cure)
{
	if (refusal != NULL)
		(void)snprintf(refusal->cure, sizeof refusal->cure, "%s", cure);
}

int
us_not_found(struct us_refusal *refusal, const char *what)
{
	return us_refuse(refusal, US_ERR_NOT_FOUND, US_REASON_NOT_FOUND, "there is no such %s",
	    what);
}

static int
person_add(const struct us_registry *reg, const struct us_act_person_add *a,
    struct us_refusal *refusal)
{
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

static int
person_sign(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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

/* 1 if another active administrator would be left. */
static int
other_administrator(const struct us_registry *reg, const struct us_person *p)
{
	for (size_t i = 0; i < reg->n_people; i++)
		if (reg->people[i] != p && reg->people[i]->capacity == US_CAPACITY_ADMINISTRATOR &&
		    reg->people[i]->status == US_PERSON_ACTIVE)
			return 1;
	return 0;
}

static int
person_change(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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
	    (p->suspended_by_signer || s->actor->capacity == US_CAPACITY_ADMINISTRATOR))
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "%s is suspended already",
		    p->name);
	if (p->capacity == US_CAPACITY_ADMINISTRATOR && p->status == US_PERSON_ACTIVE &&
	    !other_administrator(reg, p)) {
		int err = us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "%s is the last active administrator", p->name);
		us_refuse_cure(refusal, "add another administrator first");
		return err;
	}
	return US_OK;
}

static int
issue(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
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

static int
revoke(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_revoke *a = &s->act->u.revoke;

	if (a->lost_since_ns > s->time_ns)
		return us_refuse(refusal, US_ERR_RANGE, US_REASON_MALFORMED,
		    "lost since a time that is to come");
	for (size_t i = 0; i < reg->n_credentials; i++) {
		const struct us_credential *c = &reg->credentials[i]->shown;
		if (!c->revoked &&
		    (a->by_person ? c->person == a->person :
				    memcmp(c->fingerprint, a->fingerprint, 32) == 0))
			return US_OK;
	}
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
	    a->by_person ? "that person has no credential that is not revoked" :
			   "that credential is revoked already");
}

static int
collection_create(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_collection *a = &s->act->u.collection;
	int err;

	for (size_t i = 0; i < reg->n_collections; i++) {
		const struct us_collection *c = &reg->collections[i]->shown;
		if (us_names_equal(c->name, a->name))
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "there is a collection %s already", c->name);
		if (us_names_equal(c->prefix, a->prefix))
			return us_refuse(refusal, US_ERR_EXISTS, US_REASON_DUPLICATE,
			    "collection %s has the Bates prefix %s", c->name, c->prefix);
	}
	s->designation = a->designation;
	err = a->designation.n == 0 ? US_OK : us_rules_designation(reg, s, a->designation, refusal);
	return err == US_ERR_NOT_FOUND && s->is_past ? US_OK : err;
}

static int
batch_change(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_batch *a = &s->act->u.batch;
	const struct us_batch *b = us_registry_batch_slot(reg, a->collection, a->slot);

	if (b == NULL)
		return us_not_found(refusal, "batch");
	if (s->act->type == US_ACT_BATCH_RELEASE ?
		b->status == US_BATCH_HELD :
		b->status == US_BATCH_HELD || b->status == US_BATCH_LIVE)
		return US_OK;
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "the batch is %s",
	    us_batch_status_name(b->status));
}

static int
copy(const struct us_registry *reg, const struct us_act_copy *a, struct us_refusal *refusal)
{
	const int withholds = us_registry_withholds(reg, a->collection,
	    US_WITHHELD_CLAWBACK | US_WITHHELD_FREEZE);
	const struct us_batch *b = NULL;

	for (uint32_t i = 0; i < a->n; i++) {
		uint64_t record = us_act_copy_record(a, i);
		if (b == NULL || record < b->facts.first ||
		    record - b->facts.first >= b->facts.count)
			b = us_registry_batch_of(reg, a->collection, record);
		if (b == NULL)
			return us_not_found(refusal, "record");
		if (b->status != US_BATCH_LIVE)
			return us_refuse(refusal, US_ERR_STATE,
			    b->status == US_BATCH_HELD ? US_REASON_HELD : US_REASON_WITHDRAWN,
			    "a record of a batch that is %s cannot be copied",
			    us_batch_status_name(b->status));
		if (withholds && us_registry_withheld(reg, a->collection, record) != 0)
			return us_refuse(refusal, US_ERR_STATE, US_REASON_FROZEN,
			    "some of these records are frozen or clawed back");
	}
	return US_OK;
}

int
us_rules_person(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_copy *c;

	switch ((unsigned)s->act->type) {
	case US_ACT_PERSON_ADD:
		return person_add(reg, &s->act->u.person_add, refusal);
	case US_ACT_DOCKET_SIGN:
		return us_filing_of(reg, s->act->u.sign.docket_id) != NULL ?
		    us_rules_order(reg, s, refusal) :
		    person_sign(reg, s, refusal);
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		return person_change(reg, s, refusal);
	case US_ACT_CREDENTIAL_ISSUE:
		return issue(reg, s, refusal);
	case US_ACT_CREDENTIAL_REVOKE:
		return revoke(reg, s, refusal);
	case US_ACT_COLLECTION_CREATE:
		return collection_create(reg, s, refusal);
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
		return batch_change(reg, s, refusal);
	case US_ACT_COPY:
		return copy(reg, &s->act->u.copy, refusal);
	case US_ACT_COPY_RETURN:
		c = us_registry_copy(reg, s->act->u.copy_return.copy);
		if (c == NULL)
			return us_not_found(refusal, "copy");
		return c->status == US_COPY_OUT ?
		    US_OK :
		    us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "that copy is %s already",
			us_copy_status_name(c->status));
	case US_ACT_SEAL:
		return US_OK;
	default:
		return us_rules_order(reg, s, refusal);
	}
}

static int
batch_close(const struct us_registry *reg, const struct us_act_batch_close *a,
    struct us_refusal *refusal)
{
	const struct us_collection_full *c = us_collection_full(reg, a->collection);
	size_t at;

	if (c == NULL)
		return us_not_found(refusal, "collection");
	if (us_registry_person(reg, a->loaded_by) == NULL)
		return us_not_found(refusal, "person");
	if (us_slots_has(&c->slots, a->slot) || us_slots_has(&c->segment_slots, a->segment_slot))
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE, "slot %u has been used",
		    (unsigned)a->slot);
	if (a->dictionary_version > c->n_dictionaries)
		return us_not_found(refusal, "dictionary");
	if (us_batch_place(c, a->first, a->count, &at) != US_OK)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE,
		    "record numbers of the batch have been given before");
	return US_OK;
}

static int
batch_void(const struct us_registry *reg, const struct us_act_batch_void *a,
    struct us_refusal *refusal)
{
	const struct us_collection_full *c = us_collection_full(reg, a->collection);
	size_t at;

	if (c == NULL)
		return us_not_found(refusal, "collection");
	if (us_slots_has(&c->slots, a->slot))
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE, "slot %u has been used",
		    (unsigned)a->slot);
	if (a->count > 0 && us_batch_place(c, a->first, a->count, &at) != US_OK)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE,
		    "record numbers of the range have been given before");
	return US_OK;
}

int
us_rules_own(const struct us_registry *reg, const struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act *act = s->act;
	const struct us_collection_full *c;
	const struct us_copy *ledger;

	if (act->type == US_ACT_INIT)
		return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
		    "the vault has a beginning already");
	if (act->type == US_ACT_BATCH_CLOSE)
		return batch_close(reg, &act->u.batch_close, refusal);
	if (act->type == US_ACT_BATCH_VOID)
		return batch_void(reg, &act->u.batch_void, refusal);
	if (act->type == US_ACT_DICTIONARY) {
		c = us_collection_full(reg, act->u.dictionary.collection);
		if (c == NULL)
			return us_not_found(refusal, "collection");
		if (us_slots_has(&c->dictionary_slots, act->u.dictionary.slot) ||
		    act->u.dictionary.version != c->n_dictionaries + 1)
			return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE,
			    "the dictionary is not the next one, or its slot has been used");
		return US_OK;
	}
	if (act->type == US_ACT_COPY_DIGEST) {
		ledger = us_registry_copy(reg, act->u.copy_digest.copy);
		if (ledger == NULL)
			return us_not_found(refusal, "copy");
		return ledger->has_digest ?
		    us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE, "that copy has its digest") :
		    US_OK;
	}
	return us_refuse(refusal, US_ERR_DENIED, US_REASON_CAPACITY, "only a person can do that");
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
		return p->capacity == US_CAPACITY_KEYHOLDER ?
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
		administrators += a->people[i].capacity == US_CAPACITY_ADMINISTRATOR;
	}
	return administrators > 0 ?
	    US_OK :
	    us_refuse(refusal, US_ERR_FORMAT, US_REASON_MALFORMED, "there is no administrator");
}
