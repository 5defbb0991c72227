/* What the readers of an order's parts share; for the files of this directory.
 * The readers of scalars, lists and keys, the guesses and us_designation_query() are used by
 * policy/suite/ too. Each complains of what is wrong, with its place, and goes on, so that one run
 * says everything. */
#ifndef US_POLICY_YAML_READ_H
#define US_POLICY_YAML_READ_H

#include "base/guess.h"
#include "policy/yaml/tree.h"

#define US_YAML_KEYS 16
#define US_YAML_CATEGORIES 64
#define US_TERM_DAYS_MAX 3650 /* as us_calendar_due() counts */

struct us_yaml_key {
	const char *name;
	int required;
};

/* A named query; it stands in the source alone: rules that name it hold its text. */
struct us_category {
	struct us_bytes id;
	struct us_bytes query;
};

/* An order on its way from the tree. */
struct us_reading {
	struct us_order *order;
	struct us_rule *rule; /* the one being read */
	size_t n_categories;
	struct us_category categories[US_YAML_CATEGORIES];
};

/* Finds the values of the keys (ended by a NULL name); complains of unknown, repeated and missing
 * ones. */
int us_yaml_map(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const struct us_yaml_key *keys, const struct us_yaml_node *values[US_YAML_KEYS]);
/* A list, or a single scalar as a list of one. Calls each for every scalar. */
void us_yaml_each(struct us_findings *f, const struct us_yaml_node *node,
    void (*each)(struct us_findings *, const struct us_yaml_node *, void *), void *arg);
/* How many items a list has, at most max; 0 with its complaint. */
size_t
us_yaml_list(struct us_findings *f, const struct us_yaml_node *node, const char *what, size_t max);
/* Text of 1 to max bytes without control characters or spaces at its ends; a view of the node.
 * {NULL, 0} with its complaint, or if node is NULL. */
struct us_bytes us_yaml_text(struct us_findings *f, const struct us_yaml_node *node, size_t max);
/* An identifier of at most US_ORDER_ID_MAX bytes; otherwise as us_yaml_text(). */
struct us_bytes us_yaml_id(struct us_findings *f, const struct us_yaml_node *node);
/* A whole number from 1 on. */
uint32_t us_yaml_number(struct us_findings *f, const struct us_yaml_node *node, uint32_t absent);
/* The same, of at most max; 0 with its complaint, or if there is none. */
uint32_t us_yaml_number_to(struct us_findings *f, const struct us_yaml_node *node, uint32_t max);
/* true or false, without quotes; 0 if there is none. */
int us_yaml_truth(struct us_findings *f, const struct us_yaml_node *node);
/* A key that is set to true, or left out. */
int us_yaml_set(struct us_findings *f, const struct us_yaml_node *node, const char *what);
/* A moment in UTC. */
int64_t us_yaml_time(struct us_findings *f, const struct us_yaml_node *node, int64_t absent);
/* Adds an error at the node. */
void us_yaml_error(struct us_findings *f, const struct us_yaml_node *node, const char *text);

/* Names that are none, with what was probably meant. */
void us_guess_complain(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const struct us_guess *g);
/* Of n items, each of size bytes and beginning with a struct us_bytes, its id: the position of the
 * one of that id, counted from 1; 0: none. */
size_t us_yaml_position(struct us_bytes id, const void *items, size_t n, size_t size);
/* The same of the id that node names; 0 with its complaint. */
size_t us_yaml_reference(struct us_findings *f, const struct us_yaml_node *node, const char *what,
    const void *items, size_t n, size_t size);

/* read_time.c: calendars and periods. */
void
us_yaml_calendar(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Appends a period to the order's list. */
void us_yaml_period(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Position in the list, counted from 1; 0 with its complaint. */
uint8_t us_yaml_calendar_named(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order);
/* read_lists.c: what rules name. */
void us_yaml_party(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Appends a purpose to the order's list. */
void
us_yaml_purpose(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Appends a designation to the order's list. */
void
us_yaml_designation(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Appends a category, which the rules read after it may name. */
void us_yaml_category(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r);
/* Appends a state of the matter to the order's list. */
void us_yaml_matter_state(struct us_findings *f, const struct us_yaml_node *node,
    struct us_order *order);
/* A capacity by its name. US_ERR_FORMAT with its complaint. */
int us_yaml_capacity(struct us_findings *f, const struct us_yaml_node *node, enum us_capacity *out);
/* A list of capacities as bits; any: the word "any" is allowed. */
uint32_t us_yaml_capacities(struct us_findings *f, const struct us_yaml_node *node, int any);
/* A list of parties as bits. */
uint64_t us_yaml_parties(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order);
/* read_workflow.c: clearances, and who may do what an order provides for. */
void
us_yaml_clearance(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* Who may do what the order provides for. */
void
us_yaml_workflows(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order);
/* read_rule.c */
void us_yaml_rule(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r);
/* read_what.c: which records. The designation as a query, NAME in quotation marks; US_ERR_LIMIT,
 * US_ERR_NOMEM. */
void us_yaml_what(struct us_findings *f, const struct us_yaml_node *node, struct us_reading *r);
/* Appends the query for records of that designation. US_ERR_LIMIT, US_ERR_NOMEM. */
int us_designation_query(struct us_buf *out, struct us_bytes name);
/* read_permit.c: what only a permit has. */
void us_yaml_conditions(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order, struct us_rule *rule);
/* The limits of a permit. */
void us_yaml_limits(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule);
/* What is masked for those whom a permit lets in. */
void us_yaml_masks(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule);
/* Which entries and boxes of the log a permit opens. */
void
us_yaml_log_scope(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule);

#endif
