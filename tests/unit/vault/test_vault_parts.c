/* The vault's parts that need no other process: cursors, the page cache, duplicate tags, the
 * writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "evidence/batch/writer.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "daemon/vault/evidence/cache.h"
#include "daemon/vault/answers/cursor.h"
#include "daemon/vault/loads/tags.h"
#include "daemon/vault/state/writer.h"

struct fixture {
	char dir[64];
	char path[128];
	struct event_base *base;
	struct us_writer *writer;
	struct us_store_reader *reader;
};

static int
set_up(void **state)
{
	struct us_store_options o = { .create = 1 };
	struct fixture *f = calloc(1, sizeof *f);
	struct us_store *store;

	assert_non_null(f);
	strcpy(f->dir, "/tmp/us-vault-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/store.db", f->dir);
	o.path = f->path;
	assert_int_equal(us_store_open(&store, &o), US_OK);
	assert_int_equal(us_store_reader_open(&f->reader, store), US_OK);
	f->base = event_base_new();
	assert_non_null(f->base);
	assert_int_equal(us_writer_new(&f->writer, store, f->base), US_OK);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	us_store_reader_close(f->reader);
	us_writer_free(f->writer);
	event_base_free(f->base);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* --- cursors --------------------------------------------------------------------------------- */

static void
test_cursor(void **state)
{
	static const uint8_t vault[32] = { 1, 2, 3 }, other_vault[32] = { 9 };
	struct us_cursor c = { .collection = 7,
		.person = 3,
		.snapshot = 1u << 30,
		.place = 123456789,
		.total = 42,
		.intent = 77 };
	struct us_cursor back;
	struct us_key key, other;
	struct us_buf text, again;
	size_t i;

	(void)state;
	memset(c.query, 0x5a, sizeof c.query);
	assert_int_equal(us_key_random(&key), US_OK);
	assert_int_equal(us_key_random(&other), US_OK);
	us_buf_init(&text, 512);
	us_buf_init(&again, 512);
	assert_int_equal(us_cursor_seal(&key, vault, &c, &text), US_OK);
	assert_int_equal(us_cursor_seal(&key, vault, &c, &again), US_OK);
	assert_memory_not_equal(text.data, again.data, text.len); /* a fresh salt each time */
	for (i = 0; i < text.len; i++)
		assert_true(
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			text.data[i]) != NULL);
	memset(&back, 0, sizeof back);
	assert_int_equal(us_cursor_open(&key, vault, (struct us_bytes){ text.data, text.len },
			     &back),
	    US_OK);
	assert_memory_equal(&back, &c, sizeof c);
	assert_int_equal(us_cursor_open(&other, vault, (struct us_bytes){ text.data, text.len },
			     &back),
	    US_ERR_FORMAT);
	assert_int_equal(us_cursor_open(&key, other_vault, (struct us_bytes){ text.data, text.len },
			     &back),
	    US_ERR_FORMAT);
	for (i = 0; i < text.len; i++) {
		uint8_t was = text.data[i];

		text.data[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(us_cursor_open(&key, vault,
				     (struct us_bytes){ text.data, text.len }, &back),
		    US_ERR_FORMAT);
		text.data[i] = was;
		assert_int_equal(us_cursor_open(&key, vault, (struct us_bytes){ text.data, i },
				     &back),
		    US_ERR_FORMAT);
	}
	us_buf_free(&text);
	us_buf_free(&again);
}

/* --- the writer ------------------------------------------------------------------------------- */

struct done {
	int count;
	int err;
	size_t bytes;
};

static void
on_done(void *ctx, int err, size_t bytes)
{
	struct done *d = ctx;

	d->count++;
	d->bytes += bytes;
	if (err != US_OK)
		d->err = err;
}

static void
wait_for(struct fixture *f, const struct done *d, int count)
{
	while (d->count < count)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
}

static void
put_pages(struct fixture *f, struct done *d, uint32_t collection, uint8_t kind, uint64_t first,
    int n, size_t size)
{
	struct us_write job = { .op = US_WRITE_PAGES,
		.key = { collection, kind, first },
		.done = on_done,
		.ctx = d };
	uint8_t *page = malloc(size);
	struct us_buf b;
	int i;

	us_buf_init(&b, 4u << 20);
	for (i = 0; i < n; i++) {
		memset(page, (int)(first + (uint64_t)i) & 0xff, size);
		assert_int_equal(us_buf_put_str16(&b, page, size), US_OK);
	}
	job.data = (struct us_bytes){ b.data, b.len };
	assert_int_equal(us_writer_put(f->writer, &job), US_OK);
	us_buf_free(&b);
	free(page);
}

static void
test_writer(void **state)
{
	struct fixture *f = *state;
	struct done d = { 0 };
	struct us_write barrier = { .op = US_WRITE_BARRIER, .done = on_done, .ctx = &d };
	struct us_write delete = { .op = US_WRITE_DELETE,
		.key = { 1, 1, 0 },
		.last = 149,
		.done = on_done,
		.ctx = &d };
	struct us_store_key key = { 1, 1, 150 };
	struct us_buf page;

	put_pages(f, &d, 1, 1, 0, 100, 16000);
	put_pages(f, &d, 1, 1, 100, 100, 16000);
	assert_int_equal(us_writer_put(f->writer, &barrier), US_OK);
	wait_for(f, &d, 3);
	assert_int_equal(d.err, US_OK);
	us_buf_init(&page, 16384);
	assert_int_equal(us_store_get(f->reader, &key, &page), US_OK);
	assert_int_equal(page.len, 16000);
	assert_int_equal(page.data[0], 150);
	assert_int_equal(us_writer_put(f->writer, &delete), US_OK);
	wait_for(f, &d, 4);
	us_buf_reset(&page);
	assert_int_equal(us_store_get(f->reader, &key, &page), US_OK);
	key.number = 149;
	assert_int_equal(us_store_get(f->reader, &key, &page), US_ERR_NOT_FOUND);
	assert_true(us_writer_pending(f->writer) > 0);
	us_buf_free(&page);
}

/* --- the cache -------------------------------------------------------------------------------- */

static int
open_page(void *ctx, struct us_bytes stored, uint8_t *out, size_t *out_n)
{
	int *calls = ctx;

	++*calls;
	out[0] = (uint8_t)(stored.p[0] + 1);
	*out_n = 1;
	return US_OK;
}

static void
test_cache(void **state)
{
	struct fixture *f = *state;
	struct done d = { 0 };
	struct us_cache *c;
	struct us_bytes page;
	uint64_t i;
	int calls = 0;

	put_pages(f, &d, 2, 3, 0, 64, 100);
	wait_for(f, &d, 1);
	assert_int_equal(us_cache_new(&c, f->reader, 16), US_OK);
	for (i = 0; i < 640; i++) {
		struct us_store_key key = { 2, 3, i * 7 % 64 };

		assert_int_equal(us_cache_get(c, &key, NULL, NULL, &page), US_OK);
		assert_int_equal(page.n, 100);
		assert_int_equal(page.p[0], i * 7 % 64);
	}
	for (i = 0; i < 10; i++) {
		struct us_store_key key = { 2, 3, 64 };

		assert_int_equal(us_cache_get(c, &key, NULL, NULL, &page), US_ERR_NOT_FOUND);
	}
	us_cache_forget(c, &(struct us_store_key){ 2, 3, 0 }, 63);
	for (i = 0; i < 100; i++) {
		struct us_store_key key = { 2, 3, i % 10 };

		assert_int_equal(us_cache_get(c, &key, open_page, &calls, &page), US_OK);
		assert_int_equal(page.n, 1);
		assert_int_equal(page.p[0], i % 10 + 1);
	}
	assert_int_equal(calls, 10); /* opened once each */
	us_cache_free(c);
}

/* --- duplicates ------------------------------------------------------------------------------- */

struct emit {
	struct fixture *f;
	struct done *d;
	uint32_t slot;
	int n;
};

static int
emit_tags(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes page)
{
	struct emit *e = ctx;
	struct us_write job = { .op = US_WRITE_PAGES,
		.key = { 5, (uint8_t)kind, (uint64_t)e->slot << 16 | number },
		.done = on_done,
		.ctx = e->d };
	struct us_buf b;

	us_buf_init(&b, 65536);
	assert_int_equal(us_buf_put_str16(&b, page.p, page.n), US_OK);
	job.data = (struct us_bytes){ b.data, b.len };
	assert_int_equal(us_writer_put(e->f->writer, &job), US_OK);
	us_buf_free(&b);
	e->n++;
	return US_OK;
}

static void
make_tag(struct us_tag *tag, uint32_t n)
{
	uint8_t digest[32];

	assert_int_equal(us_sha256(&n, sizeof n, digest), US_OK);
	memcpy(tag->id, digest, 16);
	memcpy(tag->content, digest + 16, 8);
}

#define TAGS 5000u

static void
test_tags(void **state)
{
	struct fixture *f = *state;
	struct done d = { 0 };
	struct us_tag *tags = calloc(TAGS, sizeof *tags), tag;
	struct us_tags *t;
	struct us_cache *c;
	enum us_known known;
	uint32_t slot, i, pages;
	size_t false_hits = 0;

	assert_int_equal(us_cache_new(&c, f->reader, 64), US_OK);
	assert_int_equal(us_tags_new(&t, 5), US_OK);
	for (slot = 0; slot < 3; slot++) {
		struct emit e = { f, &d, slot, 0 };
		int before = d.count;

		for (i = 0; i < TAGS; i++)
			make_tag(&tags[i], slot * TAGS + i);
		assert_int_equal(us_tags_write(tags, TAGS, emit_tags, &e, &pages), US_OK);
		wait_for(f, &d, before + e.n);
		assert_int_equal(us_tags_add(t, f->reader, slot, TAGS), US_OK);
		assert_int_equal(us_tags_add(t, f->reader, slot, TAGS), US_OK);
	}
	for (i = 0; i < 4 * TAGS; i++) {
		make_tag(&tag, i);
		assert_int_equal(us_tags_find(t, c, &tag, &known), US_OK);
		assert_int_equal(known, i < 3 * TAGS ? US_KNOWN_SAME : US_KNOWN_NEW);
		tag.content[0] ^= 1;
		assert_int_equal(us_tags_find(t, c, &tag, &known), US_OK);
		assert_int_equal(known, i < 3 * TAGS ? US_KNOWN_OTHER : US_KNOWN_NEW);
		false_hits += known != US_KNOWN_NEW && i >= 3 * TAGS;
	}
	assert_int_equal(false_hits, 0);
	us_tags_free(t);
	us_cache_free(c);
	free(tags);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor),
		T(test_writer),
		T(test_cache),
		T(test_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
