#include "client/core/act_text.h"

#include <string.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "case/bates.h"
#include "client/core/named.h"
#include "client/core/out.h"
#include "client/core/show.h"
#include "crypto/crypto.h"

#define RUNS_SHOWN 200 /* of a set of records; the rest is counted */
#define INDENT (US_LABEL_WIDTH + 1)

/* ---- which acts ---- */

static const struct us_client_act_title {
	enum us_act_type type;
	int asked;
	const char *title;
} titles[] = {
	{ US_ACT_PERSON_ADD, 0, "adds a person" },
	{ US_ACT_DOCKET_SIGN, 1, "signs an item of the docket" },
	{ US_ACT_PERSON_SUSPEND, 1, "suspends a person" },
	{ US_ACT_PERSON_REINSTATE, 1, "reinstates a person" },
	{ US_ACT_PERSON_END, 1, "ends a person's part in the case, for good" },
	{ US_ACT_CREDENTIAL_ISSUE, 0, "issues a credential" },
	{ US_ACT_CREDENTIAL_REVOKE, 0, "revokes a credential" },
	{ US_ACT_COLLECTION_CREATE, 0, "creates a collection" },
	{ US_ACT_BATCH_RELEASE, 1, "releases a batch to those whom the order lets see it" },
	{ US_ACT_BATCH_WITHDRAW, 1, "withdraws a batch" },
	{ US_ACT_COPY, 0, "takes a copy" },
	{ US_ACT_COPY_RETURN, 1, "says what became of a copy" },
	{ US_ACT_SEAL, 0, "seals the vault" },
	{ US_ACT_DOCUMENT_ADD, 0, "adds a document" },
	{ US_ACT_ORDER_PROPOSE, 1, "proposes a version of the order" },
	{ US_ACT_ORDER_SUSPEND, 1, "suspends a version of the order" },
	{ US_ACT_DOCKET_OBJECT, 1, "objects to an item of the docket, for your party" },
	{ US_ACT_DOCKET_RESOLVE, 1, "records the ruling on an item of the docket" },
	{ US_ACT_DOCKET_WITHDRAW, 1, "takes back an item of the docket" },
	{ US_ACT_DOCKET_SERVE, 1, "says that a party was served with an item of the docket" },
	{ US_ACT_ACKNOWLEDGE, 1, "agrees to be bound by the order" },
	{ US_ACT_CLEARANCE, 1, "asks for a person's clearance" },
	{ US_ACT_CHALLENGE, 1, "challenges the designation of records" },
	{ US_ACT_RELABEL, 1, "gives records another designation" },
	{ US_ACT_CLAWBACK, 1, "takes back records that were produced by mistake, at once" },
	{ US_ACT_FREEZE, 1, "stops access, at once" },
	{ US_ACT_UNFREEZE, 1, "agrees that a freeze be lifted" },
	{ US_ACT_APPROVAL_REQUEST, 1, "asks others to approve one request" },
	{ US_ACT_MATTER_SET, 1, "says in which state the matter is" },
};

static const struct us_client_act_title *
title_of(enum us_act_type type)
{
	for (size_t i = 0; i < US_COUNT(titles); i++)
		if (titles[i].type == type)
			return &titles[i];
	return NULL;
}

const char *
us_act_title(enum us_act_type type)
{
	const struct us_client_act_title *t = title_of(type);

	return t == NULL ? NULL : t->title;
}

int
us_act_is_asked(enum us_act_type type)
{
	const struct us_client_act_title *t = title_of(type);

	return t != NULL && t->asked;
}

/* ---- lines ---- */

/* text NULL: a number that has no name. */
static void
put_text(const char *label, const char *text)
{
	us_print_line(label, us_bytes_of(text == NULL ? "?" : text));
}

static void
put_number(const char *label, uint64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	put_text(label, text);
}

/* A document by its digest; of zeros: none. */
static void
put_document(const char *label, const uint8_t digest[32])
{
	static const uint8_t none[32];
	char hex[65];

	us_hex_encode(digest, 32, hex);
	put_text(label, memcmp(digest, none, sizeof none) == 0 ? "none" : hex);
}

static void
put_time(const char *label, int64_t ns)
{
	char text[US_TIME_TEXT_SIZE];

	if (ns != 0 && us_time_format(ns, text) == US_OK)
		put_text(label, text);
}

/* By its name; by its number if nobody has named it. */
static void
put_named(const struct us_client *client, const char *label, enum us_named_what what,
    uint32_t number)
{
	const char *name = us_named_text(client, what, number);

	if (name == NULL)
		put_number(label, number);
	else
		put_text(label, name);
}

/* "OAI000000017", or "record 17" if no prefix is known. */
static void
put_record(const char *prefix, uint64_t record)
{
	char bates[US_BATES_MAX + 1];

	if (prefix != NULL && us_bates_format(prefix, record, bates) == US_OK)
		us_print("%s", bates);
	else
		us_print("record %llu", (unsigned long long)record + 1);
}

static void
put_run(const char *prefix, struct us_run run, uint32_t shown)
{
	if (shown > 0)
		us_print("%*s", INDENT, "");
	put_record(prefix, run.first);
	if (run.count > 1) {
		us_print(" to ");
		put_record(prefix, run.first + run.count - 1);
	}
	us_print("\n");
}

static void
put_selection(const struct us_client *client, const struct us_selection *s)
{
	const char *prefix = us_named_text(client, US_NAMED_PREFIX, s->collection);
	struct us_run run = { 0, 0 };
	uint64_t records = 0;
	uint32_t runs = 0;
	size_t at = 0;

	put_named(client, "collection", US_NAMED_COLLECTION, s->collection);
	if (s->is_batch) {
		put_number("whole batch", s->slot);
		return;
	}
	us_print("%-*s ", US_LABEL_WIDTH, "Bates numbers");
	for (; us_selection_next(s, &at, &run); runs++, records += run.count)
		if (runs < RUNS_SHOWN)
			put_run(prefix, run, runs);
	if (runs > RUNS_SHOWN)
		us_print("%*sand %u more ranges\n", INDENT, "", runs - RUNS_SHOWN);
	put_number("records", records);
}

/* Packed u64. */
static void
put_records(const struct us_client *client, uint32_t collection, struct us_bytes records,
    uint32_t n)
{
	const char *prefix = us_named_text(client, US_NAMED_PREFIX, collection);
	uint32_t shown = 0;

	put_named(client, "collection", US_NAMED_COLLECTION, collection);
	if (n == 0)
		return;
	us_print("%-*s ", US_LABEL_WIDTH, "Bates numbers");
	for (uint32_t i = 0; i < n; shown++) {
		struct us_run run = { us_load_u64(records.p + (size_t)i * 8), 1 };

		while (++i < n && us_load_u64(records.p + (size_t)i * 8) == run.first + run.count)
			run.count++;
		if (shown < RUNS_SHOWN)
			put_run(prefix, run, shown);
	}
	if (shown > RUNS_SHOWN)
		us_print("%*sand %u more ranges\n", INDENT, "", shown - RUNS_SHOWN);
	put_number("records", n);
}

/* ---- what stands in an act ---- */

static void
show_person_add(const struct us_act_person_add *a)
{
	us_print_line("person", a->name);
	put_text("capacity", us_capacity_name(a->capacity));
	for (size_t i = 0; i < a->n_parties; i++)
		us_print_line("party", a->parties[i]);
}

static void
show_revoke(const struct us_client *client, const struct us_act_revoke *a)
{
	if (a->by_person)
		put_named(client, "everything of", US_NAMED_PERSON, a->person);
	else
		put_document("fingerprint", a->fingerprint);
	us_print_line("reason", a->reason);
	put_time("lost since", a->lost_since_ns);
}

static void
show_propose(const struct us_act_order_propose *a)
{
	uint8_t digest[32];

	if (us_sha256(a->source.p, a->source.n, digest) == US_OK)
		put_document("source", digest);
	put_document("instrument", a->instrument);
	us_print_line("authority", a->authority);
	put_time("effective", a->effective_ns);
}

static void
show_docket(enum us_act_type type, const struct us_act_docket *a)
{
	us_print_line("item", a->docket_id);
	if (type == US_ACT_DOCKET_OBJECT)
		put_document("grounds", a->grounds);
	if (type == US_ACT_DOCKET_RESOLVE)
		put_text("ruling", a->outcome == US_OUTCOME_DENIED ? "denied" : "granted");
	us_print_line("party", a->party);
	us_print_line(type == US_ACT_DOCKET_RESOLVE ? "authority" : "reason", a->text);
	put_time("served", a->at_ns);
}

static void
show_acknowledge(const struct us_act_acknowledge *a)
{
	put_number("version", a->version);
	put_document("source", a->source_digest);
	put_document("instrument", a->instrument);
	us_print_line("address", a->address);
	us_print_line("place", a->place);
	put_document("signed form", a->form);
}

static void
show_records(const struct us_client *client, enum us_act_type type, const struct us_act_records *a)
{
	put_selection(client, &a->selection);
	us_print_line("designation", a->designation);
	us_print_line("reason", a->reason);
	if (type != US_ACT_RELABEL)
		put_document(type == US_ACT_CLAWBACK ? "notice" : "basis", a->document);
	put_time("noticed", a->noticed_ns);
}

static void
show_freeze(const struct us_client *client, const struct us_act_freeze *a)
{
	switch (a->scope) {
	case US_FREEZE_EVERYTHING:
		put_text("of", "everything, for everybody");
		break;
	case US_FREEZE_PARTY:
		us_print_line("of party", a->party);
		break;
	case US_FREEZE_PERSON:
		put_named(client, "of person", US_NAMED_PERSON, a->person);
		break;
	case US_FREEZE_COLLECTION:
		put_named(client, "of collection", US_NAMED_COLLECTION, a->collection);
		break;
	case US_FREEZE_RECORDS:
		put_selection(client, &a->selection);
		break;
	}
	us_print_line("authority", a->authority);
}

static void
show_approval(const struct us_client *client, const struct us_act_approval *a)
{
	put_text("action", us_action_name((unsigned)a->action));
	us_print_line("purpose", a->purpose);
	us_print_line("query", a->query);
	put_records(client, a->collection, a->records, a->n);
}

static void
show_copy(const struct us_client *client, const struct us_act_copy *a)
{
	us_print_line("recipient", a->recipient);
	us_print_line("purpose", a->purpose);
	put_records(client, a->collection, a->records, a->n);
}

/* Of people, credentials, and what the vault is. */
static void
show_people(const struct us_client *client, const struct us_act *act)
{
	switch ((unsigned)act->type) {
	case US_ACT_PERSON_ADD:
		show_person_add(&act->u.person_add);
		break;
	case US_ACT_CREDENTIAL_ISSUE:
		put_named(client, "person", US_NAMED_PERSON, act->u.issue.person);
		put_number("days", act->u.issue.days);
		break;
	case US_ACT_CREDENTIAL_REVOKE:
		show_revoke(client, &act->u.revoke);
		break;
	default:
		put_named(client, "person", US_NAMED_PERSON, act->u.change.person);
		us_print_line("reason", act->u.change.reason);
	}
}

/* Of a collection, its batches and their copies. */
static void
show_holding(const struct us_client *client, const struct us_act *act)
{
	switch ((unsigned)act->type) {
	case US_ACT_COLLECTION_CREATE:
		us_print_line("collection", act->u.collection.name);
		us_print_line("Bates prefix", act->u.collection.prefix);
		us_print_line("designation", act->u.collection.designation);
		break;
	case US_ACT_COPY:
		show_copy(client, &act->u.copy);
		break;
	case US_ACT_COPY_RETURN:
		put_number("copy", act->u.copy_return.copy);
		put_text("it was",
		    act->u.copy_return.how == US_COPY_DESTROYED ? "destroyed" : "returned");
		us_print_line("note", act->u.copy_return.note);
		break;
	default:
		put_named(client, "collection", US_NAMED_COLLECTION, act->u.batch.collection);
		put_number("batch", act->u.batch.slot);
		us_print_line("reason", act->u.batch.reason);
	}
}

static void
show_rest(const struct us_act *act)
{
	switch ((unsigned)act->type) {
	case US_ACT_SEAL:
		us_print_line("reason", act->u.seal.reason);
		break;
	case US_ACT_DOCUMENT_ADD:
		us_print_line("document", act->u.document.name);
		put_document("SHA-256", act->u.document.digest);
		put_number("bytes", act->u.document.size);
		break;
	case US_ACT_ORDER_SUSPEND:
		put_number("version", act->u.order_suspend.version);
		us_print_line("authority", act->u.order_suspend.authority);
		break;
	case US_ACT_DOCKET_SIGN:
		us_print_line("item", act->u.sign.docket_id);
		put_document("digest", act->u.sign.digest);
		break;
	case US_ACT_UNFREEZE:
		put_number("freeze", act->u.unfreeze.freeze);
		us_print_line("authority", act->u.unfreeze.authority);
		break;
	default:
		us_print_line("state", act->u.matter.state);
		us_print_line("authority", act->u.matter.authority);
	}
}

static void
show_payload(const struct us_client *client, const struct us_act *act)
{
	switch (act->type) {
	case US_ACT_PERSON_ADD:
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
	case US_ACT_CREDENTIAL_ISSUE:
	case US_ACT_CREDENTIAL_REVOKE:
		show_people(client, act);
		break;
	case US_ACT_COLLECTION_CREATE:
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
	case US_ACT_COPY:
	case US_ACT_COPY_RETURN:
		show_holding(client, act);
		break;
	case US_ACT_ORDER_PROPOSE:
		show_propose(&act->u.order_propose);
		break;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		show_docket(act->type, &act->u.docket);
		break;
	case US_ACT_ACKNOWLEDGE:
		show_acknowledge(&act->u.acknowledge);
		break;
	case US_ACT_CLEARANCE:
		put_named(client, "person", US_NAMED_PERSON, act->u.clearance.person);
		us_print_line("clearance", act->u.clearance.clearance);
		put_document("statement", act->u.clearance.statement);
		break;
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		show_records(client, act->type, &act->u.records);
		break;
	case US_ACT_FREEZE:
		show_freeze(client, &act->u.freeze);
		break;
	case US_ACT_APPROVAL_REQUEST:
		show_approval(client, &act->u.approval);
		break;
	case US_ACT_DOCKET_SIGN:
	case US_ACT_SEAL:
	case US_ACT_DOCUMENT_ADD:
	case US_ACT_ORDER_SUSPEND:
	case US_ACT_UNFREEZE:
	case US_ACT_MATTER_SET:
		show_rest(act);
		break;
	case US_ACT_INIT:
	case US_ACT_BATCH_CLOSE:
	case US_ACT_BATCH_VOID:
	case US_ACT_DICTIONARY:
	case US_ACT_COPY_DIGEST:
		break; /* nobody signs them */
	}
}

void
us_act_show(const struct us_client *client, const struct us_act *act)
{
	const char *title = us_act_title(act->type);

	us_print("what you sign %s:\n", title == NULL ? "is the vault's own" : title);
	show_payload(client, act);
}
