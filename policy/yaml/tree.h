/* A YAML document as a tree with places; for the files of this directory, and for policy/suite/,
 * whose files have the same strict form. */
#ifndef US_POLICY_YAML_TREE_H
#define US_POLICY_YAML_TREE_H

#include "policy/yaml/yaml.h"

#define US_YAML_DEPTH 8
#define US_YAML_NODES 32768

enum us_yaml_kind { US_YAML_SCALAR, US_YAML_LIST, US_YAML_MAP };

struct us_yaml_node {
	enum us_yaml_kind kind;
	unsigned line, column; /* counted from 1 */
	int quoted;            /* SCALAR: by its style, its text begins one column later */
	struct us_bytes text;  /* SCALAR; belongs to the tree */
	/* LIST: items; MAP: key, value, key, value, … */
	struct us_yaml_node **items;
	size_t n, cap;
};

/* US_OK with *out to free; US_ERR_FORMAT with an error in findings; US_ERR_NOMEM. */
int us_yaml_parse(struct us_bytes source, struct us_yaml_node **out, struct us_findings *findings);
/* Frees the node and all below it; NULL is allowed. */
void us_yaml_free(struct us_yaml_node *node);

/* Adds a finding; text is cut and made printable. */
void us_finding(struct us_findings *f, enum us_severity severity, unsigned line, unsigned column,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The value of a key of a mapping; NULL. */
const struct us_yaml_node *us_yaml_find(const struct us_yaml_node *map, const char *key);

/* Fills order's lists (malloc'ed as us_order_free() wants them) from the tree; views point into the
 * tree and into the order's texts. The items of each list are in the order of the tree. */
int us_order_read(const struct us_yaml_node *root, struct us_order *order,
    struct us_findings *findings);
/* What is suspicious or contradicts itself in an order that could be read. US_OK, also with
 * findings; US_ERR_NOMEM. */
int us_order_lint(const struct us_order *order, const struct us_yaml_node *root,
    struct us_findings *findings);

#endif
