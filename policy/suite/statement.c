/* One statement: who, what, under which facts. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/suite/suite_internal.h"

#define NUMBER_MAX UINT64_C(1000000000000000) /* of records, wherever a suite counts them */
#define HOURS_MAX 87600                       /* ten years: of an approval's age */
#define HOUR_NS (INT64_C(3600) * 1000000000)

static const struct us_yaml_key fact_keys[] = { { "collection", 0 }, { "at", 0 }, { "address", 0 },
	{ "purpose", 0 }, { "credential", 0 }, { "matter", 0 }, { "corpus", 0 }, { NULL, 0 } };
static const struct us_yaml_key statement_keys[] = { { "who", 1 }, { "may", 0 }, { "may_not", 0 },
	{ "record", 0 }, { "records", 0 }, { "run", 0 }, { "used", 0 }, { "approvals", 0 },
	{ "frozen", 0 }, { NULL, 0 } };

/* ---- facts ---- */

static void
read_credential(struct us_findings *f, const struct us_yaml_node *node,
    struct us_suite_facts *facts)
{
	static const struct us_yaml_key keys[] = { { "bits", 1 }, { "days", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	uint64_t bits = 0, days = 0;

	if (us_yaml_map(f, node, "credential", keys, v) != US_OK)
		return;
	us_suite_count(f, v[0], UINT16_MAX, &bits);
	us_suite_count(f, v[1], UINT16_MAX, &days);
	facts->credential_bits = (uint16_t)bits;
	facts->credential_days = (uint16_t)days;
}

static void
read_address(struct us_findings *f, const struct us_yaml_node *node, struct us_suite_facts *facts)
{
	facts->has_address = !us_suite_is_word(node, "none");
	if (facts->has_address &&
	    (node->kind != US_YAML_SCALAR || us_address_parse(facts->address, node->text) != US_OK))
		us_yaml_error(f, node,
		    "an address is wanted here: 10.20.0.5, \"2001:db8::5\", or none");
}

void
us_suite_read_facts(struct us_findings *f, const struct us_yaml_node *node,
    const struct us_order *order, struct us_suite_facts *facts)
{
	const struct us_yaml_node *v[US_YAML_KEYS];
	size_t matter = 0;

	if (us_yaml_map(f, node, "defaults", fact_keys, v) != US_OK)
		return;
	if (v[0] != NULL)
		facts->collection = us_yaml_id(f, v[0]);
	if (v[1] != NULL) {
		facts->has_at = 1;
		facts->at_ns = us_yaml_time(f, v[1], 0);
	}
	if (v[2] != NULL)
		read_address(f, v[2], facts);
	if (v[3] != NULL && us_suite_is_word(v[3], "none"))
		facts->purpose = (struct us_bytes){ NULL, 0 };
	else if (v[3] != NULL)
		facts->purpose = us_yaml_text(f, v[3], US_ORDER_TEXT_MAX);
	if (v[4] != NULL)
		read_credential(f, v[4], facts);
	if (v[5] != NULL)
		matter = us_yaml_reference(f, v[5], "state of the matter", order->matter_states,
		    order->n_matter_states, sizeof *order->matter_states);
	if (matter != 0)
		facts->matter = (uint8_t)(matter - 1);
	us_suite_count(f, v[6], NUMBER_MAX, &facts->corpus);
}

/* ---- usage, approvals, freezes ---- */

static void
read_used(struct us_findings *f, const struct us_yaml_node *node, struct us_suite_statement *s)
{
	static const struct us_yaml_key keys[] = { { "day", 0 }, { "life", 0 }, { "run", 0 },
		{ "party_day", 0 }, { "party_life", 0 }, { "party_run", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_meter *mine = &s->person_used, *party = &s->party_used;

	if (us_yaml_map(f, node, "used", keys, v) != US_OK)
		return;
	us_suite_count(f, v[0], NUMBER_MAX, &mine->day);
	mine->life = mine->day;
	us_suite_count(f, v[1], NUMBER_MAX, &mine->life);
	us_suite_count(f, v[2], NUMBER_MAX, &mine->run);
	*party = *mine;
	us_suite_count(f, v[3], NUMBER_MAX, &party->day);
	us_suite_count(f, v[4], NUMBER_MAX, &party->life);
	us_suite_count(f, v[5], NUMBER_MAX, &party->run);
	if (mine->day > mine->life || party->day > party->life)
		us_yaml_error(f, node,
		    "what was disclosed on one day was disclosed in a life too: life is at least "
		    "day");
	if (party->day < mine->day || party->life < mine->life || party->run < mine->run)
		us_yaml_error(f, node,
		    "what a person has had, their party has had: party_ is at least the same");
}

static void
read_approval(struct us_findings *f, const struct us_yaml_node *node, const struct us_suite *suite,
    struct us_suite_statement *s)
{
	static const struct us_yaml_key keys[] = { { "by", 1 }, { "hours_ago", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	uint64_t hours = 0;
	size_t by;

	if (us_yaml_map(f, node, "an approval", keys, v) != US_OK)
		return;
	us_suite_count(f, v[1], HOURS_MAX, &hours);
	by = v[0] == NULL ? 0 : us_suite_person_named(f, v[0], suite);
	if (by == 0)
		return;
	const struct us_subject *approver = &suite->people[by - 1].subject;
	for (size_t i = 0; i < s->n_approvers; i++)
		if (s->approvers[i].person == approver->person)
			us_yaml_error(f, v[0], "this person approves here twice");
	s->approvers[s->n_approvers++] = (struct us_approver){ approver->person, approver->capacity,
		approver->parties, s->facts.at_ns - (int64_t)hours * HOUR_NS };
}

static void
read_approvals(struct us_findings *f, const struct us_yaml_node *node, const struct us_suite *suite,
    struct us_suite_statement *s)
{
	const size_t n = us_yaml_list(f, node, "approvals", US_APPROVERS_MAX);

	if (n == 0)
		return;
	s->approvers = calloc(n, sizeof *s->approvers);
	if (s->approvers == NULL) {
		us_yaml_error(f, node, "out of memory");
		return;
	}
	for (size_t i = 0; i < n; i++)
		read_approval(f, node->items[i], suite, s);
}

static void
read_frozen(struct us_findings *f, const struct us_yaml_node *node, const struct us_suite *suite,
    struct us_suite_statement *s)
{
	static const struct us_yaml_key keys[] = { { "party", 0 }, { "person", 0 },
		{ "collection", 0 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	s->n_freezes = 1;
	s->freeze.id = 1;
	if (us_suite_is_word(node, "everything")) {
		s->freeze.everything = 1;
		return;
	}
	if (node->kind != US_YAML_MAP || node->n != 2) {
		us_yaml_error(f, node,
		    "frozen is everything, or one of {party: P}, {person: ID}, {collection: NAME}");
		return;
	}
	if (us_yaml_map(f, node, "frozen", keys, v) != US_OK)
		return;
	s->freeze.parties = us_yaml_parties(f, v[0], suite->order);
	if (v[1] != NULL)
		s->freeze.person = (uint32_t)us_suite_person_named(f, v[1], suite);
	if (v[2] != NULL)
		s->freeze.collection = us_yaml_id(f, v[2]);
}

/* ---- a statement ---- */

enum us_suite_part { PART_STATEMENT, PART_FACTS, PART_EXPECTED };
#define PARTS 3
static const struct us_yaml_key *const part_keys[PARTS] = { statement_keys, fact_keys,
	us_suite_expect_keys };

/* The part that has the key, or the one most like it: what is wrong with it is said there. */
static enum us_suite_part
part_of(struct us_bytes name)
{
	enum us_suite_part best = PART_STATEMENT;
	size_t distance = SIZE_MAX;

	for (unsigned p = 0; p < PARTS; p++) {
		struct us_guess g = us_guess_of(name);

		for (size_t k = 0; part_keys[p][k].name != NULL; k++)
			us_guess_consider(&g, part_keys[p][k].name, strlen(part_keys[p][k].name));
		if (g.distance < distance) {
			distance = g.distance;
			best = (enum us_suite_part)p;
		}
	}
	return best;
}

/* us_yaml_map() takes only so many keys at once: the three parts of a statement as mappings of
 * their own, which own nothing. room: PARTS * node->n. */
static void
divide(const struct us_yaml_node *node, struct us_yaml_node *room[],
    struct us_yaml_node parts[PARTS])
{
	for (size_t p = 0; p < PARTS; p++) {
		parts[p] = *node;
		parts[p].items = room + p * node->n;
		parts[p].n = 0;
	}
	for (size_t i = 0; i + 1 < node->n; i += 2) {
		struct us_yaml_node *part = &parts[part_of(node->items[i]->text)];

		part->items[part->n++] = node->items[i];
		part->items[part->n++] = node->items[i + 1];
	}
}

static void
read_action(struct us_findings *f, const struct us_yaml_node *node, const struct us_yaml_node *may,
    const struct us_yaml_node *may_not, struct us_suite_statement *s)
{
	const struct us_yaml_node *action = may != NULL ? may : may_not;

	s->expected.decision = may != NULL ? US_DECISION_ALLOW : US_DECISION_DENY;
	if ((may == NULL) == (may_not == NULL))
		us_yaml_error(f, node,
		    "a statement says what somebody may or may_not do: one of the two");
	else
		s->action = (enum us_action)us_suite_named(f, action, "action", us_action_name,
		    US_ACTIONS_MAX - 1);
}

static void
read_parts(struct us_findings *f, const struct us_yaml_node parts[PARTS],
    const struct us_suite *suite, struct us_suite_statement *s)
{
	const struct us_yaml_node *node = &parts[PART_STATEMENT], *v[US_YAML_KEYS];
	size_t who;

	(void)us_yaml_map(f, node, "a statement", statement_keys, v);
	us_suite_read_facts(f, &parts[PART_FACTS], suite->order, &s->facts);
	who = v[0] == NULL ? 0 : us_suite_person_named(f, v[0], suite);
	s->person = who == 0 ? 0 : who - 1;
	read_action(f, node, v[1], v[2], s);
	if (v[3] != NULL)
		s->record = us_yaml_reference(f, v[3], "record", suite->records, suite->n_records,
		    sizeof *suite->records);
	/* who learns a number has been shown no record */
	s->records = v[3] != NULL && s->action != US_ACTION_COUNT && s->action != US_ACTION_TERMS;
	us_suite_count(f, v[4], NUMBER_MAX, &s->records);
	s->run = s->records;
	if (!s->facts.has_at)
		us_yaml_error(f, node, "neither this statement nor defaults says when: at");
	us_suite_count(f, v[5], NUMBER_MAX, &s->run);
	if (s->run > s->records)
		us_yaml_error(f, v[5],
		    "run says how many of the records follow one another: at most all");
	if (v[6] != NULL)
		read_used(f, v[6], s);
	if (v[7] != NULL)
		read_approvals(f, v[7], suite, s);
	if (v[8] != NULL)
		read_frozen(f, v[8], suite, s);
	us_suite_read_expected(f, &parts[PART_EXPECTED], &s->expected);
}

void
us_suite_read_statement(struct us_findings *f, const struct us_yaml_node *node,
    struct us_suite *suite, const struct us_suite_facts *defaults)
{
	struct us_suite_statement *s = &suite->statements[suite->n_statements];
	struct us_yaml_node parts[PARTS], **room;

	if (node->kind != US_YAML_MAP || node->n == 0) {
		us_yaml_error(f, node,
		    "a statement must be a mapping: {who: nadia, may: read, record: letter}");
		return;
	}
	room = calloc(node->n * PARTS, sizeof *room);
	if (room == NULL) {
		us_yaml_error(f, node, "out of memory");
		return;
	}
	suite->n_statements++;
	s->line = node->line;
	s->column = node->column;
	s->facts = *defaults;
	divide(node, room, parts);
	read_parts(f, parts, suite, s);
	free(room);
}
