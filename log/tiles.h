/*
 * Tile coordinates and paths of c2sp.org/tlog-tiles. A hash tile holds up to 256 hashes of one
 * level; an entry bundle the entries of one level-0 tile. Pure functions.
 */
#ifndef US_LOG_TILES_H
#define US_LOG_TILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define US_TILE_WIDTH 256
#define US_TILE_LEVEL_MAX 63
/* "tile/entries/" + 7 groups + ".p/255" + NUL, rounded up. */
#define US_TILE_PATH_MAX 64
#define US_BUNDLE_ENTRY_MAX 65535
/* The largest possible bundle. */
#define US_BUNDLE_MAX (US_TILE_WIDTH * (2 + US_BUNDLE_ENTRY_MAX))

struct us_tile {
	int entries;    /* 1: an entry bundle (level is 0) */
	unsigned level; /* 0..63 */
	uint64_t n;     /* which tile of that level, 0..2^63-1 */
	unsigned width; /* 1..256; 256 is a full tile, which has no .p suffix */
};

/* Writes "tile/<L>/<N>[.p/<W>]" or "tile/entries/<N>[.p/<W>]". US_ERR_RANGE, US_ERR_LIMIT. */
int us_tile_path(const struct us_tile *tile, char *out, size_t cap);
/* The reverse; only the one spelling that us_tile_path() writes is accepted. US_ERR_FORMAT,
 * US_ERR_RANGE. */
int us_tile_parse(struct us_tile *out, const char *path, size_t n);
/* How wide tile n of that level is in a tree of that size: 0 (not there) to 256. */
unsigned us_tile_width(uint64_t size, unsigned level, uint64_t n);

/* Appends one entry to a bundle: u16 length || entry. US_ERR_LIMIT. */
int us_bundle_put(struct us_buf *bundle, const void *entry, size_t n);
/* Takes the next entry of a bundle; call while r->left > 0, then check us_reader_end(r). */
struct us_bytes us_bundle_take(struct us_reader *r);

#endif
