#include "policy/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "policy/compare/terms.h"

#define TEXT_MAX (1u << 20)

enum us_compare_where { FROM, TO };

static int
same_text(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ---- kinds of people ---- */

static int
same_kind(const struct us_compare_kind *a, const struct us_compare_kind *b)
{
	if (a->capacity != b->capacity || a->n_parties != b->n_parties)
		return 0;
	for (size_t i = 0; i < a->n_parties; i++)
		if (!same_text(a->parties[i], b->parties[i]))
			return 0;
	return 1;
}

int
us_compare_add_kind(struct us_comparison *c, const struct us_compare_kind *kind, size_t *out)
{
	int err;

	if (kind->n_parties > US_PERSON_PARTIES)
		return US_ERR_LIMIT;
	for (*out = 0; *out < c->n_kinds; ++*out)
		if (same_kind(&c->kinds[*out], kind))
			return US_OK;
	err = us_grow(&c->kinds, c->n_kinds, &c->cap_kinds, sizeof *c->kinds);
	if (err == US_OK)
		c->kinds[c->n_kinds++] = *kind;
	return err;
}

/* Whom a rule is about: each capacity, in each of its parties; without a party if any will do. */
static int
add_kinds_of(struct us_comparison *c, const struct us_order *order, const struct us_rule *rule)
{
	size_t at;
	int err = US_OK;

	for (unsigned cap = 1; cap <= US_CAPACITY_LAST && err == US_OK; cap++) {
		struct us_compare_kind kind = { .capacity = (enum us_capacity)cap };

		if ((rule->capacities & US_CAPACITY_BIT(cap)) == 0)
			continue;
		if (rule->any_party)
			err = us_compare_add_kind(c, &kind, &at);
		kind.n_parties = 1;
		for (size_t p = 0; p < order->n_parties && err == US_OK; p++) {
			kind.parties[0] = order->parties[p].id;
			if (rule->any_party || (rule->parties >> p & 1) != 0)
				err = us_compare_add_kind(c, &kind, &at);
		}
	}
	return err;
}

static int
add_kinds(struct us_comparison *c, const struct us_order *order)
{
	int err = US_OK;

	for (size_t i = 0; i < order->n_rules && err == US_OK; i++)
		err = add_kinds_of(c, order, &order->rules[i]);
	return err;
}

/* ---- one case: a kind, an action, a collection ---- */

static void
ask(const struct us_order *order, const struct us_compare_kind *kind, enum us_action action,
    struct us_bytes collection, struct us_compare_side *out)
{
	struct us_subject subject = { .person = 1, .capacity = kind->capacity };
	const struct us_context context = { .collection = collection,
		.unknown = US_UNKNOWN_ADDRESS | US_UNKNOWN_USAGE | US_UNKNOWN_APPROVAL |
		    US_UNKNOWN_CREDENTIAL };
	size_t party;

	for (size_t i = 0; i < kind->n_parties; i++)
		if (us_order_party(order, kind->parties[i], &party) == US_OK)
			subject.parties |= UINT64_C(1) << party;
	out->order = order;
	out->action = action;
	us_order_evaluate(order, &subject, action, &context, &out->ruling);
}

/* The change of that term, texts and collection that is of this action alone; made if there is
 * none. first: where those of this action begin. NULL: no memory. */
static struct us_compare_change *
change_of(struct us_comparison *c, size_t first, const struct us_compare_term *term,
    const char *const text[2], struct us_bytes collection)
{
	struct us_compare_change *change;

	for (size_t i = first; i < c->n_changes; i++)
		if (c->changes[i].term == term->name &&
		    strcmp(c->changes[i].from, text[FROM]) == 0 &&
		    strcmp(c->changes[i].to, text[TO]) == 0)
			return &c->changes[i];
	if (us_grow(&c->changes, c->n_changes, &c->cap_changes, sizeof *c->changes) != US_OK)
		return NULL;
	change = &c->changes[c->n_changes];
	*change = (struct us_compare_change){ .term = term->name,
		.title = term->title,
		.from = strdup(text[FROM]),
		.to = strdup(text[TO]),
		.collection = collection,
		.kinds = calloc(c->n_kinds, 1) };
	c->n_changes++;
	return change->from == NULL || change->to == NULL || change->kinds == NULL ? NULL : change;
}

/* Says on one side what holds if nothing is said: of what is not permitted, that. */
static const char *
text_of(const struct us_compare_term *term, int permitted, struct us_buf *said)
{
	if (said->len > 0)
		return us_buf_cstr(said);
	return permitted ? term->without : "not permitted";
}

static int
note_change(struct us_comparison *c, const struct us_compare_term *term, const char *const text[2],
    size_t first, size_t kind, enum us_action action, struct us_bytes collection)
{
	struct us_compare_change *change;

	if (text[FROM] == NULL || text[TO] == NULL)
		return US_ERR_NOMEM;
	if (strcmp(text[FROM], text[TO]) == 0)
		return US_OK;
	change = change_of(c, first, term, text, collection);
	if (change == NULL)
		return US_ERR_NOMEM;
	change->kinds[kind] = 1;
	change->actions[(unsigned)action >> 6] |= UINT64_C(1) << ((unsigned)action & 63);
	return US_OK;
}

/* One term. permitted: on which sides it is permitted at all; the first term finds that out. */
static int
compare_term(struct us_comparison *c, const struct us_compare_term *term,
    const struct us_compare_side side[2], size_t first, size_t kind, struct us_bytes collection,
    int permitted[2])
{
	struct us_buf b[2];
	const char *text[2];
	int err = US_OK;

	for (int s = FROM; s <= TO; s++) {
		us_buf_init(&b[s], TEXT_MAX);
		if (err == US_OK && permitted[s])
			err = term->put(&side[s], &b[s]);
	}
	if (term == us_compare_terms) {
		permitted[FROM] = b[FROM].len > 0;
		permitted[TO] = b[TO].len > 0;
	}
	if (err == US_OK && (b[FROM].len > 0 || b[TO].len > 0)) {
		text[FROM] = text_of(term, permitted[FROM], &b[FROM]);
		text[TO] = text_of(term, permitted[TO], &b[TO]);
		err = note_change(c, term, text, first, kind, side[TO].action, collection);
	}
	us_buf_free(&b[FROM]);
	us_buf_free(&b[TO]);
	return err;
}

static int
compare_case(struct us_comparison *c, const struct us_order *const order[2], size_t first,
    size_t kind, enum us_action action, struct us_bytes collection)
{
	struct us_compare_side side[2];
	int err = US_OK, permitted[2] = { 1, 1 };

	for (int s = FROM; s <= TO; s++)
		ask(order[s], &c->kinds[kind], action, collection, &side[s]);
	for (size_t t = 0;
	     t < US_COMPARE_TERMS && err == US_OK && (permitted[FROM] || permitted[TO]); t++)
		err = compare_term(c, &us_compare_terms[t], side, first, kind, collection,
		    permitted);
	return err;
}

/* ---- all cases ---- */

static void
drop(struct us_compare_change *change)
{
	free(change->from);
	free(change->to);
	free(change->kinds);
}

/* What this action changes as one before it does, for the same people, is one change. */
static void
merge(struct us_comparison *c, size_t begin, size_t first)
{
	for (size_t i = first; i < c->n_changes;) {
		struct us_compare_change *x = &c->changes[i];
		size_t k = begin;

		while (k < first &&
		    (c->changes[k].term != x->term || strcmp(c->changes[k].from, x->from) != 0 ||
			strcmp(c->changes[k].to, x->to) != 0 ||
			memcmp(c->changes[k].kinds, x->kinds, c->n_kinds) != 0))
			k++;
		if (k == first) {
			i++;
			continue;
		}
		c->changes[k].actions[0] |= x->actions[0];
		c->changes[k].actions[1] |= x->actions[1];
		drop(x);
		*x = c->changes[--c->n_changes];
	}
}

/* 1 if a rule is about the action: else the class of the action alone says what holds. */
static int
is_ruled(const struct us_order *order, enum us_action action)
{
	for (size_t i = 0; i < order->n_rules; i++)
		if (us_actions_has(order->rules[i].actions, action))
			return 1;
	return 0;
}

static int
compare_in(struct us_comparison *c, const struct us_order *const order[2],
    struct us_bytes collection)
{
	const size_t begin = c->n_changes;
	int err = US_OK;

	for (unsigned a = 1; a < US_ACTIONS_MAX && err == US_OK; a++) {
		const size_t first = c->n_changes;

		if (us_action_row(a)->class == US_ACTIONS_INTERNAL ||
		    (!is_ruled(order[FROM], (enum us_action)a) &&
			!is_ruled(order[TO], (enum us_action)a)))
			continue;
		for (size_t k = 0; k < c->n_kinds && err == US_OK; k++)
			err = compare_case(c, order, first, k, (enum us_action)a, collection);
		if (err == US_OK)
			merge(c, begin, first);
	}
	return err;
}

/* 1 if a rule before this one, or before this name of it, has named the collection. */
static int
was_named(const struct us_order *const order[2], int side, size_t rule, size_t name)
{
	const struct us_bytes wanted = order[side]->rules[rule].collections[name];

	for (int s = FROM; s <= side; s++)
		for (size_t r = 0; r < order[s]->n_rules && (s < side || r <= rule); r++)
			for (size_t n = 0; n < order[s]->rules[r].n_collections; n++) {
				if (s == side && r == rule && n == name)
					return 0;
				if (same_text(order[s]->rules[r].collections[n], wanted))
					return 1;
			}
	return 0;
}

int
us_compare_orders(struct us_comparison *c, const struct us_order *from, const struct us_order *to)
{
	const struct us_order *const order[2] = { from, to };
	int err = add_kinds(c, from);

	if (err == US_OK)
		err = add_kinds(c, to);
	if (err == US_OK)
		err = compare_in(c, order, (struct us_bytes){ NULL, 0 });
	for (int s = FROM; s <= TO; s++)
		for (size_t r = 0; r < order[s]->n_rules; r++)
			for (size_t n = 0; n < order[s]->rules[r].n_collections && err == US_OK;
			     n++)
				if (!was_named(order, s, r, n))
					err = compare_in(c, order,
					    order[s]->rules[r].collections[n]);
	return err;
}

void
us_compare_free(struct us_comparison *c)
{
	for (size_t i = 0; i < c->n_changes; i++)
		drop(&c->changes[i]);
	free(c->changes);
	free(c->kinds);
	*c = (struct us_comparison){ 0 };
}
