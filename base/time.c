#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/number.h"

#define YEAR_MIN 1970
#define YEAR_MAX 2261
#define SECONDS_PER_DAY 86400

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(clock, &t); /* cannot fail for these clocks */
	return (int64_t)t.tv_sec * US_NS_PER_SECOND + t.tv_nsec;
}

int64_t
us_time_now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t
us_time_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Years begin in March, so that the leap day is the last of a year; 400 years are 146,097 days. */
int64_t
us_days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned of_era = (unsigned)(y - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return era * 146097 + (int64_t)days - 719468;
}

void
us_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (int64_t)yoe + era * 400 + (*month <= 2);
}

int64_t
us_time_add_days(int64_t ns, int64_t days)
{
	int64_t step, sum;

	if (__builtin_mul_overflow(days, US_NS_PER_DAY, &step) ||
	    __builtin_add_overflow(ns, step, &sum))
		return days > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

static const char *
format(int64_t ns, int fraction, char out[US_TIME_TEXT_SIZE])
{
	int64_t seconds = ns / US_NS_PER_SECOND, year;
	unsigned nanos = (unsigned)(ns % US_NS_PER_SECOND), month, day;
	unsigned of_day = (unsigned)(seconds % SECONDS_PER_DAY);
	int n;

	us_civil_from_days(seconds / SECONDS_PER_DAY, &year, &month, &day);
	if (ns < 0 || year > YEAR_MAX) {
		memcpy(out, "invalid", 8);
		return out;
	}
	n = snprintf(out, US_TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u",
	    (unsigned)year % 10000, month % 100, day % 100, of_day / 3600 % 100, of_day / 60 % 60,
	    of_day % 60);
	if (fraction && nanos != 0) {
		int len = nanos % 1000 != 0 ? 9 : nanos % 1000000 != 0 ? 6 : 3;
		unsigned value = len == 9 ? nanos : len == 6 ? nanos / 1000 : nanos / 1000000;

		n += snprintf(out + n, US_TIME_TEXT_SIZE - (size_t)n, ".%0*u", len, value);
	}
	memcpy(out + n, "Z", 2);
	return out;
}

const char *
us_time_format(int64_t ns, char out[US_TIME_TEXT_SIZE])
{
	return format(ns, 1, out);
}

const char *
us_time_format_s(int64_t ns, char out[US_TIME_TEXT_SIZE])
{
	return format(ns, 0, out);
}

const char *
us_time_format_date(int64_t ns, char out[11])
{
	char text[US_TIME_TEXT_SIZE];

	(void)format(ns, 0, text);
	memcpy(out, text, 10);
	out[10] = '\0';
	return out;
}

/* Takes exactly len digits. */
static int
number(const char **s, const char *end, unsigned len, unsigned *out)
{
	uint64_t v;

	if ((size_t)(end - *s) < len || us_number_digits(*s, len, UINT32_MAX, &v) != US_OK)
		return 0;
	*s += len;
	*out = (unsigned)v;
	return 1;
}

/* Takes one character that is a or b. */
static int
letter(const char **s, const char *end, char a, char b)
{
	if (*s == end || (**s != a && **s != b))
		return 0;
	(*s)++;
	return 1;
}

static unsigned
days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

static int
parse_date(const char **s, const char *end, int64_t *days)
{
	unsigned year, month, day;

	if (!number(s, end, 4, &year) || !letter(s, end, '-', '-') || !number(s, end, 2, &month) ||
	    !letter(s, end, '-', '-') || !number(s, end, 2, &day))
		return US_ERR_FORMAT;
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return US_ERR_RANGE;
	*days = us_days_from_civil(year, month, day);
	return US_OK;
}

static int
parse_fraction(const char **s, const char *end, unsigned *nanos)
{
	size_t len;

	*nanos = 0;
	if (!letter(s, end, '.', '.'))
		return US_OK;
	len = us_number_span(*s, (size_t)(end - *s));
	if (len > 9 || !number(s, end, (unsigned)len, nanos))
		return US_ERR_FORMAT;
	for (; len < 9; len++)
		*nanos *= 10;
	return US_OK;
}

static int
parse_offset(const char **s, const char *end, int64_t *seconds)
{
	unsigned hours, minutes;
	char sign;

	*seconds = 0;
	if (letter(s, end, 'Z', 'z'))
		return US_OK;
	sign = *s == end ? '\0' : **s;
	if (!letter(s, end, '+', '-') || !number(s, end, 2, &hours) || !letter(s, end, ':', ':') ||
	    !number(s, end, 2, &minutes))
		return US_ERR_FORMAT;
	if (hours > 23 || minutes > 59)
		return US_ERR_RANGE;
	*seconds = (int64_t)hours * 3600 + minutes * 60;
	if (sign == '-')
		*seconds = -*seconds;
	return US_OK;
}

int
us_time_parse(const char *s, size_t n, int64_t *ns)
{
	const char *end = s + n;
	unsigned hour, minute, second, nanos;
	int64_t days, offset, seconds;
	int err = parse_date(&s, end, &days);

	if (err != US_OK)
		return err;
	if (!letter(&s, end, 'T', 't') || !number(&s, end, 2, &hour) ||
	    !letter(&s, end, ':', ':') || !number(&s, end, 2, &minute) ||
	    !letter(&s, end, ':', ':') || !number(&s, end, 2, &second))
		return US_ERR_FORMAT;
	if (hour > 23 || minute > 59 || second > 60)
		return US_ERR_RANGE;
	err = parse_fraction(&s, end, &nanos);
	if (err == US_OK)
		err = parse_offset(&s, end, &offset);
	if (err != US_OK)
		return err;
	if (s != end)
		return US_ERR_FORMAT;
	seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
	if (seconds < 0 || seconds >= us_days_from_civil(YEAR_MAX + 1, 1, 1) * SECONDS_PER_DAY)
		return US_ERR_RANGE;
	*ns = seconds * US_NS_PER_SECOND + nanos;
	return US_OK;
}

int
us_time_parse_date(const char *s, size_t n, int64_t *ns)
{
	const char *end = s + n;
	int64_t days;
	int err = parse_date(&s, end, &days);

	if (err == US_OK && s != end)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		*ns = days * US_NS_PER_DAY;
	return err;
}
