/*
 * In what capacity a person takes part. Closed set with stable numbers: they stand in signed acts
 * and in compiled orders.
 */
#ifndef US_CASE_CAPACITY_H
#define US_CASE_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "case/capacities.def"

enum us_capacity {
#define X(name, number, text, class, sight) US_CAPACITY_##name = number,
	US_CAPACITIES(X)
#undef X
};

enum {
#define X(name, number, text, class, sight) +1
	US_CAPACITY_LAST = 0 US_CAPACITIES(X)
#undef X
};

/* What acts ask about a capacity (case/capacities.def). */
enum us_capacity_class {
	US_CAPACITIES_ADMINISTRATOR,
	US_CAPACITIES_KEYHOLDER,
	US_CAPACITIES_COURT,
	US_CAPACITIES_PERSON
};
enum us_sight { US_SIGHT_OWN, US_SIGHT_FULL };

/* One bit a capacity, as in us_rule.capacities. */
#define US_CAPACITY_BIT(c) (UINT32_C(1) << (unsigned)(c))
#define US_CAPACITY_ANY (US_CAPACITY_BIT(US_CAPACITY_LAST + 1) - 2u) /* bits 1 .. the last */

/* Static text, or NULL for a number that is none (which is how a decoder checks). */
const char *us_capacity_name(unsigned capacity);
/* US_ERR_NOT_FOUND and *out untouched if there is none of that name (n bytes). */
int us_capacity_of(enum us_capacity *out, const char *name, size_t n);

/* The class of a capacity; of a number that is none: PERSON. */
enum us_capacity_class us_capacity_class_of(unsigned capacity);
/* What a person of that capacity sees of lists; of a number that is none: OWN. */
enum us_sight us_capacity_sight(unsigned capacity);
/* 1 if it is an administrator's or keyholder's: who runs the machine or keeps its keys never has
 * evidence, and speaks for no party. */
int us_capacity_runs_machine(unsigned capacity);
/* The bits of all these. */
uint32_t us_capacities_of_machine(void);

#endif
