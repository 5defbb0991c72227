/* What the files of the calendar share. */
#ifndef US_POLICY_CALENDAR_INTERNAL_H
#define US_POLICY_CALENDAR_INTERNAL_H

#include "base/err.h"
#include "policy/calendar.h"

#define US_DAY_S 86400

static inline int64_t
us_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* The first second (UTC) after the local day, also where the clock jumps about midnight. */
int64_t us_zone_day_end(const struct us_zone *zone, int32_t day);

#endif
