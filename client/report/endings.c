/* docs/PROTOCOL.md, "How answers ended". */
#include "client/report/endings.h"

#include <stdlib.h>
#include <string.h>

#include "client/report/report.h"

struct us_client_outcome {
	uint64_t answers; /* the entry whose outcome it is */
	uint64_t sent;
	enum us_reason reason;
};

struct us_client_unknown {
	uint64_t from, to;
	enum us_reason reason;
};

static int
compare(const void *a, const void *b)
{
	const struct us_client_outcome *x = a, *y = b;

	return (x->answers > y->answers) - (x->answers < y->answers);
}

int
us_trail_is_outcome(const struct us_trail_entry *e)
{
	return e->entry_class == US_CLASS_ACCESS && e->kind == US_KIND_OUTCOME;
}

int
us_trail_is_mark(const struct us_trail_entry *e)
{
	return e->event.form == US_EVENT_ANSWERED;
}

void
us_trail_mark(const struct us_trail_entry *e, uint64_t *from, uint64_t *to)
{
	*from = e->event.answered.from;
	*to = e->event.answered.to;
}

void
us_endings_take(struct us_endings *l, const struct us_trail_entry *e)
{
	if (us_trail_is_outcome(e)) {
		l->outcomes = us_report_room(l->outcomes, l->n_outcomes, sizeof *l->outcomes);
		l->outcomes[l->n_outcomes++] = (struct us_client_outcome){ e->related, e->total,
			e->reason };
		l->sorted = 0;
	} else if (us_trail_is_mark(e)) {
		uint64_t from, to;

		us_trail_mark(e, &from, &to);
		l->settled = to > l->settled ? to : l->settled;
		if (e->decision != US_DECISION_FAILED)
			return;
		l->unknown = us_report_room(l->unknown, l->n_unknown, sizeof *l->unknown);
		l->unknown[l->n_unknown++] = (struct us_client_unknown){ from, to, e->reason };
	}
}

void
us_endings_free(struct us_endings *l)
{
	free(l->outcomes);
	free(l->unknown);
	memset(l, 0, sizeof *l);
}

struct us_ending_key
us_ending_key(const struct us_trail_entry *e)
{
	return (struct us_ending_key){
		.last = e->index + (e->parts - 1 - e->part),
		/* of a read the total is how many it has, in all its parts */
		.all = e->parts > 1 ? e->total : e->n_records,
		/* parts before the last are full */
		.first = (uint64_t)e->part * US_ENTRY_RECORDS,
	};
}

static const struct us_client_outcome *
outcome_of(struct us_endings *l, const struct us_ending_key *answer)
{
	const struct us_client_outcome key = { .answers = answer->last };

	if (l->n_outcomes == 0)
		return NULL;
	if (!l->sorted)
		qsort(l->outcomes, l->n_outcomes, sizeof *l->outcomes, compare);
	l->sorted = 1;
	return bsearch(&key, l->outcomes, l->n_outcomes, sizeof key, compare);
}

/* "unknown", "not settled", or NULL: it left whole. */
static const char *
without_outcome(const struct us_endings *l, const struct us_ending_key *answer)
{
	for (size_t i = 0; i < l->n_unknown; i++)
		if (answer->last >= l->unknown[i].from && answer->last < l->unknown[i].to)
			return l->unknown[i].reason == US_REASON_CUT ? "unknown, cut" : "unknown";
	return answer->last >= l->settled ? "not settled" : NULL;
}

void
us_ending_text(struct us_endings *l, const struct us_ending_key *answer, char out[US_ENDING_TEXT])
{
	const struct us_client_outcome *o = outcome_of(l, answer);
	const char *without = without_outcome(l, answer);

	if (o != NULL)
		(void)snprintf(out, US_ENDING_TEXT, "%llu of %llu, %s", (unsigned long long)o->sent,
		    (unsigned long long)answer->all, us_reason_name(o->reason));
	else
		(void)snprintf(out, US_ENDING_TEXT, "%s", without == NULL ? "whole" : without);
}

void
us_ending_record_text(struct us_endings *l, const struct us_ending_key *answer, size_t at,
    char out[US_ENDING_TEXT])
{
	const struct us_client_outcome *o = outcome_of(l, answer);
	const char *without = without_outcome(l, answer);
	const uint64_t place = answer->first + at;

	if (o != NULL && place >= o->sent)
		(void)snprintf(out, US_ENDING_TEXT, "%s, %s", place == o->sent ? "not whole" : "no",
		    us_reason_name(o->reason));
	else
		(void)snprintf(out, US_ENDING_TEXT, "%s",
		    o != NULL || without == NULL ? "yes" : without);
}
