/* Report: was a record touched after a notice about it? */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "client/report/kinds.h"
#include "base/time.h"
#include "registry/answer.h"

struct us_client_report_notice_run {
	uint64_t first, last;
};

/* Records that came in with a batch. */
struct us_client_batch_range {
	uint32_t collection, slot;
	uint64_t first, last;
};

/* The records that a notice is about, and when it was given. Of a clawback the first pass over the
 * log finds them, and the second lists what touched them. */
struct us_client_notice {
	uint32_t collection;
	struct us_client_report_notice_run *runs;
	size_t n;
	int64_t since_ns;   /* the notice; touches from here on are listed */
	int64_t act_ns;     /* when the vault took them out of sight; 0: not known */
	uint64_t act_index; /* of that act's entry */
	int found;          /* the clawback; runs are those of its selection, or: */
	int is_batch;
	uint32_t slot;
	struct us_client_batch_range *batches;
	size_t n_batches;
	int listing;    /* the records are known */
	uint64_t names; /* taken when records that were named were looked up */
	/* Of a clawback that was withdrawn or denied: from that entry on no notice stands, and who
	 * reads is charged with nothing. One that was granted stands for good. */
	int64_t over_ns; /* 0: it is not over */
	const char *over_how;
	uint64_t unknown_ends; /* filings that ended by acts that are not there */
	uint64_t touches, after, attempts, perhaps;
};

static void
add_run(struct us_client_notice *n, uint64_t first, uint64_t last)
{
	n->runs = us_report_room(n->runs, n->n, sizeof *n->runs);
	n->runs[n->n++] = (struct us_client_report_notice_run){ first, last };
}

/* ---- from a clawback ---- */

/* The number of the clawback that was asked for; -1: it is none. */
static int64_t
clawback_number(const struct us_report *r)
{
	const char *digits = r->ask->clawback +
	    (strncmp(r->ask->clawback, "clawback-", 9) == 0 ? 9 : 0);
	int64_t number;

	return us_number_text(digits, 0, INT64_MAX, &number) == US_OK ? number : -1;
}

static void
take_batch(struct us_client_notice *n, const struct us_trail_entry *e,
    const struct us_act_batch_close *b)
{
	if (b->count == 0)
		return;
	n->batches = us_report_room(n->batches, n->n_batches, sizeof *n->batches);
	n->batches[n->n_batches++] = (struct us_client_batch_range){ e->collection, b->slot,
		b->first, b->first + b->count - 1 };
}

static void
take_clawback(struct us_client_notice *n, const struct us_trail_entry *e,
    const struct us_act_records *act)
{
	struct us_run run = { 0, 0 };
	size_t at = 0;

	n->found = 1;
	n->collection = act->selection.collection;
	n->since_ns = act->noticed_ns;
	n->act_ns = e->time_ns;
	n->act_index = e->index;
	n->is_batch = act->selection.is_batch;
	n->slot = act->selection.slot;
	while (!n->is_batch && us_selection_next(&act->selection, &at, &run))
		add_run(n, run.first, run.first + run.count - 1);
}

static void
look_for_clawback(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_notice *n = r->state;
	struct us_trail_act a;

	if ((e->action != US_ACTION_BATCH_CLOSE && e->action != US_ACTION_CLAWBACK) ||
	    !us_trail_act(r->trail, e, &a))
		return;
	if (e->action == US_ACTION_BATCH_CLOSE && a.signed_act.type == US_ACT_BATCH_CLOSE)
		take_batch(n, e, &a.act->u.batch_close);
	else if (e->action == US_ACTION_CLAWBACK && a.signed_act.type == US_ACT_CLAWBACK &&
	    !n->found && us_act_number(a.committed.result) == (uint64_t)clawback_number(r))
		take_clawback(n, e, &a.act->u.records);
}

/* Whether the entry ends it. */
static void
look_for_end(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_notice *n = r->state;
	const struct us_act_docket *act;
	char id[US_DOCKET_ID_MAX + 1];
	struct us_trail_act a;

	if ((e->action != US_ACTION_DOCKET_WITHDRAW && e->action != US_ACTION_DOCKET_RESOLVE) ||
	    e->entry_class != US_CLASS_STATE || e->index < n->act_index)
		return;
	if (!us_trail_act(r->trail, e, &a)) {
		n->unknown_ends++;
		return;
	}
	act = &a.act->u.docket;
	(void)snprintf(id, sizeof id, "clawback-%lld", (long long)clawback_number(r));
	if (!us_bytes_is(act->docket_id, id) ||
	    (a.signed_act.type == US_ACT_DOCKET_RESOLVE && act->outcome != US_OUTCOME_DENIED))
		return;
	n->over_ns = e->time_ns;
	n->over_how = a.signed_act.type == US_ACT_DOCKET_WITHDRAW ? "withdrawn" : "denied";
}

static int
end_clawback(struct us_report *r)
{
	struct us_client_notice *n = r->state;

	if (clawback_number(r) < 0)
		us_usage_error("--clawback takes the id of a clawback, such as clawback-1");
	if (!n->found) {
		us_say("no entry that could be opened holds %s whole: name its records (--records) "
		       "and the notice (--since)",
		    r->ask->clawback);
		return US_EXIT_INCOMPLETE;
	}
	for (size_t i = 0; n->is_batch && i < n->n_batches; i++)
		if (n->batches[i].collection == n->collection && n->batches[i].slot == n->slot)
			add_run(n, n->batches[i].first, n->batches[i].last);
	n->listing = 1;
	return US_REPORT_AGAIN;
}

/* ---- from a list of records ---- */

/* Looks up the records that were named. must: a usage error if one is none; else they are looked up
 * again once more names are known. */
static void
look_up(struct us_report *r, int must)
{
	struct us_client_notice *n = r->state;

	n->names = r->trail->names.changes;
	n->since_ns = r->ask->since_ns;
	n->n = 0;
	n->listing = 1;
	for (const char *at = r->ask->records; *at != '\0';) {
		const size_t length = strcspn(at, ",");
		struct us_report_records one;

		if (must)
			us_report_records(r->trail, at, length, &one);
		else if (!us_report_records_known(r->trail, at, length, &one))
			n->listing = 0;
		if (must && n->n > 0 && one.collection != n->collection)
			us_usage_error("--records takes records of one collection");
		if (!n->listing)
			return;
		n->collection = one.collection;
		add_run(n, one.first, one.last);
		at += length + (at[length] == ',');
	}
}

/* ---- what touched them ---- */

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
		*may = us_action_row(e->action)->is_evidence && (e->n_asked == 0 || more > 0) &&
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
take_touch(struct us_report *r, struct us_client_notice *n, const struct us_trail_entry *e)
{
	const int denied = e->decision == US_DECISION_DENY;
	uint64_t *touched;
	size_t count;
	int may;

	if (e->time_ns < n->since_ns || (r->ask->until_ns != 0 && e->time_ns > r->ask->until_ns) ||
	    e->collection != n->collection || !us_report_is_whose(r, e) ||
	    (!us_report_discloses(e) && !denied))
		return;
	touched = touched_by(r, n, e, &count, &may);
	if (count > 0 || may)
		list_touch(r, n, e, touched, count);
	n->touches += !denied && count > 0;
	n->after += !denied && count > 0 && n->act_ns != 0 && e->index > n->act_index;
	n->attempts += denied && count > 0;
	n->perhaps += count == 0 && may;
	free(touched);
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_notice *n = r->state;

	if (r->ask->clawback != NULL && !n->listing)
		look_for_clawback(r, e);
	else if (r->ask->clawback == NULL && r->ask->records != NULL &&
	    n->names != r->trail->names.changes)
		look_up(r, 0);
	else if (r->ask->clawback != NULL && n->over_ns == 0)
		look_for_end(r, e);
	if (n->listing && n->over_ns == 0)
		take_touch(r, n, e);
}

static int
end(struct us_report *r)
{
	struct us_client_notice *n = r->state;
	uint64_t records = 0;

	if (r->ask->clawback == NULL && r->ask->records == NULL)
		us_usage_error("after which notice? --clawback ID, or --records "
			       "COLLECTION/BATES[..BATES] --since TIME");
	if (r->ask->clawback != NULL && !n->listing)
		return end_clawback(r);
	if (r->ask->clawback == NULL && r->ask->since_ns == 0)
		us_usage_error("--records needs --since TIME: when the notice was given");
	if (r->ask->clawback == NULL)
		look_up(r, 1);
	for (size_t i = 0; i < n->n; i++)
		records += n->runs[i].last - n->runs[i].first + 1;
	us_report_time(r->summary, "notice", n->since_ns);
	if (n->act_ns != 0)
		us_report_time(r->summary, "clawback in force", n->act_ns);
	if (n->over_ns != 0) {
		us_report_time(r->summary, "clawback over", n->over_ns);
		us_report_text(r->summary, "how it ended", n->over_how);
		us_report_note(r, "The clawback was %s: what came later is not listed.",
		    n->over_how);
	} else if (n->unknown_ends > 0) {
		us_report_note(r,
		    "%llu filings were withdrawn or resolved by acts that could not be opened: if "
		    "this clawback was one of them, what came later should not be listed.",
		    (unsigned long long)n->unknown_ends);
	}
	us_report_number(r->summary, "records of the notice", records);
	us_report_number(r->summary, "disclosed after the notice", n->touches);
	if (n->act_ns != 0)
		us_report_number(r->summary, "of them after the clawback was in force", n->after);
	us_report_number(r->summary, "refused after the notice", n->attempts);
	us_report_number(r->summary, "refusals that may have been about them", n->perhaps);
	us_report_note(r,
	    "Records of refused requests stand in the query box, %d of a request at most. Where "
	    "that is withheld, or there were more, "
	    "refusals because records were not visible, clawed back or frozen are listed with no "
	    "records.",
	    US_ENTRY_REFUSED);
	return US_EXIT_DONE;
}

static void
drop(struct us_report *r)
{
	struct us_client_notice *n = r->state;

	free(n->runs);
	free(n->batches);
}

const struct us_report_kind us_report_after_notice = {
	.name = "after-notice",
	.question = "Was a record touched after notice that it was to be returned?",
	.options = "--clawback ID | --records C/B[..B] --since T",
	.columns = US_ENTRY_COLUMNS "decision reason when records bates purpose",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_notice),
	.entry = entry,
	.end = end,
	.drop = drop,
};
