/* Sets of records against a bitmap; the end of the number range; selections that no decoder would
 * have let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/record_set.h"

#define NUMBERS 20000
#define RECORDS_MAX 5000
#define ROUNDS 1000
#define RANGES 12 /* of each round */
#define COLLECTION 7
#define RECORD_LAST ((UINT64_C(1) << 52) - 1)

static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* What us_record_set_each() must call out, one flag a record, and what it did. */
struct seen {
	uint8_t flags[NUMBERS];
	uint64_t end; /* of the run before */
	size_t runs;
};

static void
note_run(void *ctx, struct us_run run)
{
	struct seen *seen = ctx;

	assert_true(run.count > 0);
	assert_true(run.first < NUMBERS && run.count <= NUMBERS - run.first);
	assert_true(seen->runs == 0 || run.first > seen->end); /* ascending, not touching */
	memset(seen->flags + run.first, 1, (size_t)run.count);
	seen->end = run.first + run.count;
	seen->runs++;
}

static void
check_range(const struct us_record_set *set, const uint8_t *bitmap, uint64_t first, uint64_t count)
{
	static struct seen seen;
	size_t runs = 0;

	memset(&seen, 0, sizeof(seen));
	us_record_set_each(set, first, count, note_run, &seen);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		const int inside = i >= first && i - first < count;
		const int begins = i == first || i == 0 || !bitmap[i - 1];

		if (seen.flags[i] != (inside && bitmap[i]))
			fail_msg("record %u of the range", (unsigned)i);
		runs += inside && bitmap[i] && begins;
	}
	assert_int_equal(seen.runs, runs);
}

static void
check_against(const struct us_record_set *set, const uint8_t *bitmap, uint64_t records)
{
	size_t run = 0; /* the first that holds a number not yet passed */

	assert_int_equal(set->collection, COLLECTION);
	assert_int_equal(set->records, records);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		if (us_record_set_has(set, COLLECTION, i) != bitmap[i])
			fail_msg("record %u", (unsigned)i);
		assert_int_equal(us_record_set_from(set, i), run);
		assert_int_equal(us_record_set_has(set, COLLECTION + 1, i), 0);
		if (bitmap[i] && (i + 1 == NUMBERS || !bitmap[i + 1]))
			run++;
	}
	assert_int_equal(set->n, run);
	assert_int_equal(us_record_set_from(set, NUMBERS), run);
	assert_int_equal(us_record_set_from(set, UINT64_MAX), run);
	for (unsigned i = 0; i < RANGES; i++) {
		const unsigned first = random_below(NUMBERS + 10);
		check_range(set, bitmap, first, random_below(i % 2 == 0 ? 200 : NUMBERS));
	}
	check_range(set, bitmap, 0, NUMBERS);
	check_range(set, bitmap, 0, UINT64_MAX);
	check_range(set, bitmap, random_below(NUMBERS), UINT64_MAX);
	check_range(set, bitmap, UINT64_MAX, UINT64_MAX);
	check_range(set, bitmap, random_below(NUMBERS), 0);
}

/* Some rounds scatter records, some lay long stretches, so that there are runs of every length. */
static size_t
draw(uint8_t *bitmap)
{
	const size_t wanted = random_below(RECORDS_MAX) + 1;
	const unsigned stretch = 1u << random_below(10);
	size_t n = 0;

	memset(bitmap, 0, NUMBERS);
	while (n < wanted) {
		unsigned at = random_below(16) == 0 ? NUMBERS - 1 : random_below(NUMBERS);
		for (unsigned k = random_below(stretch) + 1; k > 0 && at < NUMBERS && n < wanted;
		     k--, at++) {
			n += !bitmap[at];
			bitmap[at] = 1;
		}
	}
	return n;
}

static void
test_random(void **state)
{
	static uint8_t bitmap[NUMBERS];
	static uint64_t numbers[RECORDS_MAX];
	struct us_buf packed;

	(void)state;
	us_buf_init(&packed, US_SELECTION_BYTES);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct us_selection s = { .collection = COLLECTION };
		struct us_record_set *set;
		const size_t n = draw(bitmap);
		size_t at = 0;

		for (uint64_t i = 0; i < NUMBERS; i++)
			if (bitmap[i])
				numbers[at++] = i;
		assert_int_equal(at, n);
		us_buf_reset(&packed);
		assert_int_equal(us_selection_pack(numbers, n, &packed, &s.n_runs), US_OK);
		s.runs = (struct us_bytes){ packed.data, packed.len };
		assert_int_equal(us_record_set_new(&s, NULL, &set), US_OK);
		check_against(set, bitmap, n);
		free(set);
	}
	us_buf_free(&packed);
}

static void
test_batch(void **state)
{
	static const struct us_run ranges[] = { { 0, 1 }, { 0, NUMBERS }, { 500, 1000 },
		{ NUMBERS - 1, 1 } };
	static uint8_t bitmap[NUMBERS];
	const struct us_selection s = { .collection = COLLECTION, .is_batch = 1, .slot = 3 };
	struct us_record_set *set;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		memset(bitmap, 0, sizeof(bitmap));
		memset(bitmap + ranges[i].first, 1, (size_t)ranges[i].count);
		assert_int_equal(us_record_set_new(&s, &ranges[i], &set), US_OK);
		check_against(set, bitmap, ranges[i].count);
		free(set);
	}
	assert_int_equal(us_record_set_new(&s, NULL, &set), US_ERR_FORMAT);
	assert_null(set);
}

struct list {
	size_t n;
	struct us_run runs[8];
};

static void
list_run(void *ctx, struct us_run run)
{
	struct list *list = ctx;

	assert_true(list->n < sizeof(list->runs) / sizeof(list->runs[0]));
	list->runs[list->n++] = run;
}

static void
expect_one(const struct us_record_set *set, uint64_t first, uint64_t count, struct us_run want)
{
	struct list list = { 0 };

	us_record_set_each(set, first, count, list_run, &list);
	assert_int_equal(list.n, want.count > 0);
	if (list.n > 0) {
		assert_int_equal(list.runs[0].first, want.first);
		assert_int_equal(list.runs[0].count, want.count);
	}
}

static void
test_end_of_range(void **state)
{
	static const struct us_run all = { 0, RECORD_LAST + 1 }, last = { RECORD_LAST, 1 };
	static const struct us_run bad[] = { { 0, 0 }, { RECORD_LAST, 2 }, { RECORD_LAST + 1, 1 },
		{ 0, RECORD_LAST + 2 }, { UINT64_MAX, 1 }, { 1, UINT64_MAX },
		{ UINT64_MAX, UINT64_MAX } };
	static const uint64_t numbers[] = { RECORD_LAST - 9, RECORD_LAST - 1, RECORD_LAST };
	const struct us_selection batch = { .collection = COLLECTION, .is_batch = 1 };
	struct us_selection s = { .collection = COLLECTION };
	struct us_record_set *set;
	struct us_buf packed;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(us_record_set_new(&batch, &bad[i], &set), US_ERR_FORMAT);
		assert_null(set);
	}
	assert_int_equal(us_record_set_new(&batch, &all, &set), US_OK);
	assert_int_equal(set->records, RECORD_LAST + 1);
	assert_int_equal(us_record_set_has(set, COLLECTION, 0), 1);
	assert_int_equal(us_record_set_has(set, COLLECTION, RECORD_LAST), 1);
	assert_int_equal(us_record_set_has(set, COLLECTION, RECORD_LAST + 1), 0);
	expect_one(set, 0, UINT64_MAX, all);
	expect_one(set, 5, UINT64_MAX, (struct us_run){ 5, RECORD_LAST - 4 });
	expect_one(set, RECORD_LAST, UINT64_MAX, last);
	expect_one(set, RECORD_LAST + 1, UINT64_MAX, (struct us_run){ 0, 0 });
	expect_one(set, 5, 0, (struct us_run){ 0, 0 });
	free(set);

	us_buf_init(&packed, 100);
	assert_int_equal(us_selection_pack(numbers, 3, &packed, &s.n_runs), US_OK);
	s.runs = (struct us_bytes){ packed.data, packed.len };
	assert_int_equal(us_record_set_new(&s, NULL, &set), US_OK);
	assert_int_equal(set->n, 2);
	assert_int_equal(set->records, 3);
	assert_int_equal(us_record_set_has(set, COLLECTION, RECORD_LAST), 1);
	assert_int_equal(us_record_set_has(set, COLLECTION, RECORD_LAST - 2), 0);
	assert_int_equal(us_record_set_has(set, COLLECTION, RECORD_LAST + 1), 0);
	assert_int_equal(us_record_set_has(set, COLLECTION, UINT64_MAX), 0);
	expect_one(set, RECORD_LAST, UINT64_MAX, last);
	free(set);
	us_buf_free(&packed);
}

static void
put_run(struct us_buf *b, uint64_t gap, uint64_t count)
{
	assert_int_equal(us_buf_put_varint(b, gap), US_OK);
	assert_int_equal(us_buf_put_varint(b, count), US_OK);
}

/* Runs as nobody's decoder passes them on: the search would answer wrongly if they became a set. */
static void
test_refused(void **state)
{
	static const struct {
		struct us_run packed[2]; /* gap, count */
		uint32_t n_runs;         /* as claimed */
	} cases[] = {
		{ { { 3, 4 }, { 0, 1 } }, 2 }, /* touching */
		{ { { 3, 0 }, { 5, 1 } }, 2 }, /* empty */
		{ { { 3, 1 }, { 5, 0 } }, 2 },
		{ { { 3, 1 }, { 5, 1 } }, 0 }, /* claims */
		{ { { 3, 1 }, { 5, 1 } }, 1 },
		{ { { 3, 1 }, { 5, 1 } }, 3 },
		{ { { 3, 1 }, { 5, 1 } }, US_SELECTION_RUNS + 1 },
		{ { { 3, 1 }, { 5, 1 } }, UINT32_MAX },
		{ { { 3, 1 }, { RECORD_LAST - 3, 1 } }, 2 }, /* out of the range, by one */
		{ { { 3, 1 }, { RECORD_LAST - 4, 2 } }, 2 },
		{ { { 3, RECORD_LAST - 2 }, { 1, 1 } }, 2 },
		{ { { 10, 5 }, { UINT64_MAX - 12, 1 } }, 2 }, /* round the corner to 2 */
		{ { { 10, UINT64_MAX - 5 }, { 1, 1 } }, 2 },
		{ { { UINT64_MAX, 1 }, { 1, 1 } }, 2 },
	};
	struct us_record_set *set;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		us_buf_reset(&b);
		for (size_t k = 0; k < 2; k++)
			put_run(&b, cases[i].packed[k].first, cases[i].packed[k].count);
		const struct us_selection s = { .collection = 1,
			.n_runs = cases[i].n_runs,
			.runs = { b.data, b.len } };
		if (us_record_set_new(&s, NULL, &set) != US_ERR_FORMAT)
			fail_msg("case %zu", i);
		assert_null(set);
	}
	us_buf_reset(&b);
	put_run(&b, 3, 1);
	put_run(&b, RECORD_LAST - 4, 1); /* and the last that still fits */
	struct us_selection s = { .collection = 1, .n_runs = 2, .runs = { b.data, b.len } };
	assert_int_equal(us_record_set_new(&s, NULL, &set), US_OK);
	assert_int_equal(set->runs[1].first, RECORD_LAST);
	free(set);
	s.runs.n--; /* cut off */
	assert_int_equal(us_record_set_new(&s, NULL, &set), US_ERR_FORMAT);
	us_buf_free(&b);
}

/* As many runs as a selection may have. */
static void
test_most_runs(void **state)
{
	struct us_selection s = { .collection = 1, .n_runs = US_SELECTION_RUNS };
	struct us_record_set *set;
	struct us_buf b;

	(void)state;
	us_buf_init(&b, US_SELECTION_BYTES);
	for (uint32_t i = 0; i < US_SELECTION_RUNS; i++)
		put_run(&b, 1, 1);
	s.runs = (struct us_bytes){ b.data, b.len };
	assert_int_equal(us_record_set_new(&s, NULL, &set), US_OK);
	assert_int_equal(set->n, US_SELECTION_RUNS);
	assert_int_equal(set->records, US_SELECTION_RUNS);
	for (uint64_t i = 0; i < 2 * US_SELECTION_RUNS + 2; i++)
		if (us_record_set_has(set, 1, i) != (i % 2 == 1 && i < 2 * US_SELECTION_RUNS))
			fail_msg("record %u", (unsigned)i);
	free(set);
	us_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_end_of_range),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_most_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
