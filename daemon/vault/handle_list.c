/* Lists: their requests, pages, and the people, credentials, collections, batches and copies. */
#include <stdlib.h>
#include <string.h>

#include "daemon/vault/listing.h"

#define LIMIT_DEFAULT 1000u

enum us_action
us_vault_list_action(uint8_t what)
{
	switch (what) {
	case US_LIST_PEOPLE:
		return US_ACTION_PERSON_LIST;
	case US_LIST_CREDENTIALS:
		return US_ACTION_CREDENTIAL_LIST;
	case US_LIST_COLLECTIONS:
		return US_ACTION_COLLECTION_LIST;
	case US_LIST_BATCHES:
		return US_ACTION_BATCH_LIST;
	case US_LIST_DOCKET:
		return US_ACTION_DOCKET_LIST;
	case US_LIST_COPIES:
		return US_ACTION_COPY_LIST;
	case US_LIST_ORDER:
	case US_LIST_ORDERS:
		return US_ACTION_ORDER_SHOW;
	case US_LIST_FILINGS:
		return US_ACTION_DOCKET_LIST;
	case US_LIST_ACKNOWLEDGEMENTS:
		return US_ACTION_ACKNOWLEDGEMENT_LIST;
	case US_LIST_DOCUMENTS:
	case US_LIST_RELABELS:
		return US_ACTION_DOCKET_LIST;
	default:
		return US_ACTION_NONE;
	}
}

int
us_vault_listing_room(struct us_vault_listing *l, uint64_t at)
{
	if (l->shown == l->limit) {
		if (l->next == 0)
			l->next = at - 1;
		return 0;
	}
	l->shown++;
	return 1;
}

int
us_vault_listing_is(const struct us_vault_listing *l, const char *name, uint64_t id)
{
	char digits[24];

	if (l->q.argument.n == 0)
		return 1;
	(void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)id);
	return (name != NULL && us_bytes_is(l->q.argument, name)) ||
	    us_bytes_is(l->q.argument, digits);
}

const char *
us_vault_list_person_name(const struct us_registry *reg, uint32_t id)
{
	const struct us_person *p = us_registry_person(reg, id);

	return p == NULL ? NULL : p->name;
}

const char *
us_vault_list_collection_name(const struct us_registry *reg, uint32_t id)
{
	const struct us_collection *c = us_registry_collection(reg, id);

	return c == NULL ? NULL : c->name;
}

void
us_vault_list_put_time(struct us_json *j, const char *key, int64_t ns)
{
	us_json_key(j, key);
	if (ns == 0 || ns == INT64_MAX || ns == INT64_MIN)
		us_json_null(j);
	else
		us_json_time(j, ns);
}

void
us_vault_list_put_digest(struct us_json *j, const char *key, const uint8_t digest[32])
{
	static const uint8_t none[32];

	us_json_key(j, key);
	if (memcmp(digest, none, sizeof none) == 0)
		us_json_null(j);
	else
		us_json_hex(j, digest, sizeof none);
}

void
us_vault_list_put_person(struct us_json *j, const struct us_person *p)
{
	size_t i;

	us_json_object(j);
	us_json_kv_uint(j, "person", p->id);
	us_json_kv_cstr(j, "name", p->name);
	us_json_kv_cstr(j, "capacity", us_capacity_name((unsigned)p->capacity));
	us_json_kv_cstr(j, "status", us_person_status_name(p->status));
	us_json_key(j, "parties");
	us_json_array(j);
	for (i = 0; i < p->n_parties; i++)
		us_json_cstr(j, p->parties[i]);
	us_json_close(j);
	us_json_kv_time(j, "added", p->added_ns);
	us_json_kv_uint(j, "added_by", p->added_by);
	us_json_kv_time(j, "changed", p->changed_ns);
	if (p->reason[0] != '\0')
		us_json_kv_cstr(j, "reason", p->reason);
	us_json_close(j);
}

static void
list_people(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	uint64_t id, n = us_registry_people(r->vault->registry);

	for (id = l->q.after + 1; id <= n; id++) {
		const struct us_person *p = us_registry_person(r->vault->registry, (uint32_t)id);

		if (p == NULL || !us_vault_listing_is(l, p->name, p->id))
			continue;
		if (!us_vault_listing_room(l, id))
			return;
		us_vault_list_put_person(j, p);
	}
}

static void
list_credentials(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = r->vault->registry;
	uint64_t i, n = us_registry_credentials(reg);

	for (i = l->q.after; i < n; i++) {
		const struct us_credential *c = us_registry_credential(reg, (size_t)i);
		const struct us_person *p = us_registry_person(reg, c->person);

		if (!us_vault_listing_is(l, p == NULL ? NULL : p->name, c->person))
			continue;
		if (!us_vault_listing_room(l, i + 1))
			return;
		us_json_object(j);
		us_json_kv_hex(j, "fingerprint", c->fingerprint, sizeof c->fingerprint);
		us_json_kv_uint(j, "person", c->person);
		us_json_kv_cstr(j, "name", p == NULL ? NULL : p->name);
		us_json_kv_cstr(j, "status", us_credential_status_name(us_credential_status(c)));
		us_json_kv_time(j, "from", c->from_ns);
		us_json_kv_time(j, "to", c->to_ns);
		us_json_kv_time(j, "issued", c->issued_ns);
		us_json_kv_uint(j, "issued_by", c->issued_by);
		if (c->revoked) {
			us_json_kv_time(j, "revoked", c->revoked_ns);
			us_json_kv_cstr(j, "reason", c->reason);
			if (c->lost_since_ns != 0)
				us_json_kv_time(j, "lost_since", c->lost_since_ns);
		}
		us_json_close(j);
	}
}

static void
list_collections(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = r->vault->registry;
	uint64_t id, n = us_registry_collections(reg);

	for (id = l->q.after + 1; id <= n; id++) {
		const struct us_collection *c = us_registry_collection(reg, (uint32_t)id);

		if (c == NULL || !us_vault_listing_is(l, c->name, c->id))
			continue;
		if (!us_vault_listing_room(l, id))
			return;
		us_json_object(j);
		us_json_kv_uint(j, "collection", c->id);
		us_json_kv_cstr(j, "name", c->name);
		us_json_kv_cstr(j, "bates_prefix", c->prefix);
		us_json_kv_cstr(j, "designation",
		    c->designation[0] == '\0' ? NULL : c->designation);
		us_json_kv_time(j, "created", c->created_ns);
		us_json_kv_uint(j, "created_by", c->created_by);
		us_json_close(j);
	}
}

/* Held batches are their producer's own; so are, in full, the counts of refused records. */
static void
list_batches(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	struct us_vault *v = r->vault;
	const struct us_collection *c = us_registry_collection(v->registry, r->collection);
	uint64_t i, n = us_registry_batches(v->registry, r->collection);
	char bates[US_BATES_MAX + 1], name[US_COLLECTION_NAME_MAX + 16];

	for (i = l->q.after; i < n; i++) {
		const struct us_batch *b = us_registry_batch(v->registry, r->collection, (size_t)i);
		const struct us_person *loader = us_registry_person(v->registry,
		    b->facts.loaded_by);
		int own = loader != NULL && (loader->party_bits & r->subject.parties) != 0;

		if ((b->status == US_BATCH_HELD && !own) ||
		    !us_vault_listing_is(l, NULL, b->facts.slot))
			continue;
		if (!us_vault_listing_room(l, i + 1))
			return;
		us_json_object(j);
		(void)snprintf(name, sizeof name, "%s/%u", c->name, b->facts.slot);
		us_json_kv_cstr(j, "batch", name);
		us_json_kv_uint(j, "slot", b->facts.slot);
		us_json_kv_cstr(j, "status", us_batch_status_name(b->status));
		us_json_kv_uint(j, "records", b->facts.count);
		if (us_bates_format(c, b->facts.first, bates) == US_OK)
			us_json_kv_cstr(j, "first", bates);
		if (b->facts.count > 0 &&
		    us_bates_format(c, b->facts.first + b->facts.count - 1, bates) == US_OK)
			us_json_kv_cstr(j, "last", bates);
		us_json_kv_time(j, "closed", b->closed_ns);
		if (b->status != US_BATCH_VOID) {
			uint64_t entry = us_vault_entry_of(v, b->sequence);

			us_json_kv_cstr(j, "loaded_by", loader == NULL ? NULL : loader->name);
			us_json_kv_hex(j, "manifest_root", b->facts.manifest_root, 32);
			us_json_key(j, "entry");
			if (entry == NO_ENTRY)
				us_json_null(j);
			else
				us_json_uint(j, entry);
			us_json_kv_uint(j, "raw_bytes", b->facts.raw_bytes);
			us_json_kv_uint(j, "load", b->facts.load);
			if (own) {
				us_json_kv_uint(j, "duplicates", b->facts.duplicates);
				us_json_kv_uint(j, "refused", b->facts.refused);
			}
		}
		if (b->reason[0] != '\0')
			us_json_kv_cstr(j, "reason", b->reason);
		us_json_close(j);
	}
}

/* What a party copies is its work product: its own people see it, and the court's. */
static int
sees_copy(const struct us_vault_request *r, const struct us_person *taker)
{
	switch (r->subject.capacity) {
	case US_CAPACITY_COURT:
	case US_CAPACITY_SPECIAL_MASTER:
	case US_CAPACITY_AUDITOR:
		return 1;
	case US_CAPACITY_ADMINISTRATOR:
	case US_CAPACITY_PRODUCER:
	case US_CAPACITY_OUTSIDE_COUNSEL:
	case US_CAPACITY_COUNSEL_STAFF:
	case US_CAPACITY_HOUSE_COUNSEL:
	case US_CAPACITY_EXPERT:
	case US_CAPACITY_VENDOR:
	case US_CAPACITY_WITNESS:
	case US_CAPACITY_REPORTER:
	case US_CAPACITY_KEYHOLDER:
		break;
	}
	return taker != NULL &&
	    (taker->id == r->person || (taker->party_bits & r->subject.parties) != 0);
}

static void
list_copies(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = r->vault->registry;
	uint64_t id, n = us_registry_copies(reg);
	char bates[US_BATES_MAX + 1];
	uint32_t i;

	for (id = l->q.after + 1; id <= n; id++) {
		const struct us_copy *c = us_registry_copy(reg, id);
		const struct us_person *taker = c == NULL ? NULL :
							    us_registry_person(reg, c->person);
		const struct us_collection *collection;

		if (c == NULL || !sees_copy(r, taker) || !us_vault_listing_is(l, NULL, id))
			continue;
		if (!us_vault_listing_room(l, id))
			return;
		collection = us_registry_collection(reg, c->collection);
		us_json_object(j);
		us_json_kv_uint(j, "copy", c->id);
		us_json_kv_cstr(j, "collection", collection == NULL ? NULL : collection->name);
		us_json_kv_uint(j, "person", c->person);
		us_json_kv_cstr(j, "name", taker == NULL ? NULL : taker->name);
		us_json_kv_cstr(j, "recipient", c->recipient);
		us_json_kv_str(j, "purpose", c->purpose);
		us_json_kv_time(j, "time", c->time_ns);
		us_json_kv_cstr(j, "status", us_copy_status_name(c->status));
		us_json_kv_uint(j, "records", c->n);
		us_json_key(j, "bates");
		us_json_array(j);
		for (i = 0; i < c->n && i < 1000 && collection != NULL; i++)
			if (us_bates_format(collection, c->records[i], bates) == US_OK)
				us_json_cstr(j, bates);
		us_json_close(j);
		us_json_key(j, "digest");
		if (c->has_digest)
			us_json_hex(j, c->digest, sizeof c->digest);
		else
			us_json_null(j);
		us_json_close(j);
	}
}

static void
logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_listing *l = r->state;
	struct us_json j;
	struct us_buf b;

	us_buf_init(&b, 64u << 20);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_key(&j, "items");
	us_json_array(&j);
	switch (l->q.what) {
	case US_LIST_PEOPLE:
		list_people(r, l, &j);
		break;
	case US_LIST_CREDENTIALS:
		list_credentials(r, l, &j);
		break;
	case US_LIST_COLLECTIONS:
		list_collections(r, l, &j);
		break;
	case US_LIST_BATCHES:
		list_batches(r, l, &j);
		break;
	case US_LIST_DOCKET:
		us_vault_list_docket(r, l, &j);
		break;
	case US_LIST_COPIES:
		list_copies(r, l, &j);
		break;
	case US_LIST_ORDER:
		us_vault_list_order(r, &j);
		break;
	case US_LIST_ORDERS:
		us_vault_list_orders(r, l, &j);
		break;
	case US_LIST_FILINGS:
		us_vault_list_filings(r, l, &j);
		break;
	case US_LIST_ACKNOWLEDGEMENTS:
		us_vault_list_acknowledgements(r, l, &j);
		break;
	case US_LIST_DOCUMENTS:
		us_vault_list_documents(r, l, &j);
		break;
	case US_LIST_RELABELS:
		us_vault_list_relabels(r, l, &j);
		break;
	default:
		break;
	}
	us_json_close(&j);
	us_json_key(&j, "next");
	if (l->next == 0)
		us_json_null(&j);
	else
		us_json_uint(&j, l->next);
	us_json_kv_uint(&j, "order", us_registry_order(r->vault->registry)->version);
	us_json_kv_uint(&j, "entry", m->index);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, m->index, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m->index);
	us_buf_free(&b);
}

void
us_vault_handle_list(struct us_vault_request *r)
{
	struct us_msg_log e = { .kind = US_KIND_INTENT,
		.decision = US_DECISION_ALLOW,
		.related = NO_ENTRY };
	struct us_vault_listing *l = calloc(1, sizeof *l);

	if (l == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	r->state = l;
	r->free_state = free;
	if (us_msg_list_request_decode(&l->q, r->body.data, r->body.len) != US_OK ||
	    us_vault_list_action(l->q.what) == US_ACTION_NONE) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	l->limit = l->q.limit == 0 || l->q.limit > LIMIT_DEFAULT ? LIMIT_DEFAULT : l->q.limit;
	e.action = (uint8_t)us_vault_list_action(l->q.what);
	if ((l->q.what == US_LIST_BATCHES &&
		us_vault_access_collection(r, l->q.collection, e.action) != US_OK) ||
	    us_vault_access_rule(r, e.action, (struct us_bytes){ NULL, 0 }, 0) != US_OK)
		return;
	us_vault_access_log(r, &e, logged);
}
