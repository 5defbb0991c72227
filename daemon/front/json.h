/*
 * Bodies of requests: one flat JSON object (RFC 8259, I-JSON's rules: valid UTF-8, no duplicate
 * names) with known members only. A strict check of the bytes comes first (depth, numbers, control
 * characters, no U+0000), then cJSON builds the tree.
 */
#ifndef US_DAEMON_FRONT_JSON_H
#define US_DAEMON_FRONT_JSON_H

#include <stddef.h>

#include "base/buf.h"

#define US_JSON_IN_DEPTH 16
#define US_JSON_IN_VALUES 200000

enum us_json_kind {
	US_JSON_STRING,  /* out: struct us_bytes */
	US_JSON_BASE64,  /* out: struct us_bytes, decoded */
	US_JSON_NUMBER,  /* out: uint64_t, 0 .. 2^53 */
	US_JSON_FLAG,    /* out: int */
	US_JSON_STRINGS, /* out: struct us_bytes, packed str16 */
};

struct us_json_member {
	const char *name;
	enum us_json_kind kind;
	int required;
	size_t min, max; /* bytes of a string or of decoded base64; count of strings */
	void *out;       /* untouched if the member is absent or null */
	int *given;      /* NULL, or set to 1 if the member is there */
};

/* The strict check alone. US_ERR_ENCODING, US_ERR_LIMIT, US_ERR_FORMAT. */
int us_json_check(struct us_bytes text);
/*
 * Reads text into the members' out. Views point into arena, which is reset first and must hold
 * at least text.n bytes and 64 KiB more. On failure *why is a static text, and the error is
 * US_ERR_FORMAT, US_ERR_ENCODING, US_ERR_LIMIT or US_ERR_NOMEM.
 */
int us_json_members(struct us_bytes text, const struct us_json_member *members, size_t n,
    struct us_buf *arena, const char **why);

#endif
