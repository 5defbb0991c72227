#include "client/core/when.h"

#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/number.h"
#include "base/time.h"
#include "client/core/client.h"

/* "7d" */
static int
parse_ago(const char *text, size_t n, int64_t now_ns, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	uint64_t count;

	for (size_t i = 0; i < US_COUNT(units); i++) {
		const int64_t unit_ns = units[i].seconds * US_NS_PER_SECOND;

		if (n < 2 || text[n - 1] != units[i].unit)
			continue;
		if (us_number_digits(text, n - 1, UINT64_MAX, &count) != US_OK)
			return US_ERR_FORMAT;
		if (count > (uint64_t)(now_ns / unit_ns))
			return US_ERR_RANGE;
		*ns = now_ns - (int64_t)count * unit_ns;
		return US_OK;
	}
	return US_ERR_FORMAT;
}

int
us_when_parse(const char *text, int64_t now_ns, enum us_when_end end, int64_t *ns)
{
	const size_t n = strlen(text);
	const int64_t today_ns = now_ns - now_ns % US_NS_PER_DAY;
	int64_t day_ns;

	if (strcmp(text, "now") == 0) {
		*ns = now_ns;
		return US_OK;
	}
	if (strcmp(text, "today") == 0)
		day_ns = today_ns;
	else if (strcmp(text, "yesterday") == 0)
		day_ns = today_ns - US_NS_PER_DAY;
	else if (us_time_parse_date(text, n, &day_ns) != US_OK)
		return us_time_parse(text, n, ns) == US_OK ? US_OK : parse_ago(text, n, now_ns, ns);
	*ns = end == US_WHEN_BEGINS ? day_ns : day_ns + (US_NS_PER_DAY - 1);
	return US_OK;
}

static int64_t
moment(const struct us_args *args, const char *name, int64_t now_ns, enum us_when_end end)
{
	const char *text = us_arg(args, name);
	int64_t ns = 0;

	if (text != NULL && us_when_parse(text, now_ns, end, &ns) != US_OK)
		us_usage_error("--%s takes " US_WHEN_FORMS, name);
	return ns;
}

void
us_arg_range(const struct us_args *args, int64_t *since_ns, int64_t *until_ns)
{
	const int64_t now_ns = us_time_now_ns();

	*since_ns = moment(args, "since", now_ns, US_WHEN_BEGINS);
	*until_ns = moment(args, "until", now_ns, US_WHEN_ENDS);
	if (*since_ns > now_ns)
		us_usage_error("--since %s has not come yet", us_arg(args, "since"));
	if (*until_ns != 0 && *since_ns > *until_ns)
		us_usage_error("nothing can be since %s and until %s: the first is the later one",
		    us_arg(args, "since"), us_arg(args, "until"));
}
