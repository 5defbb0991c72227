/*
 * Where a verification stood behind so many full bundles, so that another one goes on from there
 * when the log has grown. The bytes are this build's alone (structs as they lie in memory, with
 * their sizes before them), for a place that nobody else writes to; they say nothing without the
 * bundles, whose hashes the caller has held against the checkpoint again.
 */
#ifndef US_VERIFY_SAVED_H
#define US_VERIFY_SAVED_H

#include "base/buf.h"
#include "verify/rules.h"
#include "verify/verdict.h"

#define US_VERIFY_LEVELS 8

struct us_verify_level {
	uint64_t n;                           /* hashes so far, of the whole level */
	struct us_digest hash[US_TILE_WIDTH]; /* those of the tile being filled */
};

/* What spans bundles. */
struct us_verify_standing {
	uint64_t bundles;
	struct us_verify_report *report;
	struct us_merkle_stream *stream;
	struct us_verify_level *level; /* US_VERIFY_LEVELS */
	struct us_verify_rules *rules;
};

/* Appends it. Errors of the buffer. */
int us_verify_standing_save(const struct us_verify_standing *s, struct us_buf *out);
/* Takes it back into what s points to: of the report what was counted, rules must be new.
 * US_ERR_FORMAT: it is of another build; US_ERR_TRUNCATED, US_ERR_NOMEM. What s points to must not
 * be used then. */
int us_verify_standing_load(struct us_verify_standing *s, struct us_bytes bytes);
/* How many bundles it is behind; 0: it is of another build. */
uint64_t us_verify_standing_bundles(struct us_bytes bytes);

#endif
