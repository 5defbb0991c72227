/* Dates, working days and hours, and terms counted in days. */
#include "policy/calendar.h"

#include "base/err.h"

#define NS_PER_S INT64_C(1000000000)
#define DAYS_MAX 3650u
#define IDLE_MAX 3653 /* days without a working one between them: 10 years */

/* Local seconds as a day and the minute of that day. */
static int32_t
day_of(int64_t local_s, uint16_t *minute)
{
	int64_t day = us_floor_div(local_s, US_DAY_S);

	if (minute != NULL)
		*minute = (uint16_t)((local_s - day * US_DAY_S) / 60);
	return (int32_t)day;
}

int32_t
us_calendar_day(const struct us_calendar *c, int64_t now_ns, uint16_t *minute)
{
	int64_t utc_s = us_floor_div(now_ns, NS_PER_S);

	return day_of(utc_s + us_zone_offset(&c->zone, utc_s), minute);
}

int
us_calendar_is_working(const struct us_calendar *c, int32_t day)
{
	size_t low = 0, high = c->n_holidays;

	if (!(c->weekdays >> us_weekday(day) & 1))
		return 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (c->holidays[mid] < day)
			low = mid + 1;
		else
			high = mid;
	}
	return low == c->n_holidays || c->holidays[low] != day;
}

static int
is_open_at(const struct us_calendar *c, int64_t local_s)
{
	uint16_t minute;
	int32_t day = day_of(local_s, &minute);

	return minute >= c->from_minute && minute < c->to_minute && us_calendar_is_working(c, day);
}

/* Which offset is in force is dear to find out, and seldom matters: mostly it is open by both, or
 * by neither. */
int
us_calendar_is_open(const struct us_calendar *c, int64_t now_ns)
{
	int64_t utc_s = us_floor_div(now_ns, NS_PER_S);
	int standard = is_open_at(c, utc_s + c->zone.standard_s);

	if (!c->zone.has_summer || standard == is_open_at(c, utc_s + c->zone.summer_s))
		return standard;
	return is_open_at(c, utc_s + us_zone_offset(&c->zone, utc_s));
}

/* The first working day after this one. */
static int
next_working(const struct us_calendar *c, int32_t day, int32_t *next)
{
	for (int32_t i = 1; i <= IDLE_MAX; i++)
		if (us_calendar_is_working(c, day + i)) {
			*next = day + i;
			return US_OK;
		}
	return US_ERR_RANGE;
}

int
us_calendar_due(const struct us_calendar *c, int64_t from_ns, uint32_t days, int working_only,
    int64_t *due_ns)
{
	int err = US_OK;

	if (days == 0 || days > DAYS_MAX)
		return US_ERR_RANGE;
	int32_t day = us_calendar_day(c, from_ns, NULL);
	if (working_only) {
		for (uint32_t i = 0; i < days && err == US_OK; i++)
			err = next_working(c, day, &day);
	} else {
		day += (int32_t)days;
		if (!us_calendar_is_working(c, day))
			err = next_working(c, day, &day);
	}
	if (err != US_OK)
		return err;
	int64_t end = us_zone_day_end(&c->zone, day);
	if (end > INT64_MAX / NS_PER_S || end < INT64_MIN / NS_PER_S + 1)
		return US_ERR_RANGE;
	*due_ns = end * NS_PER_S - 1;
	return US_OK;
}
