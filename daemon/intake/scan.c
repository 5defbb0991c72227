#include "daemon/intake/scan.h"

#include "base/utf8.h"

/* A character that is cut off by the end of the line, rather than wrong. */
static int
is_cut_character(const uint8_t *p, size_t n)
{
	size_t want = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 1;

	if (p[0] > 0xf4 || n >= want)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return 1;
}

/* The value of four hexadecimal digits, or UINT32_MAX. */
static uint32_t
hex4(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	if (n < 4)
		return UINT32_MAX;
	for (int i = 0; i < 4; i++) {
		uint8_t c = p[i] | 0x20;

		if (p[i] >= '0' && p[i] <= '9')
			v = v << 4 | (uint32_t)(p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return UINT32_MAX;
	}
	return v;
}

/* From behind an opening quote to behind the closing one (or the end of the line). */
static enum us_defect
scan_string(const uint8_t *p, size_t n, size_t *used)
{
	size_t i = 0;

	while (i < n && p[i] != '"') {
		uint32_t c, low;

		if (p[i] < 0x20)
			return US_DEFECT_CONTROL_CHARACTER;
		if (p[i++] != '\\')
			continue;
		if (i == n || p[i++] != 'u')
			continue;
		c = hex4(p + i, n - i);
		if (c == UINT32_MAX || c < 0xd800 || c > 0xdfff)
			continue; /* not hexadecimal: the parser says so */
		if (c >= 0xdc00)
			return US_DEFECT_LONE_SURROGATE;
		if (n - i < 10) {
			/* perhaps cut off before its partner came: not if the string goes on */
			for (size_t k = i + 4; k < n; k++) {
				if (p[k] == '"')
					return US_DEFECT_LONE_SURROGATE;
			}
			i = n;
			break;
		}
		low = p[i + 4] == '\\' && p[i + 5] == 'u' ? hex4(p + i + 6, n - i - 6) : UINT32_MAX;
		if (low < 0xdc00 || low > 0xdfff)
			return US_DEFECT_LONE_SURROGATE;
		i += 10;
	}
	*used = i < n ? i + 1 : n;
	return US_DEFECT_NONE;
}

enum us_defect
us_scan_line(struct us_bytes line, unsigned depth_max)
{
	size_t valid = us_utf8_valid_prefix(line.p, line.n), used;
	enum us_defect defect;
	unsigned depth = 0;

	if (valid < line.n)
		return is_cut_character(line.p + valid, line.n - valid) ? US_DEFECT_TRUNCATED_JSON :
									  US_DEFECT_INVALID_UTF8;
	for (size_t i = 0; i < line.n;) {
		uint8_t c = line.p[i++];

		if (c == '"') {
			defect = scan_string(line.p + i, line.n - i, &used);
			if (defect != US_DEFECT_NONE)
				return defect;
			i += used;
		} else if (c == '[' || c == '{') {
			if (++depth > depth_max)
				return US_DEFECT_TOO_DEEP;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		} else if (c < 0x20 && c != '\t' && c != '\r' && c != '\n') {
			return US_DEFECT_INVALID_JSON; /* yajl takes form feeds for white space */
		}
	}
	return US_DEFECT_NONE;
}
