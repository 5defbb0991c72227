#include "client/report/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"
#include "case/bates.h"
#include "policy/order.h"

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

/* Adds a member; one that is there keeps its place. */
static void
put(cJSON *to, const char *name, cJSON *value)
{
	int done = 0;

	(void)must(value);
	if (cJSON_GetObjectItemCaseSensitive(to, name) != NULL)
		done = cJSON_ReplaceItemInObjectCaseSensitive(to, name, value);
	else
		done = cJSON_AddItemToObject(to, name, value);
	if (!done)
		us_give_up(US_EXIT_OTHER, "out of memory");
}

void
us_report_text(cJSON *to, const char *name, const char *text)
{
	char *copy;

	if (text == NULL || *text == '\0') {
		put(to, name, cJSON_CreateNull());
		return;
	}
	copy = clean(text);
	put(to, name, cJSON_CreateString(copy));
	free(copy);
}

void
us_report_number(cJSON *to, const char *name, uint64_t number)
{
	put(to, name, cJSON_CreateNumber((double)number));
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

void
us_report_note_first(struct us_report *r, const char *text)
{
	(void)cJSON_InsertItemInArray(r->notes, 0, must(cJSON_CreateString(text)));
}

void *
us_report_room(void *list, size_t n, size_t size)
{
	if (us_grow_bare(&list, n, size) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return list;
}

char *
us_report_copy(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return copy;
}

/* Whose doing the entry is. A share is given while nobody's sessions are known: by its credential
 * alone. */
static const char *
who(const struct us_report *r, const struct us_trail_entry *e, char out[32])
{
	const struct us_names *names = &r->trail->names;
	const int is_share = e->action == US_ACTION_UNSEAL_SHARE && e->person == 0;
	const uint32_t person = is_share ? us_names_holder(names, e->credential) : e->person;
	static const uint8_t none[32];
	char hex[17];

	if (!is_share || person != 0 || memcmp(e->credential, none, 32) == 0)
		return us_names_person(names, person, out);
	us_hex_encode(e->credential, 8, hex);
	(void)snprintf(out, 32, "credential %.16s", hex);
	return out;
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
	us_report_text(row, "person", who(r, e, name));
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
	int err = us_buf_putf(b, "%s", b->len == 0 ? "" : ", ");

	if (err == US_OK)
		err = us_bates_put(b, us_bytes_of(prefix), first);
	if (err == US_OK && first != last)
		err = us_buf_put_u8(b, '-');
	if (err == US_OK && first != last)
		err = us_bates_put(b, us_bytes_of(prefix), last);
	return err;
}

char *
us_report_ranges(const struct us_trail *t, uint32_t collection, const uint64_t *records, size_t n)
{
	const struct us_named_collection *c = us_names_find_collection(&t->names, collection);
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

void
us_report_collection(const struct us_report *r, cJSON *row, const struct us_trail_entry *e)
{
	const struct us_named_collection *c = us_names_find_collection(&r->trail->names,
	    e->collection);
	char number[32];

	(void)snprintf(number, sizeof number, "collection %u", (unsigned)e->collection);
	us_report_text(row, "collection", c != NULL ? c->name : e->collection == 0 ? NULL : number);
}

void
us_report_disclosed(const struct us_report *r, cJSON *row, const struct us_trail_entry *e)
{
	char *ranges = us_report_ranges(r->trail, e->collection, e->records, e->n_records);

	us_report_number(row, "records", e->n_records);
	us_report_text(row, "bates", ranges);
	free(ranges);
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

	if (r->ask->person != NULL && strcmp(who(r, e, name), r->ask->person) != 0)
		return 0;
	return r->ask->party == NULL || has_party(e->party, r->ask->party);
}

int
us_report_discloses(const struct us_trail_entry *e)
{
	return e->kind == US_KIND_DISCLOSURE && e->decision == US_DECISION_ALLOW &&
	    us_action_row(e->action)->is_evidence && (e->n_records > 0 || e->has_copy);
}

/* ---- a report as a whole ---- */

void
us_report_begin(struct us_report *r, const struct us_report_kind *kind,
    const struct us_report_ask *ask, struct us_client *client)
{
	*r = (struct us_report){ .kind = kind, .ask = ask, .client = client };
	r->state = calloc(1, kind->state + 1);
	if (r->state == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
}

static void
drop_answer(struct us_report *r)
{
	cJSON_Delete(r->rows);
	cJSON_Delete(r->summary);
	cJSON_Delete(r->notes);
	r->withheld = 0;
}

void
us_report_pass(struct us_report *r, const struct us_trail *trail)
{
	drop_answer(r);
	r->trail = trail;
	r->rows = must(cJSON_CreateArray());
	r->summary = must(cJSON_CreateObject());
	r->notes = must(cJSON_CreateArray());
}

void
us_report_entry(struct us_report *r, const struct us_trail_entry *e)
{
	if ((e->opened & r->kind->needs) != r->kind->needs && us_report_in_range(r, e))
		r->withheld++;
	if (r->kind->entry != NULL)
		r->kind->entry(r, e);
}

/* Of entries the newest rows stay, of other rows the first: they are in an order of their own. */
static void
keep_to_limit(struct us_report *r)
{
	const uint64_t n = (uint64_t)cJSON_GetArraySize(r->rows), limit = r->ask->limit;
	const int newest = strncmp(r->kind->columns, "index ", 6) == 0;

	if (limit == 0 || n <= limit)
		return;
	for (uint64_t i = n; i > limit; i--)
		cJSON_DeleteItemFromArray(r->rows, newest ? 0 : (int)i - 1);
	us_report_note(r,
	    "--limit: the %s %" PRIu64 " of %" PRIu64 " rows; what is summed up is of all.",
	    newest ? "newest" : "first", limit, n);
}

int
us_report_end(struct us_report *r)
{
	const int status = r->kind->end(r);
	const size_t from_lists = us_names_from_lists(&r->trail->names,
	    r->trail->verified.verdict == US_VERDICT_OK);

	if (status != US_REPORT_AGAIN)
		keep_to_limit(r);
	if (status != US_REPORT_AGAIN && from_lists > 0)
		us_report_note(r,
		    "%zu names of people and collections are from the vault's lists; acts of this "
		    "log that could "
		    "be opened do not give them.",
		    from_lists);
	return status;
}

void
us_report_free(struct us_report *r)
{
	if (r->kind != NULL && r->kind->drop != NULL)
		r->kind->drop(r);
	free(r->state);
	drop_answer(r);
	memset(r, 0, sizeof *r);
}
