/*
 * keys.jsonl of an exported log: the keys of boxes that were disclosed, one JSON object a line,
 * {"index": n, "access": base64, "disclosure": base64, "query": base64}, each key optional. Whether
 * they are those that the entries committed to is verify/verify.h's to say. Pure functions.
 */
#ifndef US_LOG_EXPORT_H
#define US_LOG_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "log/entry.h"

/* The most that a line may have, without its end. */
#define US_EXPORT_KEYS_LINE_MAX 1024

struct us_export_keys {
	uint64_t index;
	int present[US_BOXES];
	struct us_key keys[US_BOXES];
};

/* Appends one line with its end; a NULL key is left out. */
int us_export_keys_line(struct us_buf *out, uint64_t index, const struct us_key *access,
    const struct us_key *disclosure, const struct us_key *query);
/* Parses one line without its end. present[box] tells which keys stand in it. US_ERR_FORMAT; out is
 * then untouched. */
int us_export_keys_parse(struct us_export_keys *out, const char *line, size_t n);

#endif
