#include "client/log/entry_json.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/show.h"
#include "base/array.h"
#include "case/action.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/time.h"
#include "case/bates.h"

/* Who only learns that records were disclosed learns of which collection. */
static uint32_t
collection_of(const struct us_opened *o)
{
	return us_opened_has(o, US_BOX_ACCESS) ? o->access.collection : o->disclosure.collection;
}

/* The member of the listed person or collection with this number. */
static const char *
name_of(const cJSON *document, const char *kind, uint32_t id, const char *member)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(document, "items"))
		if ((uint32_t)us_json_number(item, kind, 0) == id)
			return us_json_text(item, member);
	return NULL;
}

/* Who has no name in the list is called by number. */
static int
is_person(uint32_t person, const char *name, const char *wanted)
{
	char number[32];

	(void)snprintf(number, sizeof number, "person %u", (unsigned)person);
	return person != 0 && strcmp(name != NULL ? name : number, wanted) == 0;
}

static int
has_party(const struct us_opened *o, const char *party)
{
	for (size_t i = 0; i < o->access.n_parties; i++)
		if (us_bytes_is(o->access.parties[i], party))
			return 1;
	return 0;
}

static int
has_record(const struct us_opened *o, uint64_t record)
{
	for (size_t i = 0; i < o->disclosure.n_records; i++)
		if (o->disclosure.records[i] == record)
			return 1;
	return 0;
}

static int
has_asked(const struct us_opened *o, const char *bates)
{
	for (size_t i = 0; i < o->query.n_terms; i++)
		if (us_bytes_is(o->query.terms[i], bates))
			return 1;
	return 0;
}

/* Whether the entry is about the record. */
static int
is_about(const struct us_opened *o, const struct us_log_filter *f)
{
	return f->denied ? us_opened_has(o, US_BOX_QUERY) && has_asked(o, f->bates) :
			   us_opened_has(o, US_BOX_DISCLOSURE) && has_record(o, f->record);
}

int
us_log_is_of(const struct us_opened *o, const char *credential)
{
	char hex[65];

	us_hex_encode(o->access.credential, 32, hex);
	hex[64] = '\0';
	return strcmp(hex, credential) == 0;
}

static int
passes(const struct us_opened *o, const struct us_log_names *names, const struct us_log_filter *f)
{
	const char *person = name_of(names->people, "person", o->access.person, "name");
	const char *collection = name_of(names->collections, "collection", collection_of(o),
	    "name");

	if ((f->since_ns != 0 && o->view.time_ns < f->since_ns) ||
	    (f->until_ns != 0 && o->view.time_ns > f->until_ns))
		return 0;
	if (f->person == NULL && f->party == NULL && f->credential == NULL &&
	    f->collection == NULL && !f->denied && !f->has_record)
		return 1;
	/* it cannot be known whether it fits */
	if (!us_opened_has(o, US_BOX_ACCESS) &&
	    (f->person != NULL || f->party != NULL || f->credential != NULL || f->denied ||
		collection_of(o) == 0))
		return 0;
	if ((f->person != NULL && !is_person(o->access.person, person, f->person)) ||
	    (f->party != NULL && !has_party(o, f->party)) ||
	    (f->credential != NULL && !us_log_is_of(o, f->credential)) ||
	    (f->collection != NULL &&
		(collection == NULL || strcmp(collection, f->collection) != 0)) ||
	    (f->denied && o->access.decision != US_DECISION_DENY) ||
	    (f->has_record && !is_about(o, f)))
		return 0;
	return 1;
}

static void
put_counts(struct us_json *j, struct us_bytes counts)
{
	uint8_t reason;
	uint32_t n;

	us_json_key(j, "counts");
	us_json_object(j);
	while (us_event_next_count(&counts, &reason, &n)) {
		const char *name = us_reason_name(reason);

		us_json_kv_uint(j, name != NULL ? name : "unknown-reason", n);
	}
	us_json_close(j);
}

/* What the machine says of itself; of other events all that there is to say stands elsewhere. */
static void
put_event(struct us_json *j, const struct us_event *e)
{
	if (e->form == US_EVENT_ANSWERED) {
		us_json_kv_uint(j, "from", e->answered.from);
		us_json_kv_uint(j, "to", e->answered.to);
	} else if (e->form == US_EVENT_CONFIGURE) {
		us_json_kv_str(j, "changes", e->configure.changes);
	} else if (e->form == US_EVENT_GAP) {
		us_json_kv_uint(j, "silent_ms",
		    ((uint64_t)e->gap.to - (uint64_t)e->gap.from) / 1000000);
		us_json_kv_cstr(j, "cause", us_gap_name(e->gap.cause));
	} else if (e->form == US_EVENT_COUNTS) {
		put_counts(j, e->counts.count);
	}
}

static void
put_access(struct us_json *j, const struct us_opened *o, const struct us_log_names *names)
{
	const struct us_entry_access *a = &o->access;
	const char *person = name_of(names->people, "person", a->person, "name");
	const char *collection = name_of(names->collections, "collection", a->collection, "name");
	static const uint8_t none[32];

	us_json_kv_cstr(j, "kind", us_kind_name(a->kind));
	us_json_kv_cstr(j, "person", a->person == 0 ? NULL : person == NULL ? "unknown" : person);
	us_json_key(j, "party");
	us_json_array(j);
	for (size_t i = 0; i < a->n_parties; i++)
		us_json_str(j, a->parties[i]);
	us_json_close(j);
	us_json_kv_cstr(j, "action", us_action_name(a->action));
	us_json_kv_cstr(j, "decision", us_decision_name(a->decision));
	us_json_kv_cstr(j, "reason", us_reason_name(a->reason));
	if (a->told)
		us_json_kv_cstr(j, "as_told", "by the vault");
	us_json_key(j, "rule");
	if (a->rule == 0)
		us_json_null(j);
	else
		us_json_uint(j, a->rule);
	us_json_kv_str(j, "paragraph", a->paragraph);
	us_json_kv_cstr(j, "collection", a->collection == 0 ? NULL : collection);
	us_json_key(j, "credential");
	if (memcmp(a->credential, none, 32) == 0)
		us_json_null(j);
	else
		us_json_hex(j, a->credential, 32);
	if (a->related != US_ENTRY_NONE)
		us_json_kv_uint(j, "related", a->related);
	if (a->sequence != US_ENTRY_NONE)
		us_json_kv_uint(j, "act", a->sequence);
	put_event(j, &a->event);
}

static void
put_withheld_access(struct us_json *j, const struct us_opened *o, const struct us_log_names *names)
{
	static const char *const withheld[] = { "kind", "person", "party", "action", "decision",
		"reason", "rule", "paragraph", "credential" };
	const char *collection = name_of(names->collections, "collection", collection_of(o),
	    "name");

	for (size_t i = 0; i < US_COUNT(withheld); i++)
		us_json_kv_cstr(j, withheld[i], "withheld");
	us_json_kv_cstr(j, "collection", collection != NULL ? collection : "withheld");
}

/* Bates numbers where the collection's prefix is known, else record numbers. */
static void
put_records(struct us_json *j, const struct us_opened *o, const struct us_log_names *names)
{
	const char *prefix = name_of(names->collections, "collection", collection_of(o),
	    "bates_prefix");

	us_json_key(j, "records");
	us_json_array(j);
	for (size_t i = 0; i < o->disclosure.n_records; i++) {
		unsigned long long record = o->disclosure.records[i];
		char bates[US_BATES_MAX + 1];

		if (prefix != NULL && us_bates_format(prefix, record, bates) == US_OK)
			us_json_cstr(j, bates);
		else
			us_json_uint(j, record);
	}
	us_json_close(j);
	us_json_kv_uint(j, o->disclosure.fewer ? "fewer_than" : "total", o->disclosure.total);
	if (o->disclosure.parts > 1) {
		us_json_kv_uint(j, "part", o->disclosure.part);
		us_json_kv_uint(j, "parts", o->disclosure.parts);
	}
	if (o->disclosure.has_copy) {
		us_json_kv_uint(j, "copy", o->disclosure.copy_id);
		us_json_kv_str(j, "recipient", o->disclosure.recipient);
	}
}

/* What a refused request was about: Bates numbers, and "+N" if there were more. */
static void
put_asked(struct us_json *j, const struct us_entry_query *q)
{
	us_json_key(j, "asked");
	us_json_array(j);
	for (size_t i = 0; i < q->n_terms; i++)
		us_json_str(j, q->terms[i]);
	us_json_close(j);
}

int
us_log_entry_json(struct us_buf *out, const struct us_opened *o, const struct us_log_names *names,
    const struct us_log_filter *filter)
{
	struct us_json j;
	int err;

	if (!passes(o, names, filter))
		return US_OK;
	us_json_begin(&j, out);
	us_json_object(&j);
	us_json_kv_uint(&j, "index", o->view.index);
	us_json_kv_time(&j, "time", o->view.time_ns);
	us_json_kv_cstr(&j, "class", us_entry_class_name(o->view.entry_class));
	us_json_kv_uint(&j, "order", o->view.order_version);
	if (us_opened_has(o, US_BOX_ACCESS))
		put_access(&j, o, names);
	else
		put_withheld_access(&j, o, names);
	if (us_opened_has(o, US_BOX_DISCLOSURE))
		put_records(&j, o, names);
	else
		us_json_kv_cstr(&j, "records", "withheld");
	if (us_opened_has(o, US_BOX_QUERY)) {
		us_json_kv_str(&j, "query", o->query.query);
		us_json_kv_str(&j, "purpose", o->query.purpose);
		us_json_kv_str(&j, "address", o->query.address);
		if (o->access.decision == US_DECISION_DENY && o->query.n_terms > 0)
			put_asked(&j, &o->query);
	} else {
		us_json_kv_cstr(&j, "query", "withheld");
		us_json_kv_cstr(&j, "purpose", "withheld");
		us_json_kv_cstr(&j, "address", "withheld");
	}
	us_json_close(&j);
	err = us_json_end(&j);
	if (err == US_OK)
		err = us_buf_put_u8(out, '\n');
	return err;
}
