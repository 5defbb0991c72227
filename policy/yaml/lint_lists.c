/* What an order defines and then does not use, and what of it nobody could ever do. */
#include <string.h>

#include "base/array.h"
#include "policy/yaml/lint.h"

#define TEXT(b) (int)(b).n, (const char *)(b).p /* for %.*s */

/* ---- designations that nobody may read ---- */

enum us_yaml_truth { NEVER, PERHAPS, ALWAYS };

/* Whether a query holds for records of one designation, of which nothing else is known (Kleene's
 * three values). */
static enum us_yaml_truth
holds(const struct us_query_node *node, struct us_bytes folded)
{
	enum us_yaml_truth all, t;

	switch (node->op) {
	case US_QUERY_ALL:
		return ALWAYS;
	case US_QUERY_META:
		if (node->field != US_FIELD_DESIGNATION)
			return PERHAPS;
		return node->value.n == folded.n && memcmp(node->value.p, folded.p, folded.n) == 0 ?
		    ALWAYS :
		    NEVER;
	case US_QUERY_WORD:
	case US_QUERY_PHRASE:
	case US_QUERY_DATE:
	case US_QUERY_BATES:
		return PERHAPS;
	case US_QUERY_NOT:
		return (enum us_yaml_truth)(ALWAYS - holds(node->children[0], folded));
	case US_QUERY_AND:
	case US_QUERY_OR:
		all = node->op == US_QUERY_AND ? ALWAYS : NEVER;
		for (size_t i = 0; i < node->n_children; i++) {
			t = holds(node->children[i], folded);
			if (node->op == US_QUERY_AND ? t < all : t > all)
				all = t;
		}
		return all;
	}
	return PERHAPS;
}

/* Of each rule about reading, by designation: bit d is designation d. */
struct us_yaml_reach {
	uint32_t always[US_ORDER_RULES];
	uint32_t perhaps[US_ORDER_RULES]; /* or always */
};

static void
reach_of(const struct us_lint *l, size_t index, unsigned d, struct us_bytes folded,
    struct us_yaml_reach *reach)
{
	const struct us_rule *rule = &l->order->rules[index];
	enum us_yaml_truth t = PERHAPS;

	if (!us_actions_has(rule->actions, US_ACTION_READ))
		return;
	if (!rule->is_query)
		t = ALWAYS;
	else if (l->queries[index] != NULL)
		t = holds(l->queries[index]->root, folded);
	reach->always[index] |= (uint32_t)(t == ALWAYS) << d;
	reach->perhaps[index] |= (uint32_t)(t != NEVER) << d;
}

/* Designations that a permit gives to some capacity: different prohibitions may take different ones
 * away. */
static uint32_t
gives(const struct us_lint *l, size_t index, const struct us_yaml_reach *reach)
{
	const struct us_order *order = l->order;
	uint32_t taken[US_ORDER_DESIGNATIONS] = { 0 }, given = 0;

	for (size_t i = 0; i < order->n_rules; i++) {
		if (order->rules[i].effect != US_FORBID ||
		    (reach->always[i] & reach->perhaps[index]) == 0 ||
		    !us_lint_encloses(&order->rules[i], &order->rules[index]))
			continue;
		for (size_t d = 0; d < order->n_designations; d++)
			if ((reach->always[i] >> d & 1) != 0)
				taken[d] |= order->rules[i].capacities;
	}
	for (size_t d = 0; d < order->n_designations; d++)
		if ((reach->perhaps[index] >> d & 1) != 0 &&
		    (order->rules[index].capacities & ~taken[d]) != 0)
			given |= UINT32_C(1) << d;
	return given;
}

void
us_lint_designations(struct us_lint *l)
{
	struct us_yaml_reach reach = { 0 };
	uint32_t given = 0;

	for (size_t d = 0; d < l->order->n_designations; d++) {
		const struct us_designation_entry *e = &l->designations.list[d];

		for (size_t i = 0; i < l->order->n_rules; i++)
			reach_of(l, i, (unsigned)d, (struct us_bytes){ e->folded, e->folded_n },
			    &reach);
	}
	for (size_t i = 0; i < l->order->n_rules; i++)
		if (l->order->rules[i].effect == US_PERMIT && reach.perhaps[i] != 0)
			given |= gives(l, i, &reach);
	for (size_t d = 0; d < l->order->n_designations; d++)
		if ((given >> d & 1) == 0)
			us_lint_warn(l, us_lint_item(l, "designations", d),
			    "nobody may read what is designated %.*s",
			    TEXT(l->order->designations[d].name));
}

/* ---- what no rule uses ---- */

static void
unused_categories(struct us_lint *l)
{
	const struct us_yaml_node *list = us_yaml_find(l->root, "categories");

	for (size_t c = 0; list != NULL && c < list->n; c++) {
		const struct us_bytes id = us_yaml_find(list->items[c], "id")->text;
		int used = 0;

		for (size_t i = 0; i < l->order->n_rules; i++) {
			const struct us_yaml_node *what = us_yaml_find(us_lint_item(l, "rules", i),
			    "what");
			used |= us_lint_names(us_yaml_find(what, "category"), id) ||
			    us_lint_names(us_yaml_find(what, "except"), id);
		}
		if (!used)
			us_lint_warn(l, list->items[c], "no rule uses category %.*s", TEXT(id));
	}
}

void
us_lint_unused(struct us_lint *l)
{
	const struct us_order *order = l->order;
	uint64_t clearances = 0,
		 calendars = order->home_calendar == 0 ? 0 : UINT64_C(1) << order->home_calendar,
		 periods = 0;
	int purposes = 0, matter = 0;

	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_conditions *c = &order->rules[i].conditions;
		clearances |= UINT64_C(1) << c->clearance;
		calendars |= UINT64_C(1) << c->calendar;
		periods |= UINT64_C(1) << c->period;
		purposes |= c->purpose == US_PURPOSE_LISTED;
		matter |= c->matter_states != 0;
	}
	unused_categories(l);
	for (size_t i = 0; i < order->n_periods; i++)
		if ((periods >> (i + 1) & 1) == 0)
			us_lint_warn(l, us_lint_item(l, "periods", i), "no rule uses period %.*s",
			    TEXT(order->periods[i].id));
	for (size_t i = 0; i < order->n_calendars; i++)
		if ((calendars >> (i + 1) & 1) == 0)
			us_lint_warn(l, us_lint_item(l, "calendars", i),
			    "neither a rule nor default uses calendar %.*s",
			    TEXT(order->calendars[i].id));
	for (size_t i = 0; i < order->n_clearances; i++)
		if ((clearances >> (i + 1) & 1) == 0)
			us_lint_warn(l, us_lint_item(l, "clearances", i),
			    "no rule uses clearance %.*s", TEXT(order->clearances[i].id));
	if (order->n_purposes > 0 && !purposes)
		us_lint_warn(l, us_yaml_find(l->root, "purposes"),
		    "no rule asks for a purpose of the list (purpose: listed)");
	if (order->n_matter_states > 0 && !matter)
		us_lint_warn(l, us_yaml_find(l->root, "matter"),
		    "no rule asks for a state of the matter");
}

/* ---- permits that make no sense by themselves ---- */

static void
lint_limits(struct us_lint *l, const struct us_yaml_node *at, const struct us_limits *limits)
{
	const struct {
		const char *small_name, *large_name;
		uint32_t small, large;
	} pairs[] = {
		{ "records_per_request", "per_day", limits->records_per_request, limits->per_day },
		{ "records_per_request", "life", limits->records_per_request, limits->life },
		{ "consecutive", "life", limits->consecutive, limits->life },
		{ "per_day", "life", limits->per_day, limits->life },
	};

	for (size_t i = 0; i < US_COUNT(pairs); i++)
		if (pairs[i].small != US_UNLIMITED && pairs[i].small > pairs[i].large)
			us_lint_warn(l, at, "%s is above %s: it could never be used up",
			    pairs[i].small_name, pairs[i].large_name);
}

/* 1 if each category that what names is excepted again. */
static int
excepts_all(const struct us_yaml_node *what)
{
	const struct us_yaml_node *category = us_yaml_find(what, "category"),
				  *except = us_yaml_find(what, "except");

	if (category == NULL || except == NULL)
		return 0;
	if (category->kind == US_YAML_SCALAR)
		return us_lint_names(except, category->text);
	for (size_t i = 0; i < category->n; i++)
		if (!us_lint_names(except, category->items[i]->text))
			return 0;
	return 1;
}

void
us_lint_permits(struct us_lint *l)
{
	const uint32_t machine = us_capacities_of_machine();

	for (size_t i = 0; i < l->order->n_rules; i++) {
		const struct us_rule *rule = &l->order->rules[i];
		const struct us_yaml_node *node = us_lint_item(l, "rules", i);
		const struct us_approval_need *need = &rule->conditions.approval;

		if (excepts_all(us_yaml_find(node, "what")))
			us_lint_warn(l, us_yaml_find(node, "what"),
			    "rule %.*s fits no record: it excepts what it names", TEXT(rule->id));
		if (rule->effect != US_PERMIT)
			continue;
		if (us_yaml_find(node, "limits") != NULL)
			lint_limits(l, us_yaml_find(node, "limits"), &rule->limits);
		if (need->count > 0 && (need->capacities & ~machine) == 0)
			us_lint_warn(l, us_yaml_find(us_yaml_find(node, "conditions"), "approvals"),
			    "nobody could give this approval: administrators and keyholders speak "
			    "for no party");
	}
}

/* ---- workflows ---- */

/* 1 if some rule permits it; in all collections, if it has to do with none. */
static int
permitted(const struct us_order *order, enum us_action action)
{
	for (size_t i = 0; i < order->n_rules; i++)
		if (order->rules[i].effect == US_PERMIT &&
		    us_actions_has(order->rules[i].actions, action) &&
		    (action != US_ACTION_CLEARANCE || order->rules[i].any_collection))
			return 1;
	return 0;
}

/* What workflows provide for begins with an act that some rule must permit, and a clawback ends
 * with a decision. */
static void
lint_acts(struct us_lint *l, const struct us_yaml_node *workflows)
{
	const struct us_workflows *w = &l->order->workflows;

	if (l->order->n_clearances > 0 && !permitted(l->order, US_ACTION_CLEARANCE))
		us_lint_warn(l, us_lint_item(l, "clearances", 0),
		    "nobody could ask for a clearance: no rule for all collections permits the "
		    "action clearance");
	if ((w->confer_days != 0 || w->move_days != 0) && !permitted(l->order, US_ACTION_CHALLENGE))
		us_lint_warn(l, us_yaml_find(workflows, "challenge"),
		    "nobody could challenge a designation: no rule permits the action challenge");
	if (w->clawback_visible != 0 && !permitted(l->order, US_ACTION_CLAWBACK))
		us_lint_warn(l, us_yaml_find(workflows, "clawback_visible"),
		    "nobody could claw back: no rule permits the action clawback");
	if (w->may_resolve == 0 && permitted(l->order, US_ACTION_CLAWBACK))
		us_lint_warn(l, workflows == NULL ? l->root : workflows,
		    "nobody could decide on a clawback: workflows lacks resolve");
}

void
us_lint_workflows(struct us_lint *l)
{
	const struct us_workflows *w = &l->order->workflows;
	const struct us_yaml_node *node = us_yaml_find(l->root, "workflows"),
				  *at = node == NULL ? l->root : node;

	if (w->amend.n == 0)
		us_lint_warn(l, at, "this order can never be amended: workflows lacks amend");
	if (w->may_freeze != 0 && w->lift.n == 0)
		us_lint_warn(l, us_yaml_find(node, "freeze"),
		    "what is frozen stays so: workflows lacks lift");
	if (w->may_freeze == 0 && w->lift.n != 0)
		us_lint_warn(l, us_yaml_find(node, "lift"),
		    "nobody may freeze: there is nothing to lift");
	if (w->may_resolve == 0 && l->order->n_clearances > 0)
		us_lint_warn(l, us_lint_item(l, "clearances", 0),
		    "nobody could decide an objection to a clearance: workflows lacks resolve");
	if (w->may_resolve == 0 && (w->confer_days != 0 || w->move_days != 0))
		us_lint_warn(l, us_yaml_find(node, "challenge"),
		    "nobody could decide a challenge: workflows lacks resolve");
	lint_acts(l, node);
}
