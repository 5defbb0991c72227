/* Lists: their requests, pages, and the people, credentials, collections, batches and copies. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/kinds.h"
#include "daemon/vault/answers/listing.h"
#include "daemon/vault/decide/sight.h"
#include "registry/recalls.h"

#define LIMIT_DEFAULT 1000u

static enum us_action
action_of(uint8_t what)
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

static void
list_people(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	uint64_t id, n = us_registry_people(us_vault_registry_of(r));

	for (id = l->q->after + 1; id <= n; id++) {
		const struct us_person *p = us_registry_person(us_vault_registry_of(r),
		    (uint32_t)id);

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
	const struct us_registry *reg = us_vault_registry_of(r);
	uint64_t i, n = us_registry_credentials(reg);

	for (i = l->q->after; i < n; i++) {
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
	const struct us_registry *reg = us_vault_registry_of(r);
	uint64_t id, n = us_registry_collections(reg);

	for (id = l->q->after + 1; id <= n; id++) {
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
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_collection *c = us_registry_collection(reg, r->who.collection);
	uint64_t i, n = us_registry_batches(reg, r->who.collection);
	char bates[US_BATES_MAX + 1], name[US_COLLECTION_NAME_MAX + 16];

	for (i = l->q->after; i < n; i++) {
		const struct us_batch *b = us_registry_batch(reg, r->who.collection, (size_t)i);
		const struct us_person *loader = us_registry_person(reg, b->facts.loaded_by);
		int own = loader != NULL && (loader->party_bits & r->who.subject.parties) != 0;

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
		if (us_bates_format(c->prefix, b->facts.first, bates) == US_OK)
			us_json_kv_cstr(j, "first", bates);
		if (b->facts.count > 0 &&
		    us_bates_format(c->prefix, b->facts.first + b->facts.count - 1, bates) == US_OK)
			us_json_kv_cstr(j, "last", bates);
		us_json_kv_time(j, "closed", b->closed_ns);
		if (b->status != US_BATCH_VOID) {
			uint64_t entry = us_vault_entry_of(r->vault->state, b->sequence);

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
	if (us_vault_sight_is_full(&r->who) && !us_capacity_runs_machine(r->who.subject.capacity))
		return 1;
	return taker != NULL &&
	    (taker->id == r->who.person || (taker->party_bits & r->who.subject.parties) != 0);
}

static void
list_copies(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	uint64_t id, n = us_registry_copies(reg);
	char bates[US_BATES_MAX + 1];
	uint32_t i;

	for (id = l->q->after + 1; id <= n; id++) {
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
		us_json_kv_uint(j, "withdrawn", us_copy_taken_back(reg, c));
		us_json_key(j, "bates");
		us_json_array(j);
		for (i = 0; i < c->n && i < 1000 && collection != NULL; i++)
			if (us_bates_format(collection->prefix, c->records[i], bates) == US_OK)
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
put_items(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	switch (l->q->what) {
	case US_LIST_PEOPLE:
		list_people(r, l, j);
		break;
	case US_LIST_CREDENTIALS:
		list_credentials(r, l, j);
		break;
	case US_LIST_COLLECTIONS:
		list_collections(r, l, j);
		break;
	case US_LIST_BATCHES:
		list_batches(r, l, j);
		break;
	case US_LIST_DOCKET:
		us_vault_list_docket(r, l, j);
		break;
	case US_LIST_COPIES:
		list_copies(r, l, j);
		break;
	case US_LIST_ORDER:
		us_vault_list_order(r, j);
		break;
	case US_LIST_ORDERS:
		us_vault_list_orders(r, l, j);
		break;
	case US_LIST_FILINGS:
		us_vault_list_filings(r, l, j);
		break;
	case US_LIST_ACKNOWLEDGEMENTS:
		us_vault_list_acknowledgements(r, l, j);
		break;
	case US_LIST_DOCUMENTS:
		us_vault_list_documents(r, l, j);
		break;
	case US_LIST_RELABELS:
		us_vault_list_relabels(r, l, j);
		break;
	default:
		break;
	}
}

/* Whether a list is of things that have a path each, so that to name one is to ask for it. */
static int
has_names(uint8_t what)
{
	return what == US_LIST_PEOPLE || what == US_LIST_COLLECTIONS || what == US_LIST_BATCHES ||
	    what == US_LIST_DOCKET || what == US_LIST_COPIES || what == US_LIST_ORDERS ||
	    what == US_LIST_FILINGS;
}

/* The one that was asked for by name is not there, or not for this person. */
static enum us_vault_next
not_there(struct us_vault_request *r, uint64_t entry)
{
	us_vault_problem_set(&r->problem, 404, "not-found", "Not found or not visible",
	    US_REASON_NOT_FOUND)
	    ->entry = entry;
	us_vault_problem_detail(&r->problem,
	    "There is nothing of this name here, or it is not for you");
	us_vault_outcome_whole(r->vault->outcomes, &r->ending); /* that is the whole answer */
	return US_VAULT_FAIL;
}

static enum us_vault_next
put_list(struct us_vault_request *r)
{
	struct us_vault_listing l = { .q = &r->q.list_request, .limit = r->q.list_request.limit };
	const uint64_t entry = r->heard.logged->index;
	struct us_json j;
	struct us_buf b;

	if (l.limit == 0 || l.limit > LIMIT_DEFAULT)
		l.limit = LIMIT_DEFAULT;
	us_vault_json_begin(&j, &b, 64u << 20);
	us_json_key(&j, "items");
	us_json_array(&j);
	put_items(r, &l, &j);
	if (l.shown == 0 && l.q->after == 0 && l.q->argument.n > 0 && has_names(l.q->what)) {
		us_buf_free(&b);
		return not_there(r, entry);
	}
	us_json_close(&j);
	us_json_key(&j, "next");
	if (l.next == 0)
		us_json_null(&j);
	else
		us_json_uint(&j, l.next);
	us_json_kv_uint(&j, "order", us_registry_order(us_vault_registry_of(r))->version);
	us_json_kv_uint(&j, "entry", entry);
	us_json_close(&j);
	return us_vault_answer_json(r, 200, entry, &j, &b);
}

/* Under which action its refusal is logged. */
static void
name_list(struct us_vault_request *r)
{
	const enum us_action action = action_of(r->q.list_request.what);

	if (action != US_ACTION_NONE)
		r->action = action;
}

static enum us_vault_next
find_list(struct us_vault_request *r)
{
	const struct us_msg_list_request *q = &r->q.list_request;

	if (action_of(q->what) == US_ACTION_NONE)
		return us_vault_fail(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
	name_list(r);
	return q->what != US_LIST_BATCHES ? US_VAULT_GO_ON :
					    us_vault_decided(us_vault_decide_collection(r->vault,
						&r->who, q->collection, &r->problem));
}

static enum us_vault_next
ask_order(struct us_vault_request *r)
{
	return us_vault_ask_order(r, (struct us_bytes){ NULL, 0 }, 0);
}

static enum us_vault_next
log_intent(struct us_vault_request *r)
{
	const struct us_vault_entry e = { .kind = US_KIND_INTENT,
		.action = r->action,
		.decision = US_DECISION_ALLOW,
		.related = NO_ENTRY };

	return us_vault_log(r, &e);
}

const struct us_vault_step us_vault_list_request_steps[] = {
	{ .once = find_list, .name = name_list },
	{ .once = ask_order },
	{ .once = log_intent },
	{ .once = put_list },
	{ .once = NULL },
};
