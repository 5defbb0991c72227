/*
 * Postings of a chunk: which of its entries have what. A chunk is 64 bundles, so an entry is a
 * number below 16,384 in it.
 *
 * As bytes: u32 bundles, and for each look u32 n and n bytes of groups, by rising a and number:
 * varint a (less that of the group before), varint number (less that of the group before, if a is
 * its), varint count, count varints of entries (each less the one before).
 */
#ifndef US_CLIENT_LOG_POSTINGS_H
#define US_CLIENT_LOG_POSTINGS_H

#include "base/buf.h"
#include "log/tiles.h"

/* What is looked for in entries. */
enum us_log_look {
	/* entries that say what others mean: acts, outcomes, and of marks those that say that
	 * something is unknown, and the newest */
	US_LOOK_CONTEXT,
	US_LOOK_RECORD,     /* disclosed: of collection a, number first to last */
	US_LOOK_PERSON,     /* number first */
	US_LOOK_PARTY,      /* us_log_look_text() */
	US_LOOK_CREDENTIAL, /* the first 8 bytes of its fingerprint */
	US_LOOK_DENIED,
	US_LOOKS
};

#define US_CHUNK_BUNDLES 64u
#define US_CHUNK_ENTRIES (US_CHUNK_BUNDLES * US_TILE_WIDTH)
#define US_CHUNK_BYTES_MAX ((size_t)256 << 20)

struct us_log_posting {
	uint8_t look;
	uint32_t a;
	uint64_t number;
	uint32_t entry;
};

struct us_postings {
	struct us_log_posting *of;
	size_t n, cap;
};

/* US_ERR_NOMEM. */
int us_postings_add(struct us_postings *p, const struct us_log_posting *posting);
/* Frees them; zeroed ones may be freed. */
void us_postings_free(struct us_postings *p);
/* Sorts them and appends their bytes, of a chunk of so many bundles. US_ERR_NOMEM, US_ERR_LIMIT. */
int us_postings_encode(struct us_postings *p, uint32_t bundles, struct us_buf *out);
/* Calls on for each posting of the bytes. US_ERR_FORMAT, US_ERR_TRUNCATED, what on returns. */
int us_postings_decode(struct us_bytes bytes, uint32_t *bundles,
    int (*on)(void *arg, const struct us_log_posting *posting), void *arg);

#endif
