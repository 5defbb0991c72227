/*
 * Local time, by the POSIX form of a zone ("EST5EDT,M3.2.0,M11.1.0": POSIX.1-2017, 8.3, variable
 * TZ; RFC 8536, section 3.3.1 for hours beyond 24 and of either sign). Pure functions.
 */
#ifndef US_POLICY_ZONE_H
#define US_POLICY_ZONE_H

#include <stdint.h>

#include "base/buf.h"

#define US_DAY_S 86400
#define US_ZONE_MAX 64 /* bytes of a POSIX form */

static inline int64_t
us_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* 0: Sunday */
unsigned us_weekday(int32_t days);

/* A zone, parsed. */
struct us_zone {
	int32_t standard_s; /* seconds east of UTC (the POSIX text counts west) */
	int32_t summer_s;   /* the same while summer time is in force */
	int has_summer;
	struct us_zone_switch {
		/* 'M': month, week, weekday; 'J': day 1 .. 365 without 29 February; 'N': day 0 ..
		 * 365 */
		uint8_t form;
		uint8_t month;   /* 1 .. 12 */
		uint8_t week;    /* 1 .. 5; 5: the last */
		uint8_t weekday; /* 0: Sunday */
		uint16_t day;
		int32_t at_s; /* local seconds after midnight, -167 h .. 167 h */
	} begins, ends;       /* of summer time: begins in standard, ends in summer time */
};

/* Parses a POSIX form of 1 .. US_ZONE_MAX bytes. US_ERR_FORMAT, US_ERR_RANGE, US_ERR_LIMIT. A zone
 * with summer time but without rules is refused: a default would be a guess. */
int us_zone_parse(struct us_zone *out, struct us_bytes posix);
/* Seconds to add to UTC at this moment. */
int32_t us_zone_offset(const struct us_zone *zone, int64_t utc_s);
/* The first second (UTC) after the local day, also where the clock jumps about midnight. */
int64_t us_zone_day_end(const struct us_zone *zone, int32_t day);

#endif
