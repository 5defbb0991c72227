/*
 * Payloads of acts, each written down once: a list of fields that is read when an act is decoded
 * and written when it is encoded. Every field says what it may hold; the first that does not fit is
 * the error, and what follows is skipped (base/buf.h). Views that are read point into the bytes.
 */
#ifndef US_REGISTRY_CODEC_H
#define US_REGISTRY_CODEC_H

#include "registry/act.h"

struct us_act_codec {
	struct us_reader *in; /* reading; NULL: writing */
	struct us_buf *out;   /* writing */
	int err;              /* of writing; that of reading is the reader's */
};

/* Reads a payload, as code describes it, into *out, which is zero after an error. Errors of
 * us_act_decode(). */
int us_code_read(struct us_act *out, enum us_act_type type,
    void (*code)(struct us_act_codec *c, struct us_act *act), struct us_bytes payload);
/* Appends the payload of act. Errors of us_act_encode(). */
int us_code_write(struct us_buf *out, const struct us_act *act,
    void (*code)(struct us_act_codec *c, struct us_act *act));

/* 1 until something did not fit: what is read so far may be looked at. */
int us_code_ok(const struct us_act_codec *c);
/* err, unless that holds or something failed before. */
void us_code_require(struct us_act_codec *c, int holds, int err);

/* One byte. */
void us_code_u8(struct us_act_codec *c, unsigned *v);
/* One byte of a closed set, first .. last: US_ERR_RANGE. */
void us_code_choice(struct us_act_codec *c, unsigned *v, unsigned first, unsigned last);
/* A number of two bytes. */
void us_code_u16(struct us_act_codec *c, uint16_t *v);
/* A number of four bytes. */
void us_code_u32(struct us_act_codec *c, uint32_t *v);
/* A number of eight bytes. */
void us_code_u64(struct us_act_codec *c, uint64_t *v);
/* A number of four bytes that counts from 1: US_ERR_RANGE. */
void us_code_id(struct us_act_codec *c, uint32_t *v);
/* A slot, in four bytes, at most US_SLOT_MAX: US_ERR_RANGE. */
void us_code_slot(struct us_act_codec *c, uint32_t *v);
/* Nanoseconds since the epoch, in eight bytes, not negative: US_ERR_RANGE. */
void us_code_time(struct us_act_codec *c, int64_t *ns);
/* n bytes into p. */
void us_code_fixed(struct us_act_codec *c, void *p, size_t n);
/* A length of two bytes, at most max (US_ERR_LIMIT), and so many bytes. */
void us_code_str16(struct us_act_codec *c, struct us_bytes *v, size_t max);
/* The same with a length of four bytes. */
void us_code_str32(struct us_act_codec *c, struct us_bytes *v, size_t max);
/* As str16, a text that people read: us_text_ok(), US_ERR_ENCODING. */
void us_code_text(struct us_act_codec *c, struct us_bytes *v, size_t max);
/* The same, or nothing. */
void us_code_text_or_empty(struct us_act_codec *c, struct us_bytes *v, size_t max);
/* As str16, an identifier: us_id_ok(), US_ERR_ENCODING. */
void us_code_name(struct us_act_codec *c, struct us_bytes *v, size_t max);
/* A certificate or request: not empty (US_ERR_FORMAT). */
void us_code_der(struct us_act_codec *c, struct us_bytes *v);
/* How many, in one byte, follow: at most max (US_ERR_LIMIT). */
void us_code_count(struct us_act_codec *c, size_t *n, size_t max);
/* A capacity, in one byte: US_ERR_RANGE. */
void us_code_capacity(struct us_act_codec *c, enum us_capacity *capacity);
/* How many (at most US_PERSON_PARTIES, US_ERR_LIMIT) and the ids of parties, strictly ascending. */
void us_code_parties(struct us_act_codec *c, size_t *n, struct us_bytes *parties);
/* How many, in four bytes, least .. US_COPY_RECORDS_MAX, and so many record numbers, strictly
 * ascending (US_ERR_FORMAT). */
void us_code_records(struct us_act_codec *c, uint32_t *n, struct us_bytes *records, uint32_t least);
/* Records of one collection. */
void us_code_selection(struct us_act_codec *c, struct us_selection *s);

#endif
