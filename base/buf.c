#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/err.h"

void
us_wipe(void *p, size_t n)
{
	if (p != NULL && n != 0)
		OPENSSL_cleanse(p, n);
}

int
us_equal_secret(const void *a, const void *b, size_t n)
{
	return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

struct us_bytes
us_bytes_of(const char *s)
{
	return (struct us_bytes){ (const uint8_t *)s, strlen(s) };
}

int
us_bytes_is(struct us_bytes b, const char *s)
{
	size_t n = strlen(s);

	return b.n == n && (n == 0 || memcmp(b.p, s, n) == 0);
}

void
us_buf_init(struct us_buf *b, size_t max)
{
	*b = (struct us_buf){ .max = max };
}

void
us_buf_free(struct us_buf *b)
{
	if (b == NULL)
		return;
	us_wipe(b->data, b->len);
	free(b->data);
	us_buf_init(b, b->max);
}

void
us_buf_reset(struct us_buf *b)
{
	us_wipe(b->data, b->len);
	b->len = 0;
}

void
us_buf_consume(struct us_buf *b, size_t n)
{
	if (n == 0)
		return;
	if (n >= b->len) {
		us_buf_reset(b);
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	us_wipe(b->data + b->len - n, n);
	b->len -= n;
}

int
us_buf_reserve(struct us_buf *b, size_t n, uint8_t **p)
{
	size_t cap;
	uint8_t *data;

	if (n > b->max - b->len)
		return US_ERR_LIMIT;
	if (n > b->cap - b->len) {
		cap = b->cap < 64 ? 64 : b->cap;
		while (cap - b->len < n)
			cap = cap > b->max / 2 ? b->max : cap * 2;
		if (cap > b->max)
			cap = b->max;
		/* not realloc(): the old copy must be wiped */
		data = malloc(cap);
		if (data == NULL)
			return US_ERR_NOMEM;
		if (b->len != 0)
			memcpy(data, b->data, b->len);
		us_wipe(b->data, b->len);
		free(b->data);
		b->data = data;
		b->cap = cap;
	}
	if (p != NULL)
		*p = b->data == NULL ? NULL : b->data + b->len;
	return US_OK;
}

int
us_buf_extend(struct us_buf *b, size_t n, uint8_t **p)
{
	int err = us_buf_reserve(b, n, p);

	if (err == US_OK)
		b->len += n;
	return err;
}

int
us_buf_put(struct us_buf *b, const void *p, size_t n)
{
	uint8_t *to;
	int err;

	if (n == 0)
		return US_OK;
	err = us_buf_extend(b, n, &to);
	if (err == US_OK)
		memcpy(to, p, n);
	return err;
}

int
us_buf_put_u8(struct us_buf *b, uint8_t v)
{
	return us_buf_put(b, &v, 1);
}

int
us_buf_put_u16(struct us_buf *b, uint16_t v)
{
	uint8_t x[2];

	us_store_u16(x, v);
	return us_buf_put(b, x, sizeof x);
}

int
us_buf_put_u32(struct us_buf *b, uint32_t v)
{
	uint8_t x[4];

	us_store_u32(x, v);
	return us_buf_put(b, x, sizeof x);
}

int
us_buf_put_u64(struct us_buf *b, uint64_t v)
{
	uint8_t x[8];

	us_store_u64(x, v);
	return us_buf_put(b, x, sizeof x);
}

/* Both parts or nothing. */
static int
put_prefixed(struct us_buf *b, const uint8_t *prefix, size_t prefix_len, const void *p, size_t n)
{
	uint8_t *to;
	int err;

	if (n > SIZE_MAX - prefix_len)
		return US_ERR_LIMIT;
	err = us_buf_extend(b, prefix_len + n, &to);
	if (err != US_OK)
		return err;
	memcpy(to, prefix, prefix_len);
	if (n != 0)
		memcpy(to + prefix_len, p, n);
	return US_OK;
}

int
us_buf_put_str16(struct us_buf *b, const void *p, size_t n)
{
	uint8_t prefix[2];

	if (n > UINT16_MAX)
		return US_ERR_LIMIT;
	us_store_u16(prefix, (uint16_t)n);
	return put_prefixed(b, prefix, sizeof prefix, p, n);
}

int
us_buf_put_str32(struct us_buf *b, const void *p, size_t n)
{
	uint8_t prefix[4];

	if (n > UINT32_MAX)
		return US_ERR_LIMIT;
	us_store_u32(prefix, (uint32_t)n);
	return put_prefixed(b, prefix, sizeof prefix, p, n);
}

int
us_buf_put_varint(struct us_buf *b, uint64_t v)
{
	uint8_t x[10];
	size_t n = 0;

	while (v >= 0x80) {
		x[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	x[n++] = (uint8_t)v;
	return us_buf_put(b, x, n);
}

int
us_buf_putf(struct us_buf *b, const char *format, ...)
{
	va_list ap;
	uint8_t *to;
	int n, err;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0)
		return US_ERR_FORMAT;
	err = us_buf_reserve(b, (size_t)n + 1, &to);
	if (err != US_OK)
		return err;
	va_start(ap, format);
	(void)vsnprintf((char *)to, (size_t)n + 1, format, ap);
	va_end(ap);
	b->len += (size_t)n;
	return US_OK;
}

const char *
us_buf_cstr(struct us_buf *b)
{
	uint8_t *end;

	if (us_buf_reserve(b, 1, &end) != US_OK)
		return NULL;
	*end = '\0';
	return (const char *)b->data;
}

void
us_reader_init(struct us_reader *r, const void *p, size_t n)
{
	*r = (struct us_reader){ .p = p, .left = n };
}

void
us_reader_fail(struct us_reader *r, int err)
{
	if (r->err == US_OK)
		r->err = err;
	r->left = 0;
}

struct us_bytes
us_take(struct us_reader *r, size_t n)
{
	struct us_bytes v = { NULL, 0 };

	if (r->err != US_OK || n > r->left) {
		us_reader_fail(r, US_ERR_TRUNCATED);
		return v;
	}
	if (n == 0)
		return v;
	v = (struct us_bytes){ r->p, n };
	r->p += n;
	r->left -= n;
	return v;
}

void
us_take_into(struct us_reader *r, void *out, size_t n)
{
	struct us_bytes v = us_take(r, n);

	if (n == 0)
		return;
	if (v.p == NULL)
		memset(out, 0, n);
	else
		memcpy(out, v.p, n);
}

uint8_t
us_take_u8(struct us_reader *r)
{
	struct us_bytes v = us_take(r, 1);

	return v.p == NULL ? 0 : v.p[0];
}

uint16_t
us_take_u16(struct us_reader *r)
{
	struct us_bytes v = us_take(r, 2);

	return v.p == NULL ? 0 : us_load_u16(v.p);
}

uint32_t
us_take_u32(struct us_reader *r)
{
	struct us_bytes v = us_take(r, 4);

	return v.p == NULL ? 0 : us_load_u32(v.p);
}

uint64_t
us_take_u64(struct us_reader *r)
{
	struct us_bytes v = us_take(r, 8);

	return v.p == NULL ? 0 : us_load_u64(v.p);
}

uint64_t
us_take_varint(struct us_reader *r)
{
	uint64_t v = 0;
	uint8_t byte;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		byte = us_take_u8(r);
		if (r->err != US_OK)
			return 0;
		if ((shift == 63 && byte > 1) || (shift != 0 && byte == 0))
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	us_reader_fail(r, US_ERR_FORMAT);
	return 0;
}

static struct us_bytes
take_prefixed(struct us_reader *r, size_t n, size_t max)
{
	if (r->err == US_OK && n > max)
		us_reader_fail(r, US_ERR_LIMIT);
	return us_take(r, n);
}

struct us_bytes
us_take_str16(struct us_reader *r, size_t max)
{
	return take_prefixed(r, us_take_u16(r), max);
}

struct us_bytes
us_take_str32(struct us_reader *r, size_t max)
{
	return take_prefixed(r, us_take_u32(r), max);
}

int
us_reader_end(const struct us_reader *r)
{
	if (r->err != US_OK)
		return r->err;
	return r->left == 0 ? US_OK : US_ERR_TRAILING;
}
