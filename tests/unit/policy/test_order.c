/* Orders: the examples compile, the compiled form is strict and canonical, errors have their
 * places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/time.h"
#include "policy/evaluate.h"
#include "policy/yaml/yaml.h"

static void
read_file(const char *name, struct us_buf *out)
{
	char path[512];
	uint8_t chunk[4096];
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/policy/orders/%s", US_SOURCE_DIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(us_buf_put(out, chunk, n), US_OK);
	(void)fclose(f);
}

static void
compile_example(const char *name, struct us_buf *compiled)
{
	struct us_findings *f = calloc(1, sizeof(*f));
	struct us_buf source;
	uint8_t digest[32];
	struct us_order *order;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	read_file(name, &source);
	int err = us_order_compile((struct us_bytes){ source.data, source.len }, compiled, f);
	assert_int_equal(err, US_OK);
	/* in an example there is nothing to warn of, but that it looks ahead */
	for (size_t i = 0; i < f->n; i++)
		if (strstr(f->items[i].text, " is about what nothing performs yet: ") == NULL)
			fail_msg("%s:%u:%u: %s", name, f->items[i].line, f->items[i].column,
			    f->items[i].text);
	assert_int_equal(us_order_decode(compiled->data, compiled->len, &order), US_OK);
	assert_int_equal(us_sha256(source.data, source.len, digest), US_OK);
	assert_memory_equal(digest, order->source_digest, 32);
	us_order_free(order);
	us_buf_free(&source);
	free(f);
}

static void
test_examples(void **state)
{
	(void)state;
	static const char *const names[] = { "demo.yaml", "sdny-stipulated.yaml",
		"inspection-protocol.yaml", "chat-logs.yaml" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct us_order *order;
		struct us_buf compiled, again;
		us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
		us_buf_init(&again, US_ORDER_COMPILED_MAX);
		compile_example(names[i], &compiled);
		assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
		assert_int_equal(us_order_encode(order, &again), US_OK);
		assert_int_equal(again.len, compiled.len);
		assert_memory_equal(again.data, compiled.data, again.len);
		us_order_free(order);
		us_buf_free(&compiled);
		us_buf_free(&again);
	}
}

/* The inspection protocol, one condition after the other. */
static void
test_inspection(void **state)
{
	static const struct {
		const char *at, *from, *purpose;
		enum us_capacity capacity;
		enum us_action action;
		uint64_t records;
		enum us_reason reason;
		const char *paragraph;
	} cases[] = {
		/* a Tuesday in June, 10:00 in New York */
		{ "2026-06-02T14:00:00Z", "10.20.3.4:5555", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 25, US_REASON_NONE, "4(a)" },
		{ "2026-06-02T12:59:59Z", "10.20.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_HOURS, "4(a)" },
		{ "2026-12-25T16:00:00Z", "10.20.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_HOURS, "4(a)" },
		{ "2026-06-06T16:00:00Z", "10.20.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_HOURS, "4(a)" },
		{ "2028-01-05T15:00:00Z", "10.20.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_PERIOD, "4(a)" },
		{ "2026-06-02T14:00:00Z", "10.21.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_NETWORK, "4(a)" },
		{ "2026-06-02T14:00:00Z", "[2001:db8:20::9]:1", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_NONE, "4(a)" },
		{ "2026-06-02T14:00:00Z", "", "damages", US_CAPACITY_EXPERT, US_ACTION_READ, 1,
		    US_REASON_NETWORK, "4(a)" },
		{ "2026-06-02T14:00:00Z", "10.20.3.4", "curiosity", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 1, US_REASON_PURPOSE_MISSING, "4(a)" },
		{ "2026-06-02T14:00:00Z", "10.20.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_READ, 26, US_REASON_QUOTA, "4(a)" },
		{ "2026-06-02T14:00:00Z", "10.20.3.4", "damages", US_CAPACITY_EXPERT,
		    US_ACTION_COPY, 1, US_REASON_NOT_IN_ORDER, "2" },
		{ "2026-06-02T14:00:00Z", "1.2.3.4", "why", US_CAPACITY_HOUSE_COUNSEL,
		    US_ACTION_COUNT, 0, US_REASON_NONE, "4(d)" },
		{ "2026-06-02T14:00:00Z", "1.2.3.4", "why", US_CAPACITY_HOUSE_COUNSEL,
		    US_ACTION_READ, 1, US_REASON_NOT_IN_ORDER, "2" },
		{ "2026-06-02T14:00:00Z", "1.2.3.4", "damages", US_CAPACITY_VENDOR, US_ACTION_READ,
		    10, US_REASON_NONE, "4(c)" },
	};
	struct us_buf compiled;
	struct us_order *order;

	(void)state;
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	compile_example("inspection-protocol.yaml", &compiled);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	us_buf_free(&compiled);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct us_subject s = { .person = 1, .capacity = cases[i].capacity, .parties = 1 };
		struct us_context c = { .purpose = us_bytes_of(cases[i].purpose),
			.records = cases[i].records,
			.collection = us_bytes_of("logs"),
			.credential_bits = 128,
			.credential_days = 365 };
		struct us_ruling r;

		assert_int_equal(us_time_parse(cases[i].at, strlen(cases[i].at), &c.now_ns), US_OK);
		c.has_address = us_address_parse(c.address, us_bytes_of(cases[i].from)) == US_OK;
		us_order_evaluate(order, &s, cases[i].action, &c, &r);
		if (r.reason != cases[i].reason || !us_bytes_is(r.paragraph, cases[i].paragraph))
			fail_msg("case %zu: %s, paragraph %.*s", i,
			    us_reason_name((unsigned)r.reason), (int)r.paragraph.n,
			    (const char *)r.paragraph.p);
		assert_int_equal(us_mask_hides_text(&r.mask),
		    cases[i].capacity == US_CAPACITY_VENDOR);
		c.credential_days = 400;
		us_order_evaluate(order, &s, cases[i].action, &c, &r);
		if (cases[i].capacity == US_CAPACITY_EXPERT && cases[i].reason == US_REASON_NONE)
			assert_int_equal(r.reason, US_REASON_CREDENTIAL);
	}
	us_order_free(order);
}

/* Every cut, every left-over byte and every flipped bit is refused or gives a canonical order. */
static void
test_strict(void **state)
{
	(void)state;
	struct us_buf compiled, again;
	struct us_order *order;
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	us_buf_init(&again, US_ORDER_COMPILED_MAX);
	compile_example("demo.yaml", &compiled);
	for (size_t n = 0; n < compiled.len; n++) {
		uint8_t *cut = malloc(n == 0 ? 1 : n);
		memcpy(cut, compiled.data, n);
		assert_int_not_equal(us_order_decode(cut, n, &order), US_OK);
		assert_null(order);
		free(cut);
	}
	size_t len = compiled.len;
	assert_int_equal(us_buf_put_u8(&compiled, 0), US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_ERR_TRAILING);
	for (size_t bit = 0; bit < len * 8; bit++) {
		compiled.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		if (us_order_decode(compiled.data, len, &order) == US_OK) {
			us_buf_reset(&again);
			assert_int_equal(us_order_encode(order, &again), US_OK);
			assert_int_equal(again.len, len);
			assert_memory_equal(again.data, compiled.data, len);
			us_order_free(order);
		}
		compiled.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	us_buf_free(&compiled);
	us_buf_free(&again);
}

#define HEAD "order: {title: T, version: 1}\ndefault: {paragraph: \"1\"}\n"
#define PARTIES \
	"parties:\n" \
	"  - {id: p, name: P, roster_signers: [{person: S, capacity: expert}]}\n"
#define RULE(rest) HEAD PARTIES "rules:\n  - {id: r, paragraph: \"2\", effect: permit, " rest "}\n"
#define WHO "who: {party: p, capacity: expert}, "

static const struct {
	const char *yaml;
	unsigned line, column;
	const char *text; /* part of a finding */
	int warning;
} bad[] = {
	{ "", 0, 0, "empty", 0 },
	{ "a: b\n", 1, 1, "unknown key \"a\"", 0 },
	{ "order: &x {title: T, version: 1}\n", 1, 8, "anchors", 0 },
	{ "order: *x\n", 1, 8, "aliases", 0 },
	{ "order: !t {title: T, version: 1}\n", 1, 8, "tags", 0 },
	{ "%YAML 1.1\n---\na: b\n", 1, 1, "directives", 0 },
	{ "a: b\n---\nc: d\n", 2, 1, "second document", 0 },
	{ "? [a]\n: b\n", 1, 3, "a key must be text", 0 },
	{ "a: [[[[[[[[[[]]]]]]]]]]\n", 1, 11, "nested too deeply", 0 },
	{ "a: {b\n", 2, 1, "not YAML", 0 },
	{ "a: \"\\q\"\n", 1, 5, "not YAML", 0 },
	{ "- a\n", 1, 1, "must be a mapping", 0 },
	{ "order: {titel: T, version: 1}\n", 1, 9, "did you mean title?", 0 },
	{ HEAD PARTIES "rulez: []\nrules: []\n", 5, 1, "did you mean rules?", 0 },
	{ HEAD PARTIES "rules: []\n", 5, 8, "list of 1 to 512", 0 },
	{ HEAD "parties: []\nrules: []\n", 3, 10, "list of 1 to 64", 0 },
	{ "order: {title: T, version: 0}\n", 1, 28, "whole number", 0 },
	{ "order: {title: T, version: 1, version: 2}\n", 1, 31, "twice", 0 },
	{ RULE("who: {party: q, capacity: expert}, what: all, actions: read"), 6, 58,
	    "unknown party", 0 },
	{ RULE("who: {party: p, capacity: expart}, what: all, actions: read"), 6, 71,
	    "did you mean expert?", 0 },
	{ RULE(WHO "what: all, actions: raed"), 6, 100, "did you mean read?", 0 },
	{ RULE(WHO "what: all, actions: []"), 6, 100, "empty list", 0 },
	{ RULE(WHO "what: all, actions: read, conditions: {hours: c}"), 6, 126,
	    "unknown calendar \"c\"", 0 },
	{ RULE(WHO "what: all, actions: read, conditions: {period: c}"), 6, 127,
	    "unknown period \"c\"", 0 },
	{ RULE(WHO "what: all, actions: read, conditions: {networks: 10.1.2.3/8}"), 6, 129,
	    "a network is wanted", 0 },
	{ RULE(WHO "what: all, actions: read, conditions: {credential: {bits: 512}}"), 6, 138,
	    "as strong as that", 0 },
	{ RULE(WHO "what: all, actions: read, conditions: {}"), 6, 118, "without a condition", 0 },
	{ RULE(WHO "what: all, actions: read, masks: {roles: judge}"), 6, 121, "roles of messages",
	    0 },
	{ RULE(WHO "what: all, actions: read, masks: {identifiers: mail}"), 6, 127,
	    "classes of identifiers", 0 },
	{ RULE(WHO "what: all, actions: read, log: self"), 6, 111, "log belongs", 0 },
	{ HEAD PARTIES "calendars: [{id: c, time_zone: Mars/Base, days: monday}]\nrules: []\n", 5,
	    32, "no time zone", 0 },
	{ HEAD PARTIES "calendars: [{id: c, time_zone: UTC, days: monday, hours: "
		       "\"18:00-09:00\"}]\nrules: []\n",
	    5, 58, "hours of one day", 0 },
	{ HEAD PARTIES "periods: [{id: p, from: 2026-01-02T00:00:00Z, until: "
		       "2026-01-01T00:00:00Z}]\nrules: []\n",
	    5, 11, "ends after it begins", 0 },
	{ RULE(WHO "what: all, actions: batch-close"), 6, 100, "machine's own", 0 },
	{ RULE(WHO "actions: person-sign"), 6, 89, "nothing performs person-sign, nor is to", 0 },
	{ RULE(WHO "actions: [person-list, order-set]"), 6, 103, "no rule can permit it", 0 },
	{ RULE(WHO "what: all, actions: [match, read, sweep]"), 6, 100,
	    "rule r is about what nothing performs yet: match, sweep", 1 },
	{ RULE(WHO "actions: [audit-keys, audit-list], boxes: all"), 6, 89,
	    "performs yet: audit-list", 1 },
	{ RULE(WHO "actions: read"), 6, 5, "lacks what", 0 },
	{ RULE(WHO "what: some, actions: read"), 6, 86, "what is \"all\"", 0 },
	{ RULE(WHO "what: {query: 'a AND'}, actions: read"), 6, 0, "the query of rule r", 0 },
	{ RULE("who: {party: any, capacity: any}, what: all, actions: read"), 6, 5,
	    "administrators or keyholders", 0 },
	{ RULE(WHO "actions: audit"), 6, 5, "lacks boxes", 0 },
	{ RULE(WHO "what: all, actions: read, boxes: all"), 6, 113, "boxes belong", 0 },
	{ RULE(WHO "what: all, actions: read, conditions: {purpose: maybe}"), 6, 128, "purpose is",
	    0 },
	{ RULE(WHO "what: all, actions: read, conditions: {purpose: listed}"), 6, 128,
	    "lists no purposes", 0 },
	{ RULE(WHO "what: all, actions: read, limits: {records_per_request: 1_000}"), 6, 136,
	    "whole number", 0 },
	{ HEAD "parties:\n  - {id: p, name: P}\nrules: []\n", 4, 5, "lacks roster_signers", 0 },
	{ HEAD "parties:\n  - {id: p, name: P, roster_signers: [{person: S, capacity: "
	       "administrator}]}\nrules: []\n",
	    4, 61, "cannot be who signs", 0 },
	{ RULE(WHO "what: all, actions: read") "  - {id: r, paragraph: \"2\", effect: permit, " WHO
					       "what: all, actions: read}\n",
	    7, 10, "has this id", 0 },
	{ RULE(WHO "what: all, actions: read") "  - {id: f, paragraph: \"3\", effect: forbid, who: "
					       "{party: any, capacity: any}, what: all, actions: "
					       "[read, search]}\n",
	    6, 5, "can never apply", 1 },
	{ RULE(WHO "what: all, actions: read") "  - {id: f, paragraph: \"3\", effect: forbid, who: "
					       "{party: any, capacity: any}, what: all, actions: "
					       "copy}\n",
	    7, 5, "forbids what no rule permits", 1 },
};

static void
test_errors(void **state)
{
	struct us_findings *f = calloc(1, sizeof(*f));
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct us_buf compiled;
		us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
		int err = us_order_compile(us_bytes_of(bad[i].yaml), &compiled, f);
		if (f->n == 0)
			(void)snprintf(f->items[f->n++].text, sizeof(f->items[0].text),
			    "nothing found");
		const struct us_finding *first = &f->items[0];
		for (size_t k = 0; k < f->n; k++)
			if (strstr(f->items[k].text, bad[i].text) != NULL)
				first = &f->items[k];
		if (err != (bad[i].warning ? US_OK : US_ERR_FORMAT) ||
		    strstr(first->text, bad[i].text) == NULL || first->line != bad[i].line ||
		    (bad[i].column != 0 && first->column != bad[i].column))
			print_message("%zu: %u:%u: %s (err %d), wanted %u:%u %s\n", i, first->line,
			    first->column, first->text, err, bad[i].line, bad[i].column,
			    bad[i].text),
			    wrong++;
		if (err != US_OK)
			assert_int_equal(compiled.len, 0);
		us_buf_free(&compiled);
	}
	free(f);
	assert_int_equal(wrong, 0);
}

static void
test_none(void **state)
{
	struct us_buf source, compiled;
	struct us_order *order;

	(void)state;
	us_buf_init(&source, 1000);
	us_buf_init(&compiled, 1000);
	assert_int_equal(us_order_none(&source, &compiled), US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	assert_int_equal(order->n_rules, 0);
	us_order_free(order);
	us_buf_free(&source);
	us_buf_free(&compiled);
}

static void
test_text(void **state)
{
	(void)state;
	assert_true(us_text_ok(us_bytes_of("Zoë O'Brien-山田"), 64));
	assert_false(us_text_ok(us_bytes_of(""), 64));
	assert_false(us_text_ok(us_bytes_of(" a"), 64));
	assert_false(us_text_ok(us_bytes_of("a "), 64));
	assert_false(us_text_ok(us_bytes_of("a\nb"), 64));
	assert_false(us_text_ok(us_bytes_of("a\xe2\x80\xae"
					    "b"),
	    64)); /* right-to-left override */
	assert_false(us_text_ok(us_bytes_of("a\xe2\x80\x8b"
					    "b"),
	    64)); /* zero width space */
	assert_false(us_text_ok(us_bytes_of("a\xff"), 64));
	assert_false(us_text_ok(us_bytes_of("abc"), 2));
	assert_true(us_id_ok(us_bytes_of("a.b-c_1"), 64));
	assert_false(us_id_ok(us_bytes_of("-a"), 64));
	assert_false(us_id_ok(us_bytes_of("A"), 64));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_inspection),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
