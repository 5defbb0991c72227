#include "daemon/vault/answers/act_result.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "registry/docket.h"
#include "registry/versions.h"

static void
put_certificate(const struct us_registry *reg, struct us_json *j, struct us_bytes result,
    int *pending)
{
	struct us_reader in;
	struct us_bytes der;
	size_t i, n = us_registry_credentials(reg);

	us_reader_init(&in, result.p, result.n);
	der = us_take_str32(&in, US_ACT_RESULT_MAX);
	us_json_key(j, "certificate");
	us_json_base64(j, der.p, der.n);
	us_json_key(j, "ca");
	us_json_base64(j, us_registry_ca(reg).p, us_registry_ca(reg).n);
	for (i = n; i-- > 0;) {
		const struct us_credential *c = us_registry_credential(reg, i);

		if (c->certificate.n != der.n || memcmp(c->certificate.p, der.p, der.n) != 0)
			continue;
		us_json_kv_hex(j, "fingerprint", c->fingerprint, sizeof c->fingerprint);
		us_json_kv_uint(j, "person", c->person);
		*pending = !c->approved;
		break;
	}
}

uint64_t
us_vault_act_number(struct us_bytes result)
{
	return result.n == 4 ? us_load_u32(result.p) : result.n == 8 ? us_load_u64(result.p) : 0;
}

/* The docket line of a person who waits, if any. */
static void
put_docket(const struct us_registry *reg, struct us_json *j, uint32_t person)
{
	struct us_docket_item item;
	char id[US_DOCKET_ID_MAX + 1];

	(void)snprintf(id, sizeof id, "person-%u", person);
	if (us_registry_docket_item(reg, us_bytes_of(id), &item) == US_OK) {
		us_json_kv_cstr(j, "docket", item.id);
		us_json_kv_hex(j, "digest", item.digest, sizeof item.digest);
	}
}

/* A filing that was just opened, or changed. pending: it waits for signatures. */
static void
put_filing(const struct us_registry *reg, struct us_json *j, const char *id, int *pending)
{
	const struct us_filing *f = us_registry_filing_named(reg, us_bytes_of(id));

	us_json_kv_cstr(j, "docket", id);
	if (f == NULL)
		return;
	us_json_kv_uint(j, f->kind == US_FILING_ORDER ? "version" : "number", f->number);
	us_json_kv_hex(j, "digest", f->digest, sizeof f->digest);
	us_json_kv_cstr(j, "filing_status", us_filing_status_name(f->status));
	/* a freeze and a clawback are in force at once; what follows is about lifting them */
	*pending = us_filing_is_open(f) &&
	    (f->kind == US_FILING_ORDER || f->kind == US_FILING_CLEARANCE ||
		f->kind == US_FILING_APPROVAL);
}

static void
put_numbered(const struct us_registry *reg, struct us_json *j, enum us_filing_kind kind,
    uint64_t number, int *pending)
{
	char id[US_DOCKET_ID_MAX + 1];

	(void)snprintf(id, sizeof id, "%s-%llu", us_filing_kind_name(kind),
	    (unsigned long long)number);
	put_filing(reg, j, id, pending);
}

/* Others may have to sign too. Of an approval who signs cannot tell whether more are needed: that
 * is the rule's. */
static void
put_signed(const struct us_registry *reg, struct us_json *j, struct us_bytes id, int *pending)
{
	const struct us_filing *f = us_registry_filing_named(reg, id);
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
put_document(const struct us_registry *reg, struct us_json *j, const struct us_act_document *act)
{
	const struct us_document *d = us_registry_document_of(reg, act->digest, 0);

	us_json_kv_hex(j, "document", act->digest, sizeof act->digest);
	us_json_kv_uint(j, "parts", d == NULL ? 0 : d->parts);
	us_json_kv_uint(j, "parts_all", d == NULL ? 0 : d->parts_all);
}

/* Acts of the order and its docket. */
static void
put_order_result(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	char id[US_DOCKET_ID_MAX + 1];

	switch ((unsigned)act->type) {
	case US_ACT_CLEARANCE:
		put_numbered(reg, j, US_FILING_CLEARANCE, us_vault_act_number(result), pending);
		break;
	case US_ACT_CHALLENGE:
		put_numbered(reg, j, US_FILING_CHALLENGE, us_vault_act_number(result), pending);
		break;
	case US_ACT_CLAWBACK:
		put_numbered(reg, j, US_FILING_CLAWBACK, us_vault_act_number(result), pending);
		break;
	case US_ACT_FREEZE:
		put_numbered(reg, j, US_FILING_FREEZE, us_vault_act_number(result), pending);
		break;
	case US_ACT_APPROVAL_REQUEST:
		put_numbered(reg, j, US_FILING_APPROVAL, us_vault_act_number(result), pending);
		break;
	case US_ACT_ORDER_PROPOSE: {
		const size_t n = us_registry_versions(reg);

		/* a proposal is folded last: it has the highest version */
		put_numbered(reg, j, US_FILING_ORDER, us_registry_version(reg, n - 1)->version,
		    pending);
		break;
	}
	case US_ACT_UNFREEZE:
		(void)snprintf(id, sizeof id, "freeze-%u", act->u.unfreeze.freeze);
		put_signed(reg, j, us_bytes_of(id), pending);
		break;
	case US_ACT_ORDER_SUSPEND:
		us_json_kv_uint(j, "version", act->u.order_suspend.version);
		us_json_kv_uint(j, "in_force", us_registry_order(reg)->version);
		break;
	case US_ACT_ACKNOWLEDGE:
		us_json_kv_uint(j, "version", act->u.acknowledge.version);
		break;
	case US_ACT_DOCUMENT_ADD:
		put_document(reg, j, &act->u.document);
		break;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE: {
		const struct us_filing *f = us_registry_filing_named(reg, act->u.docket.docket_id);

		us_json_kv_str(j, "docket", act->u.docket.docket_id);
		if (f != NULL)
			us_json_kv_cstr(j, "filing_status", us_filing_status_name(f->status));
		break;
	}
	case US_ACT_MATTER_SET:
		us_json_kv_cstr(j, "matter", us_registry_matter(reg));
		break;
	default:
		break;
	}
}

void
us_vault_act_put_result(const struct us_registry *reg, const struct us_act *act,
    struct us_bytes result, struct us_json *j, int *pending)
{
	const struct us_person *person;

	switch ((unsigned)act->type) {
	case US_ACT_PERSON_ADD: {
		uint32_t id = (uint32_t)us_vault_act_number(result);

		person = us_registry_person(reg, id);
		us_json_kv_uint(j, "person", id);
		*pending = person != NULL && person->status == US_PERSON_PENDING;
		if (*pending)
			put_docket(reg, j, id);
		break;
	}
	case US_ACT_DOCKET_SIGN:
		put_signed(reg, j, act->u.sign.docket_id, pending);
		break;
	case US_ACT_CREDENTIAL_ISSUE:
		put_certificate(reg, j, result, pending);
		if (*pending)
			put_docket(reg, j, act->u.issue.person);
		break;
	case US_ACT_COLLECTION_CREATE:
		us_json_kv_uint(j, "collection", us_vault_act_number(result));
		us_json_kv_str(j, "name", act->u.collection.name);
		break;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		person = us_registry_person(reg, act->u.change.person);
		us_json_kv_uint(j, "person", act->u.change.person);
		if (person != NULL)
			us_json_kv_cstr(j, "person_status", us_person_status_name(person->status));
		break;
	case US_ACT_COPY_RETURN:
		us_json_kv_uint(j, "copy", act->u.copy_return.copy);
		break;
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
		us_json_kv_uint(j, "batch", act->u.batch.slot);
		break;
	case US_ACT_CREDENTIAL_REVOKE:
	case US_ACT_COPY:
	case US_ACT_SEAL:
	case US_ACT_INIT:
	case US_ACT_BATCH_CLOSE:
	case US_ACT_BATCH_VOID:
	case US_ACT_DICTIONARY:
	case US_ACT_COPY_DIGEST:
		break;
	default:
		put_order_result(reg, act, result, j, pending);
		break;
	}
}
