/* Zones against libc, dates against timegm, terms against worked examples of Rule 6, networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "policy/calendar.h"

#define NS INT64_C(1000000000)

static const struct {
	const char *name; /* NULL: the form only, the table says more than the form can */
	const char *posix;
} zones[] = {
	{ "America/New_York", "EST5EDT,M3.2.0,M11.1.0" },
	{ "Europe/London", "GMT0BST,M3.5.0/1,M10.5.0" },
	{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3" },
	{ "Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3" },
	{ "Asia/Kolkata", "IST-5:30" },
	{ "America/Sao_Paulo", "<-03>3" },
	{ "Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0" },
	{ NULL, "<+01>-1" },
	{ "Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1" },
	{ "UTC", "UTC0" },
	{ NULL, "AAA3BBB,J60/0,J300/4:30:15" },
	{ NULL, "AAA-3BBB,59/1,299" },
	{ NULL, "EET-2EEST,M3.4.4/50,M10.4.4/50" },
	{ NULL, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0" },
};

static long
libc_offset(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;

	assert_non_null(localtime_r(&at, &tm));
	return tm.tm_gmtoff;
}

static void
check_zone(const char *tz, const char *posix)
{
	struct us_zone z;
	long before = 0;

	(void)setenv("TZ", tz, 1);
	tzset();
	assert_int_equal(us_zone_parse(&z, us_bytes_of(posix)), US_OK);
	int64_t from = (int64_t)us_days_from_civil(2025, 1, 1) * 86400,
		to = (int64_t)us_days_from_civil(2041, 1, 1) * 86400;
	for (int64_t t = from; t < to; t += 1800) {
		long want = libc_offset(t);
		if (us_zone_offset(&z, t) != want)
			fail_msg("%s at %lld: %d, libc %ld", tz, (long long)t,
			    us_zone_offset(&z, t), want);
		if (t > from && want != before) /* each second about a switch */
			for (int64_t s = t - 1801; s <= t + 1; s++)
				if (us_zone_offset(&z, s) != libc_offset(s))
					fail_msg("%s at second %lld", tz, (long long)s);
		before = want;
	}
}

static void
test_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		char path[128];
		check_zone(zones[i].posix, zones[i].posix);
		if (zones[i].name == NULL)
			continue;
		(void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zones[i].name);
		FILE *f = fopen(path, "rb");
		if (f != NULL) {
			(void)fclose(f);
			check_zone(zones[i].name, zones[i].posix);
		}
	}
	(void)unsetenv("TZ");
}

static void
test_zone_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "", US_ERR_FORMAT },
		{ "EST", US_ERR_FORMAT },
		{ "ES5", US_ERR_FORMAT },
		{ "EST5EDT", US_ERR_FORMAT },
		{ "EST5EDT,M3.2.0", US_ERR_FORMAT },
		{ "EST5EDT,M3.2.0,M11.1.0,", US_ERR_FORMAT },
		{ "EST25", US_ERR_RANGE },
		{ "EST5EDT,M13.2.0,M11.1.0", US_ERR_RANGE },
		{ "EST5EDT,M3.6.0,M11.1.0", US_ERR_RANGE },
		{ "EST5EDT,J0,M11.1.0", US_ERR_RANGE },
		{ "EST5EDT,366,J3", US_ERR_RANGE },
		{ "EST5:60", US_ERR_RANGE },
		{ "<EST5", US_ERR_FORMAT },
		{ "EST5EDT,M3.2.0/168,M11.1.0", US_ERR_RANGE },
		{ "EST99999999999999", US_ERR_RANGE },
		{ "EST24:00:01", US_ERR_RANGE },
	};
	struct us_zone z;
	char longer[US_ZONE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (us_zone_parse(&z, us_bytes_of(bad[i].text)) != bad[i].err)
			fail_msg("%s", bad[i].text);
	memset(longer, 'A', sizeof longer);
	assert_int_equal(us_zone_parse(&z, (struct us_bytes){ (uint8_t *)longer, US_ZONE_MAX + 1 }),
	    US_ERR_LIMIT);
	/* summer time all year */
	assert_int_equal(us_zone_parse(&z, us_bytes_of("EST5EDT,0/0,J365/25")), US_OK);
	for (int64_t t = 0; t < 4000 * INT64_C(86400); t += 3599)
		assert_int_equal(us_zone_offset(&z, t), -14400);
	(void)us_zone_offset(&z, INT64_MAX);
	(void)us_zone_offset(&z, INT64_MIN);
}

static void
test_dates(void **state)
{
	(void)state;
	for (int32_t d = -200000; d < 200000; d += 7) {
		time_t t = (time_t)d * 86400;
		struct tm tm;
		int64_t y;
		unsigned m, day;
		assert_non_null(gmtime_r(&t, &tm));
		us_civil_from_days(d, &y, &m, &day);
		assert_true(y == tm.tm_year + 1900 && m == (unsigned)tm.tm_mon + 1 &&
		    day == (unsigned)tm.tm_mday);
		assert_int_equal(us_days_from_civil(y, m, day), timegm(&tm) / 86400);
		assert_int_equal(us_weekday(d), tm.tm_wday);
	}
	assert_int_equal(us_days_from_civil(2028, 2, 29) + 1, us_days_from_civil(2028, 3, 1));
}

/* Due in New York, working Monday to Friday without 4 July (observed on the 3rd in 2026) and 7
 * September 2026. */
static int64_t
due(const char *posix, int64_t y, unsigned m, unsigned d, uint32_t days, int working_only)
{
	int32_t holidays[2] = { (int32_t)us_days_from_civil(2026, 7, 3),
		(int32_t)us_days_from_civil(2026, 9, 7) };
	struct us_calendar c = { .weekdays = 0x3e,
		.from_minute = 540,
		.to_minute = 1020,
		.n_holidays = 2,
		.holidays = holidays };
	int64_t at = -1;

	assert_int_equal(us_zone_parse(&c.zone, us_bytes_of(posix)), US_OK);
	int64_t noon = (int64_t)us_days_from_civil(y, m, d) * 86400 + 43200;
	noon -= us_zone_offset(&c.zone, noon);
	assert_int_equal(us_calendar_due(&c, noon * NS, days, working_only, &at), US_OK);
	/* the last nanosecond of its day */
	int32_t day = us_calendar_day(&c, at, NULL);
	assert_int_equal(us_calendar_day(&c, at + 1, NULL), day + 1);
	assert_true(us_calendar_is_working(&c, day));
	return day;
}

static void
test_due(void **state)
{
	const char *ny = "EST5EDT,M3.2.0,M11.1.0";

	(void)state;
	/* 14 days from Monday 1 June 2026: Monday the 15th */
	assert_int_equal(due(ny, 2026, 6, 1, 14, 0), us_days_from_civil(2026, 6, 15));
	/* 5 days from Monday: Saturday, so Monday */
	assert_int_equal(due(ny, 2026, 6, 1, 5, 0), us_days_from_civil(2026, 6, 8));
	/* ends on the holiday of Friday, 3 July: Monday the 6th */
	assert_int_equal(due(ny, 2026, 6, 19, 14, 0), us_days_from_civil(2026, 7, 6));
	/* ends on Saturday, 5 September; Monday is Labor Day: Tuesday the 8th */
	assert_int_equal(due(ny, 2026, 8, 29, 7, 0), us_days_from_civil(2026, 9, 8));
	/* working days: 5 from Thursday, 2 July: Monday 6 is the first, Friday 10 the fifth */
	assert_int_equal(due(ny, 2026, 7, 2, 5, 1), us_days_from_civil(2026, 7, 10));
	/* a day of 25 and one of 23 hours, and switches that jump over midnight */
	assert_int_equal(due(ny, 2026, 10, 30, 3, 0), us_days_from_civil(2026, 11, 2));
	assert_int_equal(due("AAA0BBB,J153/0,J300/0", 2026, 6, 1, 1, 0),
	    us_days_from_civil(2026, 6, 2));
	assert_int_equal(due("AAA0BBB,J153/23:30,J300/0", 2026, 6, 1, 1, 0),
	    us_days_from_civil(2026, 6, 2));
	assert_int_equal(due("AAA0BBB,J10/0,J154/0", 2026, 6, 1, 1, 0),
	    us_days_from_civil(2026, 6, 2));

	struct us_calendar c = { .weekdays = 0x3e, .from_minute = 540, .to_minute = 1020 };
	int64_t at;
	assert_int_equal(us_zone_parse(&c.zone, us_bytes_of("UTC0")), US_OK);
	assert_int_equal(us_calendar_due(&c, 0, 0, 0, &at), US_ERR_RANGE);
	assert_int_equal(us_calendar_due(&c, 0, 3651, 0, &at), US_ERR_RANGE);
	assert_int_equal(us_calendar_due(&c, INT64_MAX, 3650, 0, &at), US_ERR_RANGE);
	c.weekdays = 0;
	assert_int_equal(us_calendar_due(&c, 0, 1, 0, &at), US_ERR_RANGE);
}

static void
test_hours(void **state)
{
	struct us_calendar c = { .weekdays = 0x3e, .from_minute = 540, .to_minute = 1020 };
	int64_t monday = (int64_t)us_days_from_civil(2026, 6, 1) * 86400 * NS;

	(void)state;
	assert_int_equal(us_zone_parse(&c.zone, us_bytes_of("EST5EDT,M3.2.0,M11.1.0")), US_OK);
	/* 09:00 there is 13:00 UTC */
	assert_false(us_calendar_is_open(&c, monday + 13 * 3600 * NS - 1));
	assert_true(us_calendar_is_open(&c, monday + 13 * 3600 * NS));
	assert_true(us_calendar_is_open(&c, monday + 21 * 3600 * NS - 1));
	assert_false(us_calendar_is_open(&c, monday + 21 * 3600 * NS));
	assert_false(us_calendar_is_open(&c, monday - 86400 * NS + 15 * 3600 * NS));
}

static int
inside(const char *network, const char *address)
{
	struct us_network n;
	uint8_t a[16];

	assert_int_equal(us_network_parse(&n, us_bytes_of(network)), US_OK);
	assert_int_equal(us_address_parse(a, us_bytes_of(address)), US_OK);
	return us_network_has(&n, a);
}

static void
test_networks(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "10.0.0.1/8", US_ERR_RANGE },
		{ "10.0.0.0/33", US_ERR_RANGE },
		{ "10.0.0.0/", US_ERR_FORMAT },
		{ "10.0.0/8", US_ERR_FORMAT },
		{ "10.0.0.0/08", US_ERR_FORMAT },
		{ "", US_ERR_FORMAT },
		{ "2001:db8::1/32", US_ERR_RANGE },
		{ "::/129", US_ERR_RANGE },
		{ "10.0.0.0/-1", US_ERR_FORMAT },
	};
	struct us_network n;
	uint8_t a[16];

	(void)state;
	assert_true(inside("10.0.0.0/8", "10.255.1.2") && inside("10.0.0.0/8", "10.1.1.2:443"));
	assert_true(
	    inside("10.0.0.0/8", "[::ffff:10.1.1.2]:443") && !inside("10.0.0.0/8", "11.0.0.0"));
	assert_true(inside("2001:db8::/32", "[2001:db8::9]:80") &&
	    inside("2001:db8::/32", "2001:db8:ffff::"));
	assert_true(!inside("2001:db8::/32", "2001:db9::") && inside("192.0.2.7", "192.0.2.7"));
	assert_true(!inside("192.0.2.7", "192.0.2.6") && inside("192.0.2.128/25", "192.0.2.200"));
	assert_true(!inside("192.0.2.128/25", "192.0.2.100") && inside("0.0.0.0/0", "1.2.3.4") &&
	    !inside("0.0.0.0/0", "::1"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (us_network_parse(&n, us_bytes_of(bad[i].text)) != bad[i].err)
			fail_msg("%s", bad[i].text);
	static const char *const not [] = { "", "[::1", "[::1]80", "[1.2.3.4]:80",
		"1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:x", "[", ":" };
	for (size_t i = 0; i < sizeof not / sizeof not [0]; i++)
		assert_int_equal(us_address_parse(a, us_bytes_of(not [i])), US_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_zone_refused),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_networks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
