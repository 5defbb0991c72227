#include "case/bates.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"

int
us_bates_format(const char *prefix, uint64_t record, char *out)
{
	if (record >= US_BATES_RECORDS || strlen(prefix) > US_BATES_PREFIX_MAX)
		return US_ERR_RANGE;
	(void)snprintf(out, US_BATES_MAX + 1, "%s%0*llu", prefix, US_BATES_DIGITS,
	    (unsigned long long)(record + 1));
	return US_OK;
}

int
us_bates_put(struct us_buf *b, struct us_bytes prefix, uint64_t record)
{
	int err = us_buf_put(b, prefix.p, prefix.n);

	return err != US_OK ?
	    err :
	    us_buf_putf(b, "%0*llu", US_BATES_DIGITS, (unsigned long long)record + 1);
}

/* The digits of one record's number, all of them. */
static int
parse_digits(const uint8_t *p, uint64_t *record)
{
	uint64_t number;

	if (us_number_digits(p, US_BATES_DIGITS, US_BATES_RECORDS, &number) != US_OK || number == 0)
		return US_ERR_FORMAT;
	*record = number - 1;
	return US_OK;
}

int
us_bates_parse(const char *prefix, struct us_bytes text, uint64_t *record)
{
	const size_t n = strlen(prefix);

	if (text.n != n + US_BATES_DIGITS || memcmp(text.p, prefix, n) != 0)
		return US_ERR_FORMAT;
	return parse_digits(text.p + n, record);
}

int
us_bates_split(struct us_bytes text, size_t *prefix_n, uint64_t *record)
{
	size_t n;
	int err;

	/* no prefix ends in a digit: a tenth makes another number than the one that was meant */
	if (text.n > US_BATES_MAX || text.n <= US_BATES_DIGITS ||
	    us_number_tail(text.p, text.n) != US_BATES_DIGITS)
		return US_ERR_FORMAT;
	n = text.n - US_BATES_DIGITS;
	err = parse_digits(text.p + n, record);
	if (err == US_OK)
		*prefix_n = n;
	return err;
}

int
us_bates_read(struct us_bytes text, uint64_t last, struct us_bytes *prefix, uint64_t *record)
{
	const size_t digits = us_number_tail(text.p, text.n), n = text.n - digits;
	uint64_t number;
	int err = us_number_digits(text.p + n, digits, last, &number);

	if (err == US_OK && number == 0)
		err = US_ERR_RANGE;
	if (err != US_OK)
		return err;
	*prefix = (struct us_bytes){ text.p, n };
	*record = number - 1;
	return US_OK;
}
