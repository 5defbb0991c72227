#include "policy/yaml/zone.h"

#include <stdio.h>
#include <string.h>

#define ZONE_FILE_MAX 65536u
#define NAME_MAX_BYTES 64u
#define POSIX_MAX 64u

/* Letters, digits, _ + - and single slashes between: nothing that leaves the database's folder. */
static int
name_ok(const char *name, size_t n)
{
	if (n == 0 || n > NAME_MAX_BYTES || name[0] == '/' || name[n - 1] == '/')
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char c = name[i];
		const int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && c != '_' && c != '+' && c != '-' && (c != '/' || name[i - 1] == '/'))
			return 0;
	}
	return 1;
}

/* The footer stands between the last two newlines. */
static int
footer_of(const char *bytes, size_t n, struct us_buf *out)
{
	size_t end, start;

	if (n < 44 || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2' || bytes[n - 1] != '\n')
		return US_ERR_FORMAT;
	end = n - 1;
	for (start = end; start > 0 && bytes[start - 1] != '\n'; start--)
		;
	if (start == 0 || end == start || end - start > POSIX_MAX)
		return US_ERR_FORMAT;
	return us_buf_put(out, bytes + start, end - start);
}

int
us_zone_posix_of(const char *name, size_t n, struct us_buf *out)
{
	char path[32 + NAME_MAX_BYTES];
	char bytes[ZONE_FILE_MAX];
	size_t got;
	FILE *f;

	if (!name_ok(name, n))
		return US_ERR_NOT_FOUND;
	if (n == 3 && memcmp(name, "UTC", 3) == 0)
		return us_buf_put(out, "UTC0", 4);
	(void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", (int)n, name);
	f = fopen(path, "rbe");
	if (f == NULL)
		return US_ERR_NOT_FOUND;
	got = fread(bytes, 1, sizeof bytes, f);
	(void)fclose(f);
	return got == sizeof bytes ? US_ERR_LIMIT : footer_of(bytes, got, out);
}
