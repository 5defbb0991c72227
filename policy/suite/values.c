/* Values of a suite: numbers, words and names. */
#include <string.h>

#include "base/number.h"
#include "policy/suite/suite_internal.h"

void
us_suite_count(struct us_findings *f, const struct us_yaml_node *node, uint64_t max, uint64_t *out)
{
	if (node == NULL)
		return;
	if (node->kind != US_YAML_SCALAR || node->quoted ||
	    us_number_parse(node->text.p, node->text.n, max, out) != US_OK)
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "a whole number from 0 to %llu is wanted here, in digits alone",
		    (unsigned long long)max);
}

int
us_suite_is_word(const struct us_yaml_node *node, const char *word)
{
	return node->kind == US_YAML_SCALAR && !node->quoted && us_bytes_is(node->text, word);
}

unsigned
us_suite_named(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const char *(*name_of)(unsigned), unsigned last)
{
	struct us_guess g = us_guess_of(node->text);

	if (node->kind != US_YAML_SCALAR) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column, "one %s is wanted here",
		    what);
		return 0;
	}
	for (unsigned i = 1; i <= last; i++) {
		if (name_of(i) == NULL)
			continue;
		if (us_bytes_is(node->text, name_of(i)))
			return i;
		us_guess_consider(&g, name_of(i), strlen(name_of(i)));
	}
	us_guess_complain(f, node, what, &g);
	return 0;
}

size_t
us_suite_person_named(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_suite *suite)
{
	return us_yaml_reference(f, node, "person", suite->people, suite->n_people,
	    sizeof *suite->people);
}
