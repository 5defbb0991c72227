#include <stdlib.h>
#include <string.h>

#include "crypto/session.h"
#include "base/time.h"
#include "verify/rules_internal.h"

/* A session's entry cannot lie longer before what is done in it: its statement is valid that long,
 * and may be dated that much ahead. */
#define SESSION_NS ((US_SESSION_SECONDS_MAX + US_SESSION_TOLERANCE_SECONDS) * US_NS_PER_SECOND)

int
us_verify_rules_new(struct us_verify_rules **out)
{
	struct us_verify_rules *r = calloc(1, sizeof *r);

	*out = NULL;
	if (r == NULL)
		return US_ERR_NOMEM;
	r->vault = VAULT_CLOSED;
	r->order_known = 1;
	r->before = (struct us_verify_part){ .is_known = 1, .parts = 1 };
	r->withheld_ns = -1;
	r->settled_known = 1;
	us_verify_key_set_init(&r->sessions);
	us_verify_key_set_init(&r->approvals);
	*out = r;
	return US_OK;
}

void
us_verify_rules_free(struct us_verify_rules *r)
{
	if (r == NULL)
		return;
	us_verify_key_set_free(&r->sessions);
	us_verify_key_set_free(&r->approvals);
	us_verify_intents_free(&r->answered);
	free(r);
}

static int
broken(struct us_verify_finding *finding, const struct us_opened *e, const char *rule,
    const char *why)
{
	finding->rule = rule;
	return us_verify_found(finding, US_VERDICT_TAMPERED, e->view.index,
	    "entry %llu breaks the rule \"%s\": %s", (unsigned long long)e->view.index, rule, why);
}

static int
is_event(const struct us_opened *e, enum us_action action)
{
	return e->access.kind == US_KIND_EVENT && e->access.action == action;
}

/* --- rules that need no history but a count ------------------------------------------------ */

static int
check_clock(const struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	return e->view.time_ns < r->last_ns ?
	    broken(finding, e, "clock", "it is older than the one before it") :
	    US_OK;
}

/* Acts are counted by their class, which is open: the number that is boxed must agree. */
static int
check_sequence(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	if (e->view.entry_class == US_CLASS_STATE)
		r->acts++;
	if (!us_opened_has(e, US_BOX_ACCESS))
		return US_OK;
	if (is_event(e, US_ACTION_INIT) != (e->view.index == 0))
		return broken(finding, e, "sequence",
		    "a log begins with the making of its vault, and that is made once");
	if (e->view.entry_class == US_CLASS_STATE && e->access.sequence != r->acts)
		return broken(finding, e, "sequence",
		    "its act does not have the number after that of the act before it");
	if (e->view.entry_class != US_CLASS_STATE && e->access.sequence != US_ENTRY_NONE)
		return broken(finding, e, "sequence", "it changes no state, and names an act");
	return US_OK;
}

static int
check_related(const struct us_opened *e, struct us_verify_finding *finding)
{
	return us_opened_has(e, US_BOX_ACCESS) && e->access.related != US_ENTRY_NONE &&
		e->access.related >= e->view.index ?
	    broken(finding, e, "related", "it answers an entry that is not before it") :
	    US_OK;
}

/* --- parts --------------------------------------------------------------------------------- */

static struct us_verify_part
part_of(const struct us_opened *e)
{
	const int shows = us_opened_has(e, US_BOX_DISCLOSURE);
	struct us_verify_part p = { .is_known = shows || us_opened_has(e, US_BOX_QUERY),
		.part = shows ? e->disclosure.part : e->query.part,
		.parts = shows ? e->disclosure.parts : e->query.parts,
		.has_access = us_opened_has(e, US_BOX_ACCESS),
		.entry_class = e->view.entry_class,
		.kind = e->access.kind,
		.action = e->access.action,
		.decision = e->access.decision,
		.person = e->access.person };

	memcpy(p.session, e->access.session, sizeof p.session);
	return p;
}

static int
same_request(const struct us_verify_part *a, const struct us_verify_part *b)
{
	if (!a->has_access || !b->has_access)
		return 1;
	return a->entry_class == b->entry_class && a->kind == b->kind && a->action == b->action &&
	    a->decision == b->decision && a->person == b->person &&
	    memcmp(a->session, b->session, sizeof a->session) == 0;
}

static int
check_parts(const struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	const struct us_verify_part p = part_of(e), *before = &r->before;
	uint32_t due = 0; /* the part that this entry has to be */

	if (us_opened_has(e, US_BOX_DISCLOSURE) && us_opened_has(e, US_BOX_QUERY) &&
	    (e->disclosure.part != e->query.part || e->disclosure.parts != e->query.parts))
		return broken(finding, e, "parts",
		    "its disclosure and its query are different parts");
	if (!p.is_known || !before->is_known)
		return US_OK;
	if (before->part + 1 < before->parts)
		due = before->part + 1;
	/* a process that died while it wrote released nothing: the request ends there */
	if (due > 0 && p.part == 0 && e->view.entry_class == US_CLASS_SYSTEM &&
	    (!us_opened_has(e, US_BOX_ACCESS) || is_event(e, US_ACTION_START) ||
		is_event(e, US_ACTION_BACKUP) || is_event(e, US_ACTION_HANDOVER)))
		return US_OK;
	if (p.part != due)
		return broken(finding, e, "parts",
		    due > 0 ? "a part of the request before it is missing" :
			      "it is a part of a request whose first part is missing");
	if (due > 0 && (p.parts != before->parts || !same_request(&p, before)))
		return broken(finding, e, "parts",
		    "it goes on with another request than the entry before it");
	return US_OK;
}

/* --- the vault, its order and its sessions -------------------------------------------------- */

static void
close_vault(struct us_verify_rules *r)
{
	r->vault = VAULT_CLOSED;
	r->order = 0;
	r->order_known = 1;
	us_verify_key_set_clear(&r->sessions);
}

/* What the machine says of itself moves the vault. */
static int
follow_vault(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	if (is_event(e, US_ACTION_START) || is_event(e, US_ACTION_STOP) ||
	    (is_event(e, US_ACTION_STATE_OPEN) && e->access.decision != US_DECISION_ALLOW)) {
		close_vault(r);
	} else if (is_event(e, US_ACTION_UNSEAL) && e->access.decision == US_DECISION_ALLOW) {
		r->vault = VAULT_REPLAYING;
	} else if (is_event(e, US_ACTION_STATE_OPEN)) {
		if (r->vault == VAULT_CLOSED || r->vault == VAULT_OPEN)
			return broken(finding, e, "seal",
			    "the vault's state was opened, and the vault was not unsealed");
		r->vault = VAULT_OPEN;
	} else if (is_event(e, US_ACTION_ORDER_IN_FORCE)) {
		if (e->access.event.form != US_EVENT_ORDER_IN_FORCE ||
		    e->access.event.order_in_force.version != e->view.order_version)
			return broken(finding, e, "order",
			    "it announces another version of the order than it stands under");
		r->order = e->view.order_version;
		r->order_known = 1;
	}
	return US_OK;
}

/* --- how answers ended ----------------------------------------------------------------------- */

/* Entries below are settled, or of a process that has ended. */
static void
settle(struct us_verify_rules *r, uint64_t below)
{
	if (below > r->answerable)
		r->answerable = below;
	us_verify_intents_drop(&r->answered, r->answerable);
}

static int
check_mark(struct us_verify_rules *r, const struct us_opened *e, struct us_verify_finding *finding)
{
	const uint64_t from = e->access.event.answered.from, to = e->access.event.answered.to;

	if (e->access.event.form != US_EVENT_ANSWERED || from >= to || to > e->view.index)
		return broken(finding, e, "outcome", "it marks no range of entries before it");
	if (r->settled_known && from != r->settled)
		return broken(finding, e, "outcome",
		    "its mark does not begin where the one before it ended");
	r->settled = to;
	r->settled_known = 1;
	settle(r, to);
	return US_OK;
}

static int
check_answer(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	struct us_verify_intent *a = us_verify_intents_find(&r->answered, e->access.related);

	if (e->access.related == US_ENTRY_NONE || e->access.related < r->answerable)
		return broken(finding, e, "outcome",
		    "what it is an outcome of was settled before, or is not named");
	if (a == NULL)
		return US_OK; /* that box is withheld */
	if (!a->granted || a->failed)
		return broken(finding, e, "outcome",
		    a->failed ? "it is the second outcome of one entry" :
				"it is an outcome of what gave nothing");
	if (a->person != e->access.person || a->action != e->access.action ||
	    memcmp(a->session, e->access.session, sizeof a->session) != 0)
		return broken(finding, e, "outcome",
		    "it is of another person, session or action than what it is an outcome of");
	a->failed = 1;
	return US_OK;
}

static int
check_outcome(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	struct us_verify_intent item = { .index = e->view.index,
		.person = e->access.person,
		.action = (uint8_t)e->access.action,
		.granted = e->view.entry_class == US_CLASS_ACCESS &&
		    e->access.decision == US_DECISION_ALLOW &&
		    (e->access.kind == US_KIND_INTENT || e->access.kind == US_KIND_DISCLOSURE) };
	int err = US_OK;

	if (is_event(e, US_ACTION_START))
		settle(r, e->view.index);
	else if (is_event(e, US_ACTION_ANSWERED))
		err = check_mark(r, e, finding);
	else if (e->view.entry_class == US_CLASS_ACCESS && e->access.kind == US_KIND_OUTCOME)
		err = check_answer(r, e, finding);
	memcpy(item.session, e->access.session, sizeof item.session);
	return err != US_OK ? err : us_verify_intents_add(&r->answered, &item);
}

/* Whether the entry says that somebody was let do something. A cosignature may be brought to a
 * sealed vault, and by anybody: the witness's key speaks for it. */
static int
is_granted(const struct us_opened *e)
{
	if (e->access.decision != US_DECISION_ALLOW || is_event(e, US_ACTION_AUDIT_WITNESS))
		return 0;
	return e->view.entry_class == US_CLASS_ACCESS ||
	    (e->view.entry_class == US_CLASS_STATE && e->access.kind == US_KIND_OUTCOME) ||
	    (e->view.entry_class == US_CLASS_SYSTEM && e->access.kind == US_KIND_INTENT);
}

static int
check_session(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	const struct us_verify_key_set_item *s = us_verify_key_set_find(&r->sessions,
	    e->access.session);
	struct us_verify_key_set_item item = { .time_ns = e->view.time_ns,
		.person = e->access.person };

	if (e->access.action == US_ACTION_SESSION && e->access.kind == US_KIND_INTENT) {
		memcpy(item.credential, e->access.credential, sizeof item.credential);
		/* the same statement again makes no longer session */
		return s != NULL ? US_OK :
				   us_verify_key_set_add(&r->sessions, e->access.session, &item,
				       e->view.time_ns - SESSION_NS);
	}
	if (e->access.kind != US_KIND_INTENT && e->access.kind != US_KIND_DISCLOSURE)
		return US_OK;
	if (s == NULL && r->withheld_ns >= e->view.time_ns - SESSION_NS)
		return US_OK; /* it may be among those */
	if (s == NULL)
		return broken(finding, e, "session", "no session was opened for it");
	if (s->person != e->access.person ||
	    memcmp(s->credential, e->access.credential, sizeof s->credential) != 0)
		return broken(finding, e, "session", "its session is somebody else's");
	if (s->time_ns < e->view.time_ns - SESSION_NS)
		return broken(finding, e, "session", "its session had ended");
	return US_OK;
}

static int
check_approval(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	const struct us_verify_part p = part_of(e);
	const struct us_verify_key_set_item item = { .time_ns = e->view.time_ns };
	uint8_t key[16] = { 0 };

	if (e->access.event.form != US_EVENT_APPROVAL)
		return US_OK;
	/* all parts of one request name it */
	if (!p.is_known || p.part > 0)
		return US_OK;
	us_store_u32(key, e->access.event.approval.number);
	if (us_verify_key_set_find(&r->approvals, key) != NULL)
		return broken(finding, e, "approval", "its approval was used before");
	return us_verify_key_set_add(&r->approvals, key, &item, INT64_MIN);
}

/* What the vault alone told of a person gave nobody anything, and names no session. */
static int
check_told(const struct us_opened *e, struct us_verify_finding *finding)
{
	static const uint8_t none[sizeof e->access.session];

	if (!e->access.told)
		return US_OK;
	if (is_granted(e))
		return broken(finding, e, "session",
		    "it lets somebody do what the vault alone says they asked for");
	return memcmp(e->access.session, none, sizeof none) != 0 ?
	    broken(finding, e, "session", "the vault alone tells it, and it names a session") :
	    US_OK;
}

static int
check_grant(struct us_verify_rules *r, const struct us_opened *e, struct us_verify_finding *finding)
{
	int err;

	if (r->vault == VAULT_CLOSED || r->vault == VAULT_REPLAYING)
		return broken(finding, e, "seal", "the vault was sealed");
	err = check_session(r, e, finding);
	if (err == US_OK)
		err = check_approval(r, e, finding);
	if (err == US_OK && e->view.entry_class == US_CLASS_SYSTEM &&
	    e->access.action == US_ACTION_SEAL)
		close_vault(r);
	return err;
}

int
us_verify_rules_next(struct us_verify_rules *r, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	int err = check_clock(r, e, finding);

	if (err == US_OK)
		err = check_sequence(r, e, finding);
	if (err == US_OK)
		err = check_related(e, finding);
	if (err == US_OK)
		err = check_parts(r, e, finding);
	if (!us_opened_has(e, US_BOX_ACCESS)) {
		r->withheld_ns = e->view.time_ns;
		if (e->view.entry_class == US_CLASS_SYSTEM || e->view.index == 0) {
			r->vault = VAULT_UNKNOWN;
			r->order_known = 0;
			r->settled_known = 0;
		}
	} else {
		if (err == US_OK)
			err = follow_vault(r, e, finding);
		if (err == US_OK && r->vault == VAULT_OPEN && r->order_known &&
		    e->view.entry_class == US_CLASS_ACCESS && e->view.order_version != r->order)
			err = broken(finding, e, "order",
			    "it stands under a version of the order that was not announced");
		if (err == US_OK)
			err = check_outcome(r, e, finding);
		if (err == US_OK)
			err = check_told(e, finding);
		if (err == US_OK && is_granted(e))
			err = check_grant(r, e, finding);
	}
	r->last_ns = e->view.time_ns;
	r->before = part_of(e);
	return err;
}
