/* Report on unusual use: each person's requests day by day, measured against thresholds. */
#include <stdlib.h>
#include <string.h>

#include "client/report/report.h"
#include "base/time.h"

#define HOURS 24
#define NS_PER_HOUR (INT64_C(3600) * US_NS_PER_SECOND)

/* One entry of use, sorted by person, then time. */
struct us_client_use {
	uint32_t person;
	int64_t day;
	const struct us_trail_entry *entry;
};

/* A record of one collection. */
struct us_client_seen {
	uint32_t collection;
	uint64_t record;
};

struct us_client_day {
	uint64_t requests, per_hour[HOURS], outside;
	uint64_t records, run; /* distinct; the longest run of numbers */
	/* percent of the collection of which most was seen; below 0: not known */
	double share;
};

static int
compare_uses(const void *a, const void *b)
{
	const struct us_client_use *x = a, *y = b;

	if (x->person != y->person)
		return (x->person > y->person) - (x->person < y->person);
	return (x->entry->index > y->entry->index) - (x->entry->index < y->entry->index);
}

static int
compare_seen(const void *a, const void *b)
{
	const struct us_client_seen *x = a, *y = b;

	if (x->collection != y->collection)
		return (x->collection > y->collection) - (x->collection < y->collection);
	return (x->record > y->record) - (x->record < y->record);
}

/* How many records the log says that the collection held at the end of the entry with this
 * index. */
static uint64_t
corpus_at(const struct us_trail *t, uint32_t collection, uint64_t index)
{
	struct us_trail_act a;
	uint64_t n = 0;

	for (size_t i = 0; i < t->n_acts && t->entries[t->acts[i].place].index <= index; i++) {
		const struct us_trail_entry *e = &t->entries[t->acts[i].place];

		if (e->action == US_ACTION_BATCH_CLOSE && e->collection == collection &&
		    us_trail_act(t, e, &a) && a.signed_act.type == US_ACT_BATCH_CLOSE)
			n += a.act->u.batch_close.count;
	}
	return n;
}

/* Sorts, and keeps each record once. Returns how many are left. */
static size_t
drop_repeated(struct us_client_seen *seen, size_t n)
{
	size_t to = 0;

	qsort(seen, n, sizeof *seen, compare_seen);
	for (size_t i = 0; i < n; i++)
		if (to == 0 || compare_seen(&seen[to - 1], &seen[i]) != 0)
			seen[to++] = seen[i];
	return to;
}

/* Distinct records, sorted: how many, the longest run, and the share of the corpus. */
static void
measure_records(const struct us_trail *t, struct us_client_day *d,
    const struct us_client_seen *seen, size_t n, uint64_t last_index)
{
	uint64_t run = 0, of_collection = 0;

	d->records = n;
	d->share = -1;
	for (size_t i = 0; i < n; i++) {
		int same = i > 0 && seen[i].collection == seen[i - 1].collection;

		run = same && seen[i].record == seen[i - 1].record + 1 ? run + 1 : 1;
		of_collection = same ? of_collection + 1 : 1;
		d->run = run > d->run ? run : d->run;
		if (i + 1 == n || seen[i + 1].collection != seen[i].collection) {
			uint64_t corpus = corpus_at(t, seen[i].collection, last_index);
			double share = corpus == 0 ? -1 :
						     100.0 * (double)of_collection / (double)corpus;

			d->share = share > d->share ? share : d->share;
		}
	}
}

static void
measure(const struct us_report *r, const struct us_client_use *uses, size_t n,
    struct us_client_day *d)
{
	struct us_client_seen *seen;
	size_t n_seen = 0, at = 0;

	memset(d, 0, sizeof *d);
	for (size_t i = 0; i < n; i++)
		n_seen += us_report_discloses(uses[i].entry) ? uses[i].entry->n_records : 0;
	seen = calloc(n_seen + 1, sizeof *seen);
	if (seen == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const struct us_trail_entry *e = uses[i].entry;
		unsigned hour = (unsigned)(e->time_ns / NS_PER_HOUR % HOURS);

		/* an answer to an earlier entry, and the further parts of one, are no requests of
		 * their own */
		if (e->related == US_ENTRY_NONE && e->part == 0) {
			d->requests++;
			d->per_hour[hour]++;
			d->outside += hour < r->ask->hours_from || hour >= r->ask->hours_to;
		}
		for (size_t j = 0; us_report_discloses(e) && j < e->n_records; j++)
			seen[at++] = (struct us_client_seen){ e->collection, e->records[j] };
	}
	measure_records(r->trail, d, seen, drop_repeated(seen, at), uses[n - 1].entry->index);
	free(seen);
}

static uint64_t
peak_of(const struct us_client_day *d)
{
	uint64_t peak = 0;

	for (size_t i = 0; i < HOURS; i++)
		peak = d->per_hour[i] > peak ? d->per_hour[i] : peak;
	return peak;
}

static int
list_day(struct us_report *r, const struct us_client_use *uses, size_t n)
{
	const struct us_report_ask *ask = r->ask;
	char name[32], date[11], exceeded[128] = "";
	cJSON *row = us_report_row(r);
	struct us_client_day d;

	measure(r, uses, n, &d);
	us_report_text(row, "person", us_trail_person_name(r->trail, uses->person, name));
	us_report_text(row, "party", uses->entry->party);
	us_report_text(row, "day", us_time_format_date(uses->entry->time_ns, date));
	us_report_number(row, "requests", d.requests);
	us_report_number(row, "per_hour", peak_of(&d));
	us_report_number(row, "outside_hours", d.outside);
	us_report_number(row, "records", d.records);
	us_report_number(row, "longest_run", d.run);
	if (d.share < 0)
		us_report_text(row, "share_percent", NULL);
	else
		(void)cJSON_AddNumberToObject(row, "share_percent",
		    (double)(int64_t)(d.share * 1000 + 0.5) / 1000);
	(void)snprintf(exceeded, sizeof exceeded, "%s%s%s%s%s",
	    d.records > ask->max_records ? "records " : "",
	    peak_of(&d) > ask->max_per_hour ? "per_hour " : "",
	    d.outside > ask->max_outside ? "outside_hours " : "",
	    d.run > ask->max_run ? "longest_run " : "",
	    d.share > ask->max_share ? "share_percent " : "");
	if (exceeded[0] != '\0')
		exceeded[strlen(exceeded) - 1] = '\0';
	us_report_text(row, "exceeded", exceeded);
	return exceeded[0] != '\0';
}

static size_t
gather(const struct us_report *r, struct us_client_use *uses)
{
	size_t n = 0;

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];

		if (e->person != 0 && us_action_is_evidence(e->action) &&
		    us_report_in_range(r, e) && us_report_is_whose(r, e))
			uses[n++] = (struct us_client_use){ e->person, e->time_ns / US_NS_PER_DAY,
				e };
	}
	qsort(uses, n, sizeof *uses, compare_uses);
	return n;
}

int
us_report_anomalies(struct us_report *r)
{
	const struct us_report_ask *ask = r->ask;
	struct us_client_use *uses = calloc(r->trail->n + 1, sizeof *uses);
	uint64_t days = 0, exceeded = 0;
	size_t n;

	if (uses == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	n = gather(r, uses);
	for (size_t i = 0, start = 0; i < n; i++) {
		if (i + 1 < n && uses[i + 1].person == uses[i].person &&
		    uses[i + 1].day == uses[i].day)
			continue;
		exceeded += (uint64_t)list_day(r, uses + start, i + 1 - start);
		start = i + 1;
		days++;
	}
	free(uses);
	us_report_number(r->summary, "days of persons", days);
	us_report_number(r->summary, "exceeded", exceeded);
	us_report_note(r,
	    "Thresholds: records %llu a day, per_hour %llu requests in a clock hour, outside_hours "
	    "%llu requests "
	    "outside %u-%u UTC, longest_run %llu, share_percent %g. Snippets count as records.",
	    (unsigned long long)ask->max_records, (unsigned long long)ask->max_per_hour,
	    (unsigned long long)ask->max_outside, ask->hours_from, ask->hours_to,
	    (unsigned long long)ask->max_run, ask->max_share);
	return US_EXIT_DONE;
}
