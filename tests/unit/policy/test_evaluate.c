/*
 * The evaluator and its explanation against a second one (naive.h), over random orders and requests
 * that aim at what the rules say, and at the edges of it. Also the table of capacity × action of
 * the demonstration's order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "naive.h"
#include "policy/yaml/yaml.h"
#include "random_order.h"

#define ORDERS 2500
#define REQUESTS 40 /* of each order */

/* ---- the comparison ---- */

static size_t seen[64], asked[US_CONDITIONS], failed[US_CONDITIONS], differences, allowed, masked,
    lines;

static void
differ(int is, const char *what)
{
	if (is && differences++ < 20)
		print_message("differs: %s\n", what);
}

static void
compare_ruling(const struct us_order *o, const struct request *q)
{
	struct naive_ruling n;
	struct us_ruling r;
	char visible[US_ORDER_RULES + 1] = "";

	us_order_evaluate(o, &q->subject, q->action, &q->context, &r);
	naive_evaluate(o, &q->subject, (unsigned)q->action, &q->context, &n);
	for (size_t i = 0; i < o->n_rules; i++)
		visible[i] = (r.permits[i / 64] >> (i % 64) & 1) ? 'p' :
		    (r.forbids[i / 64] >> (i % 64) & 1)          ? 'f' :
								   ' ';
	differ(r.decision != (n.allowed ? US_DECISION_ALLOW : US_DECISION_DENY), "decision");
	differ(r.reason != n.reason, "reason");
	differ(r.rule != n.rule ||
		!us_bytes_is(r.rule_id, n.rule == 0 ? "" : (const char *)o->rules[n.rule - 1].id.p),
	    "rule");
	differ(r.paragraph.n != n.paragraph.n ||
		(n.paragraph.n > 0 && memcmp(r.paragraph.p, n.paragraph.p, n.paragraph.n) != 0),
	    "paragraph");
	differ(r.freeze != n.freeze, "freeze");
	differ(r.cure == NULL || (r.cure[0] == '\0') != n.allowed, "cure");
	differ(r.records_per_request != n.cap, "records per request");
	differ(r.run_max != n.run_max, "run");
	differ(!r.purpose_needed != !n.purpose_needed || !r.approval_needed != !n.approval_needed,
	    "what is needed");
	differ(!r.wants_party_usage != !n.wants_party_usage, "usage of the party");
	differ(memcmp(&r.left, &n.left, sizeof(r.left)) != 0, "left");
	differ(r.mask.identifiers != n.mask.identifiers || r.mask.roles != n.mask.roles ||
		r.mask.fields != n.mask.fields || r.mask.except_match != n.mask.except_match,
	    "mask");
	differ(r.boxes != n.boxes || (unsigned)r.log_scope != n.log_scope,
	    "boxes and scope of the log");
	differ(!r.sees_all != !n.sees_all || strcmp(visible, n.visible) != 0, "visible");
	for (size_t i = o->n_rules; i < US_ORDER_RULES; i++)
		differ(((r.permits[i / 64] | r.forbids[i / 64]) >> (i % 64) & 1) != 0,
		    "rules that are not there");
	seen[n.reason]++;
	allowed += n.allowed != 0;
	masked += !us_mask_is_empty(&n.mask);
}

struct explaining {
	const struct us_order *order;
	const struct request *q;
	size_t at;
};

static void
compare_line(void *ctx, const struct us_explained *e)
{
	struct explaining *x = ctx;
	struct naive_line n;
	unsigned misses;

	differ(e->rule != x->at || x->at >= x->order->n_rules, "rule of a line");
	if (x->at >= x->order->n_rules)
		return;
	naive_explain(x->order, &x->q->subject, (unsigned)x->q->action, &x->q->context, x->at++,
	    &n);
	misses = (n.party ? 0u : US_MISSES_PARTY) | (n.capacity ? 0u : US_MISSES_CAPACITY) |
	    (n.action ? 0u : US_MISSES_ACTION) | (n.collection ? 0u : US_MISSES_COLLECTION);
	differ("-pFf"[e->standing] != n.standing || e->misses != misses, "standing of a line");
	differ((e->asked | e->fails) >> US_CONDITIONS != 0, "conditions that are not there");
	for (unsigned c = 0; c < US_CONDITIONS; c++) {
		int fails = (e->fails >> c & 1) != 0;
		char is = (e->asked >> c & 1) == 0 ? (fails ? '?' : ' ') : fails ? 'n' : 'y';
		differ(is != n.conditions[c], us_condition_name(c));
		asked[c] += n.conditions[c] != ' ';
		failed[c] += n.conditions[c] == 'n';
	}
	lines++;
}

static void
test_random(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ORDERS; i++) {
		struct us_order *o = random_order();
		for (unsigned k = 0; k < REQUESTS; k++) {
			struct request q;
			random_request(o, &q);
			compare_ruling(o, &q);
			struct explaining x = { o, &q, 0 };
			us_order_explain(o, &q.subject, q.action, &q.context, compare_line, &x);
			differ(x.at != o->n_rules, "number of lines");
		}
		us_order_free(o);
	}
	(void)unsetenv("TZ");
	for (unsigned reason = 0; reason < 64; reason++)
		if (us_reason_name(reason) != NULL && seen[reason] > 0)
			print_message("%s: %zu\n", us_reason_name(reason), seen[reason]);
	for (unsigned c = 0; c < US_CONDITIONS; c++) {
		print_message("%s asked %zu, fails %zu\n", us_condition_name(c), asked[c],
		    failed[c]);
		assert_true(failed[c] > 500 && asked[c] - failed[c] > 500);
	}
	print_message("%u requests, %zu allowed, %zu masked; %zu lines of explanations; %zu "
		      "differences\n",
	    ORDERS * REQUESTS, allowed, masked, lines, differences);
	assert_true(allowed > 10000 && masked > 1000);
	assert_int_equal(differences, 0);
}

/* ---- the demonstration's order ---- */

static struct us_order *
demo(void)
{
	char text[16384];
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_buf compiled;
	struct us_order *order;
	FILE *file = fopen(US_SOURCE_DIR "/policy/orders/demo.yaml", "rb");

	assert_non_null(file);
	size_t n = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_compile((struct us_bytes){ (const uint8_t *)text, n }, &compiled,
			     f),
	    US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	us_buf_free(&compiled);
	free(f);
	return order;
}

static const struct {
	enum us_capacity capacity;
	int party;       /* 0 plaintiffs, 1 defendant, 2 court, -1 none */
	const char *may; /* all that it may of the ordered actions, with spaces around each */
} rights[] = {
	{ US_CAPACITY_OUTSIDE_COUNSEL, 0,
	    " count search read sample terms match copy copy-list copy-return challenge " },
	{ US_CAPACITY_COUNSEL_STAFF, 0,
	    " count search read sample terms match copy-list copy-return " },
	{ US_CAPACITY_PRODUCER, 1,
	    " load batch-list batch-hold batch-release batch-withdraw clawback clawback-report "
	    "relabel " },
	{ US_CAPACITY_AUDITOR, 2,
	    " audit-list audit-keys audit-export audit-report clawback-report " },
	{ US_CAPACITY_COURT, 2, " clawback-report " },
	{ US_CAPACITY_SPECIAL_MASTER, 2, " clawback-report " },
};

static void
test_demo_table(void **state)
{
	struct us_order *order = demo();
	struct us_context context = { .collection = us_bytes_of("demo"),
		.purpose = us_bytes_of("review"),
		.records = 1 };

	(void)state;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		for (int party = -1; party < 3; party++)
			for (unsigned a = 1; a < 128; a++) {
				if (us_action_name(a) == NULL)
					continue;
				struct us_subject s = { .person = 1,
					.capacity = (enum us_capacity)c,
					.parties = party < 0 ? 0 : UINT64_C(1) << party };
				struct us_ruling r;
				char word[64];
				/* administrative acts: capacity and signatures decide, this order
				 * adds nothing */
				int want = us_action_row(a)->class == US_ACTIONS_OPEN ||
				    us_action_row(a)->class == US_ACTIONS_ADMINISTRATIVE;
				(void)snprintf(word, sizeof(word), " %s ", us_action_name(a));
				for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
					if (rights[i].capacity == (enum us_capacity)c &&
					    rights[i].party == party &&
					    strstr(rights[i].may, word) != NULL)
						want = 1;
				us_order_evaluate(order, &s, (enum us_action)a, &context, &r);
				if ((r.decision == US_DECISION_ALLOW) != want)
					fail_msg("%s of party %d: %s", us_capacity_name(c), party,
					    us_action_name(a));
				if (!want)
					assert_true(us_bytes_is(r.paragraph, "4"));
			}
	us_order_free(order);
}

static void
test_demo_conditions(void **state)
{
	struct us_order *order = demo();
	struct us_subject attorney = { .person = 1,
		.capacity = US_CAPACITY_OUTSIDE_COUNSEL,
		.parties = 1 };
	struct us_context c = { .collection = us_bytes_of("demo"), .records = 1 };
	struct us_ruling r;

	(void)state;
	us_order_evaluate(order, &attorney, US_ACTION_READ, &c, &r);
	assert_int_equal(r.reason, US_REASON_PURPOSE_MISSING);
	assert_true(us_bytes_is(r.paragraph, "7.1"));
	c.purpose = us_bytes_of("review");
	c.records = 1000;
	us_order_evaluate(order, &attorney, US_ACTION_READ, &c, &r);
	assert_int_equal(r.decision, US_DECISION_ALLOW);
	assert_true(r.sees_all);
	assert_true(us_bytes_is(r.rule_id, "counsel-review"));
	c.records = 1001;
	us_order_evaluate(order, &attorney, US_ACTION_READ, &c, &r);
	assert_int_equal(r.reason, US_REASON_QUOTA);
	assert_int_equal(r.records_per_request, 1000);
	us_order_free(order);
}

/* 200 rules: a figure to see that a decision costs no more than a few microseconds. */
static void
test_speed(void **state)
{
	struct us_order *order = demo();
	struct us_subject attorney = { .person = 1,
		.capacity = US_CAPACITY_OUTSIDE_COUNSEL,
		.parties = 1 };
	struct us_context c = { .collection = us_bytes_of("demo"),
		.purpose = us_bytes_of("x"),
		.records = 1 };
	struct timespec a, b;
	struct us_ruling r;

	(void)state;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < 100000; i++)
		us_order_evaluate(order, &attorney, US_ACTION_READ, &c, &r);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("a decision over %zu rules: %.0f ns\n", order->n_rules,
	    ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 100000);
	us_order_free(order);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_demo_table),
		cmocka_unit_test(test_demo_conditions),
		cmocka_unit_test(test_speed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
