/*
 * A tokenised document, as intake hands it to the sealer: what the index needs of a record, and
 * nothing that could be read without it. Encoded, big-endian, varints in their shortest form:
 *
 *   u8 version = 1
 *   i64 created, nanoseconds (US_DOC_NO_TIME: unknown)
 *   str16 model ‖ str16 language ‖ str16 designation
 *                     folded by us_value_fold(), each at most 254 bytes; empty: unknown
 *   u8 roles          bit r is set if a message has role r (docs/PROTOCOL.md section 5: 1 .. 4)
 *   varint messages
 *   varint length     positions taken by words: words and single characters, no pairs
 *   varint terms
 *   terms × { u8 n (1 .. 255) ‖ n bytes ‖ varint (count << 1 | pair), count >= 1
 *             ‖ if not a pair: count × varint distance }
 *
 * Each term stands once, in order of first appearance. The first distance is the first position,
 * each further one the distance to the position before, at least 1. Positions are below 2^31 and at
 * least US_DOC_GAP apart between two messages, so that no phrase reaches from one into the next.
 */
#ifndef US_EVIDENCE_INDEX_DOC_H
#define US_EVIDENCE_INDEX_DOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "case/message_role.h"

#define US_DOC_GAP 100
#define US_DOC_NO_TIME INT64_MIN
/* The largest encoded document; a record whose words take more is refused by intake
 * (US_ERR_LIMIT). */
#define US_DOC_MAX (256u * 1024 * 1024)

struct us_doc_meta {
	int64_t created_ns;    /* or US_DOC_NO_TIME */
	struct us_bytes model; /* as produced; the builder folds them */
	struct us_bytes language;
	struct us_bytes designation;
};

/* Builds one document after the other, keeping its memory. One owner. */
struct us_doc_builder;
/* US_ERR_NOMEM, US_ERR_CRYPTO. Free with us_doc_builder_free(). */
int us_doc_builder_new(struct us_doc_builder **out);
/* Wipes and frees; NULL is allowed. */
void us_doc_builder_free(struct us_doc_builder *b);
/* Starts a document; drops an unfinished one. meta is copied. US_ERR_NOMEM. */
int us_doc_begin(struct us_doc_builder *b, const struct us_doc_meta *meta);
/* Adds a message: its content decoded to UTF-8. role 1 .. 4 (others: US_ERR_RANGE). After an error
 * the document must be begun anew. US_ERR_NOMEM, US_ERR_LIMIT. */
int us_doc_message(struct us_doc_builder *b, enum us_message_role role, const void *text, size_t n);
/* Appends the encoded document to out. */
int us_doc_end(struct us_doc_builder *b, struct us_buf *out);

/* A decoder that yields term by term without allocating; strings are views of the input. */
struct us_doc {
	int64_t created_ns;
	struct us_bytes model, language, designation;
	uint8_t roles;
	uint32_t messages;
	uint32_t length;
	uint32_t terms;
	/* private */
	struct us_reader in;
	uint32_t terms_left;
};

struct us_doc_term {
	struct us_bytes term;
	int pair; /* 1: has no positions */
	uint32_t count;
	struct us_bytes distances; /* count varints, checked; empty for a pair */
};

/* Decodes the head. US_ERR_FORMAT, US_ERR_TRUNCATED, US_ERR_LIMIT, US_ERR_RANGE. */
int us_doc_open(struct us_bytes encoded, struct us_doc *d);
/* The next term; US_ERR_NOT_FOUND after the last one if nothing is left over, else US_ERR_TRAILING.
 * Checks all but that terms are distinct, which the segment writer does. */
int us_doc_next(struct us_doc *d, struct us_doc_term *t);

#endif
