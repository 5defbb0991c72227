/*
 * The auditor's desk: reports that answer, from the verified log alone, what is asked of an audit
 * trail.
 *
 * A report is a fold over the entries that the verifier passes (trail.h): it looks at each once, in
 * order, and keeps what its answer will be made of, never the log. It fills a table, which is
 * printed as text, CSV, JSON or a page, always with the log's origin, size, root, the range
 * covered, and how many entries this auditor may not see. What does not come from the log is named
 * in a note. A report that must know something from further on has the log read twice.
 *
 * Memory: that of the answer, and of what is not settled yet; the acts beside the log, if there are
 * any. One thread at a time.
 */
#ifndef US_CLIENT_REPORT_REPORT_H
#define US_CLIENT_REPORT_REPORT_H

#include "client/core/client.h"
#include "client/report/trail.h"

/* What was asked; NULL or 0: not said. */
struct us_report_ask {
	const char *person, *party;
	int64_t since_ns, until_ns; /* both included */
	uint64_t limit;             /* rows that are shown */
	const char *record;         /* COLLECTION/BATES */
	const char *clawback;       /* "clawback-1" */
	const char *records;        /* COLLECTION/BATES[..BATES], several joined by commas */
	const char *at, *action;
	/* anomalies: more than this is shown as exceeded */
	uint64_t max_records, max_per_hour, max_outside, max_run;
	double max_share;              /* percent */
	unsigned hours_from, hours_to; /* of a day in UTC; the second is outside */
	/* of a page: the case's name and the court's number of it (NULL: not said), what CSS calls
	 * the paper */
	const char *caption, *docket, *paper;
};
#define US_REPORT_ASK_DEFAULTS \
	{ \
		.max_records = 1000, .max_per_hour = 200, .max_outside = 20, .max_run = 100, \
		.max_share = 5, .hours_from = 8, .hours_to = 20, .paper = "A4" \
	}

struct us_report {
	const struct us_report_kind *kind;
	const struct us_trail *trail; /* of the pass at hand */
	const struct us_report_ask *ask;
	struct us_client *client; /* `authorised` alone; NULL offline */
	void *state;              /* the kind's own, zeroed before the first pass */
	/* the answer */
	cJSON *rows;    /* objects with members named in kind->columns: text, number or null */
	cJSON *summary; /* name: text or number */
	cJSON *notes;   /* texts */
	uint64_t withheld;
};

/* Instead of an exit status: the log is to be read again, from the first entry on. */
#define US_REPORT_AGAIN (-1)

/* Which entries change a report, beside those that say what others mean. */
enum us_report_reach {
	US_REACH_ALL,
	US_REACH_RECORD, /* those that disclosed the record asked for */
	US_REACH_WHO,    /* those of the person, else of the party */
	US_REACH_DENIED, /* refusals */
};

struct us_report_kind {
	const char *name, *question;
	const char *options; /* what it takes, for the list */
	const char *columns; /* names, separated by blanks */
	/* boxes, 1 << enum us_box: an entry without one of them counts as withheld */
	unsigned needs;
	enum us_report_reach reach;
	size_t state; /* bytes of r->state */
	/* Each entry in the order of the log; NULL: none is looked at. What is wrong with the
	 * question waits for the end. */
	void (*entry)(struct us_report *r, const struct us_trail_entry *e);
	/* The verdict is known: fills the answer. An enum us_exit, having said what is wrong, or
	 * US_REPORT_AGAIN. A usage error ends the program. */
	int (*end)(struct us_report *r);
	/* Frees what state points at; NULL: nothing. */
	void (*drop)(struct us_report *r);
};
/* Begins a report: rows, summary and notes are new and empty. ask must stay; client may be NULL. */
void us_report_begin(struct us_report *r, const struct us_report_kind *kind,
    const struct us_report_ask *ask, struct us_client *client);
/* Begins a pass over the log, the first or another: what was answered so far is dropped, the state
 * stays. trail is to be given the entries, and must stay. */
void us_report_pass(struct us_report *r, const struct us_trail *trail);
/* The trail's next entry. */
void us_report_entry(struct us_report *r, const struct us_trail_entry *e);
/* Behind the last entry: makes the answer. As kind->end. */
int us_report_end(struct us_report *r);
/* Frees the answer and the state. */
void us_report_free(struct us_report *r);

/* ---- showing (print.c) ---- */

enum us_report_form { US_REPORT_TEXT, US_REPORT_CSV, US_REPORT_JSON, US_REPORT_HTML };
/* Prints a report that has ended. made_ns: now. */
void
us_report_print(FILE *to, const struct us_report *r, enum us_report_form form, int64_t made_ns);

/* ---- for the reports; each ends the program without memory ---- */

/* A new row, in r->rows. */
cJSON *us_report_row(struct us_report *r);
/* A new row with index, time, person, party and action of the entry. */
cJSON *us_report_entry_row(struct us_report *r, const struct us_trail_entry *e);
/* Text that may not be UTF-8 (what is not gives U+FFFD); NULL or "" gives null. A member that is
 * there already is replaced in its place. */
void us_report_text(cJSON *to, const char *name, const char *text);
/* The same of a number. */
void us_report_number(cJSON *to, const char *name, uint64_t number);
/* A time, as text. */
void us_report_time(cJSON *to, const char *name, int64_t ns);
/* A note; at most 1,023 bytes of it. */
void
us_report_note(struct us_report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A note before all others. */
void us_report_note_first(struct us_report *r, const char *text);
/* The members "records" and "bates": what the entry disclosed. */
void us_report_disclosed(const struct us_report *r, cJSON *row, const struct us_trail_entry *e);
/* The member "collection": its name, "collection 7" without one, null for none. */
void us_report_collection(const struct us_report *r, cJSON *row, const struct us_trail_entry *e);
/* One more in a list that has room for 2^k of that size: the list, perhaps moved. */
void *us_report_room(void *list, size_t n, size_t size);
/* A copy, to be freed. */
char *us_report_copy(const char *text);
/* "DEMO000000001-DEMO000000003, DEMO000000007" of record numbers in any order; to be freed. */
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
/* Evidence that reached a person: a disclosure that was allowed and has records. */
int us_report_discloses(const struct us_trail_entry *e);

struct us_report_records {
	uint32_t collection;
	uint64_t first, last;
};
/* "demo/DEMO000000017" or "demo/DEMO000000017..DEMO000000020"; n characters. A usage error if it is
 * no such thing. */
void us_report_records(const struct us_trail *t, const char *text, size_t n,
    struct us_report_records *out);
/* The same as far as names are known by now: 0 if it is no such thing yet. */
int us_report_records_known(const struct us_trail *t, const char *text, size_t n,
    struct us_report_records *out);

/* Records that are looked for while names become known. */
struct us_report_wanted {
	int known, looked_up;
	uint64_t names; /* names that had been taken when it was looked up */
	struct us_report_records records;
};
/* The records that were asked for by `text`, or NULL: not known by now. */
const struct us_report_records *
us_report_wanted(const struct us_report *r, const char *text, struct us_report_wanted *w);

#endif
