/* What reports are made of: rows, texts, Bates ranges, and what was asked. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/report/report.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"
#include "policy/order.h"

#define BATES_DIGITS 9
#define REPLACEMENT "\xef\xbf\xbd"

static cJSON *
must(cJSON *item)
{
	if (item == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return item;
}

cJSON *
us_report_row(struct us_report *r)
{
	cJSON *row = must(cJSON_CreateObject());

	(void)cJSON_AddItemToArray(r->rows, row);
	return row;
}

/* A copy with everything that is no UTF-8 replaced; the caller frees it. */
static char *
clean(const char *text)
{
	size_t n = strlen(text), at = 0;
	char *out = malloc(n * (sizeof REPLACEMENT - 1) + 1), *to = out;

	if (out == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	while (at < n) {
		size_t good = us_utf8_valid_prefix(text + at, n - at);

		memcpy(to, text + at, good);
		to += good;
		at += good;
		if (at < n) {
			memcpy(to, REPLACEMENT, sizeof REPLACEMENT - 1);
			to += sizeof REPLACEMENT - 1;
			at++;
		}
	}
	*to = '\0';
	return out;
}

void
us_report_text(cJSON *to, const char *name, const char *text)
{
	char *copy;

	if (text == NULL || *text == '\0') {
		(void)must(cJSON_AddNullToObject(to, name));
		return;
	}
	copy = clean(text);
	(void)must(cJSON_AddStringToObject(to, name, copy));
	free(copy);
}

void
us_report_number(cJSON *to, const char *name, uint64_t number)
{
	(void)must(cJSON_AddNumberToObject(to, name, (double)number));
}

void
us_report_time(cJSON *to, const char *name, int64_t ns)
{
	char text[US_TIME_TEXT_SIZE];

	us_report_text(to, name, us_time_format(ns, text));
}

void
us_report_note(struct us_report *r, const char *format, ...)
{
	char text[1024], *copy;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	copy = clean(text);
	(void)cJSON_AddItemToArray(r->notes, must(cJSON_CreateString(copy)));
	free(copy);
}

cJSON *
us_report_entry_row(struct us_report *r, const struct us_trail_entry *e)
{
	cJSON *row = us_report_row(r);
	char name[32];

	us_report_number(row, "index", e->index);
	us_report_time(row, "time", e->time_ns);
	if ((e->opened & 1u << US_BOX_ACCESS) == 0) {
		us_report_text(row, "person", "withheld");
		us_report_text(row, "party", "withheld");
		us_report_text(row, "action", "withheld");
		return row;
	}
	us_report_text(row, "person", us_trail_person_name(r->trail, e->person, name));
	us_report_text(row, "party", e->party);
	us_report_text(row, "action", us_action_name(e->action));
	return row;
}

/* ---- Bates numbers ---- */

static int
compare_records(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
put_range(struct us_buf *b, const char *prefix, uint64_t first, uint64_t last)
{
	int err = us_buf_putf(b, "%s%s%0*" PRIu64, b->len == 0 ? "" : ", ", prefix, BATES_DIGITS,
	    first + 1);

	return err != US_OK || first == last ?
	    err :
	    us_buf_putf(b, "-%s%0*" PRIu64, prefix, BATES_DIGITS, last + 1);
}

char *
us_report_ranges(const struct us_trail *t, uint32_t collection, const uint64_t *records, size_t n)
{
	const struct us_trail_collection *c = us_trail_collection(t, collection);
	uint64_t *sorted = n == 0 ? NULL : malloc(n * sizeof *sorted);
	char *text = NULL;
	struct us_buf b;
	int err = US_OK;

	if (sorted != NULL) {
		memcpy(sorted, records, n * sizeof *sorted);
		qsort(sorted, n, sizeof *sorted, compare_records);
	} else if (n > 0)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_buf_init(&b, SIZE_MAX / 2);
	for (size_t i = 0, start = 0; err == US_OK && i < n; i++) {
		if (i + 1 < n && sorted[i + 1] <= sorted[i] + 1)
			continue;
		err = put_range(&b, c == NULL ? "record " : c->prefix, sorted[start], sorted[i]);
		start = i + 1;
	}
	if (err == US_OK && us_buf_cstr(&b) != NULL)
		text = strdup(us_buf_cstr(&b));
	us_buf_free(&b);
	free(sorted);
	if (text == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return text;
}

/* The record number of a Bates number of this collection. */
static int
parse_bates(const struct us_trail_collection *c, const char *text, size_t n, uint64_t *record)
{
	size_t skip = strlen(c->prefix);
	uint64_t number = 0;

	if (n != skip + BATES_DIGITS || memcmp(text, c->prefix, skip) != 0)
		return 0;
	for (size_t i = skip; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	*record = number - 1;
	return number > 0;
}

uint64_t *
us_report_asked(const struct us_trail *t, const struct us_trail_entry *e, size_t *n, uint64_t *more)
{
	const struct us_trail_collection *c = us_trail_collection(t, e->collection);
	uint64_t *records = malloc((e->n_asked + 1) * sizeof *records);

	if (records == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	*n = 0;
	*more = 0;
	for (size_t i = 0; i < e->n_asked; i++) {
		if (e->asked[i][0] == '+')
			*more = strtoull(e->asked[i] + 1, NULL, 10);
		else if (c != NULL &&
		    parse_bates(c, e->asked[i], strlen(e->asked[i]), &records[*n]))
			++*n;
	}
	return records;
}

void
us_report_records(const struct us_report *r, const char *text, size_t n,
    struct us_report_records *out)
{
	const char *slash = memchr(text, '/', n), *first, *dots;
	const struct us_trail_collection *c;
	size_t left;

	if (slash == NULL)
		us_usage_error(
		    "a record is named COLLECTION/BATES, several COLLECTION/BATES..BATES");
	c = us_trail_collection_named(r->trail, text, (size_t)(slash - text));
	if (c == NULL)
		us_usage_error("neither the log nor the vault's list knows a collection %.*s",
		    (int)(slash - text), text);
	first = slash + 1;
	left = n - (size_t)(first - text);
	dots = memmem(first, left, "..", 2);
	out->collection = c->id;
	if (dots == NULL) {
		if (!parse_bates(c, first, left, &out->first))
			us_usage_error("%.*s is no Bates number of %s", (int)left, first, c->name);
		out->last = out->first;
		return;
	}
	if (!parse_bates(c, first, (size_t)(dots - first), &out->first) ||
	    !parse_bates(c, dots + 2, left - (size_t)(dots + 2 - first), &out->last) ||
	    out->last < out->first)
		us_usage_error("%.*s is no range of Bates numbers of %s", (int)left, first,
		    c->name);
}

/* ---- what was asked ---- */

int
us_report_in_range(const struct us_report *r, const struct us_trail_entry *e)
{
	return (r->ask->since_ns == 0 || e->time_ns >= r->ask->since_ns) &&
	    (r->ask->until_ns == 0 || e->time_ns <= r->ask->until_ns);
}

/* "plaintiffs" among "class, plaintiffs". */
static int
has_party(const char *parties, const char *party)
{
	for (const char *at = parties; *at != '\0';) {
		size_t n = strcspn(at, ",");

		if (n == strlen(party) && memcmp(at, party, n) == 0)
			return 1;
		at += n;
		at += strspn(at, ", ");
	}
	return 0;
}

int
us_report_is_whose(const struct us_report *r, const struct us_trail_entry *e)
{
	char name[32];

	if (r->ask->person != NULL &&
	    strcmp(us_trail_person_name(r->trail, e->person, name), r->ask->person) != 0)
		return 0;
	return r->ask->party == NULL || has_party(e->party, r->ask->party);
}

int
us_report_discloses(const struct us_trail_entry *e)
{
	return e->kind == US_KIND_DISCLOSURE && e->decision == US_DECISION_ALLOW &&
	    us_action_is_evidence(e->action) && (e->n_records > 0 || e->has_copy);
}

/* ---- a report as a whole ---- */

static void
count_withheld(struct us_report *r)
{
	for (size_t i = 0; i < r->trail->n; i++)
		if ((r->trail->entries[i].opened & r->kind->needs) != r->kind->needs &&
		    us_report_in_range(r, &r->trail->entries[i]))
			r->withheld++;
}

static void
note_names(struct us_report *r)
{
	size_t from_list = 0;

	for (size_t i = 0; i < r->trail->n_people; i++)
		from_list += !r->trail->people[i].from_log;
	for (size_t i = 0; i < r->trail->n_collections; i++)
		from_list += !r->trail->collections[i].from_log;
	if (from_list > 0)
		us_report_note(r,
		    "%zu names of people and collections are from the vault's lists; acts of this "
		    "log that could "
		    "be opened do not give them.",
		    from_list);
}

int
us_report_make(struct us_report *r, const struct us_report_kind *kind, const struct us_trail *trail,
    const struct us_report_ask *ask, struct us_client *client)
{
	int status;

	*r = (struct us_report){ .kind = kind, .trail = trail, .ask = ask, .client = client };
	r->rows = must(cJSON_CreateArray());
	r->summary = must(cJSON_CreateObject());
	r->notes = must(cJSON_CreateArray());
	status = kind->make(r);
	count_withheld(r);
	note_names(r);
	return status;
}

void
us_report_free(struct us_report *r)
{
	cJSON_Delete(r->rows);
	cJSON_Delete(r->summary);
	cJSON_Delete(r->notes);
	memset(r, 0, sizeof *r);
}
