/* Reports on what people did: who saw a record, what a person did, refusals, searches,
 * administrators and content. */
#include <stdlib.h>
#include <string.h>

#include "client/report_endings.h"

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

static void
put_records(struct us_report *r, cJSON *row, const struct us_trail_entry *e)
{
	char *ranges;

	us_report_number(row, "records", e->n_records);
	ranges = us_report_ranges(r->trail, e->collection, e->records, e->n_records);
	us_report_text(row, "bates", ranges);
	free(ranges);
}

static void
put_collection(struct us_report *r, cJSON *row, const struct us_trail_entry *e)
{
	const struct us_trail_collection *c = us_trail_collection(r->trail, e->collection);
	char number[32];

	(void)snprintf(number, sizeof number, "collection %u", (unsigned)e->collection);
	us_report_text(row, "collection", c != NULL ? c->name : e->collection == 0 ? NULL : number);
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

/* The batch that brought the record in. */
static void
note_origin(struct us_report *r, const struct us_report_records *wanted)
{
	struct us_trail_act a;

	for (size_t i = 0; i < r->trail->n_acts; i++) {
		const struct us_trail_entry *e = &r->trail->entries[r->trail->acts[i].place];
		const struct us_act_batch_close *b;

		if (e->action != US_ACTION_BATCH_CLOSE || !us_trail_act(r->trail, e, &a) ||
		    a.signed_act.type != US_ACT_BATCH_CLOSE)
			continue;
		b = &a.act->u.batch_close;
		if (b->collection == wanted->collection && wanted->first >= b->first &&
		    wanted->first - b->first < b->count)
			us_report_note(r, "The record came in with batch %u, entry %llu.",
			    (unsigned)b->slot, (unsigned long long)e->index);
	}
}

int
us_report_who_saw(struct us_report *r)
{
	struct us_report_records wanted;
	struct us_endings *left;
	char text[US_ENDING_TEXT];
	uint64_t n = 0;
	size_t at;

	if (r->ask->record == NULL)
		us_usage_error("which record? underseal audit report who-saw COLLECTION/BATES");
	us_report_records(r, r->ask->record, strlen(r->ask->record), &wanted);
	left = us_endings_of(r->trail);
	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];
		cJSON *row;

		if ((!us_report_discloses(e) && !is_disclosure_to_somebody(e)) ||
		    !has_record(e, &wanted, &at) || !us_report_in_range(r, e) ||
		    !us_report_is_whose(r, e))
			continue;
		row = us_report_entry_row(r, e);
		us_report_text(row, "how", how(e));
		us_ending_record_text(left, e, at, text);
		us_report_text(row, "left", is_disclosure_to_somebody(e) ? "withheld" : text);
		put_rule(row, e);
		us_report_text(row, "purpose", e->purpose);
		us_report_text(row, "recipient", e->recipient);
		n++;
	}
	us_report_text(r->summary, "record", r->ask->record);
	us_report_number(r->summary, "times disclosed", n);
	us_endings_free(left);
	us_report_note(r,
	    "left: whether the record had left the vault when its answer ended. What had not left "
	    "was seen by nobody.");
	note_origin(r, &wanted);
	return US_EXIT_DONE;
}

/* ---- person-history ---- */

int
us_report_person_history(struct us_report *r)
{
	struct us_endings *left;
	char text[US_ENDING_TEXT];
	uint64_t n = 0, disclosed = 0, broken = 0;

	if (r->ask->person == NULL && r->ask->party == NULL)
		us_usage_error("whose? --person NAME or --party PARTY");
	left = us_endings_of(r->trail);
	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];
		cJSON *row;

		if (e->person == 0 || !us_report_in_range(r, e) || !us_report_is_whose(r, e))
			continue;
		row = us_report_entry_row(r, e);
		us_report_text(row, "kind", us_kind_name(e->kind));
		us_report_text(row, "decision", us_decision_name(e->decision));
		us_report_text(row, "reason",
		    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
		us_report_text(row, "paragraph", e->paragraph);
		put_collection(r, row, e);
		put_records(r, row, e);
		us_ending_text(left, e, text);
		us_report_text(row, "left", us_report_discloses(e) ? text : NULL);
		us_report_text(row, "query", e->query);
		us_report_text(row, "purpose", e->purpose);
		us_report_text(row, "address", e->address);
		n++;
		broken += (uint64_t)us_trail_is_outcome(e);
		if (us_report_discloses(e))
			disclosed += e->n_records;
	}
	if (r->ask->person != NULL)
		us_report_text(r->summary, "person", r->ask->person);
	if (r->ask->party != NULL)
		us_report_text(r->summary, "party", r->ask->party);
	us_report_number(r->summary, "entries", n);
	us_report_number(r->summary, "records disclosed, counted each time", disclosed);
	us_report_number(r->summary, "answers that did not leave whole", broken);
	us_endings_free(left);
	return US_EXIT_DONE;
}

/* ---- denials ---- */

/* The records asked for; 1 if those wanted (NULL: any) are among them. */
static int
is_about(const struct us_report *r, const struct us_trail_entry *e,
    const struct us_report_records *wanted)
{
	uint64_t more, *asked;
	size_t n;
	int found = wanted == NULL;

	if (found || e->collection != wanted->collection)
		return found;
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
	put_rule(row, e);
	put_collection(r, row, e);
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

int
us_report_denials(struct us_report *r)
{
	struct us_report_records wanted;
	uint64_t n = 0;

	if (r->ask->record != NULL)
		us_report_records(r, r->ask->record, strlen(r->ask->record), &wanted);

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];

		if (e->decision != US_DECISION_DENY || !us_report_in_range(r, e) ||
		    !us_report_is_whose(r, e) ||
		    !is_about(r, e, r->ask->record == NULL ? NULL : &wanted))
			continue;
		if (e->event.form == US_EVENT_COUNTS) {
			n += put_counted(r, e);
			continue;
		}
		put_denial(r, e, e->reason, 1);
		n++;
	}
	us_report_number(r->summary, "refusals", n);
	us_report_note(r,
	    "asked: records of a refused request, %d of them at most; they stand in the query box. "
	    "A long request takes several "
	    "entries.",
	    US_ENTRY_REFUSED);
	return US_EXIT_DONE;
}

/* ---- searches ---- */

static int
asks(const struct us_trail_entry *e)
{
	return us_action_is_evidence(e->action) && e->kind == US_KIND_INTENT && e->query[0] != '\0';
}

/* What was disclosed in answer to an entry. */
struct us_client_answer {
	int found, fewer;
	uint64_t total, shown;
};

/* By the index of the entry that asked; the trail's entries are numbered from 0 on. */
static struct us_client_answer *
answers(const struct us_report *r)
{
	struct us_client_answer *all = calloc(r->trail->n + 1, sizeof *all);

	if (all == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];

		if (e->kind != US_KIND_DISCLOSURE || e->related >= r->trail->n)
			continue;
		if (!all[e->related].found) {
			all[e->related].total = e->total;
			all[e->related].fewer = e->fewer;
		}
		all[e->related].found = 1;
		all[e->related].shown += e->n_records;
	}
	return all;
}

/* What the person was told. */
static void
put_total(cJSON *row, const struct us_client_answer *a)
{
	char text[48];

	(void)snprintf(text, sizeof text, "fewer than %llu", (unsigned long long)a->total);
	if (a->fewer)
		us_report_text(row, "total", text);
	else
		us_report_number(row, "total", a->total);
}

int
us_report_searches(struct us_report *r)
{
	struct us_client_answer *all = answers(r);
	uint64_t n = 0;

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];
		cJSON *row;

		if (!asks(e) || !us_report_in_range(r, e) || !us_report_is_whose(r, e))
			continue;
		row = us_report_entry_row(r, e);
		us_report_text(row, "decision", us_decision_name(e->decision));
		put_collection(r, row, e);
		us_report_text(row, "query", e->query);
		us_report_number(row, "snapshot", e->snapshot);
		if (all[i].found) {
			put_total(row, &all[i]);
			us_report_number(row, "shown", all[i].shown);
		} else {
			us_report_text(row, "total", NULL);
			us_report_text(row, "shown", NULL);
		}
		us_report_text(row, "purpose", e->purpose);
		n++;
	}
	free(all);
	us_report_number(r->summary, "searches", n);
	us_report_note(r,
	    "To repeat one: underseal search COLLECTION QUERY --snapshot SNAPSHOT, as a person "
	    "with the same "
	    "rights; the total must be the same, less what was withdrawn since.");
	us_report_note(r,
	    "The total is what the person was told. Without one: the search was refused, or broke "
	    "off before it had a result.");
	return US_EXIT_DONE;
}

/* ---- content-by-administrators ---- */

/* Those who run the vault: they may never see evidence. */
static int
runs_the_vault(const struct us_report *r, const struct us_trail_entry *e)
{
	const struct us_trail_person *p = us_trail_person(r->trail, e->person);

	return p != NULL &&
	    (strcmp(p->capacity, "administrator") == 0 || strcmp(p->capacity, "keyholder") == 0);
}

int
us_report_content_by_administrators(struct us_report *r)
{
	uint64_t n = 0, refused = 0;

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];
		cJSON *row;

		if (!us_action_is_evidence(e->action) || !runs_the_vault(r, e) ||
		    !us_report_in_range(r, e))
			continue;
		row = us_report_entry_row(r, e);
		us_report_text(row, "decision", us_decision_name(e->decision));
		us_report_text(row, "reason",
		    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
		put_collection(r, row, e);
		put_records(r, row, e);
		if (e->decision == US_DECISION_DENY)
			refused++;
		else
			n++;
	}
	us_report_number(r->summary, "allowed (expected: 0)", n);
	us_report_number(r->summary, "refused attempts", refused);
	return US_EXIT_DONE;
}
