/*
 * The ledger against a second one that is a list of (account, collection, kind, day, record) which
 * every question walks from end to end; and runs over the borders of a bitmap's containers, where
 * ours searches and this one looks at every number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "policy/usage.h"

static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

#define PEOPLE 4
#define PARTIES 3
#define COLLECTIONS 2
#define DAYS 4
#define SEEN_MAX 60000

static const char *const parties[PARTIES] = { "plaintiffs", "defendant", "p" };

/* ---- the naive one ---- */

static struct seen {
	uint32_t person, collection;
	unsigned parties; /* bits */
	enum us_meter_kind kind;
	int32_t day;
	uint64_t record;
} seen[SEEN_MAX];
static size_t n_seen;

static int
mine(const struct seen *s, const struct us_usage_question *q)
{
	if (s->collection != q->collection || s->kind != q->kind)
		return 0;
	if (q->person != 0)
		return s->person == q->person;
	for (unsigned p = 0; p < PARTIES; p++)
		if ((s->parties >> p & 1) != 0 && strlen(parties[p]) == q->party.n &&
		    memcmp(parties[p], q->party.p, q->party.n) == 0)
			return 1;
	return 0;
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t
distinct(uint64_t *numbers, size_t n)
{
	size_t kept = 0;

	qsort(numbers, n, sizeof *numbers, compare_numbers);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || numbers[i] != numbers[i - 1])
			numbers[kept++] = numbers[i];
	return kept;
}

static struct us_meter
naive_after(const struct us_usage_question *q)
{
	static uint64_t ever[SEEN_MAX + 4096], day[SEEN_MAX + 4096];
	struct us_meter m = { 0, 0, 0 };
	size_t n_ever = 0, n_day = 0;

	for (size_t i = 0; i < n_seen; i++) {
		if (!mine(&seen[i], q))
			continue;
		ever[n_ever++] = seen[i].record;
		if (seen[i].day == q->day)
			day[n_day++] = seen[i].record;
	}
	for (size_t i = 0; i < q->n; i++) {
		ever[n_ever++] = q->records[i];
		day[n_day++] = q->records[i];
	}
	m.life = n_ever = distinct(ever, n_ever);
	m.day = distinct(day, n_day);
	for (size_t i = 0; q->wants_run && i < n_ever;) {
		size_t end = i + 1;
		int asked = 0;

		while (end < n_ever && ever[end] == ever[end - 1] + 1)
			end++;
		for (size_t k = 0; k < q->n; k++)
			asked |= q->records[k] >= ever[i] && q->records[k] <= ever[end - 1];
		if (asked && end - i > m.run)
			m.run = end - i;
		i = end;
	}
	return m;
}

static void
fold(struct us_usage *u, uint32_t person, unsigned bits, uint32_t collection,
    enum us_meter_kind kind, int32_t day, const uint64_t *records, size_t n)
{
	struct us_bytes names[PARTIES];
	struct us_usage_fact fact = { .person = person,
		.parties = names,
		.collection = collection,
		.kind = kind,
		.day = day,
		.records = records,
		.n = n };

	for (unsigned p = 0; p < PARTIES; p++)
		if ((bits >> p & 1) != 0)
			names[fact.n_parties++] = us_bytes_of(parties[p]);
	assert_int_equal(us_usage_fold(u, &fact), US_OK);
	for (size_t i = 0; i < n && n_seen < SEEN_MAX; i++)
		seen[n_seen++] = (struct seen){ person, collection, bits, kind, day, records[i] };
}

/* Somewhere dense, somewhere sparse, and around the borders of containers. */
static size_t
random_records(uint64_t *records, size_t most)
{
	const uint64_t base = (uint64_t[]){ 0, 65536 - 40, 131072 - 40, 500000,
		UINT32_MAX - 60 }[random_below(5)];
	size_t n = 1 + random_below((unsigned)most);

	if (random_below(3) == 0) {
		uint64_t first = base + random_below(30);
		for (size_t i = 0; i < n; i++)
			records[i] = first + i;
		return n;
	}
	for (size_t i = 0; i < n; i++)
		records[i] = base + random_below(60);
	return n;
}

static void
ask(const struct us_usage *u, const struct us_usage_question *q)
{
	const struct us_meter want = naive_after(q);
	struct us_meter got;

	assert_int_equal(us_usage_after(u, q, &got), US_OK);
	assert_int_equal(got.day, want.day);
	assert_int_equal(got.life, want.life);
	assert_int_equal(got.run, want.run);
}

static void
random_folds_and_questions(void **state)
{
	uint64_t records[30];

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct us_usage *u;

		n_seen = 0;
		assert_int_equal(us_usage_new(&u), US_OK);
		for (unsigned i = 0; i < 120; i++) {
			size_t n = random_records(records, 30);

			fold(u, 1 + random_below(PEOPLE), random_below(1 << PARTIES),
			    1 + random_below(COLLECTIONS), (enum us_meter_kind)random_below(2),
			    (int32_t)random_below(DAYS) - 1, records, n);
			for (unsigned k = 0; k < 3; k++) {
				struct us_usage_question q = { .person = random_below(PEOPLE + 1),
					.party = us_bytes_of(parties[random_below(PARTIES)]),
					.collection = 1 + random_below(COLLECTIONS),
					.kind = (enum us_meter_kind)random_below(2),
					.day = (int32_t)random_below(DAYS) - 1,
					.records = records,
					.wants_run = (int)random_below(2) };

				q.n = random_below(4) == 0 ? 0 : random_records(records, 30);
				ask(u, &q);
			}
		}
		us_usage_free(u);
	}
}

/* Whole containers and several of them, so that all three forms of a container occur. */
static void
long_runs(void **state)
{
	static uint64_t records[210000];
	struct us_usage_question q = { .person = 1, .collection = 1, .day = 7, .wants_run = 1 };
	struct us_meter m;
	struct us_usage *u;
	uint64_t one;

	(void)state;
	assert_int_equal(us_usage_new(&u), US_OK);
	for (size_t i = 0; i < 200000; i++)
		records[i] = 1000 + i;
	n_seen = SEEN_MAX; /* nothing for the naive one */
	fold(u, 1, 0, 1, US_METER_VIEW, 7, records, 200000);
	q.records = &one;
	q.n = 1;
	one = 100000;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.run == 200000 && m.life == 200000 && m.day == 200000);
	one = 999;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.run == 200001 && m.life == 200001);
	one = 998;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.run == 1 && m.life == 200001);
	/* the day after, which packs the day before */
	one = 201001;
	fold(u, 1, 0, 1, US_METER_VIEW, 8, &one, 1);
	q.day = 8;
	one = 201000;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.run == 200002 && m.life == 200002 && m.day == 2);
	q.day = 7;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.day == 200001);
	/* all of them asked again, and a bridge from one run to the other: 1000 .. 201001 */
	for (size_t i = 0; i < 200001; i++)
		records[i] = 1000 + i;
	q.records = records;
	q.n = 200001;
	q.day = 9;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.run == 200002 && m.life == 200002 && m.day == 200001);
	q.wants_run = 0;
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.run == 0);
	us_usage_free(u);
}

static void
refusals_change_nothing(void **state)
{
	const struct us_bytes party[2] = { us_bytes_of("p"), { (const uint8_t *)"", 0 } };
	const uint64_t records[2] = { 5, UINT64_C(1) << 32 };
	struct us_usage_fact fact = { .person = 1,
		.n_parties = 1,
		.parties = party,
		.collection = 1,
		.records = records,
		.n = 2 };
	struct us_usage_question q = { .person = 1, .collection = 1 };
	struct us_meter m = { 9, 9, 9 };
	struct us_usage *u;

	(void)state;
	assert_int_equal(us_usage_new(&u), US_OK);
	assert_int_equal(us_usage_fold(u, &fact), US_ERR_LIMIT);
	fact.n = 1;
	fact.n_parties = 2;
	assert_int_equal(us_usage_fold(u, &fact), US_ERR_ARG);
	fact.n_parties = 1;
	fact.person = 0;
	assert_int_equal(us_usage_fold(u, &fact), US_ERR_ARG);
	fact.person = 1;
	fact.collection = 0;
	assert_int_equal(us_usage_fold(u, &fact), US_ERR_ARG);
	assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	assert_true(m.day == 0 && m.life == 0 && m.run == 0);
	q.records = records;
	q.n = 2;
	m.life = 9;
	assert_int_equal(us_usage_after(u, &q, &m), US_ERR_LIMIT);
	assert_int_equal(m.life, 9);
	us_usage_free(u);
	us_usage_free(NULL);
}

/* ---- who ---- */

struct told {
	size_t n;
	struct us_usage_seen list[PEOPLE * US_METER_KINDS * DAYS];
};

static int
take(void *ctx, const struct us_usage_seen *s)
{
	struct told *t = ctx;

	t->list[t->n++] = *s;
	return t->n == 1000 ? 1 : 0;
}

static int
stop_at_once(void *ctx, const struct us_usage_seen *s)
{
	(void)s;
	++*(int *)ctx;
	return 77;
}

static void
who_has_seen(void **state)
{
	uint64_t records[20], asked[20], one[SEEN_MAX / 100];
	struct us_usage *u;
	int calls = 0;

	(void)state;
	assert_int_equal(us_usage_new(&u), US_OK);
	n_seen = 0;
	for (unsigned i = 0; i < 60; i++) {
		size_t n = random_records(records, 20);
		fold(u, 1 + random_below(PEOPLE), random_below(1 << PARTIES),
		    1 + random_below(COLLECTIONS), (enum us_meter_kind)random_below(2),
		    (int32_t)random_below(DAYS) - 1, records, n);
	}
	for (unsigned round = 0; round < 200; round++) {
		size_t n = random_records(asked, 20), at = 0;
		struct told t = { 0 };

		assert_int_equal(us_usage_who(u, 1, asked, n, take, &t), US_OK);
		for (uint32_t person = 1; person <= PEOPLE; person++)
			for (unsigned kind = 0; kind < US_METER_KINDS; kind++)
				for (int32_t day = -1; day < DAYS - 1; day++) {
					size_t count = 0;

					for (size_t i = 0; i < n_seen; i++)
						for (size_t k = 0; k < n; k++)
							if (seen[i].person == person &&
							    seen[i].collection == 1 &&
							    seen[i].kind == kind &&
							    seen[i].day == day &&
							    seen[i].record == asked[k] &&
							    count < SEEN_MAX / 100)
								one[count++] = asked[k];
					count = distinct(one, count);
					if (count == 0)
						continue;
					assert_true(at < t.n);
					assert_true(t.list[at].person == person &&
					    t.list[at].kind == kind && t.list[at].day == day);
					assert_int_equal(t.list[at++].count, count);
				}
		assert_int_equal(at, t.n);
	}
	assert_int_equal(us_usage_who(u, 1, records, 0, take, NULL), US_OK);
	for (size_t i = 0; i < n_seen; i++)
		if (seen[i].collection == 1 && calls == 0)
			assert_int_equal(us_usage_who(u, 1, &seen[i].record, 1, stop_at_once,
					     &calls),
			    77);
	assert_int_equal(calls, 1);
	us_usage_free(u);
}

static void
approvals_are_used_once(void **state)
{
	uint64_t want[300];
	struct us_usage *u;

	(void)state;
	assert_int_equal(us_usage_new(&u), US_OK);
	for (size_t i = 0; i < 300; i++)
		want[i] = UINT64_MAX;
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t a = random_below(300);

		assert_int_equal(us_usage_approval_used(u, a), want[a]);
		if (random_below(2) == 0)
			continue;
		assert_int_equal(us_usage_approval_use(u, a, i),
		    want[a] == UINT64_MAX ? US_OK : US_ERR_EXISTS);
		if (want[a] == UINT64_MAX)
			want[a] = i;
	}
	us_usage_free(u);
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Prints what a decision costs; a person who has had 200,000 records in no order. */
static void
cost(void **state)
{
	struct us_usage_question q = { .person = 1,
		.collection = 1,
		.day = 1,
		.wants_run = 1,
		.n = 1 };
	struct us_meter m;
	struct us_usage *u;
	uint64_t record;
	double start;

	(void)state;
	assert_int_equal(us_usage_new(&u), US_OK);
	n_seen = SEEN_MAX;
	start = seconds();
	for (unsigned i = 0; i < 200000; i++) {
		record = random_below(20000000);
		fold(u, 1, 1, 1, US_METER_VIEW, 1, &record, 1);
	}
	print_message("fold: %.2f us a record\n", (seconds() - start) * 5);
	q.records = &record;
	start = seconds();
	for (unsigned i = 0; i < 200000; i++) {
		record = random_below(20000000);
		assert_int_equal(us_usage_after(u, &q, &m), US_OK);
	}
	print_message("question: %.2f us\n", (seconds() - start) * 5);
	us_usage_free(u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_folds_and_questions),
		cmocka_unit_test(long_runs),
		cmocka_unit_test(refusals_change_nothing),
		cmocka_unit_test(who_has_seen),
		cmocka_unit_test(approvals_are_used_once),
		cmocka_unit_test(cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
