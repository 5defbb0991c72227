/* Goal: reports say of a log exactly what a second, naive reader says of the facts that the log was
 * made of. Entries are drawn at random, sealed as the vault seals them, and opened with some of
 * their keys; acts are real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/report/catalogue.h"
#include "base/err.h"
#include "base/time.h"

#define FACTS 600
#define PEOPLE 5 /* numbered from 1 on; 1 is an administrator */
#define COLLECTIONS 2
#define RECORDS 200 /* of a collection */
#define SHOWN_MAX 40
#define ASKED_MAX 3
#define DAYS 3
#define START (INT64_C(19700) * US_NS_PER_DAY)

static uint64_t seed;

static uint64_t
below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* What happened, as the naive reader knows it. */
struct fact {
	int64_t time_ns;
	uint8_t present; /* boxes that this auditor may open */
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	enum us_reason reason;
	uint32_t person, collection;
	uint64_t related;
	size_t n;
	uint64_t records[SHOWN_MAX];
	uint64_t copy; /* 0: none */
	uint64_t total;
	int asks;       /* has a query */
	size_t n_asked; /* records named in a refusal */
	uint64_t asked[ASKED_MAX];
	int more;
};

static struct fact facts[FACTS];

/* The log: entries as they are stored, and the keys that this auditor has. */
#define ENTRIES_MAX 1024
static struct us_buf entries[ENTRIES_MAX];
static struct us_export_keys given[ENTRIES_MAX];
static size_t n_entries;
static struct us_trail trail; /* of the last pass */
static const char *const names[PEOPLE + 1] = { "", "Adam", "Alice", "Bob", "Chloe", "Dora" };
static const char *const parties[PEOPLE + 1] = { "", "", "plaintiffs", "plaintiffs", "class",
	"plain" };

static void
draw(struct fact *f, size_t i)
{
	static const enum us_action actions[] = { US_ACTION_SEARCH, US_ACTION_READ, US_ACTION_COPY,
		US_ACTION_COUNT, US_ACTION_SESSION, US_ACTION_PERSON_LIST };

	memset(f, 0, sizeof *f);
	f->time_ns = START + (int64_t)i * (DAYS * US_NS_PER_DAY / FACTS) + (int64_t)below(1000);
	f->present = below(8) == 0 ? (uint8_t)below(8) : 7;
	f->action = actions[below(6)];
	f->person = (uint32_t)below(PEOPLE + 1);
	f->collection = (uint32_t)(1 + below(COLLECTIONS));
	f->related = US_ENTRY_NONE;
	f->kind = below(2) ? US_KIND_DISCLOSURE : US_KIND_INTENT;
	f->decision = f->kind == US_KIND_INTENT && below(3) == 0 ? US_DECISION_DENY :
								   US_DECISION_ALLOW;
	if (f->decision == US_DECISION_DENY)
		f->reason = below(2) ? US_REASON_NOT_VISIBLE : US_REASON_QUOTA;
	else if (f->kind == US_KIND_DISCLOSURE && below(10) == 0)
		f->decision = US_DECISION_FAILED; /* nothing reached anybody */
	f->asks = f->kind == US_KIND_INTENT &&
	    (f->action == US_ACTION_SEARCH || f->action == US_ACTION_COUNT);
	if (f->kind == US_KIND_DISCLOSURE && i > 0 && below(2))
		f->related = below(i);
	if (f->decision == US_DECISION_DENY &&
	    (f->action == US_ACTION_READ || f->action == US_ACTION_COPY)) {
		f->n_asked = (size_t)below(ASKED_MAX + 1);
		for (size_t j = 0; j < f->n_asked; j++)
			f->asked[j] = below(RECORDS / 4);
		f->more = f->n_asked > 0 && below(5) == 0;
	}
	if (f->kind != US_KIND_DISCLOSURE || f->action == US_ACTION_SESSION ||
	    f->action == US_ACTION_PERSON_LIST)
		return;
	f->n = (size_t)below(SHOWN_MAX);
	f->total = f->n + below(10);
	for (uint64_t at = below(RECORDS / 2), j = 0; j < f->n; j++)
		f->records[j] = (at + j * (1 + below(2))) % RECORDS;
	if (f->action == US_ACTION_COPY)
		f->copy = 1 + i / 10; /* the parts of a copy are several entries */
}

/* The entry as the vault would seal it, opened with the keys in `present`. */
static void
add(uint8_t present, struct us_entry_in *in)
{
	static const uint8_t vault_id[32] = { 9 };
	struct us_key secret = { .b = { 3 } }, keys[US_BOXES];
	struct us_buf *entry = &entries[n_entries];
	struct us_entry_view view;

	assert_true(n_entries < ENTRIES_MAX);
	in->index = n_entries;
	in->vault_id = vault_id;
	in->secret = &secret;
	in->salt[0] = (uint8_t)n_entries;
	us_buf_init(entry, US_ENTRY_MAX);
	assert_int_equal(us_entry_encode(entry, in), US_OK);
	assert_int_equal(us_entry_decode(&view, entry->data, entry->len), US_OK);
	assert_int_equal(us_entry_box_keys(keys, &secret, vault_id, view.index, view.salt), US_OK);
	memset(&given[n_entries], 0, sizeof given[n_entries]);
	for (int box = 0; box < US_BOXES; box++) {
		given[n_entries].present[box] = (present & 1u << box) != 0;
		given[n_entries].keys[box] = keys[box];
	}
	n_entries++;
}

static void
drop_log(void)
{
	while (n_entries > 0)
		us_buf_free(&entries[--n_entries]);
	us_trail_free(&trail);
}

static void
add_fact(const struct fact *f)
{
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_query q;
	char text[ASKED_MAX][32];
	struct us_bytes terms[ASKED_MAX + 1];
	struct us_entry_in in = { .entry_class = US_CLASS_ACCESS,
		.order_version = 1,
		.time_ns = f->time_ns,
		.access = &a,
		.disclosure = &d,
		.query = &q };

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	us_entry_query_init(&q);
	a.kind = f->kind;
	a.action = f->action;
	a.decision = f->decision;
	a.reason = f->reason;
	a.person = f->person;
	a.collection = f->collection;
	a.related = f->related;
	if (*parties[f->person] != '\0')
		a.parties[a.n_parties++] = us_bytes_of(parties[f->person]);
	if (f->person == 5)
		a.parties[a.n_parties++] = us_bytes_of("tiffs");
	d.collection = f->collection;
	d.n_records = f->n;
	d.records = f->records;
	d.total = f->total;
	if (f->copy != 0) {
		d.has_copy = 1;
		d.copy_id = f->copy;
		d.recipient = us_bytes_of("Firm");
	}
	if (f->asks)
		q.query = us_bytes_of("a OR b");
	for (size_t i = 0; i < f->n_asked; i++) {
		(void)snprintf(text[i], sizeof text[i], "%s%09u",
		    f->collection == 1 ? "ONE" : "TWO-", (unsigned)f->asked[i] + 1);
		terms[q.n_terms++] = us_bytes_of(text[i]);
	}
	if (f->more)
		terms[q.n_terms++] = us_bytes_of("+7");
	q.terms = terms;
	add(f->present, &in);
}

static void
name_all(void)
{
	cJSON *people = cJSON_Parse(
	    "{\"items\":[{\"person\":1,\"name\":\"Adam\",\"capacity\":\"administrator\"},"
	    "{\"person\":2,\"name\":\"Alice\",\"capacity\":\"outside-counsel\"},{\"person\":3,"
	    "\"name\":\"Bob\",\"capacity\":\"expert\"},"
	    "{\"person\":4,\"name\":\"Chloe\",\"capacity\":\"auditor\"},{\"person\":5,\"name\":"
	    "\"Dora\",\"capacity\":\"auditor\"}]}");
	cJSON *collections = cJSON_Parse(
	    "{\"items\":[{\"collection\":1,\"name\":\"one\",\"bates_prefix\":\"ONE\"},"
	    "{\"collection\":2,\"name\":\"two\",\"bates_prefix\":\"TWO-\"}]}");

	assert_non_null(people);
	assert_non_null(collections);
	assert_int_equal(us_names_lists(&trail.names, people, collections), US_OK);
	cJSON_Delete(people);
	cJSON_Delete(collections);
}

static void
make_log(uint64_t with)
{
	seed = with * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t i = 0; i < FACTS; i++) {
		draw(&facts[i], i);
		add_fact(&facts[i]);
	}
}

/* One pass of the report over the log. */
static int
pass(struct us_report *r)
{
	us_trail_free(&trail);
	us_trail_init(&trail);
	name_all();
	us_report_pass(r, &trail);
	for (size_t i = 0; i < n_entries; i++) {
		const struct us_trail_entry *e;
		struct us_opened opened;

		us_opened_init(&opened);
		assert_int_equal(us_opened_begin(&opened,
				     (struct us_bytes){ entries[i].data, entries[i].len }),
		    US_OK);
		assert_int_equal(us_opened_boxes(&opened, &given[i]), US_OK);
		assert_int_equal(us_trail_next(&trail, &opened, &e), US_OK);
		us_opened_free(&opened);
		assert_int_equal(e->index, i);
		us_report_entry(r, e);
	}
	return us_report_end(r);
}

static void
make(struct us_report *r, const char *name, const struct us_report_ask *ask)
{
	int status;

	us_report_begin(r, us_report_kind_named(name), ask, NULL);
	do
		status = pass(r);
	while (status == US_REPORT_AGAIN);
	assert_int_equal(status, US_EXIT_DONE);
}

/* ---- the naive reader ---- */

static int
is_evidence(enum us_action action)
{
	return action == US_ACTION_SEARCH || action == US_ACTION_READ || action == US_ACTION_COPY ||
	    action == US_ACTION_COUNT;
}

static int
knows(const struct fact *f, enum us_box box)
{
	return f->present >> box & 1;
}

static int
shows(const struct fact *f)
{
	return knows(f, US_BOX_ACCESS) && knows(f, US_BOX_DISCLOSURE) &&
	    f->kind == US_KIND_DISCLOSURE && is_evidence(f->action) &&
	    f->decision == US_DECISION_ALLOW && (f->n > 0 || f->copy != 0);
}

static int
holds(const struct fact *f, uint64_t record)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->records[i] == record)
			return 1;
	return 0;
}

/* The rows' indexes are those of the facts that pass, in order; withheld are those without one of
 * the boxes. */
static void
same_indexes(const struct us_report *r,
    int (*passes)(const struct fact *, const struct us_report_ask *), unsigned boxes)
{
	const cJSON *row = r->rows->child;
	uint64_t withheld = 0;

	for (size_t i = 0; i < FACTS; i++) {
		withheld += (facts[i].present & boxes) != boxes &&
		    (r->ask->since_ns == 0 || facts[i].time_ns >= r->ask->since_ns) &&
		    (r->ask->until_ns == 0 || facts[i].time_ns <= r->ask->until_ns);
		if (!passes(&facts[i], r->ask))
			continue;
		assert_non_null(row);
		assert_int_equal((int)us_json_number(row, "index", -1), (int)i);
		row = row->next;
	}
	assert_null(row);
	assert_int_equal(r->withheld, withheld);
}

static uint64_t wanted_record;
static uint32_t wanted_collection;

static int
saw_it(const struct fact *f, const struct us_report_ask *ask)
{
	(void)ask;
	/* without the access box it is known that it was disclosed, not to whom */
	return (shows(f) || (!knows(f, US_BOX_ACCESS) && knows(f, US_BOX_DISCLOSURE))) &&
	    f->collection == wanted_collection && holds(f, wanted_record);
}

static void
who_saw(void **state)
{
	char record[32];
	struct us_report_ask ask = US_REPORT_ASK_DEFAULTS;
	struct us_report r;

	(void)state;
	for (uint64_t with = 1; with < 6; with++) {
		make_log(with);
		for (wanted_record = 0; wanted_record < RECORDS; wanted_record += 7) {
			wanted_collection = (uint32_t)(1 + wanted_record % 2);
			(void)snprintf(record, sizeof record, "%s%09u",
			    wanted_collection == 1 ? "one/ONE" : "two/TWO-",
			    (unsigned)wanted_record + 1);
			ask.record = record;
			make(&r, "who-saw", &ask);
			same_indexes(&r, saw_it, 3);
			us_report_free(&r);
		}
		drop_log();
	}
}

static int
is_asked_for(const struct fact *f, const struct us_report_ask *ask)
{
	if ((ask->since_ns != 0 && f->time_ns < ask->since_ns) ||
	    (ask->until_ns != 0 && f->time_ns > ask->until_ns))
		return 0;
	if (ask->person != NULL &&
	    (!knows(f, US_BOX_ACCESS) || strcmp(names[f->person], ask->person) != 0))
		return 0;
	return ask->party == NULL ||
	    (knows(f, US_BOX_ACCESS) && f->person != 0 &&
		strcmp(parties[f->person], ask->party) == 0);
}

static int
is_of_person(const struct fact *f, const struct us_report_ask *ask)
{
	return knows(f, US_BOX_ACCESS) && f->person != 0 && is_asked_for(f, ask);
}

/* Whether it is a refusal that names one of these records. */
static int
was_refused(const struct fact *f, uint64_t first, uint64_t last)
{
	for (size_t i = 0; knows(f, US_BOX_QUERY) && i < f->n_asked; i++)
		if (f->asked[i] >= first && f->asked[i] <= last)
			return 1;
	return 0;
}

static int
is_denied(const struct fact *f, const struct us_report_ask *ask)
{
	if (ask->record != NULL && (f->collection != 2 || !was_refused(f, 10, 19)))
		return 0;
	return knows(f, US_BOX_ACCESS) && f->decision == US_DECISION_DENY && is_asked_for(f, ask);
}

static int
is_search(const struct fact *f, const struct us_report_ask *ask)
{
	return knows(f, US_BOX_ACCESS) && knows(f, US_BOX_QUERY) && f->asks && is_asked_for(f, ask);
}

static int
is_administrators(const struct fact *f, const struct us_report_ask *ask)
{
	(void)ask;
	return knows(f, US_BOX_ACCESS) && f->person == 1 && is_evidence(f->action);
}

/* Totals of the searches: those of the first disclosure that answers. */
static void
same_totals(const struct us_report *r)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, r->rows) {
		uint64_t index = (uint64_t)us_json_number(row, "index", -1);
		int found = 0;

		for (size_t i = 0; i < FACTS && !found; i++)
			if (facts[i].related == index && facts[i].kind == US_KIND_DISCLOSURE &&
			    knows(&facts[i], US_BOX_ACCESS)) {
				found = 1;
				assert_int_equal((int)us_json_number(row, "total", -1),
				    knows(&facts[i], US_BOX_DISCLOSURE) ? (int)facts[i].total : 0);
			}
		if (!found)
			assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(row, "total")));
	}
}

static void
lists(void **state)
{
	const struct us_report_ask asks[] = {
		{ .person = "Alice" },
		{ .party = "plaintiffs" },
		{ .party = "plain" },
		{ .person = "Dora", .since_ns = START + US_NS_PER_DAY },
		{ .person = "Bob", .until_ns = START + US_NS_PER_DAY },
		{ .person = "Nobody" },
		{ .party = "class", .person = "Alice" },
	};
	const struct us_report_ask about = { .record = "two/TWO-000000011..TWO-000000020" };
	struct us_report r;

	(void)state;
	for (uint64_t with = 10; with < 14; with++) {
		make_log(with);
		for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
			make(&r, "person-history", &asks[i]);
			same_indexes(&r, is_of_person, 7);
			us_report_free(&r);
			make(&r, "denials", &asks[i]);
			same_indexes(&r, is_denied, 1);
			us_report_free(&r);
			make(&r, "searches", &asks[i]);
			same_indexes(&r, is_search, 7);
			same_totals(&r);
			us_report_free(&r);
		}
		make(&r, "denials", &about);
		same_indexes(&r, is_denied, 1);
		us_report_free(&r);
		make(&r, "content-by-administrators",
		    &(const struct us_report_ask){ .person = NULL });
		same_indexes(&r, is_administrators, 3);
		us_report_free(&r);
		drop_log();
	}
}

static int
is_touch(const struct fact *f, const struct us_report_ask *ask)
{
	int held = 0;

	for (uint64_t record = 10; record < 20; record++)
		held |= holds(f, record);
	held |= holds(f, 50);
	if (f->time_ns < ask->since_ns || f->collection != 2 || !knows(f, US_BOX_ACCESS))
		return 0;
	if (f->decision != US_DECISION_DENY)
		return shows(f) && held;
	return was_refused(f, 10, 19) || was_refused(f, 50, 50) ||
	    (is_evidence(f->action) && f->reason == US_REASON_NOT_VISIBLE &&
		(!knows(f, US_BOX_QUERY) || f->n_asked == 0 || f->more));
}

static void
after_notice(void **state)
{
	const struct us_report_ask ask = {
		.records = "two/TWO-000000011..TWO-000000020,two/TWO-000000051",
		.since_ns = START + US_NS_PER_DAY
	};
	struct us_report r;

	(void)state;
	for (uint64_t with = 20; with < 24; with++) {
		make_log(with);
		make(&r, "after-notice", &ask);
		same_indexes(&r, is_touch, 3);
		us_report_free(&r);
		drop_log();
	}
}

/* ---- how answers ended ---- */

static void
add_read(uint32_t part, uint32_t parts, const uint64_t *records, size_t n, uint64_t total)
{
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_in in = { .entry_class = US_CLASS_ACCESS,
		.time_ns = START,
		.access = &a,
		.disclosure = &d };

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	a.kind = US_KIND_DISCLOSURE;
	a.action = US_ACTION_READ;
	a.decision = US_DECISION_ALLOW;
	a.person = 2;
	a.collection = 1;
	d.part = part;
	d.parts = parts;
	d.records = records;
	d.n_records = n;
	d.total = total;
	add(7, &in);
}

static void
add_outcome(uint64_t related, enum us_reason reason, uint64_t sent)
{
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_in in = { .entry_class = US_CLASS_ACCESS,
		.time_ns = START,
		.access = &a,
		.disclosure = &d };

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	a.kind = US_KIND_OUTCOME;
	a.action = US_ACTION_READ;
	a.decision = US_DECISION_FAILED;
	a.reason = reason;
	a.person = 2;
	a.collection = 1;
	a.related = related;
	d.total = sent;
	add(7, &in);
}

static void
add_mark(uint64_t from, uint64_t to, enum us_decision decision, enum us_reason reason)
{
	struct us_entry_access a;
	struct us_entry_in in = { .entry_class = US_CLASS_SYSTEM, .time_ns = START, .access = &a };

	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_ANSWERED;
	a.decision = decision;
	a.reason = reason;
	a.event = (struct us_event){ .form = US_EVENT_ANSWERED,
		.answered = { .from = from, .to = to } };
	add(7, &in);
}

/* What who-saw says of a record, row by row. */
static void
left_of(const char *record, const char *const *wanted)
{
	struct us_report_ask ask = US_REPORT_ASK_DEFAULTS;
	struct us_report r;
	const cJSON *row;

	ask.record = record;
	make(&r, "who-saw", &ask);
	cJSON_ArrayForEach(row, r.rows)
		assert_string_equal(us_json_text(row, "left"),
		    *wanted == NULL ? "no more rows" : *wanted++);
	assert_null(*wanted);
	us_report_free(&r);
}

static void
endings(void **state)
{
	static const uint64_t three[] = { 5, 6, 7 }, last[] = { 5000, 5001 };
	static uint64_t many[US_ENTRY_RECORDS];
	const struct us_report_ask ask = { .person = "Alice" };
	struct us_report r;
	const cJSON *row;

	(void)state;
	for (size_t i = 0; i < US_ENTRY_RECORDS; i++)
		many[i] = i;
	add_read(0, 1, three, 3, 3); /* 0 */
	add_outcome(0, US_REASON_CUT, 1);
	add_mark(0, 2, US_DECISION_NONE, US_REASON_NONE);
	add_read(0, 1, three, 1, 1); /* 3 */
	add_mark(2, 4, US_DECISION_NONE, US_REASON_NONE);
	add_read(0, 1, three, 1, 1); /* 5 */
	add_mark(4, 6, US_DECISION_FAILED, US_REASON_UNKNOWN);
	add_read(0, 1, three, 1, 1); /* 7 */
	add_mark(6, 8, US_DECISION_FAILED, US_REASON_CUT);
	add_read(0, 1, three, 1, 1);                                  /* 9 */
	add_read(0, 2, many, US_ENTRY_RECORDS, US_ENTRY_RECORDS + 2); /* 10 */
	add_read(1, 2, last, 2, US_ENTRY_RECORDS + 2);
	add_outcome(11, US_REASON_GONE, US_ENTRY_RECORDS + 1);
	left_of("one/ONE000000006",
	    (const char *const[]){ "yes", "yes", "unknown", "unknown, cut", "not settled", "yes",
		NULL });
	left_of("one/ONE000000007", (const char *const[]){ "not whole, cut", "yes", NULL });
	left_of("one/ONE000000008", (const char *const[]){ "no, cut", "yes", NULL });
	left_of("one/ONE000005001", (const char *const[]){ "yes", NULL });
	left_of("one/ONE000005002", (const char *const[]){ "not whole, gone", NULL });
	make(&r, "person-history", &ask);
	row = cJSON_GetArrayItem(r.rows, 0);
	assert_string_equal(us_json_text(row, "left"), "1 of 3, cut");
	row = cJSON_GetArrayItem(r.rows, 7);
	assert_string_equal(us_json_text(row, "left"), "4097 of 4098, gone");
	assert_int_equal((int)us_json_number(r.summary, "answers that did not leave whole", -1), 2);
	us_report_free(&r);
	drop_log();
}

static void
copies(void **state)
{
	const struct us_report_ask ask = { .person = NULL };
	struct us_report r;

	(void)state;
	for (uint64_t with = 30; with < 34; with++) {
		uint64_t listed = 0, all = 0;
		const cJSON *row;

		make_log(with);
		make(&r, "disclosures", &ask);
		cJSON_ArrayForEach(row, r.rows) {
			uint64_t id = (uint64_t)us_json_number(row, "copy", 0), n = 0;

			for (size_t i = 0; i < FACTS; i++)
				n += shows(&facts[i]) && facts[i].copy == id ? facts[i].n : 0;
			assert_int_equal((int)us_json_number(row, "records", -1), (int)n);
			listed++;
		}
		for (uint64_t id = 1; id <= FACTS / 10; id++) {
			int found = 0;

			for (size_t i = 0; i < FACTS; i++)
				found |= shows(&facts[i]) && facts[i].copy == id;
			all += (uint64_t)found;
		}
		assert_int_equal(listed, all);
		us_report_free(&r);
		drop_log();
	}
}

/* ---- days ---- */

struct naive_day {
	uint64_t requests, outside, hours[24], records, run;
};

static void
naive_measure(struct naive_day *d, uint32_t person, int64_t day)
{
	static uint8_t seen[COLLECTIONS + 1][RECORDS + 1];
	int any = 0;

	memset(d, 0, sizeof *d);
	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < FACTS; i++) {
		const struct fact *f = &facts[i];
		int hour = (int)(f->time_ns % US_NS_PER_DAY / (INT64_C(3600) * US_NS_PER_SECOND));

		if (!knows(f, US_BOX_ACCESS) || f->person != person ||
		    f->time_ns / US_NS_PER_DAY != day || !is_evidence(f->action))
			continue;
		any = 1;
		if (f->related == US_ENTRY_NONE) {
			d->requests++;
			d->hours[hour]++;
			d->outside += hour < 9 || hour >= 17;
		}
		for (size_t j = 0; shows(f) && j < f->n; j++)
			seen[f->collection][f->records[j]] = 1;
	}
	if (!any)
		d->run = UINT64_MAX; /* such a day has no row */
	for (int c = 1; any && c <= COLLECTIONS; c++)
		for (uint64_t i = 0, run = 0; i < RECORDS; i++) {
			run = seen[c][i] ? run + 1 : 0;
			d->records += seen[c][i];
			d->run = run > d->run ? run : d->run;
		}
}

static void
days(void **state)
{
	struct us_report_ask ask = US_REPORT_ASK_DEFAULTS;
	struct us_report r;

	(void)state;
	ask.hours_from = 9;
	ask.hours_to = 17;
	ask.max_run = 12;
	for (uint64_t with = 40; with < 44; with++) {
		const cJSON *row;

		make_log(with);
		make(&r, "anomalies", &ask);
		row = r.rows->child;
		for (uint32_t person = 1; person <= PEOPLE; person++)
			for (int64_t day = 0; day < DAYS; day++) {
				struct naive_day d;
				uint64_t peak = 0;

				naive_measure(&d, person, START / US_NS_PER_DAY + day);
				if (d.run == UINT64_MAX)
					continue;
				for (int i = 0; i < 24; i++)
					peak = d.hours[i] > peak ? d.hours[i] : peak;
				assert_non_null(row);
				assert_string_equal(us_json_text(row, "person"), names[person]);
				assert_int_equal((int)us_json_number(row, "requests", -1),
				    (int)d.requests);
				assert_int_equal((int)us_json_number(row, "per_hour", -1),
				    (int)peak);
				assert_int_equal((int)us_json_number(row, "outside_hours", -1),
				    (int)d.outside);
				assert_int_equal((int)us_json_number(row, "records", -1),
				    (int)d.records);
				assert_int_equal((int)us_json_number(row, "longest_run", -1),
				    (int)d.run);
				assert_int_equal(strstr(us_json_text(row, "exceeded"),
						     "longest_run") != NULL,
				    d.run > 12);
				assert_true(cJSON_IsNull(
				    cJSON_GetObjectItemCaseSensitive(row, "share_percent")));
				row = row->next;
			}
		assert_null(row);
		us_report_free(&r);
		drop_log();
	}
}

/* ---- acts ---- */

static int64_t clock_ns;
static const uint8_t credential_of_bob[32] = { 7, 7, 7 };

/* An entry of a committed act, as the keeper writes it. */
static void
add_act(const struct us_act *act, enum us_action action, uint32_t actor, uint32_t result,
    uint32_t collection)
{
	static uint64_t sequence;
	struct us_entry_access a;
	struct us_entry_in in = { .entry_class = US_CLASS_STATE,
		.order_version = 1,
		.time_ns = ++clock_ns,
		.access = &a };
	struct us_signed_act s = { .type = act->type, .time_ns = clock_ns };
	struct us_committed_act c = { .sequence = ++sequence, .time_ns = clock_ns, .actor = actor };
	struct us_buf payload, signed_act, committed;
	uint8_t number[4];

	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	us_buf_init(&signed_act, US_ACT_SIGNED_MAX);
	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	assert_int_equal(us_act_encode(&payload, act), US_OK);
	s.payload = (struct us_bytes){ payload.data, payload.len };
	assert_int_equal(us_signed_act_encode(&signed_act, &s), US_OK);
	c.signed_act = (struct us_bytes){ signed_act.data, signed_act.len };
	c.signature = us_bytes_of(us_act_is_vaults(act->type) ? "" : "signature");
	us_store_u32(number, result);
	c.result = result == 0 ? us_bytes_of("") : (struct us_bytes){ number, 4 };
	assert_int_equal(us_committed_act_encode(&committed, &c), US_OK);
	us_entry_access_init(&a);
	a.kind = US_KIND_OUTCOME;
	a.action = action;
	a.decision = US_DECISION_ALLOW;
	a.person = actor;
	a.collection = collection;
	a.sequence = sequence;
	a.event = (struct us_event){ .form = US_EVENT_ACT,
		.act = { { committed.data, committed.len } } };
	add(7, &in);
	us_buf_free(&payload);
	us_buf_free(&signed_act);
	us_buf_free(&committed);
}

static void
add_use(uint32_t person, enum us_decision decision, enum us_reason reason)
{
	static const uint64_t record = 3;
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_in in = { .entry_class = US_CLASS_ACCESS,
		.order_version = 1,
		.time_ns = ++clock_ns,
		.access = &a,
		.disclosure = &d };

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	a.kind = decision == US_DECISION_ALLOW ? US_KIND_DISCLOSURE : US_KIND_INTENT;
	a.action = US_ACTION_READ;
	a.decision = decision;
	a.reason = reason;
	a.person = person;
	a.collection = 1;
	memcpy(a.credential, credential_of_bob, 32);
	d.n_records = decision == US_DECISION_ALLOW;
	d.records = &record;
	add(7, &in);
}

/* Bob is entered, signed for, suspended, reinstated, revoked: what is allowed in between is an
 * exception or is not. */
static struct us_act *
life_of_bob(void)
{
	struct us_act *act = calloc(1, sizeof *act);

	assert_non_null(act);
	clock_ns = START;
	act->type = US_ACT_PERSON_ADD;
	act->u.person_add = (struct us_act_person_add){ .name = us_bytes_of("Robert"),
		.capacity = US_CAPACITY_EXPERT,
		.n_parties = 1,
		.parties = { us_bytes_of("plaintiffs") } };
	add_act(act, US_ACTION_PERSON_ADD, 1, 3, 0);   /* 0 */
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 1: pending */
	memset(act, 0, sizeof *act);
	act->type = US_ACT_DOCKET_SIGN;
	act->u.sign.docket_id = us_bytes_of("person-3");
	add_act(act, US_ACTION_DOCKET_SIGN, 2, 0, 0);  /* 2 */
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 3: good */
	memset(act, 0, sizeof *act);
	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change = (struct us_act_person_change){ 3, us_bytes_of("leave") };
	add_act(act, US_ACTION_PERSON_SUSPEND, 1, 0, 0);   /* 4 */
	add_use(3, US_DECISION_DENY, US_REASON_SUSPENDED); /* 5: refused */
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE);     /* 6: suspended */
	act->type = US_ACT_PERSON_REINSTATE;
	add_act(act, US_ACTION_PERSON_REINSTATE, 1, 0, 0); /* 7 */
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE);     /* 8: good */
	memset(act, 0, sizeof *act);
	act->type = US_ACT_CREDENTIAL_REVOKE;
	memcpy(act->u.revoke.fingerprint, credential_of_bob, 32);
	act->u.revoke.reason = us_bytes_of("lost");
	add_act(act, US_ACTION_CREDENTIAL_REVOKE, 1, 0, 0); /* 9 */
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE);      /* 10: revoked */
	/* 11: refused for another reason */
	add_use(3, US_DECISION_DENY, US_REASON_QUOTA);
	return act;
}

static void
exceptions(void **state)
{
	static const struct {
		int index;
		const char *decision, *why;
	} want[] = { { 1, "allow", "pending" }, { 5, "deny", "suspended" },
		{ 6, "allow", "suspended" }, { 10, "allow", "revoked" } };
	const struct us_report_ask ask = { .person = NULL };
	struct us_act *act = life_of_bob();
	struct us_report r;

	(void)state;
	make(&r, "exceptions", &ask);
	assert_int_equal(cJSON_GetArraySize(r.rows), 4);
	for (int i = 0; i < 4; i++) {
		const cJSON *row = cJSON_GetArrayItem(r.rows, i);

		assert_int_equal((int)us_json_number(row, "index", -1), want[i].index);
		assert_string_equal(us_json_text(row, "decision"), want[i].decision);
		assert_string_equal(us_json_text(row, "by_the_acts"), want[i].why);
		/* as the log has it, not as the list has it */
		assert_string_equal(us_json_text(row, "person"), "Robert");
	}
	assert_int_equal((int)us_json_number(r.summary, "allowed (expected: 0)", -1), 3);
	us_report_free(&r);
	drop_log();
	free(act);
}

static void
privileged(void **state)
{
	static const char *const details[] = { "Robert, expert, plaintiffs", "", "Robert: leave",
		"Robert: leave",
		"0707070000000000000000000000000000000000000000000000000000000000: lost" };
	const struct us_report_ask ask = { .person = NULL };
	struct us_act *act = life_of_bob();
	struct us_report r;

	(void)state;
	make(&r, "administration", &ask);
	assert_int_equal(cJSON_GetArraySize(r.rows), 5);
	for (int i = 0; i < 5; i++)
		assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, i), "detail"),
		    details[i]);
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 0), "signed_by"),
	    "Alice (entry 2)");
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 0), "docket"), "person-3");
	us_report_free(&r);
	drop_log();
	free(act);
}

/* Two batches, one withdrawn; a clawback of some of the records; a copy that comes back. */
static void
things(void **state)
{
	static const uint64_t taken[] = { 2, 3, 8 };
	const struct us_report_ask ask = { .clawback = "clawback-4" },
				   days_ask = { .max_share = 5, .hours_to = 24 };
	struct us_act *act = calloc(1, sizeof *act);
	struct us_report r;
	struct us_buf runs;
	uint32_t n_runs = 0;

	(void)state;
	assert_non_null(act);
	clock_ns = START;
	for (uint32_t slot = 0; slot < 2; slot++) {
		memset(act, 0, sizeof *act);
		act->type = US_ACT_BATCH_CLOSE;
		act->u.batch_close = (struct us_act_batch_close){ .collection = 1,
			.slot = slot,
			.load = 1,
			.loaded_by = 3,
			.first = slot * 30,
			.count = 30 - 20 * slot,
			.segment_slot = slot + 10,
			.duplicates = slot * 5 };
		add_act(act, US_ACTION_BATCH_CLOSE, 0, 0, 1);
	}
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 2: record 3, before the notice */
	us_buf_init(&runs, 1000);
	assert_int_equal(us_selection_pack(taken, 3, &runs, &n_runs), US_OK);
	memset(act, 0, sizeof *act);
	act->type = US_ACT_CLAWBACK;
	act->u.records.selection = (struct us_selection){ .collection = 1,
		.n_runs = n_runs,
		.runs = { runs.data, runs.len } };
	act->u.records.noticed_ns = clock_ns + 1;
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 3: after the notice */
	add_act(act, US_ACTION_CLAWBACK, 2, 4, 1);     /* 4 */
	add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 5: after the act */
	memset(act, 0, sizeof *act);
	act->type = US_ACT_BATCH_WITHDRAW;
	act->u.batch = (struct us_act_batch){ 1, 1, us_bytes_of("wrong custodian") };
	add_act(act, US_ACTION_BATCH_WITHDRAW, 2, 0, 1);

	make(&r, "after-notice", &ask);
	assert_int_equal(cJSON_GetArraySize(r.rows), 2);
	assert_int_equal((int)us_json_number(cJSON_GetArrayItem(r.rows, 0), "index", -1), 3);
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 0), "when"),
	    "between notice and clawback");
	assert_int_equal((int)us_json_number(cJSON_GetArrayItem(r.rows, 1), "index", -1), 5);
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 1), "when"),
	    "after the clawback");
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 1), "bates"), "ONE000000004");
	assert_int_equal((int)us_json_number(r.summary, "records of the notice", -1), 3);
	us_report_free(&r);

	make(&r, "holdings", &ask);
	assert_int_equal(cJSON_GetArraySize(r.rows), 2);
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 0), "status"), "admitted");
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 1), "status"), "withdrawn");
	assert_string_equal(us_json_text(cJSON_GetArrayItem(r.rows, 1), "bates"),
	    "ONE000000031-ONE000000040");
	assert_int_equal((int)us_json_number(r.summary, "records", -1), 40);
	us_report_free(&r);

	make(&r, "anomalies", &days_ask);
	/* 1 of 40 */
	assert_int_equal((int)(us_json_number(r.rows->child, "share_percent", -1) * 10), 25);
	us_report_free(&r);
	us_buf_free(&runs);
	drop_log();
	free(act);
}

/* How a clawback ends, and whether who reads after that is charged. */
static void
clawbacks_end(void **state)
{
	static const struct {
		enum us_act_type type;
		enum us_outcome outcome;
		const char *id, *how; /* NULL: it goes on */
	} ends[] = {
		{ US_ACT_DOCKET_WITHDRAW, 0, "clawback-4", "withdrawn" },
		{ US_ACT_DOCKET_RESOLVE, US_OUTCOME_DENIED, "clawback-4", "denied" },
		{ US_ACT_DOCKET_RESOLVE, US_OUTCOME_GRANTED, "clawback-4", NULL },
		{ US_ACT_DOCKET_WITHDRAW, 0, "clawback-44", NULL },
		{ US_ACT_DOCKET_WITHDRAW, 0, "challenge-4", NULL },
	};
	static const uint64_t taken[] = { 3 };
	const struct us_report_ask ask = { .clawback = "clawback-4" };

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct us_act *act = calloc(1, sizeof *act);
		struct us_report r;
		struct us_buf runs;
		uint32_t n_runs = 0;
		const int over = ends[i].how != NULL;

		assert_non_null(act);
		clock_ns = START;
		us_buf_init(&runs, 1000);
		assert_int_equal(us_selection_pack(taken, 1, &runs, &n_runs), US_OK);
		act->type = US_ACT_CLAWBACK;
		act->u.records.selection = (struct us_selection){ .collection = 1,
			.n_runs = n_runs,
			.runs = { runs.data, runs.len } };
		act->u.records.noticed_ns = clock_ns;
		add_act(act, US_ACTION_CLAWBACK, 2, 4, 1);     /* 0 */
		add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 1: charged */
		memset(act, 0, sizeof *act);
		act->type = ends[i].type;
		act->u.docket = (struct us_act_docket){ .docket_id = us_bytes_of(ends[i].id),
			.outcome = ends[i].outcome,
			.text = us_bytes_of("settled") };
		add_act(act,
		    act->type == US_ACT_DOCKET_WITHDRAW ? US_ACTION_DOCKET_WITHDRAW :
							  US_ACTION_DOCKET_RESOLVE,
		    2, 0, 0);                                  /* 2 */
		add_use(3, US_DECISION_ALLOW, US_REASON_NONE); /* 3: charged unless it is over */
		make(&r, "after-notice", &ask);
		assert_int_equal(cJSON_GetArraySize(r.rows), over ? 1 : 2);
		assert_int_equal((int)us_json_number(r.summary,
				     "of them after the clawback was in force", -1),
		    over ? 1 : 2);
		assert_string_equal(us_json_text(r.summary, "how it ended"),
		    over ? ends[i].how : "");
		us_report_free(&r);
		us_buf_free(&runs);
		drop_log();
		free(act);
	}
}

static void
ranges(void **state)
{
	static const struct {
		uint32_t collection;
		size_t n;
		uint64_t records[8];
		const char *text;
	} cases[] = {
		{ 1, 0, { 0 }, "" },
		{ 1, 1, { 0 }, "ONE000000001" },
		{ 1, 3, { 2, 0, 1 }, "ONE000000001-ONE000000003" },
		{ 2, 5, { 9, 4, 4, 5, 7 },
		    "TWO-000000005-TWO-000000006, TWO-000000008, TWO-000000010" },
		{ 2, 2, { 999999999, 1000000000 }, "TWO-1000000000-TWO-1000000001" },
		{ 9, 1, { 41 }, "record 000000042" },
	};

	(void)state;
	us_trail_init(&trail);
	name_all();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = us_report_ranges(&trail, cases[i].collection, cases[i].records,
		    cases[i].n);

		assert_string_equal(text, cases[i].text);
		free(text);
	}
	us_trail_free(&trail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_saw),
		cmocka_unit_test(lists),
		cmocka_unit_test(after_notice),
		cmocka_unit_test(clawbacks_end),
		cmocka_unit_test(endings),
		cmocka_unit_test(copies),
		cmocka_unit_test(days),
		cmocka_unit_test(exceptions),
		cmocka_unit_test(privileged),
		cmocka_unit_test(things),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
