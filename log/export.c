#include "log/export.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/number.h"

static const char *const box_name[US_BOXES] = { "access", "disclosure", "query" };

int
us_export_keys_line(struct us_buf *out, uint64_t index, const struct us_key *access,
    const struct us_key *disclosure, const struct us_key *query)
{
	const struct us_key *keys[US_BOXES] = { access, disclosure, query };
	size_t box, before = out->len;
	int err;

	err = us_buf_putf(out, "{\"index\":%llu", (unsigned long long)index);
	for (box = 0; box < US_BOXES; box++) {
		if (keys[box] == NULL)
			continue;
		if (err == US_OK)
			err = us_buf_putf(out, ",\"%s\":\"", box_name[box]);
		if (err == US_OK)
			err = us_base64_put(out, keys[box]->b, sizeof keys[box]->b);
		if (err == US_OK)
			err = us_buf_put_u8(out, '"');
	}
	if (err == US_OK)
		err = us_buf_put(out, "}\n", 2);
	if (err != US_OK)
		out->len = before;
	return err;
}

/* A cursor over a line of JSON: only what such a line may hold is understood. */
struct us_log_json {
	const char *p;
	size_t left;
};

static void
skip_space(struct us_log_json *j)
{
	while (j->left > 0 && (*j->p == ' ' || *j->p == '\t' || *j->p == '\r')) {
		j->p++;
		j->left--;
	}
}

static int
take_char(struct us_log_json *j, char c)
{
	skip_space(j);
	if (j->left == 0 || *j->p != c)
		return 0;
	j->p++;
	j->left--;
	return 1;
}

/* A string, as far as its first quote: what has an escape in it is no name and no base64 that is
 * taken. */
static int
take_string(struct us_log_json *j, const char **s, size_t *n)
{
	const char *end;

	if (!take_char(j, '"'))
		return 0;
	*s = j->p;
	end = memchr(j->p, '"', j->left);
	if (end == NULL)
		return 0;
	*n = (size_t)(end - j->p);
	j->left -= *n + 1;
	j->p = end + 1;
	return 1;
}

static int
take_index(struct us_log_json *j, uint64_t *out)
{
	size_t n;

	skip_space(j);
	n = us_number_span(j->p, j->left);
	if (us_number_parse(j->p, n, INT64_MAX, out) != US_OK)
		return 0;
	j->p += n;
	j->left -= n;
	return 1;
}

static int
take_member(struct us_log_json *j, struct us_export_keys *k, int *have_index)
{
	const char *name, *value;
	size_t name_n, value_n, got, box;

	if (!take_string(j, &name, &name_n) || !take_char(j, ':'))
		return 0;
	if (name_n == 5 && memcmp(name, "index", 5) == 0) {
		if (*have_index)
			return 0;
		*have_index = 1;
		return take_index(j, &k->index);
	}
	for (box = 0; box < US_BOXES; box++)
		if (strlen(box_name[box]) == name_n && memcmp(box_name[box], name, name_n) == 0)
			break;
	if (box == US_BOXES || k->present[box] || !take_string(j, &value, &value_n))
		return 0;
	k->present[box] = 1;
	return us_base64_decode(value, value_n, k->keys[box].b, sizeof k->keys[box].b, &got) ==
	    US_OK &&
	    got == sizeof k->keys[box].b;
}

int
us_export_keys_parse(struct us_export_keys *out, const char *line, size_t n)
{
	struct us_log_json j = { line, n };
	struct us_export_keys k;
	int have_index = 0, ok;

	memset(&k, 0, sizeof k);
	ok = take_char(&j, '{');
	do
		ok = ok && take_member(&j, &k, &have_index);
	while (ok && take_char(&j, ','));
	ok = ok && have_index && take_char(&j, '}');
	skip_space(&j);
	ok = ok && j.left == 0;
	if (ok)
		*out = k;
	us_wipe(&k, sizeof k);
	return ok ? US_OK : US_ERR_FORMAT;
}
