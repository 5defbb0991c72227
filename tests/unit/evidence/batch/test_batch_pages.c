/* Goal: what the writer writes the reader finds, proofs verify, and changed pages are noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "log/merkle.h"
#include "evidence/batch/reader.h"
#include "evidence/batch/writer.h"
#include "crypto/crypto.h"
#include "base/err.h"

struct store {
	struct us_bytes *page[8];
	uint32_t n[8];
};

static const uint8_t vault[32] = { 7, 7, 7 };

static int
emit(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes page)
{
	struct store *s = ctx;
	uint8_t *copy = malloc(page.n);

	assert_int_equal(number, s->n[kind]);
	assert_true(page.n > 0 && page.n <= US_PAGE_MAX);
	memcpy(copy, page.p, page.n);
	s->page[kind] = realloc(s->page[kind], (number + 1) * sizeof(struct us_bytes));
	s->page[kind][number] = (struct us_bytes){ copy, page.n };
	s->n[kind]++;
	return US_OK;
}

static int
get(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes *page)
{
	struct store *s = ctx;

	if (number >= s->n[kind])
		return US_ERR_NOT_FOUND;
	*page = s->page[kind][number];
	return US_OK;
}

static void
store_free(struct store *s)
{
	for (int k = 0; k < 8; k++) {
		for (uint32_t i = 0; i < s->n[k]; i++)
			free((void *)(uintptr_t)s->page[k][i].p);
		free(s->page[k]);
	}
	memset(s, 0, sizeof(*s));
}

static size_t
size_of(uint32_t i, int large)
{
	if (large && i % 37 == 5)
		return 16311 + (i * 7919u) % 60000;
	if (large && i % 41 == 1)
		return 16311 - 3 + i % 6; /* around what fits into one page */
	return 100 + (i * 2654435761u >> 8) % 1900;
}

static uint8_t *
record_of(uint32_t i, size_t n)
{
	uint8_t *p = malloc(n);

	for (size_t k = 0; k < n; k++)
		p[k] = (uint8_t)(i * 31 + k);
	us_store_u32(p, i);
	return p;
}

static void
round_trip(uint32_t n, int large, uint32_t step)
{
	struct store s = { 0 };
	struct us_key key = { { 9, 8, 7 } };
	struct us_batch_writer_options o = { .place = { vault, 3, 5 },
		.page_key = &key,
		.records = n,
		.emit = emit,
		.ctx = &s };
	struct us_batch_source source = { { vault, 3, 5 }, &key, get, &s };
	struct us_batch_writer *w;
	struct us_batch_totals t;
	struct us_batch_directory *d;
	struct us_manifest_reader *m;
	struct us_digest *leaves = malloc(n * sizeof(*leaves)), root;
	struct us_buf out;

	assert_int_equal(us_batch_writer_new(&w, &o), US_OK);
	for (uint32_t i = 0; i < n; i++) {
		size_t size = size_of(i, large);
		uint8_t *r = record_of(i, size);

		us_merkle_leaf(&leaves[i], r, size);
		assert_int_equal(us_batch_writer_add(w, (struct us_bytes){ r, size }, leaves[i].b),
		    0);
		free(r);
	}
	assert_int_equal(us_batch_writer_finish(w, &t), US_OK);
	us_batch_writer_free(w);
	us_merkle_root(&root, leaves, n);
	assert_memory_equal(root.b, t.manifest_root, 32);
	assert_int_equal(t.record_pages, s.n[US_PAGE_RECORDS]);
	assert_int_equal(t.directory_pages, s.n[US_PAGE_DIRECTORY]);
	assert_int_equal(t.manifest_pages, s.n[US_PAGE_MANIFEST]);

	assert_int_equal(us_batch_directory_open(&d, &source, n, t.record_pages), US_OK);
	assert_int_equal(us_manifest_open(&m, &source, n), US_OK);
	us_buf_init(&out, US_SEALED_RECORD_MAX);
	for (uint32_t i = 0; i < n; i += i + step < n || i == n - 1 ? step : n - 1 - i) {
		size_t size = size_of(i, large);
		uint8_t *r = record_of(i, size);
		struct us_batch_proof proof;

		us_buf_reset(&out);
		assert_int_equal(us_batch_record(d, &source, i, &out), US_OK);
		assert_int_equal(out.len, size);
		assert_memory_equal(out.data, r, size);
		free(r);
		assert_int_equal(us_manifest_proof(m, i, &proof), US_OK);
		assert_int_equal(us_merkle_verify_inclusion(&leaves[i], i, n,
				     (const struct us_digest *)(const void *)proof.hash, proof.n,
				     &root),
		    US_OK);
	}
	assert_int_equal(us_batch_record(d, &source, n, &out), US_ERR_RANGE);
	us_manifest_close(m);
	us_batch_directory_free(d);
	us_buf_free(&out);
	free(leaves);
	store_free(&s);
}

static void
test_round_trips(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 127, 128, 129, 255, 256, 257, 300, 511, 512, 513,
		1000, 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		round_trip(sizes[i], 0, 1);
		round_trip(sizes[i] > 600 ? 600 : sizes[i], 1, 1);
	}
	round_trip(65535, 0, 401);
	round_trip(65536, 0, 401);
}

/* The level layout against the naive tree for every ragged size around page borders. */
static void
test_tampering(void **state)
{
	struct store s = { 0 };
	struct us_key key = { { 1 } };
	struct us_batch_writer_options o = { .place = { vault, 1, 2 },
		.page_key = &key,
		.records = 300,
		.emit = emit,
		.ctx = &s };
	struct us_batch_source source = { { vault, 1, 2 }, &key, get, &s };
	struct us_batch_writer *w;
	struct us_batch_totals t;
	struct us_batch_directory *d;
	struct us_manifest_reader *m;
	struct us_batch_proof proof;
	struct us_bytes sealed;
	uint8_t *p, leaf[32] = { 0 };

	(void)state;
	assert_int_equal(us_batch_writer_new(&w, &o), US_OK);
	for (uint32_t i = 0; i < 300; i++) {
		uint8_t *r = record_of(i, 500);

		assert_int_equal(us_batch_writer_add(w, (struct us_bytes){ r, 500 }, leaf), US_OK);
		free(r);
	}
	assert_int_equal(us_batch_writer_finish(w, &t), US_OK);
	us_batch_writer_free(w);

	/* another slot, another total, a changed byte, a missing page */
	source.place.slot = 3;
	assert_int_equal(us_batch_directory_open(&d, &source, 300, t.record_pages), US_ERR_AUTH);
	source.place.slot = 2;
	assert_int_equal(us_batch_directory_open(&d, &source, 299, t.record_pages), US_ERR_FORMAT);
	assert_int_equal(us_batch_directory_open(&d, &source, 300, t.record_pages + 1),
	    US_ERR_FORMAT);
	p = (uint8_t *)(uintptr_t)s.page[US_PAGE_DIRECTORY][0].p;
	p[4] ^= 1;
	assert_int_equal(us_batch_directory_open(&d, &source, 300, t.record_pages), US_ERR_AUTH);
	p[4] ^= 1;
	p = (uint8_t *)(uintptr_t)s.page[US_PAGE_MANIFEST][1].p;
	p[40] ^= 1;
	assert_int_equal(us_manifest_open(&m, &source, 300), US_OK);
	assert_int_equal(us_manifest_proof(m, 299, &proof), US_ERR_AUTH);
	assert_int_equal(us_manifest_proof(m, 3, &proof), US_OK);
	us_manifest_close(m);

	/* a manifest page put in another's place */
	p[40] ^= 1;
	sealed = s.page[US_PAGE_MANIFEST][0];
	s.page[US_PAGE_MANIFEST][0] = s.page[US_PAGE_MANIFEST][1];
	assert_int_equal(us_manifest_open(&m, &source, 300), US_OK);
	assert_int_equal(us_manifest_proof(m, 3, &proof), US_ERR_AUTH);
	us_manifest_close(m);
	s.page[US_PAGE_MANIFEST][0] = sealed;

	/* every single-byte change of the head of a record page is refused or finds some bytes
	 * within */
	sealed = s.page[US_PAGE_RECORDS][0];
	for (size_t i = 0; i < 60; i++) {
		struct us_bytes found;

		p = (uint8_t *)(uintptr_t)sealed.p;
		for (unsigned b = 0; b < 256; b++) {
			uint8_t was = p[i];

			p[i] = (uint8_t)b;
			if (us_record_page_find(sealed, 3, &found) == US_OK) {
				assert_true(found.p >= p && found.n > 0);
				assert_true(found.p + found.n <= p + sealed.n);
			}
			p[i] = was;
		}
	}
	for (size_t n = 0; n < sealed.n; n++) {
		struct us_bytes found;

		assert_int_not_equal(us_record_page_find((struct us_bytes){ sealed.p, n }, 3,
					 &found),
		    0);
	}
	store_free(&s);
}

static void
test_tags(void **state)
{
	struct store s = { 0 };
	size_t n = 3 * US_TAGS_PER_PAGE + 5, total = 0, count;
	struct us_tag *tags = calloc(n, sizeof(*tags));
	uint32_t pages;

	(void)state;
	for (size_t i = 0; i < n; i++)
		us_store_u32(tags[i].id, (uint32_t)(i * 2654435761u));
	assert_int_equal(us_tags_write(tags, n, emit, &s, &pages), US_OK);
	assert_int_equal(pages, 4);
	for (uint32_t i = 0; i < pages; i++) {
		assert_int_equal(us_tags_page_check(s.page[US_PAGE_TAGS][i], &count), US_OK);
		total += count;
		assert_int_equal(us_tags_page_check((struct us_bytes){ s.page[US_PAGE_TAGS][i].p,
							5 },
				     &count),
		    US_ERR_TRUNCATED);
	}
	assert_int_equal(total, n);
	((uint8_t *)(uintptr_t)s.page[US_PAGE_TAGS][0].p)[2 + 24 * 9] ^= 0xff;
	assert_int_equal(us_tags_page_check(s.page[US_PAGE_TAGS][0], &count), US_ERR_FORMAT);
	tags[1] = tags[0];
	assert_int_equal(us_tags_write(tags, n, emit, &s, &pages), US_ERR_EXISTS);
	store_free(&s);
	free(tags);
}

static void
test_dictionary(void **state)
{
	struct store s = { 0 };
	struct us_key key = { { 4 } };
	uint8_t *plain = malloc(US_DICTIONARY_MAX);
	struct us_buf sealed, joined, out;
	uint32_t pages;

	(void)state;
	memset(plain, 'x', US_DICTIONARY_MAX);
	us_buf_init(&sealed, 1 << 20);
	us_buf_init(&joined, 1 << 20);
	us_buf_init(&out, 1 << 20);
	assert_int_equal(us_dictionary_seal(&key, vault, 1, 2,
			     (struct us_bytes){ plain, US_DICTIONARY_MAX }, &sealed),
	    US_OK);
	assert_int_equal(us_dictionary_write((struct us_bytes){ sealed.data, sealed.len }, emit, &s,
			     &pages),
	    US_OK);
	for (uint32_t i = 0; i < pages; i++)
		us_buf_put(&joined, s.page[US_PAGE_DICTIONARY][i].p,
		    s.page[US_PAGE_DICTIONARY][i].n);
	assert_int_equal(us_dictionary_open(&key, vault, 1, 2,
			     (struct us_bytes){ joined.data, joined.len }, &out),
	    US_OK);
	assert_int_equal(out.len, US_DICTIONARY_MAX);
	assert_memory_equal(out.data, plain, out.len);
	assert_int_equal(us_dictionary_open(&key, vault, 1, 3,
			     (struct us_bytes){ joined.data, joined.len }, &out),
	    US_ERR_AUTH);
	us_buf_free(&sealed);
	us_buf_free(&joined);
	us_buf_free(&out);
	free(plain);
	store_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_dictionary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
