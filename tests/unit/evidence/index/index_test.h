/* Help for the tests of the index: pages in memory, term keys that stand in for the keeper's,
 * documents. */
#ifndef US_TESTS_UNIT_EVIDENCE_INDEX_INDEX_TEST_H
#define US_TESTS_UNIT_EVIDENCE_INDEX_INDEX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "evidence/index/doc.h"
#include "evidence/index/eval.h"
#include "evidence/index/segment.h"

struct pages {
	uint8_t (*p)[US_PAGE_PLAIN];
	uint32_t n, cap;
	size_t gets;
};

static inline int
pages_emit(void *ctx, uint32_t number, const uint8_t page[US_PAGE_PLAIN])
{
	struct pages *s = ctx;

	assert_int_equal(number, s->n);
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->p = realloc(s->p, (size_t)s->cap * US_PAGE_PLAIN);
		assert_non_null(s->p);
	}
	memcpy(s->p[s->n++], page, US_PAGE_PLAIN);
	return US_OK;
}

static inline int
pages_get(void *ctx, uint32_t number, const uint8_t **page)
{
	struct pages *s = ctx;

	s->gets++;
	if (number >= s->n)
		return US_ERR_NOT_FOUND;
	*page = s->p[number];
	return US_OK;
}

static inline int
fake_term_key(void *ctx, struct us_bytes word, struct us_key *key)
{
	(void)ctx;
	return us_sha256(word.p, word.n, key->b);
}

static inline struct us_segment *
pages_open(struct pages *s)
{
	const struct us_segment_source source = { s->n, pages_get, s };
	struct us_segment *segment;

	assert_int_equal(us_segment_open(&source, &segment), US_OK);
	return segment;
}

static inline roaring_bitmap_t *
search(struct us_segment *segment, const char *text)
{
	const struct us_eval_options options = { .base = 1000,
		.bates_prefix = us_bytes_of("TEST"),
		.term_key = fake_term_key };
	struct us_query_error error;
	struct us_query *q;
	roaring_bitmap_t *b;

	if (us_query_parse(text, strlen(text), &q, &error) != US_OK)
		fail_msg("%s: at %zu: %s", text, error.at, error.message);
	assert_int_equal(us_eval(segment, q, &options, &b), US_OK);
	us_query_free(q);
	return b;
}

static inline uint64_t
count(struct us_segment *segment, const char *text)
{
	roaring_bitmap_t *b = search(segment, text);
	uint64_t n = roaring_bitmap_get_cardinality(b);

	roaring_bitmap_free(b);
	return n;
}

#endif
