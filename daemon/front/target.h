/*
 * The request target in origin form (RFC 9112 section 3.2.1), taken apart strictly: what can be
 * read in two ways is refused. Every segment and value is percent-decoded once and valid UTF-8
 * without control characters; no segment is empty, ".", "..", or holds a slash. "+" is a plus.
 */
#ifndef US_DAEMON_FRONT_TARGET_H
#define US_DAEMON_FRONT_TARGET_H

#include <stddef.h>

#include "base/buf.h"

#define US_TARGET_MAX 4096
#define US_TARGET_SEGMENTS 12
#define US_TARGET_QUERIES 8

/* Views point into text: a struct us_target is not to be copied. */
struct us_target {
	struct us_bytes segment[US_TARGET_SEGMENTS];
	size_t segment_n;
	struct us_target_query {
		struct us_bytes name;
		struct us_bytes value;
	} query[US_TARGET_QUERIES];
	size_t query_n;
	uint8_t text[US_TARGET_MAX];
	size_t text_n;
};

/* US_ERR_LIMIT if too long or of too many parts, else US_ERR_FORMAT. */
int us_target_parse(struct us_target *t, struct us_bytes raw);
/* The value of a query parameter, or NULL if it is absent. */
const struct us_bytes *us_target_query(const struct us_target *t, const char *name);
/* Decodes %XX in a header's value: printable ASCII in, UTF-8 out, at most max bytes; *n is how
 * many. */
int us_percent_decode(struct us_bytes raw, uint8_t *out, size_t max, size_t *n);

#endif
