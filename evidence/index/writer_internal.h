/* What writer.c (gathering postings) and finish.c (writing pages) share. */
#ifndef US_EVIDENCE_INDEX_WRITER_INTERNAL_H
#define US_EVIDENCE_INDEX_WRITER_INTERNAL_H

#include "evidence/index/segment_internal.h"

#define US_ARENA_SHIFT 20
#define US_ARENA_BLOCK (1u << US_ARENA_SHIFT)
#define US_ARENA_NONE UINT32_MAX

/* Blocks of 1 MiB, addressed by byte; the block is offset >> 20. */
struct us_arena {
	uint8_t **blocks;
	size_t n, cap;
	uint32_t used; /* of the last block */
};

/*
 * Postings of a term in memory: a chain of slices of doubling size in the arena, each ending with
 * the offset of the next (4 bytes, host order). Their bytes are, per document:
 *   varint (distance to the document before << 1 | count is 1) ‖ [varint count] ‖ distances as in
 *   evidence/index/doc.h
 * with distances only if the term has positions.
 */
struct us_posting {
	uint32_t hash;
	uint32_t term;     /* offset in the arena of terms */
	uint32_t head;     /* first slice */
	uint32_t tail;     /* where the next byte goes */
	uint32_t next_doc; /* last document + 1 */
	uint32_t df;
	uint32_t value; /* metadata: 1 + index in its table */
	uint16_t left;  /* bytes free in the tail slice */
	uint16_t n;     /* bytes of the term */
	uint8_t level;
	uint8_t positions; /* 1: has them */
	uint8_t counts;    /* 1: counts are stored (content) */
};

/* One array a column, grown together. */
struct us_doc_row {
	int64_t created_s;
	uint32_t length, messages;
	uint32_t value[3]; /* model, language, designation: 0 or 1 + index */
	uint8_t roles;
};

struct us_segment_writer {
	struct us_segment_options options;
	uint64_t seed;
	int failed;
	uint32_t *table; /* open addressing: 0 or 1 + index; at most half full */
	size_t table_size;
	struct us_posting *postings;
	size_t n_postings, cap_postings;
	struct us_arena slices, terms;
	struct us_doc_row *rows;
	uint32_t n_docs, cap_docs;
	uint32_t *values[3]; /* index of the metadata term, by table entry */
	uint32_t n_values[3], cap_values[3];
};

static inline uint8_t *
us_arena_at(const struct us_arena *a, uint32_t offset)
{
	return a->blocks[offset >> US_ARENA_SHIFT] + (offset & (US_ARENA_BLOCK - 1));
}

/* Size in bytes of a slice, its link not counted. */
static inline uint16_t
us_slice_size(unsigned level)
{
	return (uint16_t)(12u << (level < 8 ? level : 8));
}

#endif
