/* What the readers of an order's parts share (read.c); for the files of this directory alone. Each complains of what is wrong, with its
 * place, and goes on, so that one run says everything. */
#ifndef US_POLICY_YAML_READ_H
#define US_POLICY_YAML_READ_H

#include "policy/yaml/tree.h"

#define US_YAML_KEYS 16

struct us_yaml_key {
	const char *name;
	int required;
};

/* Finds the values of the keys (ended by a NULL name); complains of unknown, repeated and missing ones. */
int us_yaml_map(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const struct us_yaml_key *keys, const struct us_yaml_node *values[US_YAML_KEYS]);
/* A list, or a single scalar as a list of one. Calls each for every scalar. */
void us_yaml_each(struct us_findings *f, const struct us_yaml_node *node,
    void (*each)(struct us_findings *, const struct us_yaml_node *, void *), void *arg);
/* How many mappings a list has, at most max; 0 with its complaint. */
size_t us_yaml_list(struct us_findings *f, const struct us_yaml_node *node, const char *what, size_t max);
struct us_bytes us_yaml_id(struct us_findings *f, const struct us_yaml_node *node);
/* A whole number from 1 on. */
uint32_t us_yaml_number(struct us_findings *f, const struct us_yaml_node *node, uint32_t absent);
void us_yaml_error(struct us_findings *f, const struct us_yaml_node *node, const char *text);

/* read_time.c: calendars and periods. */
void us_yaml_calendar(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
void us_yaml_period(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Position in the list, counted from 1; 0 with its complaint. */
uint8_t us_yaml_calendar_named(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order);
/* read_permit.c: what only a permit has. */
void us_yaml_conditions(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order,
    struct us_rule *rule);
void us_yaml_limits(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule);
void us_yaml_masks(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule);
void us_yaml_log_scope(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule);

#endif
