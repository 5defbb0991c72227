#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_order.h"

#define RULES_MAX 140 /* more than fit two words of a set */
#define SECOND INT64_C(1000000000)
#define DAY_S INT64_C(86400)
#define FIRST_DAY 19723 /* 2024-01-01 */
#define DAYS 3000

static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static int
one_in(unsigned n)
{
	return random_below(n) == 0;
}

/* ---- random orders ---- */

static const char *const collection_names[] = { "demo", "logs", "quarantine", "other" };
static const char *const names[] = { "n0", "n1", "n2", "n3", "n4" };
static const char *const zones[] = { "EST5EDT,M3.2.0,M11.1.0", "GMT0BST,M3.5.0/1,M10.5.0",
	"CET-1CEST,M3.5.0,M10.5.0/3", "AEST-10AEDT,M10.1.0,M4.1.0/3", "IST-5:30", "<-03>3",
	"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1", "UTC0",
	"AAA3BBB,J60/0,J300/4:30:15", "AAA-3BBB,59/1,299", "EET-2EEST,M3.4.4/50,M10.4.4/50" };
static const char *const networks_text[] = { "10.0.0.0/9", "2001:db8::/33", "10.1.2.3", "0.0.0.0/0",
	"2001:db8::4/126" };
static const char *const addresses[] = { "10.1.2.3", "10.1.2.2", "10.128.0.1", "2001:db8::7",
	"2001:db8::8", "2001:db8:8000::1" };
#define OF(list) (list)[random_below(sizeof(list) / sizeof((list)[0]))]

static enum us_action
random_action(void)
{
	for (;;) {
		enum us_action a = (enum us_action)random_below(128);
		if (us_action_name((unsigned)a) != NULL && a != US_ACTION_NONE)
			return a;
	}
}

static int64_t
random_moment(void)
{
	return (((int64_t)FIRST_DAY + random_below(DAYS)) * DAY_S + random_below((unsigned)DAY_S)) *
	    SECOND +
	    random_below((unsigned)SECOND);
}

static uint64_t
random_parties(const struct us_order *o)
{
	uint64_t parties = 0;

	for (unsigned n = 1 + random_below(3); n > 0; n--)
		parties |= UINT64_C(1) << random_below((unsigned)o->n_parties);
	return parties;
}

/* Seldom each, so that requests that pass are seen too. */
static void
random_conditions(const struct us_order *o, struct us_rule *r, size_t i, unsigned seldom)
{
	static struct us_network networks[RULES_MAX][2];
	struct us_conditions *w = &r->conditions;

	w->acknowledgement = one_in(seldom);
	w->clearance = one_in(seldom) ? (uint8_t)(random_below((unsigned)o->n_clearances) + 1) : 0;
	w->matter_states = one_in(seldom) ? (uint16_t)(random_below(7) + 1) : 0;
	w->period = one_in(seldom) ? (uint8_t)(random_below((unsigned)o->n_periods) + 1) : 0;
	w->calendar = one_in(seldom) ? (uint8_t)(random_below((unsigned)o->n_calendars) + 1) : 0;
	w->credential_bits = one_in(seldom) ? (uint16_t)(112 + 16 * random_below(4)) : 0;
	w->credential_days = one_in(seldom) ? (uint16_t)(random_below(400) + 1) : 0;
	if (one_in(seldom)) {
		unsigned first = random_below(5);
		assert_int_equal(us_network_parse(&networks[i][0],
				     us_bytes_of(networks_text[first])),
		    US_OK);
		assert_int_equal(us_network_parse(&networks[i][1],
				     us_bytes_of(networks_text[(first + 1) % 5])),
		    US_OK);
		w->networks = networks[i];
		w->n_networks = random_below(2) + 1;
	}
	if (one_in(seldom)) {
		w->approval = (struct us_approval_need){ (uint8_t)(random_below(4) + 1), one_in(2),
			0, (random_below(1u << 13) << 1) | US_CAPACITY_BIT(US_CAPACITY_COURT),
			(uint16_t)(random_below(200) + 1) };
		w->approval.parties = w->approval.any_party ? 0 : random_parties(o);
	}
	r->limits.per = one_in(2) ? US_PER_PARTY : US_PER_PERSON;
	if (one_in(seldom))
		r->limits.consecutive = random_below(50) + 1;
	if (one_in(seldom))
		r->limits.per_day = random_below(200) + 1;
	if (one_in(seldom))
		r->limits.life = one_in(8) ? US_UNLIMITED - 1 : random_below(1000) + 1;
	if (one_in(seldom))
		r->limits.share = random_below(US_MILLION) + 1;
	if (one_in(seldom))
		r->mask = (struct us_mask){ (uint8_t)random_below(256),
			(uint8_t)(random_below(16) << 1), (uint8_t)random_below(16),
			(uint8_t)random_below(2) };
}

static void
random_rule(struct us_order *o, struct us_rule *r, size_t i, unsigned seldom)
{
	static char ids[RULES_MAX][24];
	static struct us_bytes collections[RULES_MAX][4];
	int log = 0, evident = 0;

	memset(r, 0, sizeof(*r));
	(void)snprintf(ids[i], sizeof(ids[i]), "r%zu", i);
	r->id = r->paragraph = us_bytes_of(ids[i]);
	r->effect = random_below(3) == 0 ? US_FORBID : US_PERMIT;
	r->any_party = one_in(4);
	r->parties = r->any_party ? 0 : random_parties(o);
	for (unsigned n = random_below(6) + 1; n > 0; n--)
		r->capacities |= US_CAPACITY_BIT(random_below(US_CAPACITY_LAST) + 1);
	for (unsigned n = random_below(8) + 1; n > 0; n--) {
		enum us_action a = random_action();
		if (us_action_row(a)->class == US_ACTIONS_INTERNAL)
			a = US_ACTION_READ;
		r->actions[(unsigned)a / 64] |= UINT64_C(1) << ((unsigned)a % 64);
		log |= us_action_row(a)->opens_log;
		evident |= us_action_row(a)->is_evidence;
	}
	if (r->effect == US_PERMIT && evident)
		r->capacities &= ~(US_CAPACITY_BIT(US_CAPACITY_ADMINISTRATOR) |
		    US_CAPACITY_BIT(US_CAPACITY_KEYHOLDER));
	if (r->capacities == 0)
		r->capacities = US_CAPACITY_BIT(US_CAPACITY_EXPERT);
	r->any_collection = one_in(2);
	if (!r->any_collection) {
		r->n_collections = random_below(3) + 1;
		r->collections = collections[i];
		for (size_t k = 0; k < r->n_collections; k++)
			collections[i][k] = us_bytes_of(collection_names[k]);
	}
	r->is_query = r->effect == US_FORBID ? !one_in(4) : one_in(2);
	r->what = us_bytes_of(r->is_query ? "model:x" : "");
	r->limits = us_limits_none();
	if (r->effect == US_FORBID)
		return;
	if (one_in(2))
		r->conditions.purpose = (enum us_purpose_need)random_below(
		    o->n_purposes > 0 ? 3 : 2);
	r->boxes = log ? (uint8_t)(random_below(7) + 1) : 0;
	r->log_scope = log ? (enum us_log_scope)(random_below(3) + 1) : 0;
	if (one_in(2))
		r->limits.records_per_request = random_below(100) + 1;
	random_conditions(o, r, i, seldom);
}

static void
random_lists(struct us_order *o)
{
	static struct us_period periods[2];
	static struct us_clearance clearances[3];
	static struct us_bytes states[3];
	static struct us_calendar calendars[3];
	static int32_t holidays[3][60];

	o->n_periods = 2;
	o->periods = periods;
	o->n_clearances = o->n_matter_states = o->n_calendars = 3;
	o->clearances = clearances;
	o->matter_states = states;
	o->calendars = calendars;
	for (size_t i = 0; i < 2; i++) {
		int64_t from = random_moment();
		periods[i] = (struct us_period){ us_bytes_of(names[i]),
			one_in(4) ? INT64_MIN : from,
			one_in(4) ? INT64_MAX : from + 1 + random_below(DAYS) * DAY_S * SECOND };
	}
	for (size_t i = 0; i < 3; i++) {
		const char *zone = OF(zones);
		unsigned from = random_below(1440);
		clearances[i] = (struct us_clearance){ .id = us_bytes_of(names[i]),
			.paragraph = us_bytes_of("c"),
			.serve = 1,
			.days = 14 };
		states[i] = us_bytes_of(names[i]);
		calendars[i] = (struct us_calendar){ .id = us_bytes_of(names[i]),
			.zone_name = us_bytes_of("Some/Where"),
			.zone_posix = us_bytes_of(zone),
			.weekdays = (uint8_t)(one_in(2) ? 0x7f : random_below(0x7f) + 1),
			.from_minute = (uint16_t)(one_in(2) ? 0 : from),
			.to_minute = (uint16_t)(one_in(2) ? 1440 :
							    from + 1 + random_below(1440 - from)),
			.n_holidays = random_below(61),
			.holidays = holidays[i] };
		for (int32_t k = 0, day = FIRST_DAY; k < 60; k++)
			holidays[i][k] = day += 1 + (int32_t)random_below(DAYS / 60);
	}
}

struct us_order *
random_order(void)
{
	static struct us_party parties[64];
	static char party_names[64][24];
	static struct us_purpose purposes[2];
	static struct us_rule rules[RULES_MAX];
	struct us_order order = { .version = 1,
		.title = us_bytes_of("t"),
		.parties = parties,
		.purposes = purposes,
		.rules = rules };
	struct us_order *decoded;
	struct us_buf compiled;

	order.default_paragraph = us_bytes_of(one_in(2) ? "" : "0");
	order.n_parties = one_in(16) ? 64 : random_below(5) + 1;
	for (size_t i = 0; i < order.n_parties; i++) {
		(void)snprintf(party_names[i], sizeof(party_names[i]), "p%zu", i);
		parties[i].id = parties[i].name = us_bytes_of(party_names[i]);
		parties[i].n_signers = 1;
		parties[i].signers[0] = (struct us_signer){ us_bytes_of("S"), US_CAPACITY_COURT };
	}
	order.n_purposes = random_below(3);
	for (size_t i = 0; i < order.n_purposes; i++)
		purposes[i].code = purposes[i].text = us_bytes_of(names[i]);
	random_lists(&order);
	order.n_rules = one_in(16) ? RULES_MAX : random_below(24) + 1;
	unsigned seldom = 4u << random_below(4);
	for (size_t i = 0; i < order.n_rules; i++)
		random_rule(&order, &rules[i], i, seldom);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	assert_int_equal(us_order_encode(&order, &compiled), US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &decoded), US_OK);
	us_buf_free(&compiled);
	return decoded;
}

/* ---- random requests ---- */

/* About an edge: one less, the same, one more; at least 0. */
static uint64_t
about(uint64_t edge)
{
	return edge + random_below(3) - (edge > 0 ? 1 : 0);
}

static int64_t
about_moment(int64_t edge)
{
	return edge == INT64_MIN || edge == INT64_MAX ? random_moment() :
							edge + random_below(3) - 1;
}

/* A moment about the beginning or end of working hours, or about a switch of the zone's. */
static int64_t
about_hours(const struct us_calendar *k)
{
	int64_t now = random_moment();
	int64_t s = now / SECOND;
	int64_t local = ((s / DAY_S) * 1440 + (one_in(2) ? k->from_minute : k->to_minute)) * 60;

	if (one_in(4)) { /* Sundays at night */
		local = ((s / DAY_S + 10) / 7 * 7 + 3) * DAY_S + 3600 * random_below(5);
	} else if (k->n_holidays > 0 && one_in(4)) {
		local = k->holidays[random_below((unsigned)k->n_holidays)] * DAY_S +
		    DAY_S * random_below(2);
	}
	return (local - (one_in(2) ? k->zone.standard_s : k->zone.summer_s)) * SECOND +
	    (int64_t)random_below(3) - 1;
}

/* Turns half of the facts into what one rule is about. */
static void
aim(const struct us_order *o, const struct us_rule *r, struct request *q)
{
	struct us_context *c = &q->context;
	struct us_meter *m = r->limits.per == US_PER_PARTY ? &c->party_after : &c->person_after;

	do
		q->action = random_action();
	while (!us_actions_has(r->actions, q->action));
	for (unsigned i = 0; i < 8 && (r->capacities & US_CAPACITY_BIT(q->subject.capacity)) == 0;
	     i++)
		q->subject.capacity = (enum us_capacity)(random_below(US_CAPACITY_LAST) + 1);
	if (!r->any_party && !one_in(8))
		q->subject.parties |= r->parties;
	if (!r->any_collection && !one_in(8))
		c->collection = r->collections[random_below((unsigned)r->n_collections)];
	if (r->conditions.period > 0 && one_in(2)) {
		const struct us_period *p = &o->periods[r->conditions.period - 1];
		c->now_ns = about_moment(one_in(2) ? p->from_ns : p->until_ns);
	}
	if (r->conditions.calendar > 0 && one_in(2))
		c->now_ns = about_hours(&o->calendars[r->conditions.calendar - 1]);
	if (r->limits.records_per_request != US_UNLIMITED && one_in(2))
		c->records = about(r->limits.records_per_request);
	if (r->limits.consecutive != US_UNLIMITED && one_in(2))
		m->run = about(r->limits.consecutive);
	if (r->limits.per_day != US_UNLIMITED && one_in(2))
		m->day = about(r->limits.per_day);
	if (r->limits.life != US_UNLIMITED && one_in(2))
		m->life = about(r->limits.life);
	if (r->limits.share != US_UNLIMITED && c->corpus < UINT32_MAX && one_in(2))
		m->life = about(c->corpus * r->limits.share / US_MILLION);
	if (r->conditions.credential_bits > 0 && one_in(2))
		c->credential_bits = (uint16_t)about(r->conditions.credential_bits);
	if (r->conditions.credential_days > 0 && one_in(2))
		c->credential_days = (uint16_t)about(r->conditions.credential_days);
	for (size_t i = 0; i < c->n_approvers; i++)
		if (r->conditions.approval.count > 0 && !one_in(3))
			q->approvers[i].at_ns = one_in(2) ?
			    about_moment(c->now_ns) :
			    about_moment(c->now_ns - r->conditions.approval.hours * 3600 * SECOND);
}

static struct us_meter
random_meter(void)
{
	return (struct us_meter){ random_below(200), one_in(16) ? seed : random_below(1000),
		random_below(50) };
}

static void
random_freezes(const struct us_order *o, struct request *q)
{
	q->context.n_freezes = one_in(8) ? 1 + random_below(FREEZES) : 0;
	q->context.freezes = q->freezes;
	for (size_t i = 0; i < FREEZES; i++) {
		struct us_freeze_on *f = &q->freezes[i];
		*f = (struct us_freeze_on){ .id = random_below(1000) + 1 };
		switch (random_below(8)) {
		case 0:
			f->everything = 1;
			break;
		case 1:
		case 2:
			f->parties = random_parties(o);
			break;
		case 3:
		case 4:
			f->person = 1 + random_below(3);
			break;
		default:
			f->collection = us_bytes_of(OF(collection_names));
			break;
		}
	}
}

void
random_request(const struct us_order *o, struct request *q)
{
	static const char *const purposes[] = { "", "n0", "n1", "why" };
	struct us_context *c = &q->context;

	q->subject = (struct us_subject){ .person = one_in(50) ? 0 : random_below(3) + 1,
		.capacity = (enum us_capacity)(
		    one_in(50) ? random_below(32) : random_below(US_CAPACITY_LAST) + 1),
		.parties = one_in(4) ? 0 : random_parties(o),
		.acknowledged = !one_in(3),
		.clearances = random_below(8) };
	q->action = one_in(50) ? (enum us_action)random_below(200) : random_action();
	*c = (struct us_context){ .purpose = us_bytes_of(OF(purposes)),
		.records = random_below(120),
		.now_ns = random_moment(),
		.has_address = !one_in(4),
		.matter = (uint8_t)(one_in(16) ? 16 + random_below(240) : random_below(4)),
		.credential_bits = (uint16_t)(random_below(3) * 128),
		.credential_days = (uint16_t)random_below(400),
		.n_approvers = random_below(APPROVERS + 1),
		.approvers = q->approvers,
		.unknown = one_in(4) ? random_below(16) : 0,
		.corpus = one_in(8) ? seed : random_below(2000) };
	assert_int_equal(us_address_parse(c->address, us_bytes_of(OF(addresses))), US_OK);
	if (!one_in(5))
		c->collection = us_bytes_of(OF(collection_names));
	c->person_before = random_meter();
	c->person_after = random_meter();
	c->party_before = random_meter();
	c->party_after = random_meter();
	for (size_t i = 0; i < APPROVERS; i++) {
		q->approvers[i] = (struct us_approver){ random_below(8),
			(enum us_capacity)random_below(US_CAPACITY_LAST + 2), random_parties(o),
			c->now_ns - (int64_t)random_below(300) * 3600 * SECOND };
		if (one_in(2))
			q->approvers[i].capacity = US_CAPACITY_COURT;
	}
	random_freezes(o, q);
	if (!one_in(3))
		aim(o, &o->rules[random_below((unsigned)o->n_rules)], q);
	for (size_t i = 0; i < APPROVERS; i++)
		for (size_t k = 0; k < i;
		     k++) /* people are named once; if not, the same is said of them */
			if (q->approvers[k].person == q->approvers[i].person)
				q->approvers[i] = q->approvers[k];
	if ((c->unknown & US_UNKNOWN_USAGE) != 0)
		c->person_before = c->person_after = c->party_before = c->party_after =
		    (struct us_meter){ 0, 0, 0 };
}
