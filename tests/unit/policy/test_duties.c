/*
 * Separation of duties as a table: every capacity, in every set of parties, and every action, under
 * the orders that are shipped. What is expected was written by hand from the text of the orders and
 * shares nothing with the evaluator, the compiler, or the classes of actions. Then what no order
 * can give, however it is written: evidence to who runs the machine or holds its keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/evaluate.h"
#include "policy/yaml/yaml.h"

#define ACTIONS 128
#define RULES_MAX 8
#define CAP(name) US_CAPACITY_BIT(US_CAPACITY_##name)
#define MACHINE (CAP(ADMINISTRATOR) | CAP(KEYHOLDER))
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Lists of names; spaces around each. */
static const char evidence[] = " search count read copy match sample terms sweep analyse note ";
static const char ordered[] =
    " search count read copy match sample terms sweep analyse note copy-list copy-return load"
    " batch-list batch-hold batch-release batch-withdraw audit-list audit-keys audit-export "
    "audit-report clearance challenge"
    " relabel clawback clawback-report ";
static const char open_to_all[] = " session status collection-list order-show order-explain "
				  "order-diff order-who docket-list person-list"
				  " credential-list audit-tile audit-checkpoint audit-witness "
				  "acknowledge acknowledgement-list docket-object docket-withdraw"
				  " docket-serve document-add document-read approval-request ";
/* Who may do these is said by capacity and signatures (registry/authority.h); without a rule about
 * them an order adds nothing. */
static const char administrative[] =
    " collection-create collection-destroy record-destroy legal-hold person-add person-sign"
    " person-suspend person-reinstate person-end credential-issue credential-revoke order-set "
    "order-propose order-sign"
    " order-withdraw order-suspend docket-sign docket-resolve freeze unfreeze unseal-share seal "
    "matter-set ";
static const char internal[] =
    " none open-collection batch-open batch-close batch-void merge-open merge-close dictionary init"
    " start stop unseal state-open heartbeat handshakes backup restore clock order-in-force "
    "answered"
    " configure gap role-restart handover refusals ";
static const char opens_log[] = " audit-list audit-keys audit-export audit-report ";

static int
among(const char *list, unsigned action)
{
	const char *name = us_action_name(action);
	char word[64];

	if (name == NULL)
		return 0;
	assert_true(snprintf(word, sizeof(word), " %s ", name) < (int)sizeof(word));
	return strstr(list, word) != NULL;
}

/* One rule as the order's text has it. */
struct duty {
	/* NOT_ALL: forbids some records only, so that not everything is seen */
	enum { MAY, MAY_NOT, NOT_ALL } what;
	uint64_t parties;
	uint32_t capacities;
	const char *actions;
	const char *paragraph;
	uint32_t records; /* in one request; 0: as many as one likes */
	uint8_t boxes;
	enum us_log_scope log_scope;
};

struct shipped {
	const char *path;
	const char *party_ids[4];
	size_t n_parties;
	const char *default_paragraph;
	const char *purpose;
	const struct duty *duties;
	size_t n_duties;
};

#define COUNSEL (CAP(OUTSIDE_COUNSEL) | CAP(COUNSEL_STAFF))
#define ANY_PARTY UINT64_MAX
#define LOADING " load batch-list batch-hold batch-release batch-withdraw "
#define LEDGER " copy-list copy-return "

#define PLAINTIFFS 1
#define DEFENDANT 2
#define COURT 4
static const struct duty demo_duties[] = {
	{ MAY, PLAINTIFFS, COUNSEL, " count search read sample terms match ", "7.1", 1000, 0, 0 },
	{ MAY, PLAINTIFFS, CAP(OUTSIDE_COUNSEL), " copy ", "7.2", 1000, 0, 0 },
	{ MAY, PLAINTIFFS, COUNSEL, LEDGER, "7.2", 0, 0, 0 },
	{ MAY, DEFENDANT, CAP(PRODUCER), LOADING, "5.1", 0, 0, 0 },
	{ MAY, PLAINTIFFS, CAP(OUTSIDE_COUNSEL), " challenge ", "6.1", 0, 0, 0 },
	{ MAY, DEFENDANT, CAP(PRODUCER), " clawback clawback-report relabel ", "8.1", 0, 0, 0 },
	{ MAY, COURT, CAP(COURT) | CAP(SPECIAL_MASTER) | CAP(AUDITOR), " clawback-report ", "8.2",
	    0, 0, 0 },
	{ MAY, COURT, CAP(AUDITOR), opens_log, "9.1", 0, US_BOXES_ALL, US_LOG_OF_ALL },
};

#define SDNY_PLAINTIFFS 3 /* news and class */
#define SDNY_DEFENDANT 4
#define SDNY_COURT 8
static const struct duty sdny_duties[] = {
	{ MAY, SDNY_PLAINTIFFS, COUNSEL, " count search read match sample terms ", "7(a)", 1000, 0,
	    0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(HOUSE_COUNSEL), " count search read ", "7(b)", 100, 0, 0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(EXPERT), " count search read match sample ", "7(c)", 200, 0,
	    0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(VENDOR), " count read ", "7(d)", 200, 0, 0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(WITNESS), " read ", "7(e)", 10, 0, 0 },
	{ MAY, SDNY_COURT, CAP(COURT) | CAP(SPECIAL_MASTER), " count search read ", "7(f)", 0, 0,
	    0 },
	{ NOT_ALL, ANY_PARTY, CAP(HOUSE_COUNSEL) | CAP(WITNESS), " count search read ", "8(a)", 0,
	    0, 0 },
	{ MAY_NOT, ANY_PARTY, CAP(WITNESS), " person-list docket-list ", "8(b)", 0, 0, 0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(OUTSIDE_COUNSEL), " copy ", "10(a)", 100, 0, 0 },
	{ MAY, SDNY_PLAINTIFFS, COUNSEL, LEDGER, "10(b)", 0, 0, 0 },
	{ MAY, SDNY_DEFENDANT, CAP(PRODUCER) | CAP(VENDOR), LOADING, "5", 0, 0, 0 },
	{ MAY, SDNY_DEFENDANT, CAP(PRODUCER) | CAP(OUTSIDE_COUNSEL), " relabel ", "4(a)", 0, 0, 0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(OUTSIDE_COUNSEL), " challenge ", "4(b)", 0, 0, 0 },
	{ MAY, SDNY_COURT, CAP(COURT) | CAP(SPECIAL_MASTER), " relabel ", "4(c)", 0, 0, 0 },
	{ MAY, SDNY_PLAINTIFFS, CAP(OUTSIDE_COUNSEL), " clearance ", "9", 0, 0, 0 },
	{ MAY, SDNY_DEFENDANT, CAP(PRODUCER) | CAP(OUTSIDE_COUNSEL), " clawback ", "11(a)", 0, 0,
	    0 },
	{ MAY, SDNY_DEFENDANT | SDNY_COURT, CAP(OUTSIDE_COUNSEL) | CAP(COURT) | CAP(SPECIAL_MASTER),
	    " clawback-report ", "11(b)", 0, 0, 0 },
	{ MAY, SDNY_COURT, CAP(AUDITOR) | CAP(SPECIAL_MASTER) | CAP(COURT), opens_log, "12(a)", 0,
	    US_BOXES_ALL, US_LOG_OF_ALL },
	{ MAY, SDNY_DEFENDANT, CAP(OUTSIDE_COUNSEL), " audit-list audit-export ", "12(b)", 0,
	    US_BOXES_ACCESS, US_LOG_OF_ALL },
	{ MAY, SDNY_PLAINTIFFS, CAP(OUTSIDE_COUNSEL), " audit-list ", "12(c)", 0, US_BOXES_ALL,
	    US_LOG_OF_OWN_PARTY },
};

static const struct shipped shipped[] = {
	{ US_SOURCE_DIR "/policy/orders/demo.yaml", { "plaintiffs", "defendant", "court" }, 3, "4",
	    "review of the logs", demo_duties, COUNT(demo_duties) },
	{ US_SOURCE_DIR "/policy/orders/sdny-stipulated.yaml",
	    { "news-plaintiffs", "class-plaintiffs", "defendant", "court" }, 4, "3", "liability",
	    sdny_duties, COUNT(sdny_duties) },
};

static struct us_order *
compile(const char *path)
{
	static char text[US_ORDER_SOURCE_MAX];
	struct us_findings *findings = calloc(1, sizeof(*findings));
	struct us_order *order;
	struct us_buf compiled;
	FILE *file = fopen(path, "rb");

	assert_non_null(findings);
	assert_non_null(file);
	const size_t n = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_compile((struct us_bytes){ (const uint8_t *)text, n }, &compiled,
			     findings),
	    US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	us_buf_free(&compiled);
	free(findings);
	return order;
}

/* Every condition that an order could ask for is met. */
static struct us_subject
somebody(unsigned capacity, uint64_t parties)
{
	return (struct us_subject){ .person = 1,
		.capacity = (enum us_capacity)capacity,
		.parties = parties,
		.acknowledged = 1,
		.clearances = UINT32_MAX };
}

static struct us_context
request(const char *purpose)
{
	return (struct us_context){ .collection = us_bytes_of("logs"),
		.purpose = us_bytes_of(purpose),
		.records = 1,
		.now_ns = INT64_C(1750000000) * 1000000000,
		.has_address = 1,
		.credential_bits = 256,
		.credential_days = 1 };
}

static int
concerns(const struct duty *d, unsigned capacity, uint64_t parties, unsigned action)
{
	return ((d->parties & parties) != 0 || d->parties == ANY_PARTY) &&
	    (d->capacities & US_CAPACITY_BIT(capacity)) != 0 && among(d->actions, action);
}

/* Adds one permit: the narrowest of all that fit holds, the first is cited. */
static void
add(struct us_ruling *want, const struct duty *d)
{
	if (want->rule++ == 0) { /* counts the permits here */
		want->paragraph = us_bytes_of(d->paragraph);
		want->boxes = d->boxes;
	}
	if (d->records != 0 && d->records < want->records_per_request)
		want->records_per_request = d->records;
	want->boxes &= d->boxes;
	if (us_log_scope_is_narrower(d->log_scope, want->log_scope))
		want->log_scope = d->log_scope;
	want->sees_all = 1;
	want->decision = US_DECISION_ALLOW;
	want->reason = US_REASON_NONE;
}

/* What the table says of one request. */
static struct us_ruling
expected(const struct shipped *s, unsigned capacity, uint64_t parties, unsigned action)
{
	struct us_ruling want = { .decision = US_DECISION_DENY,
		.reason = US_REASON_NOT_IN_ORDER,
		.records_per_request = US_UNLIMITED,
		.paragraph = us_bytes_of(s->default_paragraph) };
	int not_all = 0;

	if (capacity < 1 || capacity > US_CAPACITY_LAST) {
		want.reason = US_REASON_UNKNOWN_CREDENTIAL;
		return want;
	}
	if (us_action_name(action) == NULL || among(internal, action) ||
	    (among(evidence, action) && (US_CAPACITY_BIT(capacity) & MACHINE) != 0)) {
		want.reason = US_REASON_CAPACITY;
		return want;
	}
	for (size_t i = 0; i < s->n_duties; i++) {
		const struct duty *d = &s->duties[i];
		if (!concerns(d, capacity, parties, action))
			continue;
		if (d->what == MAY_NOT)
			return (struct us_ruling){ .decision = US_DECISION_DENY,
				.reason = US_REASON_PROHIBITED,
				.records_per_request = US_UNLIMITED,
				.paragraph = us_bytes_of(d->paragraph) };
		not_all |= d->what == NOT_ALL;
		if (d->what == MAY)
			add(&want, d);
	}
	if (not_all)
		want.sees_all = 0;
	if (want.rule == 0 && (among(open_to_all, action) || among(administrative, action))) {
		want.decision = US_DECISION_ALLOW;
		want.reason = US_REASON_NONE;
		want.paragraph = us_bytes_of("");
	}
	return want;
}

static int
same(const struct us_ruling *a, const struct us_ruling *b)
{
	return a->decision == b->decision && a->reason == b->reason &&
	    a->records_per_request == b->records_per_request && a->boxes == b->boxes &&
	    a->log_scope == b->log_scope && a->sees_all == b->sees_all &&
	    a->paragraph.n == b->paragraph.n &&
	    (a->paragraph.n == 0 || memcmp(a->paragraph.p, b->paragraph.p, a->paragraph.n) == 0);
}

static void
check(const struct us_order *order, const struct shipped *s, unsigned capacity, uint64_t parties,
    unsigned action)
{
	const struct us_subject who = somebody(capacity, parties);
	const struct us_context context = request(s->purpose);
	const struct us_ruling want = expected(s, capacity, parties, action);
	struct us_ruling r;

	us_order_evaluate(order, &who, (enum us_action)action, &context, &r);
	if (!same(&r, &want))
		fail_msg("%s: capacity %u, parties %u, action %u (%s): decision %d, reason %s, "
			 "paragraph %.*s; want %d, %s, %.*s",
		    s->path, capacity, (unsigned)parties, action,
		    us_action_name(action) == NULL ? "" : us_action_name(action), (int)r.decision,
		    us_reason_name((unsigned)r.reason), (int)r.paragraph.n,
		    (const char *)r.paragraph.p, (int)want.decision,
		    us_reason_name((unsigned)want.reason), (int)want.paragraph.n,
		    (const char *)want.paragraph.p);
}

static void
test_shipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shipped); i++) {
		const struct shipped *s = &shipped[i];
		struct us_order *order = compile(s->path);

		assert_int_equal(order->n_parties, s->n_parties);
		for (size_t p = 0; p < s->n_parties; p++)
			assert_true(us_bytes_is(order->parties[p].id, s->party_ids[p]));
		for (unsigned c = 0; c <= US_CAPACITY_LAST + 1; c++)
			for (uint64_t parties = 0; parties < UINT64_C(1) << s->n_parties; parties++)
				for (unsigned a = 0; a < ACTIONS; a++)
					check(order, s, c, parties, a);
		us_order_free(order);
	}
}

/* Every action is in exactly one list here, and its class is that of the list: a new action has to
 * be decided on twice. */
static void
test_lists(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ACTIONS; a++) {
		const enum us_action_class class = us_action_row(a)->class;
		const int is[] = { among(ordered, a), among(open_to_all, a),
			among(administrative, a), among(internal, a) };

		if (is[0] + is[1] + is[2] + is[3] != (us_action_name(a) != NULL))
			fail_msg("action %u is in no list or in several", a);
		if (is[0] != (class == US_ACTIONS_ORDERED) || is[1] != (class == US_ACTIONS_OPEN) ||
		    is[2] != (class == US_ACTIONS_ADMINISTRATIVE))
			fail_msg("action %u: class %d", a, (int)class);
		assert_int_equal(us_action_row(a)->is_evidence, among(evidence, a));
		assert_int_equal(us_action_row(a)->opens_log, among(opens_log, a));
	}
}

/* ---- orders that give too much ---- */

/* An order of one party and one rule, which permits these actions to these capacities of any
 * party. */
struct generous {
	struct us_party party;
	struct us_rule rule;
	struct us_order order;
};

static void
generous_make(struct generous *g, uint32_t capacities)
{
	memset(g, 0, sizeof(*g));
	g->party.id = g->party.name = us_bytes_of("all");
	g->party.n_signers = 1;
	g->party.signers[0] = (struct us_signer){ us_bytes_of("Anna Anyone"), US_CAPACITY_COURT };
	g->rule.id = g->rule.paragraph = us_bytes_of("everything");
	g->rule.effect = US_PERMIT;
	g->rule.any_party = g->rule.any_collection = 1;
	g->rule.capacities = capacities;
	g->rule.limits = us_limits_none();
	g->order.version = 1;
	g->order.title = us_bytes_of("Everything to everybody");
	g->order.workflows.renew_by_ns = INT64_MAX;
	g->order.n_parties = g->order.n_rules = 1;
	g->order.parties = &g->party;
	g->order.rules = &g->rule;
}

static void
generous_add(struct generous *g, unsigned action)
{
	g->rule.actions[action / 64] |= UINT64_C(1) << (action % 64);
	if (among(opens_log, action)) {
		g->rule.boxes = US_BOXES_ALL;
		g->rule.log_scope = US_LOG_OF_ALL;
	}
}

/* Encodes; if that works it must decode too. */
static int
generous_encode(const struct generous *g)
{
	struct us_order *order;
	struct us_buf b;

	us_buf_init(&b, US_ORDER_COMPILED_MAX);
	const int err = us_order_encode(&g->order, &b);
	if (err == US_OK) {
		assert_int_equal(us_order_decode(b.data, b.len, &order), US_OK);
		us_order_free(order);
	}
	us_buf_free(&b);
	return err;
}

/* One action to one capacity: refused exactly for evidence to the machine's people, and for what is
 * nobody's. */
static void
test_one_by_one(void **state)
{
	(void)state;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		for (unsigned a = 1; a < ACTIONS; a++) {
			struct generous g;
			int want = US_OK;

			generous_make(&g, US_CAPACITY_BIT(c));
			generous_add(&g, a);
			if (us_action_name(a) == NULL || among(internal, a))
				want = US_ERR_RANGE;
			else if (among(evidence, a) && (US_CAPACITY_BIT(c) & MACHINE) != 0)
				want = US_ERR_DENIED;
			if (generous_encode(&g) != want)
				fail_msg("%s: action %u", us_capacity_name(c), a);
		}
}

/* Everything to everybody: no such order decodes, and were there one, the evaluator would still
 * keep the two apart. */
static void
test_everything(void **state)
{
	const struct us_context context = request("any");
	struct generous g;

	(void)state;
	generous_make(&g, US_CAPACITY_ANY);
	for (unsigned a = 1; a < ACTIONS; a++)
		if (among(ordered, a) || among(open_to_all, a) || among(administrative, a))
			generous_add(&g, a);
	assert_int_equal(generous_encode(&g), US_ERR_DENIED);
	g.rule.capacities = US_CAPACITY_ANY & ~MACHINE;
	assert_int_equal(generous_encode(&g), US_OK);

	g.rule.capacities = UINT32_MAX;
	g.rule.actions[0] = g.rule.actions[1] = UINT64_MAX;
	assert_int_not_equal(generous_encode(&g), US_OK);
	for (unsigned c = 0; c <= US_CAPACITY_LAST + 1; c++)
		for (uint64_t parties = 0; parties < 2; parties++)
			for (unsigned a = 0; a < ACTIONS; a++) {
				const struct us_subject who = somebody(c, parties);
				const int person = c >= 1 && c <= US_CAPACITY_LAST;
				const int asked = among(ordered, a) || among(open_to_all, a) ||
				    among(administrative, a);
				const int never = among(evidence, a) &&
				    (US_CAPACITY_BIT(c) & MACHINE) != 0;
				struct us_ruling r;

				us_order_evaluate(&g.order, &who, (enum us_action)a, &context, &r);
				if ((r.decision == US_DECISION_ALLOW) !=
					(person && asked && !never) ||
				    (person && (never || !asked) && r.reason != US_REASON_CAPACITY))
					fail_msg("capacity %u, action %u: reason %s", c, a,
					    us_reason_name((unsigned)r.reason));
			}
}

/* The same in bytes, by somebody who does not use our encoder: a legal order, whose capacities are
 * then widened. */
static void
test_bytes(void **state)
{
	static const uint8_t legal[] = { 0x00, 0x00, 0x1f, 0xfc }; /* capacities 2 .. 12 */
	static const struct {
		uint8_t bits[4];
		int err;
	} wider[] = {
		{ { 0x00, 0x00, 0x1f, 0xfe }, US_ERR_DENIED }, /* administrator */
		{ { 0x00, 0x00, 0x3f, 0xfc }, US_ERR_DENIED }, /* keyholder */
		{ { 0x00, 0x00, 0x3f, 0xfe }, US_ERR_DENIED },
		{ { 0x00, 0x00, 0x5f, 0xfc }, US_ERR_RANGE }, /* no capacity */
		{ { 0x00, 0x00, 0x1f, 0xfd }, US_ERR_RANGE },
		{ { 0x00, 0x00, 0x00, 0x00 }, US_ERR_RANGE },
		{ { 0x00, 0x00, 0x1f, 0xfc }, US_OK },
	};
	struct us_order *order;
	struct generous g;
	struct us_buf b;
	size_t at = 0, n = 0;

	(void)state;
	generous_make(&g, US_CAPACITY_ANY & ~MACHINE);
	generous_add(&g, US_ACTION_READ);
	us_buf_init(&b, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_encode(&g.order, &b), US_OK);
	for (size_t i = 0; i + sizeof(legal) <= b.len; i++)
		if (memcmp(b.data + i, legal, sizeof(legal)) == 0) {
			at = i;
			n++;
		}
	assert_int_equal(n, 1);
	for (size_t i = 0; i < COUNT(wider); i++) {
		memcpy(b.data + at, wider[i].bits, sizeof(wider[i].bits));
		assert_int_equal(us_order_decode(b.data, b.len, &order), wider[i].err);
		assert_int_equal(order != NULL, wider[i].err == US_OK);
		us_order_free(order);
	}
	us_buf_free(&b);
}

/* Who runs the machine cannot be named as the one who signs people in. */
static void
test_signers(void **state)
{
	(void)state;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++) {
		struct generous g;

		generous_make(&g, CAP(OUTSIDE_COUNSEL));
		generous_add(&g, US_ACTION_READ);
		g.party.signers[0].capacity = (enum us_capacity)c;
		assert_int_equal(generous_encode(&g),
		    (US_CAPACITY_BIT(c) & MACHINE) != 0 ? US_ERR_DENIED : US_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_signers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
