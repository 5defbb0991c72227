/*
 * A segment with changed bytes: input is a list of u8 page (from the end) ‖ u16 offset ‖ u8
 * exclusive-or. Whatever is wrong must come out as an error, whatever query is asked.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/index/doc.h"
#include "evidence/index/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES_MAX 16
#define CHANGES_MAX 64

static uint8_t pages[PAGES_MAX][US_PAGE_PLAIN];
static uint32_t n_pages;

static const char *const QUERIES[] = {
	"common AND NOT rare",
	"\"common text\" OR rare",
	"model:m role:user date:1970..2030",
	"\xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7",
};

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
		abort();
	memcpy(pages[number], page, US_PAGE_PLAIN);
	return US_OK;
}

static int
get(void *ctx, uint32_t number, const uint8_t **page)
{
	(void)ctx;
	if (number >= n_pages)
		abort();
	*page = pages[number];
	return US_OK;
}

static int
ignore(void *ctx, struct us_bytes word, uint32_t df)
{
	(void)ctx;
	return word.n > US_WORD_MAX || df == 0 ? abort(), US_ERR_INTERNAL : US_OK;
}

static void
must(int err)
{
	if (err != US_OK)
		abort();
}

static void
build(void)
{
	static const char TEXT[] =
	    "common text, common text \xe6\x89\x8b\xe6\x9c\xba\xe5\x8f\xb7 again";
	const struct us_segment_options options = { .docs_max = 300, .term_key = key_of };
	struct us_segment_writer *w;
	struct us_doc_builder *b;
	struct us_buf out;

	us_buf_init(&out, 1 << 16);
	must(us_segment_writer_new(&options, &w));
	must(us_doc_builder_new(&b));
	for (int i = 0; i < 300; i++) {
		struct us_doc_meta meta = { .created_ns = i * INT64_C(1000000000000),
			.model = us_bytes_of("m") };

		must(us_doc_begin(b, &meta));
		must(us_doc_message(b, US_MESSAGE_USER, TEXT, i % 3 == 0 ? 6 : sizeof TEXT - 1));
		if (i % 50 == 0)
			must(us_doc_message(b, US_MESSAGE_USER, "rare", 4));
		us_buf_reset(&out);
		must(us_doc_end(b, &out));
		must(us_segment_writer_add(w, (struct us_bytes){ out.data, out.len }));
	}
	must(us_segment_writer_finish(w, emit, NULL, &n_pages));
	us_buf_free(&out);
	us_doc_builder_free(b);
	us_segment_writer_free(w);
}

static void
ask(void)
{
	const struct us_segment_source source = { n_pages, get, NULL };
	const struct us_eval_options options = { .term_key = key_of };
	struct us_segment_doc d;
	struct us_segment *s;
	struct us_query *q;
	roaring_bitmap_t *b;

	if (us_segment_open(&source, &s) != US_OK)
		return;
	for (size_t i = 0; i < sizeof QUERIES / sizeof QUERIES[0]; i++) {
		must(us_query_parse(QUERIES[i], strlen(QUERIES[i]), &q, NULL));
		if (us_eval(s, q, &options, &b) == US_OK) {
			if (!roaring_bitmap_is_empty(b) &&
			    roaring_bitmap_maximum(b) >= us_segment_docs(s))
				abort();
			roaring_bitmap_free(b);
		}
		us_query_free(q);
	}
	(void)us_segment_doc(s, us_segment_docs(s) - 1, &d);
	(void)us_segment_each_word(s, (struct us_bytes){ NULL, 0 }, ignore, NULL);
	us_segment_close(s);
}

static void
change(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size && i < 4 * CHANGES_MAX; i += 4)
		pages[n_pages - 1 - data[i] % n_pages][us_load_u16(data + i + 1) % US_PAGE_PLAIN] ^=
		    data[i + 3];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (n_pages == 0)
		build();
	change(data, size);
	ask();
	change(data, size); /* exclusive-or takes itself back */
	return 0;
}
