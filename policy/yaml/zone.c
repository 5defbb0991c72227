#include "policy/yaml/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "policy/calendar.h"

#define ZONE_FILE_MAX 65536u
#define NAME_MAX_BYTES 64u
#define POSIX_MAX 64u

/* Letters, digits, _ + - and single slashes between: nothing that leaves the database's folder. Not
 * a zone's name, though found in some folders: right/ (clocks that count leap seconds), posix/
 * (copies), localtime and posixrules (whatever this machine has). */
static int
name_ok(const char *name, size_t n)
{
	static const char *const no_zones[] = { "right/", "posix/", "localtime", "posixrules" };

	if (n == 0 || n > NAME_MAX_BYTES || name[0] == '/' || name[n - 1] == '/')
		return 0;
	for (size_t i = 0; i < US_COUNT(no_zones); i++)
		if (n >= strlen(no_zones[i]) && memcmp(name, no_zones[i], strlen(no_zones[i])) == 0)
			return 0;
	for (size_t i = 0; i < n; i++) {
		const char c = name[i];
		const int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9');

		if (!letter && c != '_' && c != '+' && c != '-' && (c != '/' || name[i - 1] == '/'))
			return 0;
	}
	return 1;
}

/* ---- the table of changes (RFC 8536, section 3.2) ---- */

#define HEADER 44u
#define FROM_S INT64_C(1767225600)  /* 2026-01-01T00:00:00Z: no order is older */
#define UNTIL_S INT64_C(9214646400) /* 2262-01-01T00:00:00Z: no clock of ours runs longer */
#define DAY_S 86400

struct us_yaml_table {
	const uint8_t *times;   /* n times of 8 bytes, ascending */
	const uint8_t *indices; /* n bytes: the type that begins then */
	const uint8_t *types;   /* n_types of 6 bytes: i32 offset, u8 is summer, u8 name */
	size_t n, n_types;
	size_t after; /* first byte behind the block */
};

/* A block's counts are read before anything is multiplied: each is bounded by the file's size
 * first. */
static int
table_of(const uint8_t *bytes, size_t n, size_t at, size_t time_size, struct us_yaml_table *t)
{
	size_t count[6], size;

	if (n < at || n - at < HEADER || memcmp(bytes + at, "TZif", 4) != 0)
		return US_ERR_FORMAT;
	for (size_t i = 0; i < 6; i++) {
		count[i] = us_load_u32(bytes + at + 20 + 4 * i);
		if (count[i] > n)
			return US_ERR_FORMAT;
	}
	/* isut, isstd, leap, time, type, char */
	if (count[2] != 0 || count[4] == 0)
		return US_ERR_FORMAT;
	size = count[3] * (time_size + 1) + count[4] * 6 + count[5] + count[1] + count[0];
	if (size > n - at - HEADER)
		return US_ERR_FORMAT;
	t->times = bytes + at + HEADER;
	t->indices = t->times + count[3] * time_size;
	t->types = t->indices + count[3];
	t->n = count[3];
	t->n_types = count[4];
	t->after = at + HEADER + size;
	for (size_t i = 0; i < t->n; i++)
		if (t->indices[i] >= t->n_types)
			return US_ERR_FORMAT;
	return US_OK;
}

static int64_t
time_at(const struct us_yaml_table *t, size_t i)
{
	return (int64_t)us_load_u64(t->times + 8 * i);
}

static int32_t
offset_of(const struct us_yaml_table *t, size_t type)
{
	return (int32_t)us_load_u32(t->types + 6 * type);
}

/* 1 if the rule gives this offset from .. until - 1, as far as that lies where we look: at both
 * ends and once a day between. */
static int
is_steady(const struct us_zone *zone, int64_t from, int64_t until, int32_t offset)
{
	if (from < FROM_S)
		from = FROM_S;
	if (until > UNTIL_S)
		until = UNTIL_S;
	for (int64_t s = from; s < until; s += DAY_S)
		if (us_zone_offset(zone, s) != offset)
			return 0;
	return from >= until || us_zone_offset(zone, until - 1) == offset;
}

/* The rule must say what the table says, from 2026 to the table's last change; behind it the rule
 * is all there is. Before the first change the first type holds. */
static int
agree(const struct us_yaml_table *t, const struct us_zone *zone)
{
	int32_t offset = offset_of(t, 0);
	int64_t from = INT64_MIN;

	for (size_t i = 0; i < t->n; i++) {
		const int64_t until = time_at(t, i);

		if (i > 0 && until <= from)
			return US_ERR_FORMAT;
		if (!is_steady(zone, from, until, offset))
			return US_ERR_RANGE;
		from = until;
		offset = offset_of(t, t->indices[i]);
	}
	/* the last change itself: the rule has taken over */
	if (t->n == 0 || from >= UNTIL_S)
		return US_OK;
	return is_steady(zone, from, (from < FROM_S ? FROM_S : from) + 1, offset) ? US_OK :
										    US_ERR_RANGE;
}

/* The footer stands between two newlines behind the second block; it must be all that is left. */
int
us_zone_posix_in(const uint8_t *bytes, size_t n, struct us_buf *out)
{
	struct us_yaml_table old, t;
	struct us_bytes footer;
	struct us_zone zone;
	int err;

	if (n < HEADER || bytes[4] < '2')
		return US_ERR_FORMAT;
	err = table_of(bytes, n, 0, 4, &old);
	if (err == US_OK)
		err = table_of(bytes, n, old.after, 8, &t);
	if (err != US_OK)
		return err;
	if (n - t.after < 3 || bytes[t.after] != '\n' || bytes[n - 1] != '\n')
		return US_ERR_FORMAT;
	footer = (struct us_bytes){ bytes + t.after + 1, n - t.after - 2 };
	if (footer.n > POSIX_MAX || memchr(footer.p, '\n', footer.n) != NULL)
		return US_ERR_FORMAT;
	err = us_zone_parse(&zone, footer);
	if (err == US_OK)
		err = agree(&t, &zone);
	return err == US_OK ? us_buf_put(out, footer.p, footer.n) : err;
}

int
us_zone_posix_of(const char *name, size_t n, struct us_buf *out)
{
	char path[32 + NAME_MAX_BYTES];
	uint8_t bytes[ZONE_FILE_MAX];
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
	return got == sizeof bytes ? US_ERR_LIMIT : us_zone_posix_in(bytes, got, out);
}
