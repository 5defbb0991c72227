/* From the tree to a suite: the file's frame, its people and its records. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "case/bates.h"
#include "policy/designation.h"
#include "policy/suite/suite_internal.h"

#define BATES_DIGITS_MAX 15
#define SECOND_NS INT64_C(1000000000)

static const struct us_yaml_key suite_keys[] = { { "order", 1 }, { "people", 1 }, { "records", 0 },
	{ "defaults", 0 }, { "statements", 1 }, { NULL, 0 } };

/* ---- people ---- */

struct us_suite_clearances {
	const struct us_order *order;
	uint32_t bits;
};

static void
one_clearance(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_suite_clearances *c = arg;
	size_t at = us_yaml_reference(f, node, "clearance", c->order->clearances,
	    c->order->n_clearances, sizeof *c->order->clearances);

	if (at != 0)
		c->bits |= UINT32_C(1) << (at - 1);
}

static void
read_person(struct us_findings *f, const struct us_yaml_node *node, struct us_suite *suite)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "party", 0 }, { "capacity", 1 },
		{ "acknowledged", 0 }, { "clearances", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_suite_person *p = &suite->people[suite->n_people];
	struct us_suite_clearances cleared = { suite->order, 0 };

	if (us_yaml_map(f, node, "a person", keys, v) != US_OK)
		return;
	p->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(p->id, suite->people, suite->n_people, sizeof *p) != 0)
		us_yaml_error(f, v[0], "another person has this id");
	p->subject.parties = us_yaml_parties(f, v[1], suite->order);
	if (v[2] != NULL)
		(void)us_yaml_capacity(f, v[2], &p->subject.capacity);
	p->subject.acknowledged = us_yaml_truth(f, v[3]);
	us_yaml_each(f, v[4], one_clearance, &cleared);
	p->subject.clearances = cleared.bits;
	p->subject.person = (uint32_t)++suite->n_people;
}

/* ---- records ---- */

static void
read_message(struct us_findings *f, const struct us_yaml_node *node,
    struct us_match_message *message)
{
	static const char *const roles[] = { "system", "user", "assistant", "tool" };
	static const struct us_yaml_key keys[] = { { "role", 1 }, { "text", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a message", keys, v) != US_OK || v[0] == NULL || v[1] == NULL)
		return;
	for (unsigned i = 0; i < 4; i++)
		if (v[0]->kind == US_YAML_SCALAR && us_bytes_is(v[0]->text, roles[i]))
			message->role = i + 1;
	if (message->role == 0)
		us_yaml_error(f, v[0], "roles of messages are: system user assistant tool");
	if (v[1]->kind == US_YAML_SCALAR)
		message->text = v[1]->text;
	else
		us_yaml_error(f, v[1], "text is wanted here");
}

static void
read_messages(struct us_findings *f, const struct us_yaml_node *node,
    struct us_suite_record *record)
{
	const size_t n = us_yaml_list(f, node, "messages", US_SUITE_MESSAGES);

	if (n == 0)
		return;
	record->messages = calloc(n, sizeof *record->messages);
	if (record->messages == NULL) {
		us_yaml_error(f, node, "out of memory");
		return;
	}
	for (size_t i = 0; i < n; i++)
		read_message(f, node->items[i], &record->messages[i]);
	record->document.messages = record->messages;
	record->document.n_messages = n;
}

/* A designation of the order's list; without one a record has the strictest, as in the vault. */
static struct us_bytes
read_designation(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order)
{
	struct us_bytes name = us_yaml_text(f, node, US_ORDER_TEXT_MAX);
	struct us_designated found;

	if (node == NULL)
		return order->n_designations == 0 ? name : order->designations[0].name;
	if (name.n == 0 || us_order_designation(order, name, &found) == US_OK)
		return name.n == 0 ? name : found.name;
	(void)us_yaml_reference(f, node, "designation", order->designations, order->n_designations,
	    sizeof *order->designations);
	return name;
}

static int64_t
read_created(struct us_findings *f, const struct us_yaml_node *node)
{
	int64_t ns;

	if (node == NULL)
		return INT64_MIN;
	if (node->kind != US_YAML_SCALAR ||
	    (us_time_parse((const char *)node->text.p, node->text.n, &ns) != US_OK &&
		us_time_parse_date((const char *)node->text.p, node->text.n, &ns) != US_OK)) {
		us_yaml_error(f, node,
		    "a date or a time in UTC is wanted here: 2024-03-01, 2024-03-01T12:00:00Z");
		return INT64_MIN;
	}
	return ns / SECOND_NS - (ns % SECOND_NS < 0);
}

/* "LOGS000000012": the digits at the end are the number, counted from 1; what stands before them is
 * the prefix. */
static void
read_bates(struct us_findings *f, const struct us_yaml_node *node,
    struct us_match_document *document)
{
	struct us_bytes prefix;
	uint64_t record;

	if (node == NULL)
		return;
	if (node->kind != US_YAML_SCALAR ||
	    us_bates_read(node->text, UINT64_MAX, &prefix, &record) != US_OK ||
	    node->text.n - prefix.n > BATES_DIGITS_MAX) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "a Bates number is wanted here: a prefix, then at most %d digits, counted from "
		    "1",
		    BATES_DIGITS_MAX);
		return;
	}
	document->record = record;
	document->bates_prefix = prefix;
}

static void
read_record(struct us_findings *f, const struct us_yaml_node *node, struct us_suite *suite)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "designation", 0 },
		{ "model", 0 }, { "language", 0 }, { "created", 0 }, { "bates", 0 },
		{ "messages", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_suite_record *record = &suite->records[suite->n_records];

	if (us_yaml_map(f, node, "a record", keys, v) != US_OK)
		return;
	record->id = us_yaml_id(f, v[0]);
	if (us_yaml_position(record->id, suite->records, suite->n_records, sizeof *record) != 0)
		us_yaml_error(f, v[0], "another record has this id");
	suite->n_records++;
	record->document.designation = read_designation(f, v[1], suite->order);
	record->document.model = us_yaml_text(f, v[2], US_ORDER_TEXT_MAX);
	record->document.language = us_yaml_text(f, v[3], US_ORDER_TEXT_MAX);
	record->document.created_s = read_created(f, v[4]);
	read_bates(f, v[5], &record->document);
	if (v[6] != NULL)
		read_messages(f, v[6], record);
}

/* ---- the whole ---- */

static int
file_name_ok(struct us_bytes name)
{
	return us_text_ok(name, US_ORDER_TEXT_MAX) && name.p[0] != '.' &&
	    memchr(name.p, '/', name.n) == NULL;
}

int
us_suite_parse(struct us_bytes source, struct us_suite **out, struct us_findings *findings)
{
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_suite *suite;
	int err;

	*out = NULL;
	memset(findings, 0, sizeof *findings);
	suite = calloc(1, sizeof *suite);
	if (suite == NULL)
		return US_ERR_NOMEM;
	err = us_yaml_parse(source, &suite->root, findings);
	if (err == US_OK)
		err = us_yaml_map(findings, suite->root, "a suite", suite_keys, v);
	if (err != US_OK)
		goto out;
	if (v[0] != NULL && v[0]->kind == US_YAML_SCALAR && file_name_ok(v[0]->text))
		suite->order_name = v[0]->text;
	else if (v[0] != NULL)
		us_yaml_error(findings, v[0],
		    "the name of a file beside this one is wanted here, without a path");
	if (findings->errors > 0) {
		err = US_ERR_FORMAT;
		goto out;
	}
	*out = suite;
	suite = NULL; /* transferred */
out:
	us_suite_free(suite);
	return err;
}

struct us_bytes
us_suite_order_name(const struct us_suite *suite)
{
	return suite->order_name;
}

static int
parse_queries(struct us_findings *f, struct us_suite *suite)
{
	const struct us_order *order = suite->order;

	suite->queries = calloc(order->n_rules + 1, sizeof(struct us_query *));
	if (suite->queries == NULL)
		return US_ERR_NOMEM;
	suite->n_queries = order->n_rules;
	for (size_t i = 0; i < order->n_rules; i++) {
		const struct us_rule *rule = &order->rules[i];
		int err = US_OK;

		if (rule->is_query)
			err = us_query_parse_compiled(rule->what.p, rule->what.n,
			    &suite->queries[i], NULL);
		if (err == US_ERR_NOMEM)
			return err;
		if (err != US_OK)
			us_finding(f, US_FINDING_ERROR, 0, 0,
			    "the query of the order's rule %.*s: %s", (int)rule->id.n,
			    (const char *)rule->id.p, us_strerror(err));
	}
	return US_OK;
}

static int
make_room(struct us_suite *suite, size_t people, size_t records, size_t statements)
{
	suite->people = calloc(people + 1, sizeof *suite->people);
	suite->records = calloc(records + 1, sizeof *suite->records);
	suite->statements = calloc(statements + 1, sizeof *suite->statements);
	return suite->people == NULL || suite->records == NULL || suite->statements == NULL ?
	    US_ERR_NOMEM :
	    US_OK;
}

int
us_suite_bind(struct us_suite *suite, const struct us_order *order, struct us_findings *findings)
{
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_suite_facts defaults = { .has_at = 0 };
	int err;

	memset(findings, 0, sizeof *findings);
	if (suite->order != NULL)
		return US_ERR_STATE;
	suite->order = order;
	(void)us_yaml_map(findings, suite->root, "a suite", suite_keys, v);
	const size_t people = us_yaml_list(findings, v[1], "people", US_SUITE_PEOPLE),
		     records = us_yaml_list(findings, v[2], "records", US_SUITE_RECORDS),
		     statements = us_yaml_list(findings, v[4], "statements", US_SUITE_STATEMENTS);
	err = make_room(suite, people, records, statements);
	if (err == US_OK)
		err = parse_queries(findings, suite);
	if (err != US_OK)
		return err;
	for (size_t i = 0; i < people; i++)
		read_person(findings, v[1]->items[i], suite);
	for (size_t i = 0; i < records; i++)
		read_record(findings, v[2]->items[i], suite);
	if (v[3] != NULL)
		us_suite_read_facts(findings, v[3], order, &defaults);
	for (size_t i = 0; i < statements; i++)
		us_suite_read_statement(findings, v[4]->items[i], suite, &defaults);
	return findings->errors > 0 ? US_ERR_FORMAT : US_OK;
}

void
us_suite_free(struct us_suite *suite)
{
	if (suite == NULL)
		return;
	for (size_t i = 0; suite->queries != NULL && i < suite->n_queries; i++)
		us_query_free(suite->queries[i]);
	free(suite->queries);
	for (size_t i = 0; i < suite->n_records; i++)
		free(suite->records[i].messages);
	for (size_t i = 0; i < suite->n_statements; i++)
		free(suite->statements[i].approvers);
	free(suite->people);
	free(suite->records);
	free(suite->statements);
	us_yaml_free(suite->root);
	free(suite);
}
