#include "daemon/front/target.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Characters that may stand unencoded: pchar of RFC 3986, and "/" and "?" in a query. */
static int
is_plain(uint8_t c, int in_query)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return 1;
	if (c == '/' || c == '?')
		return in_query;
	return c != '\0' && strchr("-._~!$'()*+,;:@=", c) != NULL;
}

/* No control characters, neither C0 nor DEL nor, in UTF-8, C1. */
static int
is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return 0;
		if (p[i] == 0xc2 && i + 1 < n && p[i + 1] < 0xa0)
			return 0;
	}
	return us_utf8_valid(p, n);
}

/* Decodes raw[0..n) behind what text holds. */
static int
take_part(struct us_target *t, const uint8_t *raw, size_t n, int in_query, struct us_bytes *out)
{
	uint8_t *to = t->text + t->text_n;
	size_t at = 0;
	int high, low;

	if (n > sizeof t->text - t->text_n)
		return US_ERR_LIMIT;
	for (size_t i = 0; i < n; i++) {
		if (raw[i] != '%') {
			if (!is_plain(raw[i], in_query))
				return US_ERR_FORMAT;
			to[at++] = raw[i];
			continue;
		}
		if (n - i < 3)
			return US_ERR_FORMAT;
		high = hex_value(raw[i + 1]);
		low = hex_value(raw[i + 2]);
		if (high < 0 || low < 0)
			return US_ERR_FORMAT;
		to[at++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	if (!is_text(to, at))
		return US_ERR_FORMAT;
	*out = (struct us_bytes){ to, at };
	t->text_n += at;
	return US_OK;
}

static int
add_segment(struct us_target *t, const uint8_t *raw, size_t n)
{
	struct us_bytes part;
	int err;

	if (t->segment_n == US_TARGET_SEGMENTS)
		return US_ERR_LIMIT;
	err = take_part(t, raw, n, 0, &part);
	if (err != US_OK)
		return err;
	if (part.n == 0 || memchr(part.p, '/', part.n) != NULL || us_bytes_is(part, ".") ||
	    us_bytes_is(part, ".."))
		return US_ERR_FORMAT;
	t->segment[t->segment_n++] = part;
	return US_OK;
}

static int
add_query(struct us_target *t, const uint8_t *raw, size_t n)
{
	const uint8_t *sign = n == 0 ? NULL : memchr(raw, '=', n);
	struct us_target_query *q;
	size_t name_n;
	int err;

	if (sign == NULL || sign == raw)
		return US_ERR_FORMAT;
	if (t->query_n == US_TARGET_QUERIES)
		return US_ERR_LIMIT;
	name_n = (size_t)(sign - raw);
	q = &t->query[t->query_n];
	err = take_part(t, raw, name_n, 1, &q->name);
	if (err == US_OK)
		err = take_part(t, sign + 1, n - name_n - 1, 1, &q->value);
	if (err != US_OK)
		return err;
	for (size_t i = 0; i < t->query_n; i++)
		if (t->query[i].name.n == q->name.n &&
		    memcmp(t->query[i].name.p, q->name.p, q->name.n) == 0)
			return US_ERR_FORMAT;
	t->query_n++;
	return US_OK;
}

/* Calls add for each part between separators. */
static int
split(struct us_target *t, const uint8_t *p, size_t n, int separator,
    int (*add)(struct us_target *, const uint8_t *, size_t))
{
	const uint8_t *next;
	size_t part;
	int err;

	for (;;) {
		next = n == 0 ? NULL : memchr(p, separator, n);
		part = next == NULL ? n : (size_t)(next - p);
		err = add(t, p, part);
		if (err != US_OK || next == NULL)
			return err;
		p += part + 1;
		n -= part + 1;
	}
}

int
us_target_parse(struct us_target *t, struct us_bytes raw)
{
	const uint8_t *mark;
	size_t path_n;
	int err;

	t->segment_n = t->query_n = t->text_n = 0;
	if (raw.n > US_TARGET_MAX)
		return US_ERR_LIMIT;
	if (raw.n < 2 || raw.p[0] != '/')
		return US_ERR_FORMAT;
	mark = memchr(raw.p, '?', raw.n);
	path_n = mark == NULL ? raw.n : (size_t)(mark - raw.p);
	err = split(t, raw.p + 1, path_n - 1, '/', add_segment);
	if (err == US_OK && mark != NULL)
		err = split(t, mark + 1, raw.n - path_n - 1, '&', add_query);
	return err;
}

const struct us_bytes *
us_target_query(const struct us_target *t, const char *name)
{
	for (size_t i = 0; i < t->query_n; i++)
		if (us_bytes_is(t->query[i].name, name))
			return &t->query[i].value;
	return NULL;
}

int
us_percent_decode(struct us_bytes raw, uint8_t *out, size_t max, size_t *n)
{
	size_t at = 0;
	int high, low;
	uint8_t c;

	for (size_t i = 0; i < raw.n; i++) {
		c = raw.p[i];
		if (c < 0x20 || c > 0x7e)
			return US_ERR_FORMAT;
		if (c == '%') {
			if (raw.n - i < 3)
				return US_ERR_FORMAT;
			high = hex_value(raw.p[i + 1]);
			low = hex_value(raw.p[i + 2]);
			if (high < 0 || low < 0)
				return US_ERR_FORMAT;
			c = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (at == max)
			return US_ERR_LIMIT;
		out[at++] = c;
	}
	if (!is_text(out, at))
		return US_ERR_FORMAT;
	*n = at;
	return US_OK;
}
