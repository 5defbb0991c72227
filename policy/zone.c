/* The POSIX form of a zone: parsing, and the offset at a moment. */
#include "policy/zone.h"

#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

unsigned
us_weekday(int32_t days)
{
	return (unsigned)((((int64_t)days + 4) % 7 + 7) % 7); /* day 0 was a Thursday */
}

struct us_order_text {
	const uint8_t *p;
	size_t left;
	int err;
};

static int
peek(const struct us_order_text *t)
{
	return t->left > 0 ? t->p[0] : -1;
}

static int
accept(struct us_order_text *t, int c)
{
	if (t->left == 0 || t->p[0] != c)
		return 0;
	t->p++;
	t->left--;
	return 1;
}

static void
fail(struct us_order_text *t, int err)
{
	if (t->err == US_OK)
		t->err = err;
	t->left = 0;
}

static int
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
skip_name(struct us_order_text *t)
{
	int quoted = accept(t, '<');
	size_t n = 0;

	while (is_alpha(peek(t)) ||
	    (quoted && (is_digit(peek(t)) || peek(t) == '+' || peek(t) == '-'))) {
		(void)accept(t, peek(t));
		n++;
	}
	if (n < 3 || (quoted && !accept(t, '>')))
		fail(t, US_ERR_FORMAT);
}

static int32_t
take_number(struct us_order_text *t, int32_t least, int32_t most)
{
	const size_t n = us_number_span(t->p, t->left);
	uint64_t v = 0;
	int err = n > 3 ? US_ERR_RANGE : us_number_digits(t->p, n, (uint64_t)most, &v);

	if (err == US_OK && (int32_t)v < least)
		err = US_ERR_RANGE;
	if (err != US_OK) {
		fail(t, err);
		return least;
	}
	t->p += n;
	t->left -= n;
	return (int32_t)v;
}

/* [+|-]hh[:mm[:ss]] in seconds */
static int32_t
take_time(struct us_order_text *t, int32_t hours_max)
{
	int negative = accept(t, '-');
	int32_t v;

	if (!negative)
		(void)accept(t, '+');
	v = 3600 * take_number(t, 0, hours_max);
	if (accept(t, ':')) {
		v += 60 * take_number(t, 0, 59);
		if (accept(t, ':'))
			v += take_number(t, 0, 59);
	}
	if (v > 3600 * hours_max)
		fail(t, US_ERR_RANGE);
	return negative ? -v : v;
}

static struct us_zone_switch
take_switch(struct us_order_text *t)
{
	struct us_zone_switch s = { .form = 'N', .at_s = 7200 };

	if (!accept(t, ','))
		fail(t, US_ERR_FORMAT);
	if (accept(t, 'M')) {
		s.form = 'M';
		s.month = (uint8_t)take_number(t, 1, 12);
		if (!accept(t, '.'))
			fail(t, US_ERR_FORMAT);
		s.week = (uint8_t)take_number(t, 1, 5);
		if (!accept(t, '.'))
			fail(t, US_ERR_FORMAT);
		s.weekday = (uint8_t)take_number(t, 0, 6);
	} else if (accept(t, 'J')) {
		s.form = 'J';
		s.day = (uint16_t)take_number(t, 1, 365);
	} else {
		s.day = (uint16_t)take_number(t, 0, 365);
	}
	if (accept(t, '/'))
		s.at_s = take_time(t, 167);
	return s;
}

int
us_zone_parse(struct us_zone *out, struct us_bytes posix)
{
	struct us_order_text t = { posix.p, posix.n, US_OK };
	struct us_zone z = { 0 };

	if (posix.n > US_ZONE_MAX)
		return US_ERR_LIMIT;
	skip_name(&t);
	z.standard_s = -take_time(&t, 24);
	z.summer_s = z.standard_s;
	if (t.err == US_OK && t.left > 0) {
		z.has_summer = 1;
		skip_name(&t);
		z.summer_s = peek(&t) == ',' ? z.standard_s + 3600 : -take_time(&t, 24);
		z.begins = take_switch(&t);
		z.ends = take_switch(&t);
	}
	if (t.err == US_OK && t.left > 0)
		t.err = US_ERR_FORMAT;
	if (t.err == US_OK)
		*out = z;
	return t.err;
}

/* The moment a switch happens in a year, in local seconds. */
static int64_t
switch_local(const struct us_zone_switch *s, int64_t year)
{
	int32_t first = (int32_t)us_days_from_civil(year, 1, 1);
	int32_t day;

	if (s->form == 'M') {
		int64_t next_year = s->month == 12 ? year + 1 : year;
		int32_t month = (int32_t)us_days_from_civil(year, s->month, 1);
		int32_t next = (int32_t)us_days_from_civil(next_year,
		    s->month == 12 ? 1 : s->month + 1u, 1);
		day = month + (int32_t)((s->weekday + 7u - us_weekday(month)) % 7u) +
		    7 * (s->week - 1);
		if (day >= next) /* week 5 is the last, be it the fourth */
			day -= 7;
	} else if (s->form == 'J') {
		int leap = us_days_from_civil(year, 3, 1) - first == 60;
		day = first + s->day - 1 + (leap && s->day >= 60);
	} else {
		day = first + s->day;
	}
	return (int64_t)day * US_DAY_S + s->at_s;
}

static int64_t
year_of(int64_t utc_s)
{
	int64_t year;
	unsigned month, day;

	us_civil_from_days(us_floor_div(utc_s, US_DAY_S), &year, &month, &day);
	return year;
}

/* Times beyond a clock in nanoseconds are treated as its ends, so that day numbers fit. */
static int64_t
clamp(int64_t utc_s)
{
	const int64_t end = INT64_MAX / 1000000000 + 400 * US_DAY_S;

	return utc_s > end ? end : utc_s < -end ? -end : utc_s;
}

/* The latest switch at or before the moment decides. The hours of a switch reach a week into the
 * years beside its own, so those are looked at too. If summer time ends when it begins, it goes on
 * (RFC 8536, 3.3.1: "all year"). */
int32_t
us_zone_offset(const struct us_zone *zone, int64_t utc_s)
{
	int64_t latest = INT64_MIN;
	int summer = 0;

	if (!zone->has_summer)
		return zone->standard_s;
	utc_s = clamp(utc_s);
	int64_t year = year_of(utc_s);
	for (int64_t y = year - 2; y <= year + 1; y++) {
		int64_t ends = switch_local(&zone->ends, y) - zone->summer_s;
		int64_t begins = switch_local(&zone->begins, y) - zone->standard_s;
		if (ends <= utc_s && ends > latest) {
			latest = ends;
			summer = 0;
		}
		if (begins <= utc_s && begins >= latest) {
			latest = begins;
			summer = 1;
		}
	}
	return summer ? zone->summer_s : zone->standard_s;
}

/* A local day ends at its midnight by one of the two offsets, or at a switch that jumps over
 * midnight; of those moments the last that still has the day just before it. */
int64_t
us_zone_day_end(const struct us_zone *zone, int32_t day)
{
	int64_t midnight = ((int64_t)day + 1) * US_DAY_S;
	int64_t candidates[8] = { midnight - zone->standard_s, midnight - zone->summer_s };
	size_t n = 2;
	int64_t end = INT64_MIN;

	if (zone->has_summer) {
		int64_t year = year_of(midnight);
		for (int64_t y = year - 1; y <= year + 1; y++) {
			candidates[n++] = switch_local(&zone->begins, y) - zone->standard_s;
			candidates[n++] = switch_local(&zone->ends, y) - zone->summer_s;
		}
	}
	for (size_t i = 0; i < n; i++) {
		int64_t before = candidates[i] - 1;
		if (candidates[i] > end &&
		    us_floor_div(before + us_zone_offset(zone, before), US_DAY_S) == day)
			end = candidates[i];
	}
	return end != INT64_MIN ? end : candidates[0]; /* no second of that day exists */
}
