#include "policy/evaluate.h"

#include <string.h>

/* Texts of what would help; static, so that a ruling owns nothing. */
static const char cure_order[] = "ask a roster signer of your party whether the order can be "
				 "amended; nobody at the vault can allow it";
static const char cure_capacity[] =
    "this is never open to your capacity; somebody whom the order names must do it";
static const char cure_frozen[] = "it is frozen; whoever the order names can lift that";

static int
same(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int
collection_fits(const struct us_rule *rule, struct us_bytes collection)
{
	if (rule->any_collection)
		return 1;
	for (size_t i = 0; i < rule->n_collections; i++)
		if (collection.n > 0 && same(rule->collections[i], collection))
			return 1;
	return 0;
}

static int
rule_fits(const struct us_rule *rule, const struct us_subject *subject, enum us_action action,
    struct us_bytes collection)
{
	return us_actions_has(rule->actions, action) &&
	    (rule->capacities & US_CAPACITY_BIT(subject->capacity)) != 0 &&
	    (rule->any_party || (rule->parties & subject->parties) != 0) &&
	    collection_fits(rule, collection);
}

static void
deny(struct us_ruling *out, enum us_reason reason, const char *cure)
{
	out->decision = US_DECISION_DENY;
	out->reason = reason;
	out->cure = cure;
}

static void
cite(struct us_ruling *out, const struct us_order *order, size_t rule)
{
	out->rule = (uint32_t)rule + 1;
	out->rule_id = order->rules[rule].id;
	out->paragraph = order->rules[rule].paragraph;
}

/* Everything that fits into the two sets; 1 if a forbid without a query does, which is cited. */
static int
gather(const struct us_order *order, const struct us_subject *subject, enum us_action action,
    struct us_bytes collection, struct us_ruling *out)
{
	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *rule = &order->rules[i];
		if (!rule_fits(rule, subject, action, collection))
			continue;
		if (rule->effect == US_FORBID && !rule->is_query) {
			cite(out, order, i);
			return 1;
		}
		uint64_t *set = rule->effect == US_PERMIT ? out->permits : out->forbids;
		set[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return 0;
}

static int
is_listed(const struct us_order *order, struct us_bytes purpose)
{
	for (size_t i = 0; i < order->n_purposes; i++)
		if (same(order->purposes[i].code, purpose))
			return 1;
	return 0;
}

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What is left of a limit when so much is used. */
static uint32_t
rest(uint64_t limit, uint64_t used)
{
	uint64_t left = limit > used ? limit - used : 0;

	return left < US_UNLIMITED ? (uint32_t)left : US_UNLIMITED - 1;
}

/* Adds a permit's limits, masks and boxes to the ruling. */
static void
add_limits(const struct us_rule *rule, struct us_ruling *out)
{
	const struct us_limits *l = &rule->limits;

	if (!rule->is_query)
		out->sees_all = 1;
	out->records_per_request = smaller(out->records_per_request, l->records_per_request);
	if (l->consecutive != US_UNLIMITED && (out->run_max == 0 || l->consecutive < out->run_max))
		out->run_max = l->consecutive;
	out->wants_party_usage |= l->per == US_PER_PARTY &&
	    (l->consecutive != US_UNLIMITED || l->per_day != US_UNLIMITED ||
		l->life != US_UNLIMITED || l->share != US_UNLIMITED);
	us_mask_add(&out->mask, &rule->mask);
	out->boxes &= rule->boxes;
	if (us_log_scope_is_narrower(rule->log_scope, out->log_scope))
		out->log_scope = rule->log_scope;
	out->purpose_needed |= rule->conditions.purpose != US_PURPOSE_FREE;
	out->approval_needed |= rule->conditions.approval.count != 0;
}

/* The permits that fit, as a list: it is walked once a condition. */
struct us_order_fitting {
	size_t n;
	uint16_t rules[US_ORDER_RULES];
};

/* What is left of the limits of all permits that fit: as of before the request, or after it. */
static void
leave(const struct us_order *order, const struct us_order_fitting *fitting,
    const struct us_context *context, int after, struct us_ruling *out)
{
	struct us_remaining *left = &out->left;

	*left = (struct us_remaining){ out->records_per_request,
		out->run_max == 0 ? US_UNLIMITED : out->run_max, US_UNLIMITED, US_UNLIMITED,
		US_UNLIMITED };
	if ((context->unknown & US_UNKNOWN_USAGE) != 0)
		return;
	for (size_t i = 0; i < fitting->n; i++) {
		const struct us_limits *l = &order->rules[fitting->rules[i]].limits;
		const struct us_meter *m = l->per == US_PER_PARTY ?
		    (after ? &context->party_after : &context->party_before) :
		    (after ? &context->person_after : &context->person_before);

		if (l->per_day != US_UNLIMITED)
			left->per_day = smaller(left->per_day, rest(l->per_day, m->day));
		if (l->life != US_UNLIMITED)
			left->life = smaller(left->life, rest(l->life, m->life));
		if (l->share != US_UNLIMITED)
			left->share = smaller(left->share,
			    rest(us_share_of(l->share, context->corpus), m->life));
	}
}

/* The first condition that does not hold, cited; 1 if all hold. Whether the hours of a calendar
 * hold does not depend on the rule, and a zone's offset is the dearest thing asked here, so each
 * calendar is asked once. */
static int
conditions_hold(const struct us_order *order, const struct us_order_fitting *fitting,
    const struct us_subject *subject, const struct us_context *context, struct us_ruling *out)
{
	const int listed = is_listed(order, context->purpose);
	uint32_t open = 0; /* bit k: calendar k (from 1) */

	for (unsigned c = 0; c < US_CONDITIONS; c++) {
		for (size_t i = 0; i < fitting->n; i++) {
			const struct us_rule *rule = &order->rules[fitting->rules[i]];

			if (!us_condition_asked(rule, (enum us_condition)c, context->unknown))
				continue;
			if (c == US_CONDITION_HOURS && (open >> rule->conditions.calendar & 1) != 0)
				continue;
			if (!us_condition_holds(order, rule, (enum us_condition)c, subject, context,
				listed)) {
				cite(out, order, fitting->rules[i]);
				deny(out, us_condition_reason((enum us_condition)c),
				    us_condition_cure((enum us_condition)c, rule));
				return 0;
			}
			if (c == US_CONDITION_HOURS)
				open |= UINT32_C(1) << rule->conditions.calendar;
		}
	}
	return 1;
}

/* The conditions of all permits at once: kind after kind, and within one the rules in their
 * order. */
static void
judge(const struct us_order *order, const struct us_subject *subject, enum us_action action,
    const struct us_context *context, struct us_ruling *out)
{
	struct us_order_fitting fitting;

	fitting.n = 0; /* the list itself is not worth clearing */
	for (int i = us_rules_next(out->permits, 0); i >= 0; i = us_rules_next(out->permits, i + 1))
		fitting.rules[fitting.n++] = (uint16_t)i;
	out->boxes = us_action_row(action)->opens_log ? US_BOXES_ALL : 0;
	for (size_t i = 0; i < fitting.n; i++)
		add_limits(&order->rules[fitting.rules[i]], out);
	/* a permit of it may also permit another action that does */
	if (!us_action_row(action)->opens_log)
		out->log_scope = (enum us_log_scope)0;
	if (us_rules_next(out->forbids, 0) >= 0)
		out->sees_all = 0;
	if (us_action_row(action)->opens_log && (out->boxes == 0 || out->log_scope == 0)) {
		leave(order, &fitting, context, 0, out);
		deny(out, US_REASON_NOT_IN_ORDER, cure_order);
		return;
	}
	int hold = conditions_hold(order, &fitting, subject, context, out);
	leave(order, &fitting, context, hold, out);
	if (!hold)
		return;
	cite(out, order, fitting.rules[0]);
	out->decision = US_DECISION_ALLOW;
	out->reason = US_REASON_NONE;
	out->cure = "";
}

/* The first freeze that hits the request, or NULL. */
static const struct us_freeze_on *
frozen(const struct us_subject *subject, enum us_action action, const struct us_context *context)
{
	if (!us_action_row(action)->is_frozen)
		return NULL;
	for (size_t i = 0; i < context->n_freezes; i++) {
		const struct us_freeze_on *f = &context->freezes[i];

		if (f->everything || (f->parties & subject->parties) != 0 ||
		    (f->person != 0 && f->person == subject->person) ||
		    (f->collection.n > 0 && same(f->collection, context->collection)))
			return f;
	}
	return NULL;
}

void
us_order_evaluate(const struct us_order *order, const struct us_subject *subject,
    enum us_action action, const struct us_context *context, struct us_ruling *out)
{
	enum us_action_class class = us_action_row(action)->class;

	memset(out, 0, sizeof *out);
	out->records_per_request = US_UNLIMITED;
	out->left = (struct us_remaining){ US_UNLIMITED, US_UNLIMITED, US_UNLIMITED, US_UNLIMITED,
		US_UNLIMITED };
	out->paragraph = order->default_paragraph;
	deny(out, US_REASON_NOT_IN_ORDER, cure_order);
	if (us_capacity_name((unsigned)subject->capacity) == NULL || subject->person == 0) {
		deny(out, US_REASON_UNKNOWN_CREDENTIAL, cure_capacity);
		return;
	}
	if (class == US_ACTIONS_INTERNAL) {
		deny(out, US_REASON_CAPACITY, cure_capacity);
		return;
	}
	if (us_action_row(action)->is_evidence && us_capacity_runs_machine(subject->capacity)) {
		deny(out, US_REASON_CAPACITY, cure_capacity);
		return;
	}
	const struct us_freeze_on *freeze = frozen(subject, action, context);
	if (freeze != NULL) {
		out->freeze = freeze->id;
		deny(out, US_REASON_FROZEN, cure_frozen);
		return;
	}
	if (gather(order, subject, action, context->collection, out)) {
		memset(out->permits, 0, sizeof out->permits);
		memset(out->forbids, 0, sizeof out->forbids);
		deny(out, US_REASON_PROHIBITED, cure_order);
		return;
	}
	if (us_rules_next(out->permits, 0) >= 0) {
		judge(order, subject, action, context, out);
		return;
	}
	memset(out->forbids, 0, sizeof out->forbids);
	if (class == US_ACTIONS_OPEN || class == US_ACTIONS_ADMINISTRATIVE) {
		out->decision = US_DECISION_ALLOW;
		out->reason = US_REASON_NONE;
		out->cure = "";
		out->paragraph = (struct us_bytes){ NULL, 0 };
	}
}

void
us_context_freeze(struct us_context *context)
{
	static const struct us_freeze_on at_start = { .id = US_FREEZE_AT_START, .everything = 1 };

	context->freezes = &at_start;
	context->n_freezes = 1;
}

int
us_rules_next(const uint64_t rules[US_RULE_WORDS], int from)
{
	for (size_t word = (size_t)from / 64; word < US_RULE_WORDS; word++) {
		uint64_t bits = rules[word];
		if (word == (size_t)from / 64)
			bits &= ~UINT64_C(0) << ((unsigned)from % 64);
		if (bits != 0)
			return (int)(word * 64) + __builtin_ctzll(bits);
	}
	return -1;
}

void
us_order_explain(const struct us_order *order, const struct us_subject *subject,
    enum us_action action, const struct us_context *context,
    void (*line)(void *ctx, const struct us_explained *e), void *ctx)
{
	const int listed = is_listed(order, context->purpose);

	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *rule = &order->rules[i];
		struct us_explained e = { .rule = (uint32_t)i, .standing = US_STANDS_NOT };

		if (!us_actions_has(rule->actions, action))
			e.misses |= US_MISSES_ACTION;
		if (us_capacity_name((unsigned)subject->capacity) == NULL ||
		    (rule->capacities & US_CAPACITY_BIT(subject->capacity)) == 0)
			e.misses |= US_MISSES_CAPACITY;
		if (!rule->any_party && (rule->parties & subject->parties) == 0)
			e.misses |= US_MISSES_PARTY;
		if (!collection_fits(rule, context->collection))
			e.misses |= US_MISSES_COLLECTION;
		if (e.misses == 0)
			e.standing = rule->effect == US_PERMIT ? US_STANDS_PERMIT :
			    rule->is_query                     ? US_STANDS_EXCLUDES :
								 US_STANDS_FORBID;
		for (unsigned c = 0; e.standing == US_STANDS_PERMIT && c < US_CONDITIONS; c++) {
			if (!us_condition_asked(rule, (enum us_condition)c, context->unknown))
				continue;
			e.asked |= UINT32_C(1) << c;
			if (!us_condition_holds(order, rule, (enum us_condition)c, subject, context,
				listed))
				e.fails |= UINT32_C(1) << c;
		}
		line(ctx, &e);
	}
}
