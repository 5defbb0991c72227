/* Versions of the order, and what goes with them: acknowledgements, documents, relabels. */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/listing.h"
#include "daemon/vault/decide/sight.h"
#include "registry/withheld.h"

void
us_vault_list_order(struct us_vault_request *r, struct us_json *j)
{
	const struct us_order *o = us_registry_order(us_vault_registry_of(r));

	us_json_object(j);
	us_json_kv_uint(j, "version", o->version);
	us_json_kv_str(j, "title", o->title);
	us_json_kv_str(j, "docket", o->docket);
	us_json_kv_cstr(j, "status", "in-force");
	us_json_kv_hex(j, "source_digest", o->source_digest, 32);
	us_json_kv_hex(j, "compiled_digest", o->compiled_digest, 32);
	us_json_kv_str(j, "source", us_registry_order_source(us_vault_registry_of(r)));
	us_json_close(j);
}

/* The docket item under which a version was proposed; NULL for the first, which stands in init. */
static const struct us_filing *
filing_of(const struct us_registry *reg, uint32_t version)
{
	char id[US_DOCKET_ID_MAX + 1];

	(void)snprintf(id, sizeof id, "order-%u", version);
	return us_registry_filing_named(reg, us_bytes_of(id));
}

static void
put_compiled(const struct us_order *order, struct us_json *j)
{
	struct us_buf b;
	int err;

	us_buf_init(&b, US_ORDER_COMPILED_MAX);
	us_json_key(j, "compiled");
	err = us_order_encode(order, &b);
	if (err == US_OK)
		us_json_base64(j, b.data, b.len);
	else /* it was encoded once: only memory can be wanting */
		us_json_fail(j, err);
	us_buf_free(&b);
}

static void
put_version(const struct us_registry *reg, const struct us_order_version *v, int with_text,
    struct us_json *j)
{
	const struct us_filing *f = filing_of(reg, v->version);
	const int64_t now = us_time_now_ns();

	us_json_object(j);
	us_json_kv_uint(j, "version", v->version);
	us_json_kv_str(j, "title", v->order->title);
	us_json_kv_cstr(j, "status",
	    us_version_status_name(us_registry_version_status(reg, v, now)));
	us_vault_list_put_time(j, "starts", us_order_version_starts(v));
	us_vault_list_put_time(j, "effective", v->effective_ns);
	us_json_kv_cstr(j, "authority", v->authority);
	us_json_kv_cstr(j, "proposed_by", us_vault_list_person_name(reg, v->proposed_by));
	us_vault_list_put_time(j, "proposed", v->proposed_ns);
	us_vault_list_put_time(j, "suspended", v->suspended_ns);
	if (v->suspended_by != 0) {
		us_json_kv_cstr(j, "suspended_by", us_vault_list_person_name(reg, v->suspended_by));
		us_json_kv_cstr(j, "suspended_authority", v->suspended_authority);
	}
	us_json_kv_hex(j, "source_digest", v->order->source_digest, 32);
	us_json_kv_hex(j, "compiled_digest", v->order->compiled_digest, 32);
	us_vault_list_put_digest(j, "instrument", v->instrument);
	us_json_key(j, "signatures");
	us_vault_docket_put_signatures(reg, f, j);
	if (f != NULL && us_filing_is_open(f))
		us_json_kv_hex(j, "digest", f->digest, sizeof f->digest);
	if (with_text) {
		us_json_kv_str(j, "source", v->source);
		put_compiled(v->order, j);
	}
	us_json_close(j);
}

void
us_vault_list_orders(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	uint64_t i;

	for (i = l->q->after; i < us_registry_versions(reg); i++) {
		const struct us_order_version *v = us_registry_version(reg, (size_t)i);

		if (!us_vault_listing_is(l, NULL, v->version))
			continue;
		if (!us_vault_listing_room(l, i + 1))
			return;
		put_version(reg, v, l->q->argument.n > 0, j);
	}
}

void
us_vault_list_acknowledgements(struct us_vault_request *r, struct us_vault_listing *l,
    struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	uint64_t i;

	for (i = l->q->after; i < us_registry_acknowledgements(reg); i++) {
		const struct us_acknowledgement *a = us_registry_acknowledgement(reg, (size_t)i);
		const char *name = us_vault_list_person_name(reg, a->person);

		if ((!us_vault_sight_is_full(&r->who) &&
			!us_vault_sight_shares_party(us_vault_registry_of(r), &r->who,
			    a->person)) ||
		    !us_vault_listing_is(l, name, a->person))
			continue;
		if (!us_vault_listing_room(l, i + 1))
			return;
		us_json_object(j);
		us_json_kv_uint(j, "person", a->person);
		us_json_kv_cstr(j, "name", name);
		us_json_kv_uint(j, "version", a->version);
		us_json_kv_time(j, "time", a->time_ns);
		us_json_kv_cstr(j, "address", a->address);
		us_json_kv_cstr(j, "place", a->place);
		us_vault_list_put_digest(j, "instrument", a->instrument);
		us_vault_list_put_digest(j, "form", a->form);
		us_json_kv_hex(j, "credential", a->credential, sizeof a->credential);
		us_json_close(j);
	}
}

void
us_vault_list_documents(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	char hex[65];
	uint64_t i;

	for (i = l->q->after; i < us_registry_documents(reg); i++) {
		const struct us_document *d = us_registry_document(reg, (size_t)i);

		us_hex_encode(d->digest, sizeof d->digest, hex);
		if ((l->q->argument.n > 0 && !us_bytes_is(l->q->argument, hex)) ||
		    !us_vault_sight_document(us_vault_registry_of(r), &r->who, d))
			continue;
		if (!us_vault_listing_room(l, i + 1))
			return;
		us_json_object(j);
		us_json_kv_cstr(j, "digest", hex);
		us_json_kv_cstr(j, "name", d->name);
		us_json_kv_uint(j, "size", d->size);
		us_json_kv_cstr(j, "added_by", us_vault_list_person_name(reg, d->added_by));
		us_json_kv_time(j, "added", d->added_ns);
		us_json_kv_uint(j, "parts", d->parts);
		us_json_kv_uint(j, "parts_all", d->parts_all);
		us_json_kv_bool(j, "whole", d->parts == d->parts_all);
		us_json_close(j);
	}
}

void
us_vault_list_relabels(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	uint64_t i;

	for (i = l->q->after; i < us_registry_relabels(reg); i++) {
		const struct us_relabel *c = us_registry_relabel(reg, (size_t)i);
		const char *collection = us_vault_list_collection_name(reg, c->set->collection);

		if (!us_vault_listing_is(l, collection, i + 1))
			continue;
		if (!us_vault_listing_room(l, i + 1))
			return;
		us_json_object(j);
		us_json_kv_cstr(j, "collection", collection);
		us_json_kv_cstr(j, "designation", c->designation);
		us_json_kv_uint(j, "records", c->set->records);
		us_json_kv_cstr(j, "reason", c->reason);
		us_json_kv_cstr(j, "by", us_vault_list_person_name(reg, c->by));
		us_json_kv_time(j, "time", c->time_ns);
		us_json_close(j);
	}
}
