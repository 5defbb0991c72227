/* Report: access with a credential that was expired, revoked or not yet good. The log's acts are
 * replayed, so that the answer does not rest on the decisions that the entries themselves give. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/report/kinds.h"
#include "client/report/redecision.h"
#include "crypto/cert.h"
#include "base/err.h"
#include "base/number.h"
#include "registry/answer.h"

struct us_client_credential {
	uint8_t fingerprint[32];
	uint32_t person;
	int64_t to_ns; /* INT64_MAX: not known */
	uint64_t issued;
	int revoked;
};

struct us_client_person {
	uint32_t id;
	int pending, suspended, ended;
	int revoked; /* all credentials issued before entry revoked_at */
	uint64_t revoked_at;
};

/* Entries that stand behind one another as parts of one request. */
struct us_client_request_parts {
	struct us_trail_entry **of;
	size_t n;
	uint64_t records;
};

struct us_client_replay {
	struct us_report *r;
	struct us_client_request_parts parts; /* that wait for how many there are */
	struct us_redecision *again;          /* NULL: the acts are not all there */
	int without_acts;                     /* which the first pass found out */
	int err;                              /* the acts do not follow from one another, */
	uint64_t err_at;                      /* at this entry */
	struct us_client_credential *credentials;
	size_t n_credentials;
	struct us_client_person *people;
	size_t n_people;
	uint64_t allowed, denied, connections;
};

static struct us_client_person *
person_of(struct us_client_replay *p, uint32_t id)
{
	for (size_t i = 0; i < p->n_people; i++)
		if (p->people[i].id == id)
			return &p->people[i];
	if (us_grow_bare(&p->people, p->n_people, sizeof *p->people) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	p->people[p->n_people] = (struct us_client_person){ .id = id };
	return &p->people[p->n_people++];
}

static struct us_client_credential *
credential_of(struct us_client_replay *p, const uint8_t fingerprint[32])
{
	for (size_t i = p->n_credentials; i-- > 0;)
		if (memcmp(p->credentials[i].fingerprint, fingerprint, 32) == 0)
			return &p->credentials[i];
	return NULL;
}

static struct us_client_credential *
add_credential(struct us_client_replay *p, const uint8_t fingerprint[32], uint32_t person,
    uint64_t issued)
{
	struct us_client_credential *c;

	if (us_grow_bare(&p->credentials, p->n_credentials, sizeof *p->credentials) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	c = &p->credentials[p->n_credentials++];
	*c = (struct us_client_credential){ .person = person,
		.to_ns = INT64_MAX,
		.issued = issued };
	memcpy(c->fingerprint, fingerprint, 32);
	return c;
}

static void
take_issue(struct us_client_replay *p, const struct us_trail_act *a, uint64_t index)
{
	struct us_cert_info info;
	struct us_bytes cert;
	struct us_reader r;

	us_reader_init(&r, a->committed.result.p, a->committed.result.n);
	cert = us_take_str32(&r, US_CERT_MAX);
	if (us_reader_end(&r) == US_OK && us_cert_parse(cert, &info) == US_OK)
		add_credential(p, info.fingerprint, a->act->u.issue.person, index)->to_ns =
		    info.validity.to_ns;
}

static void
take_revoke(struct us_client_replay *p, const struct us_act_revoke *revoke, uint64_t index)
{
	struct us_client_credential *c;

	if (revoke->by_person) {
		person_of(p, revoke->person)->revoked = 1;
		person_of(p, revoke->person)->revoked_at = index;
		return;
	}
	c = credential_of(p, revoke->fingerprint);
	if (c == NULL)
		c = add_credential(p, revoke->fingerprint, 0, 0);
	c->revoked = 1;
}

static void
take_signature(struct us_client_replay *p, struct us_bytes id)
{
	static const char prefix[] = "person-";
	const size_t n = sizeof prefix - 1;
	uint64_t person;

	if (id.n > n && memcmp(id.p, prefix, n) == 0 &&
	    us_number_parse(id.p + n, id.n - n, UINT32_MAX, &person) == US_OK)
		person_of(p, (uint32_t)person)->pending = 0;
}

static void
take_act(struct us_client_replay *p, const struct us_trail_entry *e)
{
	struct us_trail_act a;

	if (!us_trail_act(p->r->trail, e, &a))
		return;
	switch ((unsigned)a.signed_act.type) {
	case US_ACT_PERSON_ADD:
		person_of(p, (uint32_t)us_act_number(a.committed.result))->pending =
		    a.act->u.person_add.n_parties > 0;
		break;
	case US_ACT_DOCKET_SIGN:
		take_signature(p, a.act->u.sign.docket_id);
		break;
	case US_ACT_PERSON_SUSPEND:
		person_of(p, a.act->u.change.person)->suspended = 1;
		break;
	case US_ACT_PERSON_REINSTATE:
		person_of(p, a.act->u.change.person)->suspended = 0;
		break;
	case US_ACT_PERSON_END:
		person_of(p, a.act->u.change.person)->ended = 1;
		break;
	case US_ACT_CREDENTIAL_ISSUE:
		take_issue(p, &a, e->index);
		break;
	case US_ACT_CREDENTIAL_REVOKE:
		take_revoke(p, &a.act->u.revoke, e->index);
		break;
	default:
		break;
	}
}

/* What the replayed acts say against this credential now; NULL: nothing. */
static const char *
objection(struct us_client_replay *p, const struct us_trail_entry *e)
{
	const struct us_client_credential *c = credential_of(p, e->credential);
	const struct us_client_person *who = person_of(p, e->person);

	if (who->ended)
		return "ended";
	if (who->suspended)
		return "suspended";
	if (who->pending)
		return "pending";
	if ((c != NULL && c->revoked) ||
	    (who->revoked && (c == NULL || c->issued < who->revoked_at)))
		return "revoked";
	if (c != NULL && e->time_ns > c->to_ns)
		return "expired";
	return NULL;
}

/* The log's own refusals for such reasons. */
static int
is_exception(enum us_reason reason)
{
	static const enum us_reason reasons[] = { US_REASON_REVOKED, US_REASON_SUSPENDED,
		US_REASON_ENDED, US_REASON_EXPIRED, US_REASON_NOT_YET_VALID, US_REASON_PENDING,
		US_REASON_UNKNOWN_CREDENTIAL, US_REASON_FOREIGN_CA, US_REASON_WRONG_USAGE,
		US_REASON_NO_ACKNOWLEDGEMENT, US_REASON_CLEARANCE, US_REASON_CREDENTIAL };

	for (size_t i = 0; i < US_COUNT(reasons); i++)
		if (reasons[i] == reason)
			return 1;
	return 0;
}

static void
list_exception(struct us_client_replay *p, const struct us_trail_entry *e, const char *found)
{
	cJSON *row;

	if (!us_report_in_range(p->r, e) || !us_report_is_whose(p->r, e))
		return;
	row = us_report_entry_row(p->r, e);
	us_report_text(row, "decision", us_decision_name(e->decision));
	us_report_text(row, "reason",
	    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
	us_report_text(row, "by_the_acts", found);
	us_report_number(row, "count", 1);
	if (e->decision == US_DECISION_DENY)
		p->denied++;
	else
		p->allowed++;
}

/* What was refused and only counted. */
static void
list_connections(struct us_client_replay *p, const struct us_trail_entry *e)
{
	struct us_bytes counts = e->event.counts.count;
	uint8_t reason;
	uint32_t count;

	while (us_event_next_count(&counts, &reason, &count)) {
		cJSON *row;

		if (!is_exception((enum us_reason)reason) || !us_report_in_range(p->r, e) ||
		    !us_report_is_whose(p->r, e))
			continue;
		row = us_report_entry_row(p->r, e);
		us_report_text(row, "decision", us_decision_name(US_DECISION_DENY));
		us_report_text(row, "reason", us_reason_name(reason));
		us_report_text(row, "by_the_acts", NULL);
		us_report_number(row, "count", count);
		p->connections += count;
	}
}

/* What the order, asked again, has against what was granted; NULL: nothing. */
static const char *
decided_again(struct us_client_replay *p, const struct us_trail_entry *e, uint64_t records)
{
	enum us_reason why = US_REASON_NONE;

	if (p->again == NULL || p->err != US_OK)
		return NULL;
	p->err = us_redecision_next(p->again, e, p->r->trail->act, records, &why);
	p->err_at = e->index;
	return why == US_REASON_NONE ? NULL : us_reason_name((unsigned)why);
}

static void
take(struct us_client_replay *p, const struct us_trail_entry *e, uint64_t records)
{
	const char *found = e->person == 0 ? NULL : objection(p, e);
	const char *by_the_order = decided_again(p, e, records);

	if (found == NULL)
		found = by_the_order;
	if (e->event.form == US_EVENT_COUNTS)
		list_connections(p, e);
	else if (e->kind != US_KIND_EVENT &&
	    (e->decision == US_DECISION_DENY ? is_exception(e->reason) :
					       e->decision == US_DECISION_ALLOW && found != NULL))
		list_exception(p, e, found);
	take_act(p, e);
}

/* ---- the parts of a request ---- */

static void
take_parts(struct us_client_replay *p)
{
	for (size_t i = 0; i < p->parts.n; i++) {
		take(p, p->parts.of[i], p->parts.records);
		free(p->parts.of[i]);
	}
	p->parts.n = 0;
	p->parts.records = 0;
}

static void
add_part(struct us_client_request_parts *parts, const struct us_trail_entry *e)
{
	parts->of = us_report_room(parts->of, parts->n, sizeof(void *));
	parts->of[parts->n] = us_trail_entry_copy(e);
	if (parts->of[parts->n++] == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	parts->records += e->n_records;
}

static void
drop_replay(struct us_client_replay *p)
{
	for (size_t i = 0; i < p->parts.n; i++)
		free(p->parts.of[i]);
	free(p->parts.of);
	us_redecision_free(p->again);
	free(p->credentials);
	free(p->people);
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_replay *p = r->state;

	p->r = r;
	if (p->again == NULL && !p->without_acts && r->trail->committed.n > 0 &&
	    us_redecision_new(&p->again) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (e->entry_class == US_CLASS_STATE && !us_trail_has_acts(r->trail))
		p->without_acts = 1;
	if (p->without_acts && p->again != NULL)
		return; /* the log is read again without it */
	if (p->parts.n > 0 && e->part == p->parts.n && e->entry_class == US_CLASS_ACCESS) {
		add_part(&p->parts, e);
		return;
	}
	take_parts(p);
	if (p->again != NULL && us_redecision_asks(e))
		add_part(&p->parts, e);
	else
		take(p, e, 0);
}

static void
list_findings(struct us_report *r, const struct us_client_replay *p)
{
	us_report_number(r->summary, "allowed (expected: 0)", p->allowed);
	us_report_number(r->summary, "refused", p->denied);
	us_report_number(r->summary, "failed connections", p->connections);
	if (p->connections > 0)
		us_report_note(r, "%s", US_NOTE_CONNECTIONS);
	us_report_note(r,
	    "by_the_acts: what the acts in this log say of the credential at that moment, whatever "
	    "was decided.");
	if (p->again != NULL) {
		us_report_number(r->summary, "grants decided again by the order",
		    us_redecision_count(p->again));
		us_report_note(r,
		    "Every grant was put again to the order in force then: standing, "
		    "acknowledgement, clearance, hours, network, credential, "
		    "purpose, records a request, and what was withheld. Not asked: limits over "
		    "time, approvals, and the queries of rules.");
	} else {
		us_report_note(r,
		    "The acts are not all here, so no grant was decided again; of credentials of "
		    "the first people the end is not "
		    "replayed, their revocation is.");
	}
}

static int
end(struct us_report *r)
{
	struct us_client_replay *p = r->state;

	if (p->again != NULL && !us_trail_has_acts(r->trail)) {
		drop_replay(p);
		*p = (struct us_client_replay){ .without_acts = 1 };
		return US_REPORT_AGAIN;
	}
	if (p->again != NULL)
		take_parts(p);
	if (p->err != US_OK)
		us_give_up(p->err == US_ERR_NOMEM ? US_EXIT_OTHER : US_EXIT_UNVERIFIED,
		    "the acts do not follow from one another, at entry %llu: %s",
		    (unsigned long long)p->err_at, us_strerror(p->err));
	list_findings(r, p);
	return US_EXIT_DONE;
}

static void
drop(struct us_report *r)
{
	drop_replay(r->state);
}

const struct us_report_kind us_report_exceptions = {
	.name = "exceptions",
	.question = "Was anything done with an expired, revoked or pending credential?",
	.options = "",
	.columns = US_ENTRY_COLUMNS "decision reason by_the_acts count",
	.needs = US_NEEDS_ACCESS,
	.state = sizeof(struct us_client_replay),
	.entry = entry,
	.end = end,
	.drop = drop,
};
