#include "evidence/batch/reader.h"

#include <stdlib.h>
#include <string.h>

#include "evidence/batch/manifest_internal.h"
#include "base/err.h"
#include "crypto/keytree.h"

#define WHOLE_HEADER 7u
#define PART_HEADER 9u
#define DIRECTORY_HEADER 13u
/* Every record needs a length and a byte in a page, and a large one at most so many pages: more
 * record pages than this no batch has. */
#define RECORD_PAGES_MAX 0x04000000u

struct us_batch_directory {
	uint32_t records;
	uint32_t pages;
	/* Ascending; equal neighbours are the pages of one large record; first[0] is 0. */
	uint16_t first[];
};

static int
read_directory_page(struct us_batch_directory *d, const struct us_batch_source *source,
    uint32_t number, uint32_t at, uint32_t n)
{
	uint8_t plain[US_PAGE_MAX];
	struct us_bytes page;
	int err;

	err = source->get_page(source->ctx, US_PAGE_DIRECTORY, number, &page);
	if (err != US_OK)
		return err;
	err = us_page_open(source->page_key, &source->place, US_PAGE_DIRECTORY, number, page,
	    plain);
	if (err != US_OK)
		return err;
	if (page.n - US_PAGE_TAG != DIRECTORY_HEADER + 2 * (size_t)n || plain[0] != 1 ||
	    us_load_u32(plain + 1) != d->records || us_load_u32(plain + 5) != d->pages ||
	    us_load_u32(plain + 9) != at)
		return US_ERR_FORMAT;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t first = us_load_u16(plain + DIRECTORY_HEADER + 2 * (size_t)i);

		if (first >= d->records ||
		    (at + i == 0 ? first != 0 : first < d->first[at + i - 1]))
			return US_ERR_FORMAT;
		d->first[at + i] = first;
	}
	return US_OK;
}

int
us_batch_directory_open(struct us_batch_directory **out, const struct us_batch_source *source,
    uint32_t records, uint32_t record_pages)
{
	struct us_batch_directory *d;
	uint32_t at = 0, n, number = 0;
	int err;

	*out = NULL;
	if (records == 0 || records > US_BATCH_RECORDS_MAX || record_pages == 0 ||
	    record_pages > RECORD_PAGES_MAX)
		return US_ERR_RANGE;
	d = malloc(sizeof *d + record_pages * sizeof d->first[0]);
	if (d == NULL)
		return US_ERR_NOMEM;
	d->records = records;
	d->pages = record_pages;
	while (at < record_pages) {
		n = record_pages - at;
		if (n > US_DIRECTORY_PER_PAGE)
			n = US_DIRECTORY_PER_PAGE;
		err = read_directory_page(d, source, number++, at, n);
		if (err != US_OK) {
			free(d);
			return err;
		}
		at += n;
	}
	*out = d;
	return US_OK;
}

void
us_batch_directory_free(struct us_batch_directory *d)
{
	free(d);
}

/* The first page whose first item is more than item (or, if less is set, not less). */
static uint32_t
search(const struct us_batch_directory *d, uint32_t item, int equal)
{
	uint32_t lo = 0, hi = d->pages;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (d->first[mid] < item || (!equal && d->first[mid] == item))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
us_batch_directory_find(const struct us_batch_directory *d, uint32_t item, uint32_t *first,
    uint32_t *n)
{
	uint32_t above, begin;

	if (item >= d->records)
		return US_ERR_RANGE;
	above = search(d, item, 0); /* >= 1, as first[0] is 0 */
	begin = search(d, d->first[above - 1], 1);
	*first = begin;
	*n = above - begin;
	return US_OK;
}

int
us_record_page_find(struct us_bytes page, uint32_t item, struct us_bytes *sealed)
{
	size_t n, at, length, head;
	uint32_t first;
	struct us_bytes found = { NULL, 0 };

	if (page.n < WHOLE_HEADER)
		return US_ERR_TRUNCATED;
	if (page.n > US_PAGE_MAX)
		return US_ERR_FORMAT;
	if (page.p[0] == 2 || page.p[0] == 3)
		return US_ERR_NOT_FOUND;
	if (page.p[0] != 1)
		return US_ERR_FORMAT;
	first = us_load_u32(page.p + 1);
	n = us_load_u16(page.p + 5);
	head = WHOLE_HEADER + 2 * n;
	if (n == 0 || first >= US_BATCH_RECORDS_MAX || n > US_BATCH_RECORDS_MAX - first)
		return US_ERR_FORMAT;
	if (page.n < head)
		return US_ERR_TRUNCATED;
	at = head;
	for (size_t i = 0; i < n; i++) {
		length = us_load_u16(page.p + WHOLE_HEADER + 2 * i);
		if (length == 0)
			return US_ERR_FORMAT;
		if (length > page.n - at)
			return US_ERR_TRUNCATED;
		if (first + i == item)
			found = (struct us_bytes){ page.p + at, length };
		at += length;
	}
	if (at != page.n)
		return US_ERR_TRAILING;
	if (found.p == NULL)
		return US_ERR_NOT_FOUND;
	*sealed = found;
	return US_OK;
}

/* Appends what a page holds of a large record: *length is its whole length, set by page 0 of it. */
static int
take_part(struct us_bytes page, uint32_t item, uint32_t index, size_t had, size_t *length,
    struct us_buf *out)
{
	size_t body, want;

	if (page.n <= PART_HEADER || page.n > US_PAGE_MAX)
		return US_ERR_FORMAT;
	if (page.p[0] != (index == 0 ? 2 : 3) || us_load_u32(page.p + 1) != item)
		return US_ERR_FORMAT;
	body = page.n - PART_HEADER;
	if (index == 0) {
		*length = us_load_u32(page.p + 5);
		if (*length <= US_PAGE_MAX - WHOLE_HEADER - 2)
			return US_ERR_FORMAT;
		if (*length > US_SEALED_RECORD_MAX)
			return US_ERR_LIMIT;
	} else if (us_load_u32(page.p + 5) != had) {
		return US_ERR_FORMAT;
	}
	want = *length - had;
	if (want > US_PAGE_MAX - PART_HEADER)
		want = US_PAGE_MAX - PART_HEADER;
	if (body != want)
		return US_ERR_FORMAT;
	return us_buf_put(out, page.p + PART_HEADER, body);
}

int
us_batch_record(const struct us_batch_directory *d, const struct us_batch_source *source,
    uint32_t item, struct us_buf *out)
{
	struct us_bytes page, sealed;
	size_t start = out->len, length = 0;
	uint32_t first, n;
	int err;

	err = us_batch_directory_find(d, item, &first, &n);
	if (err != US_OK)
		return err;
	for (uint32_t i = 0; i < n; i++) {
		err = source->get_page(source->ctx, US_PAGE_RECORDS, first + i, &page);
		if (err != US_OK)
			goto fail;
		if (i == 0) {
			err = us_record_page_find(page, item, &sealed);
			if (err == US_OK) {
				/* A page of whole records shares its first item with no other. */
				err = n == 1 ? us_buf_put(out, sealed.p, sealed.n) : US_ERR_FORMAT;
				if (err != US_OK)
					goto fail;
				return US_OK;
			}
			if (err != US_ERR_NOT_FOUND)
				goto fail;
		}
		err = take_part(page, item, i, out->len - start, &length, out);
		if (err != US_OK)
			goto fail;
	}
	if (out->len - start == length)
		return US_OK;
	err = US_ERR_TRUNCATED;
fail:
	out->len = start;
	return err;
}

struct us_manifest_reader {
	const struct us_batch_source *source;
	uint32_t records;
	uint32_t tops;         /* nodes of level 8 */
	uint32_t open;         /* the leaf page in leaf[], UINT32_MAX for none */
	unsigned upper_levels; /* in upper[], 0: not read yet */
	struct us_digest leaf[512];
	struct us_digest upper[512];
};

int
us_manifest_open(struct us_manifest_reader **out, const struct us_batch_source *source,
    uint32_t records)
{
	struct us_manifest_reader *r;

	*out = NULL;
	if (records == 0 || records > US_BATCH_RECORDS_MAX)
		return US_ERR_RANGE;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return US_ERR_NOMEM;
	r->source = source;
	r->records = records;
	r->tops = level_count(records, 8);
	r->open = UINT32_MAX;
	*out = r;
	return US_OK;
}

void
us_manifest_close(struct us_manifest_reader *r)
{
	if (r == NULL)
		return;
	us_wipe(r, sizeof *r);
	free(r);
}

static int
read_levels(struct us_manifest_reader *r, uint32_t number, uint8_t upper, uint32_t n,
    unsigned levels, struct us_digest *to)
{
	uint8_t plain[US_PAGE_MAX];
	struct us_bytes page;
	size_t total = levels_total(n, levels) * sizeof *to;
	int err;

	err = r->source->get_page(r->source->ctx, US_PAGE_MANIFEST, number, &page);
	if (err != US_OK)
		return err;
	err = us_page_open(r->source->page_key, &r->source->place, US_PAGE_MANIFEST, number, page,
	    plain);
	if (err != US_OK)
		return err;
	if (page.n - US_PAGE_TAG != MANIFEST_HEADER + total || plain[0] != 1 || plain[1] != upper ||
	    us_load_u16(plain + 2) != n)
		return US_ERR_FORMAT;
	memcpy(to, plain + MANIFEST_HEADER, total);
	return US_OK;
}

static uint32_t
leaves_of_page(const struct us_manifest_reader *r, uint32_t page)
{
	uint32_t n = r->records - page * US_MANIFEST_PER_PAGE;

	return n > US_MANIFEST_PER_PAGE ? US_MANIFEST_PER_PAGE : n;
}

static int
open_leaf_page(struct us_manifest_reader *r, uint32_t page)
{
	int err;

	if (r->open == page)
		return US_OK;
	r->open = UINT32_MAX;
	err = read_levels(r, page, 0, leaves_of_page(r, page), MANIFEST_LEAF_LEVELS, r->leaf);
	if (err == US_OK)
		r->open = page;
	return err;
}

/* Computes the levels above the stored ones, behind them, up to a single node; returns how many
 * there are then. There is room: 512 nodes hold all levels over 256. */
static unsigned
complete(struct us_digest *levels, uint32_t n, unsigned stored)
{
	unsigned l = 1;

	for (; n > 1; l++, n = (n + 1) / 2) {
		if (l >= stored)
			level_up(levels + n, levels, n);
		levels += n;
	}
	return l;
}

/* Walks from node `index` of n nodes through the stored levels, then through computed ones up to a
 * single node or `more` further levels, adding the sibling of each level that has one. */
static void
walk(const struct us_digest *levels, uint32_t n, uint32_t index, unsigned stored, unsigned more,
    struct us_batch_proof *proof)
{
	struct us_digest row[8]; /* what lies above the stored levels is at most 8 nodes */

	for (unsigned l = 0; l < stored + more && n > 1; l++) {
		const struct us_digest *at = l < stored ? levels : row;

		if ((index ^ 1) < n)
			memcpy(proof->hash[proof->n++], at[index ^ 1].b, 32);
		if (l + 1 < stored)
			levels += n;
		else if (l + 1 < stored + more)
			level_up(row, at, n);
		n = (n + 1) / 2;
		index /= 2;
	}
}

int
us_manifest_proof(struct us_manifest_reader *r, uint32_t item, struct us_batch_proof *proof)
{
	uint32_t page = item / US_MANIFEST_PER_PAGE;
	int err;

	if (item >= r->records)
		return US_ERR_RANGE;
	err = open_leaf_page(r, page);
	if (err != US_OK)
		return err;
	if (r->tops > 1 && r->upper_levels == 0) {
		err = read_levels(r, r->tops, 1, r->tops, MANIFEST_UPPER_LEVELS, r->upper);
		if (err != US_OK)
			return err;
		r->upper_levels = complete(r->upper, r->tops, MANIFEST_UPPER_LEVELS);
	}
	proof->n = 0;
	walk(r->leaf, leaves_of_page(r, page), item % US_MANIFEST_PER_PAGE, MANIFEST_LEAF_LEVELS, 1,
	    proof);
	if (r->tops > 1)
		walk(r->upper, r->tops, page, r->upper_levels, 0, proof);
	return US_OK;
}
