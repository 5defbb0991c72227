/*
 * The worked examples keep what their suites say; every statement of theirs can fail, and none of
 * the orders' rules, conditions, limits and masks can be changed without a statement that notices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/suite/suite_internal.h"

static const char *const examples[] = { "sdny-stipulated", "inspection-protocol", "chat-logs" };
#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))
#define STATEMENTS_WANTED 470u /* of the examples together */

#define SECOND_NS INT64_C(1000000000)

static void
read_file(const char *name, const char *suffix, struct us_buf *out)
{
	char path[512];
	uint8_t chunk[4096];
	size_t n;

	us_buf_init(out, US_ORDER_SOURCE_MAX);
	(void)snprintf(path, sizeof(path), "%s/policy/orders/%s%s", US_SOURCE_DIR, name, suffix);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(us_buf_put(out, chunk, n), US_OK);
	(void)fclose(f);
}

static void
print_findings(const char *name, const struct us_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		print_message("%s:%u:%u: %s\n", name, f->items[i].line, f->items[i].column,
		    f->items[i].text);
}

/* ---- an example in memory ---- */

struct example {
	const char *name;
	struct us_buf compiled, source; /* of the order; of the suite */
	struct us_findings findings;
};

static struct example *
example_new(const char *name)
{
	struct example *e = calloc(1, sizeof(*e));
	struct us_buf yaml;

	assert_non_null(e);
	e->name = name;
	us_buf_init(&e->compiled, US_ORDER_COMPILED_MAX);
	read_file(name, ".yaml", &yaml);
	int err = us_order_compile((struct us_bytes){ yaml.data, yaml.len }, &e->compiled,
	    &e->findings);
	assert_int_equal(err, US_OK);
	/* but for what an example looks ahead to */
	for (size_t i = 0; i < e->findings.n; i++)
		if (strstr(e->findings.items[i].text, "what nothing performs yet") == NULL)
			fail_msg("%s: %s", name, e->findings.items[i].text);
	memset(&e->findings, 0, sizeof(e->findings));
	us_buf_free(&yaml);
	read_file(name, ".test.yaml", &e->source);
	return e;
}

static void
example_free(struct example *e)
{
	us_buf_free(&e->compiled);
	us_buf_free(&e->source);
	free(e);
}

static struct us_order *
example_order(const struct example *e)
{
	struct us_order *order;

	assert_int_equal(us_order_decode(e->compiled.data, e->compiled.len, &order), US_OK);
	return order;
}

static struct us_suite *
example_suite(struct example *e, const struct us_order *order)
{
	struct us_suite *suite;
	char name[128];

	assert_int_equal(us_suite_parse((struct us_bytes){ e->source.data, e->source.len }, &suite,
			     &e->findings),
	    US_OK);
	(void)snprintf(name, sizeof(name), "%s.yaml", e->name);
	assert_true(us_bytes_is(us_suite_order_name(suite), name));
	int err = us_suite_bind(suite, order, &e->findings);
	print_findings(e->name, &e->findings);
	assert_int_equal(err, US_OK);
	return suite;
}

/* How many statements fail of the suite against this order, which may have been changed. */
static size_t
failures(struct example *e, const struct us_order *order)
{
	struct us_suite *suite = example_suite(e, order);
	struct us_suite_counts counts;

	assert_int_equal(us_suite_run(suite, NULL, NULL, &counts), US_OK);
	us_suite_free(suite);
	return counts.failed;
}

static void
print_failed(void *ctx, const struct us_suite_result *r)
{
	const struct example *e = ctx;

	if (r->failed)
		print_message("%s:%u:%u: %s: expected %s; found %s\n%s", e->name, r->line,
		    r->column, r->statement, r->expected, r->found, r->why);
}

static void
test_examples_hold(void **state)
{
	(void)state;
	size_t statements = 0;

	for (size_t i = 0; i < EXAMPLES; i++) {
		struct example *e = example_new(examples[i]);
		struct us_order *order = example_order(e);
		struct us_suite *suite = example_suite(e, order);
		struct us_suite_counts counts;

		assert_int_equal(us_suite_run(suite, print_failed, e, &counts), US_OK);
		assert_int_equal(counts.failed, 0);
		statements += counts.statements;
		print_message("%s: %zu statements\n", e->name, counts.statements);
		us_suite_free(suite);
		us_order_free(order);
		example_free(e);
	}
	assert_true(statements >= STATEMENTS_WANTED);
}

/* ---- each statement can fail ---- */

static void
expect_one_failure(const struct us_suite *suite)
{
	struct us_suite_counts counts;

	assert_int_equal(us_suite_run(suite, NULL, NULL, &counts), US_OK);
	assert_int_equal(counts.failed, 1);
}

static void
turn(struct us_suite *suite, struct us_suite_said *expected)
{
	const struct us_suite_said right = *expected;

	expected->decision = right.decision == US_DECISION_ALLOW ? US_DECISION_DENY :
								   US_DECISION_ALLOW;
	expect_one_failure(suite);
	*expected = right;
	if ((right.says & US_SAYS_PARAGRAPH) != 0) {
		expected->paragraph.n--;
		expect_one_failure(suite);
		*expected = right;
	}
	if ((right.says & US_SAYS_REASON) != 0) {
		expected->reason = right.reason == US_REASON_QUOTA ? US_REASON_HOURS :
								     US_REASON_QUOTA;
		expect_one_failure(suite);
		*expected = right;
	}
	if ((right.says & US_SAYS_MASKS) != 0) {
		expected->mask.identifiers ^= 1u << US_IDENTIFIER_SSN;
		expect_one_failure(suite);
		*expected = right;
	}
	for (unsigned l = 0; l < US_SUITE_LIMITS; l++) {
		if ((right.says & US_SAYS_LEFT(l)) == 0)
			continue;
		expected->left[l]++;
		expect_one_failure(suite);
		*expected = right;
	}
}

static void
test_statements_can_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXAMPLES; i++) {
		struct example *e = example_new(examples[i]);
		struct us_order *order = example_order(e);
		struct us_suite *suite = example_suite(e, order);

		for (size_t s = 0; s < suite->n_statements; s++)
			turn(suite, &suite->statements[s].expected);
		us_suite_free(suite);
		us_order_free(order);
		example_free(e);
	}
}

/* ---- no part of an order changes unnoticed ---- */

struct mutation {
	struct example *e;
	struct us_order *order;
	size_t rule; /* SIZE_MAX: none */
	size_t made, missed;
};

/* After a change that the caller made, and will undo. */
static void
notice(struct mutation *m, const char *what, unsigned number)
{
	static const struct us_rule none;
	const struct us_rule *rule = m->rule == SIZE_MAX ? &none : &m->order->rules[m->rule];

	m->made++;
	if (failures(m->e, m->order) > 0)
		return;
	m->missed++;
	print_message("%s: nothing notices a change of %s%.*s: %s %u\n", m->e->name,
	    rule == &none ? "the order" : "rule ", (int)rule->id.n, (const char *)rule->id.p, what,
	    number);
}

static void
change_fit(struct mutation *m)
{
	struct us_rule *rule = &m->order->rules[m->rule];
	const struct us_rule right = *rule;

	rule->actions[0] = rule->actions[1] = 0;
	notice(m, "it is left out", 0);
	*rule = right;
	if (rule->is_query) {
		rule->is_query = 0;
		notice(m, "it has no query", 0);
		*rule = right;
	}
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++) {
		if ((right.capacities & US_CAPACITY_BIT(c)) == 0 ||
		    right.capacities == US_CAPACITY_ANY)
			continue;
		rule->capacities &= ~US_CAPACITY_BIT(c);
		notice(m, us_capacity_name(c), 0);
		*rule = right;
	}
	for (unsigned p = 0; p < m->order->n_parties; p++) {
		if ((right.parties >> p & 1) == 0)
			continue;
		rule->parties &= ~(UINT64_C(1) << p);
		notice(m, "without party", p);
		*rule = right;
	}
	for (unsigned a = 0; a < 128; a++) {
		if (!us_actions_has(right.actions, (enum us_action)a))
			continue;
		rule->actions[a >> 6] &= ~(UINT64_C(1) << (a & 63));
		notice(m, us_action_name(a), a);
		*rule = right;
	}
}

#define CHANGE(member, value, what) \
	do { \
		if (rule->member != (value)) { \
			rule->member = (value); \
			notice(m, what, 0); \
			*rule = right; \
		} \
	} while (0)

static void
change_conditions(struct mutation *m)
{
	struct us_rule *rule = &m->order->rules[m->rule];
	const struct us_rule right = *rule;

	CHANGE(conditions.acknowledgement, 0, "no acknowledgement");
	CHANGE(conditions.clearance, 0, "no clearance");
	CHANGE(conditions.matter_states, 0, "any state of the matter");
	CHANGE(conditions.period, 0, "no period");
	CHANGE(conditions.calendar, 0, "no hours");
	CHANGE(conditions.n_networks, 0, "any network");
	for (unsigned state = 0;
	     state < m->order->n_matter_states && right.conditions.matter_states != 0; state++)
		CHANGE(conditions.matter_states,
		    (uint16_t)(right.conditions.matter_states ^ 1u << state), "another state");
	if (right.conditions.credential_bits != 0) {
		CHANGE(conditions.credential_bits, 0, "credential of any strength");
		CHANGE(conditions.credential_bits, (uint16_t)(right.conditions.credential_bits + 1),
		    "stronger credential");
	}
	if (right.conditions.credential_days != 0) {
		CHANGE(conditions.credential_days, (uint16_t)(right.conditions.credential_days + 1),
		    "credential for longer");
		CHANGE(conditions.credential_days, (uint16_t)(right.conditions.credential_days - 1),
		    "credential for less long");
	}
	CHANGE(conditions.purpose, US_PURPOSE_FREE, "no purpose");
	if (right.conditions.purpose == US_PURPOSE_LISTED)
		CHANGE(conditions.purpose, US_PURPOSE_REQUIRED, "any purpose");
	CHANGE(conditions.approval.count, 0, "no approval");
	if (right.conditions.approval.count != 0) {
		CHANGE(conditions.approval.any_party, 1, "approval of any party");
		CHANGE(conditions.approval.capacities, US_CAPACITY_ANY, "approval in any capacity");
		CHANGE(conditions.approval.count, (uint8_t)(right.conditions.approval.count + 1),
		    "more approvals");
		CHANGE(conditions.approval.count, (uint8_t)(right.conditions.approval.count - 1),
		    "fewer approvals");
		CHANGE(conditions.approval.hours, (uint16_t)(right.conditions.approval.hours + 1),
		    "approval an hour longer");
		CHANGE(conditions.approval.hours, (uint16_t)(right.conditions.approval.hours - 1),
		    "approval an hour shorter");
	}
	for (size_t i = 0; i < right.conditions.n_networks; i++) {
		struct us_network *network = &right.conditions.networks[i];
		const uint8_t bits = network->bits;

		network->bits = 128;
		notice(m, "a single address instead of network", (unsigned)i);
		network->bits = bits;
	}
}

static void
change_limit(struct mutation *m, uint32_t *limit, const char *what)
{
	const uint32_t right = *limit;

	if (right == US_UNLIMITED)
		return;
	*limit = US_UNLIMITED;
	notice(m, what, US_UNLIMITED);
	*limit = right + 1;
	notice(m, what, right + 1);
	*limit = right - 1;
	notice(m, what, right - 1);
	*limit = right;
}

static void
change_limits(struct mutation *m)
{
	struct us_rule *rule = &m->order->rules[m->rule];
	const struct us_rule right = *rule;
	struct us_limits *l = &rule->limits;

	change_limit(m, &l->records_per_request, "records per request");
	change_limit(m, &l->consecutive, "consecutive");
	change_limit(m, &l->per_day, "per day");
	change_limit(m, &l->life, "for life");
	change_limit(m, &l->share, "share");
	if (l->per == US_PER_PARTY)
		CHANGE(limits.per, US_PER_PERSON, "per person");
	CHANGE(mask.except_match, 0, "contents that do not match");
	for (unsigned bit = 0; bit < 8; bit++) {
		CHANGE(mask.identifiers, (uint8_t)(right.mask.identifiers & ~(1u << bit)),
		    "identifiers");
		CHANGE(mask.roles, (uint8_t)(right.mask.roles & ~(1u << bit)), "roles");
		CHANGE(mask.fields, (uint8_t)(right.mask.fields & ~(1u << bit)), "fields");
		CHANGE(boxes, (uint8_t)(right.boxes & ~(1u << bit)), "boxes");
	}
	if (right.log_scope != 0) {
		CHANGE(log_scope, US_LOG_OF_ALL, "whose entries");
		CHANGE(log_scope, US_LOG_OF_SELF, "whose entries");
	}
}

/* What the order says once and rules refer to. */
static void
change_lists(struct mutation *m)
{
	struct us_order *order = m->order;

	m->rule = SIZE_MAX;
	for (size_t i = 0; i < order->n_calendars; i++) {
		struct us_calendar *c = &order->calendars[i];
		const struct us_calendar right = *c;
		uint16_t *const minutes[] = { &c->from_minute, &c->to_minute };

		for (size_t k = 0; k < 2; k++) {
			(*minutes[k])++;
			notice(m, k == 0 ? "hours from" : "hours to", *minutes[k]);
			*minutes[k] = (uint16_t)(*minutes[k] - 2);
			notice(m, k == 0 ? "hours from" : "hours to", *minutes[k]);
			*c = right;
		}
		c->weekdays |= 1;
		notice(m, "Sundays", 0);
		*c = right;
		c->n_holidays = 0;
		notice(m, "no holidays", 0);
		*c = right;
		c->zone.has_summer = 0;
		notice(m, "no summer time", 0);
		*c = right;
	}
	for (size_t i = 0; i < order->n_periods; i++) {
		int64_t *const ends[] = { &order->periods[i].from_ns, &order->periods[i].until_ns };

		for (size_t k = 0; k < 2; k++) {
			const int64_t right = *ends[k];

			*ends[k] = right + SECOND_NS;
			notice(m, k == 0 ? "period from" : "period until", 1);
			*ends[k] = right - SECOND_NS;
			notice(m, k == 0 ? "period from" : "period until", 0);
			*ends[k] = right;
		}
	}
	for (uint32_t i = 0; i < 2 && order->smallest_count > 0; i++) {
		order->smallest_count += i == 0 ? 1 : UINT32_MAX;
		notice(m, "smallest count", order->smallest_count);
		order->smallest_count -= i == 0 ? 1 : UINT32_MAX;
	}
}

static void
test_orders_cannot_change_unnoticed(void **state)
{
	(void)state;
	size_t made = 0, missed = 0;

	for (size_t i = 0; i < EXAMPLES; i++) {
		struct mutation m = { .e = example_new(examples[i]) };

		m.order = example_order(m.e);
		for (m.rule = 0; m.rule < m.order->n_rules; m.rule++) {
			change_fit(&m);
			change_conditions(&m);
			change_limits(&m);
		}
		change_lists(&m);
		assert_int_equal(failures(m.e, m.order), 0);
		made += m.made;
		missed += m.missed;
		us_order_free(m.order);
		example_free(m.e);
	}
	print_message("%zu changes, %zu unnoticed\n", made, missed);
	assert_int_equal(missed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples_hold),
		cmocka_unit_test(test_statements_can_fail),
		cmocka_unit_test(test_orders_cannot_change_unnoticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
