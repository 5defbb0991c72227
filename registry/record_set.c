#include "registry/record_set.h"

#include <stdlib.h>

#define RECORD_END (UINT64_C(1) << 52) /* behind the last record number */

static uint64_t
run_end(const struct us_run *run)
{
	return run->first + run->count;
}

/* The search relies on the order of the runs, so it is checked here again, whoever decoded the
 * selection. */
static int
add(struct us_record_set *set, struct us_run run)
{
	if (run.count == 0 || run.first >= RECORD_END || run.count > RECORD_END - run.first)
		return US_ERR_FORMAT;
	if (set->n > 0 && run.first <= run_end(&set->runs[set->n - 1]))
		return US_ERR_FORMAT;
	set->runs[set->n++] = run;
	set->records += run.count;
	return US_OK;
}

static int
add_all(struct us_record_set *set, const struct us_selection *s)
{
	struct us_run run = { 0, 0 };
	size_t at = 0;
	int err = US_OK;

	while (err == US_OK && set->n < s->n_runs && us_selection_next(s, &at, &run))
		err = add(set, run);
	if (err == US_OK && (set->n != s->n_runs || at != s->runs.n))
		err = US_ERR_FORMAT;
	return err;
}

int
us_record_set_new(const struct us_selection *s, const struct us_run *batch,
    struct us_record_set **out)
{
	const size_t n = s->is_batch ? 1 : s->n_runs;
	struct us_record_set *set;
	int err;

	*out = NULL;
	if (n == 0 || n > US_SELECTION_RUNS || (s->is_batch && batch == NULL))
		return US_ERR_FORMAT;
	set = calloc(1, sizeof *set + n * sizeof set->runs[0]);
	if (set == NULL)
		return US_ERR_NOMEM;
	set->collection = s->collection;
	err = s->is_batch ? add(set, *batch) : add_all(set, s);
	if (err != US_OK) {
		free(set);
		return err;
	}
	*out = set;
	return US_OK;
}

size_t
us_record_set_from(const struct us_record_set *set, uint64_t record)
{
	size_t low = 0, high = set->n;

	/* runs before low end at or before record, those from high on behind it */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (run_end(&set->runs[middle]) <= record)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
us_record_set_has(const struct us_record_set *set, uint32_t collection, uint64_t record)
{
	if (collection != set->collection)
		return 0;
	const size_t i = us_record_set_from(set, record);
	return i < set->n && set->runs[i].first <= record;
}

void
us_record_set_each(const struct us_record_set *set, uint64_t first, uint64_t count,
    void (*run)(void *ctx, struct us_run run), void *ctx)
{
	const uint64_t end = count > UINT64_MAX - first ? UINT64_MAX : first + count;

	if (count == 0)
		return;
	for (size_t i = us_record_set_from(set, first); i < set->n && set->runs[i].first < end;
	     i++) {
		const uint64_t from = set->runs[i].first > first ? set->runs[i].first : first;
		const uint64_t to = run_end(&set->runs[i]) < end ? run_end(&set->runs[i]) : end;

		run(ctx, (struct us_run){ from, to - from });
	}
}
