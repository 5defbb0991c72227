#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "base/time.h"
#include "case/bates.h"
#include "evidence/query/query_internal.h"

#define YEAR_FIRST 1970
#define YEAR_LAST 2261

static const char *const FIELD_NAMES[] = {
	[US_FIELD_MODEL] = "model",
	[US_FIELD_LANGUAGE] = "language",
	[US_FIELD_DESIGNATION] = "designation",
	[US_FIELD_ROLE] = "role",
};

const char *
us_query_field_name(enum us_query_field field)
{
	return FIELD_NAMES[field];
}

/* `digits` digits at p; -1 if they are not. */
static int
number(const uint8_t *p, size_t digits)
{
	uint64_t v;

	return us_number_digits(p, digits, INT_MAX, &v) == US_OK ? (int)v : -1;
}

/* First second of the unit, first second behind it. */
static int
date_unit(struct us_bytes t, int64_t *from, int64_t *to)
{
	int year, month = 1, day = 1, next_year, next_month;
	int64_t ns;
	int err;

	if (t.n > 10) {
		err = us_time_parse((const char *)t.p, t.n, &ns);
		if (err != US_OK)
			return err;
		*from = ns / US_NS_PER_SECOND - (ns % US_NS_PER_SECOND < 0);
		*to = *from + 1;
		return US_OK;
	}
	if ((t.n != 4 && t.n != 7 && t.n != 10) || (t.n > 4 && t.p[4] != '-') ||
	    (t.n > 7 && t.p[7] != '-'))
		return US_ERR_FORMAT;
	year = number(t.p, 4);
	if (t.n >= 7)
		month = number(t.p + 5, 2);
	if (t.n == 10)
		day = number(t.p + 8, 2);
	if (year < 0 || month < 0 || day < 0)
		return US_ERR_FORMAT;
	if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1)
		return US_ERR_RANGE;
	next_year = t.n == 4 || month == 12 ? year + 1 : year;
	next_month = t.n == 4 || month == 12 ? 1 : month + 1;
	*from = us_days_from_civil(year, (unsigned)month, 1) + day - 1;
	*to = t.n == 10 ? *from + 1 : us_days_from_civil(next_year, (unsigned)next_month, 1);
	if (t.n == 10 && *to > us_days_from_civil(next_year, (unsigned)next_month, 1))
		return US_ERR_RANGE;
	*from *= 86400;
	*to *= 86400;
	return US_OK;
}

/* Splits "a..b"; without ".." both are the whole. Returns 1 if it is a range. */
static int
split_range(struct us_bytes t, struct us_bytes *a, struct us_bytes *b)
{
	for (size_t i = 0; i + 1 < t.n; i++) {
		if (t.p[i] == '.' && t.p[i + 1] == '.') {
			*a = (struct us_bytes){ t.p, i };
			*b = (struct us_bytes){ t.p + i + 2, t.n - i - 2 };
			return 1;
		}
	}
	*a = *b = t;
	return 0;
}

static int
bad_date(struct us_parser *p, size_t at, int err)
{
	if (err == US_ERR_RANGE)
		return us_query_fail(p, US_ERR_FORMAT, at, "no such date, or not between %d and %d",
		    YEAR_FIRST, YEAR_LAST);
	return us_query_fail(p, US_ERR_FORMAT, at,
	    "a date is YYYY, YYYY-MM, YYYY-MM-DD or an RFC 3339 time; a range is A..B, A.. or ..B");
}

static int
date_node(struct us_parser *p, const struct us_field_text *f, struct us_query_node **out)
{
	struct us_query_node *node;
	struct us_bytes a, b;
	int64_t from = INT64_MIN + 1, to = INT64_MAX, unused;
	size_t b_at;
	int range, err;

	if (!us_bytes_is(f->value, "*")) {
		range = split_range(f->value, &a, &b);
		b_at = f->value_at + (range ? a.n + 2 : 0);
		if (a.n == 0 && b.n == 0)
			return bad_date(p, f->value_at, US_ERR_FORMAT);
		err = a.n == 0 ? US_OK : date_unit(a, &from, &unused);
		if (err != US_OK)
			return bad_date(p, f->value_at, err);
		err = b.n == 0 ? US_OK : date_unit(b, &unused, &to);
		if (err != US_OK)
			return bad_date(p, b_at, err);
		if (from >= to)
			return us_query_fail(p, US_ERR_FORMAT, b_at,
			    "the range ends before it begins");
	}
	err = us_query_node(p, US_QUERY_DATE, f->at, 0, &node);
	if (err != US_OK)
		return err;
	node->from_s = from;
	node->to_s = to;
	*out = node;
	return US_OK;
}

static int
is_prefix_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
	    c == '_' || c == '.' || c == '/';
}

static int
bates_number(struct us_bytes t, struct us_bytes *prefix, uint64_t *record)
{
	int err = us_bates_read(t, UINT64_MAX, prefix, record);

	for (size_t k = 0; err == US_OK && k < prefix->n; k++)
		if (!is_prefix_char(t.p[k]) || (k > 0 && t.p[k] == '.' && t.p[k - 1] == '.'))
			err = US_ERR_FORMAT;
	return err;
}

static int
equal_upper(struct us_bytes a, struct us_bytes b)
{
	if (a.n != b.n)
		return 0;
	for (size_t i = 0; i < a.n; i++) {
		uint8_t x = a.p[i] >= 'a' && a.p[i] <= 'z' ? (uint8_t)(a.p[i] - 32) : a.p[i];
		uint8_t y = b.p[i] >= 'a' && b.p[i] <= 'z' ? (uint8_t)(b.p[i] - 32) : b.p[i];

		if (x != y)
			return 0;
	}
	return 1;
}

static int
bad_bates(struct us_parser *p, size_t at)
{
	return us_query_fail(p, US_ERR_FORMAT, at,
	    "a Bates number is a prefix and digits, counted from 1: bates:DEMO000000001 or A..B, "
	    "A.. or ..B");
}

static int
bates_node(struct us_parser *p, const struct us_field_text *f, struct us_query_node **out)
{
	struct us_query_node *node;
	struct us_bytes a, b, prefix_a = { NULL, 0 }, prefix_b = { NULL, 0 };
	uint64_t first = 0, last = UINT64_MAX;
	uint8_t *upper;
	size_t b_at;
	int range, err;

	range = split_range(f->value, &a, &b);
	b_at = f->value_at + (range ? a.n + 2 : 0);
	if (a.n == 0 && b.n == 0)
		return bad_bates(p, f->value_at);
	if (a.n != 0 && bates_number(a, &prefix_a, &first) != US_OK)
		return bad_bates(p, f->value_at);
	if (b.n != 0 && bates_number(b, &prefix_b, &last) != US_OK)
		return bad_bates(p, b_at);
	/* X000000001..20 is meant as X000000020 */
	if (prefix_a.n == 0)
		prefix_a = prefix_b;
	if (prefix_b.n != 0 && !equal_upper(prefix_a, prefix_b))
		return us_query_fail(p, US_ERR_FORMAT, b_at,
		    "the two ends have different prefixes");
	if (last < first)
		return us_query_fail(p, US_ERR_FORMAT, b_at, "the range ends before it begins");
	err = us_query_node(p, US_QUERY_BATES, f->at, 0, &node);
	if (err != US_OK)
		return err;
	upper = us_query_alloc(p->q, prefix_a.n + 1);
	if (upper == NULL)
		return US_ERR_NOMEM;
	for (size_t i = 0; i < prefix_a.n; i++)
		upper[i] = prefix_a.p[i] >= 'a' && prefix_a.p[i] <= 'z' ?
		    (uint8_t)(prefix_a.p[i] - 32) :
		    prefix_a.p[i];
	node->prefix = (struct us_bytes){ upper, prefix_a.n };
	node->first = first;
	node->last = last;
	*out = node;
	return US_OK;
}

static int
meta_node(struct us_parser *p, const struct us_field_text *f, enum us_query_field field,
    struct us_query_node **out)
{
	struct us_query_node *node;
	uint8_t folded[US_WORD_MAX], *copy;
	struct us_bytes v = { folded, 0 };
	int err;

	err = us_value_fold(f->value.p, f->value.n, folded, &v.n);
	if (err != US_OK)
		return err;
	if (v.n == 0)
		return us_query_fail(p, US_ERR_FORMAT, f->value_at,
		    "a value must follow, without a space: %s:value", us_query_field_name(field));
	if (f->value.n == 1 && f->value.p[0] == '*')
		return us_query_fail(p, US_ERR_FORMAT, f->value_at,
		    "wildcards are not supported yet");
	if (field == US_FIELD_ROLE && !us_bytes_is(v, "system") && !us_bytes_is(v, "user") &&
	    !us_bytes_is(v, "assistant") && !us_bytes_is(v, "tool"))
		return us_query_fail(p, US_ERR_FORMAT, f->value_at,
		    "a role is system, user, assistant or tool");
	err = us_query_node(p, US_QUERY_META, f->at, 0, &node);
	if (err != US_OK)
		return err;
	copy = us_query_alloc(p->q, v.n);
	if (copy == NULL)
		return US_ERR_NOMEM;
	memcpy(copy, folded, v.n);
	node->field = field;
	node->value = (struct us_bytes){ copy, v.n };
	*out = node;
	return US_OK;
}

int
us_query_field_node(struct us_parser *p, const struct us_field_text *f, struct us_query_node **out)
{
	char name[16] = "";
	enum us_query_field field;

	if (f->name.n < sizeof name)
		for (size_t i = 0; i < f->name.n; i++)
			name[i] = (char)(f->name.p[i] | 32);
	if (f->value.n == 0)
		return us_query_fail(p, US_ERR_FORMAT, f->value_at,
		    "a value must follow the colon, without a space");
	if (strcmp(name, "date") == 0 || strcmp(name, "created") == 0)
		return date_node(p, f, out);
	if (strcmp(name, "bates") == 0)
		return bates_node(p, f, out);
	for (field = US_FIELD_MODEL; field <= US_FIELD_ROLE; field++)
		if (strcmp(name, us_query_field_name(field)) == 0)
			return meta_node(p, f, field, out);
	return us_query_fail(p, US_ERR_FORMAT, f->at,
	    "no such field; there are model language designation role date created bates. Text "
	    "with a colon goes in quotation marks");
}
