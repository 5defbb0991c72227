/* Shared by the ledger's files: usage.c folds and answers, usage_file.c writes and reads it. */
#ifndef US_POLICY_USAGE_INTERNAL_H
#define US_POLICY_USAGE_INTERNAL_H

#include <roaring/roaring.h>

#include "base/map.h"
#include "policy/order.h"
#include "policy/usage.h"

struct us_order_day {
	int32_t day;
	uint64_t n; /* == |set|: counting a bitmap walks its containers */
	roaring_bitmap_t *set;
};

/* Invariants: exactly one of person and party is set; days ascend; every day's set is within
 * ever. */
struct us_order_meter {
	uint32_t person;
	uint32_t collection;
	enum us_meter_kind kind;
	uint64_t n; /* == |ever| */
	roaring_bitmap_t *ever;
	struct us_order_day *days;
	size_t n_days, room;
};

struct us_order_used {
	uint32_t approval;
	uint64_t index;
};

struct us_usage {
	struct us_map meters;       /* by struct us_order_meter_key: pointers, owned */
	struct us_order_used *used; /* ascending */
	size_t n_used, used_room;
};

/* Without padding, as a table compares it. */
struct us_order_meter_key {
	uint32_t person, collection, kind;
	uint32_t party_n; /* 0 for a person */
	uint8_t party[US_ORDER_ID_MAX];
};

/* Whose meter is meant. */
struct us_order_name {
	uint32_t person;
	struct us_bytes party;
	uint32_t collection;
	enum us_meter_kind kind;
};

/* The meter of that account; a new one if there is none. NULL: no memory. */
struct us_order_meter *us_order_meter_make(struct us_usage *u, const struct us_order_name *who);

#endif
