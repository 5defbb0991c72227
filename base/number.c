#include "base/number.h"

#include <string.h>

#include "base/err.h"

static int
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

int
us_number_parse(const void *p, size_t n, uint64_t max, uint64_t *out)
{
	if (n > 1 && *(const uint8_t *)p == '0')
		return US_ERR_FORMAT;
	return us_number_digits(p, n, max, out);
}

int
us_number_digits(const void *p, size_t n, uint64_t max, uint64_t *out)
{
	const uint8_t *c = p;
	uint64_t v = 0;

	if (n == 0)
		return US_ERR_FORMAT;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(c[i]))
			return US_ERR_FORMAT;
		const uint64_t digit = (uint64_t)(c[i] - '0');
		if (v > max / 10 || (v == max / 10 && digit > max % 10))
			return US_ERR_RANGE;
		v = v * 10 + digit;
	}
	*out = v;
	return US_OK;
}

size_t
us_number_span(const void *p, size_t n)
{
	const uint8_t *c = p;
	size_t i = 0;

	while (i < n && is_digit(c[i]))
		i++;
	return i;
}

size_t
us_number_tail(const void *p, size_t n)
{
	const uint8_t *c = p;
	size_t i = n;

	while (i > 0 && is_digit(c[i - 1]))
		i--;
	return n - i;
}

int
us_number_text(const char *text, int64_t min, int64_t max, int64_t *out)
{
	const char *p = text + strspn(text, " \t\n\v\f\r");
	const int negative = *p == '-';
	uint64_t v;
	int64_t value;
	int err;

	if (*p == '-' || *p == '+')
		p++;
	err = us_number_digits(p, strlen(p), (uint64_t)INT64_MAX + (unsigned)negative, &v);
	if (err != US_OK)
		return err;
	value = !negative || v == 0 ? (int64_t)v : -(int64_t)(v - 1) - 1; /* down to INT64_MIN */
	if (value < min || value > max)
		return US_ERR_RANGE;
	*out = value;
	return US_OK;
}
