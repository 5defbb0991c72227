/* What an order that could be read says badly: queries that are none, rules that contradict each
 * other or have no effect. */
#include "policy/yaml/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(b) (int)(b).n, (const char *)(b).p /* for %.*s */

const struct us_yaml_node *
us_lint_item(const struct us_lint *l, const char *list, size_t i)
{
	const struct us_yaml_node *node = us_yaml_find(l->root, list);

	if (node == NULL)
		return l->root;
	return node->kind == US_YAML_LIST && i < node->n ? node->items[i] : node;
}

void
us_lint_warn(struct us_lint *l, const struct us_yaml_node *node, const char *format, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	us_finding(l->findings, US_FINDING_WARNING, node->line, node->column, "%s", text);
}

int
us_lint_names(const struct us_yaml_node *node, struct us_bytes text)
{
	if (node == NULL)
		return 0;
	if (node->kind == US_YAML_SCALAR)
		return node->text.n == text.n && memcmp(node->text.p, text.p, text.n) == 0;
	for (size_t i = 0; node->kind == US_YAML_LIST && i < node->n; i++)
		if (us_lint_names(node->items[i], text))
			return 1;
	return 0;
}

/* ---- queries ---- */

/* A rule about a designation that the list does not have would be about no record: a slip, and one
 * that shows what it hides. */
static int
check_designations(struct us_lint *l, const struct us_yaml_node *node, const struct us_query *query,
    const char *what, struct us_bytes id)
{
	const struct us_query_node *outside = us_designations_outside(&l->designations, query);
	struct us_designated found;
	int err;

	if (outside == NULL)
		return US_OK;
	err = us_designations_find(&l->designations, outside->value, &found);
	if (err == US_ERR_NOMEM)
		return err;
	us_finding(l->findings, US_FINDING_ERROR, node->line,
	    node->column + (unsigned)node->quoted + (unsigned)outside->at,
	    "the query of %s %.*s: the order's list has no designation \"%.*s\"%s%.*s%s", what,
	    TEXT(id),
	    (int)(outside->value.n < US_ORDER_ID_MAX ? outside->value.n : US_ORDER_ID_MAX),
	    (const char *)outside->value.p, found.nearest.n > 0 ? ": did you mean " : "",
	    TEXT(found.nearest), found.nearest.n > 0 ? "?" : "");
	return US_OK;
}

/* One part of what, as it stands in the file: it must be a query by itself, or the parentheses
 * around it would make it one. */
static int
check_part(struct us_lint *l, const struct us_yaml_node *node, const char *what, struct us_bytes id)
{
	struct us_query_error error = { 0 };
	struct us_query *query = NULL;
	int err = us_query_parse(node->text.p, node->text.n, &query, &error);

	if (err == US_OK)
		err = check_designations(l, node, query, what, id);
	us_query_free(query);
	if (err == US_OK || err == US_ERR_NOMEM)
		return err;
	if (err == US_ERR_FORMAT || err == US_ERR_LIMIT || err == US_ERR_ENCODING)
		us_finding(l->findings, US_FINDING_ERROR, node->line,
		    node->column + (unsigned)node->quoted + (unsigned)error.at,
		    "the query of %s %.*s: %s", what, TEXT(id), error.message);
	else
		us_finding(l->findings, US_FINDING_ERROR, node->line, node->column,
		    "the query of %s %.*s: %s", what, TEXT(id), us_strerror(err));
	return US_OK;
}

static int
check_categories(struct us_lint *l)
{
	const struct us_yaml_node *list = us_yaml_find(l->root, "categories");
	int err = US_OK;

	for (size_t i = 0; list != NULL && i < list->n && err == US_OK; i++)
		err = check_part(l, us_yaml_find(list->items[i], "query"), "category",
		    us_yaml_find(list->items[i], "id")->text);
	return err;
}

static int
check_queries(struct us_lint *l)
{
	const size_t errors = l->findings->errors;
	int err = check_categories(l);

	for (size_t i = 0; i < l->order->n_rules && err == US_OK; i++) {
		const struct us_yaml_node *query =
		    us_yaml_find(us_yaml_find(us_lint_item(l, "rules", i), "what"), "query");
		if (query != NULL)
			err = check_part(l, query, "rule", l->order->rules[i].id);
	}
	/* only what is made of good parts can be judged as a whole */
	for (size_t i = 0; i < l->order->n_rules && err == US_OK && l->findings->errors == errors;
	     i++) {
		const struct us_rule *rule = &l->order->rules[i];
		const struct us_yaml_node *at = us_yaml_find(us_lint_item(l, "rules", i), "what");
		struct us_query_error error = { 0 };
		if (!rule->is_query)
			continue;
		err = us_query_parse(rule->what.p, rule->what.n, &l->queries[i], &error);
		if (err == US_OK || err == US_ERR_NOMEM)
			continue;
		us_finding(l->findings, US_FINDING_ERROR, at->line, at->column,
		    "what of rule %.*s, put together: %s", TEXT(rule->id),
		    error.message[0] != '\0' ? error.message : us_strerror(err));
		err = US_OK;
	}
	return err;
}

/* ---- rules and rules ---- */

static int
names_collection(const struct us_rule *rule, struct us_bytes name)
{
	for (size_t i = 0; i < rule->n_collections; i++)
		if (rule->collections[i].n == name.n &&
		    memcmp(rule->collections[i].p, name.p, name.n) == 0)
			return 1;
	return rule->any_collection;
}

int
us_lint_encloses(const struct us_rule *outer, const struct us_rule *inner)
{
	if (!outer->any_party && (inner->any_party || (inner->parties & ~outer->parties) != 0))
		return 0;
	if (outer->any_collection)
		return 1;
	if (inner->any_collection)
		return 0;
	for (size_t i = 0; i < inner->n_collections; i++)
		if (!names_collection(outer, inner->collections[i]))
			return 0;
	return 1;
}

/* 1 if some request could fit both. People may be of several parties, so parties never keep two
 * apart. */
static int
meets(const struct us_rule *a, const struct us_rule *b)
{
	if ((a->capacities & b->capacities) == 0 ||
	    ((a->actions[0] & b->actions[0]) == 0 && (a->actions[1] & b->actions[1]) == 0))
		return 0;
	if (a->any_collection || b->any_collection)
		return 1;
	for (size_t i = 0; i < a->n_collections; i++)
		if (names_collection(b, a->collections[i]))
			return 1;
	return 0;
}

/* A prohibition takes the whole of a permission if it fits whenever that does and forbids
 * everything, or the very records. */
static int
swallows(const struct us_lint *l, size_t forbid, size_t permit)
{
	const struct us_rule *f = &l->order->rules[forbid], *p = &l->order->rules[permit];
	const struct us_query *a = l->queries[forbid], *b = l->queries[permit];

	if ((p->actions[0] & ~f->actions[0]) != 0 || (p->actions[1] & ~f->actions[1]) != 0 ||
	    (p->capacities & ~f->capacities) != 0 || !us_lint_encloses(f, p))
		return 0;
	if (!f->is_query)
		return 1;
	return a != NULL && b != NULL && a->canonical.n == b->canonical.n &&
	    memcmp(a->canonical.p, b->canonical.p, a->canonical.n) == 0;
}

/* The conditions of all permits that fit hold together: two that are never true at one time deny
 * both for good. */
static const char *
excludes(const struct us_order *order, const struct us_rule *a, const struct us_rule *b)
{
	const struct us_conditions *x = &a->conditions, *y = &b->conditions;

	if (!a->any_party && !b->any_party && (a->parties & b->parties) == 0)
		return NULL;
	if (x->matter_states != 0 && y->matter_states != 0 &&
	    (x->matter_states & y->matter_states) == 0)
		return "states of the matter";
	if (x->period != 0 && y->period != 0) {
		const struct us_period *p = &order->periods[x->period - 1u],
				       *q = &order->periods[y->period - 1u];
		if (p->from_ns >= q->until_ns || q->from_ns >= p->until_ns)
			return "periods";
	}
	return NULL;
}

static int
shows_all(const struct us_lint *l, size_t index)
{
	const struct us_query *query = l->queries[index];

	return !l->order->rules[index].is_query ||
	    (query != NULL && query->root->op == US_QUERY_ALL);
}

/* The first action for which a permit shows everything wherever another one fits, whose what then
 * has no effect; NONE. Only if it fits all whom that fits, for else what shows more to a few could
 * be meant. Nor is it strange that more may be counted than seen. */
static enum us_action
uncovers(const struct us_lint *l, size_t wide, size_t narrow)
{
	const struct us_rule *w = &l->order->rules[wide], *n = &l->order->rules[narrow];

	if (!shows_all(l, wide) || shows_all(l, narrow) || (n->capacities & ~w->capacities) != 0 ||
	    !us_lint_encloses(w, n))
		return US_ACTION_NONE;
	for (unsigned a = 1; a < US_ACTIONS_MAX; a++)
		if (us_actions_has(w->actions, (enum us_action)a) &&
		    us_actions_has(n->actions, (enum us_action)a) &&
		    us_action_row(a)->is_evidence && a != US_ACTION_COUNT)
			return (enum us_action)a;
	return US_ACTION_NONE;
}

static void
lint_uncovered(struct us_lint *l, size_t index)
{
	const struct us_rule *rule = &l->order->rules[index];

	for (size_t i = 0; i < l->order->n_rules; i++) {
		const struct us_rule *other = &l->order->rules[i];
		const enum us_action action = rule->effect == US_PERMIT &&
			other->effect == US_PERMIT ?
		    uncovers(l, i, index) :
		    US_ACTION_NONE;

		if (action != US_ACTION_NONE)
			us_lint_warn(l, us_yaml_find(us_lint_item(l, "rules", index), "what"),
			    "rule %.*s lets everything be seen that %.*s limits: both fit %s, and "
			    "what permits show is put together",
			    TEXT(other->id), TEXT(rule->id), us_action_name(action));
	}
}

/* What a rule names that nothing performs. The four that "audit" stands for are not held against
 * who wrote it. */
static void
lint_done(struct us_lint *l, size_t index)
{
	const struct us_rule *rule = &l->order->rules[index];
	const struct us_yaml_node *actions = us_yaml_find(us_lint_item(l, "rules", index),
	    "actions");
	char names[256] = "";
	size_t n = 0;

	for (unsigned a = 1; a < US_ACTIONS_MAX && n < sizeof names; a++)
		if (us_actions_has(rule->actions, (enum us_action)a) &&
		    us_action_row(a)->done != US_ACTION_IS_PERFORMED &&
		    us_lint_names(actions, us_bytes_of(us_action_name(a))))
			n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
			    n == 0 ? "" : ", ", us_action_name(a));
	if (n > 0)
		us_lint_warn(l, actions, "rule %.*s is about what nothing performs yet: %s",
		    TEXT(rule->id), names);
}

static int
allows_open(const struct us_rule *rule)
{
	for (unsigned a = 1; a < US_ACTIONS_MAX; a++)
		if (us_actions_has(rule->actions, (enum us_action)a) &&
		    us_action_row(a)->class == US_ACTIONS_OPEN)
			return 1;
	return 0;
}

static void
lint_rule(struct us_lint *l, size_t index)
{
	const struct us_rule *rule = &l->order->rules[index];
	const struct us_yaml_node *at = us_lint_item(l, "rules", index);
	int useful = rule->effect == US_PERMIT || allows_open(rule);

	for (size_t i = 0; i < l->order->n_rules; i++) {
		const struct us_rule *other = &l->order->rules[i];
		if (rule->effect == US_PERMIT && other->effect == US_FORBID &&
		    swallows(l, i, index))
			us_lint_warn(l, at, "rule %.*s can never apply: %.*s forbids all of it",
			    TEXT(rule->id), TEXT(other->id));
		if (rule->effect == US_FORBID && other->effect == US_PERMIT && meets(rule, other))
			useful = 1;
		if (rule->effect != US_PERMIT || other->effect != US_PERMIT || i >= index ||
		    !meets(rule, other))
			continue;
		const char *what = excludes(l->order, rule, other);
		if (what != NULL)
			us_lint_warn(l, at,
			    "rules %.*s and %.*s fit the same requests, but their %s never meet: "
			    "where both fit, nothing is allowed",
			    TEXT(other->id), TEXT(rule->id), what);
	}
	if (!useful)
		us_lint_warn(l, at, "rule %.*s forbids what no rule permits", TEXT(rule->id));
	lint_uncovered(l, index);
	lint_done(l, index);
}

static void
lint_party(struct us_lint *l, size_t index)
{
	const struct us_order *order = l->order;
	const struct us_party *party = &order->parties[index];
	const struct us_yaml_node *at = us_lint_item(l, "parties", index);
	int covered = 0;

	for (size_t j = 0; j < order->n_rules; j++)
		covered |= order->rules[j].effect == US_PERMIT &&
		    (order->rules[j].any_party || (order->rules[j].parties >> index & 1) != 0);
	if (!covered)
		us_lint_warn(l, at, "no rule permits anything to party %.*s", TEXT(party->id));
	for (size_t s = 0; s < party->n_signers; s++)
		for (size_t j = 0; j < index; j++)
			for (size_t t = 0; t < order->parties[j].n_signers; t++) {
				const struct us_signer *a = &party->signers[s],
						       *b = &order->parties[j].signers[t];
				if (a->person.n == b->person.n && a->capacity != b->capacity &&
				    memcmp(a->person.p, b->person.p, a->person.n) == 0)
					us_finding(l->findings, US_FINDING_ERROR, at->line,
					    at->column,
					    "%.*s signs for two parties in two capacities; a "
					    "person has one",
					    TEXT(a->person));
			}
}

int
us_order_lint(const struct us_order *order, const struct us_yaml_node *root,
    struct us_findings *findings)
{
	struct us_lint *l = calloc(1, sizeof *l);
	int err;

	if (l == NULL)
		return US_ERR_NOMEM;
	l->order = order;
	l->root = root;
	l->findings = findings;
	err = us_designations_of(&l->designations, order);
	if (err == US_OK)
		err = check_queries(l);
	if (err == US_OK) {
		for (size_t i = 0; i < order->n_parties; i++)
			lint_party(l, i);
		for (size_t i = 0; i < order->n_rules; i++)
			lint_rule(l, i);
		us_lint_permits(l);
		us_lint_designations(l);
		us_lint_unused(l);
		us_lint_workflows(l);
		if (order->default_paragraph.n == 0)
			us_lint_warn(l, root,
			    "there is no default: {paragraph: ...}: refusals that no rule causes "
			    "will cite nothing");
	}
	for (size_t i = 0; i < order->n_rules; i++)
		us_query_free(l->queries[i]);
	free(l);
	return err;
}
