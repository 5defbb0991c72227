/*
 * One part of a load, from the bytes a client sent to the documents the sealer takes: bounded
 * decompression, digest, lines, records, words. Pure but for memory: no channel is known here.
 */
#ifndef US_DAEMON_INTAKE_PART_H
#define US_DAEMON_INTAKE_PART_H

#include <stddef.h>
#include <stdint.h>

#include "evidence/batch/defect.h"
#include "base/buf.h"

#define US_INTAKE_DOCUMENTS_MAX (66060288u) /* as the field of the message "documents" */

enum us_part_encoding { US_PART_PLAIN = 0, US_PART_ZSTD = 1 };

struct us_part {
	uint32_t number;     /* 0: the file's first, where a byte order mark is let pass */
	uint64_t first_line; /* of this part, counted from 1 (0 is read as 1) */
	uint8_t encoding;
	const uint8_t *digest; /* SHA-256 of the raw bytes */
	struct us_bytes data;
};

struct us_part_defect {
	uint64_t line;
	uint8_t code; /* enum us_defect */
};

/* What came of a part. documents is the body of the message (evidence/batch/intake_record.h). */
struct us_part_result {
	uint32_t records;               /* lines that are not blank */
	uint32_t count;                 /* documents */
	uint32_t n_defects;             /* records refused: records - count */
	struct us_part_defect *defects; /* n_defects of them, owned by the worker */
	struct us_buf documents;        /* owned by the worker */
	const char *why;     /* after an error: what is wrong with the part, for a person */
	enum us_defect code; /* the same as a code, if there is one */
};

struct us_part_worker;
int us_part_worker_new(struct us_part_worker **out);
void us_part_worker_free(struct us_part_worker *w);
/* Works on one part; *result is valid until the next one. US_OK; US_ERR_FORMAT, US_ERR_VERIFY
 * (digest), US_ERR_LIMIT: the part is bad (400); US_ERR_NOMEM. */
int us_part_process(struct us_part_worker *w, const struct us_part *part, int64_t now_ns,
    struct us_part_result **result);
/* Wipes what is left of the last part. */
void us_part_worker_clear(struct us_part_worker *w);

#endif
