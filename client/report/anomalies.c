/* Report on unusual use: each person's requests day by day, measured against thresholds. */
#include <stdlib.h>
#include <string.h>

#include "client/report/kinds.h"
#include "base/time.h"

#define HOURS 24
#define NS_PER_HOUR (INT64_C(3600) * US_NS_PER_SECOND)

/* A record of one collection. */
struct us_client_seen {
	uint32_t collection;
	uint64_t record;
};

/* A day of a person. What stands below `records` is known once it is over. */
struct us_client_day {
	uint32_t person;
	int64_t time_ns, day; /* of the first entry; days since the epoch */
	char *party;
	uint64_t requests, per_hour[HOURS], outside;
	struct us_client_seen *seen; /* until it is over */
	size_t n_seen;
	uint64_t last_index; /* of its last entry */
	int over;
	uint64_t records, run; /* distinct; the longest run of numbers */
	/* percent of the collection of which most was seen; below 0: not known */
	double share;
};

/* Records that came in. */
struct us_client_arrival {
	uint32_t collection;
	uint64_t index, count;
};

struct us_client_use {
	struct us_client_day *days;
	size_t n;
	struct us_client_arrival *arrivals; /* in the order of the log */
	size_t n_arrivals;
};

static int
compare_days(const void *a, const void *b)
{
	const struct us_client_day *x = a, *y = b;

	if (x->person != y->person)
		return (x->person > y->person) - (x->person < y->person);
	return (x->day > y->day) - (x->day < y->day);
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
corpus_at(const struct us_client_use *s, uint32_t collection, uint64_t index)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_arrivals && s->arrivals[i].index <= index; i++)
		if (s->arrivals[i].collection == collection)
			n += s->arrivals[i].count;
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

/* The day is over: counts its records, the longest run of numbers, and the share of the corpus. */
static void
finish(const struct us_client_use *s, struct us_client_day *d)
{
	const size_t n = d->n_seen == 0 ? 0 : drop_repeated(d->seen, d->n_seen);
	const struct us_client_seen *seen = d->seen;
	uint64_t run = 0, of_collection = 0;

	d->over = 1;
	d->records = n;
	d->share = -1;
	for (size_t i = 0; i < n; i++) {
		int same = i > 0 && seen[i].collection == seen[i - 1].collection;

		run = same && seen[i].record == seen[i - 1].record + 1 ? run + 1 : 1;
		of_collection = same ? of_collection + 1 : 1;
		d->run = run > d->run ? run : d->run;
		if (i + 1 == n || seen[i + 1].collection != seen[i].collection) {
			uint64_t corpus = corpus_at(s, seen[i].collection, d->last_index);
			double share = corpus == 0 ? -1 :
						     100.0 * (double)of_collection / (double)corpus;

			d->share = share > d->share ? share : d->share;
		}
	}
	free(d->seen);
	d->seen = NULL;
	d->n_seen = 0;
}

/* The person's day that the entry falls on. Times never go back, so another day is over then. */
static struct us_client_day *
day_of(struct us_client_use *s, const struct us_trail_entry *e)
{
	const int64_t day = e->time_ns / US_NS_PER_DAY;
	struct us_client_day *d;

	for (size_t i = s->n; i-- > 0;)
		if (s->days[i].person == e->person) {
			if (s->days[i].day == day)
				return &s->days[i];
			finish(s, &s->days[i]);
			break;
		}
	s->days = us_report_room(s->days, s->n, sizeof *s->days);
	d = &s->days[s->n++];
	*d = (struct us_client_day){ .person = e->person,
		.time_ns = e->time_ns,
		.day = day,
		.party = us_report_copy(e->party) };
	return d;
}

static void
take_arrival(const struct us_report *r, struct us_client_use *s, const struct us_trail_entry *e)
{
	struct us_trail_act a;

	if (e->action != US_ACTION_BATCH_CLOSE || !us_trail_act(r->trail, e, &a) ||
	    a.signed_act.type != US_ACT_BATCH_CLOSE)
		return;
	s->arrivals = us_report_room(s->arrivals, s->n_arrivals, sizeof *s->arrivals);
	s->arrivals[s->n_arrivals++] = (struct us_client_arrival){ e->collection, e->index,
		a.act->u.batch_close.count };
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	const unsigned hour = (unsigned)(e->time_ns / NS_PER_HOUR % HOURS);
	struct us_client_use *s = r->state;
	struct us_client_day *d;

	take_arrival(r, s, e);
	if (e->person == 0 || !us_action_row(e->action)->is_evidence || !us_report_in_range(r, e) ||
	    !us_report_is_whose(r, e))
		return;
	d = day_of(s, e);
	d->last_index = e->index;
	/* an answer to an earlier entry, and the further parts of one, are no requests of their
	 * own */
	if (e->related == US_ENTRY_NONE && e->part == 0) {
		d->requests++;
		d->per_hour[hour]++;
		d->outside += hour < r->ask->hours_from || hour >= r->ask->hours_to;
	}
	for (size_t i = 0; us_report_discloses(e) && i < e->n_records; i++) {
		d->seen = us_report_room(d->seen, d->n_seen, sizeof *d->seen);
		d->seen[d->n_seen++] = (struct us_client_seen){ e->collection, e->records[i] };
	}
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
list_day(struct us_report *r, const struct us_client_day *d)
{
	const struct us_report_ask *ask = r->ask;
	char name[32], date[11], exceeded[128] = "";
	cJSON *row = us_report_row(r);

	us_report_text(row, "person", us_names_person(&r->trail->names, d->person, name));
	us_report_text(row, "party", d->party);
	us_report_text(row, "day", us_time_format_date(d->time_ns, date));
	us_report_number(row, "requests", d->requests);
	us_report_number(row, "per_hour", peak_of(d));
	us_report_number(row, "outside_hours", d->outside);
	us_report_number(row, "records", d->records);
	us_report_number(row, "longest_run", d->run);
	if (d->share < 0)
		us_report_text(row, "share_percent", NULL);
	else
		(void)cJSON_AddNumberToObject(row, "share_percent",
		    (double)(int64_t)(d->share * 1000 + 0.5) / 1000);
	(void)snprintf(exceeded, sizeof exceeded, "%s%s%s%s%s",
	    d->records > ask->max_records ? "records " : "",
	    peak_of(d) > ask->max_per_hour ? "per_hour " : "",
	    d->outside > ask->max_outside ? "outside_hours " : "",
	    d->run > ask->max_run ? "longest_run " : "",
	    d->share > ask->max_share ? "share_percent " : "");
	if (exceeded[0] != '\0')
		exceeded[strlen(exceeded) - 1] = '\0';
	us_report_text(row, "exceeded", exceeded);
	return exceeded[0] != '\0';
}

static int
end(struct us_report *r)
{
	const struct us_report_ask *ask = r->ask;
	struct us_client_use *s = r->state;
	uint64_t exceeded = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->days[i].over)
			finish(s, &s->days[i]);
	if (s->n > 0)
		qsort(s->days, s->n, sizeof *s->days, compare_days);
	for (size_t i = 0; i < s->n; i++)
		exceeded += (uint64_t)list_day(r, &s->days[i]);
	us_report_number(r->summary, "days of persons", s->n);
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

static void
drop(struct us_report *r)
{
	struct us_client_use *s = r->state;

	for (size_t i = 0; i < s->n; i++) {
		free(s->days[i].party);
		free(s->days[i].seen);
	}
	free(s->days);
	free(s->arrivals);
}

const struct us_report_kind us_report_anomalies = {
	.name = "anomalies",
	.question = "Who read unusually much, fast, late, or in sequence?",
	.options = "--hours H-H, --max-...",
	.columns =
	    "person party day requests per_hour outside_hours records longest_run share_percent "
	    "exceeded",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_use),
	.entry = entry,
	.end = end,
	.drop = drop,
};
