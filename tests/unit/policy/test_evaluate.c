/*
 * The evaluator against a second one, written the other way round: ours walks rules and collects sets,
 * this one asks for each property on its own, with lists of names instead of bits. Also the table of capacity ×
 * action of the demonstration's order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/evaluate.h"
#include "policy/yaml/yaml.h"

static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* ---- the naive one ---- */

static int
text_equal(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int
naive_fits(const struct us_order *o, const struct us_rule *r, const struct us_subject *s, const char *action,
    struct us_bytes collection)
{
	int party = 0, capacity = 0, act = 0, where = 0;

	for (size_t i = 0; i < o->n_parties; i++)
		for (unsigned bit = 0; bit < 64; bit++)
			if (bit == i && (s->parties & (UINT64_C(1) << bit)) && (r->parties & (UINT64_C(1) << i)))
				party = 1;
	if (r->any_party)
		party = 1;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		if (c == (unsigned)s->capacity && (r->capacities & (1u << c)))
			capacity = 1;
	for (unsigned a = 0; a < 128; a++)
		if (us_action_name(a) != NULL && strcmp(us_action_name(a), action) == 0 &&
		    ((a < 64 ? r->actions[0] >> a : r->actions[1] >> (a - 64)) & 1))
			act = 1;
	if (r->any_collection)
		where = 1;
	for (size_t i = 0; i < r->n_collections; i++)
		if (collection.n > 0 && text_equal(r->collections[i], collection))
			where = 1;
	return party && capacity && act && where;
}

struct naive {
	int allowed;
	enum us_reason reason;
	uint32_t cap;
	unsigned boxes;
	char visible[US_ORDER_RULES + 1]; /* p, f or space a rule */
};

static int
is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(name, *list) == 0)
			return 1;
	return 0;
}

static const char *const evidence[] = { "search", "count", "read", "copy", "match", "sample", "terms",
	"sweep", "analyse", "note", NULL };
static const char *const opens_log[] = { "audit-list", "audit-keys", "audit-export", "audit-report", NULL };
static const char *const open_to_all[] = { "session", "status", "collection-list", "order-show", "order-explain",
	"docket-list", "person-list", "credential-list", "audit-tile", "audit-checkpoint", "audit-witness",
	"acknowledge", "acknowledgement-list", "docket-object", "docket-withdraw", "docket-serve", "document-add",
	"document-read", "approval-request",
	/* by capacity and signatures; the order only takes away */
	"collection-create", "collection-destroy", "record-destroy", "legal-hold", "person-add", "person-sign",
	"person-suspend", "person-reinstate", "person-end", "credential-issue", "credential-revoke", "order-set",
	"order-propose", "order-sign", "order-withdraw", "order-suspend", "docket-sign", "docket-resolve", "freeze",
	"unfreeze", "unseal-share", "seal", "matter-set", NULL };
static const char *const by_rule[] = { "copy-list", "copy-return", "load", "batch-list", "batch-release",
	"batch-withdraw", "batch-hold", "clearance", "challenge", "relabel", "clawback", "clawback-report", "order-diff",
	"order-who", NULL };
static const char *const freezable[] = { "search", "count", "read", "copy", "match", "sample", "terms", "sweep",
	"analyse", "note", "copy-return", "load", "batch-release", "batch-withdraw", "relabel", NULL };

/* The first of the kinds that fails counts, so each kind has its place. */
static void
naive_conditions(const struct us_order *o, const struct us_rule *r, const struct us_subject *s,
    const struct us_context *c, enum us_reason failed[14])
{
	const struct us_conditions *w = &r->conditions;
	int inside = w->n_networks == 0;

	if (w->acknowledgement && !s->acknowledged)
		failed[0] = US_REASON_NO_ACKNOWLEDGEMENT;
	if (w->clearance > 0 && (s->clearances & (UINT32_C(1) << (w->clearance - 1))) == 0)
		failed[1] = US_REASON_CLEARANCE;
	if (w->matter_states != 0 && (w->matter_states & (1u << c->matter)) == 0)
		failed[2] = US_REASON_MATTER;
	if (w->period > 0 && !(o->periods[w->period - 1].from_ns <= c->now_ns &&
	    c->now_ns < o->periods[w->period - 1].until_ns))
		failed[3] = US_REASON_PERIOD;
	for (size_t i = 0; i < w->n_networks && c->has_address; i++) {
		unsigned same = 0;
		while (same < w->networks[i].bits && ((w->networks[i].address[same / 8] ^ c->address[same / 8]) &
		    (0x80u >> same % 8)) == 0)
			same++;
		inside |= same == w->networks[i].bits;
	}
	if (!inside)
		failed[5] = US_REASON_NETWORK;
	if ((w->credential_bits > 0 && c->credential_bits < w->credential_bits) ||
	    (w->credential_days > 0 && (c->credential_days > w->credential_days || c->credential_bits == 0)))
		failed[6] = US_REASON_CREDENTIAL;
	const struct us_meter *m = r->limits.per == US_PER_PARTY ? &c->party_after : &c->person_after;
	if (r->limits.consecutive != US_UNLIMITED && m->run > r->limits.consecutive)
		failed[9] = US_REASON_QUOTA;
	if (r->limits.per_day != US_UNLIMITED && m->day > r->limits.per_day)
		failed[10] = US_REASON_QUOTA;
	if (r->limits.life != US_UNLIMITED && m->life > r->limits.life)
		failed[11] = US_REASON_QUOTA;
	if (r->limits.share != US_UNLIMITED && m->life > c->corpus * r->limits.share / US_MILLION)
		failed[12] = US_REASON_QUOTA;
	if (w->approval.count > 0) {
		unsigned n = 0;
		for (size_t i = 0; i < c->n_approvers; i++)
			n += c->approvers[i].person != s->person &&
			    (w->approval.capacities >> c->approvers[i].capacity & 1) != 0 &&
			    (w->approval.any_party || (w->approval.parties & c->approvers[i].parties) != 0) &&
			    c->now_ns - c->approvers[i].at_ns <= w->approval.hours * INT64_C(3600000000000);
		if (n < w->approval.count)
			failed[13] = US_REASON_APPROVAL;
	}
}

static struct naive
naive_evaluate(const struct us_order *o, const struct us_subject *s, const char *action,
    const struct us_context *c)
{
	struct naive out = { 0, US_REASON_NOT_IN_ORDER, US_RECORDS_UNLIMITED, 0, "" };
	int permits = 0, log = is_one_of(action, opens_log);
	enum us_reason failed[14] = { US_REASON_NONE };

	memset(out.visible, ' ', o->n_rules);
	if (!is_one_of(action, evidence) && !log && !is_one_of(action, open_to_all) && !is_one_of(action, by_rule)) {
		out.reason = US_REASON_CAPACITY;
		return out;
	}
	if (is_one_of(action, evidence) && (s->capacity == US_CAPACITY_ADMINISTRATOR ||
	    s->capacity == US_CAPACITY_KEYHOLDER)) {
		out.reason = US_REASON_CAPACITY;
		return out;
	}
	for (size_t i = 0; i < c->n_freezes; i++) {
		const struct us_freeze_on *f = &c->freezes[i];
		if (is_one_of(action, freezable) && (f->everything || (f->parties & s->parties) != 0 ||
		    f->person == s->person || (f->collection.n > 0 && text_equal(f->collection, c->collection)))) {
			out.reason = US_REASON_FROZEN;
			return out;
		}
	}
	for (size_t i = 0; i < o->n_rules; i++)
		if (naive_fits(o, &o->rules[i], s, action, c->collection) && o->rules[i].effect == US_FORBID &&
		    !o->rules[i].is_query) {
			out.reason = US_REASON_PROHIBITED;
			return out;
		}
	for (size_t i = 0; i < o->n_rules; i++)
		if (naive_fits(o, &o->rules[i], s, action, c->collection)) {
			out.visible[i] = o->rules[i].effect == US_PERMIT ? 'p' : 'f';
			permits += o->rules[i].effect == US_PERMIT;
		}
	if (permits == 0) {
		memset(out.visible, ' ', o->n_rules);
		out.allowed = is_one_of(action, open_to_all);
		out.reason = out.allowed ? US_REASON_NONE : US_REASON_NOT_IN_ORDER;
		return out;
	}
	out.boxes = log ? 7 : 0;
	for (size_t i = 0; i < o->n_rules; i++) {
		const struct us_rule *r = &o->rules[i];
		if (out.visible[i] != 'p')
			continue;
		out.cap = r->limits.records_per_request < out.cap ? r->limits.records_per_request : out.cap;
		naive_conditions(o, r, s, c, failed);
		out.boxes &= r->boxes;
		int listed = 0;
		for (size_t k = 0; k < o->n_purposes; k++)
			listed |= text_equal(o->purposes[k].code, c->purpose);
		if (r->conditions.purpose == US_PURPOSE_REQUIRED && c->purpose.n == 0)
			failed[7] = US_REASON_PURPOSE_MISSING;
		if (r->conditions.purpose == US_PURPOSE_LISTED && !listed)
			failed[7] = US_REASON_PURPOSE_MISSING;
		if (c->records > r->limits.records_per_request)
			failed[8] = US_REASON_QUOTA;
	}
	if (log && out.boxes == 0)
		out.reason = US_REASON_NOT_IN_ORDER;
	else {
		out.reason = US_REASON_NONE;
		for (int k = 13; k >= 0; k--)
			if (failed[k] != US_REASON_NONE)
				out.reason = failed[k];
		out.allowed = out.reason == US_REASON_NONE;
	}
	return out;
}

/* ---- random orders and requests ---- */

static const char *const collection_names[] = { "demo", "logs", "quarantine", "other" };
static char ids[US_ORDER_RULES][24];

static enum us_action
random_action(void)
{
	for (;;) {
		enum us_action a = (enum us_action)random_below(128);
		if (us_action_name((unsigned)a) != NULL && a != US_ACTION_NONE)
			return a;
	}
}

/* Seldom each, so that requests that pass are seen too. */
static void
random_conditions(const struct us_order *o, struct us_rule *r, size_t i)
{
	static struct us_network networks[US_ORDER_RULES][2];
	struct us_conditions *w = &r->conditions;

	w->acknowledgement = random_below(8) == 0;
	w->clearance = random_below(8) == 0 ? (uint8_t)(random_below((unsigned)o->n_clearances) + 1) : 0;
	w->matter_states = random_below(8) == 0 ? (uint16_t)(random_below(3) + 1) : 0;
	w->period = random_below(8) == 0 ? (uint8_t)(random_below((unsigned)o->n_periods) + 1) : 0;
	w->credential_bits = random_below(8) == 0 ? (uint16_t)(112 + 16 * random_below(4)) : 0;
	w->credential_days = random_below(8) == 0 ? (uint16_t)(random_below(400) + 1) : 0;
	if (random_below(8) == 0) {
		(void)us_network_parse(&networks[i][0], us_bytes_of("10.0.0.0/9"));
		(void)us_network_parse(&networks[i][1], us_bytes_of("2001:db8::/33"));
		w->networks = networks[i];
		w->n_networks = random_below(2) + 1;
	}
	if (random_below(8) == 0)
		w->approval = (struct us_approval_need){ (uint8_t)(random_below(2) + 1), 1, 0, US_CAPACITY_ANY, 24 };
	r->limits.per = random_below(2) == 0 ? US_PER_PARTY : US_PER_PERSON;
	if (random_below(8) == 0)
		r->limits.consecutive = random_below(50) + 1;
	if (random_below(8) == 0)
		r->limits.per_day = random_below(200) + 1;
	if (random_below(8) == 0)
		r->limits.life = random_below(1000) + 1;
	if (random_below(8) == 0)
		r->limits.share = random_below(US_MILLION) + 1;
}

static void
random_rule(struct us_order *o, struct us_rule *r, size_t i, struct us_bytes *collections)
{
	int log = 0, evident = 0;

	memset(r, 0, sizeof(*r));
	(void)snprintf(ids[i], sizeof(ids[i]), "r%zu", i);
	r->id = r->paragraph = us_bytes_of(ids[i]);
	r->effect = random_below(3) == 0 ? US_FORBID : US_PERMIT;
	r->any_party = random_below(4) == 0;
	while (!r->any_party && r->parties == 0)
		r->parties = (seed >> 7) & ((UINT64_C(1) << o->n_parties) - 1), (void)random_below(2);
	for (unsigned n = random_below(6) + 1; n > 0; n--)
		r->capacities |= US_CAPACITY_BIT(random_below(US_CAPACITY_LAST) + 1);
	for (unsigned n = random_below(8) + 1; n > 0; n--) {
		enum us_action a = random_action();
		if (us_action_class_of(a) == US_ACTIONS_INTERNAL)
			a = US_ACTION_READ;
		r->actions[(unsigned)a / 64] |= UINT64_C(1) << ((unsigned)a % 64);
		log |= us_action_opens_log(a);
		evident |= us_action_is_evidence(a);
	}
	if (r->effect == US_PERMIT && evident)
		r->capacities &= ~(US_CAPACITY_BIT(US_CAPACITY_ADMINISTRATOR) | US_CAPACITY_BIT(US_CAPACITY_KEYHOLDER));
	if (r->capacities == 0)
		r->capacities = US_CAPACITY_BIT(US_CAPACITY_EXPERT);
	r->any_collection = random_below(2) == 0;
	if (!r->any_collection) {
		r->n_collections = random_below(3) + 1;
		r->collections = collections;
		for (size_t k = 0; k < r->n_collections; k++)
			collections[k] = us_bytes_of(collection_names[k]);
	}
	r->is_query = random_below(2) == 0;
	r->what = us_bytes_of(r->is_query ? "model:x" : "");
	r->limits = us_limits_none();
	if (r->effect == US_FORBID)
		return;
	r->conditions.purpose = (enum us_purpose_need)random_below(o->n_purposes > 0 ? 3 : 2);
	r->boxes = log ? (uint8_t)(random_below(7) + 1) : 0;
	r->log_scope = log ? (enum us_log_scope)(random_below(3) + 1) : 0;
	if (random_below(2) == 0)
		r->limits.records_per_request = random_below(100) + 1;
	random_conditions(o, r, i);
}

static struct us_order *
random_order(void)
{
	static struct us_party parties[5];
	static struct us_purpose purposes[2];
	static struct us_rule rules[24];
	static struct us_bytes collections[24][4];
	static const char *const names[] = { "p0", "p1", "p2", "p3", "p4" };
	struct us_order order = { .version = 1, .title = us_bytes_of("t"), .parties = parties,
		.purposes = purposes, .rules = rules };
	struct us_order *decoded;
	struct us_buf compiled;

	order.default_paragraph = us_bytes_of(random_below(2) ? "0" : "");
	order.n_parties = random_below(5) + 1;
	for (size_t i = 0; i < order.n_parties; i++) {
		parties[i].id = parties[i].name = us_bytes_of(names[i]);
		parties[i].n_signers = 1;
		parties[i].signers[0] = (struct us_signer){ us_bytes_of("S"), US_CAPACITY_COURT };
	}
	order.n_purposes = random_below(3);
	for (size_t i = 0; i < order.n_purposes; i++)
		purposes[i].code = purposes[i].text = us_bytes_of(names[i]);
	static struct us_period periods[2];
	static struct us_clearance clearances[2];
	static struct us_bytes states[2];
	order.n_periods = order.n_clearances = order.n_matter_states = 2;
	order.periods = periods;
	order.clearances = clearances;
	order.matter_states = states;
	for (size_t i = 0; i < 2; i++) {
		periods[i] = (struct us_period){ us_bytes_of(names[i]), (int64_t)random_below(50), 50 + (int64_t)random_below(50) };
		clearances[i] = (struct us_clearance){ .id = us_bytes_of(names[i]), .paragraph = us_bytes_of("c"),
			.serve = 1, .days = 14 };
		states[i] = us_bytes_of(names[i]);
	}
	order.n_rules = random_below(24) + 1;
	for (size_t i = 0; i < order.n_rules; i++)
		random_rule(&order, &rules[i], i, collections[i]);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_encode(&order, &compiled), US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &decoded), US_OK);
	us_buf_free(&compiled);
	return decoded;
}

static size_t seen[64]; /* by reason */

static void
compare(const struct us_order *o, size_t *allowed)
{
	struct us_subject s = { .person = 1, .capacity = (enum us_capacity)(random_below(US_CAPACITY_LAST) + 1),
		.parties = random_below(1u << o->n_parties) };
	static const char *const purposes[] = { "", "p0", "p1", "why" };
	struct us_context c = { .purpose = us_bytes_of(purposes[random_below(4)]), .records = random_below(120) };
	enum us_action action = random_action();
	struct us_ruling r;

	struct us_approver approvers[3];
	struct us_freeze_on freeze = { .id = 1 };

	s.acknowledged = random_below(2) == 0;
	s.clearances = random_below(4);
	c.now_ns = random_below(100);
	c.matter = (uint8_t)random_below(2);
	c.has_address = random_below(4) != 0;
	assert_int_equal(us_address_parse(c.address, us_bytes_of(random_below(2) ? "10.1.2.3" : "2001:db8::7")), US_OK);
	c.credential_bits = (uint16_t)(random_below(2) * 128);
	c.credential_days = (uint16_t)random_below(400);
	c.person_after = (struct us_meter){ random_below(200), random_below(1000), random_below(50) };
	c.party_after = (struct us_meter){ random_below(200), random_below(1000), random_below(50) };
	c.corpus = random_below(2000);
	c.n_approvers = random_below(4);
	for (size_t i = 0; i < c.n_approvers; i++)
		approvers[i] = (struct us_approver){ (uint32_t)i + 1, US_CAPACITY_COURT, 1, 0 };
	c.approvers = approvers;
	if (random_below(8) == 0) {
		freeze.everything = random_below(4) == 0;
		freeze.parties = random_below(4);
		freeze.person = random_below(3);
		freeze.collection = us_bytes_of(collection_names[random_below(4)]);
		c.freezes = &freeze;
		c.n_freezes = 1;
	}

	if (random_below(2) && o->n_rules > 0) /* half of the requests aim at what some rule is about */
		do
			action = random_action();
		while (us_action_class_of(action) == US_ACTIONS_INTERNAL);
	if (random_below(5) != 0)
		c.collection = us_bytes_of(collection_names[random_below(4)]);
	us_order_evaluate(o, &s, action, &c, &r);
	struct naive n = naive_evaluate(o, &s, us_action_name((unsigned)action), &c);
	assert_int_equal(r.decision == US_DECISION_ALLOW, n.allowed);
	assert_int_equal(r.reason, n.reason);
	seen[r.reason]++;
	assert_int_equal(r.records_per_request, n.cap);
	assert_int_equal(r.boxes, n.boxes);
	assert_non_null(r.cure);
	int all = 0, forbids = 0;
	for (size_t i = 0; i < o->n_rules; i++) {
		char is = (r.permits[i / 64] >> (i % 64) & 1) ? 'p' : (r.forbids[i / 64] >> (i % 64) & 1) ? 'f' : ' ';
		assert_int_equal(is, n.visible[i]);
		all |= is == 'p' && !o->rules[i].is_query;
		forbids |= is == 'f';
	}
	assert_int_equal(r.sees_all, all && !forbids);
	/* a rule that is cited is one whose paragraph is given */
	if (r.rule != 0)
		assert_true(text_equal(r.paragraph, o->rules[r.rule - 1].paragraph));
	*allowed += (size_t)n.allowed;
}

static void
test_random(void **state)
{
	size_t allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 2500; i++) {
		struct us_order *o = random_order();
		for (unsigned k = 0; k < 40; k++)
			compare(o, &allowed);
		us_order_free(o);
	}
	for (unsigned reason = 0; reason <= US_REASON_CREDENTIAL; reason++)
		if (us_reason_name(reason) != NULL && seen[reason] > 0)
			print_message("%s: %zu\n", us_reason_name(reason), seen[reason]);
	print_message("100,000 random requests agree, %zu of them allowed\n", allowed);
	assert_true(allowed > 1000);
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
	assert_int_equal(us_order_compile((struct us_bytes){ (const uint8_t *)text, n }, &compiled, f), US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	us_buf_free(&compiled);
	free(f);
	return order;
}

static const struct {
	enum us_capacity capacity;
	int party; /* 0 plaintiffs, 1 defendant, 2 court, -1 none */
	const char *may; /* all that it may of the ordered actions, with spaces around each */
} rights[] = {
	{ US_CAPACITY_OUTSIDE_COUNSEL, 0, " count search read sample terms match copy copy-list copy-return " },
	{ US_CAPACITY_COUNSEL_STAFF, 0, " count search read sample terms match copy-list copy-return " },
	{ US_CAPACITY_PRODUCER, 1, " load batch-list batch-hold batch-release batch-withdraw " },
	{ US_CAPACITY_AUDITOR, 2, " audit-list audit-keys audit-export audit-report " },
};

static void
test_demo_table(void **state)
{
	struct us_order *order = demo();
	struct us_context context = { .collection = us_bytes_of("demo"), .purpose = us_bytes_of("review"), .records = 1 };

	(void)state;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		for (int party = -1; party < 3; party++)
			for (unsigned a = 1; a < 128; a++) {
				if (us_action_name(a) == NULL)
					continue;
				struct us_subject s = { .person = 1, .capacity = (enum us_capacity)c,
					.parties = party < 0 ? 0 : UINT64_C(1) << party };
				struct us_ruling r;
				char word[64];
				/* administrative acts: capacity and signatures decide, this order adds nothing */
				int want = us_action_class_of((enum us_action)a) == US_ACTIONS_OPEN ||
				    us_action_class_of((enum us_action)a) == US_ACTIONS_ADMINISTRATIVE;
				(void)snprintf(word, sizeof(word), " %s ", us_action_name(a));
				for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
					if (rights[i].capacity == (enum us_capacity)c && rights[i].party == party &&
					    strstr(rights[i].may, word) != NULL)
						want = 1;
				us_order_evaluate(order, &s, (enum us_action)a, &context, &r);
				if ((r.decision == US_DECISION_ALLOW) != want)
					fail_msg("%s of party %d: %s", us_capacity_name(c), party, us_action_name(a));
				if (!want)
					assert_true(us_bytes_is(r.paragraph, "4"));
			}
	us_order_free(order);
}

static void
test_demo_conditions(void **state)
{
	struct us_order *order = demo();
	struct us_subject attorney = { .person = 1, .capacity = US_CAPACITY_OUTSIDE_COUNSEL, .parties = 1 };
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
	struct us_subject attorney = { .person = 1, .capacity = US_CAPACITY_OUTSIDE_COUNSEL, .parties = 1 };
	struct us_context c = { .collection = us_bytes_of("demo"), .purpose = us_bytes_of("x"), .records = 1 };
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
