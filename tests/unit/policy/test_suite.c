/* Suites of statements: what is wrong with a file has its place, and what a statement is told says
 * which rule did it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/suite/suite.h"

static void
print_findings(const char *name, const struct us_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		print_message("%s:%u:%u: %s\n", name, f->items[i].line, f->items[i].column,
		    f->items[i].text);
}

/* ---- errors have their places ---- */

static const char small_order[] =
    "order: {title: T, version: 1}\n"
    "default: {paragraph: \"1\", smallest_count: 5}\n"
    "parties: [{id: a, name: A, roster_signers: [{person: P, capacity: outside-counsel}]}]\n"
    "rules:\n"
    "  - {id: r, paragraph: \"2\", effect: permit, who: {party: a, capacity: expert}, what: "
    "{query: 'model:m'}, actions: read}\n"
    "  - {id: f, paragraph: \"3\", effect: forbid, who: {party: a, capacity: any}, what: {query: "
    "secret},\n"
    "     actions: [read, copy]}\n";

static struct us_order *
compile(const char *source)
{
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_buf compiled;
	struct us_order *order;

	assert_non_null(f);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_compile(us_bytes_of(source), &compiled, f), US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	us_buf_free(&compiled);
	free(f);
	return order;
}

#define HEAD "order: o.yaml\npeople:\n  - {id: x, party: a, capacity: expert}\n"
#define AT "defaults: {at: 2026-03-03T15:00:00Z}\n"

static void
expect_error(const struct us_order *order, const char *source, unsigned line, unsigned column,
    const char *text)
{
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_suite *suite = NULL;
	int err = us_suite_parse(us_bytes_of(source), &suite, f);

	if (err == US_OK)
		err = us_suite_bind(suite, order, f);
	if (err != US_ERR_FORMAT || f->n == 0 || f->items[0].line != line ||
	    f->items[0].column != column || strstr(f->items[0].text, text) == NULL) {
		print_findings(source, f);
		print_message("wanted at %u:%u: %s\n", line, column, text);
		fail();
	}
	us_suite_free(suite);
	free(f);
}

static void
test_errors(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		unsigned line, column;
		const char *text;
	} cases[] = {
		{ "", 0, 0, "empty" },
		{ "- x\n", 1, 1, "must be a mapping" },
		{ "order: o.yaml\npeople: []\n", 1, 1, "lacks statements" },
		{ "order: ../o.yaml\npeople: []\nstatements: []\n", 1, 8, "without a path" },
		{ "order: .o\npeople: []\nstatements: []\n", 1, 8, "without a path" },
		{ HEAD "statements: []\n", 4, 13, "statements must be a list of 1" },
		{ "order: o.yaml\npeople: []\nstatements: [{who: x, may: read}]\n", 2, 9,
		    "people must be a list of 1" },
		{ HEAD AT "statements:\n  - {who: y, may: read}\n", 6, 11, "unknown person \"y\"" },
		{ HEAD AT "statements:\n  - {who: x, may: red}\n", 6, 19,
		    "unknown action \"red\": did you mean read?" },
		{ HEAD AT "statements:\n  - {who: x, may: read, record: q}\n", 6, 33,
		    "unknown record \"q\"" },
		{ HEAD AT "statements:\n  - {who: x}\n", 6, 5, "may or may_not" },
		{ HEAD AT "statements:\n  - {who: x, may: read, may_not: read}\n", 6, 5,
		    "may or may_not" },
		{ HEAD AT "statements:\n  - {may: read}\n", 6, 5, "lacks who" },
		{ HEAD AT "statements:\n  - {who: x, may: read, recrod: q}\n", 6, 25,
		    "unknown key \"recrod\": did you mean record?" },
		{ HEAD AT "statements:\n  - {who: x, may: read, becuase: \"2\"}\n", 6, 25,
		    "did you mean because?" },
		{ HEAD AT "statements:\n  - {who: x, may: read, adress: none}\n", 6, 25,
		    "did you mean address?" },
		{ HEAD AT "statements:\n  - {who: x, may: read, nothing-like-it: q}\n", 6, 25,
		    "unknown key \"nothing-like-it\"" },
		{ HEAD AT "statements:\n  - {who: x, may: read, who: x}\n", 6, 25, "twice" },
		{ HEAD AT "statements:\n  - {who: x, may: read, because: \"2\", because: \"2\"}\n",
		    6, 39, "twice" },
		{ HEAD AT "statements:\n  - {who: x, may: read, at: now}\n", 6, 29,
		    "a time in UTC is wanted" },
		{ HEAD "statements:\n  - {who: x, may: read}\n", 5, 5, "says when" },
		{ HEAD AT "statements:\n  - {who: x, may: read, reason: quota}\n", 6, 33,
		    "belongs to may_not" },
		{ HEAD AT "statements:\n  - {who: x, may_not: read, reason: none}\n", 6, 37,
		    "unknown reason" },
		{ HEAD AT "statements:\n  - {who: x, may_not: read, reason: quotta}\n", 6, 37,
		    "did you mean quota?" },
		{ HEAD AT "statements:\n  - {who: x, may_not: [read], reason: quota}\n", 6, 23,
		    "one action is wanted" },
		{ HEAD AT "statements:\n  - {who: x, may: read, records: 3, run: 4}\n", 6, 42,
		    "at most all" },
		{ HEAD AT "statements:\n  - {who: x, may: read, because: [\"2\"]}\n", 6, 34,
		    "text is wanted" },
		{ HEAD AT "statements:\n  - {who: x, may: read, records: 01}\n", 6, 34,
		    "whole number" },
		{ HEAD AT "statements:\n  - {who: x, may: read, records: \"1\"}\n", 6, 34,
		    "whole number" },
		{ HEAD AT "statements:\n  - {who: x, may: read, records: 1000000000000001}\n", 6,
		    34, "whole number" },
		{ HEAD AT "statements:\n  - {who: x, may: read, used: {day: 2, life: 1}}\n", 6, 31,
		    "life is at least" },
		{ HEAD AT "statements:\n  - {who: x, may: read, used: {life: 2, party_life: 1}}\n",
		    6, 31, "party_ is at least" },
		{ HEAD AT "statements:\n  - {who: x, may: read, masks: [emial]}\n", 6, 33,
		    "masks are" },
		{ HEAD AT "statements:\n  - {who: x, may: read, left: {}}\n", 6, 31,
		    "names no limit" },
		{ HEAD AT "statements:\n  - {who: x, may: read, left: {per_day: 4294967295}}\n", 6,
		    41, "whole number" },
		{ HEAD AT "statements:\n  - {who: x, may: read, frozen: {party: a, person: x}}\n",
		    6, 33, "frozen is" },
		{ HEAD AT "statements:\n  - {who: x, may: read, frozen: {party: b}}\n", 6, 41,
		    "unknown party" },
		{ HEAD AT "statements:\n  - {who: x, may: read, approvals: [{by: x}, {by: x}]}\n",
		    6, 51, "approves here twice" },
		{ HEAD AT "statements:\n  - {who: x, may: read, approvals: [{by: z}]}\n", 6, 42,
		    "unknown person" },
		{ HEAD AT "statements:\n  - {who: x, may: read, matter: open}\n", 6, 33,
		    "unknown state of the matter" },
		{ HEAD AT "statements:\n  - {who: x, may: read, address: here}\n", 6, 34,
		    "an address" },
		{ HEAD AT "statements:\n  - {who: x, may: audit-list, log: theirs}\n", 6, 36,
		    "log is" },
		{ HEAD AT "statements:\n  - {who: x, may: audit-list, boxes: secret}\n", 6, 38,
		    "boxes are" },
		{ HEAD AT "statements:\n  - read\n", 6, 5, "must be a mapping" },
		{ HEAD "records: [{id: q, created: never}]\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 28, "a date" },
		{ HEAD "records: [{id: q, bates: ABC}]\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 26, "Bates" },
		{ HEAD "records: [{id: q, bates: ABC000}]\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 26, "Bates" },
		{ HEAD "records: [{id: q, bates: A1234567890123456}]\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 26, "Bates" },
		{ HEAD "records: [{id: q}, {id: q}]\n" AT "statements:\n  - {who: x, may: read}\n",
		    4, 25, "another record" },
		{ HEAD "records: [{id: q, messages: [{role: bot, text: t}]}]\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 37, "roles of messages" },
		{ HEAD "  - {id: x, capacity: expert}\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 10, "another person" },
		{ HEAD "  - {id: y, capacity: expart}\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 23, "unknown capacity \"expart\": did you mean expert?" },
		{ HEAD "  - {id: y, capacity: expert, acknowledged: yes}\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 45, "true or false" },
		{ HEAD "  - {id: y, capacity: expert, clearances: c}\n" AT
		       "statements:\n  - {who: x, may: read}\n",
		    4, 43, "unknown clearance" },
	};
	struct us_order *order = compile(small_order);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error(order, cases[i].source, cases[i].line, cases[i].column, cases[i].text);
	us_order_free(order);
}

/* ---- what a record outside the visible set cites ---- */

struct last {
	char statement[64], expected[160], found[160], why[512];
	size_t n;
};

static void
keep_last(void *ctx, const struct us_suite_result *r)
{
	struct last *last = ctx;

	(void)snprintf(last->statement, sizeof(last->statement), "%s", r->statement);
	(void)snprintf(last->expected, sizeof(last->expected), "%s", r->expected);
	(void)snprintf(last->found, sizeof(last->found), "%s", r->found);
	(void)snprintf(last->why, sizeof(last->why), "%s", r->why);
	last->n++;
}

static void
test_texts(void **state)
{
	(void)state;
	static const struct {
		const char *statement, *said, *expected, *found, *why;
	} cases[] = {
		{ "{who: x, may: read, record: m}", "x may read m", "allowed", "allowed under 2",
		    "r (2): permits; its query finds the record\n"
		    "f (3): takes records out; its query does not find the record\n" },
		{ "{who: x, may: read, record: other}", "x may read other", "allowed",
		    "refused under 1, not-visible",
		    "r (2): permits; its query does not find the record\n"
		    "f (3): takes records out; its query does not find the record\n" },
		{ "{who: x, may_not: read, record: hidden, reason: quota}", "x may not read hidden",
		    "refused, quota", "refused under 3, not-visible",
		    "r (2): permits; its query finds the record\nf (3): takes records out; its "
		    "query finds the record\n" },
		{ "{who: x, may: copy, masks: none, left: {life: 3}, fewer_than: 0}", "x may copy",
		    "allowed; masks none; left life 3; numbers exact",
		    "refused under 1, not-in-order; masks none; left life unlimited; numbers exact",
		    "r (2): does not fit: action\nf (3): takes records out\n" },
	};
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_order *order = compile(small_order);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct us_suite_counts counts;
		struct last last = { .n = 0 };
		struct us_suite *suite;
		char source[1024];

		(void)snprintf(source, sizeof(source),
		    HEAD "records:\n  - {id: m, model: M}\n  - {id: other, model: n}\n"
			 "  - {id: hidden, model: m, messages: [{role: user, text: a Secret}]}\n" AT
			 "statements:\n  - %s\n",
		    cases[i].statement);
		assert_int_equal(us_suite_parse(us_bytes_of(source), &suite, f), US_OK);
		assert_int_equal(us_suite_bind(suite, order, f), US_OK);
		assert_int_equal(us_suite_run(suite, keep_last, &last, &counts), US_OK);
		assert_int_equal(last.n, 1);
		assert_int_equal(counts.failed, i == 0 ? 0 : 1);
		assert_string_equal(last.statement, cases[i].said);
		assert_string_equal(last.expected, cases[i].expected);
		assert_string_equal(last.found, cases[i].found);
		assert_string_equal(last.why, cases[i].why);
		us_suite_free(suite);
	}
	us_order_free(order);
	free(f);
}

/* ---- what a record says of itself ---- */

static void
expect_seen(const char *query, int seen)
{
	static const char records[] =
	    "records:\n"
	    "  - {id: r, designation: Secret Matters, model: GPT-4, language: en, created: "
	    "2024-03-01, bates: LOGS000000012,\n"
	    "     messages: [{role: user, text: two words}, {role: assistant, text: Answer}]}\n";
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_suite_counts counts;
	struct us_suite *suite;
	char order_source[1024], source[1024];

	(void)snprintf(order_source, sizeof(order_source),
	    "order: {title: T, version: 1}\ndefault: {paragraph: \"1\"}\n"
	    "parties: [{id: a, name: A, roster_signers: [{person: P, capacity: "
	    "outside-counsel}]}]\n"
	    "rules:\n  - {id: r, paragraph: \"2\", effect: permit, who: {party: a, capacity: "
	    "expert}, what: {query: '%s'},\n"
	    "     actions: read}\n",
	    query);
	struct us_order *order = compile(order_source);
	(void)snprintf(source, sizeof(source),
	    HEAD "%s" AT "statements:\n  - {who: x, %s: read, record: r}\n", records,
	    seen ? "may" : "may_not");
	assert_int_equal(us_suite_parse(us_bytes_of(source), &suite, f), US_OK);
	assert_int_equal(us_suite_bind(suite, order, f), US_OK);
	assert_int_equal(us_suite_bind(suite, order, f), US_ERR_STATE);
	assert_int_equal(us_suite_run(suite, NULL, NULL, &counts), US_OK);
	assert_int_equal(counts.statements, 1);
	if (counts.failed != 0)
		fail_msg("%s", query);
	us_suite_free(suite);
	us_order_free(order);
	free(f);
}

static void
test_records(void **state)
{
	(void)state;
	static const char *const finds[] = { "model:gpt-4", "language:EN",
		"designation:\"secret matters\"", "date:2024-03-01", "date:2024-03-01..2024-03-02",
		"bates:LOGS12", "bates:LOGS12..LOGS13", "role:user", "role:assistant",
		"\"two words\"", "answer" };
	static const char *const misses[] = { "model:gpt", "language:fr", "designation:secret",
		"date:2024-02", "date:..2024-02-29", "bates:LOGS11", "bates:LOGS13",
		"bates:OTHER12", "role:system", "role:tool", "\"words two\"", "\"words answer\"" };

	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++)
		expect_seen(finds[i], 1);
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++)
		expect_seen(misses[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
