/* A time that parses prints, and parses again to the same instant. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[US_TIME_TEXT_SIZE];
	int64_t ns, again;

	if (us_time_parse_date((const char *)data, size, &ns) == US_OK && ns % US_NS_PER_DAY != 0)
		abort();
	if (us_time_parse((const char *)data, size, &ns) != US_OK)
		return 0;
	(void)us_time_format(ns, text);
	if (us_time_parse(text, strlen(text), &again) != US_OK || again != ns)
		abort();
	return 0;
}
