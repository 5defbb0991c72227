/* Records as a question names them, and as a refused entry does. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "case/bates.h"
#include "client/report/report.h"

/* The record number of a Bates number of this collection. */
static int
parse_bates(const struct us_named_collection *c, const char *text, size_t n, uint64_t *record)
{
	const struct us_bytes bates = { (const uint8_t *)text, n };

	return us_bates_parse(c->prefix, bates, record) == US_OK;
}

uint64_t *
us_report_asked(const struct us_trail *t, const struct us_trail_entry *e, size_t *n, uint64_t *more)
{
	const struct us_named_collection *c = us_names_find_collection(&t->names, e->collection);
	uint64_t *records = malloc((e->n_asked + 1) * sizeof *records);

	if (records == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	*n = 0;
	*more = 0;
	for (size_t i = 0; i < e->n_asked; i++) {
		if (e->asked[i][0] == '+')
			(void)us_number_digits(e->asked[i] + 1, strlen(e->asked[i] + 1), UINT64_MAX,
			    more);
		else if (c != NULL &&
		    parse_bates(c, e->asked[i], strlen(e->asked[i]), &records[*n]))
			++*n;
	}
	return records;
}

/* Why a text names no records; NULL: it does. */
enum us_records_fault {
	US_RECORDS_GOOD,
	US_RECORDS_NO_SLASH,
	US_RECORDS_NO_COLLECTION,
	US_RECORDS_NO_BATES,
	US_RECORDS_NO_RANGE,
};

/* "collection 1/4711", as lists show what nothing names: both numbers as the log has them. */
static int
parse_numbers(const char *text, const char *slash, const char *end, struct us_report_records *out)
{
	static const char word[] = "collection ";
	const size_t w = sizeof word - 1;
	uint64_t id;

	if ((size_t)(slash - text) <= w || memcmp(text, word, w) != 0 ||
	    us_number_parse(text + w, (size_t)(slash - text) - w, UINT32_MAX, &id) != US_OK ||
	    us_number_parse(slash + 1, (size_t)(end - slash) - 1, UINT64_MAX, &out->first) != US_OK)
		return 0;
	out->collection = (uint32_t)id;
	out->last = out->first;
	return 1;
}

static enum us_records_fault
parse_records(const struct us_trail *t, const char *text, size_t n, struct us_report_records *out)
{
	const char *slash = memchr(text, '/', n), *first, *dots;
	const struct us_named_collection *c;
	size_t left;

	if (slash == NULL)
		return US_RECORDS_NO_SLASH;
	c = us_names_find_collection_named(&t->names, text, (size_t)(slash - text));
	if (c == NULL)
		return parse_numbers(text, slash, text + n, out) ? US_RECORDS_GOOD :
								   US_RECORDS_NO_COLLECTION;
	first = slash + 1;
	left = n - (size_t)(first - text);
	dots = memmem(first, left, "..", 2);
	out->collection = c->id;
	if (dots == NULL) {
		if (!parse_bates(c, first, left, &out->first))
			return US_RECORDS_NO_BATES;
		out->last = out->first;
		return US_RECORDS_GOOD;
	}
	if (!parse_bates(c, first, (size_t)(dots - first), &out->first) ||
	    !parse_bates(c, dots + 2, left - (size_t)(dots + 2 - first), &out->last) ||
	    out->last < out->first)
		return US_RECORDS_NO_RANGE;
	return US_RECORDS_GOOD;
}

int
us_report_records_known(const struct us_trail *t, const char *text, size_t n,
    struct us_report_records *out)
{
	return parse_records(t, text, n, out) == US_RECORDS_GOOD;
}

/* A usage error for numbers that no batch of the log has taken, where all of it is known. */
static void
must_have(const struct us_trail *t, const struct us_report_records *asked, const char *text,
    size_t n)
{
	const struct us_named_collection *c = us_names_find_collection(&t->names,
	    asked->collection);
	char first[US_BATES_MAX + 1] = "", last[US_BATES_MAX + 1] = "";

	if (c == NULL || !us_trail_is_whole(t) || asked->last < c->records)
		return;
	if (c->records == 0)
		us_usage_error("there is no record %.*s: %s has none", (int)n, text, c->name);
	(void)us_bates_format(c->prefix, 0, first);
	(void)us_bates_format(c->prefix, c->records - 1, last);
	us_usage_error("there is no record %.*s: %s has %s to %s", (int)n, text, c->name, first,
	    last);
}

void
us_report_records(const struct us_trail *t, const char *text, size_t n,
    struct us_report_records *out)
{
	const char *slash = memchr(text, '/', n), *first = slash == NULL ? text : slash + 1;
	const int name = (int)(slash == NULL ? n : (size_t)(slash - text)),
		  rest = (int)(n - (size_t)(first - text));

	switch (parse_records(t, text, n, out)) {
	case US_RECORDS_GOOD:
		must_have(t, out, text, n);
		break;
	case US_RECORDS_NO_SLASH:
		us_usage_error(
		    "a record is named COLLECTION/BATES, several COLLECTION/BATES..BATES");
	case US_RECORDS_NO_COLLECTION:
		us_names_no_collection(&t->names, text, (size_t)name);
	case US_RECORDS_NO_BATES:
		us_usage_error("%.*s is no Bates number of %.*s", rest, first, name, text);
	case US_RECORDS_NO_RANGE:
		us_usage_error("%.*s is no range of Bates numbers of %.*s", rest, first, name,
		    text);
	}
}

const struct us_report_records *
us_report_wanted(const struct us_report *r, const char *text, struct us_report_wanted *w)
{
	if (text != NULL && (!w->looked_up || w->names != r->trail->names.changes)) {
		w->looked_up = 1;
		w->names = r->trail->names.changes;
		w->known = us_report_records_known(r->trail, text, strlen(text), &w->records);
	}
	return w->known ? &w->records : NULL;
}
