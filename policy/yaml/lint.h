/* What the parts of lint share; for the files of this directory alone. */
#ifndef US_POLICY_YAML_LINT_H
#define US_POLICY_YAML_LINT_H

#include "policy/designation.h"
#include "policy/yaml/tree.h"

struct us_lint {
	const struct us_order *order;
	const struct us_yaml_node *root;
	struct us_findings *findings;
	struct us_designations designations; /* the order's list */
	/* what of rule i, parsed; NULL: everything, or it could not be parsed */
	struct us_query *queries[US_ORDER_RULES];
};

/* The node of item i of a list at the top, "rules" or another; the list itself if it has none. */
const struct us_yaml_node *us_lint_item(const struct us_lint *l, const char *list, size_t i);
/* Adds a warning at the node. */
void us_lint_warn(struct us_lint *l, const struct us_yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 1 if node is that text, or a list that has it. */
int us_lint_names(const struct us_yaml_node *node, struct us_bytes text);

/* 1 if outer fits the parties and collections that inner fits, whatever the capacity and the
 * action. */
int us_lint_encloses(const struct us_rule *outer, const struct us_rule *inner);

/* lint_lists.c: designations nobody may read, what no rule uses, limits and workflows that make no
 * sense. */
void us_lint_designations(struct us_lint *l);
/* What the order lists and no rule uses. */
void us_lint_unused(struct us_lint *l);
/* Limits of permits that make no sense. */
void us_lint_permits(struct us_lint *l);
/* Workflows that nobody could carry out. */
void us_lint_workflows(struct us_lint *l);

#endif
