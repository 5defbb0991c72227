#include "policy/designation.h"

#include <string.h>

#include "base/guess.h"

int
us_designations_add(struct us_designations *d, struct us_bytes name)
{
	struct us_designation_entry *e;
	int err;

	if (d->n == US_ORDER_DESIGNATIONS)
		return US_ERR_LIMIT;
	e = &d->list[d->n];
	err = us_value_fold(name.p, name.n, e->folded, &e->folded_n);
	if (err != US_OK)
		return err;
	e->name = name;
	d->n++;
	return US_OK;
}

int
us_designations_of(struct us_designations *out, const struct us_order *order)
{
	int err = US_OK;

	out->n = 0;
	for (size_t i = 0; i < order->n_designations && err == US_OK; i++)
		err = us_designations_add(out, order->designations[i].name);
	return err;
}

/* Counted from 1; 0: none. */
static size_t
position(const struct us_designations *d, const uint8_t *folded, size_t n)
{
	for (size_t i = 0; i < d->n && n > 0; i++)
		if (d->list[i].folded_n == n && memcmp(d->list[i].folded, folded, n) == 0)
			return i + 1;
	return 0;
}

int
us_designations_distinct(const struct us_designations *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->list[i].folded_n == 0)
			return US_ERR_FORMAT;
		if (position(d, d->list[i].folded, d->list[i].folded_n) != i + 1)
			return US_ERR_EXISTS;
	}
	return US_OK;
}

static struct us_bytes
nearest(const struct us_designations *d, const uint8_t *folded, size_t n)
{
	struct us_guess g = us_guess_of((struct us_bytes){ folded, n });
	struct us_bytes best = { NULL, 0 };

	for (size_t i = 0; i < d->n; i++) {
		us_guess_consider(&g, (const char *)d->list[i].folded, d->list[i].folded_n);
		if (g.best == (const char *)d->list[i].folded)
			best = d->list[i].name;
	}
	return us_guess_is_near(&g) ? best : (struct us_bytes){ NULL, 0 };
}

int
us_designations_find(const struct us_designations *d, struct us_bytes text,
    struct us_designated *out)
{
	int err;

	memset(out, 0, sizeof *out);
	err = us_value_fold(text.p, text.n, out->folded, &out->folded_n);
	if (err != US_OK || out->folded_n == 0)
		return err != US_OK ? err : US_ERR_NOT_FOUND;
	if (d->n == 0) {
		out->name = text;
		return US_OK;
	}
	out->at = position(d, out->folded, out->folded_n);
	if (out->at > 0)
		out->name = d->list[out->at - 1].name;
	else
		out->nearest = nearest(d, out->folded, out->folded_n);
	return out->at > 0 ? US_OK : US_ERR_NOT_FOUND;
}

static const struct us_query_node *
outside(const struct us_designations *d, const struct us_query_node *node)
{
	const struct us_query_node *found = NULL;

	if (node->op == US_QUERY_META && node->field == US_FIELD_DESIGNATION)
		return position(d, node->value.p, node->value.n) > 0 ? NULL : node;
	for (size_t i = 0; i < node->n_children && found == NULL; i++)
		found = outside(d, node->children[i]);
	return found;
}

const struct us_query_node *
us_designations_outside(const struct us_designations *d, const struct us_query *query)
{
	return d->n == 0 ? NULL : outside(d, query->root);
}

int
us_order_designation(const struct us_order *order, struct us_bytes text, struct us_designated *out)
{
	struct us_designations d;
	int err = us_designations_of(&d, order);

	if (err != US_OK) {
		memset(out, 0, sizeof *out);
		return err;
	}
	return us_designations_find(&d, text, out);
}

int
us_order_keeps_designations(const struct us_order *earlier, const struct us_order *later,
    struct us_bytes *dropped)
{
	struct us_designations has;
	struct us_designated found;
	int err = us_designations_of(&has, later);

	for (size_t i = 0; i < earlier->n_designations && err == US_OK; i++) {
		*dropped = earlier->designations[i].name;
		/* a version without a list takes every designation, and has lost what its rules
		 * could say of this one */
		err = has.n == 0 ? US_ERR_NOT_FOUND : us_designations_find(&has, *dropped, &found);
	}
	return err;
}
