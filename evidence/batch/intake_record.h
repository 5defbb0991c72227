/*
 * What an intake hands to the sealer for each accepted record, packed one after another in the
 * message "documents":
 *
 *   str16 source id ‖ u64 line ‖ str32 container (evidence/batch/record.h) ‖ str32 document
 *   (evidence/index/doc.h)
 *
 * and, after the last one, nothing. The lines the intake refused itself it keeps: the message only
 * counts them.
 */
#ifndef US_EVIDENCE_BATCH_INTAKE_RECORD_H
#define US_EVIDENCE_BATCH_INTAKE_RECORD_H

#include <stdint.h>

#include "evidence/batch/record.h"
#include "base/buf.h"

#define US_INTAKE_DOCUMENT_MAX (48u * 1024u * 1024u)

struct us_intake_record {
	struct us_bytes id;
	uint64_t line;
	struct us_bytes container;
	struct us_bytes document;
};

/* Appends the record. US_ERR_ARG (no id, or one too long), US_ERR_LIMIT, US_ERR_NOMEM: out is then
 * as before. */
int us_intake_record_encode(struct us_buf *out, const struct us_intake_record *r);
/* Takes the next one from r; the container's layout is checked by us_container_decode, the
 * document's by evidence/index/doc.h. The reader's error is returned, and sticks. */
int us_intake_record_take(struct us_reader *r, struct us_intake_record *out);

#endif
