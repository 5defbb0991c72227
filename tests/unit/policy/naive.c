#include "naive.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

/* The order in which policy/evaluate.h has conditions asked, and the reason of each. */
enum {
	ACKNOWLEDGED,
	CLEARED,
	MATTER,
	PERIOD,
	HOURS,
	NETWORK,
	CREDENTIAL,
	PURPOSE,
	REQUEST,
	CONSECUTIVE,
	DAY,
	LIFE,
	SHARE,
	APPROVAL
};
static const enum us_reason reasons[US_CONDITIONS] = { US_REASON_NO_ACKNOWLEDGEMENT,
	US_REASON_CLEARANCE, US_REASON_MATTER, US_REASON_PERIOD, US_REASON_HOURS, US_REASON_NETWORK,
	US_REASON_CREDENTIAL, US_REASON_PURPOSE_MISSING, US_REASON_QUOTA, US_REASON_QUOTA,
	US_REASON_QUOTA, US_REASON_QUOTA, US_REASON_QUOTA, US_REASON_APPROVAL };

static const char *const evidence[] = { "search", "count", "read", "copy", "match", "sample",
	"terms", "sweep", "analyse", "note", NULL };
static const char *const opens_log[] = { "audit-list", "audit-keys", "audit-export", "audit-report",
	NULL };
static const char *const open_to_all[] = { "session", "status", "collection-list", "order-show",
	"order-explain", "order-diff", "order-who", "docket-list", "person-list", "credential-list",
	"audit-tile", "audit-checkpoint", "audit-witness", "acknowledge", "acknowledgement-list",
	"docket-object", "docket-withdraw", "docket-serve", "document-add", "document-read",
	"approval-request",
	/* by capacity and signatures; the order only takes away */
	"collection-create", "collection-destroy", "record-destroy", "legal-hold", "person-add",
	"person-sign", "person-suspend", "person-reinstate", "person-end", "credential-issue",
	"credential-revoke", "order-set", "order-propose", "order-sign", "order-withdraw",
	"order-suspend", "docket-sign", "docket-resolve", "freeze", "unfreeze", "unseal-share",
	"seal", "matter-set", NULL };
static const char *const by_rule[] = { "copy-list", "copy-return", "load", "batch-list",
	"batch-release", "batch-withdraw", "batch-hold", "clearance", "challenge", "relabel",
	"clawback", "clawback-report", NULL };
static const char *const freezable[] = { "search", "count", "read", "copy", "match", "sample",
	"terms", "sweep", "analyse", "note", "copy-return", "load", "batch-release",
	"batch-withdraw", "relabel", NULL };

static int
is_one_of(const char *name, const char *const *list)
{
	for (; name != NULL && *list != NULL; list++)
		if (strcmp(name, *list) == 0)
			return 1;
	return 0;
}

static int
text_equal(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int
share_a_party(const struct us_order *o, uint64_t a, uint64_t b)
{
	for (size_t i = 0; i < o->n_parties; i++)
		if (a / (UINT64_C(1) << i) % 2 == 1 && b / (UINT64_C(1) << i) % 2 == 1)
			return 1;
	return 0;
}

static int
has_capacity(uint32_t capacities, enum us_capacity capacity)
{
	for (unsigned i = 1; i <= US_CAPACITY_LAST; i++)
		if (i == (unsigned)capacity && capacities / (UINT32_C(1) << i) % 2 == 1)
			return 1;
	return 0;
}

/* Local time as libc has it for that zone. */
static int
is_open(const struct us_calendar *k, int64_t now_ns)
{
	char zone[US_ZONE_MAX + 1];
	int64_t s = now_ns / SECOND - (now_ns % SECOND < 0);
	time_t utc = (time_t)s, day;
	struct tm t;

	memcpy(zone, k->zone_posix.p, k->zone_posix.n);
	zone[k->zone_posix.n] = '\0';
	(void)setenv("TZ", zone, 1);
	tzset();
	(void)localtime_r(&utc, &t);
	int minute = t.tm_hour * 60 + t.tm_min, weekday = t.tm_wday;
	t.tm_hour = t.tm_min = t.tm_sec = 0;
	day = timegm(&t) / 86400;
	for (size_t i = 0; i < k->n_holidays; i++)
		if (k->holidays[i] == day)
			return 0;
	return k->weekdays / (1u << weekday) % 2 == 1 && minute >= k->from_minute &&
	    minute < k->to_minute;
}

static int
in_network(const struct us_network *n, const uint8_t address[16])
{
	for (unsigned bit = 0; bit < n->bits; bit++) {
		unsigned weight = 128u >> bit % 8;
		if (n->address[bit / 8] / weight % 2 != address[bit / 8] / weight % 2)
			return 0;
	}
	return 1;
}

static int
is_approved(const struct us_order *o, const struct us_approval_need *need,
    const struct us_subject *s, const struct us_context *c)
{
	uint32_t counted[US_APPROVERS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->n_approvers; i++) {
		const struct us_approver *a = &c->approvers[i];
		int64_t age = c->now_ns - a->at_ns;
		int twice = 0;

		for (size_t k = 0; k < n; k++)
			if (counted[k] == a->person)
				twice = 1;
		if (a->person != s->person && a->person != 0 && !twice &&
		    has_capacity(need->capacities, a->capacity) &&
		    (need->any_party || share_a_party(o, need->parties, a->parties)) && age >= 0 &&
		    age <= need->hours * 3600 * SECOND)
			counted[n++] = a->person;
	}
	return n >= need->count;
}

static int
is_listed(const struct us_order *o, struct us_bytes code)
{
	for (size_t i = 0; i < o->n_purposes; i++)
		if (text_equal(o->purposes[i].code, code))
			return 1;
	return 0;
}

/* A share of the corpus in whole records. */
static uint64_t
share_in_records(uint32_t millionths, uint64_t corpus)
{
	__extension__ unsigned __int128 product = corpus;

	return (uint64_t)(product * millionths / US_MILLION);
}

static const struct us_meter *
meter_of(const struct us_rule *r, const struct us_meter *person, const struct us_meter *party)
{
	return r->limits.per == US_PER_PARTY ? party : person;
}

static char
answer(int asked, int holds)
{
	return !asked ? ' ' : holds ? 'y' : 'n';
}

/* The first half of them: who asks, when. */
static void
conditions_of_state(const struct us_order *o, const struct us_rule *r, const struct us_subject *s,
    const struct us_context *c, char out[US_CONDITIONS + 1])
{
	const struct us_conditions *w = &r->conditions;
	const struct us_period *period = w->period > 0 ? &o->periods[w->period - 1] : NULL;
	int matter = 0;

	out[ACKNOWLEDGED] = answer(w->acknowledgement, s->acknowledged);
	out[CLEARED] = answer(w->clearance > 0,
	    w->clearance > 0 && s->clearances / (UINT32_C(1) << (w->clearance - 1)) % 2 == 1);
	for (unsigned i = 0; i < o->n_matter_states; i++)
		if (i == c->matter && w->matter_states / (1u << i) % 2 == 1)
			matter = 1;
	out[MATTER] = answer(w->matter_states > 0, matter);
	out[PERIOD] = answer(period != NULL,
	    period != NULL && period->from_ns <= c->now_ns && c->now_ns < period->until_ns);
	out[HOURS] = answer(w->calendar > 0,
	    w->calendar > 0 && is_open(&o->calendars[w->calendar - 1], c->now_ns));
}

static void
conditions_of(const struct us_order *o, const struct us_rule *r, const struct us_subject *s,
    const struct us_context *c, char out[US_CONDITIONS + 1])
{
	const struct us_conditions *w = &r->conditions;
	const struct us_limits *l = &r->limits;
	const struct us_meter *m = meter_of(r, &c->person_after, &c->party_after);
	int inside = 0, usage = (c->unknown & US_UNKNOWN_USAGE) == 0,
	    strong = c->credential_bits > 0;

	memset(out, ' ', US_CONDITIONS);
	out[US_CONDITIONS] = '\0';
	conditions_of_state(o, r, s, c, out);
	for (size_t i = 0; i < w->n_networks; i++)
		if (c->has_address && in_network(&w->networks[i], c->address))
			inside = 1;
	out[NETWORK] = answer(w->n_networks > 0 && (c->unknown & US_UNKNOWN_ADDRESS) == 0, inside);
	if (w->credential_bits > 0 && c->credential_bits < w->credential_bits)
		strong = 0;
	if (w->credential_days > 0 && c->credential_days > w->credential_days)
		strong = 0;
	out[CREDENTIAL] = answer((w->credential_bits > 0 || w->credential_days > 0) &&
		(c->unknown & US_UNKNOWN_CREDENTIAL) == 0,
	    strong);
	out[PURPOSE] = answer(w->purpose != US_PURPOSE_FREE,
	    c->purpose.n > 0 && (w->purpose == US_PURPOSE_REQUIRED || is_listed(o, c->purpose)));
	out[REQUEST] = answer(l->records_per_request != US_UNLIMITED,
	    c->records <= l->records_per_request);
	out[CONSECUTIVE] = answer(usage && l->consecutive != US_UNLIMITED,
	    m->run <= l->consecutive);
	out[DAY] = answer(usage && l->per_day != US_UNLIMITED, m->day <= l->per_day);
	out[LIFE] = answer(usage && l->life != US_UNLIMITED, m->life <= l->life);
	out[SHARE] = answer(usage && l->share != US_UNLIMITED,
	    m->life <= share_in_records(l->share, c->corpus));
	out[APPROVAL] = answer(w->approval.count > 0 && (c->unknown & US_UNKNOWN_APPROVAL) == 0,
	    is_approved(o, &w->approval, s, c));
}

void
naive_explain(const struct us_order *o, const struct us_subject *s, unsigned action,
    const struct us_context *c, size_t i, struct naive_line *out)
{
	const struct us_rule *r = &o->rules[i];

	*out = (struct naive_line){ .party = r->any_party ||
		    share_a_party(o, r->parties, s->parties),
		.capacity = has_capacity(r->capacities, s->capacity),
		.collection = r->any_collection };
	if (action < 128)
		out->action = r->actions[action / 64] / (UINT64_C(1) << action % 64) % 2 == 1;
	for (size_t k = 0; k < r->n_collections; k++)
		if (c->collection.n > 0 && text_equal(r->collections[k], c->collection))
			out->collection = 1;
	memset(out->conditions, ' ', US_CONDITIONS);
	out->conditions[US_CONDITIONS] = '\0';
	if (!out->party || !out->capacity || !out->action || !out->collection)
		out->standing = '-';
	else if (r->effect == US_FORBID)
		out->standing = r->is_query ? 'f' : 'F';
	else {
		out->standing = 'p';
		conditions_of(o, r, s, c, out->conditions);
	}
}

/* What takes part in every decision before any rule: 1 if it denies. */
static int
is_denied_outright(const struct us_subject *s, const char *action, const struct us_context *c,
    struct naive_ruling *out)
{
	if (s->person == 0 || !has_capacity(US_CAPACITY_ANY, s->capacity)) {
		out->reason = US_REASON_UNKNOWN_CREDENTIAL;
		return 1;
	}
	if (!is_one_of(action, evidence) && !is_one_of(action, opens_log) &&
	    !is_one_of(action, open_to_all) &&
	    !is_one_of(action, by_rule)) { /* the machine's own */
		out->reason = US_REASON_CAPACITY;
		return 1;
	}
	if (is_one_of(action, evidence) &&
	    (strcmp(us_capacity_name(s->capacity), "administrator") == 0 ||
		strcmp(us_capacity_name(s->capacity), "keyholder") == 0)) {
		out->reason = US_REASON_CAPACITY;
		return 1;
	}
	for (size_t i = 0; i < c->n_freezes; i++) {
		const struct us_freeze_on *f = &c->freezes[i];
		if (is_one_of(action, freezable) &&
		    (f->everything || (f->parties & s->parties) != 0 || f->person == s->person ||
			(f->collection.n > 0 && text_equal(f->collection, c->collection)))) {
			out->reason = US_REASON_FROZEN;
			out->freeze = f->id;
			return 1;
		}
	}
	return 0;
}

static uint32_t
least(uint32_t a, uint64_t limit, uint64_t used)
{
	uint64_t left = used >= limit ? 0 : limit - used;

	if (left >= US_UNLIMITED) /* would read as no limit */
		left = US_UNLIMITED - 1;
	return left < a ? (uint32_t)left : a;
}

/* What a fitting permit adds of limits, masks, boxes. */
static void
add_permit(const struct us_rule *r, int log, struct naive_ruling *out)
{
	const struct us_limits *l = &r->limits;
	int over_time = l->consecutive != US_UNLIMITED || l->per_day != US_UNLIMITED ||
	    l->life != US_UNLIMITED || l->share != US_UNLIMITED;

	if (l->records_per_request < out->cap)
		out->cap = l->records_per_request;
	if (l->consecutive != US_UNLIMITED && (out->run_max == 0 || l->consecutive < out->run_max))
		out->run_max = l->consecutive;
	if (over_time && l->per == US_PER_PARTY)
		out->wants_party_usage = 1;
	if (r->conditions.purpose != US_PURPOSE_FREE)
		out->purpose_needed = 1;
	if (r->conditions.approval.count > 0)
		out->approval_needed = 1;
	if (!r->is_query)
		out->sees_all = 1;
	out->mask = (struct us_mask){ r->mask.identifiers | out->mask.identifiers,
		r->mask.roles | out->mask.roles, r->mask.fields | out->mask.fields,
		r->mask.except_match || out->mask.except_match };
	out->boxes &= r->boxes;
	/* each opens less than the one before it */
	for (const char *order = "\1\4\2\3", *at = order; log && *at != '\0'; at++)
		if ((unsigned)*at == out->log_scope || out->log_scope == 0) {
			if (strchr(at, (char)r->log_scope) != NULL)
				out->log_scope = r->log_scope;
			break;
		}
}

static void
count_left(const struct us_order *o, const struct us_context *c, struct naive_ruling *out)
{
	out->left = (struct us_remaining){ out->cap, out->run_max > 0 ? out->run_max : US_UNLIMITED,
		US_UNLIMITED, US_UNLIMITED, US_UNLIMITED };
	for (size_t i = 0; i < o->n_rules && (c->unknown & US_UNKNOWN_USAGE) == 0; i++) {
		const struct us_rule *r = &o->rules[i];
		const struct us_meter *m = out->allowed ?
		    meter_of(r, &c->person_after, &c->party_after) :
		    meter_of(r, &c->person_before, &c->party_before);
		if (out->visible[i] != 'p')
			continue;
		if (r->limits.per_day != US_UNLIMITED)
			out->left.per_day = least(out->left.per_day, r->limits.per_day, m->day);
		if (r->limits.life != US_UNLIMITED)
			out->left.life = least(out->left.life, r->limits.life, m->life);
		if (r->limits.share != US_UNLIMITED)
			out->left.share = least(out->left.share,
			    share_in_records(r->limits.share, c->corpus), m->life);
	}
}

/* Of all conditions that fail the one that is asked first, of all rules that fail it the first. */
static void
judge(const struct us_order *o, const struct us_subject *s, unsigned action,
    const struct us_context *c, struct naive_ruling *out)
{
	int first_failed = US_CONDITIONS;

	for (size_t i = o->n_rules; i-- > 0;) {
		struct naive_line line;

		if (out->visible[i] != 'p')
			continue;
		naive_explain(o, s, action, c, i, &line);
		const char *failed = strchr(line.conditions, 'n');
		int at = failed != NULL ? (int)(failed - line.conditions) : US_CONDITIONS;
		if (at <= first_failed) {
			first_failed = at;
			out->rule = (uint32_t)i + 1;
		}
	}
	out->allowed = first_failed == US_CONDITIONS;
	out->reason = out->allowed ? US_REASON_NONE : reasons[first_failed];
	out->paragraph = o->rules[out->rule - 1].paragraph;
}

void
naive_evaluate(const struct us_order *o, const struct us_subject *s, unsigned action,
    const struct us_context *c, struct naive_ruling *out)
{
	const char *name = us_action_name(action);
	int log = is_one_of(name, opens_log), permits = 0, forbids = 0;

	memset(out, 0, sizeof(*out));
	memset(out->visible, ' ', o->n_rules);
	out->reason = US_REASON_NOT_IN_ORDER;
	out->cap = US_UNLIMITED;
	out->paragraph = o->default_paragraph;
	count_left(o, c, out);
	if (is_denied_outright(s, name, c, out))
		return;
	for (size_t i = 0; i < o->n_rules; i++) {
		struct naive_line line;
		naive_explain(o, s, action, c, i, &line);
		if (line.standing == 'F') {
			memset(out->visible, ' ', o->n_rules);
			out->reason = US_REASON_PROHIBITED;
			out->rule = (uint32_t)i + 1;
			out->paragraph = o->rules[i].paragraph;
			return;
		}
		out->visible[i] = line.standing == '-' ? ' ' : line.standing;
		permits += line.standing == 'p';
		forbids += line.standing == 'f';
	}
	if (permits == 0) {
		memset(out->visible, ' ', o->n_rules);
		if (is_one_of(name, open_to_all)) {
			out->allowed = 1;
			out->reason = US_REASON_NONE;
			out->paragraph = us_bytes_of("");
		}
		return;
	}
	out->boxes = log ? US_BOXES_ALL : 0;
	for (size_t i = 0; i < o->n_rules; i++)
		if (out->visible[i] == 'p')
			add_permit(&o->rules[i], log, out);
	if (forbids > 0)
		out->sees_all = 0;
	if (!log || out->boxes != 0)
		judge(o, s, action, c, out);
	count_left(o, c, out);
}
