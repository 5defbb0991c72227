/* What an order that could be read says badly: queries, contradictions, rules without effect. */
#include <string.h>

#include "policy/yaml/tree.h"
#include "query/query.h"

static const struct us_yaml_node *
section(const struct us_yaml_node *root, const char *name)
{
	for (size_t i = 0; i + 1 < root->n; i += 2)
		if (us_bytes_is(root->items[i]->text, name))
			return root->items[i + 1];
	return root;
}

static void
check_query(const struct us_rule *rule, const struct us_rule_place *place, struct us_findings *f)
{
	struct us_query_error error = { 0 };
	struct us_query *query = NULL;
	unsigned column = place->what->column + (unsigned)place->what->quoted;
	int err = us_query_parse(rule->what.p, rule->what.n, &query, &error);

	us_query_free(query);
	if (err == US_OK)
		return;
	if (err != US_ERR_FORMAT && err != US_ERR_LIMIT && err != US_ERR_ENCODING) {
		us_finding(f, US_FINDING_ERROR, place->what->line, place->what->column, "the query of rule %.*s: %s",
		    (int)rule->id.n, (const char *)rule->id.p, us_strerror(err));
		return;
	}
	us_finding(f, US_FINDING_ERROR, place->what->line, column + (unsigned)error.at,
	    "the query of rule %.*s: %s", (int)rule->id.n, (const char *)rule->id.p, error.message);
}

static int
names_collection(const struct us_rule *rule, struct us_bytes name)
{
	for (size_t i = 0; i < rule->n_collections; i++)
		if (rule->collections[i].n == name.n && memcmp(rule->collections[i].p, name.p, name.n) == 0)
			return 1;
	return rule->any_collection;
}

/* 1 if whatever fits inner also fits outer. */
static int
covers(const struct us_rule *outer, const struct us_rule *inner)
{
	if (!outer->any_party && (inner->any_party || (inner->parties & ~outer->parties) != 0))
		return 0;
	if ((inner->capacities & ~outer->capacities) != 0 ||
	    (inner->actions[0] & ~outer->actions[0]) != 0 || (inner->actions[1] & ~outer->actions[1]) != 0)
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

/* 1 if some request could fit both. People may be of several parties, so parties never keep two apart. */
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

static int
allows_open(const struct us_rule *rule)
{
	for (unsigned a = 1; a < 128; a++)
		if (us_actions_has(rule->actions, (enum us_action)a) &&
		    us_action_class_of((enum us_action)a) == US_ACTIONS_OPEN)
			return 1;
	return 0;
}

static void
lint_rule(const struct us_order *order, size_t index, const struct us_rule_place *places,
    struct us_findings *f)
{
	const struct us_rule *rule = &order->rules[index];
	const struct us_yaml_node *at = places[index].rule;
	int useful = rule->effect == US_PERMIT || allows_open(rule);

	if (rule->is_query)
		check_query(rule, &places[index], f);
	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *other = &order->rules[i];
		if (rule->effect == US_PERMIT && other->effect == US_FORBID && !other->is_query &&
		    covers(other, rule))
			us_finding(f, US_FINDING_WARNING, at->line, at->column,
			    "rule %.*s can never apply: %.*s forbids all of it", (int)rule->id.n,
			    (const char *)rule->id.p, (int)other->id.n, (const char *)other->id.p);
		if (rule->effect == US_FORBID && other->effect == US_PERMIT && meets(rule, other))
			useful = 1;
	}
	if (!useful)
		us_finding(f, US_FINDING_WARNING, at->line, at->column,
		    "rule %.*s forbids what no rule permits", (int)rule->id.n, (const char *)rule->id.p);
}

static void
lint_parties(const struct us_order *order, const struct us_yaml_node *root, struct us_findings *f)
{
	const struct us_yaml_node *list = section(root, "parties");

	for (size_t i = 0; i < order->n_parties; i++) {
		const struct us_party *party = &order->parties[i];
		const struct us_yaml_node *at = i < list->n ? list->items[i] : list;
		int covered = 0;
		for (size_t j = 0; j < order->n_rules; j++)
			covered |= order->rules[j].effect == US_PERMIT &&
			    (order->rules[j].any_party || (order->rules[j].parties >> i & 1) != 0);
		if (!covered)
			us_finding(f, US_FINDING_WARNING, at->line, at->column, "no rule permits anything to party %.*s",
			    (int)party->id.n, (const char *)party->id.p);
		for (size_t s = 0; s < party->n_signers; s++)
			for (size_t j = 0; j < i; j++)
				for (size_t t = 0; t < order->parties[j].n_signers; t++) {
					const struct us_signer *a = &party->signers[s], *b = &order->parties[j].signers[t];
					if (a->person.n == b->person.n && a->capacity != b->capacity &&
					    memcmp(a->person.p, b->person.p, a->person.n) == 0)
						us_finding(f, US_FINDING_ERROR, at->line, at->column,
						    "%.*s signs for two parties in two capacities; a person has one",
						    (int)a->person.n, (const char *)a->person.p);
				}
	}
}

void
us_order_lint(const struct us_order *order, const struct us_yaml_node *root,
    const struct us_rule_place *places, struct us_findings *findings)
{
	lint_parties(order, root, findings);
	for (size_t i = 0; i < order->n_rules; i++)
		lint_rule(order, i, places, findings);
	if (order->default_paragraph.n == 0)
		us_finding(findings, US_FINDING_WARNING, root->line, root->column,
		    "there is no default: {paragraph: ...}: refusals that no rule causes will cite nothing");
}
