/* The head of an order, and the order of its parts. */
#include <stdlib.h>

#include "policy/yaml/read.h"

#define ZONES_BYTES (US_ORDER_CALENDARS * (US_ZONE_MAX + 1))

static void
read_head(struct us_findings *f, const struct us_yaml_node *head,
    const struct us_yaml_node *otherwise, struct us_order *order)
{
	static const struct us_yaml_key head_keys[] = { { "title", 1 }, { "docket", 0 },
		{ "version", 1 }, { NULL, 0 } };
	static const struct us_yaml_key default_keys[] = { { "paragraph", 1 },
		{ "smallest_count", 0 }, { "calendar", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (head != NULL && us_yaml_map(f, head, "order", head_keys, v) == US_OK) {
		order->title = us_yaml_text(f, v[0], US_ORDER_TEXT_MAX);
		order->docket = us_yaml_text(f, v[1], US_ORDER_TEXT_MAX);
		order->version = us_yaml_number(f, v[2], 1);
	}
	if (otherwise != NULL && us_yaml_map(f, otherwise, "default", default_keys, v) == US_OK) {
		order->default_paragraph = us_yaml_text(f, v[0], US_ORDER_PARAGRAPH_MAX);
		order->smallest_count = us_yaml_number(f, v[1], 0);
		if (v[2] != NULL)
			order->home_calendar = us_yaml_calendar_named(f, v[2], order);
	}
}

/* The keys of the file, in the order of the manual. */
enum us_yaml_part {
	HEAD,
	DEFAULT,
	PARTIES,
	DESIGNATIONS,
	CATEGORIES,
	PERIODS,
	CALENDARS,
	PURPOSES,
	MATTER,
	CLEARANCES,
	WORKFLOWS,
	RULES,
	PARTS
};

static const struct us_yaml_key part_keys[PARTS + 1] = { { "order", 1 }, { "default", 0 },
	{ "parties", 1 }, { "designations", 0 }, { "categories", 0 }, { "periods", 0 },
	{ "calendars", 0 }, { "purposes", 0 }, { "matter", 0 }, { "clearances", 0 },
	{ "workflows", 0 }, { "rules", 1 }, { NULL, 0 } };

static const size_t part_max[PARTS] = { [PARTIES] = US_ORDER_PARTIES,
	[DESIGNATIONS] = US_ORDER_DESIGNATIONS,
	[CATEGORIES] = US_YAML_CATEGORIES,
	[PERIODS] = US_ORDER_PERIODS,
	[CALENDARS] = US_ORDER_CALENDARS,
	[PURPOSES] = US_ORDER_PURPOSES,
	[MATTER] = US_ORDER_MATTER_STATES,
	[CLEARANCES] = US_ORDER_CLEARANCES,
	[RULES] = US_ORDER_RULES };

static int
make_room(struct us_order *order, const size_t n[PARTS])
{
	order->parties = calloc(n[PARTIES] + 1, sizeof *order->parties);
	order->designations = calloc(n[DESIGNATIONS] + 1, sizeof *order->designations);
	order->periods = calloc(n[PERIODS] + 1, sizeof *order->periods);
	order->calendars = calloc(n[CALENDARS] + 1, sizeof *order->calendars);
	order->purposes = calloc(n[PURPOSES] + 1, sizeof *order->purposes);
	order->matter_states = calloc(n[MATTER] + 1, sizeof *order->matter_states);
	order->clearances = calloc(n[CLEARANCES] + 1, sizeof *order->clearances);
	order->rules = calloc(n[RULES] + 1, sizeof *order->rules);
	/* What does not stand in the file as it is: the rules of time zones, and queries put
	 * together. Room for all that a compiled order could hold, so that views into it stay. */
	us_buf_init(&order->texts, ZONES_BYTES + US_ORDER_COMPILED_MAX);
	if (order->parties == NULL || order->designations == NULL || order->periods == NULL ||
	    order->calendars == NULL || order->purposes == NULL || order->matter_states == NULL ||
	    order->clearances == NULL || order->rules == NULL)
		return US_ERR_NOMEM;
	return us_buf_reserve(&order->texts, ZONES_BYTES + US_ORDER_COMPILED_MAX, NULL);
}

int
us_order_read(const struct us_yaml_node *root, struct us_order *order, struct us_findings *findings)
{
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_reading r = { .order = order };
	size_t n[PARTS] = { 0 };
	int err;

	if (us_yaml_map(findings, root, "the file", part_keys, v) != US_OK)
		return US_ERR_FORMAT;
	for (size_t part = 0; part < PARTS; part++)
		if (part_max[part] > 0)
			n[part] = us_yaml_list(findings, v[part], part_keys[part].name,
			    part_max[part]);
	err = make_room(order, n);
	if (err != US_OK)
		return err;
	order->workflows.renew_by_ns = INT64_MAX;
#define EACH(part, read, to) \
	do { \
		for (size_t i = 0; i < n[part]; i++) \
			read(findings, v[part]->items[i], to); \
	} while (0)
	/* what is named first */
	EACH(CALENDARS, us_yaml_calendar, order);
	EACH(PERIODS, us_yaml_period, order);
	read_head(findings, v[HEAD], v[DEFAULT], order);
	EACH(PARTIES, us_yaml_party, order);
	EACH(DESIGNATIONS, us_yaml_designation, order);
	EACH(CATEGORIES, us_yaml_category, &r);
	EACH(PURPOSES, us_yaml_purpose, order);
	EACH(MATTER, us_yaml_matter_state, order);
	EACH(CLEARANCES, us_yaml_clearance, order);
	if (v[WORKFLOWS] != NULL)
		us_yaml_workflows(findings, v[WORKFLOWS], order);
	EACH(RULES, us_yaml_rule, &r);
#undef EACH
	return findings->errors > 0 ? US_ERR_FORMAT : US_OK;
}
