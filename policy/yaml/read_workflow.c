/* Clearances, and who may do what an order provides for beside its rules. */
#include <string.h>

#include "policy/yaml/read.h"

/* One party's id, or a list of alternatives, each a list of parties who sign together. A list of
 * bare ids could mean both and either, so it is refused. */
static void
read_quorum(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order,
    struct us_quorum *q)
{
	if (node == NULL)
		return;
	if (node->kind == US_YAML_SCALAR) {
		q->alternatives[0] = us_yaml_parties(f, node, order);
		q->n = 1;
		return;
	}
	const size_t n = us_yaml_list(f, node, "who signs", US_ORDER_QUORUM);
	for (size_t i = 0; i < n; i++) {
		const struct us_yaml_node *item = node->items[i];
		if (item->kind != US_YAML_LIST) {
			us_yaml_error(f, item,
			    "each alternative is a list: [[a, b]] if both must sign, [[a], [b]] if "
			    "one is enough");
			continue;
		}
		uint64_t parties = us_yaml_parties(f, item, order);
		for (size_t j = 0; j < q->n; j++)
			if (parties != 0 && q->alternatives[j] == parties)
				us_yaml_error(f, item, "this alternative stands here twice");
		q->alternatives[q->n++] = parties;
	}
}

void
us_yaml_clearance(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "paragraph", 1 }, { "serve", 1 },
		{ "days", 1 }, { "working_days", 0 }, { "confirm", 1 }, { NULL, 0 } };
	struct us_clearance *c = &order->clearances[order->n_clearances];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a clearance", keys, v) != US_OK)
		return;
	c->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(c->id, order->clearances, order->n_clearances, sizeof *c) != 0)
		us_yaml_error(f, v[0], "another clearance has this id");
	c->paragraph = us_yaml_text(f, v[1], US_ORDER_PARAGRAPH_MAX);
	c->serve = us_yaml_parties(f, v[2], order);
	c->days = (uint16_t)us_yaml_number_to(f, v[3], US_TERM_DAYS_MAX);
	c->working_only = us_yaml_truth(f, v[4]);
	read_quorum(f, v[5], order, &c->confirm);
	order->n_clearances++;
}

static void
read_acknowledgement(struct us_findings *f, const struct us_yaml_node *node, struct us_workflows *w)
{
	static const struct us_yaml_key keys[] = { { "paragraph", 1 }, { "carries_over", 0 },
		{ "renew_by", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "acknowledgement", keys, v) != US_OK)
		return;
	w->acknowledgement_paragraph = us_yaml_text(f, v[0], US_ORDER_PARAGRAPH_MAX);
	w->carries_over = us_yaml_truth(f, v[1]);
	w->renew_by_ns = us_yaml_time(f, v[2], INT64_MAX);
	if (v[2] != NULL && !w->carries_over)
		us_yaml_error(f, v[2],
		    "what does not carry over is not renewed: renew_by belongs to carries_over: "
		    "true");
}

static void
read_challenge(struct us_findings *f, const struct us_yaml_node *node, struct us_workflows *w)
{
	static const struct us_yaml_key keys[] = { { "confer_days", 0 }, { "move_days", 0 },
		{ NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "challenge", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node, "challenge lacks confer_days or move_days");
	w->confer_days = (uint16_t)us_yaml_number_to(f, v[0], US_TERM_DAYS_MAX);
	w->move_days = (uint16_t)us_yaml_number_to(f, v[1], US_TERM_DAYS_MAX);
}

void
us_yaml_workflows(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "acknowledgement", 0 }, { "amend", 0 },
		{ "suspend", 0 }, { "freeze", 0 }, { "lift", 0 }, { "clawback_visible", 0 },
		{ "resolve", 0 }, { "challenge", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_workflows *w = &order->workflows;

	if (us_yaml_map(f, node, "workflows", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node, "workflows without a workflow: leave the key out");
	if (v[0] != NULL)
		read_acknowledgement(f, v[0], w);
	read_quorum(f, v[1], order, &w->amend);
	w->may_suspend = us_yaml_parties(f, v[2], order);
	w->may_freeze = us_yaml_parties(f, v[3], order);
	read_quorum(f, v[4], order, &w->lift);
	w->clawback_visible = us_yaml_capacities(f, v[5], 0);
	w->may_resolve = us_yaml_parties(f, v[6], order);
	if (v[7] != NULL)
		read_challenge(f, v[7], w);
}
