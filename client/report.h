/*
 * The auditor's desk: reports that answer, from the verified log alone, what is asked of an audit
 * trail.
 *
 * A trail (report_trail.c) is the log in memory: each entry that the verifier has passed, with the
 * boxes that could be opened. A report (report_*.c) is a pure function of the trail and of what was
 * asked; it fills a table. The table is shown (report_print.c) as text, CSV, JSON or a page to
 * print, always with the log's origin, size, root, the range covered, and how many entries this
 * auditor may not see. What does not come from the log is named in a note.
 *
 * Memory: about 500 bytes an entry and 8 for each record disclosed. One thread.
 */
#ifndef US_CLIENT_REPORT_H
#define US_CLIENT_REPORT_H

#include "client/client.h"
#include "client/log_source.h"
#include "registry/registry.h"
#include "verify/verify.h"

/* ---- the trail ---- */

/* An entry with what was opened of it. A box that was not opened, or is empty, has the values of
 * "nothing". Texts are valid as long as the trail. */
struct us_trail_entry {
	uint64_t index;
	int64_t time_ns;
	uint32_t order_version;
	enum us_entry_class entry_class;
	uint8_t opened; /* 1 << enum us_box */
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	enum us_reason reason;
	uint32_t person, collection, rule;
	uint8_t credential[32];
	uint64_t related, sequence;
	const char *paragraph;
	const char *party; /* "plaintiffs", or several joined by ", "; "" for none */
	struct us_event event;
	uint64_t snapshot, total;
	int fewer; /* the person was told "fewer than total" */
	uint32_t part, parts;
	size_t n_records;
	const uint64_t *records; /* in the order of disclosure */
	int has_copy;
	uint64_t copy_id;
	const char *recipient, *purpose, *address, *query;
	/* of a refusal: terms of the query box, the Bates numbers of records that were asked for */
	size_t n_asked;
	const char *const *asked;
};

/* An entry of class STATE: act number i + 1 of the log, if it is the i-th of them. */
struct us_trail_state {
	size_t place;           /* in the trail's entries */
	uint8_t commitment[32]; /* of its open part */
	struct us_bytes act;    /* a view into the trail's acts; empty: not there */
};

struct us_trail_person {
	uint32_t id;
	char *name, *capacity;
	int from_log; /* an act of this log entered them; else the vault's list says so */
};

struct us_trail_collection {
	uint32_t id;
	char *name, *prefix;
	int from_log;
};

#define US_TRAIL_RECENT 256

struct us_trail {
	/* in the order of the log, from entry 0 on, none left out */
	struct us_trail_entry *entries;
	size_t n, cap;
	/* entries of class STATE: few, so that reports on acts need not walk the whole log */
	struct us_trail_state *acts;
	size_t n_acts, acts_cap;
	/* the acts as they were committed, if they are there; see us_trail_take_acts() */
	struct us_buf committed;
	size_t n_committed;                  /* the first so many of acts have theirs */
	struct us_trail_chunk *chunks;       /* what entries point at */
	const char *recent[US_TRAIL_RECENT]; /* of the texts in there, by hash */
	struct us_trail_person *people;
	size_t n_people;
	struct us_trail_collection *collections;
	size_t n_collections;
	struct us_act *act; /* room of us_trail_act() */
	struct us_verify_report verified;
	int offline;
};

void us_trail_init(struct us_trail *t);
void us_trail_free(struct us_trail *t);
/* Appends the next entry: what is kept of it is copied. US_ERR_NOMEM. */
int us_trail_add(struct us_trail *t, const struct us_opened *e);
/* Once all entries are there: takes the acts (str32 after str32; file is moved, and left empty),
 * the first of them or all, each checked against the state that its entry commits to.
 * US_ERR_VERIFY: one is not the log's, or there are more than it has; US_ERR_FORMAT and the like:
 * no acts. After an error the trail has none, as before. */
int us_trail_take_acts(struct us_trail *t, struct us_buf *file);
/* The registry as it was at that moment, folded from the acts. US_ERR_NOT_FOUND: acts up to then
 * are not all there; errors of us_registry_apply(). Free with us_registry_free(). */
int us_trail_registry(const struct us_trail *t, int64_t at_ns, struct us_registry **out);
/* Once all entries, and the acts if there are any, are there: names of people and collections from
 * the acts that entered them, then from the vault's lists (answers of /v1/people and
 * /v1/collections, or NULL). */
int us_trail_names(struct us_trail *t, const cJSON *people, const cJSON *collections);

/* A committed act as its entry holds it. */
struct us_trail_act {
	struct us_committed_act committed;
	struct us_signed_act signed_act;
	const struct us_act *act; /* until the next call */
};
/* 1 if the entry is of an act and the act is there whole: in the entry, or, of larger ones, among
 * those of us_trail_take_acts(). */
int
us_trail_act(const struct us_trail *t, const struct us_trail_entry *e, struct us_trail_act *out);
/* The number that an act's result gives (person, copy, filing); 0 if none. */
uint64_t us_trail_result(const struct us_trail_act *a);
/* "Alice Attorney"; "person 7" without a name; "" for nobody (into out, of at least 32 bytes, or
 * the trail's). */
const char *us_trail_person_name(const struct us_trail *t, uint32_t person, char out[32]);
const struct us_trail_person *us_trail_person(const struct us_trail *t, uint32_t person);
const struct us_trail_collection *
us_trail_collection(const struct us_trail *t, uint32_t collection);
const struct us_trail_collection *
us_trail_collection_named(const struct us_trail *t, const char *name, size_t n);

/* ---- a report ---- */

/* What was asked; NULL or 0: not said. */
struct us_report_ask {
	const char *person, *party;
	int64_t since_ns, until_ns; /* both included */
	const char *record;         /* COLLECTION/BATES */
	const char *clawback;       /* "clawback-1" */
	const char *records;        /* COLLECTION/BATES[..BATES], several joined by commas */
	const char *at, *action;
	/* anomalies: more than this is shown as exceeded */
	uint64_t max_records, max_per_hour, max_outside, max_run;
	double max_share;              /* percent */
	unsigned hours_from, hours_to; /* of a day in UTC; the second is outside */
};
#define US_REPORT_ASK_DEFAULTS \
	{ \
		.max_records = 1000, .max_per_hour = 200, .max_outside = 20, .max_run = 100, \
		.max_share = 5, .hours_from = 8, .hours_to = 20 \
	}

struct us_report {
	const struct us_report_kind *kind;
	const struct us_trail *trail;
	const struct us_report_ask *ask;
	struct us_client *client; /* `authorised` alone; NULL offline */
	/* the answer */
	cJSON *rows;    /* objects with members named in kind->columns: text, number or null */
	cJSON *summary; /* name: text or number */
	cJSON *notes;   /* texts */
	uint64_t withheld;
};

struct us_report_kind {
	const char *name, *question;
	const char *options; /* what it takes, for the list */
	const char *columns; /* names, separated by blanks */
	/* boxes, 1 << enum us_box: an entry without one of them counts as withheld */
	unsigned needs;
	/* Returns an enum us_exit; says itself what is wrong. A usage error ends the program. */
	int (*make)(struct us_report *r);
};
extern const struct us_report_kind us_report_kinds[]; /* ended by a name of NULL */
const struct us_report_kind *us_report_kind_named(const char *name);

/* Makes the report: rows, summary and notes are new. */
int us_report_make(struct us_report *r, const struct us_report_kind *kind,
    const struct us_trail *trail, const struct us_report_ask *ask, struct us_client *client);
void us_report_free(struct us_report *r);

/* ---- showing (report_print.c) ---- */

enum us_report_form { US_REPORT_TEXT, US_REPORT_CSV, US_REPORT_JSON, US_REPORT_HTML };
void
us_report_print(FILE *to, const struct us_report *r, enum us_report_form form, int64_t made_ns);
/* One CSV cell as RFC 4180 has it; what a spreadsheet would take for a formula gets an apostrophe
 * in front. */
void us_report_csv_cell(FILE *to, const char *text);
/* Text for a page: escaped; control and bidirectional characters do not pass. */
void us_report_html_text(FILE *to, const char *text);

/* ---- the command (client/audit.c lists it) ---- */

#define US_REPORT_OPTIONS 19
extern const struct us_option us_report_options[US_REPORT_OPTIONS];
int us_report_run(struct us_client *client, const struct us_args *args);

/* ---- for the reports ---- */

/* A new row, in r->rows. */
cJSON *us_report_row(struct us_report *r);
/* A new row with index, time, person, party and action of the entry. */
cJSON *us_report_entry_row(struct us_report *r, const struct us_trail_entry *e);
/* Text that may not be UTF-8 (what is not gives U+FFFD); NULL or "" gives null. */
void us_report_text(cJSON *to, const char *name, const char *text);
void us_report_number(cJSON *to, const char *name, uint64_t number);
void us_report_time(cJSON *to, const char *name, int64_t ns);
void
us_report_note(struct us_report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "DEMO000000001-DEMO000000003, DEMO000000007" of record numbers in any order; NULL without memory,
 * else to be freed. */
char *
us_report_ranges(const struct us_trail *t, uint32_t collection, const uint64_t *records, size_t n);
/* The records that a refused entry asked for, to be freed, and how many; *more: how many others it
 * does not name. */
uint64_t *us_report_asked(const struct us_trail *t, const struct us_trail_entry *e, size_t *n,
    uint64_t *more);
/* 1 if the entry's time is in what was asked. */
int us_report_in_range(const struct us_report *r, const struct us_trail_entry *e);
/* 1 if it is the person's and the party's that were asked for, if any were. */
int us_report_is_whose(const struct us_report *r, const struct us_trail_entry *e);
/* "demo/DEMO000000017" or "demo/DEMO000000017..DEMO000000020"; n characters. A usage error if it is
 * no such thing. */
struct us_report_records {
	uint32_t collection;
	uint64_t first, last;
};
void us_report_records(const struct us_report *r, const char *text, size_t n,
    struct us_report_records *out);
/* How an answer ended that did not leave whole; and that answers before it have ended. */
int us_trail_is_outcome(const struct us_trail_entry *e);
int us_trail_is_mark(const struct us_trail_entry *e);
/* Evidence that reached a person: a disclosure that was allowed and has records. */
int us_report_discloses(const struct us_trail_entry *e);

int us_report_who_saw(struct us_report *r);
int us_report_person_history(struct us_report *r);
int us_report_denials(struct us_report *r);
int us_report_verification(struct us_report *r);
int us_report_anomalies(struct us_report *r);
int us_report_disclosures(struct us_report *r);
int us_report_authorised(struct us_report *r);
int us_report_exceptions(struct us_report *r);
int us_report_administration(struct us_report *r);
int us_report_content_by_administrators(struct us_report *r);
int us_report_after_notice(struct us_report *r);
int us_report_holdings(struct us_report *r);
int us_report_searches(struct us_report *r);
int us_report_certificate(struct us_report *r);
int us_report_disposition(struct us_report *r);

#endif
