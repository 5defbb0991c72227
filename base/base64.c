#include "base/base64.h"

#include "base/err.h"

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

#define NO 64 /* not of the alphabet */

/* What a character stands for. By a table, for branches on random characters are guessed wrong half
 * of the time. */
static const uint8_t value_of[256] = {
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	62,
	NO,
	NO,
	NO,
	63,
	52,
	53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	26,
	27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
	NO,
};

static uint32_t
value(char c)
{
	return value_of[(uint8_t)c];
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
	for (; size - at >= 3; s += 4) {
		const uint32_t a = value(s[0]), b = value(s[1]), c = value(s[2]), d = value(s[3]);

		if ((a | b | c | d) >= NO)
			return US_ERR_FORMAT;
		to[at++] = (uint8_t)(a << 2 | b >> 4);
		to[at++] = (uint8_t)(b << 4 | c >> 2);
		to[at++] = (uint8_t)(c << 6 | d);
	}
	if (at < size) { /* one or two bytes, and bits of zero behind them */
		const uint32_t a = value(s[0]), b = value(s[1]),
			       c = size - at == 2 ? value(s[2]) : 0;

		if ((a | b | c) >= NO || (size - at == 2 ? c & 3 : b & 15) != 0)
			return US_ERR_FORMAT;
		to[at++] = (uint8_t)(a << 2 | b >> 4);
		if (at < size)
			to[at] = (uint8_t)(b << 4 | c >> 2);
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
