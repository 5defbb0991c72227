/* Any bytes as a tokenised document, twice into a segment; what is taken can be written and
 * read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/index/doc.h"
#include "evidence/index/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES_MAX 64

struct pages {
	uint32_t n;
	uint8_t p[PAGES_MAX][US_PAGE_PLAIN];
};

static struct pages pages;

static int
key_of(void *ctx, struct us_bytes word, struct us_key *key)
{
	(void)ctx;
	memset(key, (int)word.n, sizeof *key);
	return US_OK;
}

static int
emit(void *ctx, uint32_t number, const uint8_t page[US_PAGE_PLAIN])
{
	(void)ctx;
	if (number >= PAGES_MAX)
		return US_ERR_NOSPACE;
	memcpy(pages.p[number], page, US_PAGE_PLAIN);
	pages.n = number + 1;
	return US_OK;
}

static int
get(void *ctx, uint32_t number, const uint8_t **page)
{
	(void)ctx;
	if (number >= pages.n)
		abort();
	*page = pages.p[number];
	return US_OK;
}

static int
count(void *ctx, struct us_bytes word, uint32_t df)
{
	(void)word;
	if (df != 2)
		abort();
	++*(uint32_t *)ctx;
	return US_OK;
}

static void
check_segment(void)
{
	const struct us_segment_source source = { pages.n, get, NULL };
	struct us_segment *s;
	struct us_segment_doc d;
	uint32_t words = 0;

	if (us_segment_open(&source, &s) != US_OK || us_segment_docs(s) != 2 ||
	    us_segment_doc(s, 1, &d) != US_OK ||
	    us_segment_each_word(s, (struct us_bytes){ NULL, 0 }, count, &words) != US_OK)
		abort();
	us_segment_close(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct us_segment_options options = { .docs_max = 2, .term_key = key_of };
	struct us_segment_writer *w;
	uint32_t n;

	if (us_segment_writer_new(&options, &w) != US_OK)
		abort();
	if (us_segment_writer_add(w, (struct us_bytes){ data, size }) == US_OK) {
		if (us_segment_writer_add(w, (struct us_bytes){ data, size }) != US_OK)
			abort();
		if (us_segment_writer_finish(w, emit, NULL, &n) == US_OK)
			check_segment();
	}
	us_segment_writer_free(w);
	return 0;
}
