/* Report: access with a credential that was expired, revoked or not yet good. The log's acts are
 * replayed, so that the answer does not rest on the decisions that the entries themselves give. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/report_redecision.h"
#include "crypto/cert.h"
#include "base/err.h"

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

struct us_client_replay {
	struct us_report *r;
	struct us_client_credential *credentials;
	size_t n_credentials;
	struct us_client_person *people;
	size_t n_people;
	uint64_t allowed, denied;
};

static struct us_client_person *
person_of(struct us_client_replay *p, uint32_t id)
{
	struct us_client_person *more;

	for (size_t i = 0; i < p->n_people; i++)
		if (p->people[i].id == id)
			return &p->people[i];
	more = realloc(p->people, (p->n_people + 1) * sizeof *more);
	if (more == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	p->people = more;
	more[p->n_people] = (struct us_client_person){ .id = id };
	return &more[p->n_people++];
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
	struct us_client_credential *c = realloc(p->credentials,
	    (p->n_credentials + 1) * sizeof *c);

	if (c == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	p->credentials = c;
	c += p->n_credentials++;
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
	char text[US_DOCKET_ID_MAX + 1];

	if (id.n > US_DOCKET_ID_MAX || id.n <= sizeof prefix - 1 ||
	    memcmp(id.p, prefix, sizeof prefix - 1) != 0)
		return;
	(void)snprintf(text, sizeof text, "%.*s", (int)id.n, (const char *)id.p);
	person_of(p, (uint32_t)strtoul(text + sizeof prefix - 1, NULL, 10))->pending = 0;
}

static void
take_act(struct us_client_replay *p, const struct us_trail_entry *e)
{
	struct us_trail_act a;

	if (!us_trail_act(p->r->trail, e, &a))
		return;
	switch ((unsigned)a.signed_act.type) {
	case US_ACT_PERSON_ADD:
		person_of(p, (uint32_t)us_trail_result(&a))->pending =
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
list_handshakes(struct us_client_replay *p, const struct us_trail_entry *e)
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
		p->denied += count;
	}
}

/* What the order, asked again, has against what was granted; NULL: nothing. */
static const char *
decided_again(struct us_redecision *again, const struct us_trail_entry *e)
{
	enum us_reason why;
	const int err = us_redecision_next(again, e, &why);

	if (err != US_OK)
		us_give_up(err == US_ERR_NOMEM ? US_EXIT_OTHER : US_EXIT_UNVERIFIED,
		    "the acts do not follow from one another, at entry %llu: %s",
		    (unsigned long long)e->index, us_strerror(err));
	return why == US_REASON_NONE ? NULL : us_reason_name((unsigned)why);
}

int
us_report_exceptions(struct us_report *r)
{
	struct us_client_replay p = { .r = r };
	struct us_redecision *again = NULL;
	int err = us_redecision_new(&again, r->trail);

	if (err == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];
		const char *found = e->person == 0 ? NULL : objection(&p, e);
		const char *by_the_order = again == NULL ? NULL : decided_again(again, e);

		if (found == NULL)
			found = by_the_order;
		if (e->event.form == US_EVENT_COUNTS)
			list_handshakes(&p, e);
		else if (e->kind != US_KIND_EVENT &&
		    (e->decision == US_DECISION_DENY ?
			    is_exception(e->reason) :
			    e->decision == US_DECISION_ALLOW && found != NULL))
			list_exception(&p, e, found);
		take_act(&p, e);
	}
	us_report_number(r->summary, "allowed (expected: 0)", p.allowed);
	us_report_number(r->summary, "refused", p.denied);
	us_report_note(r,
	    "by_the_acts: what the acts in this log say of the credential at that moment, whatever "
	    "was decided.");
	if (again != NULL) {
		us_report_number(r->summary, "grants decided again by the order",
		    us_redecision_count(again));
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
	us_redecision_free(again);
	free(p.credentials);
	free(p.people);
	return US_EXIT_DONE;
}
