/* What the files of the segment module share. */
#ifndef US_EVIDENCE_INDEX_SEGMENT_INTERNAL_H
#define US_EVIDENCE_INDEX_SEGMENT_INTERNAL_H

#include "crypto/keytree.h"
#include "evidence/index/segment.h"

#define US_SEGMENT_MAGIC "USSEGEND"
#define US_SEGMENT_VERSION 1
#define US_SEGMENT_TAIL 32u
#define US_SEGMENT_SOURCES_MAX 4096u
#define US_TERM_MAX 256u
#define US_TERM_CONTENT 'c'
#define US_TERM_META 'm'
#define US_DICT_HEAD 18u /* bytes before a dictionary page's entries */

enum us_list { US_LIST_DOCS = 0, US_LIST_POSITIONS = 1 };

enum us_column {
	US_COLUMN_CREATED,
	US_COLUMN_LENGTH,
	US_COLUMN_MESSAGES,
	US_COLUMN_ROLES,
	US_COLUMN_MODEL,
	US_COLUMN_LANGUAGE,
	US_COLUMN_DESIGNATION,
	US_COLUMNS,
};

/* A term of the dictionary, prefix included. */
struct us_term {
	uint8_t b[US_TERM_MAX];
	size_t n;
};

/* The term of a word; of one that is too long, as much as fits. */
void us_term_content(struct us_term *t, struct us_bytes word);
/* Role values are "system" ... as queries have them. */
void us_term_meta(struct us_term *t, enum us_query_field field, struct us_bytes value);

/* Encrypts or decrypts n bytes that stand `at` bytes into a list. */
int us_chunk_crypt(const struct us_key *chunk_key, enum us_list list, uint64_t at, uint8_t *p,
    size_t n);

/* 1 if df documents of n are written as a bitmap. */
static inline int
us_is_dense(uint32_t df, uint32_t n)
{
	return df > n / 16;
}

#endif
