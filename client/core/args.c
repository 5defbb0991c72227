#include "client/core/args.h"

#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "client/core/show.h"

static size_t
option_index(const struct us_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_options; i++)
		if (strcmp(args->table[i].name, name) == 0)
			return i;
	us_give_up(US_EXIT_OTHER, "this is a bug: option --%s is not in the table", name);
}

const char *
us_arg_nth(const struct us_args *args, const char *name, size_t i)
{
	size_t at = option_index(args, name);

	return i < args->n_values[at] ? args->value[at][i] : NULL;
}

const char *
us_arg(const struct us_args *args, const char *name)
{
	return us_arg_nth(args, name, 0);
}

int
us_flag(const struct us_args *args, const char *name)
{
	return us_arg(args, name) != NULL;
}

int64_t
us_arg_number(const struct us_args *args, const char *name, int64_t fallback, int64_t min,
    int64_t max)
{
	const char *text = us_arg(args, name);
	int64_t v;

	if (text == NULL)
		return fallback;
	if (us_number_text(text, min, max, &v) != US_OK)
		us_usage_error("--%s takes a number from %lld to %lld", name, (long long)min,
		    (long long)max);
	return v;
}
