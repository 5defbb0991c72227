/* Which records a rule is about: a query, designations, categories and exceptions, put together to
 * one query. Each part was written to stand alone (lint.c parses it alone), so it stands in
 * parentheses here. */
#include "policy/designation.h"
#include "policy/yaml/read.h"

int
us_designation_query(struct us_buf *out, struct us_bytes name)
{
	int err = us_buf_put(out, "designation:\"", sizeof("designation:\"") - 1);

	for (size_t i = 0; i < name.n; i++) {
		err |= us_buf_put_u8(out, name.p[i]);
		if (name.p[i] == '"') /* a quotation mark within quotation marks is doubled */
			err |= us_buf_put_u8(out, '"');
	}
	err |= us_buf_put_u8(out, '"');
	return err == US_OK ? US_OK : US_ERR_LIMIT;
}

struct us_yaml_choice {
	const struct us_reading *r;
	uint64_t bits;
};

static void
choose(struct us_findings *f, const struct us_yaml_node *node, struct us_yaml_choice *c, size_t at)
{
	const uint64_t bit = at == 0 ? 0 : UINT64_C(1) << (at - 1);

	if ((c->bits & bit) != 0)
		us_yaml_error(f, node, "this name stands here twice");
	c->bits |= bit;
}

static void
one_designation(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_yaml_choice *c = arg;
	const struct us_order *order = c->r->order;
	struct us_designated found;

	/* an order without a list takes any for a record; what a rule names stands in the list */
	if (us_order_designation(order, node->text, &found) != US_OK || found.at == 0)
		found.at = us_yaml_reference(f, node, "designation", order->designations,
		    order->n_designations, sizeof *order->designations);
	choose(f, node, c, found.at);
}

static void
one_category(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_yaml_choice *c = arg;

	choose(f, node, c,
	    us_yaml_reference(f, node, "category", c->r->categories, c->r->n_categories,
		sizeof c->r->categories[0]));
}

/* ---- the text ---- */

struct us_yaml_text {
	struct us_buf *out;
	int parts;
	int err;
};

static void
put(struct us_yaml_text *t, const char *s)
{
	t->err |= us_buf_put(t->out, s, us_bytes_of(s).n);
}

static void
put_query(struct us_yaml_text *t, struct us_bytes query)
{
	put(t, "(");
	t->err |= us_buf_put(t->out, query.p, query.n);
	put(t, ")");
}

static void
next_part(struct us_yaml_text *t)
{
	if (t->parts++ > 0)
		put(t, " AND ");
}

static void
put_designations(struct us_yaml_text *t, const struct us_order *order, uint64_t bits)
{
	next_part(t);
	put(t, "(");
	for (size_t i = 0; i < order->n_designations; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		t->err |= us_designation_query(t->out, order->designations[i].name);
		bits &= ~(UINT64_C(1) << i);
		put(t, bits != 0 ? " OR " : "");
	}
	put(t, ")");
}

static void
put_categories(struct us_yaml_text *t, const struct us_reading *r, uint64_t bits)
{
	next_part(t);
	put(t, "(");
	for (size_t i = 0; i < r->n_categories; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		put_query(t, r->categories[i].query);
		bits &= ~(UINT64_C(1) << i);
		put(t, bits != 0 ? " OR " : "");
	}
	put(t, ")");
}

static void
put_exceptions(struct us_yaml_text *t, const struct us_reading *r, uint64_t bits)
{
	for (size_t i = 0; i < r->n_categories; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		next_part(t);
		put(t, "NOT ");
		put_query(t, r->categories[i].query);
	}
}

static void
put_together(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r,
    struct us_bytes query, const struct us_yaml_choice choices[3])
{
	struct us_yaml_text t = { &r->order->texts, 0, US_OK };
	const size_t at = t.out->len;

	if (query.n > 0) {
		next_part(&t);
		put_query(&t, query);
	}
	if (choices[0].bits != 0)
		put_designations(&t, r->order, choices[0].bits);
	if (choices[1].bits != 0)
		put_categories(&t, r, choices[1].bits);
	put_exceptions(&t, r, choices[2].bits);
	if (t.err != US_OK)
		us_yaml_error(f, node,
		    "the queries of all rules together are longer than an order can hold");
	else if (t.out->len - at > US_ORDER_WHAT_MAX)
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "what is, put together, a query of %zu bytes; %d are the most", t.out->len - at,
		    US_ORDER_WHAT_MAX);
	else
		r->rule->what = (struct us_bytes){ t.out->data + at, t.out->len - at };
	if (r->rule->what.n == 0)
		t.out->len = at;
}

void
us_yaml_what(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r)
{
	static const struct us_yaml_key keys[] = { { "query", 0 }, { "designation", 0 },
		{ "category", 0 }, { "except", 0 }, { NULL, 0 } };
	static void (*const each[3])(struct us_findings *, const struct us_yaml_node *,
	    void *) = { one_designation, one_category, one_category };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_yaml_choice choices[3] = { { r, 0 }, { r, 0 }, { r, 0 } };
	const size_t errors = f->errors;

	if (node->kind == US_YAML_SCALAR) {
		if (!us_bytes_is(node->text, "all"))
			us_yaml_error(f, node,
			    "what is \"all\", or a mapping: what: {query: '...'}");
		return;
	}
	if (us_yaml_map(f, node, "what", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node,
		    "what names nothing: \"all\", or query, designation, category, except");
	struct us_bytes query = us_yaml_text(f, v[0], US_ORDER_WHAT_MAX);
	for (size_t i = 0; i < 3; i++)
		us_yaml_each(f, v[i + 1], each[i], &choices[i]);
	r->rule->is_query = 1;
	if (f->errors != errors)
		return;
	if (choices[0].bits == 0 && choices[1].bits == 0 && choices[2].bits == 0)
		r->rule->what = query; /* as it stands in the file */
	else
		put_together(f, node, r, query, choices);
}
