/* What rules name: parties and their signers, capacities, purposes, designations, categories,
 * states of the matter. */
#include <string.h>

#include "policy/designation.h"
#include "policy/yaml/read.h"
#include "evidence/query/query.h"

int
us_yaml_capacity(struct us_findings *f, const struct us_yaml_node *node, enum us_capacity *out)
{
	struct us_guess g = us_guess_of(node->text);

	if (node->kind != US_YAML_SCALAR) {
		us_yaml_error(f, node, "a capacity is wanted here");
		return US_ERR_FORMAT;
	}
	if (us_capacity_of(out, (const char *)node->text.p, node->text.n) == US_OK)
		return US_OK;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		us_guess_consider(&g, us_capacity_name(c), strlen(us_capacity_name(c)));
	us_guess_complain(f, node, "capacity", &g);
	return US_ERR_FORMAT;
}

static void
one_capacity(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	uint32_t *capacities = arg;
	enum us_capacity c;

	if (us_yaml_capacity(f, node, &c) == US_OK)
		*capacities |= US_CAPACITY_BIT(c);
}

uint32_t
us_yaml_capacities(struct us_findings *f, const struct us_yaml_node *node, int any)
{
	uint32_t capacities = 0;

	if (any && node != NULL && node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "any"))
		return US_CAPACITY_ANY;
	us_yaml_each(f, node, one_capacity, &capacities);
	return capacities;
}

/* ---- parties ---- */

struct us_yaml_parties {
	const struct us_order *order;
	uint64_t bits;
};

static void
one_party(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_yaml_parties *p = arg;
	size_t at = us_yaml_reference(f, node, "party", p->order->parties, p->order->n_parties,
	    sizeof *p->order->parties);

	if (at != 0)
		p->bits |= UINT64_C(1) << (at - 1);
}

uint64_t
us_yaml_parties(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order)
{
	struct us_yaml_parties p = { order, 0 };

	us_yaml_each(f, node, one_party, &p);
	return p.bits;
}

static void
read_signer(struct us_findings *f, const struct us_yaml_node *node, struct us_party *party)
{
	static const struct us_yaml_key keys[] = { { "person", 1 }, { "capacity", 1 },
		{ NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_signer s = { .capacity = US_CAPACITY_OUTSIDE_COUNSEL };

	if (us_yaml_map(f, node, "a roster signer", keys, v) != US_OK)
		return;
	s.person = us_yaml_text(f, v[0], US_ORDER_NAME_MAX);
	if (v[1] != NULL && us_yaml_capacity(f, v[1], &s.capacity) == US_OK &&
	    us_capacity_runs_machine(s.capacity))
		us_yaml_error(f, v[1],
		    "who provisions people cannot be who signs them in: name somebody of the "
		    "party");
	if (us_yaml_position(s.person, party->signers, party->n_signers, sizeof s) != 0)
		us_yaml_error(f, node, "this roster signer stands here twice");
	party->signers[party->n_signers++] = s;
}

void
us_yaml_party(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "name", 1 },
		{ "roster_signers", 1 }, { NULL, 0 } };
	struct us_party *party = &order->parties[order->n_parties];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a party", keys, v) != US_OK)
		return;
	party->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(party->id, order->parties, order->n_parties, sizeof *party) != 0)
		us_yaml_error(f, v[0], "another party has this id");
	if (us_bytes_is(party->id, "any"))
		us_yaml_error(f, v[0], "\"any\" means every party; it cannot be the id of one");
	party->name = us_yaml_text(f, v[1], US_ORDER_TEXT_MAX);
	size_t n = us_yaml_list(f, v[2], "roster_signers", US_ORDER_SIGNERS);
	for (size_t i = 0; i < n; i++)
		read_signer(f, v[2]->items[i], party);
	order->n_parties++;
}

/* ---- purposes and states ---- */

void
us_yaml_purpose(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "code", 1 }, { "text", 1 }, { NULL, 0 } };
	struct us_purpose *p = &order->purposes[order->n_purposes];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a purpose", keys, v) != US_OK)
		return;
	p->code = us_yaml_id(f, v[0]);
	p->text = us_yaml_text(f, v[1], US_ORDER_TEXT_MAX);
	if (us_yaml_position(p->code, order->purposes, order->n_purposes, sizeof *p) != 0)
		us_yaml_error(f, v[0], "another purpose has this code");
	order->n_purposes++;
}

void
us_yaml_matter_state(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	struct us_bytes id = us_yaml_id(f, node);

	if (us_yaml_position(id, order->matter_states, order->n_matter_states, sizeof id) != 0)
		us_yaml_error(f, node, "this state of the matter stands here twice");
	order->matter_states[order->n_matter_states++] = id;
}

/* ---- designations and categories ---- */

/* A name that no query could name would be in no rule's reach. */
static int
can_be_queried(struct us_bytes name)
{
	struct us_query *query = NULL;
	struct us_buf text;
	int err;

	us_buf_init(&text, US_ORDER_WHAT_MAX);
	err = us_designation_query(&text, name);
	if (err == US_OK)
		err = us_query_parse(text.data, text.len, &query, NULL);
	us_query_free(query);
	us_buf_free(&text);
	return err == US_OK;
}

void
us_yaml_designation(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	struct us_bytes name = us_yaml_text(f, node, US_ORDER_ID_MAX);
	struct us_designated found;

	if (name.n == 0)
		return;
	if (!can_be_queried(name))
		us_yaml_error(f, node, "no query could name this designation: use words");
	/* as records are compared with it, so two spellings of one designation would be one */
	if (us_order_designation(order, name, &found) == US_OK && found.at > 0)
		us_yaml_error(f, node,
		    "this designation stands here twice (capitals do not tell two apart)");
	order->designations[order->n_designations++].name = name;
}

void
us_yaml_category(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "query", 1 }, { NULL, 0 } };
	struct us_category *c = &r->categories[r->n_categories];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a category", keys, v) != US_OK)
		return;
	c->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(c->id, r->categories, r->n_categories, sizeof *c) != 0)
		us_yaml_error(f, v[0], "another category has this id");
	c->query = us_yaml_text(f, v[1], US_ORDER_WHAT_MAX);
	r->n_categories++;
}
