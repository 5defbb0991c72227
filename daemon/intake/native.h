/*
 * The native record: one JSON object (RFC 8259) a line, as INTERFACE.md, "Native input", has it.
 * Read strictly, since evidence must not have two readings:
 *
 * - UTF-8 throughout; no control characters in strings; no half surrogate pairs in escapes;
 * - no key twice in the record or in one of its messages; at most 64 levels of nesting;
 * - "id" a string of 1 .. 512 bytes; "messages" an array of 1 .. 65,535 objects, each with "role"
 *   (system, user, assistant, tool) and "content" (a string, may be empty); at least one assistant;
 * - "created" and a message's "time", if there and not null, RFC 3339 with a zone, from 1990 to one
 *   day from now;
 * - "model", "language", "designation", if there and not null, strings; a designation has
 *   1 .. 64 bytes and is not blank.
 *
 * What else stands in the record is checked as JSON and kept in the source bytes, numbers never
 * converted. Grammar errors are reported before errors of meaning; of these the first one is.
 *
 * A parser is reused record after record and keeps its memory; one owner.
 */
#ifndef US_DAEMON_INTAKE_NATIVE_H
#define US_DAEMON_INTAKE_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include "evidence/batch/defect.h"
#include "evidence/batch/record.h"
#include "base/buf.h"

#define US_NATIVE_DEPTH_MAX 64
#define US_NATIVE_NO_TIME INT64_MIN

/* A parsed record; views live until the parser's next record. */
struct us_native_record {
	struct us_bytes id;
	int64_t created_ns;                           /* or US_NATIVE_NO_TIME */
	struct us_bytes model, language, designation; /* decoded; empty: unknown */
	size_t messages;
	const struct us_span *spans;  /* content literals within the line */
	const struct us_bytes *texts; /* the same, decoded */
};

struct us_native;
int us_native_new(struct us_native **out);
void us_native_free(struct us_native *p);
/* Parses one line without its line end. US_OK: *defect is US_DEFECT_NONE and *record is filled, or
 * says what is wrong. US_ERR_NOMEM. */
int us_native_parse(struct us_native *p, struct us_bytes line, int64_t now_ns,
    enum us_defect *defect, struct us_native_record *record);

#endif
