#include "daemon/vault/decide/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/vault/decide/sessions.h"
#include "registry/docket.h"
#include "registry/versions.h"

static const char *
title_of(enum us_reason reason)
{
	if (reason == US_REASON_NOT_IN_ORDER)
		return "The order does not permit this";
	if (reason == US_REASON_PROHIBITED)
		return "The order prohibits this";
	if (reason == US_REASON_PURPOSE_MISSING)
		return "The order wants a stated purpose";
	if (reason == US_REASON_QUOTA)
		return "More records than the order allows";
	if (reason == US_REASON_CAPACITY)
		return "Nobody of this capacity may do this";
	if (reason == US_REASON_HOURS || reason == US_REASON_PERIOD)
		return "Not at this time";
	if (reason == US_REASON_NETWORK)
		return "Not from this network";
	if (reason == US_REASON_CREDENTIAL)
		return "Not with this credential";
	if (reason == US_REASON_NO_ACKNOWLEDGEMENT)
		return "The order wants an acknowledgement first";
	if (reason == US_REASON_CLEARANCE)
		return "The order wants a clearance first";
	if (reason == US_REASON_APPROVAL)
		return "The order wants others' approval";
	if (reason == US_REASON_FROZEN)
		return "Frozen until it is lifted";
	if (reason == US_REASON_CLAWED_BACK)
		return "Clawed back";
	if (reason == US_REASON_MATTER)
		return "Not in the present state of the matter";
	return "Refused by the order";
}

/* --- who is it -------------------------------------------------------------------------------- */

/* Credential and person. */
static enum us_vault_decision
decide_standing(const struct us_vault *v, struct us_vault_asker *who,
    const struct us_vault_session *s, int64_t now, const struct us_person **person,
    struct us_vault_problem *p)
{
	const enum us_reason reason = us_registry_standing(us_vault_registry(v->state),
	    who->credential, now, person, NULL);

	if (reason == US_REASON_NONE)
		return US_VAULT_ALLOWED;
	if (*person != NULL)
		who->person = (*person)->id;
	if (s != NULL && s->expires_ns > now)
		memcpy(who->session, s->id, sizeof who->session);
	us_vault_problem_set(p, 403, "denied", "Refused", reason);
	us_vault_problem_detail(p, "This credential, or the person it names, may not act now");
	return US_VAULT_REFUSED;
}

/* A live session of a live person: who has all three then. */
static enum us_vault_decision
decide_session(const struct us_vault *v, struct us_vault_asker *who, struct us_vault_problem *p)
{
	const struct us_vault_session *s = us_vault_session_get(v->sessions, who->credential);
	const struct us_registry *reg = us_vault_registry(v->state);
	const struct us_person *person = NULL;
	const int64_t now = us_time_now_ns();

	if (decide_standing(v, who, s, now, &person, p) != US_VAULT_ALLOWED)
		return US_VAULT_REFUSED;
	if (s == NULL || s->expires_ns <= now || s->person != person->id) {
		us_vault_problem_set(p, 401, "session", "No live session", US_REASON_NO_SESSION);
		us_vault_problem_cure(p, "Sign a session: GET and POST /v1/session");
		return US_VAULT_TURNED_AWAY;
	}
	who->person = person->id;
	memcpy(who->session, s->id, sizeof who->session);
	who->subject = us_registry_subject(reg, person, now);
	who->generation = us_registry_generation(reg);
	return US_VAULT_ALLOWED;
}

enum us_vault_decision
us_vault_decide_access(const struct us_vault *v, struct us_vault_asker *who, enum us_needs needs,
    struct us_vault_problem *p)
{
	const struct us_person *person = NULL;

	switch (needs) {
	case US_NEEDS_CERTIFICATE:
		return US_VAULT_ALLOWED;
	case US_NEEDS_TREE:
		if (!us_vault_is_open(v->state))
			return US_VAULT_ALLOWED; /* there is no registry to ask */
		return decide_standing(v, who, us_vault_session_get(v->sessions, who->credential),
		    us_time_now_ns(), &person, p);
	case US_NEEDS_SESSION:
		return decide_session(v, who, p);
	case US_NEEDS_TICKET:
		break; /* not checked here, so nothing that needs one is answered here */
	}
	us_vault_problem_of(p, v->state, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	return US_VAULT_TURNED_AWAY;
}

enum us_vault_decision
us_vault_decide_collection(const struct us_vault *v, struct us_vault_asker *who,
    struct us_bytes name, struct us_vault_problem *p)
{
	const struct us_collection *c = us_registry_collection_named(us_vault_registry(v->state),
	    name);

	if (c == NULL) {
		us_vault_problem_set(p, 404, "not-found", "No such collection",
		    US_REASON_NOT_FOUND);
		return US_VAULT_REFUSED;
	}
	who->collection = c->id;
	return US_VAULT_ALLOWED;
}

/* --- what does the order say ------------------------------------------------------------------ */

void
us_vault_ruling(const struct us_vault *v, const struct us_vault_asker *who, enum us_action action,
    struct us_bytes purpose, uint64_t records, struct us_ruling *out)
{
	const struct us_registry *reg = us_vault_registry(v->state);
	const struct us_collection *c = us_registry_collection(reg, who->collection);
	const struct us_credential *credential = NULL;
	const int64_t now = us_time_now_ns();
	struct us_context context;

	(void)us_registry_standing(reg, who->credential, now, NULL, &credential);
	us_registry_context(reg, credential,
	    (struct us_bytes){ (const uint8_t *)who->peer, who->peer_n }, now, &context);
	if (us_vault_is_frozen(v->state))
		us_context_freeze(&context);
	/* the keeper's to decide: it has the ledger, and what approvals were used */
	context.unknown |= US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL;
	context.purpose = purpose;
	context.records = records;
	if (c != NULL)
		context.collection = us_bytes_of(c->name);
	us_order_evaluate(us_registry_order(reg), &who->subject, action, &context, out);
}

/* Which freeze it is, and by whose authority. */
static void
put_freeze(const struct us_vault *v, const struct us_ruling *ruling, struct us_vault_problem *p)
{
	char id[US_DOCKET_ID_MAX + 1];
	const struct us_filing *f;

	if (ruling->freeze == 0)
		return;
	if (ruling->freeze == US_FREEZE_AT_START) {
		us_vault_problem_detail(p,
		    "The daemon was started frozen; started without --frozen it is open again");
		return;
	}
	(void)snprintf(id, sizeof id, "freeze-%u", (unsigned)ruling->freeze);
	f = us_registry_filing_named(us_vault_registry(v->state), us_bytes_of(id));
	if (f != NULL)
		(void)snprintf(p->detail, sizeof p->detail, "%s (%s)", f->id, f->text);
}

static void
refuse_by(const struct us_ruling *ruling, struct us_vault_problem *p)
{
	us_vault_problem_set(p, 403, "denied", title_of(ruling->reason), ruling->reason);
	p->rule = ruling->rule;
	p->rule_id = ruling->rule_id;
	p->paragraph = ruling->paragraph;
	us_vault_problem_cure(p, ruling->cure);
}

enum us_vault_decision
us_vault_decide_action(const struct us_vault *v, struct us_vault_asker *who, enum us_action action,
    struct us_bytes purpose, uint64_t records, struct us_vault_problem *p)
{
	us_vault_ruling(v, who, action, purpose, records, &who->ruling);
	if (who->ruling.decision == US_DECISION_ALLOW)
		return US_VAULT_ALLOWED;
	refuse_by(&who->ruling, p);
	put_freeze(v, &who->ruling, p);
	return US_VAULT_REFUSED;
}

enum us_vault_change
us_vault_decide_again(const struct us_vault *v, struct us_vault_asker *who, enum us_action action,
    struct us_bytes purpose, uint64_t records, uint64_t entry, struct us_vault_problem *p)
{
	struct us_registry *reg = us_vault_registry(v->state);
	const int64_t now = us_time_now_ns();
	const struct us_person *person = NULL;
	struct us_ruling reading;
	enum us_reason reason;

	(void)us_registry_at(reg, now);
	if (us_registry_generation(reg) == who->generation)
		return US_VAULT_SAME;
	who->generation = us_registry_generation(reg);
	reason = us_registry_standing(reg, who->credential, now, &person, NULL);
	if (reason != US_REASON_NONE) {
		us_vault_problem_set(p, 403, "denied", title_of(reason), reason)->entry = entry;
		return US_VAULT_NO_LONGER;
	}
	who->subject = us_registry_subject(reg, person, now);
	us_vault_ruling(v, who, action, purpose, records, &who->ruling);
	if (who->ruling.reason != US_REASON_NONE) {
		refuse_by(&who->ruling, p);
		p->entry = entry;
		return US_VAULT_NO_LONGER;
	}
	us_vault_ruling(v, who, US_ACTION_READ, purpose, 0, &reading);
	if (action == US_ACTION_SEARCH || action == US_ACTION_COUNT)
		us_mask_add(&who->ruling.mask, &reading.mask);
	return US_VAULT_CHANGED;
}

void
us_vault_ruled_out(const struct us_vault *v, const struct us_vault_asker *who,
    const struct us_msg_logged *m, struct us_vault_problem *p)
{
	const struct us_order *order = us_registry_order(us_vault_registry(v->state));
	const enum us_reason reason = (enum us_reason)m->reason;

	us_vault_problem_set(p, 403, "denied", title_of(reason), reason)->entry = m->index;
	p->paragraph = order->default_paragraph;
	us_vault_problem_cite(p, order, m->rule);
	(void)snprintf(p->cure, sizeof p->cure, "%.*s", (int)m->cure.n, (const char *)m->cure.p);
	if (reason == US_REASON_QUOTA)
		p->left = &who->left;
}
