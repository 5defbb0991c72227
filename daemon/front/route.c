#include "daemon/front/route.h"

#include <string.h>

#include "base/array.h"
#include "daemon/process/messages.h"
#include "registry/act.h"

static const struct us_route_info table[] = {
#define X(message, method, pattern, media, body_max, detail) \
	{ US_HTTP_##method, US_REQUEST_##message, pattern, US_MEDIA_##media, body_max, detail },
	US_ROUTES(X)
#undef X
};

#define X(message, method, pattern, media, body_max, detail) | 1u << US_REQUEST_##message
_Static_assert((0u US_ROUTES(X)) == (1u << US_REQUEST_COUNT) - 1, "a request that has no ROUTE");
#undef X

static int
matches(const char *pattern, const struct us_target *t)
{
	size_t n, i;

	for (i = 0; *pattern != '\0'; i++) {
		if (strcmp(pattern, "**") == 0)
			return i < t->segment_n;
		if (i == t->segment_n)
			return 0;
		n = strcspn(pattern, "/");
		if (!(n == 1 && pattern[0] == '*') &&
		    (t->segment[i].n != n || memcmp(t->segment[i].p, pattern, n) != 0))
			return 0;
		pattern += n + (pattern[n] == '/');
	}
	return i == t->segment_n;
}

const struct us_route_info *
us_route_find(const struct us_target *target, enum us_http_method method, unsigned *allow)
{
	*allow = 0;
	for (size_t i = 0; i < US_COUNT(table); i++) {
		if (!matches(table[i].pattern, target))
			continue;
		if (table[i].method == method)
			return &table[i];
		*allow |= 1u << table[i].method;
	}
	return NULL;
}

int
us_route_takes(const struct us_route_info *route, enum us_act_type type)
{
	const char *path = us_act_path(type);

	return path != NULL &&
	    (strcmp(route->pattern, "v1/acts") == 0 || strcmp(route->pattern + 3, path) == 0);
}

const struct us_route_info *
us_route_table(size_t *n)
{
	*n = US_COUNT(table);
	return table;
}
