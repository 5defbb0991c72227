/* Reports on what people did: who saw a record, what a person did, refusals, searches,
 * administrators and content. */
#include <stdlib.h>
#include <string.h>

#include "client/report/endings.h"
#include "client/report/kinds.h"

/* How a record reached somebody. */
static const char *
how(const struct us_trail_entry *e)
{
	if (e->has_copy)
		return "copy";
	if ((e->opened & 1u << US_BOX_ACCESS) == 0)
		return "withheld";
	return e->action == US_ACTION_SEARCH ? "snippet" : us_action_name(e->action);
}

/* Rule, paragraph and version of the order that decided. */
static void
put_rule(cJSON *row, const struct us_trail_entry *e)
{
	if (e->rule == 0)
		us_report_text(row, "rule", NULL);
	else
		us_report_number(row, "rule", e->rule);
	us_report_text(row, "paragraph", e->paragraph);
	us_report_number(row, "order", e->order_version);
}

/* ---- who-saw ---- */

/* Who produced a record may be told that it was disclosed, and no more. */
static int
is_disclosure_to_somebody(const struct us_trail_entry *e)
{
	return (e->opened & (1u << US_BOX_ACCESS | 1u << US_BOX_DISCLOSURE)) ==
	    1u << US_BOX_DISCLOSURE &&
	    e->n_records > 0;
}

static int
has_record(const struct us_trail_entry *e, const struct us_report_records *wanted, size_t *at)
{
	if (e->collection != wanted->collection)
		return 0;
	for (size_t i = 0; i < e->n_records; i++)
		if (e->records[i] >= wanted->first && e->records[i] <= wanted->last) {
			*at = i;
			return 1;
		}
	return 0;
}

/* The batch that brought the record in, if the entry's act closed it. */
static void
note_origin(struct us_report *r, const struct us_trail_entry *e,
    const struct us_report_records *wanted)
{
	const struct us_act_batch_close *b;
	struct us_trail_act a;

	if (e->action != US_ACTION_BATCH_CLOSE || !us_trail_act(r->trail, e, &a) ||
	    a.signed_act.type != US_ACT_BATCH_CLOSE)
		return;
	b = &a.act->u.batch_close;
	if (b->collection == wanted->collection && wanted->first >= b->first &&
	    wanted->first - b->first < b->count)
		us_report_note(r, "The record came in with batch %u, entry %llu.",
		    (unsigned)b->slot, (unsigned long long)e->index);
}

/* A row that waits for how its answer ended. */
struct us_client_waiting {
	cJSON *row;
	struct us_ending_key answer;
	size_t at; /* the record, in the entry */
};

struct us_client_waiting_rows {
	struct us_endings endings;
	struct us_client_waiting *of;
	size_t n;
};

/* The row's "left", a place now, is told at the end. */
static void
wait_for(struct us_client_waiting_rows *all, cJSON *row, const struct us_trail_entry *e, size_t at)
{
	us_report_text(row, "left", NULL);
	all->of = us_report_room(all->of, all->n, sizeof *all->of);
	all->of[all->n++] = (struct us_client_waiting){ row, us_ending_key(e), at };
}

static void
drop_waiting(struct us_client_waiting_rows *all)
{
	us_endings_free(&all->endings);
	free(all->of);
}

struct us_client_who_saw {
	struct us_report_wanted wanted;
	struct us_client_waiting_rows rows;
	uint64_t n;
};

static void
who_saw_entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_who_saw *s = r->state;
	const struct us_report_records *wanted = us_report_wanted(r, r->ask->record, &s->wanted);
	size_t at;
	cJSON *row;

	us_endings_take(&s->rows.endings, e);
	if (wanted == NULL)
		return;
	note_origin(r, e, wanted);
	if ((!us_report_discloses(e) && !is_disclosure_to_somebody(e)) ||
	    !has_record(e, wanted, &at) || !us_report_in_range(r, e) || !us_report_is_whose(r, e))
		return;
	row = us_report_entry_row(r, e);
	us_report_text(row, "how", how(e));
	if (is_disclosure_to_somebody(e))
		us_report_text(row, "left", "withheld");
	else
		wait_for(&s->rows, row, e, at);
	put_rule(row, e);
	us_report_text(row, "purpose", e->purpose);
	us_report_text(row, "recipient", e->recipient);
	s->n++;
}

static int
who_saw_end(struct us_report *r)
{
	struct us_client_who_saw *s = r->state;
	struct us_report_records records;
	char text[US_ENDING_TEXT];

	if (r->ask->record == NULL)
		us_usage_error("which record? underseal audit report who-saw COLLECTION/BATES");
	us_report_records(r->trail, r->ask->record, strlen(r->ask->record), &records);
	for (size_t i = 0; i < s->rows.n; i++) {
		us_ending_record_text(&s->rows.endings, &s->rows.of[i].answer, s->rows.of[i].at,
		    text);
		us_report_text(s->rows.of[i].row, "left", text);
	}
	us_report_text(r->summary, "record", r->ask->record);
	us_report_number(r->summary, "times disclosed", s->n);
	us_report_note_first(r,
	    "left: whether the record had left the vault when its answer ended. What had not left "
	    "was seen by nobody.");
	return US_EXIT_DONE;
}

static void
who_saw_drop(struct us_report *r)
{
	drop_waiting(&((struct us_client_who_saw *)r->state)->rows);
}

const struct us_report_kind us_report_who_saw = {
	.name = "who-saw",
	.question = "Who saw this record, when, how, and under which rule?",
	.options = "COLLECTION/BATES",
	.columns = US_ENTRY_COLUMNS "how left rule paragraph order purpose recipient",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.reach = US_REACH_RECORD,
	.state = sizeof(struct us_client_who_saw),
	.entry = who_saw_entry,
	.end = who_saw_end,
	.drop = who_saw_drop,
};

/* ---- person-history ---- */

struct us_client_history {
	struct us_client_waiting_rows rows;
	uint64_t n, disclosed, broken;
};

static void
history_entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_history *s = r->state;
	cJSON *row;

	us_endings_take(&s->rows.endings, e);
	if ((r->ask->person == NULL && r->ask->party == NULL) || e->person == 0 ||
	    !us_report_in_range(r, e) || !us_report_is_whose(r, e))
		return;
	row = us_report_entry_row(r, e);
	us_report_text(row, "kind", us_kind_name(e->kind));
	us_report_text(row, "decision", us_decision_name(e->decision));
	us_report_text(row, "reason",
	    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
	us_report_text(row, "as_told", e->told ? "by the vault" : NULL);
	us_report_text(row, "paragraph", e->paragraph);
	us_report_collection(r, row, e);
	us_report_disclosed(r, row, e);
	if (us_report_discloses(e))
		wait_for(&s->rows, row, e, 0);
	else
		us_report_text(row, "left", NULL);
	us_report_text(row, "query", e->query);
	us_report_text(row, "purpose", e->purpose);
	us_report_text(row, "address", e->address);
	s->n++;
	s->broken += (uint64_t)us_trail_is_outcome(e);
	if (us_report_discloses(e))
		s->disclosed += e->n_records;
}

static int
history_end(struct us_report *r)
{
	struct us_client_history *s = r->state;
	char text[US_ENDING_TEXT];

	if (r->ask->person == NULL && r->ask->party == NULL)
		us_usage_error("whose? --person NAME or --party PARTY");
	for (size_t i = 0; i < s->rows.n; i++) {
		us_ending_text(&s->rows.endings, &s->rows.of[i].answer, text);
		us_report_text(s->rows.of[i].row, "left", text);
	}
	if (r->ask->person != NULL)
		us_report_text(r->summary, "person", r->ask->person);
	if (r->ask->party != NULL)
		us_report_text(r->summary, "party", r->ask->party);
	us_report_number(r->summary, "entries", s->n);
	us_report_number(r->summary, "records disclosed, counted each time", s->disclosed);
	us_report_number(r->summary, "answers that did not leave whole", s->broken);
	return US_EXIT_DONE;
}

static void
history_drop(struct us_report *r)
{
	drop_waiting(&((struct us_client_history *)r->state)->rows);
}

const struct us_report_kind us_report_person_history = {
	.name = "person-history",
	.question = "What did this person, or this party, do and read?",
	.options = "--person N | --party P",
	.columns = US_ENTRY_COLUMNS "kind decision reason as_told paragraph collection records "
				    "bates left query purpose address",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS | US_NEEDS_QUERY,
	.reach = US_REACH_WHO,
	.state = sizeof(struct us_client_history),
	.entry = history_entry,
	.end = history_end,
	.drop = history_drop,
};

/* ---- denials ---- */

/* The records asked for; 1 if those wanted are among them. */
static int
is_about(const struct us_report *r, const struct us_trail_entry *e,
    const struct us_report_records *wanted)
{
	uint64_t more, *asked;
	size_t n;
	int found = 0;

	if (e->collection != wanted->collection)
		return 0;
	asked = us_report_asked(r->trail, e, &n, &more);
	for (size_t i = 0; i < n; i++)
		found |= asked[i] >= wanted->first && asked[i] <= wanted->last;
	free(asked);
	return found;
}

static void
put_asked(struct us_report *r, cJSON *row, const struct us_trail_entry *e)
{
	uint64_t more, *asked;
	char *ranges, *text = NULL;
	size_t n;

	asked = us_report_asked(r->trail, e, &n, &more);
	ranges = us_report_ranges(r->trail, e->collection, asked, n);
	if (more > 0 && asprintf(&text, "%s and %llu more", ranges, (unsigned long long)more) < 0)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_report_text(row, "asked", text != NULL ? text : ranges);
	free(text);
	free(ranges);
	free(asked);
}

static void
put_denial(struct us_report *r, const struct us_trail_entry *e, enum us_reason reason,
    uint64_t count)
{
	cJSON *row = us_report_entry_row(r, e);

	us_report_text(row, "reason", us_reason_name(reason));
	us_report_text(row, "as_told", e->told ? "by the vault" : NULL);
	put_rule(row, e);
	us_report_collection(r, row, e);
	put_asked(r, row, e);
	us_report_text(row, "purpose", e->purpose);
	us_report_text(row, "query", e->query);
	us_report_number(row, "count", count);
}

/* Refusals that the log only counts: how many in all. */
static uint64_t
put_counted(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_bytes counts = e->event.counts.count;
	uint64_t n = 0;
	uint8_t reason;
	uint32_t count;

	while (us_event_next_count(&counts, &reason, &count)) {
		if (us_reason_name(reason) == NULL)
			continue;
		put_denial(r, e, (enum us_reason)reason, count);
		n += count;
	}
	return n;
}

struct us_client_denials {
	struct us_report_wanted wanted;
	uint64_t n, connections;
};

static void
denials_entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_denials *s = r->state;
	const struct us_report_records *wanted = us_report_wanted(r, r->ask->record, &s->wanted);

	if (e->decision != US_DECISION_DENY || !us_report_in_range(r, e) ||
	    !us_report_is_whose(r, e) ||
	    (r->ask->record != NULL && (wanted == NULL || !is_about(r, e, wanted))))
		return;
	if (e->event.form == US_EVENT_COUNTS) {
		*(e->action == US_ACTION_HANDSHAKES ? &s->connections : &s->n) += put_counted(r, e);
		return;
	}
	put_denial(r, e, e->reason, 1);
	s->n++;
}

static int
denials_end(struct us_report *r)
{
	const struct us_client_denials *s = r->state;
	struct us_report_records records;

	if (r->ask->record != NULL)
		us_report_records(r->trail, r->ask->record, strlen(r->ask->record), &records);
	us_report_number(r->summary, "refusals", s->n);
	us_report_number(r->summary, "failed connections", s->connections);
	if (s->connections > 0)
		us_report_note(r, "%s", US_NOTE_CONNECTIONS);
	us_report_note(r,
	    "asked: records of a refused request, %d of them at most; they stand in the query box. "
	    "A long request takes several "
	    "entries.",
	    US_ENTRY_REFUSED);
	return US_EXIT_DONE;
}

const struct us_report_kind us_report_denials = {
	.name = "denials",
	.question = "What was refused, to whom, and why?",
	.options = "[COLLECTION/BATES]",
	.columns = US_ENTRY_COLUMNS
	"reason as_told rule paragraph order collection asked purpose query count",
	.needs = US_NEEDS_ACCESS,
	.reach = US_REACH_DENIED,
	.state = sizeof(struct us_client_denials),
	.entry = denials_entry,
	.end = denials_end,
};
