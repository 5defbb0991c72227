#include "common/base64.h"

#include "common/err.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits[] = "0123456789abcdef";

void
us_base64_encode(const void *data, size_t n, char *out)
{
	const uint8_t *p = data;
	uint32_t v;

	for (; n >= 3; n -= 3, p += 3) {
		v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = alphabet[v >> 6 & 63];
		*out++ = alphabet[v & 63];
	}
	if (n != 0) {
		v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = n == 2 ? alphabet[v >> 6 & 63] : '=';
		*out++ = '=';
	}
	*out = '\0';
}

int
us_base64_put(struct us_buf *b, const void *p, size_t n)
{
	uint8_t *to;
	int err;

	if (n == 0)
		return US_OK;
	if (n > SIZE_MAX / 2)
		return US_ERR_LIMIT;
	err = us_buf_reserve(b, US_BASE64_SIZE(n) + 1, &to);
	if (err != US_OK)
		return err;
	us_base64_encode(p, n, (char *)to);
	b->len += US_BASE64_SIZE(n);
	return US_OK;
}

/* 0 .. 63, or 64 for what is not of the alphabet. */
static uint32_t
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Bytes that n characters of text stand for, by length and padding alone. */
static int
decoded_size(const char *s, size_t n, size_t *out)
{
	if (n % 4 != 0)
		return US_ERR_FORMAT;
	*out = n / 4 * 3;
	if (n != 0 && s[n - 1] == '=')
		*out -= s[n - 2] == '=' ? 2 : 1;
	return US_OK;
}

int
us_base64_decode(const char *s, size_t n, void *out, size_t out_max, size_t *out_n)
{
	uint8_t *to = out;
	size_t size, at = 0;
	int err = decoded_size(s, n, &size);

	if (err != US_OK)
		return err;
	if (size > out_max)
		return US_ERR_LIMIT;
	for (size_t i = 0; i < n; i += 4) {
		size_t take = size - at < 3 ? size - at : 3; /* 1, 2 or 3 bytes of this group */
		uint32_t a = value_of(s[i]), b = value_of(s[i + 1]);
		uint32_t c = take > 1 ? value_of(s[i + 2]) : 0, d = take > 2 ? value_of(s[i + 3]) : 0;
		uint32_t v = a << 18 | b << 12 | c << 6 | d;

		if ((a | b | c | d) > 63 || (take < 3 && (v & (take == 2 ? 0xffu : 0xffffu)) != 0))
			return US_ERR_FORMAT;
		to[at++] = (uint8_t)(v >> 16);
		if (take > 1)
			to[at++] = (uint8_t)(v >> 8);
		if (take > 2)
			to[at++] = (uint8_t)v;
	}
	*out_n = size;
	return US_OK;
}

int
us_base64_take(struct us_buf *b, const char *s, size_t n)
{
	uint8_t *to;
	size_t size, at = b->len;
	int err = decoded_size(s, n, &size);

	if (err != US_OK || size == 0)
		return err;
	err = us_buf_extend(b, size, &to);
	if (err != US_OK)
		return err;
	err = us_base64_decode(s, n, to, size, &size);
	if (err != US_OK)
		b->len = at;
	return err;
}

void
us_hex_encode(const void *data, size_t n, char *out)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

int
us_hex_put(struct us_buf *b, const void *p, size_t n)
{
	uint8_t *to;
	int err;

	if (n == 0)
		return US_OK;
	if (n > SIZE_MAX / 2 - 1)
		return US_ERR_LIMIT;
	err = us_buf_reserve(b, 2 * n + 1, &to);
	if (err != US_OK)
		return err;
	us_hex_encode(p, n, (char *)to);
	b->len += 2 * n;
	return US_OK;
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
us_hex_decode(const char *s, size_t n, void *out, size_t out_n)
{
	uint8_t *to = out;

	if (n % 2 != 0 || n / 2 != out_n)
		return US_ERR_FORMAT;
	for (size_t i = 0; i < out_n; i++) {
		int hi = nibble(s[2 * i]), lo = nibble(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return US_ERR_FORMAT;
		to[i] = (uint8_t)(hi << 4 | lo);
	}
	return US_OK;
}
