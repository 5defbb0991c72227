#include "policy/usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "policy/usage_internal.h"

#define RECORD_END (UINT64_C(1) << 32)
#define CONTAINER 65536u /* numbers that one container of a bitmap covers */

int
us_usage_new(struct us_usage **out)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	us_map_init(&(*out)->meters, sizeof(struct us_order_meter_key),
	    sizeof(struct us_order_meter *));
	return US_OK;
}

static void
meter_free(struct us_order_meter *m)
{
	for (size_t i = 0; i < m->n_days; i++)
		roaring_bitmap_free(m->days[i].set);
	if (m->ever != NULL)
		roaring_bitmap_free(m->ever);
	free(m->days);
	free(m);
}

void
us_usage_free(struct us_usage *u)
{
	struct us_order_meter **m;

	if (u == NULL)
		return;
	for (size_t at = 0; (m = us_map_next(&u->meters, &at, NULL)) != NULL;)
		meter_free(*m);
	us_map_free(&u->meters);
	free(u->used);
	free(u);
}

/* --- meters ----------------------------------------------------------------------------------- */

static struct us_order_meter_key
key_of(const struct us_order_name *who)
{
	struct us_order_meter_key key;

	memset(&key, 0, sizeof key);
	key.person = who->person;
	key.collection = who->collection;
	key.kind = (uint32_t)who->kind;
	if (who->person == 0 && who->party.n > 0) {
		key.party_n = (uint32_t)who->party.n;
		memcpy(key.party, who->party.p, who->party.n);
	}
	return key;
}

static struct us_order_meter *
meter_find(const struct us_usage *u, const struct us_order_name *who)
{
	struct us_order_meter *const *m;
	struct us_order_meter_key key;

	if (who->person == 0 && who->party.n > US_ORDER_ID_MAX)
		return NULL;
	key = key_of(who);
	m = us_map_get(&u->meters, &key);
	return m == NULL ? NULL : *m;
}

struct us_order_meter *
us_order_meter_make(struct us_usage *u, const struct us_order_name *who)
{
	const struct us_order_meter_key key = key_of(who);
	struct us_order_meter *m = meter_find(u, who);
	void *at;

	if (m != NULL)
		return m;
	m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;
	m->ever = roaring_bitmap_create();
	if (m->ever == NULL || us_map_put(&u->meters, &key, &at) != US_OK) {
		meter_free(m);
		return NULL;
	}
	m->person = who->person;
	m->collection = who->collection;
	m->kind = who->kind;
	*(struct us_order_meter **)at = m;
	return m;
}

/* Where the day is or would be: nearly always the last one. */
static size_t
day_place(const struct us_order_meter *m, int32_t day)
{
	size_t i = m->n_days;

	while (i > 0 && m->days[i - 1].day >= day)
		i--;
	return i;
}

static const struct us_order_day *
day_find(const struct us_order_meter *m, int32_t day)
{
	size_t i = day_place(m, day);

	return i < m->n_days && m->days[i].day == day ? &m->days[i] : NULL;
}

static struct us_order_day *
day_make(struct us_order_meter *m, int32_t day)
{
	size_t i = day_place(m, day);

	if (i < m->n_days && m->days[i].day == day)
		return &m->days[i];
	if (us_grow(&m->days, m->n_days, &m->room, sizeof *m->days) != US_OK)
		return NULL;
	roaring_bitmap_t *set = roaring_bitmap_create();

	if (set == NULL)
		return NULL;
	if (i > 0) /* that day is over, as a rule */
		(void)roaring_bitmap_run_optimize(m->days[i - 1].set);
	memmove(&m->days[i + 1], &m->days[i], (m->n_days - i) * sizeof *m->days);
	m->n_days++;
	m->days[i] = (struct us_order_day){ .day = day, .set = set };
	return &m->days[i];
}

/* --- folding ---------------------------------------------------------------------------------- */

static int
records_ok(const uint64_t *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (records[i] >= RECORD_END)
			return 0;
	return 1;
}

static void
count(struct us_order_meter *m, struct us_order_day *day, const struct us_usage_fact *fact)
{
	for (size_t i = 0; i < fact->n; i++) {
		const uint32_t record = (uint32_t)fact->records[i];

		m->n += roaring_bitmap_add_checked(m->ever, record);
		day->n += roaring_bitmap_add_checked(day->set, record);
	}
}

int
us_usage_fold(struct us_usage *u, const struct us_usage_fact *fact)
{
	if (fact->person == 0 || fact->collection == 0 || (unsigned)fact->kind >= US_METER_KINDS)
		return US_ERR_ARG;
	for (size_t i = 0; i < fact->n_parties; i++)
		if (fact->parties[i].n == 0 || fact->parties[i].n > US_ORDER_ID_MAX)
			return US_ERR_ARG;
	if (!records_ok(fact->records, fact->n))
		return US_ERR_LIMIT;
	/* Twice: first everything that may fail is made, then all accounts are counted. */
	for (int counting = 0; counting <= 1; counting++) {
		for (size_t i = 0; i <= fact->n_parties; i++) {
			struct us_order_name who = { .collection = fact->collection,
				.kind = fact->kind };

			if (i == fact->n_parties)
				who.person = fact->person;
			else
				who.party = fact->parties[i];
			struct us_order_meter *m = us_order_meter_make(u, &who);
			struct us_order_day *day = m == NULL ? NULL : day_make(m, fact->day);

			if (day == NULL)
				return US_ERR_NOMEM;
			if (counting)
				count(m, day, fact);
		}
	}
	return US_OK;
}

/* --- questions -------------------------------------------------------------------------------- */

/* Asks container by container: CRoaring 0.2.66 stops on an assertion if a range reaches over its
 * last container. */
static int
has(const roaring_bitmap_t *set, uint64_t from, uint64_t to)
{
	if (to > RECORD_END)
		return 0;
	while (from < to) {
		const uint64_t border = (from / CONTAINER + 1) * CONTAINER,
			       part = border < to ? border : to;

		if (!roaring_bitmap_contains_range(set, from, part))
			return 0;
		from = part;
	}
	return 1;
}

/* The first number at or after from that is not in the set. */
static uint64_t
run_end(const roaring_bitmap_t *set, uint64_t from)
{
	uint64_t step = 1;

	while (has(set, from, from + step)) {
		from += step;
		step *= 2;
	}
	for (; step > 0; step /= 2)
		if (has(set, from, from + step))
			from += step;
	return from;
}

/* The smallest number from which on, up to but without to, all are in the set. */
static uint64_t
run_begin(const roaring_bitmap_t *set, uint64_t to)
{
	uint64_t step = 1;

	while (step <= to && has(set, to - step, to)) {
		to -= step;
		step *= 2;
	}
	for (; step > 0; step /= 2)
		if (step <= to && has(set, to - step, to))
			to -= step;
	return to;
}

/* Of the union of both sets, the longest run that holds one of asked. Runs are walked ascending, so
 * to the left of an element that no run before held there can only be elements of ever. */
static uint64_t
longest_run(const roaring_bitmap_t *ever, const roaring_bitmap_t *asked)
{
	roaring_uint32_iterator_t it;
	uint64_t longest = 0;

	roaring_init_iterator(asked, &it);
	while (it.has_value) {
		const uint64_t begin = ever == NULL ? it.current_value :
						      run_begin(ever, it.current_value);
		uint64_t end = it.current_value, before;

		do {
			before = end;
			end = run_end(asked, end);
			if (ever != NULL)
				end = run_end(ever, end);
		} while (end > before);
		if (end - begin > longest)
			longest = end - begin;
		if (end >= RECORD_END ||
		    !roaring_move_uint32_iterator_equalorlarger(&it, (uint32_t)end))
			break;
	}
	return longest;
}

static int
set_of(const uint64_t *records, size_t n, roaring_bitmap_t **out)
{
	if (!records_ok(records, n))
		return US_ERR_LIMIT;
	*out = roaring_bitmap_create();
	if (*out == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		roaring_bitmap_add(*out, (uint32_t)records[i]);
	return US_OK;
}

int
us_usage_after(const struct us_usage *u, const struct us_usage_question *q, struct us_meter *out)
{
	const struct us_order_name who = { q->person, q->party, q->collection, q->kind };
	const struct us_order_meter *m = meter_find(u, &who);
	const struct us_order_day *day = m == NULL ? NULL : day_find(m, q->day);
	struct us_meter found = { day == NULL ? 0 : day->n, m == NULL ? 0 : m->n, 0 };
	roaring_bitmap_t *asked;
	uint64_t n;
	int err;

	if (q->n == 0) {
		*out = found;
		return US_OK;
	}
	err = set_of(q->records, q->n, &asked);
	if (err != US_OK)
		return err;
	n = roaring_bitmap_get_cardinality(asked);
	found.day += n - (day == NULL ? 0 : roaring_bitmap_and_cardinality(day->set, asked));
	found.life += n - (m == NULL ? 0 : roaring_bitmap_and_cardinality(m->ever, asked));
	if (q->wants_run)
		found.run = longest_run(m == NULL ? NULL : m->ever, asked);
	roaring_bitmap_free(asked);
	*out = found;
	return US_OK;
}

/* --- who has seen ----------------------------------------------------------------------------- */

static int
compare_meters(const void *a, const void *b)
{
	const struct us_order_meter *x = *(const struct us_order_meter *const *)a,
				    *y = *(const struct us_order_meter *const *)b;

	if (x->person != y->person)
		return x->person < y->person ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

static int
tell(const struct us_order_meter *m, const roaring_bitmap_t *asked,
    int (*found)(void *ctx, const struct us_usage_seen *seen), void *ctx)
{
	int err = 0;

	for (size_t i = 0; err == US_OK && i < m->n_days; i++) {
		const struct us_usage_seen seen = { m->person, m->kind, m->days[i].day,
			roaring_bitmap_and_cardinality(m->days[i].set, asked) };

		if (seen.count > 0)
			err = found(ctx, &seen);
	}
	return err;
}

int
us_usage_who(const struct us_usage *u, uint32_t collection, const uint64_t *records, size_t n,
    int (*found)(void *ctx, const struct us_usage_seen *seen), void *ctx)
{
	const struct us_order_meter **meters;
	struct us_order_meter *const *m;
	roaring_bitmap_t *asked;
	size_t n_meters = 0;
	int err;

	if (u->meters.n == 0 || n == 0)
		return US_OK;
	err = set_of(records, n, &asked);
	if (err != US_OK)
		return err;
	meters = malloc(u->meters.n * sizeof *meters);
	if (meters == NULL) {
		roaring_bitmap_free(asked);
		return US_ERR_NOMEM;
	}
	for (size_t at = 0; (m = us_map_next(&u->meters, &at, NULL)) != NULL;)
		if ((*m)->person != 0 && (*m)->collection == collection)
			meters[n_meters++] = *m;
	qsort(meters, n_meters, sizeof *meters, compare_meters);
	for (size_t i = 0; err == US_OK && i < n_meters; i++)
		err = tell(meters[i], asked, found, ctx);
	free(meters);
	roaring_bitmap_free(asked);
	return err;
}

/* --- approvals -------------------------------------------------------------------------------- */

static size_t
used_place(const struct us_usage *u, uint32_t approval)
{
	size_t low = 0, high = u->n_used;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (u->used[middle].approval < approval)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
us_usage_approval_used(const struct us_usage *u, uint32_t approval)
{
	size_t i = used_place(u, approval);

	return i < u->n_used && u->used[i].approval == approval ? u->used[i].index : UINT64_MAX;
}

int
us_usage_approval_use(struct us_usage *u, uint32_t approval, uint64_t index)
{
	size_t i = used_place(u, approval);

	if (i < u->n_used && u->used[i].approval == approval)
		return US_ERR_EXISTS;
	if (us_grow(&u->used, u->n_used, &u->used_room, sizeof *u->used) != US_OK)
		return US_ERR_NOMEM;
	memmove(&u->used[i + 1], &u->used[i], (u->n_used - i) * sizeof *u->used);
	u->used[i] = (struct us_order_used){ approval, index };
	u->n_used++;
	return US_OK;
}
