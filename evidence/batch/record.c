#include "evidence/batch/record.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define SPAN_SIZE 9u

int
us_container_encode(struct us_buf *out, const struct us_span *spans, size_t n,
    struct us_bytes source)
{
	size_t end = 0;
	uint8_t *p;
	int err;

	if (n > US_MESSAGES_MAX || source.n > US_RECORD_MAX)
		return US_ERR_LIMIT;
	for (size_t i = 0; i < n; i++) {
		if (us_message_role_name(spans[i].role) == NULL || spans[i].offset < end ||
		    spans[i].offset > source.n || spans[i].length > source.n - spans[i].offset)
			return US_ERR_ARG;
		end = (size_t)spans[i].offset + spans[i].length;
	}
	err = us_buf_extend(out, 4 + n * SPAN_SIZE + source.n, &p);
	if (err != US_OK)
		return err;
	p[0] = 1;
	p[1] = 0;
	us_store_u16(p + 2, (uint16_t)n);
	p += 4;
	for (size_t i = 0; i < n; i++, p += SPAN_SIZE) {
		p[0] = spans[i].role;
		us_store_u32(p + 1, spans[i].offset);
		us_store_u32(p + 5, spans[i].length);
	}
	if (source.n > 0)
		memcpy(p, source.p, source.n);
	return US_OK;
}

static struct us_span
span_at(const uint8_t *p)
{
	return (struct us_span){ p[0], us_load_u32(p + 1), us_load_u32(p + 5) };
}

int
us_container_decode(struct us_container *c, struct us_bytes bytes)
{
	struct us_container t;
	struct us_reader r;
	size_t end = 0;

	us_reader_init(&r, bytes.p, bytes.n);
	if (us_take_u8(&r) != 1)
		us_reader_fail(&r, US_ERR_FORMAT);
	if (us_take_u8(&r) != 0)
		us_reader_fail(&r, US_ERR_FORMAT);
	t.messages = us_take_u16(&r);
	t.spans = us_take(&r, t.messages * (size_t)SPAN_SIZE);
	if (r.err)
		return r.err;
	t.source = us_take(&r, r.left);
	if (t.source.n > US_RECORD_MAX)
		return US_ERR_LIMIT;
	for (size_t i = 0; i < t.messages; i++) {
		struct us_span s = span_at(t.spans.p + i * SPAN_SIZE);

		if (us_message_role_name(s.role) == NULL)
			return US_ERR_FORMAT;
		if (s.offset < end || s.offset > t.source.n || s.length > t.source.n - s.offset)
			return US_ERR_RANGE;
		end = (size_t)s.offset + s.length;
	}
	*c = t;
	return US_OK;
}

struct us_span
us_container_span(const struct us_container *c, size_t i)
{
	return span_at(c->spans.p + i * SPAN_SIZE);
}

static int
hex4(const uint8_t *p, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t c = p[i];
		uint32_t d;

		if (c >= '0' && c <= '9')
			d = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			d = (uint32_t)((c | 0x20) - 'a') + 10;
		else
			return US_ERR_FORMAT;
		v = v << 4 | d;
	}
	*out = v;
	return US_OK;
}

/* One \u escape (or pair of them) at p, which points behind the "\u"; *used gets its length. */
static int
unescape_u(const uint8_t *p, size_t left, uint8_t out[4], size_t *n, size_t *used)
{
	uint32_t c, low;

	if (left < 4 || hex4(p, &c))
		return US_ERR_FORMAT;
	*used = 4;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (left < 10 || p[4] != '\\' || p[5] != 'u' || hex4(p + 6, &low) || low < 0xdc00 ||
		    low > 0xdfff)
			return US_ERR_FORMAT;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		*used = 10;
	}
	*n = us_utf8_encode(c, out);
	return *n == 0 ? US_ERR_FORMAT : US_OK;
}

static int
unescape(struct us_bytes in, uint8_t *out, size_t *out_n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	size_t n = 0, i = 0, used, len;
	const char *known;
	int err;

	while (i < in.n) {
		uint8_t c = in.p[i++];

		if (c < 0x20 || c == '"')
			return US_ERR_FORMAT;
		if (c != '\\') {
			out[n++] = c;
			continue;
		}
		if (i == in.n)
			return US_ERR_FORMAT;
		c = in.p[i++];
		if (c == 'u') {
			err = unescape_u(in.p + i, in.n - i, out + n, &len, &used);
			if (err != US_OK)
				return err;
			n += len; /* at most 4 bytes for the 6 or 12 they stand for */
			i += used;
			continue;
		}
		known = c == 0 ? NULL : strchr(from, c);
		if (known == NULL)
			return US_ERR_FORMAT;
		out[n++] = (uint8_t)to[known - from];
	}
	*out_n = n;
	return us_utf8_valid(out, n) ? US_OK : US_ERR_FORMAT;
}

int
us_container_content(const struct us_container *c, size_t i, struct us_buf *out)
{
	struct us_span s;
	size_t n, had = out->len;
	uint8_t *p;
	int err;

	if (i >= c->messages)
		return US_ERR_RANGE;
	s = us_container_span(c, i);
	if (s.length == 0)
		return US_OK;
	err = us_buf_extend(out, s.length, &p);
	if (err != US_OK)
		return err;
	err = unescape((struct us_bytes){ c->source.p + s.offset, s.length }, p, &n);
	out->len = had + (err ? 0 : n);
	return err;
}
