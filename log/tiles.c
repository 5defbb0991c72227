#include "log/tiles.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"

#define GROUPS_MAX 7 /* 2^63 has 19 digits */

int
us_tile_path(const struct us_tile *tile, char *out, size_t cap)
{
	char text[US_TILE_PATH_MAX];
	unsigned groups[GROUPS_MAX];
	uint64_t n = tile->n;
	size_t count = 0, at;

	if (tile->level > US_TILE_LEVEL_MAX || (tile->entries && tile->level != 0) ||
	    tile->n > INT64_MAX || tile->width < 1 || tile->width > US_TILE_WIDTH)
		return US_ERR_RANGE;
	do {
		groups[count++] = (unsigned)(n % 1000);
		n /= 1000;
	} while (n > 0);
	if (tile->entries)
		at = (size_t)snprintf(text, sizeof text, "tile/entries");
	else
		at = (size_t)snprintf(text, sizeof text, "tile/%u", tile->level);
	while (count-- > 0)
		at += (size_t)snprintf(text + at, sizeof text - at, "/%s%03u", count > 0 ? "x" : "",
		    groups[count]);
	if (tile->width < US_TILE_WIDTH)
		at += (size_t)snprintf(text + at, sizeof text - at, ".p/%u", tile->width);
	if (at >= cap)
		return US_ERR_LIMIT;
	memcpy(out, text, at + 1);
	return US_OK;
}

/* A cursor over a path; each take moves it or returns 0. */
struct us_log_path {
	const char *p;
	size_t left;
};

static int
take_text(struct us_log_path *s, const char *text)
{
	size_t n = strlen(text);

	if (s->left < n || memcmp(s->p, text, n) != 0)
		return 0;
	s->p += n;
	s->left -= n;
	return 1;
}

/* At least min and at most max digits; leading zeros are the caller's matter. */
static int
take_digits(struct us_log_path *s, unsigned min, unsigned max, unsigned *value)
{
	const size_t n = us_number_span(s->p, s->left < max ? s->left : max);
	uint64_t v;

	if (n < min || us_number_digits(s->p, n, UINT_MAX, &v) != US_OK)
		return 0;
	s->p += n;
	s->left -= n;
	*value = (unsigned)v;
	return 1;
}

int
us_tile_parse(struct us_tile *out, const char *path, size_t n)
{
	struct us_tile t = { 0, 0, 0, US_TILE_WIDTH };
	struct us_log_path s = { path, n };
	char again[US_TILE_PATH_MAX];
	unsigned group;
	int err, more;

	if (n >= US_TILE_PATH_MAX || !take_text(&s, "tile/"))
		return US_ERR_FORMAT;
	if (take_text(&s, "entries"))
		t.entries = 1;
	else if (!take_digits(&s, 1, 2, &t.level))
		return US_ERR_FORMAT;
	do {
		if (!take_text(&s, "/"))
			return US_ERR_FORMAT;
		more = take_text(&s, "x");
		if (!take_digits(&s, 3, 3, &group))
			return US_ERR_FORMAT;
		if (t.n > ((uint64_t)INT64_MAX - group) / 1000)
			return US_ERR_RANGE;
		t.n = t.n * 1000 + group;
	} while (more);
	if (take_text(&s, ".p/") && (!take_digits(&s, 1, 3, &t.width) || t.width >= US_TILE_WIDTH))
		return US_ERR_FORMAT;
	/* One place has one name: leading zeros and the like show in a second encoding. */
	err = us_tile_path(&t, again, sizeof again);
	if (err != US_OK)
		return err;
	if (s.left != 0 || strlen(again) != n || memcmp(again, path, n) != 0)
		return US_ERR_FORMAT;
	*out = t;
	return US_OK;
}

unsigned
us_tile_width(uint64_t size, unsigned level, uint64_t n)
{
	uint64_t hashes;

	if (level > 7)
		return 0; /* 256^8 leaves do not exist */
	hashes = size >> (8 * level);
	if (n > hashes / US_TILE_WIDTH)
		return 0;
	if (n < hashes / US_TILE_WIDTH)
		return US_TILE_WIDTH;
	return (unsigned)(hashes % US_TILE_WIDTH);
}

int
us_bundle_put(struct us_buf *bundle, const void *entry, size_t n)
{
	return us_buf_put_str16(bundle, entry, n);
}

struct us_bytes
us_bundle_take(struct us_reader *r)
{
	return us_take_str16(r, US_BUNDLE_ENTRY_MAX);
}
