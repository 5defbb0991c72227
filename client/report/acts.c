/* Report on privileged acts: who did them, what they were, who signed with them. */
#include <stdlib.h>
#include <string.h>

#include "client/report/kinds.h"
#include "base/base64.h"
#include "crypto/cert.h"
#include "base/err.h"
#include "registry/docket.h"

#define DETAIL_MAX 512

/* What changes who may do what, or what the vault is: acts but those named, what is administrative,
 * and some of the machine's own; reading of lists is not. */
static int
is_privileged(enum us_action action)
{
	switch ((unsigned)action) {
	case US_ACTION_ACKNOWLEDGE:
	case US_ACTION_BATCH_CLOSE:
	case US_ACTION_COPY:
	case US_ACTION_COPY_RETURN:
	case US_ACTION_DICTIONARY:
	case US_ACTION_DOCUMENT_ADD:
		return 0;
	case US_ACTION_ORDER_IN_FORCE:
	case US_ACTION_START:
	case US_ACTION_STOP:
	case US_ACTION_UNSEAL:
	case US_ACTION_BACKUP:
	case US_ACTION_RESTORE:
	case US_ACTION_HANDOVER:
		return 1;
	default:
		for (unsigned type = 0; type <= UINT8_MAX; type++)
			if (us_act_name(type) != NULL &&
			    us_act_action((enum us_act_type)type) == action)
				return 1;
		return us_action_row(action)->class == US_ACTIONS_ADMINISTRATIVE;
	}
}

/* Text of an act, which is valid UTF-8 without control characters, as far as there is room. */
static void
put(char *to, const char *before, struct us_bytes text)
{
	size_t n = strlen(to);

	if (text.n > 0 && n < DETAIL_MAX - 1)
		(void)snprintf(to + n, DETAIL_MAX - n, "%s%.*s", before,
		    (int)(text.n > DETAIL_MAX ? DETAIL_MAX : text.n), (const char *)text.p);
}

static void
put_person(const struct us_trail *t, char *to, uint32_t person)
{
	char name[32];

	put(to, "", us_bytes_of(us_names_person(&t->names, person, name)));
}

static void
put_hex(char *to, const char *before, const uint8_t fingerprint[32])
{
	char hex[65];

	us_hex_encode(fingerprint, 32, hex);
	put(to, before, us_bytes_of(hex));
}

static void
describe_issue(const struct us_trail *t, char *to, const struct us_trail_act *a)
{
	uint8_t fingerprint[32];
	struct us_reader r;
	char days[32];

	put_person(t, to, a->act->u.issue.person);
	(void)snprintf(days, sizeof days, ", %u days", (unsigned)a->act->u.issue.days);
	put(to, "", us_bytes_of(days));
	us_reader_init(&r, a->committed.result.p, a->committed.result.n);
	if (us_cert_fingerprint(us_take_str32(&r, US_CERT_MAX), fingerprint) == US_OK &&
	    us_reader_end(&r) == US_OK)
		put_hex(to, ", ", fingerprint);
}

static void
describe_revoke(const struct us_trail *t, char *to, const struct us_act_revoke *revoke)
{
	if (revoke->by_person)
		put_person(t, to, revoke->person);
	else
		put_hex(to, "", revoke->fingerprint);
	put(to, ": ", revoke->reason);
}

static void
describe_freeze(const struct us_trail *t, char *to, const struct us_act_freeze *freeze)
{
	const struct us_named_collection *c = us_names_find_collection(&t->names,
	    freeze->scope == US_FREEZE_RECORDS ? freeze->selection.collection : freeze->collection);

	switch (freeze->scope) {
	case US_FREEZE_EVERYTHING:
		put(to, "", us_bytes_of("everything"));
		break;
	case US_FREEZE_PARTY:
		put(to, "party ", freeze->party);
		break;
	case US_FREEZE_PERSON:
		put_person(t, to, freeze->person);
		break;
	case US_FREEZE_COLLECTION:
		put(to, "collection ", us_bytes_of(c == NULL ? "?" : c->name));
		break;
	case US_FREEZE_RECORDS:
		put(to, "records of ", us_bytes_of(c == NULL ? "?" : c->name));
		break;
	}
	put(to, ": ", freeze->authority);
}

/* The filing that an act opens: what others sign, or NULL. */
static const char *
filing_of(enum us_act_type type)
{
	const enum us_filing_kind kind = us_act_opens(type);

	if (type == US_ACT_PERSON_ADD)
		return "person";
	return (unsigned)kind == 0 ? NULL : us_filing_kind_name(kind);
}

static void
describe(const struct us_trail *t, char *to, const struct us_trail_act *a)
{
	const struct us_act *act = a->act;

	switch (a->signed_act.type) {
	case US_ACT_PERSON_ADD:
		put(to, "", act->u.person_add.name);
		put(to, ", ", us_bytes_of(us_capacity_name(act->u.person_add.capacity)));
		for (size_t i = 0; i < act->u.person_add.n_parties; i++)
			put(to, ", ", act->u.person_add.parties[i]);
		break;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		put_person(t, to, act->u.change.person);
		put(to, ": ", act->u.change.reason);
		break;
	case US_ACT_CREDENTIAL_ISSUE:
		describe_issue(t, to, a);
		break;
	case US_ACT_CREDENTIAL_REVOKE:
		describe_revoke(t, to, &act->u.revoke);
		break;
	case US_ACT_COLLECTION_CREATE:
		put(to, "", act->u.collection.name);
		break;
	case US_ACT_BATCH_WITHDRAW:
		put(to, "", act->u.batch.reason);
		break;
	case US_ACT_SEAL:
		put(to, "", act->u.seal.reason);
		break;
	case US_ACT_ORDER_SUSPEND:
		put(to, "", act->u.order_suspend.authority);
		break;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		put(to, "", act->u.docket.text);
		put(to, "", act->u.docket.party);
		break;
	case US_ACT_CLEARANCE:
		put_person(t, to, act->u.clearance.person);
		put(to, ", ", act->u.clearance.clearance);
		break;
	case US_ACT_RELABEL:
		put(to, "", act->u.records.designation);
		put(to, ": ", act->u.records.reason);
		break;
	case US_ACT_FREEZE:
		describe_freeze(t, to, &act->u.freeze);
		break;
	case US_ACT_UNFREEZE:
		put(to, "", act->u.unfreeze.authority);
		break;
	case US_ACT_MATTER_SET:
		put(to, "", act->u.matter.state);
		put(to, ": ", act->u.matter.authority);
		break;
	/* their names say enough, or they are not privileged */
	case US_ACT_DOCKET_SIGN:
	case US_ACT_BATCH_RELEASE:
	case US_ACT_COPY:
	case US_ACT_COPY_RETURN:
	case US_ACT_DOCUMENT_ADD:
	case US_ACT_ORDER_PROPOSE:
	case US_ACT_ACKNOWLEDGE:
	case US_ACT_CHALLENGE:
	case US_ACT_CLAWBACK:
	case US_ACT_APPROVAL_REQUEST:
	case US_ACT_INIT:
	case US_ACT_BATCH_CLOSE:
	case US_ACT_BATCH_VOID:
	case US_ACT_DICTIONARY:
	case US_ACT_COPY_DIGEST:
		break;
	}
}

/* The id of the filing that the act opened, or that it is about; "" for none. */
static void
docket_id(char out[US_DOCKET_ID_MAX + 1], const struct us_trail_act *a)
{
	const char *kind = filing_of(a->signed_act.type);
	struct us_bytes id = { NULL, 0 };

	out[0] = '\0';
	if (kind != NULL && us_act_number(a->committed.result) != 0)
		(void)snprintf(out, US_DOCKET_ID_MAX + 1, "%s-%llu", kind,
		    (unsigned long long)us_act_number(a->committed.result));
	else if (a->signed_act.type == US_ACT_UNFREEZE)
		(void)snprintf(out, US_DOCKET_ID_MAX + 1, "freeze-%u",
		    (unsigned)a->act->u.unfreeze.freeze);
	else if (a->signed_act.type == US_ACT_DOCKET_SIGN)
		id = a->act->u.sign.docket_id;
	else if (a->signed_act.type >= US_ACT_DOCKET_OBJECT &&
	    a->signed_act.type <= US_ACT_DOCKET_SERVE)
		id = a->act->u.docket.docket_id;
	if (id.n > 0 && id.n <= US_DOCKET_ID_MAX)
		(void)snprintf(out, US_DOCKET_ID_MAX + 1, "%.*s", (int)id.n, (const char *)id.p);
}

/* A row whose filing others may still sign. */
struct us_client_report_acts_opened {
	struct us_client_report_acts_opened *next;
	char id[US_DOCKET_ID_MAX + 1];
	char signers[DETAIL_MAX];
	cJSON *row;
};

/* Writes the signature into the row of what was signed. */
static void
add_signature(struct us_report *r, struct us_client_report_acts_opened *opened, const char *id,
    const struct us_trail_entry *e)
{
	char name[32], at[48];

	for (; opened != NULL; opened = opened->next) {
		if (strcmp(opened->id, id) != 0)
			continue;
		put(opened->signers, opened->signers[0] == '\0' ? "" : ", ",
		    us_bytes_of(us_names_person(&r->trail->names, e->person, name)));
		(void)snprintf(at, sizeof at, " (entry %llu)", (unsigned long long)e->index);
		put(opened->signers, "", us_bytes_of(at));
		us_report_text(opened->row, "signed_by", opened->signers);
		return;
	}
}

struct us_client_administration {
	struct us_client_report_acts_opened *opened;
	uint64_t n, refused;
};

static void
list_act(struct us_report *r, const struct us_trail_entry *e,
    struct us_client_report_acts_opened **opened)
{
	char detail[DETAIL_MAX] = "", id[US_DOCKET_ID_MAX + 1] = "";
	struct us_trail_act a = { .act = NULL };
	int whole = us_trail_act(r->trail, e, &a);
	cJSON *row = us_report_in_range(r, e) && us_report_is_whose(r, e) ?
	    us_report_entry_row(r, e) :
	    NULL;
	struct us_client_report_acts_opened *o;

	if (whole) {
		describe(r->trail, detail, &a);
		docket_id(id, &a);
	}
	if (e->event.form == US_EVENT_SHARE)
		(void)snprintf(detail, sizeof detail, "share %u", (unsigned)e->event.share.number);
	if (whole &&
	    (a.signed_act.type == US_ACT_DOCKET_SIGN || a.signed_act.type == US_ACT_UNFREEZE))
		add_signature(r, *opened, id, e);
	if (row == NULL)
		return;
	us_report_text(row, "decision", us_decision_name(e->decision));
	us_report_text(row, "reason",
	    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
	us_report_text(row, "docket", id);
	us_report_text(row, "detail", detail);
	us_report_text(row, "signed_by", NULL);
	if (!whole || filing_of(a.signed_act.type) == NULL || id[0] == '\0')
		return;
	o = calloc(1, sizeof *o);
	if (o == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	(void)snprintf(o->id, sizeof o->id, "%s", id);
	o->row = row;
	o->next = *opened;
	*opened = o;
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_administration *s = r->state;

	if (!is_privileged(e->action) ||
	    (e->kind == US_KIND_INTENT && e->decision == US_DECISION_ALLOW &&
		e->entry_class == US_CLASS_ACCESS))
		return;
	list_act(r, e, &s->opened);
	if (us_report_in_range(r, e) && us_report_is_whose(r, e)) {
		s->n += e->decision != US_DECISION_DENY;
		s->refused += e->decision == US_DECISION_DENY;
	}
}

static int
end(struct us_report *r)
{
	const struct us_client_administration *s = r->state;

	us_report_number(r->summary, "acts and events", s->n);
	us_report_number(r->summary, "refused", s->refused);
	us_report_note(r,
	    "An act of more than 2,048 bytes stands in the log as its SHA-256: its detail is left "
	    "empty.");
	return US_EXIT_DONE;
}

static void
drop(struct us_report *r)
{
	struct us_client_report_acts_opened *o, *next;

	for (o = ((struct us_client_administration *)r->state)->opened; o != NULL; o = next) {
		next = o->next;
		free(o);
	}
}

const struct us_report_kind us_report_administration = {
	.name = "administration",
	.question = "Which privileged acts were done, by whom, and who signed?",
	.options = "",
	.columns = US_ENTRY_COLUMNS "decision reason docket detail signed_by",
	.needs = US_NEEDS_ACCESS,
	.state = sizeof(struct us_client_administration),
	.entry = entry,
	.end = end,
	.drop = drop,
};
