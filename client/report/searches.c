/* Report: what was searched for, and what came of it. */
#include <stdlib.h>

#include "client/report/kinds.h"

static int
asks(const struct us_trail_entry *e)
{
	return us_action_row(e->action)->is_evidence && e->kind == US_KIND_INTENT &&
	    e->query[0] != '\0';
}

/* A search that is listed, and what was disclosed in answer to it. */
struct us_client_search {
	uint64_t index;
	cJSON *row;
	int found;
	uint64_t shown;
};

struct us_client_searches {
	struct us_client_search *of; /* in the order of the log */
	size_t n;
};

static int
compare(const void *a, const void *b)
{
	const struct us_client_search *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* What the person was told. */
static void
put_total(cJSON *row, const struct us_trail_entry *e)
{
	char text[48];

	(void)snprintf(text, sizeof text, "fewer than %llu", (unsigned long long)e->total);
	if (e->fewer)
		us_report_text(row, "total", text);
	else
		us_report_number(row, "total", e->total);
}

/* Of several answers the first says how many there were in all. */
static void
take_answer(struct us_client_searches *s, const struct us_trail_entry *e)
{
	const struct us_client_search key = { .index = e->related };
	struct us_client_search *a = s->n == 0 ? NULL :
						 bsearch(&key, s->of, s->n, sizeof key, compare);

	if (a == NULL)
		return;
	if (!a->found)
		put_total(a->row, e);
	a->found = 1;
	a->shown += e->n_records;
	us_report_number(a->row, "shown", a->shown);
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_searches *s = r->state;
	cJSON *row;

	if (e->kind == US_KIND_DISCLOSURE)
		take_answer(s, e);
	if (!asks(e) || !us_report_in_range(r, e) || !us_report_is_whose(r, e))
		return;
	row = us_report_entry_row(r, e);
	us_report_text(row, "decision", us_decision_name(e->decision));
	us_report_collection(r, row, e);
	us_report_text(row, "query", e->query);
	us_report_number(row, "snapshot", e->snapshot);
	us_report_text(row, "total", NULL);
	us_report_text(row, "shown", NULL);
	us_report_text(row, "purpose", e->purpose);
	s->of = us_report_room(s->of, s->n, sizeof *s->of);
	s->of[s->n++] = (struct us_client_search){ .index = e->index, .row = row };
}

static int
end(struct us_report *r)
{
	const struct us_client_searches *s = r->state;

	us_report_number(r->summary, "searches", s->n);
	us_report_note(r,
	    "To repeat one: underseal search COLLECTION QUERY --snapshot SNAPSHOT, as a person "
	    "with the same "
	    "rights; the total must be the same, less what was withdrawn since.");
	us_report_note(r,
	    "The total is what the person was told. Without one: the search was refused, or broke "
	    "off before it had a result.");
	return US_EXIT_DONE;
}

static void
drop(struct us_report *r)
{
	free(((struct us_client_searches *)r->state)->of);
}

const struct us_report_kind us_report_searches = {
	.name = "searches",
	.question = "What was searched for, on which snapshot, with how many hits?",
	.options = "--person N",
	.columns = US_ENTRY_COLUMNS "decision collection query snapshot total shown purpose",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS | US_NEEDS_QUERY,
	.state = sizeof(struct us_client_searches),
	.entry = entry,
	.end = end,
	.drop = drop,
};
