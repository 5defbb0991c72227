#include "verify/rules.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/session.h"
#include "base/time.h"
#include "verify/open_intents.h"
#include "verify/key_set.h"

/* A session's entry cannot lie longer before what is done in it: its statement is valid that long,
 * and may be dated that much ahead. */
#define SESSION_NS ((US_SESSION_SECONDS_MAX + US_SESSION_TOLERANCE_SECONDS) * US_NS_PER_SECOND)

/*
 *           START, STOP, SEAL, a state that is refused
 *    any ----------------------------------------------------> CLOSED
 *    CLOSED ---- UNSEAL ----> REPLAYING ---- STATE_OPEN ----> OPEN
 *    any ---- an entry of the system whose access box is withheld ----> UNKNOWN, which every move
 *    may follow
 */
enum us_verify_vault { VAULT_UNKNOWN, VAULT_CLOSED, VAULT_REPLAYING, VAULT_OPEN };

struct us_verify_rules {
	enum us_verify_vault vault;
	uint64_t acts;  /* entries of class STATE so far */
	uint32_t order; /* the version announced last; 0: none since the vault was opened */
	int order_known;
	int64_t withheld_ns; /* time of the newest entry whose access box is withheld; -1: none */
	int has_last;
	struct us_verify_facts last;       /* the entry before */
	struct us_verify_key_set sessions; /* opened since the vault was */
	/* used; the key is the number, zeros behind it */
	struct us_verify_key_set approvals;
	uint64_t settled; /* where the newest mark ends */
	int settled_known;
	uint64_t answerable; /* the first entry that an outcome may still answer */
	struct us_verify_intents answered;
};

int
us_verify_rules_new(struct us_verify_rules **out)
{
	struct us_verify_rules *r = calloc(1, sizeof *r);
	int err;

	*out = NULL;
	if (r == NULL)
		return US_ERR_NOMEM;
	r->vault = VAULT_CLOSED;
	r->order_known = 1;
	r->withheld_ns = -1;
	r->settled_known = 1;
	err = us_verify_key_set_init(&r->sessions);
	if (err == US_OK)
		err = us_verify_key_set_init(&r->approvals);
	if (err == US_OK)
		*out = r;
	else
		free(r);
	return err;
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
broken(struct us_verify_finding *finding, const struct us_verify_facts *f, const char *rule,
    const char *why)
{
	finding->rule = rule;
	return us_verify_found(finding, US_VERDICT_TAMPERED, f->index,
	    "entry %llu breaks the rule \"%s\": %s", (unsigned long long)f->index, rule, why);
}

static int
is_event(const struct us_verify_facts *f, enum us_action action)
{
	return f->kind == US_KIND_EVENT && f->action == action;
}

/* --- rules that need no history but a count ------------------------------------------------ */

static int
check_clock(const struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	return r->has_last && f->time_ns < r->last.time_ns ?
	    broken(finding, f, "clock", "it is older than the one before it") :
	    US_OK;
}

/* Acts are counted by their class, which is open: the number that is boxed must agree. */
static int
check_sequence(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	if (f->entry_class == US_CLASS_STATE)
		r->acts++;
	if (!f->open[US_BOX_ACCESS])
		return US_OK;
	if (is_event(f, US_ACTION_INIT) != (f->index == 0))
		return broken(finding, f, "sequence",
		    "a log begins with the making of its vault, and that is made once");
	if (f->entry_class == US_CLASS_STATE && f->sequence != r->acts)
		return broken(finding, f, "sequence",
		    "its act does not have the number after that of the act before it");
	if (f->entry_class != US_CLASS_STATE && f->sequence != US_ENTRY_NONE)
		return broken(finding, f, "sequence", "it changes no state, and names an act");
	return US_OK;
}

static int
check_related(const struct us_verify_facts *f, struct us_verify_finding *finding)
{
	return f->open[US_BOX_ACCESS] && f->related != US_ENTRY_NONE && f->related >= f->index ?
	    broken(finding, f, "related", "it answers an entry that is not before it") :
	    US_OK;
}

/* --- parts --------------------------------------------------------------------------------- */

/* The box that tells the part, or US_BOX_ACCESS if both are withheld. */
static enum us_box
part_box(const struct us_verify_facts *f)
{
	return f->open[US_BOX_DISCLOSURE] ? US_BOX_DISCLOSURE :
	    f->open[US_BOX_QUERY]         ? US_BOX_QUERY :
					    US_BOX_ACCESS;
}

static int
same_request(const struct us_verify_facts *a, const struct us_verify_facts *b)
{
	if (!a->open[US_BOX_ACCESS] || !b->open[US_BOX_ACCESS])
		return 1;
	return a->entry_class == b->entry_class && a->kind == b->kind && a->action == b->action &&
	    a->decision == b->decision && a->person == b->person &&
	    memcmp(a->session, b->session, sizeof a->session) == 0;
}

static int
check_parts(const struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	const enum us_box at = part_box(f),
			  before = r->has_last ? part_box(&r->last) : US_BOX_ACCESS;
	uint32_t due = 0; /* the part that this entry has to be */

	if (f->open[US_BOX_DISCLOSURE] && f->open[US_BOX_QUERY] &&
	    (f->part[US_BOX_DISCLOSURE] != f->part[US_BOX_QUERY] ||
		f->parts[US_BOX_DISCLOSURE] != f->parts[US_BOX_QUERY]))
		return broken(finding, f, "parts",
		    "its disclosure and its query are different parts");
	if (at == US_BOX_ACCESS || (r->has_last && before == US_BOX_ACCESS))
		return US_OK;
	if (r->has_last && r->last.part[before] + 1 < r->last.parts[before])
		due = r->last.part[before] + 1;
	/* a process that died while it wrote released nothing: the request ends there */
	if (due > 0 && f->part[at] == 0 && f->entry_class == US_CLASS_SYSTEM &&
	    (!f->open[US_BOX_ACCESS] || is_event(f, US_ACTION_START) ||
		is_event(f, US_ACTION_BACKUP) || is_event(f, US_ACTION_HANDOVER)))
		return US_OK;
	if (f->part[at] != due)
		return broken(finding, f, "parts",
		    due > 0 ? "a part of the request before it is missing" :
			      "it is a part of a request whose first part is missing");
	if (due > 0 && (f->parts[at] != r->last.parts[before] || !same_request(f, &r->last)))
		return broken(finding, f, "parts",
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
follow_vault(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	if (is_event(f, US_ACTION_START) || is_event(f, US_ACTION_STOP) ||
	    (is_event(f, US_ACTION_STATE_OPEN) && f->decision != US_DECISION_ALLOW)) {
		close_vault(r);
	} else if (is_event(f, US_ACTION_UNSEAL) && f->decision == US_DECISION_ALLOW) {
		r->vault = VAULT_REPLAYING;
	} else if (is_event(f, US_ACTION_STATE_OPEN)) {
		if (r->vault == VAULT_CLOSED || r->vault == VAULT_OPEN)
			return broken(finding, f, "seal",
			    "the vault's state was opened, and the vault was not unsealed");
		r->vault = VAULT_OPEN;
	} else if (is_event(f, US_ACTION_ORDER_IN_FORCE)) {
		if (f->event.form != US_EVENT_ORDER_IN_FORCE ||
		    f->event.order_in_force.version != f->order_version)
			return broken(finding, f, "order",
			    "it announces another version of the order than it stands under");
		r->order = f->order_version;
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
check_mark(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	const uint64_t from = f->event.answered.from, to = f->event.answered.to;

	if (f->event.form != US_EVENT_ANSWERED || from >= to || to > f->index)
		return broken(finding, f, "outcome", "it marks no range of entries before it");
	if (r->settled_known && from != r->settled)
		return broken(finding, f, "outcome",
		    "its mark does not begin where the one before it ended");
	r->settled = to;
	r->settled_known = 1;
	settle(r, to);
	return US_OK;
}

static int
check_answer(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	struct us_verify_intent *a = us_verify_intents_find(&r->answered, f->related);

	if (f->related == US_ENTRY_NONE || f->related < r->answerable)
		return broken(finding, f, "outcome",
		    "what it is an outcome of was settled before, or is not named");
	if (a == NULL)
		return US_OK; /* that box is withheld */
	if (!a->granted || a->failed)
		return broken(finding, f, "outcome",
		    a->failed ? "it is the second outcome of one entry" :
				"it is an outcome of what gave nothing");
	if (a->person != f->person || a->action != f->action ||
	    memcmp(a->session, f->session, sizeof a->session) != 0)
		return broken(finding, f, "outcome",
		    "it is of another person, session or action than what it is an outcome of");
	a->failed = 1;
	return US_OK;
}

static int
check_outcome(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	struct us_verify_intent item = { .index = f->index,
		.person = f->person,
		.action = (uint8_t)f->action,
		.granted = f->entry_class == US_CLASS_ACCESS && f->decision == US_DECISION_ALLOW &&
		    (f->kind == US_KIND_INTENT || f->kind == US_KIND_DISCLOSURE) };
	int err = US_OK;

	if (is_event(f, US_ACTION_START))
		settle(r, f->index);
	else if (is_event(f, US_ACTION_ANSWERED))
		err = check_mark(r, f, finding);
	else if (f->entry_class == US_CLASS_ACCESS && f->kind == US_KIND_OUTCOME)
		err = check_answer(r, f, finding);
	memcpy(item.session, f->session, sizeof item.session);
	return err != US_OK ? err : us_verify_intents_add(&r->answered, &item);
}

/* Whether the entry says that somebody was let do something. A cosignature may be brought to a
 * sealed vault, and by anybody: the witness's key speaks for it. */
static int
is_granted(const struct us_verify_facts *f)
{
	if (f->decision != US_DECISION_ALLOW || is_event(f, US_ACTION_AUDIT_WITNESS))
		return 0;
	return f->entry_class == US_CLASS_ACCESS ||
	    (f->entry_class == US_CLASS_STATE && f->kind == US_KIND_OUTCOME) ||
	    (f->entry_class == US_CLASS_SYSTEM && f->kind == US_KIND_INTENT);
}

static int
check_session(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	const struct us_verify_key_set_item *s = us_verify_key_set_find(&r->sessions, f->session);
	struct us_verify_key_set_item item = { .time_ns = f->time_ns, .person = f->person };

	if (f->action == US_ACTION_SESSION && f->kind == US_KIND_INTENT) {
		memcpy(item.key, f->session, sizeof item.key);
		memcpy(item.credential, f->credential, sizeof item.credential);
		/* the same statement again makes no longer session */
		return s != NULL ?
		    US_OK :
		    us_verify_key_set_add(&r->sessions, &item, f->time_ns - SESSION_NS);
	}
	if (f->kind != US_KIND_INTENT && f->kind != US_KIND_DISCLOSURE)
		return US_OK;
	if (s == NULL && r->withheld_ns >= f->time_ns - SESSION_NS)
		return US_OK; /* it may be among those */
	if (s == NULL)
		return broken(finding, f, "session", "no session was opened for it");
	if (s->person != f->person ||
	    memcmp(s->credential, f->credential, sizeof s->credential) != 0)
		return broken(finding, f, "session", "its session is somebody else's");
	if (s->time_ns < f->time_ns - SESSION_NS)
		return broken(finding, f, "session", "its session had ended");
	return US_OK;
}

static int
check_approval(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	const enum us_box at = part_box(f);
	struct us_verify_key_set_item item = { .time_ns = f->time_ns };

	if (f->event.form != US_EVENT_APPROVAL)
		return US_OK;
	/* all parts of one request name it */
	if (at == US_BOX_ACCESS || f->part[at] > 0)
		return US_OK;
	us_store_u32(item.key, f->event.approval.number);
	if (us_verify_key_set_find(&r->approvals, item.key) != NULL)
		return broken(finding, f, "approval", "its approval was used before");
	return us_verify_key_set_add(&r->approvals, &item, INT64_MIN);
}

static int
check_grant(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	int err;

	if (r->vault == VAULT_CLOSED || r->vault == VAULT_REPLAYING)
		return broken(finding, f, "seal", "the vault was sealed");
	err = check_session(r, f, finding);
	if (err == US_OK)
		err = check_approval(r, f, finding);
	if (err == US_OK && f->entry_class == US_CLASS_SYSTEM && f->action == US_ACTION_SEAL)
		close_vault(r);
	return err;
}

int
us_verify_rules_next(struct us_verify_rules *r, const struct us_verify_facts *f,
    struct us_verify_finding *finding)
{
	int err = check_clock(r, f, finding);

	if (err == US_OK)
		err = check_sequence(r, f, finding);
	if (err == US_OK)
		err = check_related(f, finding);
	if (err == US_OK)
		err = check_parts(r, f, finding);
	if (!f->open[US_BOX_ACCESS]) {
		r->withheld_ns = f->time_ns;
		if (f->entry_class == US_CLASS_SYSTEM || f->index == 0) {
			r->vault = VAULT_UNKNOWN;
			r->order_known = 0;
			r->settled_known = 0;
		}
	} else {
		if (err == US_OK)
			err = follow_vault(r, f, finding);
		if (err == US_OK && r->vault == VAULT_OPEN && r->order_known &&
		    f->entry_class == US_CLASS_ACCESS && f->order_version != r->order)
			err = broken(finding, f, "order",
			    "it stands under a version of the order that was not announced");
		if (err == US_OK)
			err = check_outcome(r, f, finding);
		if (err == US_OK && is_granted(f))
			err = check_grant(r, f, finding);
	}
	r->last = *f;
	r->has_last = 1;
	return err;
}
