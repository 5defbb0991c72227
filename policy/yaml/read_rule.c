/* Rules: who, what, which actions, in which collections. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/yaml/read.h"

static void
set_action(struct us_rule *rule, enum us_action a)
{
	rule->actions[(unsigned)a >> 6] |= UINT64_C(1) << ((unsigned)a & 63);
}

static void
one_action(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_reading *r = arg;
	struct us_guess g = us_guess_of(node->text);
	enum us_action a;

	if (us_bytes_is(node->text, "audit")) {
		set_action(r->rule, US_ACTION_AUDIT_LIST);
		set_action(r->rule, US_ACTION_AUDIT_KEYS);
		set_action(r->rule, US_ACTION_AUDIT_EXPORT);
		set_action(r->rule, US_ACTION_AUDIT_REPORT);
		return;
	}
	if (us_action_of(&a, (const char *)node->text.p, node->text.n) == US_OK) {
		const struct us_action_row *row = us_action_row(a);

		if (row->class == US_ACTIONS_INTERNAL)
			us_finding(f, US_FINDING_ERROR, node->line, node->column,
			    "%s is the machine's own; nobody asks for it", row->text);
		else if (row->done == US_ACTION_IS_UNUSED && r->rule->effect == US_PERMIT)
			us_finding(f, US_FINDING_ERROR, node->line, node->column,
			    "nothing performs %s, nor is to: no rule can permit it", row->text);
		else
			set_action(r->rule, a);
		return;
	}
	for (unsigned i = 1; i < US_ACTIONS_MAX; i++)
		if (us_action_row(i)->class != US_ACTIONS_INTERNAL &&
		    us_action_row(i)->done != US_ACTION_IS_UNUSED)
			us_guess_consider(&g, us_action_name(i), strlen(us_action_name(i)));
	us_guess_complain(f, node, "action", &g);
}

static void
one_collection(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_reading *r = arg;
	struct us_bytes id = us_yaml_id(f, node);

	if (id.n == 0)
		return;
	if (us_yaml_position(id, r->rule->collections, r->rule->n_collections, sizeof id) != 0)
		us_yaml_error(f, node, "this collection stands here twice");
	if (r->rule->n_collections < US_ORDER_COLLECTIONS)
		r->rule->collections[r->rule->n_collections++] = id;
}

static void
one_box(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} boxes[] = {
		{ "access", US_BOXES_ACCESS },
		{ "disclosure", US_BOXES_DISCLOSURE },
		{ "query", US_BOXES_QUERY },
		{ "all", US_BOXES_ALL },
	};
	struct us_reading *r = arg;
	struct us_guess g = us_guess_of(node->text);

	for (size_t i = 0; i < US_COUNT(boxes); i++) {
		if (us_bytes_is(node->text, boxes[i].name)) {
			r->rule->boxes |= boxes[i].bit;
			return;
		}
		us_guess_consider(&g, boxes[i].name, strlen(boxes[i].name));
	}
	us_guess_complain(f, node, "box of the log", &g);
}

static void
read_who(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r)
{
	static const struct us_yaml_key keys[] = { { "party", 1 }, { "capacity", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (node == NULL || us_yaml_map(f, node, "who", keys, v) != US_OK)
		return;
	if (v[0] != NULL && v[0]->kind == US_YAML_SCALAR && us_bytes_is(v[0]->text, "any"))
		r->rule->any_party = 1;
	else
		r->rule->parties = us_yaml_parties(f, v[0], r->order);
	r->rule->capacities = us_yaml_capacities(f, v[1], 1);
}

static void
read_collections(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r)
{
	r->rule->any_collection = node == NULL;
	if (node == NULL)
		return;
	if (node->kind == US_YAML_LIST && node->n > US_ORDER_COLLECTIONS)
		us_yaml_error(f, node, "too many collections");
	r->rule->collections = calloc(US_ORDER_COLLECTIONS, sizeof *r->rule->collections);
	if (r->rule->collections != NULL)
		us_yaml_each(f, node, one_collection, r);
	else
		us_yaml_error(f, node, "out of memory");
}

/* conditions, limits, masks, the scope of the log */
static void
read_permit(struct us_findings *f, const struct us_yaml_node *const v[4],
    const struct us_order *order, struct us_rule *rule)
{
	rule->limits = us_limits_none();
	if (rule->effect == US_FORBID) {
		for (size_t i = 0; i < 4; i++)
			if (v[i] != NULL)
				us_yaml_error(f, v[i],
				    "a prohibition has no conditions, no limits and no masks: it "
				    "forbids");
		return;
	}
	if (v[0] != NULL)
		us_yaml_conditions(f, v[0], order, rule);
	if (v[1] != NULL)
		us_yaml_limits(f, v[1], rule);
	if (v[2] != NULL)
		us_yaml_masks(f, v[2], rule);
	us_yaml_log_scope(f, v[3], rule);
}

static void
read_effect(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule)
{
	rule->effect = US_FORBID;
	if (node == NULL)
		return;
	if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "permit"))
		rule->effect = US_PERMIT;
	else if (node->kind != US_YAML_SCALAR || !us_bytes_is(node->text, "forbid"))
		us_yaml_error(f, node, "effect is \"permit\" or \"forbid\"");
}

/* What an order may never say: checked when compiled again, but said here with its place. */
static void
check_rule(struct us_findings *f, const struct us_yaml_node *node, const struct us_yaml_node *boxes,
    const struct us_yaml_node *what, const struct us_rule *rule)
{
	int evidence = 0, log = 0;

	for (unsigned a = 1; a < US_ACTIONS_MAX; a++) {
		if (!us_actions_has(rule->actions, (enum us_action)a))
			continue;
		evidence |= us_action_row(a)->is_evidence;
		log |= us_action_row(a)->opens_log;
	}
	if (rule->effect == US_PERMIT && evidence &&
	    (rule->capacities & us_capacities_of_machine()) != 0)
		us_yaml_error(f, node,
		    "no order gives the evidence to administrators or keyholders: name the "
		    "capacities without them");
	if (rule->effect == US_PERMIT && log && boxes == NULL)
		us_yaml_error(f, node,
		    "a permit to read the log lacks boxes: all, or a list of access, disclosure, "
		    "query");
	if (boxes != NULL && (rule->effect == US_FORBID || !log))
		us_yaml_error(f, boxes, "boxes belong to a permit to read the log (audit)");
	if (evidence && what == NULL)
		us_yaml_error(f, node,
		    "a rule about evidence lacks what: all, or a mapping: {query: '...'}");
}

void
us_yaml_rule(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "paragraph", 1 }, { "effect", 1 },
		{ "who", 1 }, { "what", 0 }, { "collections", 0 }, { "actions", 1 },
		{ "conditions", 0 }, { "limits", 0 }, { "boxes", 0 }, { "masks", 0 }, { "log", 0 },
		{ NULL, 0 } };
	struct us_rule *rule = &r->order->rules[r->order->n_rules];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a rule", keys, v) != US_OK)
		return;
	r->rule = rule;
	rule->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(rule->id, r->order->rules, r->order->n_rules, sizeof *rule) != 0)
		us_yaml_error(f, v[0], "another rule has this id");
	rule->paragraph = us_yaml_text(f, v[1], US_ORDER_PARAGRAPH_MAX);
	read_effect(f, v[2], rule);
	read_who(f, v[3], r);
	if (v[4] != NULL)
		us_yaml_what(f, v[4], r);
	read_collections(f, v[5], r);
	us_yaml_each(f, v[6], one_action, r);
	us_yaml_each(f, v[9], one_box, r);
	const struct us_yaml_node *const permit[4] = { v[7], v[8], v[10], v[11] };
	read_permit(f, permit, r->order, rule);
	check_rule(f, node, v[9], v[4], rule);
	r->order->n_rules++;
}
