/*
 * In what capacity a person takes part. Closed set with stable numbers: they stand in signed acts
 * and in compiled orders. New members are appended, none is ever renumbered or renamed.
 */
#ifndef US_POLICY_CAPACITY_H
#define US_POLICY_CAPACITY_H

#include <stddef.h>

#include "base/err.h"

/* X(CONSTANT, number, "name on the command line, in orders and in JSON") */
#define US_CAPACITY_LIST(X) \
	X(ADMINISTRATOR, 1, "administrator") \
	X(PRODUCER, 2, "producer") \
	X(OUTSIDE_COUNSEL, 3, "outside-counsel") \
	X(COUNSEL_STAFF, 4, "counsel-staff") \
	X(HOUSE_COUNSEL, 5, "house-counsel") \
	X(EXPERT, 6, "expert") \
	X(VENDOR, 7, "vendor") \
	X(WITNESS, 8, "witness") \
	X(REPORTER, 9, "reporter") \
	X(COURT, 10, "court") \
	X(SPECIAL_MASTER, 11, "special-master") \
	X(AUDITOR, 12, "auditor") \
	X(KEYHOLDER, 13, "keyholder")

enum us_capacity {
#define X(name, number, text) US_CAPACITY_##name = number,
	US_CAPACITY_LIST(X)
#undef X
};

#define US_CAPACITY_LAST 13
/* One bit a capacity, as in us_rule.capacities. */
#define US_CAPACITY_BIT(c) (UINT32_C(1) << (unsigned)(c))
#define US_CAPACITY_ANY (UINT32_C(0x3ffe)) /* bits 1 .. 13 */

/* Static text, or NULL for a number that is none (which is how a decoder checks). */
const char *us_capacity_name(unsigned capacity);
/* US_ERR_NOT_FOUND and *out untouched if there is none of that name (n bytes). */
int us_capacity_of(enum us_capacity *out, const char *name, size_t n);

#endif
