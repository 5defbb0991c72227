/* From the tree to an order: every key is known, every value is of its form, or it is an error with
 * its place. This file: values of all kinds, and names that are none. */
#include <string.h>

#include "base/number.h"
#include "policy/yaml/read.h"

void
us_yaml_error(struct us_findings *f, const struct us_yaml_node *node, const char *text)
{
	us_finding(f, US_FINDING_ERROR, node->line, node->column, "%s", text);
}

int
us_yaml_map(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const struct us_yaml_key *keys, const struct us_yaml_node *values[US_YAML_KEYS])
{
	memset(values, 0, US_YAML_KEYS * sizeof values[0]);
	if (node->kind != US_YAML_MAP) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "%s must be a mapping (key: value)", what);
		return US_ERR_FORMAT;
	}
	for (size_t i = 0; i + 1 < node->n; i += 2) {
		const struct us_yaml_node *key = node->items[i];
		struct us_guess g = us_guess_of(key->text);
		size_t k = 0;
		while (keys[k].name != NULL && !us_bytes_is(key->text, keys[k].name)) {
			us_guess_consider(&g, keys[k].name, strlen(keys[k].name));
			k++;
		}
		if (keys[k].name == NULL)
			us_guess_complain(f, key, "key", &g);
		else if (values[k] != NULL)
			us_finding(f, US_FINDING_ERROR, key->line, key->column,
			    "key %s stands here twice", keys[k].name);
		else
			values[k] = node->items[i + 1];
	}
	for (size_t k = 0; keys[k].name != NULL; k++)
		if (keys[k].required && values[k] == NULL)
			us_finding(f, US_FINDING_ERROR, node->line, node->column, "%s lacks %s",
			    what, keys[k].name);
	return US_OK;
}

struct us_bytes
us_yaml_text(struct us_findings *f, const struct us_yaml_node *node, size_t max)
{
	struct us_bytes none = { NULL, 0 };

	if (node == NULL)
		return none;
	if (node->kind != US_YAML_SCALAR) {
		us_yaml_error(f, node, "text is wanted here");
		return none;
	}
	if (!us_text_ok(node->text, max)) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "text of 1 to %zu bytes without control characters or spaces at its ends is "
		    "wanted here",
		    max);
		return none;
	}
	return node->text;
}

struct us_bytes
us_yaml_id(struct us_findings *f, const struct us_yaml_node *node)
{
	struct us_bytes none = { NULL, 0 };

	if (node == NULL)
		return none;
	if (node->kind != US_YAML_SCALAR || !us_id_ok(node->text, US_ORDER_ID_MAX)) {
		us_yaml_error(f, node,
		    "an identifier is wanted here: a-z 0-9 . _ - beginning with a letter or digit");
		return none;
	}
	return node->text;
}

uint32_t
us_yaml_number(struct us_findings *f, const struct us_yaml_node *node, uint32_t absent)
{
	uint64_t v = 0;

	if (node == NULL)
		return absent;
	if (node->kind != US_YAML_SCALAR || node->quoted ||
	    us_number_parse(node->text.p, node->text.n, UINT32_MAX - 1, &v) != US_OK || v == 0) {
		us_yaml_error(f, node,
		    "a whole number from 1 on is wanted here, in digits alone (1000, not 1,000 or "
		    "1_000)");
		return absent;
	}
	return (uint32_t)v;
}

uint32_t
us_yaml_number_to(struct us_findings *f, const struct us_yaml_node *node, uint32_t max)
{
	uint32_t v = us_yaml_number(f, node, 0);

	if (v > max) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "%u is the most that can stand here", max);
		return 0;
	}
	return v;
}

int
us_yaml_truth(struct us_findings *f, const struct us_yaml_node *node)
{
	if (node == NULL)
		return 0;
	if (node->kind == US_YAML_SCALAR && !node->quoted && us_bytes_is(node->text, "true"))
		return 1;
	if (node->kind != US_YAML_SCALAR || node->quoted || !us_bytes_is(node->text, "false"))
		us_yaml_error(f, node, "true or false is wanted here");
	return 0;
}

int
us_yaml_set(struct us_findings *f, const struct us_yaml_node *node, const char *what)
{
	if (node == NULL)
		return 0;
	if (node->kind == US_YAML_SCALAR && !node->quoted && us_bytes_is(node->text, "true"))
		return 1;
	us_finding(f, US_FINDING_ERROR, node->line, node->column,
	    "%s is true, or the key is left out", what);
	return 0;
}

void
us_yaml_each(struct us_findings *f, const struct us_yaml_node *node,
    void (*each)(struct us_findings *, const struct us_yaml_node *, void *), void *arg)
{
	if (node == NULL)
		return;
	if (node->kind == US_YAML_SCALAR) {
		each(f, node, arg);
		return;
	}
	if (node->kind == US_YAML_MAP || node->n == 0) {
		us_yaml_error(f, node,
		    node->kind == US_YAML_MAP ?
			"a list is wanted here" :
			"an empty list: it would fit nobody and nothing; leave it out");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		if (node->items[i]->kind != US_YAML_SCALAR)
			us_yaml_error(f, node->items[i], "text is wanted here");
		else
			each(f, node->items[i], arg);
	}
}

size_t
us_yaml_list(struct us_findings *f, const struct us_yaml_node *node, const char *what, size_t max)
{
	if (node == NULL)
		return 0;
	if (node->kind != US_YAML_LIST || node->n == 0 || node->n > max) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "%s must be a list of 1 to %zu items", what, max);
		return 0;
	}
	return node->n;
}

/* ---- names ---- */

#define SHOWN_MAX 80 /* bytes of a wrong name that a finding repeats */

void
us_guess_complain(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const struct us_guess *g)
{
	const int n = (int)(g->wanted.n < SHOWN_MAX ? g->wanted.n : SHOWN_MAX);

	if (us_guess_is_near(g))
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "unknown %s \"%.*s\": did you mean %.*s?", what, n, (const char *)g->wanted.p,
		    (int)g->best_n, g->best);
	else
		us_finding(f, US_FINDING_ERROR, node->line, node->column, "unknown %s \"%.*s\"",
		    what, n, (const char *)g->wanted.p);
}

/* ---- lists of things that begin with their id ---- */

static struct us_bytes
id_at(const void *items, size_t i, size_t size)
{
	struct us_bytes id;

	memcpy(&id, (const uint8_t *)items + i * size, sizeof id);
	return id;
}

size_t
us_yaml_position(struct us_bytes id, const void *items, size_t n, size_t size)
{
	for (size_t i = 0; i < n && id.n > 0; i++) {
		struct us_bytes other = id_at(items, i, size);
		if (other.n == id.n && memcmp(other.p, id.p, id.n) == 0)
			return i + 1;
	}
	return 0;
}

size_t
us_yaml_reference(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const void *items, size_t n, size_t size)
{
	struct us_guess g = us_guess_of(node->text);
	size_t at;

	if (node->kind != US_YAML_SCALAR) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "the name of a %s is wanted here", what);
		return 0;
	}
	at = us_yaml_position(node->text, items, n, size);
	if (at != 0)
		return at;
	for (size_t i = 0; i < n; i++)
		us_guess_consider(&g, (const char *)id_at(items, i, size).p,
		    id_at(items, i, size).n);
	us_guess_complain(f, node, what, &g);
	return 0;
}
