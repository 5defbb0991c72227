/* Looking into the index, and reading what it finds. */
#include <string.h>

#include "base/err.h"
#include "client/log/log_index_internal.h"

struct us_log_found {
	const struct us_log_range *range;
	uint64_t base; /* the first entry of the chunk */
	uint8_t bits[US_CHUNK_ENTRIES / 8];
	int any;
};

static int
mark_found(void *arg, const struct us_log_posting *p)
{
	struct us_log_found *f = arg;
	const uint64_t index = f->base + p->entry;

	if (index < f->range->from || index >= f->range->to)
		return US_OK;
	for (size_t i = 0; i < f->range->n; i++) {
		const struct us_log_look_for *l = &f->range->look[i];

		if (p->look == l->look && p->a == l->a && p->number >= l->first &&
		    p->number <= l->last) {
			f->bits[p->entry / 8] |= (uint8_t)(1u << p->entry % 8);
			f->any = 1;
		}
	}
	return US_OK;
}

static int
find_in_chunk(const struct us_log_index *x, uint64_t chunk, struct us_log_found *f)
{
	struct us_buf bytes;
	uint32_t bundles;
	char path[32];
	int err;

	f->base = chunk * US_CHUNK_ENTRIES;
	f->any = f->range->n == 0;
	memset(f->bits, f->any ? 0xff : 0, sizeof f->bits);
	if (f->any)
		return US_OK;
	us_log_index_path(chunk, path);
	us_buf_init(&bytes, US_CHUNK_BYTES_MAX);
	err = us_key_store_open(x->remote->store, path, &bytes);
	if (err == US_OK)
		err = us_postings_decode((struct us_bytes){ bytes.data, bytes.len }, &bundles,
		    mark_found, f);
	us_buf_free(&bytes);
	if (err == US_OK && x->mark != US_ENTRY_NONE && x->mark / US_CHUNK_ENTRIES == chunk) {
		const struct us_log_posting newest = { .look = US_LOOK_CONTEXT,
			.entry = (uint32_t)(x->mark % US_CHUNK_ENTRIES) };

		err = mark_found(f, &newest);
	}
	return err;
}

static int
open_entry(struct us_log_index *x, struct us_opened *o, struct us_bytes entry)
{
	struct us_export_keys keys;
	const struct us_box_keys *k;
	int err = us_opened_begin(o, entry);

	if (err != US_OK)
		return err;
	k = us_log_remote_keys_of(x->remote, o->view.index);
	if (k == NULL)
		return US_ERR_IO;
	keys.index = o->view.index;
	for (unsigned box = 0; box < US_BOXES; box++) {
		keys.present[box] = k->present >> box & 1;
		memcpy(keys.keys[box].b, k->key[box], sizeof keys.keys[box].b);
	}
	err = us_opened_boxes(o, &keys);
	us_wipe(&keys, sizeof keys);
	return err;
}

struct us_log_visit {
	struct us_log_index *x;
	int (*on)(void *arg, const struct us_opened *o);
	void *arg;
	struct us_opened opened;
	struct us_buf bundle;
};

/* Those of a bundle's entries that are marked and of the range. */
static int
visit_bundle(struct us_log_visit *v, uint64_t n, const struct us_log_found *f)
{
	const uint64_t size = v->x->remote->size;
	const struct us_tile tile = { .entries = 1, .n = n, .width = us_tile_width(size, 0, n) };
	struct us_reader r;
	int err;

	us_buf_reset(&v->bundle);
	err = us_mirror_get(v->x->remote->mirror, &tile, &v->bundle);
	us_reader_init(&r, v->bundle.data, v->bundle.len);
	for (uint64_t i = n * US_TILE_WIDTH; err == US_OK && i < n * US_TILE_WIDTH + tile.width;
	     i++) {
		const struct us_bytes entry = us_bundle_take(&r);
		const uint64_t at = i - f->base;

		err = r.err;
		if (err != US_OK || i < f->range->from || i >= f->range->to ||
		    (f->bits[at / 8] >> at % 8 & 1) == 0)
			continue;
		err = open_entry(v->x, &v->opened, entry);
		if (err == US_OK)
			err = v->on(v->arg, &v->opened);
	}
	return err;
}

static int
is_marked(const struct us_log_found *f, uint64_t n)
{
	const size_t at = (size_t)(n % US_CHUNK_BUNDLES) * (US_TILE_WIDTH / 8);

	for (size_t i = 0; i < US_TILE_WIDTH / 8; i++)
		if (f->bits[at + i] != 0)
			return 1;
	return 0;
}

/* Entries behind the last full bundle are few, and all looked at. */
static int
visit_tail(struct us_log_visit *v, struct us_log_found *f)
{
	if (v->x->remote->size % US_TILE_WIDTH == 0)
		return US_OK;
	f->base = v->x->bundles * US_TILE_WIDTH;
	memset(f->bits, 0xff, sizeof f->bits);
	return visit_bundle(v, v->x->bundles, f);
}

int
us_log_index_each(struct us_log_index *x, const struct us_log_range *range,
    int (*on)(void *arg, const struct us_opened *o), void *arg)
{
	struct us_log_visit v = { .x = x, .on = on, .arg = arg };
	struct us_log_found f = { .range = range };
	const uint64_t full = x->bundles * US_TILE_WIDTH, to = range->to < full ? range->to : full;
	int err = US_OK;

	us_opened_init(&v.opened);
	us_buf_init(&v.bundle, US_BUNDLE_MAX);
	for (uint64_t c = range->from / US_CHUNK_ENTRIES; err == US_OK && c * US_CHUNK_ENTRIES < to;
	     c++) {
		err = find_in_chunk(x, c, &f);
		for (uint64_t n = c * US_CHUNK_BUNDLES;
		     err == US_OK && f.any && n < x->bundles && n < (c + 1) * US_CHUNK_BUNDLES; n++)
			if (is_marked(&f, n) && n * US_TILE_WIDTH < range->to &&
			    (n + 1) * US_TILE_WIDTH > range->from)
				err = visit_bundle(&v, n, &f);
	}
	if (err == US_OK)
		err = visit_tail(&v, &f);
	us_opened_free(&v.opened);
	us_buf_free(&v.bundle);
	return err;
}

void
us_log_index_times(const struct us_log_index *x, int64_t since_ns, int64_t until_ns,
    struct us_log_range *range)
{
	uint64_t low = 0, high = x->bundles;

	range->from = 0;
	range->to = UINT64_MAX;
	while (since_ns != 0 && low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (x->last_ns[middle] < since_ns)
			low = middle + 1;
		else
			high = middle;
	}
	range->from = low * US_TILE_WIDTH;
	high = x->bundles;
	while (until_ns != 0 && low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (x->last_ns[middle] <= until_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (until_ns != 0 && low < x->bundles)
		range->to = (low + 1) * US_TILE_WIDTH;
}

const char *
us_log_index_party(const struct us_log_index *x, size_t i)
{
	return i < x->n_parties ? x->parties[i] : NULL;
}
