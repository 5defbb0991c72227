#include "log/origin.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/number.h"

#define BETWEEN "/underseal/"
#define ID_DIGITS 16

/* "HOST/underseal/ID" or "HOST/underseal/ID/N", N from 2 on, apart. */
static int
split_origin(const char *origin, size_t *host_n, const char **id, uint64_t *number)
{
	const char *between = NULL, *tail;
	struct us_bytes digits;

	for (const char *at = origin; (at = strstr(at, BETWEEN)) != NULL; at++)
		between = at;
	if (between == NULL || between == origin)
		return US_ERR_FORMAT;
	*host_n = (size_t)(between - origin);
	*id = between + sizeof BETWEEN - 1;
	if (strspn(*id, "0123456789abcdef") != ID_DIGITS)
		return US_ERR_FORMAT;
	tail = *id + ID_DIGITS;
	*number = 1;
	if (*tail == '\0')
		return US_OK;
	if (*tail != '/')
		return US_ERR_FORMAT;
	digits = us_bytes_of(tail + 1);
	return us_number_parse(digits.p, digits.n, INT64_MAX, number) != US_OK || *number < 2 ||
		*number > US_HANDOVERS_MAX + 1 ?
	    US_ERR_FORMAT :
	    US_OK;
}

int
us_origin_next(char out[US_NOTE_NAME_MAX + 1], const char *old, const char *host)
{
	uint64_t number;
	const char *id;
	size_t host_n;
	int n, err = split_origin(old, &host_n, &id, &number);

	if (err != US_OK)
		return err;
	n = snprintf(out, US_NOTE_NAME_MAX + 1, "%.*s" BETWEEN "%.*s/%llu",
	    (int)(host == NULL ? host_n : strlen(host)), host == NULL ? old : host, ID_DIGITS, id,
	    (unsigned long long)number + 1);
	return n > US_NOTE_NAME_MAX ? US_ERR_LIMIT : US_OK;
}

int
us_origin_number(uint64_t *number, const char *origin)
{
	const char *id;
	size_t host_n;

	return split_origin(origin, &host_n, &id, number);
}

int
us_origin_follows(const char *old, const char *new)
{
	uint64_t old_number, new_number;
	const char *old_id, *new_id;
	size_t n;

	return split_origin(old, &n, &old_id, &old_number) == US_OK &&
	    split_origin(new, &n, &new_id, &new_number) == US_OK &&
	    memcmp(old_id, new_id, ID_DIGITS) == 0 && new_number == old_number + 1;
}
