/* Conditions, limits and masks: what only a permit has. */
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/read.h"

static void
one_network(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_conditions *c = arg;
	struct us_network network;

	if (us_network_parse(&network, node->text) != US_OK) {
		us_yaml_error(f, node, "a network is wanted here, without bits behind its prefix: 10.1.0.0/16, \"2001:db8::/32\"");
		return;
	}
	for (size_t i = 0; i < c->n_networks; i++)
		if (memcmp(&c->networks[i], &network, sizeof(network)) == 0)
			us_yaml_error(f, node, "this network stands here twice");
	if (c->n_networks == US_ORDER_NETWORKS)
		us_yaml_error(f, node, "too many networks");
	else
		c->networks[c->n_networks++] = network;
}

static void
read_credential(struct us_findings *f, const struct us_yaml_node *node, struct us_conditions *c)
{
	static const struct us_yaml_key keys[] = { { "bits", 0 }, { "days", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "credential", keys, v) != US_OK)
		return;
	uint32_t bits = us_yaml_number(f, v[0], 0), days = us_yaml_number(f, v[1], 0);
	if (bits > 256)
		us_yaml_error(f, v[0], "no key is as strong as that: 112, 128, 192 or 256");
	else if (days > UINT16_MAX)
		us_yaml_error(f, v[1], "too many days");
	else if (bits == 0 && days == 0)
		us_yaml_error(f, node, "credential lacks bits or days");
	c->credential_bits = (uint16_t)bits;
	c->credential_days = (uint16_t)days;
}

static void
read_purpose_need(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order,
    struct us_conditions *c)
{
	if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "required"))
		c->purpose = US_PURPOSE_REQUIRED;
	else if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "listed"))
		c->purpose = US_PURPOSE_LISTED;
	else
		us_yaml_error(f, node, "purpose is \"required\" (any text) or \"listed\" (a code of the order's purposes)");
	if (c->purpose == US_PURPOSE_LISTED && order->n_purposes == 0)
		us_yaml_error(f, node, "the order lists no purposes");
}

static uint8_t
period_named(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order)
{
	for (size_t i = 0; node->kind == US_YAML_SCALAR && i < order->n_periods; i++)
		if (order->periods[i].id.n == node->text.n && node->text.n > 0 &&
		    memcmp(order->periods[i].id.p, node->text.p, node->text.n) == 0)
			return (uint8_t)(i + 1);
	us_yaml_error(f, node, "no period has this id");
	return 0;
}

void
us_yaml_conditions(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order,
    struct us_rule *rule)
{
	static const struct us_yaml_key keys[] = { { "purpose", 0 }, { "period", 0 }, { "hours", 0 },
		{ "networks", 0 }, { "credential", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_conditions *c = &rule->conditions;

	if (us_yaml_map(f, node, "conditions", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node, "conditions without a condition: leave the key out");
	if (v[0] != NULL)
		read_purpose_need(f, v[0], order, c);
	if (v[1] != NULL)
		c->period = period_named(f, v[1], order);
	if (v[2] != NULL)
		c->calendar = us_yaml_calendar_named(f, v[2], order);
	if (v[3] != NULL) {
		c->networks = calloc(US_ORDER_NETWORKS, sizeof(*c->networks));
		if (c->networks != NULL)
			us_yaml_each(f, v[3], one_network, c);
		else
			us_yaml_error(f, v[3], "out of memory");
	}
	if (v[4] != NULL)
		read_credential(f, v[4], c);
}

void
us_yaml_limits(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule)
{
	static const struct us_yaml_key keys[] = { { "records_per_request", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "limits", keys, v) == US_OK)
		rule->limits.records_per_request = us_yaml_number(f, v[0], US_UNLIMITED);
}

static void
one_identifier(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_mask *m = arg;
	enum us_identifier i;

	if (us_bytes_is(node->text, "all"))
		m->identifiers = US_IDENTIFIERS_ALL;
	else if (us_identifier_of(&i, node->text) == US_OK)
		m->identifiers |= (uint8_t)US_IDENTIFIER_BIT(i);
	else
		us_yaml_error(f, node, "classes of identifiers are: all email phone url ip card iban ssn number");
}

static void
one_role(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	static const char *const roles[] = { "system", "user", "assistant", "tool" };
	struct us_mask *m = arg;

	for (unsigned i = 0; i < 4; i++) {
		if (us_bytes_is(node->text, roles[i])) {
			m->roles |= (uint8_t)(1u << (i + 1));
			return;
		}
	}
	us_yaml_error(f, node, "roles of messages are: system user assistant tool");
}

static void
one_field(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_mask *m = arg;
	enum us_mask_field field;

	if (us_mask_field_of(&field, node->text) == US_OK)
		m->fields |= (uint8_t)field;
	else
		us_yaml_error(f, node, "fields that can be masked are: id created model language");
}

void
us_yaml_masks(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule)
{
	static const struct us_yaml_key keys[] = { { "identifiers", 0 }, { "roles", 0 }, { "fields", 0 },
		{ NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "masks", keys, v) != US_OK)
		return;
	us_yaml_each(f, v[0], one_identifier, &rule->mask);
	us_yaml_each(f, v[1], one_role, &rule->mask);
	us_yaml_each(f, v[2], one_field, &rule->mask);
	if (us_mask_is_empty(&rule->mask))
		us_yaml_error(f, node, "masks that mask nothing: name identifiers, roles or fields, or leave the key out");
}

void
us_yaml_log_scope(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule)
{
	rule->log_scope = rule->boxes != 0 ? US_LOG_OF_ALL : 0;
	if (node == NULL)
		return;
	if (rule->boxes == 0)
		us_yaml_error(f, node, "log belongs to a permit to read the log (audit)");
	else if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "own-party"))
		rule->log_scope = US_LOG_OF_OWN_PARTY;
	else if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "self"))
		rule->log_scope = US_LOG_OF_SELF;
	else if (node->kind != US_YAML_SCALAR || !us_bytes_is(node->text, "all"))
		us_yaml_error(f, node, "log is \"all\", \"own-party\" or \"self\"");
}
