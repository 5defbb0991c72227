/*
 * Clocks and RFC 3339 text. Times are nanoseconds since 1970-01-01T00:00:00Z in int64_t (years
 * 1677 to 2262); text is read and written for years 1970 to 2261 only. Days are counted on the
 * proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms"),
 * without the C library's time zones. Leap seconds (:60) are read as the second after.
 */
#ifndef US_BASE_TIME_H
#define US_BASE_TIME_H

#include <stddef.h>
#include <stdint.h>

#define US_NS_PER_SECOND INT64_C(1000000000)
#define US_NS_PER_DAY (INT64_C(86400) * US_NS_PER_SECOND)
/* "2261-12-31T23:59:59.999999999Z" and NUL. */
#define US_TIME_TEXT_SIZE 31

int64_t us_time_now_ns(void);  /* CLOCK_REALTIME */
int64_t us_time_mono_ns(void); /* CLOCK_MONOTONIC; for durations */

/* UTC with the fraction in as few of 0, 3, 6, 9 digits as it needs. Returns out; times out of range
 * give "invalid". */
const char *us_time_format(int64_t ns, char out[US_TIME_TEXT_SIZE]);
/* Whole seconds. */
const char *us_time_format_s(int64_t ns, char out[US_TIME_TEXT_SIZE]);
/* "2026-01-31" and NUL in out[11]. */
const char *us_time_format_date(int64_t ns, char out[11]);
/* Exactly one RFC 3339 date-time: 'T' or 't', 'Z', 'z' or ±hh:mm, fraction of 1 .. 9 digits.
 * US_ERR_FORMAT, US_ERR_RANGE. */
int us_time_parse(const char *s, size_t n, int64_t *ns);
/* "yyyy-mm-dd": its midnight in UTC. */
int us_time_parse_date(const char *s, size_t n, int64_t *ns);

/* Day number since 1970-01-01 of a date; month 1 .. 12. */
int64_t us_days_from_civil(int64_t year, unsigned month, unsigned day);
/* The date of a day number since 1970-01-01: the inverse of us_days_from_civil(). */
void us_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
/* ns + days * 86400 s, or INT64_MAX / INT64_MIN where that leaves the range. */
int64_t us_time_add_days(int64_t ns, int64_t days);

#endif
