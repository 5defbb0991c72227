/* What left of an answer, from the outcomes and marks of the log (docs/PROTOCOL.md, "How answers
 * ended"). */
#include <stdlib.h>
#include <string.h>

#include "client/report_endings.h"

struct us_client_outcome {
	uint64_t answers; /* the entry whose outcome it is */
	uint64_t sent;
	enum us_reason reason;
};

/* Of these it is not known how they ended. */
struct us_client_unknown {
	uint64_t from, to;
	enum us_reason reason;
};

struct us_endings {
	struct us_client_outcome *outcomes; /* by answers */
	size_t n_outcomes;
	struct us_client_unknown *unknown;
	size_t n_unknown;
	uint64_t settled; /* where the newest mark ends that is open here */
};

static void *
one_more(void *list, size_t n, size_t size)
{
	/* room for 2^k */
	void *more = (n & (n - 1)) != 0 ? list : realloc(list, (n == 0 ? 1 : n * 2) * size);

	if (more == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return more;
}

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

struct us_endings *
us_endings_of(const struct us_trail *t)
{
	struct us_endings *l = calloc(1, sizeof *l);

	if (l == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < t->n; i++) {
		const struct us_trail_entry *e = &t->entries[i];

		if (us_trail_is_outcome(e)) {
			l->outcomes = one_more(l->outcomes, l->n_outcomes, sizeof *l->outcomes);
			l->outcomes[l->n_outcomes++] = (struct us_client_outcome){ e->related,
				e->total, e->reason };
		} else if (us_trail_is_mark(e)) {
			const struct us_event_answered *a = &e->event.answered;

			l->settled = a->to > l->settled ? a->to : l->settled;
			if (e->decision != US_DECISION_FAILED)
				continue;
			l->unknown = one_more(l->unknown, l->n_unknown, sizeof *l->unknown);
			l->unknown[l->n_unknown++] = (struct us_client_unknown){ a->from, a->to,
				e->reason };
		}
	}
	if (l->n_outcomes > 0)
		qsort(l->outcomes, l->n_outcomes, sizeof *l->outcomes, compare);
	return l;
}

void
us_endings_free(struct us_endings *l)
{
	if (l == NULL)
		return;
	free(l->outcomes);
	free(l->unknown);
	free(l);
}

/* Answers are to the last of several parts. */
static uint64_t
last_part(const struct us_trail_entry *e)
{
	return e->index + (e->parts - 1 - e->part);
}

static const struct us_client_outcome *
outcome_of(const struct us_endings *l, const struct us_trail_entry *e)
{
	const struct us_client_outcome key = { .answers = last_part(e) };

	return l->n_outcomes == 0 ? NULL :
				    bsearch(&key, l->outcomes, l->n_outcomes, sizeof key, compare);
}

/* "unknown", "not settled", or NULL: it left whole. */
static const char *
without_outcome(const struct us_endings *l, const struct us_trail_entry *e)
{
	const uint64_t last = last_part(e);

	for (size_t i = 0; i < l->n_unknown; i++)
		if (last >= l->unknown[i].from && last < l->unknown[i].to)
			return l->unknown[i].reason == US_REASON_CUT ? "unknown, cut" : "unknown";
	return last >= l->settled ? "not settled" : NULL;
}

int
us_ending_whole(const struct us_endings *l, const struct us_trail_entry *e)
{
	return outcome_of(l, e) == NULL && without_outcome(l, e) == NULL;
}

void
us_ending_text(const struct us_endings *l, const struct us_trail_entry *e, char out[US_ENDING_TEXT])
{
	const struct us_client_outcome *o = outcome_of(l, e);
	const char *without = without_outcome(l, e);
	/* of a read the total is how many it has, in all its parts */
	const uint64_t all = e->parts > 1 ? e->total : e->n_records;

	if (o != NULL)
		(void)snprintf(out, US_ENDING_TEXT, "%llu of %llu, %s", (unsigned long long)o->sent,
		    (unsigned long long)all, us_reason_name(o->reason));
	else
		(void)snprintf(out, US_ENDING_TEXT, "%s", without == NULL ? "whole" : without);
}

void
us_ending_record_text(const struct us_endings *l, const struct us_trail_entry *e, size_t at,
    char out[US_ENDING_TEXT])
{
	const struct us_client_outcome *o = outcome_of(l, e);
	const char *without = without_outcome(l, e);
	/* parts before the last are full */
	const uint64_t place = (uint64_t)e->part * US_ENTRY_RECORDS + at;

	if (o != NULL && place >= o->sent)
		(void)snprintf(out, US_ENDING_TEXT, "%s, %s", place == o->sent ? "not whole" : "no",
		    us_reason_name(o->reason));
	else
		(void)snprintf(out, US_ENDING_TEXT, "%s",
		    o != NULL || without == NULL ? "yes" : without);
}
