/*
 * The ledger of what was disclosed to whom, which limits over time and the question "who has seen
 * any of these" are answered from. It is a fold of the log's disclosure entries, so anybody who may
 * open them can recompute it; the keeper keeps one, in step with its log (daemon/keeper/ledger.h).
 *
 * A meter is one (account, collection, meter kind): the set of records ever disclosed, and of each
 * local day. An account is a person, or all people of a party. Records disclosed twice count once
 * in the set they are in: a day's count is of distinct records of that day.
 *
 * Sets are Roaring bitmaps over record numbers. CRoaring does not report that memory is out: the
 * process ends there. Memory: what the sets need, and about 200 bytes a meter and 100 a meter's
 * day. Threads: one owner folds; lookups beside it are not allowed.
 */
#ifndef US_POLICY_USAGE_H
#define US_POLICY_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum us_meter_kind { US_METER_VIEW = 0, US_METER_COPY = 1 };
#define US_METER_KINDS 2

struct us_usage;
/* An empty account. US_ERR_NOMEM. Free with us_usage_free(). */
int us_usage_new(struct us_usage **out);
void us_usage_free(struct us_usage *u); /* NULL is allowed */

/* One disclosure. */
struct us_usage_fact {
	uint32_t person;
	size_t n_parties;
	const struct us_bytes *parties; /* ids, as in the entry's access box */
	uint32_t collection;
	enum us_meter_kind kind;
	int32_t day;             /* local to the order's calendar: us_calendar_day() */
	const uint64_t *records; /* any order, repetitions allowed */
	size_t n;
};
/* US_ERR_NOMEM, US_ERR_ARG (person or collection 0, no such kind, a party's id too long),
 * US_ERR_LIMIT (a record of 2^32 or above, which no Bates number can name): nothing was counted
 * then. O(n) an account. */
int us_usage_fold(struct us_usage *u, const struct us_usage_fact *fact);

/* Where an account stands. */
struct us_meter {
	uint64_t day;  /* distinct records disclosed on that day */
	uint64_t life; /* ever */
	/* length of the longest run of consecutive record numbers that holds one of the records
	 * asked about; without such: 0 */
	uint64_t run;
};
struct us_usage_question {
	uint32_t person;       /* 0: a party */
	struct us_bytes party; /* if person is 0 */
	uint32_t collection;
	enum us_meter_kind kind;
	int32_t day;
	const uint64_t *records; /* any order, repetitions allowed */
	size_t n;
	int wants_run; /* 0: run is not looked for and reads 0 */
};

/* What a meter would read after these records were disclosed on that day; n = 0: what it reads now.
 * O(n), with wants_run O(n log run); a record alone costs less than a microsecond. US_ERR_LIMIT as
 * above, US_ERR_NOMEM; *out is then untouched. */
int
us_usage_after(const struct us_usage *u, const struct us_usage_question *q, struct us_meter *out);

struct us_usage_seen {
	uint32_t person;
	enum us_meter_kind kind;
	int32_t day;
	uint64_t count; /* distinct records of the question */
};

/* Who of all people has seen any of these records, by meter kind and day; for clawbacks. Calls
 * found for each (person, kind, day) with at least one, persons ascending, then kind, then day.
 * records: any order, repetitions allowed. A non-zero return of found stops and is returned.
 * US_ERR_LIMIT, US_ERR_NOMEM. */
int us_usage_who(const struct us_usage *u, uint32_t collection, const uint64_t *records, size_t n,
    int (*found)(void *ctx, const struct us_usage_seen *seen), void *ctx);

/* Notes that the entry with that index used the approval, which may be used once. US_ERR_EXISTS,
 * US_ERR_NOMEM. */
int us_usage_approval_use(struct us_usage *u, uint32_t approval, uint64_t index);
/* The index of the entry that used it, or UINT64_MAX. */
uint64_t us_usage_approval_used(const struct us_usage *u, uint32_t approval);

#endif
