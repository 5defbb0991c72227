#include "daemon/intake/native_value.h"

#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "evidence/query/words.h"

/* 1990-01-01T00:00:00Z: no conversation with a machine of the kind that is in evidence is older. */
#define CREATED_MIN (INT64_C(631152000) * US_NS_PER_SECOND)

void
us_native_defect(struct us_native *p, enum us_defect d)
{
	if (p->defect == US_DEFECT_NONE)
		p->defect = d;
}

static int
keep(struct us_native *p, const unsigned char *s, size_t n, struct us_intake_text *out)
{
	*out = (struct us_intake_text){ p->text.len, n };
	p->err = us_buf_put(&p->text, s, n);
	return p->err == US_OK;
}

/* A value that has nothing left once it is folded would be no designation in the index: one that
 * was meant, and lost. */
static int
is_blank(struct us_native *p, const unsigned char *s, size_t n)
{
	uint8_t folded[US_WORD_MAX];
	size_t folded_n = 0;
	int err = us_value_fold(s, n, folded, &folded_n);

	if (err != US_OK)
		p->err = err;
	return folded_n == 0;
}

/* Whether the text begins with a year that us_time_parse() reads: then it is the rest that is
 * wrong. */
static int
year_is_ours(const unsigned char *s, size_t n)
{
	int year = 0;

	for (size_t i = 0; i < 4 && i < n; i++)
		year = 10 * year + (s[i] - '0');
	return year >= 1970 && year <= 2261;
}

static void
check_time(struct us_native *p, const unsigned char *s, size_t n, int64_t *out)
{
	int64_t ns;
	int err = us_time_parse((const char *)s, n, &ns);

	if (err == US_ERR_RANGE && !year_is_ours(s, n)) {
		us_native_defect(p, US_DEFECT_TIMESTAMP_OUT_OF_RANGE);
	} else if (err != US_OK) {
		us_native_defect(p, US_DEFECT_BAD_TIMESTAMP);
	} else if (ns < CREATED_MIN || ns > p->now_ns + US_NS_PER_DAY) {
		us_native_defect(p, US_DEFECT_TIMESTAMP_OUT_OF_RANGE);
	} else if (out != NULL) {
		*out = ns;
	}
}

static uint8_t
role_of(const unsigned char *s, size_t n)
{
	for (unsigned r = US_MESSAGE_SYSTEM; r <= US_MESSAGE_TOOL; r++) {
		if (us_bytes_is((struct us_bytes){ s, n }, us_message_role_name(r)))
			return (uint8_t)r;
	}
	return 0;
}

/* The literal that yajl has just read ends before the byte it stands at; inside it every quote
 * has an odd number of backslashes before it, the opening one has none. */
static struct us_span
literal(const struct us_native *p)
{
	const uint8_t *l = p->line.p;
	size_t end = yajl_get_bytes_consumed(p->yajl) - 1, at = end, slashes;

	do {
		at--;
		slashes = 0;
		while (l[at] == '"' && slashes < at && l[at - 1 - slashes] == '\\')
			slashes++;
	} while (l[at] != '"' || slashes % 2 != 0);
	return (struct us_span){ 0, (uint32_t)(at + 1), (uint32_t)(end - at - 1) };
}

static int
content(struct us_native *p, const unsigned char *s, size_t n)
{
	const uint8_t *at = (const uint8_t *)s;

	if (at >= p->line.p && at + n <= p->line.p + p->line.n)
		p->spans[p->messages] = (struct us_span){ 0, (uint32_t)(at - p->line.p),
			(uint32_t)n };
	else
		p->spans[p->messages] = literal(p);
	return keep(p, s, n, &p->contents[p->messages]);
}

static int
record_string(struct us_native *p, const unsigned char *s, size_t n)
{
	switch (p->key) {
	case KEY_ID:
		if (n == 0 || n > US_SOURCE_ID_MAX) {
			us_native_defect(p, US_DEFECT_BAD_ID);
			return 1;
		}
		return keep(p, s, n, &p->id);
	case KEY_CREATED:
		check_time(p, s, n, &p->created_ns);
		return 1;
	case KEY_MODEL:
		return keep(p, s, n, &p->model);
	case KEY_LANGUAGE:
		return keep(p, s, n, &p->language);
	case KEY_DESIGNATION:
		if (n == 0 || n > US_DESIGNATION_MAX || is_blank(p, s, n))
			us_native_defect(p, US_DEFECT_UNKNOWN_DESIGNATION);
		return p->err == US_OK ? keep(p, s, n, &p->designation) : 0;
	case KEY_MESSAGES:
		us_native_defect(p, US_DEFECT_WRONG_TYPE);
		return 1;
	default:
		return 1;
	}
}

int
us_native_string(void *ctx, const unsigned char *s, size_t n)
{
	struct us_native *p = ctx;

	if (p->skip > 0)
		return 1;
	switch (p->place) {
	case TOP:
		us_native_defect(p, US_DEFECT_NOT_AN_OBJECT);
		return 1;
	case RECORD:
		return record_string(p, s, n);
	case MESSAGES:
		us_native_defect(p, US_DEFECT_WRONG_TYPE);
		return 1;
	case MESSAGE:
		break;
	}
	if (p->key == KEY_ROLE) {
		p->role = role_of(s, n);
		if (p->role == 0)
			us_native_defect(p, US_DEFECT_UNKNOWN_ROLE);
	} else if (p->key == KEY_CONTENT) {
		return content(p, s, n);
	} else if (p->key == KEY_TIME) {
		check_time(p, s, n, NULL);
	}
	return 1;
}

int
us_native_other(struct us_native *p, int is_null)
{
	const unsigned optional = KEY_CREATED | KEY_MODEL | KEY_LANGUAGE | KEY_DESIGNATION |
	    KEY_TIME;

	if (p->skip > 0)
		return 1;
	switch (p->place) {
	case TOP:
		us_native_defect(p, US_DEFECT_NOT_AN_OBJECT);
		break;
	case MESSAGES:
		us_native_defect(p, US_DEFECT_WRONG_TYPE);
		break;
	case RECORD:
	case MESSAGE:
		if (p->key != KEY_OTHER && !(is_null && (p->key & optional) != 0))
			us_native_defect(p, US_DEFECT_WRONG_TYPE);
		break;
	}
	return 1;
}

int
us_native_null(void *ctx)
{
	return us_native_other(ctx, 1);
}

int
us_native_boolean(void *ctx, int value)
{
	(void)value;
	return us_native_other(ctx, 0);
}

int
us_native_number(void *ctx, const char *s, size_t n)
{
	(void)s;
	(void)n;
	return us_native_other(ctx, 0);
}
