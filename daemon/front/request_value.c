#include "daemon/front/request_internal.h"

#include <string.h>

#include "base/err.h"
#include "base/number.h"

int
us_decode_refuse(struct us_problem *p, int status, const char *type, const char *detail,
    const char *member)
{
	*p = (struct us_problem){ .status = status,
		.type = type,
		.detail = detail,
		.member = member };
	return status;
}

int
us_decode_bad(struct us_problem *p, const char *detail, const char *member)
{
	return us_decode_refuse(p, 400, "bad-request", detail, member);
}

int
us_decode_query_number(struct us_decode *d, const char *name, uint64_t fallback, uint64_t max,
    uint64_t *out)
{
	const struct us_bytes *v = us_target_query(d->target, name);

	*out = fallback;
	if (v != NULL && us_number_parse(v->p, v->n, max, out) != US_OK)
		return us_decode_bad(d->problem, "a number in the query is wrong", name);
	return 0;
}

int
us_decode_check_query(struct us_decode *d, const char *const *known)
{
	size_t i, k;

	for (i = 0; i < d->target->query_n; i++) {
		for (k = 0; known[k] != NULL; k++)
			if (us_bytes_is(d->target->query[i].name, known[k]))
				break;
		if (known[k] == NULL)
			return us_decode_bad(d->problem,
			    "the query has a parameter that is not known", NULL);
	}
	return 0;
}

int
us_decode_no_query(struct us_decode *d)
{
	static const char *const none[] = { NULL };

	return us_decode_check_query(d, none);
}

struct us_bytes
us_decode_segment(const struct us_decode *d, size_t i)
{
	return i < d->target->segment_n ? d->target->segment[i] : (struct us_bytes){ NULL, 0 };
}

int
us_decode_members(struct us_decode *d, const struct us_json_member *m, size_t n)
{
	const char *why;
	int err = us_json_members(d->body, m, n, d->arena, &why);

	if (err == US_OK)
		return 0;
	if (err == US_ERR_NOMEM)
		return us_decode_refuse(d->problem, 503, "busy", "no memory for this request now",
		    NULL);
	for (size_t i = 0; i < n; i++)
		if (why == m[i].name)
			return us_decode_bad(d->problem, "a member of the body is missing or wrong",
			    why);
	return us_decode_bad(d->problem, why, NULL);
}
