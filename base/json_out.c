#include "base/json_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"

static void
fail(struct us_json *j, int err)
{
	if (j->err == US_OK)
		j->err = err;
}

static void
put(struct us_json *j, const void *p, size_t n)
{
	if (j->err == US_OK)
		fail(j, us_buf_put(j->b, p, n));
}

/* What stands before a value: a comma if one went before, nothing behind a key. */
static void
before_value(struct us_json *j)
{
	if (j->depth == 0) {
		if (j->done)
			fail(j, US_ERR_STATE);
		j->done = 1;
		return;
	}
	if (j->in_object[j->depth - 1]) {
		if (!j->after_key)
			fail(j, US_ERR_STATE);
		j->after_key = 0;
		return;
	}
	if (j->has_items[j->depth - 1])
		put(j, ",", 1);
	j->has_items[j->depth - 1] = 1;
}

void
us_json_begin(struct us_json *j, struct us_buf *b)
{
	*j = (struct us_json){ .b = b };
}

void
us_json_fail(struct us_json *j, int err)
{
	if (j->err == US_OK)
		j->err = err;
}

int
us_json_end(struct us_json *j)
{
	if (j->depth != 0 || !j->done)
		fail(j, US_ERR_STATE);
	return j->err;
}

static void
open_level(struct us_json *j, int object)
{
	before_value(j);
	if (j->depth == US_JSON_DEPTH_MAX) {
		fail(j, US_ERR_LIMIT);
		return;
	}
	j->in_object[j->depth] = (uint8_t)object;
	j->has_items[j->depth] = 0;
	j->depth++;
	put(j, object ? "{" : "[", 1);
}

void
us_json_object(struct us_json *j)
{
	open_level(j, 1);
}

void
us_json_array(struct us_json *j)
{
	open_level(j, 0);
}

void
us_json_close(struct us_json *j)
{
	if (j->depth == 0 || j->after_key) {
		fail(j, US_ERR_STATE);
		return;
	}
	j->depth--;
	put(j, j->in_object[j->depth] ? "}" : "]", 1);
}

void
us_json_key(struct us_json *j, const char *key)
{
	if (j->depth == 0 || !j->in_object[j->depth - 1] || j->after_key) {
		fail(j, US_ERR_STATE);
		return;
	}
	if (j->has_items[j->depth - 1])
		put(j, ",", 1);
	j->has_items[j->depth - 1] = 1;
	if (j->err == US_OK)
		fail(j, us_json_put_string(j->b, us_bytes_of(key)));
	put(j, ":", 1);
	j->after_key = 1;
}

/* Two characters of the short escapes, by what they stand for; 0: there is none. */
static char
short_escape(uint8_t c)
{
	switch (c) {
	case '"':
		return '"';
	case '\\':
		return '\\';
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

/* The escape of the character at p (valid UTF-8, n bytes left): its text in out, its length in
 * *out_n, and how many bytes it replaces; 0 if it stands for itself. Receipts are full of line
 * ends, so the short ones are written without the formatting functions. */
static size_t
escape(const uint8_t *p, size_t n, char out[8], size_t *out_n)
{
	static const char digits[] = "0123456789abcdef";

	out[0] = '\\';
	*out_n = 2;
	out[1] = short_escape(p[0]);
	if (out[1] != 0)
		return 1;
	*out_n = 6;
	if (p[0] < 0x20 || p[0] == 0x7f) {
		memcpy(out + 1, "u00", 3);
		out[4] = digits[p[0] >> 4];
		out[5] = digits[p[0] & 15];
		return 1;
	}
	/* U+2028 and U+2029 end lines in JavaScript */
	if (p[0] == 0xe2 && n >= 3 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
		memcpy(out + 1, p[2] == 0xa8 ? "u2028" : "u2029", 5);
		return 3;
	}
	return 0;
}

int
us_json_put_string(struct us_buf *b, struct us_bytes s)
{
	size_t run = 0, at = b->len;
	char text[8];
	int err;

	if (!us_utf8_valid(s.p, s.n))
		return US_ERR_ENCODING;
	err = us_buf_put(b, "\"", 1);
	for (size_t i = 0; i < s.n && err == US_OK;) {
		uint8_t c = s.p[i];
		size_t len, text_n;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			i++;
			continue;
		}
		len = escape(s.p + i, s.n - i, text, &text_n);
		if (len == 0) {
			i++;
			continue;
		}
		err = us_buf_put(b, s.p + run, i - run);
		if (err == US_OK)
			err = us_buf_put(b, text, text_n);
		i += len;
		run = i;
	}
	if (err == US_OK && s.n != run)
		err = us_buf_put(b, s.p + run, s.n - run);
	if (err == US_OK)
		err = us_buf_put(b, "\"", 1);
	if (err != US_OK)
		b->len = at;
	return err;
}

void
us_json_str(struct us_json *j, struct us_bytes s)
{
	before_value(j);
	if (j->err == US_OK)
		fail(j, us_json_put_string(j->b, s));
}

void
us_json_cstr(struct us_json *j, const char *s)
{
	if (s == NULL)
		us_json_null(j);
	else
		us_json_str(j, us_bytes_of(s));
}

static void
literal(struct us_json *j, const char *text)
{
	before_value(j);
	put(j, text, strlen(text));
}

void
us_json_int(struct us_json *j, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRId64, v);
	literal(j, text);
}

void
us_json_uint(struct us_json *j, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, v);
	literal(j, text);
}

void
us_json_bool(struct us_json *j, int v)
{
	literal(j, v ? "true" : "false");
}

void
us_json_null(struct us_json *j)
{
	literal(j, "null");
}

static void
encoded(struct us_json *j, int (*encode)(struct us_buf *, const void *, size_t), const void *p,
    size_t n)
{
	before_value(j);
	put(j, "\"", 1);
	if (j->err == US_OK)
		fail(j, encode(j->b, p, n));
	put(j, "\"", 1);
}

void
us_json_hex(struct us_json *j, const void *p, size_t n)
{
	encoded(j, us_hex_put, p, n);
}

void
us_json_base64(struct us_json *j, const void *p, size_t n)
{
	encoded(j, us_base64_put, p, n);
}

void
us_json_time(struct us_json *j, int64_t ns)
{
	char text[US_TIME_TEXT_SIZE];

	us_json_cstr(j, us_time_format(ns, text));
}

void
us_json_kv_str(struct us_json *j, const char *key, struct us_bytes s)
{
	us_json_key(j, key);
	us_json_str(j, s);
}

void
us_json_kv_cstr(struct us_json *j, const char *key, const char *s)
{
	us_json_key(j, key);
	us_json_cstr(j, s);
}

void
us_json_kv_int(struct us_json *j, const char *key, int64_t v)
{
	us_json_key(j, key);
	us_json_int(j, v);
}

void
us_json_kv_uint(struct us_json *j, const char *key, uint64_t v)
{
	us_json_key(j, key);
	us_json_uint(j, v);
}

void
us_json_kv_bool(struct us_json *j, const char *key, int v)
{
	us_json_key(j, key);
	us_json_bool(j, v);
}

void
us_json_kv_hex(struct us_json *j, const char *key, const void *p, size_t n)
{
	us_json_key(j, key);
	us_json_hex(j, p, n);
}

void
us_json_kv_time(struct us_json *j, const char *key, int64_t ns)
{
	us_json_key(j, key);
	us_json_time(j, ns);
}
