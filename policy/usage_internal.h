/* What the files of the ledger share: sets of record numbers, meters, accounts. */
#ifndef US_POLICY_USAGE_INTERNAL_H
#define US_POLICY_USAGE_INTERNAL_H

#include <roaring/roaring.h>

#include "common/err.h"
#include "policy/usage.h"

#define US_USAGE_RECORD_MAX (UINT64_C(1) << 40)
#define US_USAGE_PARTY_MAX 255u

/* parts ascending by high; count is the number of members, kept. */
struct us_set {
	uint64_t count;
	size_t n;
	struct us_set_part {
		uint32_t high;
		roaring_bitmap_t *bits;
	} *parts;
};

struct us_usage_day {
	int32_t day;
	struct us_set set;
};

/* days ascending; life is their union. Days and meters without a record may exist (made before memory ran out) and mean
 * nothing: nobody sees them. */
struct us_usage_meter {
	uint32_t collection;
	enum us_meter_kind kind;
	size_t n, cap;
	struct us_usage_day *days;
	struct us_set life;
};

/* meters ascending by collection, then kind */
struct us_usage_account {
	uint32_t person; /* 0: a party */
	uint8_t *party;
	size_t party_n;
	size_t n, cap;
	struct us_usage_meter **meters;
};

struct us_usage_approval {
	uint32_t id;
	uint64_t index;
};

/* people ascending by number, then parties ascending by bytes */
struct us_usage {
	size_t n, cap;
	struct us_usage_account **accounts;
	size_t n_approvals, cap_approvals;
	struct us_usage_approval *approvals;
};

int us_set_reserve(struct us_set *s, uint64_t record); /* so that adding it cannot fail for our memory */
void us_set_add(struct us_set *s, uint64_t record);    /* reserved before */
int us_set_add_range(struct us_set *s, uint64_t first, uint64_t last);
int us_set_has(const struct us_set *s, uint64_t record);
/* 1 if all of first .. last are in it */
int us_set_has_range(const struct us_set *s, uint64_t first, uint64_t last);
void us_set_clear(struct us_set *s);

/* Finds or makes. */
int us_usage_account(struct us_usage *u, uint32_t person, struct us_bytes party, struct us_usage_account **out);
int us_usage_meter(struct us_usage_account *a, uint32_t collection, enum us_meter_kind kind, struct us_usage_meter **out);
int us_usage_day(struct us_usage_meter *m, int32_t day, struct us_usage_day **out);

#endif
