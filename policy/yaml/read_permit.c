/* Conditions, limits and masks: what only a permit has. */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "policy/compiled.h"
#include "policy/yaml/read.h"

static void
one_network(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_conditions *c = arg;
	struct us_network network;

	if (us_network_parse(&network, node->text) != US_OK) {
		us_yaml_error(f, node,
		    "a network is wanted here, without bits behind its prefix: 10.1.0.0/16, "
		    "\"2001:db8::/32\"");
		return;
	}
	for (size_t i = 0; i < c->n_networks; i++)
		if (memcmp(&c->networks[i], &network, sizeof network) == 0)
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
read_purpose_need(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order, struct us_conditions *c)
{
	if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "required"))
		c->purpose = US_PURPOSE_REQUIRED;
	else if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "listed"))
		c->purpose = US_PURPOSE_LISTED;
	else
		us_yaml_error(f, node,
		    "purpose is \"required\" (any text) or \"listed\" (a code of the order's "
		    "purposes)");
	if (c->purpose == US_PURPOSE_LISTED && order->n_purposes == 0)
		us_yaml_error(f, node, "the order lists no purposes");
}

struct us_yaml_states {
	const struct us_order *order;
	uint16_t bits;
};

static void
one_state(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_yaml_states *s = arg;
	size_t at = us_yaml_reference(f, node, "state of the matter", s->order->matter_states,
	    s->order->n_matter_states, sizeof *s->order->matter_states);

	if (at != 0)
		s->bits |= (uint16_t)(1u << (at - 1));
}

static void
read_approvals(struct us_findings *f, const struct us_yaml_node *node, const struct us_order *order,
    struct us_approval_need *need)
{
	static const struct us_yaml_key keys[] = { { "count", 1 }, { "party", 1 },
		{ "capacity", 1 }, { "hours", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "approvals", keys, v) != US_OK)
		return;
	need->count = (uint8_t)us_yaml_number_to(f, v[0], US_ORDER_APPROVALS);
	if (v[1] != NULL && v[1]->kind == US_YAML_SCALAR && us_bytes_is(v[1]->text, "any"))
		need->any_party = 1;
	else
		need->parties = us_yaml_parties(f, v[1], order);
	need->capacities = us_yaml_capacities(f, v[2], 1);
	need->hours = (uint16_t)us_yaml_number_to(f, v[3], UINT16_MAX);
}

static void
read_networks(struct us_findings *f, const struct us_yaml_node *node, struct us_conditions *c)
{
	c->networks = calloc(US_ORDER_NETWORKS, sizeof *c->networks);
	if (c->networks != NULL)
		us_yaml_each(f, node, one_network, c);
	else
		us_yaml_error(f, node, "out of memory");
}

void
us_yaml_conditions(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order, struct us_rule *rule)
{
	static const struct us_yaml_key keys[] = { { "acknowledgement", 0 }, { "clearance", 0 },
		{ "matter", 0 }, { "period", 0 }, { "hours", 0 }, { "networks", 0 },
		{ "credential", 0 }, { "purpose", 0 }, { "approvals", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_conditions *c = &rule->conditions;
	struct us_yaml_states states = { order, 0 };

	if (us_yaml_map(f, node, "conditions", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node, "conditions without a condition: leave the key out");
	c->acknowledgement = us_yaml_set(f, v[0], "acknowledgement");
	if (v[1] != NULL)
		c->clearance = (uint8_t)us_yaml_reference(f, v[1], "clearance", order->clearances,
		    order->n_clearances, sizeof *order->clearances);
	us_yaml_each(f, v[2], one_state, &states);
	c->matter_states = states.bits;
	if (v[3] != NULL)
		c->period = (uint8_t)us_yaml_reference(f, v[3], "period", order->periods,
		    order->n_periods, sizeof *order->periods);
	if (v[4] != NULL)
		c->calendar = us_yaml_calendar_named(f, v[4], order);
	if (v[5] != NULL)
		read_networks(f, v[5], c);
	if (v[6] != NULL)
		read_credential(f, v[6], c);
	if (v[7] != NULL)
		read_purpose_need(f, v[7], order, c);
	if (v[8] != NULL)
		read_approvals(f, v[8], order, &c->approval);
}

/* ---- limits ---- */

#define SHARE_DECIMALS 4 /* of a per cent: a millionth */

/* "0.5%" in millionths; 0: it is not of that form, or not above 0 and at most 100 per cent. */
static uint32_t
millionths(struct us_bytes text)
{
	uint64_t whole, fraction = 0;
	size_t i = us_number_span(text.p, text.n), decimals = 0;

	if (us_number_parse(text.p, i, 100, &whole) != US_OK)
		return 0;
	if (i < text.n && text.p[i] == '.') {
		i++;
		decimals = us_number_span(text.p + i, text.n - i);
		if (decimals > SHARE_DECIMALS ||
		    us_number_digits(text.p + i, decimals, UINT32_MAX, &fraction) != US_OK)
			return 0;
		i += decimals;
	}
	for (; decimals < SHARE_DECIMALS; decimals++)
		fraction *= 10;
	whole = whole * (US_MILLION / 100) + fraction;
	return i + 1 == text.n && text.p[i] == '%' && whole <= US_MILLION ? (uint32_t)whole : 0;
}

static void
read_share(struct us_findings *f, const struct us_yaml_node *node, struct us_limits *l)
{
	uint32_t share = node->kind == US_YAML_SCALAR ? millionths(node->text) : 0;

	if (share == 0)
		us_yaml_error(f, node,
		    "a share is wanted here, above 0% and at most 100%, with at most 4 decimals: "
		    "\"0.5%\"");
	else
		l->share = share;
}

static void
read_per(struct us_findings *f, const struct us_yaml_node *node, struct us_limits *l)
{
	if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "party"))
		l->per = US_PER_PARTY;
	else if (node->kind != US_YAML_SCALAR || !us_bytes_is(node->text, "person"))
		us_yaml_error(f, node, "per is \"person\" or \"party\"");
	else
		l->per = US_PER_PERSON;
}

void
us_yaml_limits(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule)
{
	static const struct us_yaml_key keys[] = { { "records_per_request", 0 },
		{ "consecutive", 0 }, { "per_day", 0 }, { "life", 0 }, { "share", 0 }, { "per", 0 },
		{ NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_limits *l = &rule->limits;

	if (us_yaml_map(f, node, "limits", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node, "limits without a limit: leave the key out");
	l->records_per_request = us_yaml_number(f, v[0], US_UNLIMITED);
	if (v[1] != NULL)
		l->consecutive = us_yaml_number_to(f, v[1], US_RUN_LIMIT);
	l->per_day = us_yaml_number(f, v[2], US_UNLIMITED);
	l->life = us_yaml_number(f, v[3], US_UNLIMITED);
	if (v[4] != NULL)
		read_share(f, v[4], l);
	if (v[5] != NULL)
		read_per(f, v[5], l);
	if (v[5] != NULL && v[1] == NULL && v[2] == NULL && v[3] == NULL && v[4] == NULL)
		us_yaml_error(f, v[5],
		    "per says whose disclosures count: it belongs to consecutive, per_day, life or "
		    "share");
}

/* ---- masks and the log ---- */

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
		us_yaml_error(f, node,
		    "classes of identifiers are: all email phone url ip card iban ssn number");
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
	static const struct us_yaml_key keys[] = { { "identifiers", 0 }, { "roles", 0 },
		{ "fields", 0 }, { "except_match", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "masks", keys, v) != US_OK)
		return;
	us_yaml_each(f, v[0], one_identifier, &rule->mask);
	us_yaml_each(f, v[1], one_role, &rule->mask);
	us_yaml_each(f, v[2], one_field, &rule->mask);
	rule->mask.except_match = (uint8_t)us_yaml_set(f, v[3], "except_match");
	if (us_mask_is_empty(&rule->mask))
		us_yaml_error(f, node,
		    "masks that mask nothing: name identifiers, roles, fields or except_match, or "
		    "leave the key out");
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
	else if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "own-records"))
		rule->log_scope = US_LOG_OF_OWN_RECORDS;
	else if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "self"))
		rule->log_scope = US_LOG_OF_SELF;
	else if (node->kind != US_YAML_SCALAR || !us_bytes_is(node->text, "all"))
		us_yaml_error(f, node,
		    "log is \"all\", \"own-records\", \"own-party\" or \"self\"");
}
