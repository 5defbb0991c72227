/*
 * An index segment: immutable, up to 2^20 documents, cut into pages of exactly US_PAGE_PLAIN bytes
 * that the caller seals (AES-256-GCM under the segment's page key, page number as nonce) and
 * stores. This module neither seals nor stores pages. Inside them the postings of each content word
 * are encrypted once more under a key derived from that word; dictionary, columns and metadata
 * postings are not.
 *
 * FORMAT, version 1. Integers are big-endian; varints LEB128 in shortest form. A segment is five
 * sections in this order; each starts on a new page and its last page is filled up with zeros:
 *
 *   documents  | one docs list a chunk, back to back, in dictionary order
 *   positions  | one positions list a chunk, back to back, in dictionary order
 *   dictionary | pages that each stand for themselves
 *   columns    | see below
 *   trailer    | see below; its last page is the last page of the segment
 *
 * Lists flow across page boundaries; a list's place is a byte offset in its section.
 *
 * Sources. A segment consists of one or more sources, runs of documents: a freshly written one has
 * one; merging puts up to 4,096 behind each other. Documents of a source are numbered from 0; its
 * first document in the segment is `base`. A *chunk* is the postings of one term in one source, so
 * it can be moved by a merge without being opened.
 *
 * Trailer. The last 32 bytes of the last page: "USSEGEND" ‖ u16 version = 1 ‖ u16 zero ‖ u32 pages
 * of the whole segment ‖ u32 first page of the trailer ‖ u32 bytes of the trailer's content ‖ u64
 * zero. The content stands from the start of the trailer's first page on:
 *   u32 documents ‖ u32 first page of positions ‖ u32 of dictionary ‖ u32 of columns
 *   u64 bytes of documents ‖ u64 of positions ‖ u32 pages of dictionary ‖ u64 bytes of columns ‖
 *   u32 terms
 *   u16 sources ‖ sources × { u32 base ‖ u32 documents ‖ salt(16) }
 *                         bases rise from 0 without gaps
 *   dictionary pages × { u8 n - 1 ‖ n bytes }
 *                         first term of each page ("fences"), rising
 * Content and the last 32 bytes never overlap.
 *
 * Dictionary page: u16 entries (at least 1) ‖ u64 documents offset of its first chunk ‖ u64
 * positions offset of it ‖ entries, in bytewise order of terms, first one of the page whole:
 *   u8 shared ‖ u8 rest - 1 ‖ rest bytes
 *                         front coding against the entry before
 *   chunks × { varint (source << 1 | last) ‖ varint df ‖ varint docs bytes
 *              ‖ varint positions bytes }
 *                         last = 1 at the last
 * A chunk's lists start where those of the chunk before end. Terms are 2 .. 256 bytes: a prefix
 * byte, then
 *   'c' word              content (word, character or pair of words.h); lists encrypted
 *   'm' letter value      metadata: letter 'm' model, 'l' language, 'd' designation, 'r' role ("1"
 *                         .. "4")
 * value as us_value_fold() gives it. Metadata and pairs have no positions list.
 *
 * Docs list of df documents of a source of N. Packed(k; x0 ..): groups of 128 values (the last may
 * be shorter); first one byte of width (0 .. 32) a group, then the groups, each value in `width`
 * bits, least significant bit first, the group filled up to a whole byte. A value is below 2^width.
 *   if df > N / 16:  bitmap of ceil(N / 8) bytes, document d is bit (d mod 8) of byte d / 8,
 *                    exactly df bits set
 *   else             Packed(df; d0, d1 - d0 - 1, d2 - d1 - 1, ..)
 *   then, unless the term is metadata, Packed(df; count - 1 ..)
 * Positions list: Packed(sum of counts; per document its first position, then distances - 1).
 *
 * Encryption of a content chunk: AES-256-CTR under chunk key = SHA-256("underseal/chunk/1" ‖ term
 * key ‖ source salt(16)) with initial counter block u8 list (0 docs, 1 positions) ‖ 15 zero bytes;
 * counters are big-endian. A word has one chunk a source, a source's salt is drawn once, so that no
 * (key, counter) is used twice. A word of an era has one term key: docs/PROTOCOL.md.
 *
 * Columns: for created, length, messages, roles, model, language, designation in this order
 *   u8 width (0 .. 64) ‖ i64 base ‖ ceil(N · width / 8) bytes: N values, least significant bit
 *   first; value = base + stored
 * created: seconds, stored 0 = unknown, else created = base + stored - 1. model, language,
 * designation: 0 unknown, else 1 + index in a table that follows the packed values: u32 entries ‖
 * entries × { u8 n ‖ n bytes }.
 *
 * Sources of the scheme: bit-packed blocks of 128 after Lemire, Boytsov, "Decoding billions of
 * integers per second through vectorization", SPE 45(1), 2015; one salt a source instead of one a
 * chunk saves 16 bytes a term.
 */
#ifndef US_EVIDENCE_INDEX_SEGMENT_H
#define US_EVIDENCE_INDEX_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "evidence/query/query.h"

#define US_PAGE_PLAIN 16304u
#define US_SEGMENT_DOCS_MAX (1u << 20)
#define US_SEGMENT_SALT 16

/*
 * Gives the term key of a content word (folded, without prefix byte): to the writer that of the era
 * being written, to the reader one that the keeper released. US_ERR_NOT_FOUND makes the reader fail
 * with US_ERR_DENIED. The caller of this function wipes *key.
 */
typedef int us_term_key_fn(void *ctx, struct us_bytes word, struct us_key *key);

/* A table of released term keys; `words` sorted by bytes, as in struct us_query.
 * us_term_table_key() is a us_term_key_fn whose ctx is such a table. */
struct us_term_table {
	const struct us_bytes *words;
	const struct us_key *keys;
	size_t n;
};
/* A us_term_key_fn: ctx is a struct us_term_table. */
int us_term_table_key(void *ctx, struct us_bytes word, struct us_key *key);

/* ---- writing ---- */

struct us_segment_options {
	uint32_t docs_max;             /* 1 .. US_SEGMENT_DOCS_MAX */
	uint8_t salt[US_SEGMENT_SALT]; /* fresh random bytes */
	us_term_key_fn *term_key;
	void *term_key_ctx;
};

/* Holds postings in memory, about 0.6 bytes a byte of text, until finished. One owner. */
struct us_segment_writer;
/* US_ERR_ARG if the options are not as above, US_ERR_NOMEM, US_ERR_CRYPTO. Free with
 * us_segment_writer_free(). */
int us_segment_writer_new(const struct us_segment_options *options, struct us_segment_writer **out);
/* Wipes and frees; NULL is allowed. */
void us_segment_writer_free(struct us_segment_writer *w);
/* Adds the next document (evidence/index/doc.h). Its number is the count of those before. After an
 * error of decoding the writer is unusable: the batch is admitted whole or not at all. US_ERR_LIMIT
 * if docs_max is reached. */
int us_segment_writer_add(struct us_segment_writer *w, struct us_bytes encoded_doc);
/* Bytes of memory held, to close a batch early if wanted. */
size_t us_segment_writer_memory(const struct us_segment_writer *w);
/* Takes a page; numbers come as 0, 1, 2 ... without gap. Other than US_OK ends the writing with
 * that error. */
typedef int us_page_emit_fn(void *ctx, uint32_t number, const uint8_t page[US_PAGE_PLAIN]);
/* Writes the pages, then the writer may only be freed. At least one document, else US_ERR_STATE.
 * *pages is their number. */
int us_segment_writer_finish(struct us_segment_writer *w, us_page_emit_fn *emit, void *ctx,
    uint32_t *pages);

/* ---- reading ---- */

/* Gives page `number`, opened. *page is valid until the next call with the same ctx. Caching is the
 * caller's. */
typedef int us_page_get_fn(void *ctx, uint32_t number, const uint8_t **page);

struct us_segment_source {
	uint32_t pages;
	us_page_get_fn *get;
	void *ctx;
};

/* One owner at a time: a reader may move between threads, not serve two at once. Keeps fences and,
 * after first use, the columns in memory (about 16 bytes a document), nothing else. Every function
 * below returns errors of get, US_ERR_NOMEM, and US_ERR_FORMAT or US_ERR_TRUNCATED if the pages are
 * not a segment. */
struct us_segment;
/* Reads the trailer; the source must outlive the segment. Close with us_segment_close(). */
int us_segment_open(const struct us_segment_source *source, struct us_segment **out);
/* Wipes and frees; NULL is allowed. */
void us_segment_close(struct us_segment *s);
/* How many documents it has. */
uint32_t us_segment_docs(const struct us_segment *s);

struct us_segment_doc {
	int64_t created_s; /* or US_DOC_NO_TIME */
	uint32_t length;   /* words */
	uint32_t messages;
	uint8_t roles; /* bit r: has a message of role r */
	/* folded; views that live as long as the segment */
	struct us_bytes model, language, designation;
};
/* The columns of document doc. US_ERR_RANGE. */
int us_segment_doc(struct us_segment *s, uint32_t doc, struct us_segment_doc *out);

/* In how many documents a content word stands; 0 if in none. Needs no term key. */
int us_segment_df(struct us_segment *s, struct us_bytes word, uint32_t *df);
/* The same of a metadata value, folded. */
int us_segment_df_meta(struct us_segment *s, enum us_query_field field, struct us_bytes value,
    uint32_t *df);

typedef int us_segment_term_fn(void *ctx, struct us_bytes word, uint32_t df);
/* Calls fn for each content word of the dictionary that starts with prefix (may be empty), in
 * order; for hit reports, and wildcards to come. */
int us_segment_each_word(struct us_segment *s, struct us_bytes prefix, us_segment_term_fn *fn,
    void *ctx);

#endif
