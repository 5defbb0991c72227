/*
 * What a decision costs, and what the visible set of a person costs: bench/order runs it and prints
 * a table.
 *
 *   us_order_bench [--rounds N] [--decisions N] [--records N] [--segment N]
 *
 * Prints one JSON object. A decision is timed alone, between two readings of the clock (timer_us is
 * what they cost; it is not taken off); ours and the plain evaluator see the same requests, and
 * must rule alike, else the program fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/order_bench.h"
#include "base/err.h"

#define ROUNDS_MAX 99

struct options {
	unsigned rounds, decisions, records, segment;
};

/* Medians and the smallest and largest of all rounds. */
struct figure {
	double of[ROUNDS_MAX];
	size_t n;
};

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
print_figure(const char *name, struct figure *f)
{
	qsort(f->of, f->n, sizeof(f->of[0]), compare_doubles);
	(void)printf("\"%s\": %.4f, \"%s_spread\": [%.4f, %.4f], ", name, f->of[f->n / 2], name,
	    f->of[0], f->of[f->n - 1]);
}

static void
add(struct figure *f, double value)
{
	f->of[f->n++] = value;
}

static double
percentile_us(uint32_t *times, size_t n, unsigned of_1000)
{
	qsort(times, n, sizeof(*times), compare_times);
	return times[(n - 1) * of_1000 / 1000] / 1e3;
}

/* --- decisions -------------------------------------------------------------------------------- */

struct decisions {
	const struct us_order *order;
	const struct plain_order *plain;
	const struct us_subject *people;
	size_t n;
	uint32_t *times;
	struct plain_ruling *rulings;
	size_t allowed, permits, differ;
};

static uint32_t
elapsed(int64_t began)
{
	int64_t ns = bench_now() - began;

	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void
time_ours(struct decisions *d, uint64_t seed)
{
	struct rng r = { seed };
	struct us_ruling ruling;
	struct request q;

	d->allowed = d->permits = 0;
	for (size_t i = 0; i < d->n; i++) {
		bench_request(&r, d->order, d->people, &q);
		int64_t began = bench_now();
		us_order_evaluate(d->order, &q.subject, q.action, &q.context, &ruling);
		d->times[i] = elapsed(began);
		d->rulings[i] = (struct plain_ruling){ ruling.decision, ruling.reason,
			ruling.rule };
		d->allowed += ruling.decision == US_DECISION_ALLOW;
		for (int k = us_rules_next(ruling.permits, 0); k >= 0;
		     k = us_rules_next(ruling.permits, k + 1))
			d->permits++;
	}
}

static void
time_plain(struct decisions *d, uint64_t seed)
{
	struct rng r = { seed };
	struct plain_ruling ruling;
	struct request q;

	for (size_t i = 0; i < d->n; i++) {
		bench_request(&r, d->order, d->people, &q);
		int64_t began = bench_now();
		plain_evaluate(d->plain, &q, &ruling);
		d->times[i] = elapsed(began);
		d->differ += ruling.decision != d->rulings[i].decision ||
		    ruling.reason != d->rulings[i].reason || ruling.rule != d->rulings[i].rule;
	}
}

static double
time_timer(struct decisions *d)
{
	for (size_t i = 0; i < d->n; i++) {
		int64_t began = bench_now();
		d->times[i] = elapsed(began);
	}
	return percentile_us(d->times, d->n, 500);
}

static size_t
measure_decisions(const struct us_order *order, const struct us_subject people[BENCH_PEOPLE],
    const struct options *o)
{
	struct figure p50 = { .n = 0 }, p99 = { .n = 0 }, plain50 = { .n = 0 },
		      plain99 = { .n = 0 }, ratio = { .n = 0 };
	struct plain_order *plain = plain_new(order);
	struct decisions d = { .order = order,
		.plain = plain,
		.people = people,
		.n = o->decisions,
		.times = calloc(o->decisions, sizeof(*d.times)),
		.rulings = calloc(o->decisions, sizeof(*d.rulings)) };

	bench_check(d.times == NULL || d.rulings == NULL ? US_ERR_NOMEM : US_OK, "the times");
	time_ours(&d, 1); /* warms what there is to warm */
	for (unsigned round = 0; round < o->rounds; round++) {
		time_ours(&d, round + 2);
		add(&p50, percentile_us(d.times, d.n, 500));
		add(&p99, percentile_us(d.times, d.n, 990));
		time_plain(&d, round + 2);
		add(&plain50, percentile_us(d.times, d.n, 500));
		add(&plain99, percentile_us(d.times, d.n, 990));
		add(&ratio, plain50.of[round] / p50.of[round]);
		(void)fprintf(stderr, "round %u: %.2f us, 99 %% below %.2f us; plain %.2f us\n",
		    round + 1, p50.of[round], p99.of[round], plain50.of[round]);
	}
	print_figure("ratio_naive", &ratio);
	print_figure("decision_us_p50", &p50);
	print_figure("decision_us_p99", &p99);
	print_figure("naive_us_p50", &plain50);
	print_figure("naive_us_p99", &plain99);
	(void)printf("\"timer_us\": %.3f, \"allowed_share\": %.3f, \"permits_that_fit\": %.2f, "
		     "\"rulings_that_differ\": %zu, ",
	    time_timer(&d), (double)d.allowed / (double)d.n, (double)d.permits / (double)d.n,
	    d.differ);
	free(d.times);
	free(d.rulings);
	plain_free(plain);
	return d.differ;
}

/* --- the visible set -------------------------------------------------------------------------- */

static size_t
count(const uint64_t rules[US_RULE_WORDS])
{
	size_t n = 0;

	for (int i = us_rules_next(rules, 0); i >= 0; i = us_rules_next(rules, i + 1))
		n++;
	return n;
}

/* The person whom most rules concern. */
static void
largest_ruling(const struct us_order *order, const struct us_subject people[BENCH_PEOPLE],
    struct us_ruling *out)
{
	const struct us_context context = { .collection = us_bytes_of(BENCH_COLLECTION) };
	size_t most = 0;

	for (size_t i = 0; i < BENCH_PEOPLE; i++) {
		struct us_ruling ruling;
		us_order_evaluate(order, &people[i], US_ACTION_READ, &context, &ruling);
		size_t n = count(ruling.permits) + count(ruling.forbids);
		if (n > most) {
			most = n;
			*out = ruling;
		}
	}
	bench_check(most == 0 ? US_ERR_STATE : US_OK, "somebody whom a rule permits to read");
}

/* Nobody's: all rules at once, so that there is a figure no order of this size can exceed. */
static void
every_rule(const struct us_order *order, struct us_ruling *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < order->n_rules; i++) {
		uint64_t *set = order->rules[i].effect == US_PERMIT ? out->permits : out->forbids;
		set[i / 64] |= UINT64_C(1) << i % 64;
	}
}

static void
measure_visible(struct rng *r, const struct us_order *order,
    const struct us_subject people[BENCH_PEOPLE], const struct options *o)
{
	struct records *records = records_new(r, o->records, o->segment);
	struct figure seconds = { .n = 0 }, increment = { .n = 0 };
	struct figure every = { .n = 0 };
	struct visible_times times = { .visible = 0 }, all;
	struct us_ruling ruling, whole;

	largest_ruling(order, people, &ruling);
	every_rule(order, &whole);
	for (unsigned round = 0; round < o->rounds; round++) {
		records_visible(records, order, &ruling, &times);
		add(&seconds, times.seconds);
		add(&increment, times.increment_ms);
		records_visible(records, order, &whole, &all);
		add(&every, all.seconds);
		(void)fprintf(stderr, "round %u: %.3f s, %.1f ms; every rule: %.3f s\n", round + 1,
		    times.seconds, times.increment_ms, all.seconds);
	}
	print_figure("visible_set_seconds", &seconds);
	print_figure("visible_set_increment_ms", &increment);
	print_figure("every_rule_seconds", &every);
	(void)printf("\"visible_set_permits\": %zu, \"visible_set_forbids\": %zu, "
		     "\"visible_records\": %llu, ",
	    count(ruling.permits), count(ruling.forbids), (unsigned long long)times.visible);
	(void)printf("\"segment_records\": %u, ", o->segment);
	records_free(records);
}

static unsigned
number(const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n == 0 || n > max) {
		(void)fprintf(stderr, "%s: not a number of 1 .. %u\n", text, max);
		exit(2);
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	struct options o = { .rounds = 5,
		.decisions = 100000,
		.records = 1000000,
		.segment = 65536 };
	struct rng r = { 88172645463325252u };
	static struct us_subject people[BENCH_PEOPLE];

	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--rounds") == 0)
			o.rounds = number(value, ROUNDS_MAX);
		else if (strcmp(argv[i], "--decisions") == 0)
			o.decisions = number(value, 10000000);
		else if (strcmp(argv[i], "--records") == 0)
			o.records = number(value, 10000000);
		else if (strcmp(argv[i], "--segment") == 0)
			o.segment = number(value, 1u << 20);
		else {
			(void)fprintf(stderr,
			    "usage: us_order_bench [--rounds N] [--decisions N] [--records N] "
			    "[--segment N]\n");
			return 2;
		}
	}
	struct us_order *order = bench_order(&r);
	bench_people(&r, people);
	(void)printf("{");
	size_t differ = measure_decisions(order, people, &o);
	measure_visible(&r, order, people, &o);
	(void)printf("\"records\": %u, \"people\": %u, \"rules\": %u, \"rounds\": %u}\n", o.records,
	    BENCH_PEOPLE, BENCH_RULES, o.rounds);
	us_order_free(order);
	return differ == 0 ? 0 : 1;
}
