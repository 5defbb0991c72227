#include "evidence/batch/writer.h"

#include <stdlib.h>
#include <string.h>

#include "evidence/batch/manifest_internal.h"
#include "base/array.h"
#include "base/err.h"

#define WHOLE_HEADER 7u /* form, first item, n */
#define PART_HEADER 9u  /* form, item, length or offset */
#define DIRECTORY_HEADER 13u

struct us_batch_writer {
	struct us_batch_writer_options o;
	struct us_digest *leaves; /* o.records */
	uint16_t *first;          /* first item of each record page */
	size_t first_cap;
	uint32_t added;
	uint32_t record_pages;
	uint64_t record_bytes;
	/* The page of form 1 being filled: lengths and bodies apart, joined when it is full. */
	uint32_t page_first;
	uint32_t page_n;
	size_t body_len;
	uint16_t lengths[US_PAGE_MAX / 2];
	uint8_t body[US_PAGE_MAX];
	uint8_t page[US_PAGE_MAX];
};

int
us_batch_writer_new(struct us_batch_writer **out, const struct us_batch_writer_options *options)
{
	struct us_batch_writer *w;

	*out = NULL;
	if (options->records == 0 || options->records > US_BATCH_RECORDS_MAX)
		return US_ERR_RANGE;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return US_ERR_NOMEM;
	w->o = *options;
	w->leaves = malloc(options->records * sizeof *w->leaves);
	if (w->leaves == NULL) {
		free(w);
		return US_ERR_NOMEM;
	}
	*out = w;
	return US_OK;
}

void
us_batch_writer_free(struct us_batch_writer *w)
{
	if (w == NULL)
		return;
	free(w->leaves);
	free(w->first);
	us_wipe(w->page, sizeof w->page); /* held manifest nodes in clear */
	free(w);
}

static int
emit_record_page(struct us_batch_writer *w, uint32_t first_item, size_t n)
{
	if (us_grow(&w->first, w->record_pages, &w->first_cap, sizeof *w->first) != US_OK)
		return US_ERR_NOMEM;
	w->first[w->record_pages] = (uint16_t)first_item;
	return w->o.emit(w->o.ctx, US_PAGE_RECORDS, w->record_pages++,
	    (struct us_bytes){ w->page, n });
}

/* Writes the page of whole records gathered so far, if any. */
static int
flush_whole(struct us_batch_writer *w)
{
	uint8_t *p = w->page;

	if (w->page_n == 0)
		return US_OK;
	*p++ = 1;
	us_store_u32(p, w->page_first);
	us_store_u16(p + 4, (uint16_t)w->page_n);
	p += 6;
	for (uint32_t i = 0; i < w->page_n; i++, p += 2)
		us_store_u16(p, w->lengths[i]);
	memcpy(p, w->body, w->body_len);
	p += w->body_len;
	w->page_n = 0;
	w->body_len = 0;
	return emit_record_page(w, w->page_first, (size_t)(p - w->page));
}

static int
add_large(struct us_batch_writer *w, struct us_bytes sealed)
{
	size_t at = 0, take;
	int err;

	while (at < sealed.n) {
		w->page[0] = at == 0 ? 2 : 3;
		us_store_u32(w->page + 1, w->added);
		us_store_u32(w->page + 5, (uint32_t)(at == 0 ? sealed.n : at));
		take = sealed.n - at;
		if (take > US_PAGE_MAX - PART_HEADER)
			take = US_PAGE_MAX - PART_HEADER;
		memcpy(w->page + PART_HEADER, sealed.p + at, take);
		err = emit_record_page(w, w->added, PART_HEADER + take);
		if (err != US_OK)
			return err;
		at += take;
	}
	return US_OK;
}

int
us_batch_writer_add(struct us_batch_writer *w, struct us_bytes sealed, const uint8_t leaf[32])
{
	int err = US_OK;

	if (w->added == w->o.records || sealed.n == 0 || sealed.n > US_SEALED_RECORD_MAX)
		return US_ERR_LIMIT;
	if (WHOLE_HEADER + 2 * (w->page_n + 1) + w->body_len + sealed.n > US_PAGE_MAX)
		err = flush_whole(w);
	if (err != US_OK)
		return err;
	if (WHOLE_HEADER + 2 + sealed.n > US_PAGE_MAX) {
		err = add_large(w, sealed);
		if (err != US_OK)
			return err;
	} else {
		if (w->page_n == 0)
			w->page_first = w->added;
		w->lengths[w->page_n++] = (uint16_t)sealed.n;
		memcpy(w->body + w->body_len, sealed.p, sealed.n);
		w->body_len += sealed.n;
	}
	memcpy(w->leaves[w->added].b, leaf, 32);
	w->record_bytes += sealed.n;
	w->added++;
	return US_OK;
}

/* Seals the first n bytes of w->page under the page key and emits them. */
static int
emit_sealed(struct us_batch_writer *w, enum us_page_kind kind, uint32_t number, size_t n)
{
	uint8_t out[US_PAGE_MAX];
	int err;

	err = us_page_seal(w->o.page_key, &w->o.place, kind, number,
	    (struct us_bytes){ w->page, n }, out);
	if (err != US_OK)
		return err;
	return w->o.emit(w->o.ctx, kind, number, (struct us_bytes){ out, n + US_PAGE_TAG });
}

static int
write_directory(struct us_batch_writer *w, uint32_t *pages)
{
	uint32_t at = 0, n, number = 0;
	int err;

	while (at < w->record_pages) {
		uint8_t *p = w->page + DIRECTORY_HEADER;

		n = w->record_pages - at;
		if (n > US_DIRECTORY_PER_PAGE)
			n = US_DIRECTORY_PER_PAGE;
		w->page[0] = 1;
		us_store_u32(w->page + 1, w->o.records);
		us_store_u32(w->page + 5, w->record_pages);
		us_store_u32(w->page + 9, at);
		for (uint32_t i = 0; i < n; i++, p += 2)
			us_store_u16(p, w->first[at + i]);
		err = emit_sealed(w, US_PAGE_DIRECTORY, number++, (size_t)(p - w->page));
		if (err != US_OK)
			return err;
		at += n;
	}
	*pages = number;
	return US_OK;
}

/* Writes `levels` levels, the lowest being the n nodes of row (which is overwritten), into the
 * page. row then holds the level above the last one written. */
static uint32_t
put_levels(struct us_batch_writer *w, uint8_t upper, struct us_digest *row, uint32_t n,
    unsigned levels, size_t *len)
{
	uint8_t *p = w->page;

	*p++ = 1;
	*p++ = upper;
	us_store_u16(p, (uint16_t)n);
	p += 2;
	for (unsigned l = 0; l < levels; l++) {
		memcpy(p, row, n * sizeof *row);
		p += n * sizeof *row;
		n = level_up(row, row, n);
	}
	*len = (size_t)(p - w->page);
	return n;
}

static int
write_manifest(struct us_batch_writer *w, uint32_t *pages, uint8_t root[32])
{
	uint32_t tops = level_count(w->o.records, 8), n;
	struct us_digest top[US_BATCH_RECORDS_MAX / US_MANIFEST_PER_PAGE];
	size_t len;
	int err;

	for (uint32_t i = 0; i < tops; i++) {
		struct us_digest *row = w->leaves + i * US_MANIFEST_PER_PAGE;

		n = w->o.records - i * US_MANIFEST_PER_PAGE;
		if (n > US_MANIFEST_PER_PAGE)
			n = US_MANIFEST_PER_PAGE;
		n = put_levels(w, 0, row, n, MANIFEST_LEAF_LEVELS, &len);
		level_up(row, row, n); /* level 7 to level 8 */
		top[i] = row[0];
		err = emit_sealed(w, US_PAGE_MANIFEST, i, len);
		if (err != US_OK)
			return err;
	}
	*pages = tops;
	n = tops;
	if (tops > 1) {
		n = put_levels(w, 1, top, tops, MANIFEST_UPPER_LEVELS, &len);
		err = emit_sealed(w, US_PAGE_MANIFEST, tops, len);
		if (err != US_OK)
			return err;
		(*pages)++;
	}
	while (n > 1)
		n = level_up(top, top, n);
	memcpy(root, top[0].b, 32);
	return US_OK;
}

int
us_batch_writer_finish(struct us_batch_writer *w, struct us_batch_totals *totals)
{
	struct us_batch_totals t = { 0 };
	int err;

	if (w->added != w->o.records)
		return US_ERR_STATE;
	err = flush_whole(w);
	if (err == US_OK)
		err = write_directory(w, &t.directory_pages);
	if (err == US_OK)
		err = write_manifest(w, &t.manifest_pages, t.manifest_root);
	if (err != US_OK)
		return err;
	t.records = w->o.records;
	t.record_pages = w->record_pages;
	t.record_bytes = w->record_bytes;
	*totals = t;
	return US_OK;
}

static int
tag_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct us_tag *)0)->id));
}

int
us_tags_write(struct us_tag *tags, size_t n, us_emit_page_fn emit, void *ctx, uint32_t *pages)
{
	uint8_t page[US_PAGE_MAX];
	uint32_t number = 0;
	size_t i, take;
	int err;

	qsort(tags, n, sizeof *tags, tag_order);
	for (i = 1; i < n; i++) {
		if (tag_order(&tags[i - 1], &tags[i]) == 0)
			return US_ERR_EXISTS;
	}
	for (i = 0; i < n; i += take) {
		take = n - i > US_TAGS_PER_PAGE ? US_TAGS_PER_PAGE : n - i;
		us_store_u16(page, (uint16_t)take);
		memcpy(page + 2, &tags[i], take * sizeof *tags);
		err = emit(ctx, US_PAGE_TAGS, number++,
		    (struct us_bytes){ page, 2 + take * sizeof *tags });
		if (err != US_OK)
			return err;
	}
	*pages = number;
	return US_OK;
}

int
us_dictionary_write(struct us_bytes sealed, us_emit_page_fn emit, void *ctx, uint32_t *pages)
{
	uint32_t number = 0;
	int err;

	while (sealed.n > 0) {
		size_t take = sealed.n > US_PAGE_MAX ? US_PAGE_MAX : sealed.n;

		err = emit(ctx, US_PAGE_DICTIONARY, number++, (struct us_bytes){ sealed.p, take });
		if (err != US_OK)
			return err;
		sealed.p += take;
		sealed.n -= take;
	}
	*pages = number;
	return US_OK;
}
