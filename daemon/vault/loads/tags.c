#include "daemon/vault/loads/tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define PROBES 7u
#define BITS_PER_TAG 10u
#define TAG_SIZE 24u

struct us_vault_run {
	uint32_t slot;
	uint32_t pages;
	uint64_t bits;
	uint8_t *filter;
	uint64_t *first; /* of each page: the first eight bytes of its first id */
};

struct us_tags {
	uint32_t collection;
	struct us_vault_run *runs;
	size_t n;
};

int
us_tags_new(struct us_tags **out, uint32_t collection)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->collection = collection;
	return US_OK;
}

void
us_tags_free(struct us_tags *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n; i++) {
		free(t->runs[i].filter);
		free(t->runs[i].first);
	}
	free(t->runs);
	free(t);
}

/* Tags are output of a keyed hash: their own bytes serve as the filter's hashes. */
static uint64_t
bit_of(const struct us_vault_run *r, const uint8_t *id, unsigned probe)
{
	return (us_load_u64(id) + probe * (us_load_u64(id + 8) | 1)) % r->bits;
}

struct us_vault_loading {
	struct us_vault_run *run;
	size_t room;
};

static int
take_page(void *ctx, const struct us_store_key *key, struct us_bytes page)
{
	struct us_vault_loading *l = ctx;
	struct us_vault_run *r = l->run;
	size_t i, n;
	unsigned p;
	int err = us_tags_page_check(page, &n);

	if (err != US_OK)
		return err;
	if (r->pages == l->room || (key->number & 0xffff) != r->pages)
		return US_ERR_FORMAT;
	r->first[r->pages++] = us_load_u64(page.p + 2);
	for (i = 0; i < n; i++) {
		for (p = 0; p < PROBES; p++) {
			uint64_t bit = bit_of(r, page.p + 2 + i * TAG_SIZE, p);

			r->filter[bit / 8] = (uint8_t)(r->filter[bit / 8] | 1u << bit % 8);
		}
	}
	return US_OK;
}

int
us_tags_add(struct us_tags *t, struct us_store_reader *reader, uint32_t slot, uint32_t records)
{
	struct us_store_key from = { t->collection, US_PAGE_TAGS, (uint64_t)slot << 16 };
	struct us_vault_run r = { .slot = slot };
	struct us_vault_loading l = { &r, (records + US_TAGS_PER_PAGE - 1) / US_TAGS_PER_PAGE };
	struct us_vault_run *more;
	size_t i;
	int err;

	for (i = 0; i < t->n; i++)
		if (t->runs[i].slot == slot)
			return US_OK;
	if (records == 0)
		return US_OK;
	r.bits = (uint64_t)records * BITS_PER_TAG;
	r.filter = calloc((size_t)(r.bits + 7) / 8, 1);
	r.first = calloc(l.room, sizeof *r.first);
	more = realloc(t->runs, (t->n + 1) * sizeof *more);
	if (more != NULL)
		t->runs = more;
	err = r.filter == NULL || r.first == NULL || more == NULL ?
	    US_ERR_NOMEM :
	    us_store_scan(reader, &from, from.number + 0xffff, take_page, &l);
	if (err != US_OK) {
		free(r.filter);
		free(r.first);
		return err;
	}
	t->runs[t->n++] = r;
	return US_OK;
}

static int
search_page(struct us_bytes page, const struct us_tag *tag, enum us_known *known)
{
	size_t low = 0, high = page.n < 2 ? 0 : us_load_u16(page.p);

	/* The order was checked when the run was read; a page that was changed since only
	 * misleads. */
	if (high == 0 || page.n != 2 + high * TAG_SIZE)
		return US_ERR_FORMAT;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint8_t *at = page.p + 2 + middle * TAG_SIZE;
		int order = memcmp(at, tag->id, sizeof tag->id);

		if (order == 0) {
			*known = memcmp(at + 16, tag->content, 8) == 0 ? US_KNOWN_SAME :
									 US_KNOWN_OTHER;
			return US_OK;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return US_OK;
}

static int
search_run(const struct us_tags *t, const struct us_vault_run *r, struct us_cache *cache,
    const struct us_tag *tag, enum us_known *known)
{
	uint64_t want = us_load_u64(tag->id);
	struct us_store_key key = { t->collection, US_PAGE_TAGS, 0 };
	uint32_t low = 0, high = r->pages;
	struct us_bytes page;
	int err = US_OK;

	/* Pages whose first tag begins with the same eight bytes are looked at one and all. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (r->first[middle] < want)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		low--;
	for (; err == US_OK && *known == US_KNOWN_NEW && low < r->pages && r->first[low] <= want;
	     low++) {
		key.number = (uint64_t)r->slot << 16 | low;
		err = us_cache_get(cache, &key, NULL, NULL, &page);
		if (err == US_OK)
			err = search_page(page, tag, known);
	}
	return err;
}

int
us_tags_find(const struct us_tags *t, struct us_cache *cache, const struct us_tag *tag,
    enum us_known *known)
{
	size_t i;
	unsigned p;
	int err = US_OK;

	*known = US_KNOWN_NEW;
	for (i = t->n; i-- > 0 && err == US_OK && *known == US_KNOWN_NEW;) {
		const struct us_vault_run *r = &t->runs[i];

		for (p = 0; p < PROBES; p++) {
			uint64_t bit = bit_of(r, tag->id, p);

			if ((r->filter[bit / 8] >> bit % 8 & 1) == 0)
				break;
		}
		if (p == PROBES)
			err = search_run(t, r, cache, tag, known);
	}
	return err;
}
