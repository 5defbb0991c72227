/* The docket: people who wait for their roster signers, and filings (registry/docket.h). */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/listing.h"
#include "daemon/vault/decide/sight.h"

/* Filings stand behind all people: their positions begin here. */
#define FILINGS_AT (UINT64_C(1) << 32)
#define NAME_MAX_BYTES 1024
#define WANTED_MAX 65536u /* a quorum of as many parties as an order can name */

/* --- people who wait -------------------------------------------------------------------------- */

/* What the signature lets in: the signer compares them with what the person says. */
static void
put_fingerprints(const struct us_registry *reg, uint32_t person, struct us_json *j)
{
	size_t i, n = us_registry_credentials(reg);

	us_json_key(j, "fingerprints");
	us_json_array(j);
	for (i = 0; i < n; i++) {
		const struct us_credential *c = us_registry_credential(reg, i);

		if (c->person == person && !c->approved && !c->revoked)
			us_json_hex(j, c->fingerprint, sizeof c->fingerprint);
	}
	us_json_close(j);
}

static void
put_item(struct us_vault_request *r, const struct us_docket_item *item,
    const struct us_person *person, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_order *order = us_registry_order(reg);
	const struct us_person *me = us_registry_person(reg, r->who.person);

	us_json_object(j);
	us_json_kv_cstr(j, "id", item->id);
	us_json_kv_cstr(j, "kind", item->is_new_person ? "person" : "credential");
	us_json_kv_cstr(j, "name", person->name);
	us_json_key(j, "about");
	us_vault_list_put_person(j, person);
	us_json_key(j, "waits_for");
	us_json_array(j);
	for (size_t p = 0; p < order->n_parties; p++)
		if ((item->waits_for >> p & 1) != 0)
			us_json_str(j, order->parties[p].id);
	us_json_close(j);
	us_json_kv_bool(j, "waits_for_court", item->waits_for_court);
	us_json_kv_uint(j, "credentials", item->n_credentials);
	put_fingerprints(reg, item->person, j);
	us_json_kv_time(j, "served", item->served_ns);
	us_json_key(j, "due");
	us_json_null(j);
	us_json_kv_hex(j, "digest", item->digest, sizeof item->digest);
	us_json_kv_bool(j, "yours", me != NULL && us_registry_waits_for(reg, item, me));
	us_json_close(j);
}

/* 0 if the page is full. */
static int
list_waiting(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_person *me = us_registry_person(reg, r->who.person);
	uint32_t after = (uint32_t)l->q->after;
	struct us_docket_item item;

	while (us_registry_docket(reg, after, &item, 1) == 1) {
		const struct us_person *person = us_registry_person(reg, item.person);

		after = item.person;
		if (person == NULL || !us_vault_listing_is(l, item.id, item.person))
			continue;
		if (!us_vault_sight_is_full(&r->who) &&
		    !us_vault_sight_shares_party(us_vault_registry_of(r), &r->who, person->id) &&
		    (me == NULL || !us_registry_waits_for(reg, &item, me)))
			continue;
		if (!us_vault_listing_room(l, item.person))
			return 0;
		put_item(r, &item, person, j);
	}
	return 1;
}

/* --- filings: what they are about ------------------------------------------------------------- */

/* The act that an approval is asked for by, to be freed; NULL: it cannot be had, and j fails if
 * that is for want of memory. */
static struct us_act *
request_of(const struct us_filing *f, struct us_json *j)
{
	struct us_act *act = malloc(sizeof *act);

	if (act == NULL)
		us_json_fail(j, US_ERR_NOMEM);
	else if (us_act_decode(act, US_ACT_APPROVAL_REQUEST,
		     (struct us_bytes){ f->request.data, f->request.len }) == US_OK)
		return act;
	free(act);
	return NULL;
}

static uint32_t
request_records(const struct us_filing *f, struct us_json *j)
{
	struct us_act *act = request_of(f, j);
	const uint32_t n = act == NULL ? 0 : act->u.approval.n;

	free(act);
	return n;
}

static uint64_t
records_of(const struct us_filing *f, struct us_json *j)
{
	return f->set != NULL             ? f->set->records :
	    f->kind == US_FILING_APPROVAL ? request_records(f, j) :
					    0;
}

static void
freeze_name(const struct us_registry *reg, const struct us_filing *f, uint64_t n, struct us_buf *b)
{
	const char *collection = us_vault_list_collection_name(reg, f->collection),
		   *person = us_vault_list_person_name(reg, f->person);
	const unsigned long long records = n;

	switch (f->scope) {
	case US_FREEZE_EVERYTHING:
		(void)us_buf_putf(b, "freeze of everything");
		return;
	case US_FREEZE_PARTY:
		(void)us_buf_putf(b, "freeze of party %s", f->party);
		return;
	case US_FREEZE_PERSON:
		(void)us_buf_putf(b, "freeze of %s", person == NULL ? "somebody" : person);
		return;
	case US_FREEZE_COLLECTION:
		(void)us_buf_putf(b, "freeze of collection %s",
		    collection == NULL ? "" : collection);
		return;
	case US_FREEZE_RECORDS:
		(void)us_buf_putf(b, "freeze of %llu record%s of %s", records,
		    records == 1 ? "" : "s", collection == NULL ? "" : collection);
		return;
	}
}

void
us_vault_docket_put_name(const struct us_registry *reg, const struct us_filing *f,
    struct us_json *j)
{
	const char *collection = us_vault_list_collection_name(reg, f->collection),
		   *person = us_vault_list_person_name(reg, f->person);
	const unsigned long long records = records_of(f, j);
	struct us_buf b;

	us_buf_init(&b, NAME_MAX_BYTES);
	if (us_buf_reserve(&b, NAME_MAX_BYTES, NULL) != US_OK)
		us_json_fail(j, US_ERR_NOMEM);
	switch (f->kind) {
	case US_FILING_ORDER:
		(void)us_buf_putf(&b, "order version %u: %s", f->number, f->text);
		break;
	case US_FILING_CLEARANCE:
		(void)us_buf_putf(&b, "clearance %s for %s", f->text,
		    person == NULL ? "somebody" : person);
		break;
	case US_FILING_CHALLENGE:
	case US_FILING_CLAWBACK:
		(void)us_buf_putf(&b, "%s of %llu record%s of %s", us_filing_kind_name(f->kind),
		    records, records == 1 ? "" : "s", collection == NULL ? "" : collection);
		break;
	case US_FILING_FREEZE:
		freeze_name(reg, f, records, &b);
		break;
	case US_FILING_APPROVAL:
		(void)us_buf_putf(&b, "approval of %s", us_action_name((unsigned)f->action));
		if (records > 0)
			(void)us_buf_putf(&b, " of %llu record%s", records,
			    records == 1 ? "" : "s");
		(void)us_buf_putf(&b, " in %s", collection == NULL ? "" : collection);
		break;
	}
	us_json_str(j, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
}

static void
put_bates(const struct us_collection *c, struct us_run run, uint32_t *shown, struct us_json *j)
{
	char bates[US_BATES_MAX + 1];

	for (uint64_t i = 0; i < run.count && *shown < LIST_BATES_MAX; i++, ++*shown)
		if (us_bates_format(c->prefix, run.first + i, bates) == US_OK)
			us_json_cstr(j, bates);
}

static void
put_set(struct us_vault_request *r, const struct us_filing *f, struct us_json *j)
{
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    f->collection);
	uint32_t shown = 0;

	if (f->set == NULL || c == NULL ||
	    !us_vault_sight_filing_records(us_vault_registry_of(r), &r->who, f))
		return;
	us_json_key(j, "bates");
	us_json_array(j);
	for (size_t i = 0; i < f->set->n && shown < LIST_BATES_MAX; i++)
		put_bates(c, f->set->runs[i], &shown, j);
	us_json_close(j);
}

/* What an approval is asked for: shown to who decides on it, and to who asked. */
static void
put_request(struct us_vault_request *r, const struct us_filing *f, struct us_json *j)
{
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    f->collection);
	struct us_act *act;
	uint32_t shown = 0;

	if (f->kind != US_FILING_APPROVAL || c == NULL ||
	    !us_vault_sight_request(us_vault_registry_of(r), &r->who, f))
		return;
	act = request_of(f, j);
	if (act != NULL) {
		const struct us_act_approval *a = &act->u.approval;

		us_json_key(j, "request");
		us_json_object(j);
		us_json_kv_cstr(j, "action", us_action_name((unsigned)a->action));
		us_json_kv_cstr(j, "collection", c->name);
		us_json_kv_str(j, "purpose", a->purpose);
		us_json_kv_str(j, "query", a->query);
		us_json_key(j, "bates");
		us_json_array(j);
		for (uint32_t i = 0; i < a->n; i++)
			put_bates(c,
			    (struct us_run){ us_load_u64(a->records.p + (size_t)i * 8), 1 }, &shown,
			    j);
		us_json_close(j);
		us_json_close(j);
	}
	free(act);
}

/* --- filings: whose signatures are enough ----------------------------------------------------- */

static void
put_parties(const struct us_order *order, uint64_t parties, const char *between, struct us_buf *b)
{
	int first = 1;

	for (size_t p = 0; p < order->n_parties; p++) {
		if ((parties >> p & 1) == 0)
			continue;
		(void)us_buf_putf(b, "%s%.*s", first ? "" : between, (int)order->parties[p].id.n,
		    (const char *)order->parties[p].id.p);
		first = 0;
	}
}

static void
put_quorum(const struct us_order *order, const struct us_quorum *q, struct us_buf *b)
{
	for (size_t i = 0; i < q->n; i++) {
		(void)us_buf_putf(b, "%s", i == 0 ? "" : ", or ");
		put_parties(order, q->alternatives[i], " and ", b);
	}
}

/* Of every rule that could permit the request: they hold together. */
static void
put_approvers(const struct us_order *order, const struct us_filing *f,
    const struct us_person *asker, struct us_buf *b)
{
	for (size_t i = 0; i < order->n_rules && asker != NULL; i++) {
		const struct us_rule *rule = &order->rules[i];
		const struct us_approval_need *need = &rule->conditions.approval;
		int first = 1;

		if (rule->effect != US_PERMIT || need->count == 0 ||
		    !us_actions_has(rule->actions, f->action) ||
		    (rule->capacities & US_CAPACITY_BIT(asker->capacity)) == 0 ||
		    (!rule->any_party && (rule->parties & asker->party_bits) == 0))
			continue;
		(void)us_buf_putf(b, "%s%u of ", b->len == 0 ? "" : "; ", need->count);
		if (need->any_party)
			(void)us_buf_putf(b, "any party");
		else
			put_parties(order, need->parties, ", ", b);
		(void)us_buf_putf(b, " as ");
		for (unsigned c = 1; c <= US_CAPACITY_LAST; c++) {
			if ((need->capacities & US_CAPACITY_BIT(c)) == 0)
				continue;
			(void)us_buf_putf(b, "%s%s", first ? "" : ", ", us_capacity_name(c));
			first = 0;
		}
	}
}

static void
put_wanted(const struct us_registry *reg, const struct us_filing *f, struct us_json *j)
{
	const struct us_order *order = us_registry_order(reg);
	const struct us_workflows *w = &order->workflows;
	struct us_buf b;

	us_buf_init(&b, WANTED_MAX);
	if (us_buf_reserve(&b, WANTED_MAX, NULL) != US_OK)
		us_json_fail(j, US_ERR_NOMEM);
	if (us_filing_is_open(f)) {
		switch (f->kind) {
		case US_FILING_ORDER:
			put_quorum(order, &w->amend, &b);
			break;
		case US_FILING_FREEZE:
			put_quorum(order, &w->lift, &b);
			break;
		case US_FILING_APPROVAL:
			put_approvers(order, f, us_registry_person(reg, f->filed_by), &b);
			break;
		case US_FILING_CHALLENGE:
		case US_FILING_CLAWBACK:
			put_parties(order, w->may_resolve, ", or ", &b);
			break;
		case US_FILING_CLEARANCE:
			for (size_t i = 0; i < order->n_clearances && f->status == US_FILING_WAITS;
			     i++)
				if (us_bytes_is(order->clearances[i].id, f->text))
					put_quorum(order, &order->clearances[i].confirm, &b);
			if (f->status == US_FILING_OBJECTED)
				put_parties(order, w->may_resolve, ", or ", &b);
			break;
		}
	}
	us_json_key(j, "wanted");
	if (b.len == 0)
		us_json_null(j);
	else
		us_json_str(j, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
}

/* --- filings ---------------------------------------------------------------------------------- */

void
us_vault_docket_put_services(const struct us_filing *f, struct us_json *j)
{
	int64_t due = 0;

	us_json_key(j, "served");
	us_json_array(j);
	for (size_t i = 0; i < f->n_services; i++) {
		const struct us_service *s = &f->services[i];

		us_json_object(j);
		us_json_kv_cstr(j, "party", s->party);
		us_vault_list_put_time(j, "served", s->served_ns);
		us_vault_list_put_time(j, "received", s->received ? s->received_ns : 0);
		us_vault_list_put_time(j, "due", s->due_ns);
		us_vault_list_put_time(j, "confer", s->confer_ns);
		us_json_close(j);
		if (s->due_ns > due)
			due = s->due_ns;
	}
	us_json_close(j);
	us_vault_list_put_time(j, "due", due);
}

void
us_vault_docket_put_signatures(const struct us_registry *reg, const struct us_filing *f,
    struct us_json *j)
{
	us_json_array(j);
	for (size_t i = 0; f != NULL && i < f->n_signatures; i++) {
		us_json_object(j);
		us_json_kv_uint(j, "person", f->signatures[i].person);
		us_json_kv_cstr(j, "name", us_vault_list_person_name(reg, f->signatures[i].person));
		us_json_kv_time(j, "time", f->signatures[i].at_ns);
		us_json_close(j);
	}
	us_json_close(j);
}

static void
put_filing(struct us_vault_request *r, const struct us_filing *f, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const struct us_person *me = us_registry_person(reg, r->who.person);

	us_json_object(j);
	us_json_kv_cstr(j, "id", f->id);
	us_json_kv_cstr(j, "kind", us_filing_kind_name(f->kind));
	us_json_kv_cstr(j, "status", us_filing_status_name(f->status));
	us_json_key(j, "name");
	us_vault_docket_put_name(reg, f, j);
	us_json_kv_cstr(j, "filed_by", us_vault_list_person_name(reg, f->filed_by));
	us_json_kv_time(j, "filed", f->filed_ns);
	us_json_kv_hex(j, "digest", f->digest, sizeof f->digest);
	us_vault_docket_put_services(f, j);
	us_json_kv_cstr(j, "objected_by",
	    f->objected_by == 0 ? NULL : us_vault_list_person_name(reg, f->objected_by));
	us_vault_list_put_time(j, "objected", f->objected_ns);
	us_vault_list_put_digest(j, "grounds", f->grounds);
	us_json_key(j, "signatures");
	us_vault_docket_put_signatures(reg, f, j);
	put_wanted(reg, f, j);
	us_vault_list_put_digest(j, "document", f->document);
	us_json_kv_uint(j, "records", records_of(f, j));
	us_json_kv_cstr(j, "collection", us_vault_list_collection_name(reg, f->collection));
	put_set(r, f, j);
	put_request(r, f, j);
	us_json_kv_bool(j, "yours",
	    me != NULL && us_filing_waits_for(reg, f, me, us_time_now_ns()));
	if (!us_filing_is_open(f)) {
		us_vault_list_put_time(j, "closed", f->closed_ns);
		us_json_kv_cstr(j, "closed_by", us_vault_list_person_name(reg, f->closed_by));
		us_json_kv_cstr(j, "authority", f->closed_text);
	}
	us_json_close(j);
}

static void
list_from(struct us_vault_request *r, struct us_vault_listing *l, uint64_t first, int only_open,
    struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry_of(r);
	const uint64_t n = us_registry_filings(reg);
	uint64_t i = l->q->after > first ? l->q->after - first : 0;

	for (; i < n; i++) {
		const struct us_filing *f = us_registry_filing(reg, (size_t)i);

		if ((only_open && !us_filing_is_open(f)) ||
		    !us_vault_sight_filing(us_vault_registry_of(r), &r->who, f) ||
		    (l->q->argument.n > 0 && !us_bytes_is(l->q->argument, f->id)))
			continue;
		if (!us_vault_listing_room(l, first + i + 1))
			return;
		put_filing(r, f, j);
	}
}

void
us_vault_list_docket(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	if (l->q->after >= FILINGS_AT || list_waiting(r, l, j))
		list_from(r, l, FILINGS_AT, 1, j);
}

void
us_vault_list_filings(struct us_vault_request *r, struct us_vault_listing *l, struct us_json *j)
{
	list_from(r, l, 0, 0, j);
}

size_t
us_vault_docket_waiting(const struct us_registry *reg, const struct us_person *who, int64_t now_ns)
{
	struct us_docket_item item;
	uint32_t after = 0;
	size_t n = 0;

	while (us_registry_docket(reg, after, &item, 1) == 1) {
		after = item.person;
		n += us_registry_waits_for(reg, &item, who) != 0;
	}
	for (size_t i = 0; i < us_registry_filings(reg); i++)
		n += us_filing_waits_for(reg, us_registry_filing(reg, i), who, now_ns) != 0;
	return n;
}
