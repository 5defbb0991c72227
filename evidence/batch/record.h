/*
 * The record container (docs/PROTOCOL.md section 5) and its compressed, padded form: what stands
 * inside a record's seal (crypto/record_seal.h).
 *
 *   container = u8 1 ‖ u8 flags (0) ‖ u16 messages ‖ messages × { u8 role ‖ u32 offset ‖ u32 length
 *   }
 *               ‖ source bytes
 *   packed    = u8 1 ‖ u32 dictionary version ‖ u32 container length ‖ u32 compressed length
 *               ‖ zstd frame ‖ zeros up to the Padmé length of the whole
 *
 * Offset and length name the JSON string literal of a message's content within the source bytes,
 * without its quotes. Spans lie within the source, in order, without overlap.
 */
#ifndef US_EVIDENCE_BATCH_RECORD_H
#define US_EVIDENCE_BATCH_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "evidence/batch/batch.h"
#include "base/buf.h"
#include "case/message_role.h"
#include "crypto/record_seal.h"

#define US_MESSAGES_MAX 65535u
#define US_CONTAINER_MAX (4u + US_MESSAGES_MAX * 9u + US_RECORD_MAX)
#define US_PACKED_HEADER 13u

struct us_span {
	uint8_t role; /* enum us_message_role */
	uint32_t offset, length;
};

/* A decoded container: views into its bytes. */
struct us_container {
	uint16_t messages;
	struct us_bytes spans; /* messages × 9 bytes, checked */
	struct us_bytes source;
};

/* Appends a container. US_ERR_ARG if a span does not fit, US_ERR_LIMIT. */
int us_container_encode(struct us_buf *out, const struct us_span *spans, size_t n,
    struct us_bytes source);
/* Checks everything said above. US_ERR_TRUNCATED, US_ERR_FORMAT, US_ERR_RANGE, US_ERR_LIMIT. */
int us_container_decode(struct us_container *c, struct us_bytes bytes);
/* The i-th span, i < c->messages. */
struct us_span us_container_span(const struct us_container *c, size_t i);
/* Appends a message's content as UTF-8 text, its JSON escapes undone. US_ERR_FORMAT if the literal
 * is no JSON string. */
int us_container_content(const struct us_container *c, size_t i, struct us_buf *out);

/*
 * Compression contexts. A packer compresses (level 3) with one dictionary or none, an unpacker
 * knows all dictionary versions of a collection. One owner each, not thread safe. They hold
 * plaintext of the last record until the next one or their end; freeing wipes what we own.
 */
struct us_packer;
/* version 0: no dictionary, dictionary.n 0. The bytes are copied. US_ERR_NOMEM, US_ERR_ARG. */
int us_packer_new(struct us_packer **out, uint32_t version, struct us_bytes dictionary);
/* NULL is allowed. */
void us_packer_free(struct us_packer *p);
/* The version of its dictionary, 0 if it has none. */
uint32_t us_packer_version(const struct us_packer *p);
/* Appends the packed form of a container. US_ERR_LIMIT. */
int us_packer_pack(struct us_packer *p, struct us_bytes container, struct us_buf *out);

struct us_unpacker;
/* One that knows no dictionary. US_ERR_NOMEM. Free with us_unpacker_free(). */
int us_unpacker_new(struct us_unpacker **out);
/* NULL is allowed. */
void us_unpacker_free(struct us_unpacker *u);
/* Makes a version known (again: no effect). US_ERR_ARG for 0, US_ERR_NOMEM. */
int us_unpacker_add(struct us_unpacker *u, uint32_t version, struct us_bytes dictionary);
/* 1 if it can unpack what names that version: known, or 0 (none is needed). */
int us_unpacker_has(const struct us_unpacker *u, uint32_t version);
/* The dictionary version a packed form names. */
int us_packed_version(struct us_bytes packed, uint32_t *version);
/* Appends the container. US_ERR_TRUNCATED, US_ERR_FORMAT (lengths, padding, or frame wrong),
 * US_ERR_LIMIT (says it is larger than US_CONTAINER_MAX), US_ERR_NOT_FOUND (unknown dictionary). */
int us_unpacker_unpack(struct us_unpacker *u, struct us_bytes packed, struct us_buf *out);

#endif
