/* The order, the people and the requests of the bench of decisions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/order_bench.h"

#define CALENDARS 4
#define COLLECTIONS 4
#define QUERY_MAX 200
#define HOUR_NS (INT64_C(3600) * 1000000000)
#define DAY_NS (24 * HOUR_NS)
#define WEDNESDAY (INT64_C(20612) * DAY_NS) /* 2026-06-10 */

static const char *const zones[CALENDARS][2] = {
	{ "America/New_York", "EST5EDT,M3.2.0,M11.1.0" },
	{ "Europe/London", "GMT0BST,M3.5.0/1,M10.5.0" },
	{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "America/Chicago", "CST6CDT,M3.2.0,M11.1.0" },
};
static const char *const collections[COLLECTIONS] = { BENCH_COLLECTION, "mail", "code", "press" };
static const char *const names[BENCH_PARTIES] = { "a", "b", "c", "d", "e", "f", "g", "h" };
static const enum us_action actions[] = { US_ACTION_SEARCH, US_ACTION_COUNT, US_ACTION_READ,
	US_ACTION_COPY, US_ACTION_MATCH, US_ACTION_SAMPLE, US_ACTION_TERMS, US_ACTION_COPY_LIST };
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))
static const enum us_capacity capacities[] = { US_CAPACITY_OUTSIDE_COUNSEL,
	US_CAPACITY_COUNSEL_STAFF, US_CAPACITY_HOUSE_COUNSEL, US_CAPACITY_EXPERT,
	US_CAPACITY_VENDOR, US_CAPACITY_COURT };
#define CAPACITIES (sizeof(capacities) / sizeof(capacities[0]))

unsigned
rng_below(struct rng *r, unsigned n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (unsigned)(r->state >> 33) % n;
}

int64_t
bench_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
bench_check(int err, const char *what)
{
	if (err == US_OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, us_strerror(err));
	exit(1);
}

/* What every permit wants; a satisfied request has it all. */
static void
make_conditions(struct rng *r, struct us_rule *rule, struct us_network networks[3])
{
	static const char *const prefixes[] = { "192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8" };

	for (size_t i = 0; i < 3; i++)
		bench_check(us_network_parse(&networks[i], us_bytes_of(prefixes[i])), "a network");
	rule->conditions = (struct us_conditions){ .purpose = US_PURPOSE_LISTED,
		.acknowledgement = 1,
		.clearance = (uint8_t)(1 + rng_below(r, 4)),
		.calendar = (uint8_t)(1 + rng_below(r, CALENDARS)),
		.period = (uint8_t)(1 + rng_below(r, 4)),
		.matter_states = (uint16_t)(1 + 2 * rng_below(r, 4)),
		.credential_bits = 128,
		.credential_days = 365,
		.approval = { .count = (uint8_t)(1 + rng_below(r, 3)),
		    .any_party = 1,
		    .capacities = US_CAPACITY_BIT(US_CAPACITY_COURT),
		    .hours = 48 },
		.n_networks = 3,
		.networks = networks };
	rule->limits = (struct us_limits){ rng_below(r, 2) == 0 ? US_PER_PARTY : US_PER_PERSON,
		100 + rng_below(r, 900), 500 + rng_below(r, 500), 2000, 50000,
		100000 + rng_below(r, 100000) };
	rule->mask = (struct us_mask){ .identifiers = (uint8_t)rng_below(r, 4) };
}

static void
make_rule(struct rng *r, struct us_rule *rule, size_t i)
{
	static char ids[BENCH_RULES][16], queries[BENCH_RULES][QUERY_MAX];
	static struct us_bytes where[BENCH_RULES][2];
	static struct us_network networks[BENCH_RULES][3];

	(void)snprintf(ids[i], sizeof(ids[i]), "rule-%zu", i);
	records_query(r, queries[i], sizeof(queries[i]));
	*rule = (struct us_rule){ .id = us_bytes_of(ids[i]),
		.paragraph = us_bytes_of(ids[i]),
		.effect = US_PERMIT,
		.any_party = rng_below(r, 5) == 0,
		.any_collection = rng_below(r, 5) < 3,
		.is_query = 1,
		.what = us_bytes_of(queries[i]),
		.limits = us_limits_none() };
	for (unsigned n = 1 + rng_below(r, 3); !rule->any_party && n > 0; n--)
		rule->parties |= UINT64_C(1) << rng_below(r, BENCH_PARTIES);
	for (unsigned n = 1 + rng_below(r, 3); n > 0; n--)
		rule->capacities |= US_CAPACITY_BIT(capacities[rng_below(r, CAPACITIES)]);
	for (unsigned n = 2 + rng_below(r, 5); n > 0; n--) {
		unsigned a = (unsigned)actions[rng_below(r, ACTIONS)];
		rule->actions[a / 64] |= UINT64_C(1) << a % 64;
	}
	if (!rule->any_collection) {
		unsigned first = rng_below(r, COLLECTIONS);
		where[i][0] = us_bytes_of(collections[first]);
		where[i][1] = us_bytes_of(collections[(first + 1) % COLLECTIONS]);
		rule->collections = where[i];
		rule->n_collections = 1 + rng_below(r, 2);
	}
	if (rng_below(r, 7) == 0)
		rule->effect = US_FORBID;
	else
		make_conditions(r, rule, networks[i]);
}

struct us_order *
bench_order(struct rng *r)
{
	static struct us_party parties[BENCH_PARTIES];
	static struct us_calendar calendars[CALENDARS];
	static struct us_period periods[4];
	static struct us_purpose purposes[16];
	static struct us_bytes states[4];
	static struct us_clearance clearances[4];
	static struct us_rule rules[BENCH_RULES];
	static const int32_t holidays[] = { 20447, 20454, 20620, 20812, 20819 };
	static char codes[16][8];
	struct us_order order = { .version = 1,
		.title = us_bytes_of("bench"),
		.default_paragraph = us_bytes_of("1"),
		.n_parties = BENCH_PARTIES,
		.parties = parties,
		.n_calendars = CALENDARS,
		.calendars = calendars,
		.n_periods = 4,
		.periods = periods,
		.n_purposes = 16,
		.purposes = purposes,
		.n_matter_states = 4,
		.matter_states = states,
		.n_clearances = 4,
		.clearances = clearances,
		.n_rules = BENCH_RULES,
		.rules = rules };
	struct us_order *decoded;
	struct us_buf compiled;

	for (size_t i = 0; i < BENCH_PARTIES; i++)
		parties[i] = (struct us_party){ us_bytes_of(names[i]), us_bytes_of(names[i]), 1,
			{ { us_bytes_of("Signer"), US_CAPACITY_OUTSIDE_COUNSEL } } };
	for (size_t i = 0; i < 16; i++) {
		(void)snprintf(codes[i], sizeof(codes[i]), "code%zu", i);
		purposes[i] = (struct us_purpose){ us_bytes_of(codes[i]), us_bytes_of(codes[i]) };
	}
	for (size_t i = 0; i < 4; i++) {
		calendars[i] = (struct us_calendar){ .id = us_bytes_of(names[i]),
			.zone_name = us_bytes_of(zones[i][0]),
			.zone_posix = us_bytes_of(zones[i][1]),
			.weekdays = 0x3e,
			.from_minute = 480,
			.to_minute = 1200,
			.n_holidays = sizeof(holidays) / sizeof(holidays[0]),
			.holidays = holidays };
		periods[i] = (struct us_period){ us_bytes_of(names[i]), WEDNESDAY - 300 * DAY_NS,
			WEDNESDAY + 300 * DAY_NS };
		states[i] = us_bytes_of(names[i]);
		clearances[i] = (struct us_clearance){ .id = us_bytes_of(names[i]),
			.paragraph = us_bytes_of("2"),
			.serve = 1,
			.days = 7 };
	}
	for (size_t i = 0; i < BENCH_RULES; i++)
		make_rule(r, &rules[i], i);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	bench_check(us_order_encode(&order, &compiled), "encoding the order");
	bench_check(us_order_decode(compiled.data, compiled.len, &decoded), "decoding the order");
	us_buf_free(&compiled);
	return decoded;
}

void
bench_people(struct rng *r, struct us_subject people[BENCH_PEOPLE])
{
	for (size_t i = 0; i < BENCH_PEOPLE; i++) {
		people[i] = (struct us_subject){ .person = (uint32_t)i + 1,
			.capacity = capacities[rng_below(r, CAPACITIES)],
			.acknowledged = 1,
			.clearances = 15 };
		for (unsigned n = 1 + rng_below(r, 2); n > 0; n--)
			people[i].parties |= UINT64_C(1) << rng_below(r, BENCH_PARTIES);
	}
}

/* One fact of a request is turned into one that some condition does not like. */
static void
spoil(struct rng *r, struct request *q)
{
	switch (rng_below(r, 10)) {
	case 0:
		q->subject.acknowledged = 0;
		break;
	case 1:
		q->subject.clearances = 1u << rng_below(r, 4);
		break;
	case 2:
		q->context.matter = (uint8_t)(1 + rng_below(r, 3));
		break;
	case 3:
		q->context.now_ns += 320 * DAY_NS;
		break;
	case 4:
		q->context.now_ns += 8 * HOUR_NS;
		break;
	case 5:
		q->context.has_address = 0;
		break;
	case 6:
		q->context.credential_days = 400;
		break;
	case 7:
		q->context.purpose = us_bytes_of("reading");
		break;
	case 8:
		q->context.records = 5000;
		break;
	case 9:
		q->context.n_approvers = 0;
		break;
	}
}

void
bench_request(struct rng *r, const struct us_order *order,
    const struct us_subject people[BENCH_PEOPLE], struct request *q)
{
	q->subject = people[rng_below(r, BENCH_PEOPLE)];
	q->action = actions[rng_below(r, ACTIONS)];
	q->context = (struct us_context){ .collection = us_bytes_of(
					      collections[rng_below(r, COLLECTIONS)]),
		.purpose = order->purposes[rng_below(r, (unsigned)order->n_purposes)].code,
		.records = rng_below(r, 100),
		.now_ns = WEDNESDAY + 7 * rng_below(r, 8) * DAY_NS + 14 * HOUR_NS +
		    rng_below(r, 3600) * INT64_C(1000000000),
		.has_address = 1,
		.credential_bits = 128,
		.credential_days = 90,
		.corpus = 1000000,
		.n_approvers = BENCH_APPROVERS,
		.approvers = q->approvers,
		.n_freezes = BENCH_FREEZES,
		.freezes = q->freezes };
	struct us_context *x = &q->context;

	bench_check(us_address_parse(x->address,
			us_bytes_of(rng_below(r, 2) == 0 ? "10.20.30.40" : "2001:db8::9")),
	    "an address");
	x->person_before = x->person_after = (struct us_meter){ rng_below(r, 500),
		rng_below(r, 5000), rng_below(r, 300) };
	x->party_before = x->party_after = (struct us_meter){ rng_below(r, 1000),
		rng_below(r, 20000), rng_below(r, 400) };
	for (size_t i = 0; i < BENCH_APPROVERS; i++)
		q->approvers[i] = (struct us_approver){ 600 + (uint32_t)i, US_CAPACITY_COURT, 1,
			x->now_ns - (int64_t)i * HOUR_NS };
	for (size_t i = 0; i < BENCH_FREEZES; i++)
		q->freezes[i] = (struct us_freeze_on){ .id = (uint32_t)i + 1 };
	q->freezes[0].person = 1 + rng_below(r, BENCH_PEOPLE);
	q->freezes[1].person = 1 + rng_below(r, BENCH_PEOPLE);
	q->freezes[2].collection = us_bytes_of("sealed");
	q->freezes[3].parties = UINT64_C(1) << (BENCH_PARTIES + rng_below(r, 8));
	if (rng_below(r, 5) == 0)
		spoil(r, q);
}
