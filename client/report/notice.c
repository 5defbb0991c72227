/* Report: was a record touched after a notice about it? */
#include <stdlib.h>
#include <string.h>

#include "client/report/report.h"
#include "base/time.h"

struct us_client_report_notice_run {
	uint64_t first, last;
};

/* The records that a notice is about, and when it was given. */
struct us_client_notice {
	uint32_t collection;
	struct us_client_report_notice_run *runs;
	size_t n, cap;
	int64_t since_ns;   /* the notice; touches from here on are listed */
	int64_t act_ns;     /* when the vault took them out of sight; 0: not known */
	uint64_t act_index; /* of that act's entry */
};

static void
add_run(struct us_client_notice *n, uint64_t first, uint64_t last)
{
	if (n->n == n->cap) {
		size_t cap = n->cap == 0 ? 64 : n->cap * 2;
		struct us_client_report_notice_run *more = realloc(n->runs, cap * sizeof *more);

		if (more == NULL)
			us_give_up(US_EXIT_OTHER, "out of memory");
		n->runs = more;
		n->cap = cap;
	}
	n->runs[n->n++] = (struct us_client_report_notice_run){ first, last };
}

static void
add_batch(struct us_report *r, struct us_client_notice *n, uint32_t slot)
{
	const struct us_act_batch_close *b;
	struct us_trail_act a;

	for (size_t i = 0; i < r->trail->n_acts; i++) {
		const struct us_trail_entry *e = &r->trail->entries[r->trail->acts[i].place];

		if (e->action != US_ACTION_BATCH_CLOSE || e->collection != n->collection ||
		    !us_trail_act(r->trail, e, &a) || a.signed_act.type != US_ACT_BATCH_CLOSE)
			continue;
		b = &a.act->u.batch_close;
		if (b->slot == slot && b->count > 0)
			add_run(n, b->first, b->first + b->count - 1);
	}
}

/* Takes the notice from the clawback's own entry. */
static int
from_clawback(struct us_report *r, struct us_client_notice *n)
{
	const char *digits = r->ask->clawback +
	    (strncmp(r->ask->clawback, "clawback-", 9) == 0 ? 9 : 0);
	char *end;
	unsigned long long number = strtoull(digits, &end, 10);
	struct us_trail_act a;

	if (end == digits || *end != '\0')
		us_usage_error("--clawback takes the id of a clawback, such as clawback-1");
	for (size_t i = 0; i < r->trail->n_acts; i++) {
		const struct us_trail_entry *e = &r->trail->entries[r->trail->acts[i].place];
		const struct us_selection *s;
		struct us_run run = { 0, 0 };
		size_t at = 0;

		if (e->action != US_ACTION_CLAWBACK || !us_trail_act(r->trail, e, &a) ||
		    a.signed_act.type != US_ACT_CLAWBACK || us_trail_result(&a) != number)
			continue;
		s = &a.act->u.records.selection;
		n->collection = s->collection;
		n->since_ns = a.act->u.records.noticed_ns;
		n->act_ns = e->time_ns;
		n->act_index = e->index;
		if (s->is_batch) {
			add_batch(r, n, s->slot);
			return 1;
		}
		while (us_selection_next(s, &at, &run))
			add_run(n, run.first, run.first + run.count - 1);
		return 1;
	}
	return 0;
}

static void
from_records(struct us_report *r, struct us_client_notice *n)
{
	const char *at = r->ask->records;

	if (r->ask->since_ns == 0)
		us_usage_error("--records needs --since TIME: when the notice was given");
	n->since_ns = r->ask->since_ns;
	while (*at != '\0') {
		size_t length = strcspn(at, ",");
		struct us_report_records one;

		us_report_records(r, at, length, &one);
		if (n->n > 0 && one.collection != n->collection)
			us_usage_error("--records takes records of one collection");
		n->collection = one.collection;
		add_run(n, one.first, one.last);
		at += length + (at[length] == ',');
	}
}

/* Those of the notice among n records, in place. */
static size_t
records_of(const struct us_client_notice *notice, uint64_t *records, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < notice->n; j++)
			if (records[i] >= notice->runs[j].first &&
			    records[i] <= notice->runs[j].last) {
				records[count++] = records[i];
				break;
			}
	return count;
}

/* The records of the notice that the entry discloses, or that it was refused: to be freed. *may: a
 * refusal that may have been about others of them, since it does not name all that was asked
 * for. */
static uint64_t *
touched_by(const struct us_report *r, const struct us_client_notice *n,
    const struct us_trail_entry *e, size_t *count, int *may)
{
	uint64_t more = 0, *records;

	*may = 0;
	if (us_report_discloses(e)) {
		records = malloc((e->n_records + 1) * sizeof *records);
		if (records == NULL)
			us_give_up(US_EXIT_OTHER, "out of memory");
		memcpy(records, e->records, e->n_records * sizeof *records);
		*count = e->n_records;
	} else {
		records = us_report_asked(r->trail, e, count, &more);
		*may = us_action_is_evidence(e->action) && (e->n_asked == 0 || more > 0) &&
		    (e->reason == US_REASON_NOT_VISIBLE || e->reason == US_REASON_CLAWED_BACK ||
			e->reason == US_REASON_FROZEN);
	}
	*count = records_of(n, records, *count);
	return records;
}

static void
list_touch(struct us_report *r, const struct us_client_notice *n, const struct us_trail_entry *e,
    const uint64_t *touched, size_t count)
{
	char *ranges = us_report_ranges(r->trail, n->collection, touched, count);
	cJSON *row = us_report_entry_row(r, e);

	us_report_text(row, "decision", us_decision_name(e->decision));
	us_report_text(row, "reason",
	    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
	us_report_text(row, "when",
	    n->act_ns == 0              ? "after the notice" :
		e->index > n->act_index ? "after the clawback" :
					  "between notice and clawback");
	us_report_number(row, "records", count);
	us_report_text(row, "bates", ranges);
	us_report_text(row, "purpose", e->purpose);
	free(ranges);
}

static void
list_touches(struct us_report *r, const struct us_client_notice *n)
{
	uint64_t touches = 0, after = 0, attempts = 0, perhaps = 0;

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];
		const int denied = e->decision == US_DECISION_DENY;
		uint64_t *touched;
		size_t count;
		int may;

		if (e->time_ns < n->since_ns ||
		    (r->ask->until_ns != 0 && e->time_ns > r->ask->until_ns) ||
		    e->collection != n->collection || !us_report_is_whose(r, e) ||
		    (!us_report_discloses(e) && !denied))
			continue;
		touched = touched_by(r, n, e, &count, &may);
		if (count > 0 || may)
			list_touch(r, n, e, touched, count);
		touches += !denied && count > 0;
		after += !denied && count > 0 && n->act_ns != 0 && e->index > n->act_index;
		attempts += denied && count > 0;
		perhaps += count == 0 && may;
		free(touched);
	}
	us_report_number(r->summary, "disclosed after the notice", touches);
	if (n->act_ns != 0)
		us_report_number(r->summary, "of them after the clawback was in force", after);
	us_report_number(r->summary, "refused after the notice", attempts);
	us_report_number(r->summary, "refusals that may have been about them", perhaps);
}

int
us_report_after_notice(struct us_report *r)
{
	struct us_client_notice n = { 0 };
	uint64_t records = 0;

	if (r->ask->clawback == NULL && r->ask->records == NULL)
		us_usage_error("after which notice? --clawback ID, or --records "
			       "COLLECTION/BATES[..BATES] --since TIME");
	if (r->ask->clawback == NULL)
		from_records(r, &n);
	else if (!from_clawback(r, &n)) {
		us_say("no entry that could be opened holds %s whole: name its records (--records) "
		       "and the notice (--since)",
		    r->ask->clawback);
		return US_EXIT_INCOMPLETE;
	}
	for (size_t i = 0; i < n.n; i++)
		records += n.runs[i].last - n.runs[i].first + 1;
	us_report_time(r->summary, "notice", n.since_ns);
	if (n.act_ns != 0)
		us_report_time(r->summary, "clawback in force", n.act_ns);
	us_report_number(r->summary, "records of the notice", records);
	list_touches(r, &n);
	us_report_note(r,
	    "Records of refused requests stand in the query box, %d of a request at most. Where "
	    "that is withheld, or there were more, "
	    "refusals because records were not visible, clawed back or frozen are listed with no "
	    "records.",
	    US_ENTRY_REFUSED);
	free(n.runs);
	return US_EXIT_DONE;
}
