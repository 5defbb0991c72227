/* The YAML form: all that an order can say comes out of its compiled form again; wrong forms have
 * their places; what makes no sense is warned of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "policy/order.h"
#include "policy/yaml/yaml.h"
#include "evidence/query/query.h"

static struct us_findings findings; /* too large for a stack */

/* NULL with the findings. */
static struct us_order *
compile(struct us_bytes source)
{
	struct us_order *order = NULL;
	struct us_buf compiled;

	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	if (us_order_compile(source, &compiled, &findings) == US_OK)
		assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	else
		assert_int_equal(compiled.len, 0);
	us_buf_free(&compiled);
	return order;
}

static void
print_findings(void)
{
	for (size_t i = 0; i < findings.n; i++)
		print_message("%u:%u: %s\n", findings.items[i].line, findings.items[i].column,
		    findings.items[i].text);
}

static struct us_order *
compile_everything(void)
{
	static uint8_t bytes[16384];
	FILE *f = fopen(US_SOURCE_DIR "/tests/unit/policy/everything.yaml", "rb");

	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	assert_in_range(n, 1, sizeof(bytes) - 1);
	struct us_order *order = compile((struct us_bytes){ bytes, n });
	print_findings();
	assert_non_null(order);
	assert_int_equal(findings.n, 0);
	return order;
}

#define IS(bytes, text) assert_true(us_bytes_is(bytes, text))
#define CAPACITY(name) US_CAPACITY_BIT(US_CAPACITY_##name)

static void
test_definitions(void **state)
{
	struct us_order *o = compile_everything();
	int64_t ns;

	(void)state;
	assert_int_equal(o->version, 3);
	assert_int_equal(o->home_calendar, 1);
	assert_int_equal(o->n_designations, 3);
	IS(o->designations[0].name, "ATTORNEYS' EYES ONLY");
	IS(o->designations[1].name, "CONFIDENTIAL");
	IS(o->designations[2].name, "so-called \"public\"");
	assert_int_equal(o->n_matter_states, 4);
	IS(o->matter_states[0], "open");
	IS(o->matter_states[3], "exhausted");
	assert_int_equal(o->n_clearances, 2);
	const struct us_clearance *vendor = &o->clearances[0], *expert = &o->clearances[1];
	IS(vendor->id, "vendor");
	assert_int_equal(vendor->serve, 2);
	assert_int_equal(vendor->days, 7);
	assert_int_equal(vendor->working_only, 0);
	assert_int_equal(vendor->confirm.n, 1);
	assert_int_equal(vendor->confirm.alternatives[0], 4);
	IS(expert->paragraph, "7.4");
	assert_int_equal(expert->serve, 6);
	assert_int_equal(expert->days, 14);
	assert_int_equal(expert->working_only, 1);
	assert_int_equal(expert->confirm.n, 2);
	assert_int_equal(expert->confirm.alternatives[0], 4);
	assert_int_equal(expert->confirm.alternatives[1], 3);
	const struct us_workflows *w = &o->workflows;
	IS(w->acknowledgement_paragraph, "Exhibit A");
	assert_int_equal(w->carries_over, 1);
	assert_int_equal(us_time_parse("2026-06-01T00:00:00Z", 20, &ns), US_OK);
	assert_true(w->renew_by_ns == ns);
	assert_int_equal(w->amend.n, 2);
	assert_int_equal(w->amend.alternatives[1], 3);
	assert_int_equal(w->may_suspend, 4);
	assert_int_equal(w->may_freeze, 5);
	assert_int_equal(w->lift.n, 1);
	assert_int_equal(w->lift.alternatives[0], 4);
	assert_int_equal(w->clawback_visible, CAPACITY(COURT) | CAPACITY(SPECIAL_MASTER));
	assert_int_equal(w->may_resolve, 4);
	assert_int_equal(w->confer_days, 14);
	assert_int_equal(w->move_days, 21);
	us_order_free(o);
}

static void
test_rules(void **state)
{
	struct us_order *o = compile_everything();

	(void)state;
	const struct us_rule *r = &o->rules[0];
	/* designations and categories in the order of their lists, each part by itself */
	IS(r->what,
	    "(a OR b) AND (designation:\"ATTORNEYS' EYES ONLY\" OR designation:\"CONFIDENTIAL\") "
	    "AND "
	    "((created:..2020 OR draft) OR (model:test)) AND NOT (model:gpt-4 AND \"board "
	    "minutes\")");
	const struct us_conditions *c = &r->conditions;
	assert_int_equal(c->acknowledgement, 1);
	assert_int_equal(c->clearance, 2);
	assert_int_equal(c->matter_states, 5);
	assert_int_equal(c->period, 1);
	assert_int_equal(c->calendar, 1);
	assert_int_equal(c->n_networks, 1);
	assert_int_equal(c->credential_bits, 128);
	assert_int_equal(c->credential_days, 365);
	assert_int_equal(c->purpose, US_PURPOSE_LISTED);
	assert_int_equal(c->approval.count, 2);
	assert_int_equal(c->approval.any_party, 0);
	assert_int_equal(c->approval.parties, 4);
	assert_int_equal(c->approval.capacities, CAPACITY(COURT) | CAPACITY(SPECIAL_MASTER));
	assert_int_equal(c->approval.hours, 48);
	assert_int_equal(r->limits.records_per_request, 25);
	assert_int_equal(r->limits.consecutive, 10);
	assert_int_equal(r->limits.per_day, 500);
	assert_int_equal(r->limits.life, 20000);
	assert_int_equal(r->limits.share, 5000);
	assert_int_equal(r->limits.per, US_PER_PARTY);
	assert_int_equal(r->mask.except_match, 1);
	assert_int_equal(r->mask.identifiers, US_IDENTIFIERS_ALL);
	r = &o->rules[1];
	IS(r->what, "NOT (created:..2020 OR draft)");
	assert_int_equal(r->conditions.clearance, 1);
	assert_int_equal(r->conditions.acknowledgement, 0);
	assert_int_equal(r->conditions.matter_states, 0);
	assert_int_equal(r->conditions.approval.any_party, 1);
	assert_int_equal(r->conditions.approval.capacities, US_CAPACITY_ANY);
	assert_int_equal(r->limits.share, US_MILLION);
	assert_int_equal(r->limits.records_per_request, US_UNLIMITED);
	assert_int_equal(r->limits.per, US_PER_PERSON);
	IS(o->rules[2].what, "(designation:\"ATTORNEYS' EYES ONLY\")");
	assert_int_equal(o->rules[3].is_query, 0);
	assert_int_equal(o->rules[4].log_scope, US_LOG_OF_OWN_PARTY);
	us_order_free(o);
}

/* ---- wrong and strange forms ---- */

#define HEAD \
	"order: {title: T, version: 1}\ndefault: {paragraph: \"1\"}\n" \
	"parties:\n  - {id: p, name: P, roster_signers: [{person: S, capacity: expert}]}\n" \
	"  - {id: court, name: C, roster_signers: [{person: J, capacity: court}]}\n"
/* line 6 */
#define AMEND "workflows: {amend: court}\n"
#define RULES \
	"rules:\n" \
	"  - {id: r, paragraph: \"2\", effect: permit, who: {party: [p, court], capacity: " \
	"expert}, what: all, actions: read}\n"
#define TOP(text) HEAD text RULES
#define FLOW(text) HEAD "workflows: {" text "}\n" RULES
/* The rule's own keys stand in line 13, after two blanks. */
#define DEFS \
	"designations: [SECRET, OPEN]\n" \
	"categories: [{id: ca, query: 'a b'}, {id: cb, query: 'c'}]\n" \
	"matter: [open, closed]\n" \
	"clearances: [{id: cl, paragraph: \"3\", serve: p, days: 3, confirm: court}]\n"
#define RULE13(effect, text) \
	HEAD AMEND DEFS "rules:\n" \
			"- {id: r, paragraph: \"2\", effect: " effect \
			", who: {party: [p, court], capacity: expert}, " \
			"actions: read,\n  " text "}\n"
#define PERMIT(text) RULE13("permit", text)

/* A list of rules with one; what begins in column 11 of its second line. */
#define READ0(what) \
	"rules:\n" \
	"  - {id: r, paragraph: \"2\", effect: permit, who: {party: [p, court], capacity: " \
	"expert}, actions: read,\n" \
	"    what: " what "}\n"

struct form {
	const char *yaml;
	unsigned line, column;
	const char *text;
};

static const struct form bad[] = {
	{ TOP("designations: []\n"), 6, 15, "list of 1 to 32" },
	{ TOP("designations: X\n"), 6, 15, "list of 1 to 32" },
	{ TOP("designations: [A, [B]]\n"), 6, 19, "text is wanted" },
	{ TOP("designations: [Secret, B, SECRET]\n"), 6, 27, "twice" },
	{ TOP("designations: ['*']\n"), 6, 16, "no query could name" },
	{ TOP("designation: [A]\n"), 6, 1, "did you mean designations?" },
	{ TOP("categories: [{id: c}]\n"), 6, 14, "lacks query" },
	{ TOP("categories: [{id: c, query: a}, {id: c, query: b}]\n"), 6, 38, "another category" },
	{ TOP("categories: [{id: c, query: 'a) OR (b'}]\n"), 6, 31, "the query of category c" },
	{ TOP("matter: []\n"), 6, 9, "list of 1 to 16" },
	{ TOP("matter: [open, open]\n"), 6, 16, "twice" },
	{ TOP("matter: [Open]\n"), 6, 10, "an identifier" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3}]\n"), 6, 14,
	    "lacks confirm" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: q, days: 3, confirm: p}]\n"), 6, 45,
	    "unknown party \"q\"" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: [], days: 3, confirm: p}]\n"), 6, 45,
	    "empty list" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 0, confirm: p}]\n"), 6, 54,
	    "whole number" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3651, confirm: p}]\n"), 6, 54,
	    "3650 is the most" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3, working_days: yes, "
	      "confirm: p}]\n"),
	    6, 71, "true or false" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3, working_days: \"true\", "
	      "confirm: p}]\n"),
	    6, 71, "true or false" },
	{ FLOW(""), 6, 12, "without a workflow" },
	{ FLOW("amend: []"), 6, 20, "list of 1 to 8" },
	{ FLOW("amend: curt"), 6, 20, "did you mean court?" },
	{ FLOW("amend: [court]"), 6, 21, "each alternative is a list" },
	{ FLOW("amend: [[]]"), 6, 21, "empty list" },
	{ FLOW("amend: [[court, p], [p, court]]"), 6, 33, "alternative stands here twice" },
	{ FLOW("amend: [[court, q]]"), 6, 29, "unknown party" },
	{ FLOW("ammend: court"), 6, 13, "did you mean amend?" },
	{ FLOW("suspend: [[court]]"), 6, 23, "text is wanted" },
	{ FLOW("freeze: any"), 6, 21, "unknown party \"any\"" },
	{ FLOW("clawback_visible: any"), 6, 31, "unknown capacity" },
	{ FLOW("clawback_visible: [cort]"), 6, 32, "did you mean court?" },
	{ FLOW("resolve: []"), 6, 22, "empty list" },
	{ FLOW("challenge: {}"), 6, 24, "lacks confer_days" },
	{ FLOW("challenge: {move_days: 9999}"), 6, 36, "3650 is the most" },
	{ FLOW("acknowledgement: {}"), 6, 30, "lacks paragraph" },
	{ FLOW("acknowledgement: {paragraph: A, renew_by: 2026-06-01T00:00:00Z}"), 6, 55,
	    "carries_over" },
	{ FLOW("acknowledgement: {paragraph: A, carries_over: true, renew_by: 2026-06-01}"), 6, 75,
	    "a time in UTC" },
	{ PERMIT("what: {}"), 13, 9, "what names nothing" },
	{ PERMIT("what: {quary: a}"), 13, 10, "did you mean query?" },
	{ PERMIT("what: {designation: SECRETS}"), 13, 23, "did you mean SECRET?" },
	{ PERMIT("what: {designation: []}"), 13, 23, "empty list" },
	{ PERMIT("what: {query: 'designation:SECRETS'}"), 13, 18,
	    "no designation \"secrets\": did you mean SECRET?" },
	{ PERMIT("what: {query: 'a OR NOT (b designation:\"top drawer\")', designation: OPEN}"), 13,
	    30, "no designation \"top drawer\"" },
	{ HEAD AMEND "designations: [\"ATTORNEYS' EYES ONLY\", OPEN]\ncategories: [{id: ca, "
		     "query: 'a designation:\"Attorneys\xe2\x80\x99 Eyes Only\"'}]\n" RULES,
	    8, 33,
	    "the query of category ca: the order's list has no designation "
	    "\"attorneys\\xe2\\x80\\x99 eyes only\": "
	    "did you mean ATTORNEYS' EYES ONLY?" },
	{ HEAD AMEND "designations: [\"ATTORNEYS' EYES ONLY\", OPEN]\n" READ0(
	      "{designation: \"ATTORNEYS\xe2\x80\x99 EYES ONLY\"}"),
	    10, 25, "did you mean ATTORNEYS' EYES ONLY?" },
	{ PERMIT("what: {query: 'a or b'}"), 13, 20, "write OR, in capitals and alone" },
	{ PERMIT("what: {query: a Not b}"), 13, 19, "write NOT, in capitals and alone" },
	{ PERMIT("what: {query: '(a and designation:open)'}"), 13, 21,
	    "write AND, in capitals and alone" },
	{ TOP("categories: [{id: c, query: 'not a'}]\n"), 6, 30,
	    "the query of category c: \"not\" would be looked for" },
	{ PERMIT("what: {designation: [SECRET, Secret]}"), 13, 32, "twice" },
	{ PERMIT("what: {category: cc}"), 13, 20, "unknown category \"cc\": did you mean ca?" },
	{ PERMIT("what: {except: [ca, ca]}"), 13, 23, "twice" },
	{ PERMIT("what: {query: 'a) OR (b', category: ca}"), 13, 19, "the query of rule r" },
	{ PERMIT("what: {query: 'a\"', category: ca}"), 13, 19, "not closed" },
	{ TOP("") "  - {id: s, paragraph: \"2\", effect: permit, who: {party: p, capacity: court}, "
		  "actions: read,\n"
		  "    what: {designation: A}}\n",
	    9, 25, "unknown designation \"A\"" },
	{ PERMIT("what: all, conditions: {acknowledgement: false}"), 13, 44,
	    "acknowledgement is true, or" },
	{ PERMIT("what: all, conditions: {clearance: cm}"), 13, 38, "did you mean cl?" },
	{ PERMIT("what: all, conditions: {matter: [opn]}"), 13, 36,
	    "unknown state of the matter \"opn\": did you mean open?" },
	{ PERMIT("what: all, conditions: {matter: []}"), 13, 35, "empty list" },
	{ PERMIT("what: all, conditions: {approvals: {count: 0, party: any, capacity: any, hours: "
		 "1}}"),
	    13, 46, "whole number" },
	{ PERMIT("what: all, conditions: {approvals: {count: 9, party: any, capacity: any, hours: "
		 "1}}"),
	    13, 46, "8 is the most" },
	{ PERMIT(
	      "what: all, conditions: {approvals: {count: 1, party: [], capacity: any, hours: 1}}"),
	    13, 56, "empty list" },
	{ PERMIT("what: all, conditions: {approvals: {count: 1, party: any, capacity: jury, hours: "
		 "1}}"),
	    13, 71, "unknown capacity" },
	{ PERMIT("what: all, conditions: {approvals: {count: 1, party: any, capacity: any}}"), 13,
	    38, "lacks hours" },
	{ PERMIT("what: all, conditions: {approvals: {count: 1, party: any, capacity: any, hours: "
		 "65536}}"),
	    13, 83, "65535 is the most" },
	{ PERMIT("what: all, limits: {}"), 13, 22, "without a limit" },
	{ PERMIT("what: all, limits: {consecutive: 65537}"), 13, 36, "65536 is the most" },
	{ PERMIT("what: all, limits: {per_day: 0}"), 13, 32, "whole number" },
	{ PERMIT("what: all, limits: {life: -1}"), 13, 29, "whole number" },
	{ PERMIT("what: all, limits: {share: 0.5}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 0%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 0.0000%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 0.00001%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 100.0001%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 05%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 5.%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: .5%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 1000%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 5%%}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {share: 5}"), 13, 30, "a share is wanted" },
	{ PERMIT("what: all, limits: {life: 5, per: firm}"), 13, 37, "per is" },
	{ PERMIT("what: all, limits: {records_per_request: 5, per: party}"), 13, 52,
	    "per says whose" },
	{ PERMIT("what: all, masks: {except_match: 1}"), 13, 36, "except_match is true, or" },
	{ RULE13("forbid", "what: all, conditions: {acknowledgement: true}"), 13, 26,
	    "a prohibition has no" },
	{ RULE13("forbid", "what: all, limits: {life: 5}"), 13, 22, "a prohibition has no" },
};

static int
compare(const struct form *forms, size_t n, enum us_severity severity)
{
	int wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct us_order *order = compile(us_bytes_of(forms[i].yaml));
		int found = 0;

		for (size_t k = 0; k < findings.n; k++)
			found |= findings.items[k].severity == severity &&
			    findings.items[k].line == forms[i].line &&
			    findings.items[k].column == forms[i].column &&
			    strstr(findings.items[k].text, forms[i].text) != NULL;
		if (!found || (order == NULL) != (severity == US_FINDING_ERROR)) {
			print_message("form %zu, wanted %u:%u: %s\n", i, forms[i].line,
			    forms[i].column, forms[i].text);
			print_findings();
			wrong++;
		}
		us_order_free(order);
	}
	return wrong;
}

static void
test_bad(void **state)
{
	(void)state;
	assert_int_equal(compare(bad, sizeof(bad) / sizeof(bad[0]), US_FINDING_ERROR), 0);
}

#define READ(id, effect, capacity, what) \
	"  - {id: " id ", paragraph: \"4\", effect: " effect \
	", who: {party: [p, court], capacity: " capacity "}, " \
	"actions: read,\n     what: " what "}\n"

#define BOTH(effect, party, capacity, actions, what) \
	"  - {id: " effect ", paragraph: \"4\", effect: " effect ", who: {party: " party \
	", capacity: " capacity "}, " \
	"actions: " actions ", what: " what "}\n"

/* Another rule, about something else than records. */
#define ACT(effect, actions, more) \
	"  - {id: act, paragraph: \"5\", effect: " effect \
	", who: {party: p, capacity: expert}, actions: " actions more "}\n"

/* Two lines; what begins in column 12 of the second. */
#define SEES(id, party, capacity, actions, what) \
	"  - {id: " id ", paragraph: \"4\", effect: permit, who: {party: " party \
	", capacity: " capacity "}, actions: " actions ",\n     what: " what "}\n"

static const struct form strange[] = {
	{ TOP(""), 1, 1, "this order can never be amended" },
	{ FLOW("suspend: court"), 6, 12, "this order can never be amended" },
	{ FLOW("freeze: court"), 6, 21, "workflows lacks lift" },
	{ FLOW("lift: court"), 6, 19, "nothing to lift" },
	{ FLOW("challenge: {confer_days: 3}"), 6, 24, "workflows lacks resolve" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3, confirm: p}]\n"), 6, 14,
	    "lacks resolve" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3, confirm: p}]\n"), 6, 14,
	    "no rule uses clearance c" },
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3, confirm: p}]\n"), 6, 14,
	    "permits the action clearance" },
	/* a clearance is about a person: a rule for one collection never fits it */
	{ TOP("clearances: [{id: c, paragraph: \"1\", serve: p, days: 3, confirm: p}]\n")
		ACT("permit", "clearance", ", collections: logs"),
	    6, 14, "permits the action clearance" },
	{ FLOW("challenge: {move_days: 3}"), 6, 24, "no rule permits the action challenge" },
	{ FLOW("challenge: {confer_days: 3}") ACT("forbid", "challenge", ""), 6, 24,
	    "no rule permits the action challenge" },
	{ FLOW("clawback_visible: court") ACT("permit", "relabel", ""), 6, 31,
	    "no rule permits the action clawback" },
	{ FLOW("amend: court") ACT("permit", "clawback", ""), 6, 12,
	    "decide on a clawback: workflows lacks resolve" },
	{ TOP("") ACT("permit", "clawback", ""), 1, 1,
	    "decide on a clawback: workflows lacks resolve" },
	{ TOP("categories: [{id: ca, query: a}]\n"), 6, 14, "no rule uses category ca" },
	{ TOP("matter: [open]\n"), 6, 9, "no rule asks for a state" },
	{ TOP("purposes: [{code: c, text: T}]\n"), 6, 11, "no rule asks for a purpose" },
	{ TOP("periods: [{id: c, from: 2026-01-01T00:00:00Z}]\n"), 6, 11, "no rule uses period c" },
	{ TOP("calendars: [{id: c, time_zone: UTC, days: monday}]\n"), 6, 13, "uses calendar c" },
	{ PERMIT("what: {designation: SECRET}"), 7, 24, "nobody may read what is designated OPEN" },
	{ PERMIT("what: {query: 'NOT designation:open OR (a AND designation:secret)'}"), 7, 24,
	    "designated OPEN" },
	{ TOP("designations: [A, B]\n") READ("f", "forbid", "[expert, court]", "{designation: b}"),
	    6, 19, "designated B" },
	{ TOP("designations: [A, B]\n") READ("q", "forbid", "any", "{query: 'x'}")
		READ("f", "forbid", "any", "{query: 'designation:a OR x'}"),
	    6, 16, "designated A" },
	{ TOP("") READ("a", "permit", "court", "{query: 'x OR y'}")
		READ("f", "forbid", "[court]", "{query: '(x) OR y'}"),
	    8, 5, "rule a can never apply: f forbids all of it" },
	{ PERMIT("what: {category: [ca], except: [cb, ca]}"), 13, 9, "fits no record" },
	{ PERMIT("what: all, limits: {records_per_request: 6, per_day: 5}"), 13, 22,
	    "records_per_request is above per_day" },
	{ PERMIT("what: all, limits: {records_per_request: 6, life: 5}"), 13, 22,
	    "records_per_request is above life" },
	{ PERMIT("what: all, limits: {consecutive: 6, life: 5}"), 13, 22,
	    "consecutive is above life" },
	{ PERMIT("what: all, limits: {per_day: 6, life: 5}"), 13, 22, "per_day is above life" },
	{ PERMIT("what: all, conditions: {approvals: {count: 1, party: any, capacity: [keyholder, "
		 "administrator], hours: 1}}"),
	    13, 38, "nobody could give this approval" },
	{ PERMIT("what: all, conditions: {matter: open}") "- {id: s, paragraph: \"2\", effect: "
							  "permit, who: {party: any, capacity: "
							  "expert}, actions: [read, copy], what: "
							  "all,\n"
							  "   conditions: {matter: closed}}\n",
	    14, 3, "their states of the matter never meet" },
	{ HEAD "periods: [{id: a, until: 2026-01-01T00:00:00Z}, {id: b, from: "
	       "2026-01-01T00:00:00Z}]\nrules:\n"
	       "- {id: r, paragraph: \"2\", effect: permit, who: {party: p, capacity: expert}, "
	       "actions: read, what: all,\n"
	       "   conditions: {period: a}}\n"
	       "- {id: s, paragraph: \"2\", effect: permit, who: {party: p, capacity: expert}, "
	       "actions: read, what: all,\n"
	       "   conditions: {period: b}}\n",
	    10, 3, "their periods never meet" },
	{ HEAD "periods: [{id: a, until: 2026-01-01T00:00:00Z}, {id: b, from: "
	       "2026-01-01T00:00:00Z}]\nrules:\n"
	       "- {id: r, paragraph: \"2\", effect: permit, who: {party: p, capacity: expert}, "
	       "actions: read, what: all,\n"
	       "   conditions: {period: b}}\n"
	       "- {id: s, paragraph: \"2\", effect: permit, who: {party: any, capacity: expert}, "
	       "actions: read, what: all,\n"
	       "   conditions: {period: a}}\n",
	    10, 3, "their periods never meet" },
	/* what one permit leaves out another shows */
	{ TOP("") READ("a", "permit", "expert", "{query: 'x'}"), 9, 12,
	    "rule r lets everything be seen that a limits: both fit read" },
	{ HEAD AMEND "rules:\n" SEES("n", "court", "court", "[match, sample]",
	      "{query: 'x'}, collections: logs") SEES("w", "any", "[expert, court]",
	      "[search, match]", "{query: '*'}, collections: [mail, logs]"),
	    9, 12, "rule w lets everything be seen that n limits: both fit match" },
	/* who forbids what nothing performs takes nothing away */
	{ HEAD AMEND RULES ACT("forbid", "[person-list, person-sign]", ""), 9, 91,
	    "rule act is about what nothing performs yet: person-sign" },
	/* one permit, taken away capacity by capacity */
	{ TOP("designations: [A, B]\n") READ("a", "permit", "[expert, court]", "all")
		READ("f", "forbid", "court", "{designation: A}")
		    READ("g", "forbid", "expert", "{designation: A}"),
	    6, 16, "designated A" },
};

/* The same with nothing to complain of, so that a warning is not always there. */
static const char *const plain[] = {
	HEAD AMEND RULES,
	HEAD "workflows: {amend: [[p, court]], freeze: p, lift: court, resolve: p, challenge: "
	     "{move_days: 1}}\n" RULES ACT("permit", "challenge", ", collections: logs"),
	HEAD "workflows: {amend: court, resolve: p, clawback_visible: court}\n" RULES ACT("permit",
	    "clawback", ""),
	HEAD "workflows: {amend: court, resolve: p}\nclearances: [{id: c, paragraph: \"1\", serve: "
	     "p, days: 3, confirm: p}]\n" RULES
	     "  - {id: s, paragraph: \"2\", effect: permit, who: {party: p, capacity: court}, "
	     "what: all, actions: read,\n"
	     "     conditions: {clearance: c}}\n" ACT("permit", "[clearance, challenge]", ""),
	/* one permit shows everything, but not to all whom the other fits, not in the same
	 * collection, or not by the same action */
	HEAD AMEND RULES SEES("n", "[p, court]", "[expert, court]", "read", "{query: 'x'}"),
	HEAD AMEND "rules:\n" SEES("w", "p", "expert", "read", "all")
	    SEES("n", "any", "expert", "read", "{query: 'x'}"),
	HEAD AMEND "rules:\n" SEES("w", "any", "expert", "read", "all, collections: logs")
	    SEES("n", "any", "expert", "read", "{query: 'x'}, collections: [logs, mail]"),
	HEAD AMEND RULES SEES("n", "p", "expert", "[search, copy]", "{query: 'x'}"),
	/* more may be counted than seen */
	HEAD AMEND "rules:\n" SEES("w", "any", "expert", "count", "all")
	    SEES("n", "p", "expert", "[count, read]", "{query: 'x'}"),
	/* the other does not show everything, or the one leaves out nothing */
	HEAD AMEND "rules:\n" SEES("w", "any", "expert", "read", "{query: 'y'}")
	    SEES("n", "p", "expert", "read", "{query: 'x'}"),
	HEAD AMEND RULES SEES("n", "p", "expert", "read", "{query: '*'}"),
	/* all that opens the log, in one word */
	HEAD AMEND RULES ACT("permit", "audit", ", boxes: all"),
	/* a prohibition of everything shows nothing */
	HEAD AMEND "rules:\n" SEES("n", "any", "expert", "[read, copy]", "{query: 'x'}")
	    BOTH("forbid", "any", "expert", "copy", "all"),
	HEAD AMEND "designations: [A, B]\n" RULES,
	/* a designation that some capacity may still read */
	HEAD AMEND "designations: [A, B]\n" RULES READ("a", "permit", "court", "all")
	    READ("f", "forbid", "expert", "{designation: B}"),
	HEAD AMEND "designations: [A, B]\n" RULES READ("f", "forbid", "expert",
	    "{query: 'x AND designation:b'}"),
	HEAD AMEND RULES READ("a", "permit", "court", "{query: 'x y'}")
	    READ("f", "forbid", "[court]", "{query: 'x OR y'}"),
	HEAD AMEND RULES READ("a", "permit", "court", "{query: 'x y'}")
	    READ("f", "forbid", "court", "{query: 'x z'}"),
	/* prohibitions that take only a part: of the parties, the collections, the capacities, the
	 * actions */
	HEAD AMEND "designations: [A, B]\n" RULES BOTH("forbid", "court", "[expert, court]", "read",
	    "{designation: A}"),
	HEAD AMEND "designations: [A, B]\n" RULES BOTH("forbid", "any", "any", "read",
	    "{designation: A}, collections: logs"),
	HEAD AMEND "designations: [A, B]\nrules:\n" BOTH("permit", "any", "[expert, court]", "read",
	    "all") BOTH("forbid", "any", "court", "read", "{designation: A}"),
	HEAD AMEND "designations: [A, B]\nrules:\n" BOTH("permit", "any", "expert", "[read, copy]",
	    "all") BOTH("forbid", "any", "expert", "copy", "{designation: A}"),
	HEAD AMEND RULES BOTH("forbid", "court", "any", "read", "all"),
	HEAD AMEND RULES BOTH("forbid", "any", "any", "read", "all, collections: logs"),
	HEAD AMEND "rules:\n" BOTH("permit", "any", "[expert, court]", "read", "all")
	    BOTH("forbid", "any", "court", "read", "all"),
	HEAD AMEND "rules:\n" BOTH("permit", "any", "expert", "[read, copy]", "all")
	    BOTH("forbid", "any", "expert", "copy", "all"),
	/* one matter state, and another party's */
	HEAD AMEND "matter: [open, closed]\nrules:\n"
		   "- {id: r, paragraph: \"2\", effect: permit, who: {party: p, capacity: expert}, "
		   "actions: read, what: all,\n"
		   "   conditions: {matter: open}, limits: {records_per_request: 5, consecutive: "
		   "5, per_day: 5, life: 5}}\n"
		   "- {id: s, paragraph: \"2\", effect: permit, who: {party: court, capacity: "
		   "expert}, actions: read, what: all,\n"
		   "   conditions: {matter: closed}}\n",
};

static void
test_strange(void **state)
{
	(void)state;
	assert_int_equal(compare(strange, sizeof(strange) / sizeof(strange[0]), US_FINDING_WARNING),
	    0);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct us_order *order = compile(us_bytes_of(plain[i]));
		if (findings.n != 0)
			print_findings();
		assert_int_equal(findings.n, 0);
		us_order_free(order);
	}
}

/* ---- queries put together ---- */

/* What a rule becomes is the same tree as the same query written by hand. */
static void
test_what(void **state)
{
	static const struct {
		const char *what, *query;
	} cases[] = {
		{ "{query: 'a OR b'}", "a OR b" },
		{ "{query: 'a OR b', designation: SECRET}", "(a OR b) AND designation:secret" },
		{ "{designation: [OPEN, secret]}", "designation:secret OR designation:open" },
		{ "{query: 'a OR b', except: ca}", "(a OR b) AND NOT (a AND b)" },
		{ "{category: [cb, ca]}", "(a b) OR c" },
		{ "{category: cb, designation: open, except: [ca]}",
		    "designation:open AND c AND NOT (a b)" },
		{ "{except: [ca, cb]}", "NOT (a b) AND NOT c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct us_query *ours = NULL, *theirs = NULL;
		char yaml[2048];

		(void)snprintf(yaml, sizeof(yaml), PERMIT("what: %s"), cases[i].what);
		struct us_order *order = compile(us_bytes_of(yaml));
		assert_non_null(order);
		assert_int_equal(us_query_parse(order->rules[0].what.p, order->rules[0].what.n,
				     &ours, NULL),
		    US_OK);
		assert_int_equal(us_query_parse(cases[i].query, strlen(cases[i].query), &theirs,
				     NULL),
		    US_OK);
		if (ours->canonical.n != theirs->canonical.n ||
		    memcmp(ours->canonical.p, theirs->canonical.p, ours->canonical.n) != 0)
			fail_msg("%s became %.*s", cases[i].what, (int)order->rules[0].what.n,
			    (const char *)order->rules[0].what.p);
		us_query_free(ours);
		us_query_free(theirs);
		us_order_free(order);
	}
}

/* A name with every character that quoting could trip over is found again in the parsed query. */
static void
test_quoting(void **state)
{
	static const char *const names[] = { "O'NEIL", "\"", "a\"b", "\"\"", "a\\b",
		"\xe2\x80\x9cquoted\xe2\x80\x9d", "a) OR (b", "x AND NOT y", "a*",
		"\xef\xbc\x88wide\xef\xbc\x89", "a: b" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char yaml[2048], quoted[128];
		uint8_t folded[US_WORD_MAX];
		size_t n = 0, at = 0;
		struct us_query *query = NULL;

		for (const char *p = names[i]; *p != '\0'; p++) {
			quoted[at++] = *p;
			if (*p == '\'')
				quoted[at++] = '\'';
		}
		quoted[at] = '\0';
		(void)snprintf(yaml, sizeof(yaml),
		    HEAD AMEND "designations: ['%s']\nrules:\n" READ("r", "permit", "expert",
			"{designation: ['%s']}"),
		    quoted, quoted);
		struct us_order *order = compile(us_bytes_of(yaml));
		print_findings();
		assert_non_null(order);
		assert_int_equal(us_query_parse(order->rules[0].what.p, order->rules[0].what.n,
				     &query, NULL),
		    US_OK);
		assert_int_equal(query->root->op, US_QUERY_META);
		assert_int_equal(query->root->field, US_FIELD_DESIGNATION);
		assert_int_equal(us_value_fold(names[i], strlen(names[i]), folded, &n), US_OK);
		assert_int_equal(query->root->value.n, n);
		assert_memory_equal(query->root->value.p, folded, n);
		us_query_free(query);
		us_order_free(order);
	}
}

/* Lengths: one text at the limit, one above it, and more texts than an order can hold. */
static void
test_lengths(void **state)
{
	const size_t most = US_ORDER_WHAT_MAX - 4 - sizeof("(designation:\"SECRET\") AND ") + 1 + 2;
	struct us_buf yaml;

	(void)state;
	us_buf_init(&yaml, US_ORDER_SOURCE_MAX);
	for (size_t extra = 0; extra < 2; extra++) {
		us_buf_reset(&yaml);
		assert_int_equal(us_buf_putf(&yaml, "%s",
				     HEAD AMEND
				     "designations: [SECRET]\nrules:\n"
				     "- {id: r, paragraph: \"2\", effect: permit, who: {party: [p, "
				     "court], capacity: expert}, actions: read,\n"
				     "  what: {designation: SECRET, query: '\""),
		    US_OK);
		for (size_t i = 0; i < most + extra - 2; i++)
			assert_int_equal(us_buf_put_u8(&yaml, i % 100 == 99 ? ' ' : 'x'), US_OK);
		assert_int_equal(us_buf_putf(&yaml, "\"'}}\n"), US_OK);
		struct us_order *order = compile((struct us_bytes){ yaml.data, yaml.len });
		assert_int_equal(order != NULL, extra == 0);
		if (order != NULL)
			assert_int_equal(order->rules[0].what.n, US_ORDER_WHAT_MAX);
		else
			assert_non_null(strstr(findings.items[0].text, "8193 bytes"));
		us_order_free(order);
	}
	us_buf_reset(&yaml);
	assert_int_equal(us_buf_putf(&yaml, "%s", HEAD AMEND "categories: [{id: c, query: '"),
	    US_OK);
	for (size_t i = 0; i < 8000; i++)
		assert_int_equal(us_buf_put_u8(&yaml, i % 100 == 99 ? ' ' : 'x'), US_OK);
	assert_int_equal(us_buf_putf(&yaml, "y'}]\nrules:\n"), US_OK);
	for (size_t i = 0; i < 70; i++)
		assert_int_equal(us_buf_putf(&yaml,
				     "- {id: r%zu, paragraph: \"2\", effect: permit, who: {party: "
				     "any, "
				     "capacity: expert}, actions: read, what: {category: c}}\n",
				     i),
		    US_OK);
	assert_null(compile((struct us_bytes){ yaml.data, yaml.len }));
	assert_non_null(strstr(findings.items[0].text, "longer than an order can hold"));
	us_buf_free(&yaml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_strange),
		cmocka_unit_test(test_what),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
