/* Moments as people type them: a time, a date, or how long ago. */
#ifndef US_CLIENT_CORE_WHEN_H
#define US_CLIENT_CORE_WHEN_H

#include <stdint.h>

#include "client/core/args.h"

/* What all of them are, for an error that somebody can go on with. */
#define US_WHEN_FORMS \
	"a time (2026-05-01T12:00:00Z), a date (2026-05-01, in UTC), now, today, yesterday, or " \
	"how " \
	"long ago (90m, 12h, 7d, 4w)"

/* Which end of a date is meant. */
enum us_when_end { US_WHEN_BEGINS, US_WHEN_ENDS };

/* Nanoseconds since the epoch of what `text` says at now_ns. A date, today and yesterday are the
 * first or last nanosecond of the day in UTC, as `end` says. US_ERR_FORMAT, US_ERR_RANGE (it lies
 * before 1970, or no clock gets there). */
int us_when_parse(const char *text, int64_t now_ns, enum us_when_end end, int64_t *ns);
/* The options --since and --until, 0 for one that is not there. A usage error if one is no moment,
 * the range is empty, or begins in the future. */
void us_arg_range(const struct us_args *args, int64_t *since_ns, int64_t *until_ns);

#endif
