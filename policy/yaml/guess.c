/* Complaints of names that are none, with what was probably meant. */
#include <string.h>

#include "policy/yaml/read.h"

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
