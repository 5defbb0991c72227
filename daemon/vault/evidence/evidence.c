#include "daemon/vault/evidence/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "crypto/record_seal.h"
#include "daemon/vault/evidence/manifests.h"
#include "daemon/vault/evidence/pages.h"
#include "daemon/vault/state/rooms.h"

/* What of a batch is in memory. */
struct us_vault_batch {
	struct us_vault_evidence *evidence;
	uint32_t collection;
	uint32_t slot;
	struct us_key *page_key; /* NULL: not released yet */
	struct us_batch_source source;
	struct us_batch_directory *directory;
	struct us_segment *segment;
};

struct us_vault_collection {
	uint32_t id;
	struct us_vault_batch **batches; /* by slot; NULL where there is none */
	size_t n_batches;
	struct us_key **dictionary_keys; /* by version; NULL where there is none */
	size_t n_dictionary_keys;
	struct us_unpacker *unpacker;
	uint64_t complete_at; /* sequence of the act up to which all keys are here */
};

struct us_vault_evidence {
	const struct us_vault_state *state;
	struct us_store_reader *reader;
	struct us_cache *cache;
	struct us_vault_collection **collections; /* by id */
	size_t n_collections;
	struct us_vault_manifests *manifests;
	struct us_buf sealed, plain, container; /* scratch */
};

/* --- pages ------------------------------------------------------------------------------------ */

static int
get_page(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes *page)
{
	struct us_vault_batch *b = ctx;
	struct us_store_key key = { b->collection, (uint8_t)kind, PAGE_NUMBER(b->slot, number) };

	if (number > 0xffff)
		return US_ERR_RANGE;
	return us_cache_get(b->evidence->cache, &key, NULL, NULL, page);
}

struct us_vault_page_opening {
	struct us_vault_batch *batch;
	uint32_t number;
};

static int
open_segment_page(void *ctx, struct us_bytes stored, uint8_t *out, size_t *out_n)
{
	struct us_vault_page_opening *o = ctx;
	int err = us_page_open(o->batch->page_key, &o->batch->source.place, US_PAGE_SEGMENT,
	    o->number, stored, out);

	if (err == US_OK)
		*out_n = stored.n - US_PAGE_TAG;
	return err;
}

static int
get_segment_page(void *ctx, uint32_t number, const uint8_t **page)
{
	struct us_vault_batch *b = ctx;
	struct us_store_key key = { b->collection, US_PAGE_SEGMENT, PAGE_NUMBER(b->slot, number) };
	struct us_vault_page_opening o = { b, number };
	struct us_bytes view;
	int err;

	if (number > 0xffff)
		return US_ERR_RANGE;
	err = us_cache_get(b->evidence->cache, &key, open_segment_page, &o, &view);
	if (err != US_OK)
		return err;
	if (view.n != US_PAGE_PLAIN)
		return US_ERR_FORMAT;
	*page = view.p;
	return US_OK;
}

/* --- collections and batches ------------------------------------------------------------------ */

static int
grow_pointers(void ***array, size_t *n, size_t need)
{
	const size_t before = *n;
	int err = us_grow_to(array, need + 1, n, sizeof **array);

	if (*n > before)
		memset(*array + before, 0, (*n - before) * sizeof **array);
	return err;
}

static struct us_vault_collection *
collection_of(struct us_vault_evidence *e, uint32_t id)
{
	void **array = (void **)e->collections;
	int err = grow_pointers(&array, &e->n_collections, id);

	e->collections = (struct us_vault_collection **)array;
	if (err != US_OK)
		return NULL;
	if (e->collections[id] == NULL) {
		struct us_vault_collection *c = calloc(1, sizeof *c);

		if (c == NULL || us_unpacker_new(&c->unpacker) != US_OK) {
			free(c);
			return NULL;
		}
		c->id = id;
		e->collections[id] = c;
	}
	return e->collections[id];
}

static struct us_vault_batch *
batch_at(struct us_vault_evidence *e, struct us_vault_collection *c, uint32_t slot)
{
	void **array = (void **)c->batches;
	int err = grow_pointers(&array, &c->n_batches, slot);
	struct us_vault_batch *b;

	c->batches = (struct us_vault_batch **)array;
	if (err != US_OK)
		return NULL;
	if (c->batches[slot] != NULL)
		return c->batches[slot];
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return NULL;
	b->evidence = e;
	b->collection = c->id;
	b->slot = slot;
	b->source.place = (struct us_batch_place){ us_vault_id(e->state), c->id, slot };
	b->source.get_page = get_page;
	b->source.ctx = b;
	c->batches[slot] = b;
	return b;
}

static int
put_key(struct us_key **place, struct us_bytes bytes)
{
	int err = *place != NULL ? US_OK : us_key_new(place);

	if (err == US_OK)
		memcpy((*place)->b, bytes.p, US_KEY_SIZE);
	return err;
}

int
us_vault_evidence_take_keys(struct us_vault_evidence *e, uint32_t collection,
    struct us_bytes page_keys)
{
	struct us_vault_collection *c = collection_of(e, collection);
	struct us_reader r;
	int err = c == NULL ? US_ERR_NOMEM : US_OK;

	us_reader_init(&r, page_keys.p, page_keys.n);
	while (err == US_OK && r.left > 0 && r.err == US_OK) {
		uint8_t kind = us_take_u8(&r);
		uint32_t number = us_take_u32(&r);
		struct us_bytes key = us_take(&r, US_KEY_SIZE);

		if (r.err != US_OK)
			break;
		if (kind == US_LEAF_SEGMENT && number <= US_SLOT_MAX) {
			struct us_vault_batch *b = batch_at(e, c, number);

			err = b == NULL ? US_ERR_NOMEM : put_key(&b->page_key, key);
			if (err == US_OK)
				b->source.page_key = b->page_key;
		} else if (kind == US_LEAF_DICTIONARY && number <= US_SLOT_MAX) {
			void **array = (void **)c->dictionary_keys;

			err = grow_pointers(&array, &c->n_dictionary_keys, number);
			c->dictionary_keys = (struct us_key **)array;
			if (err == US_OK)
				err = put_key(&c->dictionary_keys[number], key);
		} else {
			err = US_ERR_FORMAT;
		}
	}
	return err != US_OK ? err : us_reader_end(&r);
}

static int
has_batch_key(const struct us_vault_collection *c, const struct us_batch *b)
{
	return b->status == US_BATCH_VOID ||
	    (b->facts.slot < c->n_batches && c->batches[b->facts.slot] != NULL &&
		c->batches[b->facts.slot]->page_key != NULL);
}

static int
has_dictionary_key(const struct us_vault_collection *c, uint32_t version)
{
	return version < c->n_dictionary_keys && c->dictionary_keys[version] != NULL;
}

int
us_vault_evidence_lacks(struct us_vault_evidence *e, uint32_t collection,
    struct us_vault_lacking *lacking)
{
	const struct us_registry *reg = us_vault_registry(e->state);
	const struct us_dictionary *d = us_registry_dictionary(reg, collection, 0);
	const uint64_t sequence = us_registry_sequence(reg);
	const size_t n = us_registry_batches(reg, collection);
	struct us_vault_collection *c = collection_of(e, collection);

	*lacking = (struct us_vault_lacking){ 0, 0 };
	if (c == NULL)
		return 1;
	if (c->complete_at == sequence)
		return 0;
	while (lacking->batch < n &&
	    has_batch_key(c, us_registry_batch(reg, collection, lacking->batch)))
		lacking->batch++;
	while (d != NULL && lacking->dictionary < d->version &&
	    has_dictionary_key(c, lacking->dictionary + 1))
		lacking->dictionary++;
	if (lacking->batch < n || (d != NULL && lacking->dictionary < d->version))
		return 1;
	c->complete_at = sequence;
	return 0;
}

static int
batch_of(struct us_vault_evidence *e, const struct us_batch *facts, struct us_vault_batch **out)
{
	struct us_vault_collection *c = collection_of(e, facts->facts.collection);
	struct us_vault_batch *b = c == NULL ? NULL : batch_at(e, c, facts->facts.slot);

	if (b == NULL)
		return US_ERR_NOMEM;
	if (b->page_key == NULL)
		return US_ERR_SEALED;
	*out = b;
	return US_OK;
}

int
us_vault_evidence_segment(struct us_vault_evidence *e, const struct us_batch *facts,
    struct us_segment **out)
{
	struct us_segment_source source = { .get = get_segment_page };
	struct us_vault_batch *b;
	int err = batch_of(e, facts, &b);

	if (err == US_OK && b->segment == NULL) {
		source.pages = us_vault_pages_of(facts, US_PAGE_SEGMENT);
		source.ctx = b;
		err = us_segment_open(&source, &b->segment);
		if (err == US_OK && us_segment_docs(b->segment) != facts->facts.count) {
			us_segment_close(b->segment);
			b->segment = NULL;
			err = US_ERR_VERIFY;
		}
	}
	if (err == US_OK)
		*out = b->segment;
	return err;
}

static void
batch_free(struct us_vault_batch *b)
{
	if (b == NULL)
		return;
	us_vault_manifests_forget(b->evidence->manifests, &b->source);
	us_segment_close(b->segment);
	us_batch_directory_free(b->directory);
	us_key_free(b->page_key);
	free(b);
}

void
us_vault_evidence_forget_batch(struct us_vault_evidence *e, uint32_t collection, uint32_t slot)
{
	struct us_store_key key = { collection, 0, PAGE_NUMBER(slot, 0) };

	for (key.kind = US_PAGE_RECORDS; key.kind <= US_PAGE_TAGS; key.kind++)
		us_cache_forget(e->cache, &key, PAGE_NUMBER(slot, 0xffff));
	if (collection < e->n_collections && e->collections[collection] != NULL) {
		struct us_vault_collection *c = e->collections[collection];

		if (slot < c->n_batches) {
			batch_free(c->batches[slot]);
			c->batches[slot] = NULL;
		}
	}
}

static void
collection_free(struct us_vault_collection *c)
{
	size_t i;

	for (i = 0; i < c->n_batches; i++)
		batch_free(c->batches[i]);
	for (i = 0; i < c->n_dictionary_keys; i++)
		us_key_free(c->dictionary_keys[i]);
	free(c->batches);
	free(c->dictionary_keys);
	us_unpacker_free(c->unpacker);
	free(c);
}

void
us_vault_evidence_forget(struct us_vault_evidence *e)
{
	size_t i;

	for (i = 0; i < e->n_collections; i++)
		if (e->collections[i] != NULL)
			collection_free(e->collections[i]);
	free(e->collections);
	e->collections = NULL;
	e->n_collections = 0;
}

/* --- records ---------------------------------------------------------------------------------- */

static int
append_page(void *ctx, const struct us_store_key *key, struct us_bytes page)
{
	(void)key;
	return us_buf_put(ctx, page.p, page.n);
}

static int
open_dictionary(struct us_vault_evidence *e, struct us_vault_collection *c, uint32_t version)
{
	struct us_store_key from = { c->id, US_PAGE_DICTIONARY, PAGE_NUMBER(version, 0) };
	struct us_buf sealed, plain;
	int err;

	if (version >= c->n_dictionary_keys || c->dictionary_keys[version] == NULL)
		return US_ERR_SEALED;
	us_buf_init(&sealed, US_DICTIONARY_MAX + US_PAGE_TAG);
	us_buf_init(&plain, US_DICTIONARY_MAX);
	err = us_store_scan(e->reader, &from, PAGE_NUMBER(version, 0xffff), append_page, &sealed);
	if (err == US_OK)
		err = us_dictionary_open(c->dictionary_keys[version], us_vault_id(e->state), c->id,
		    version, (struct us_bytes){ sealed.data, sealed.len }, &plain);
	if (err == US_OK)
		err = us_unpacker_add(c->unpacker, version,
		    (struct us_bytes){ plain.data, plain.len });
	us_buf_free(&plain);
	us_buf_free(&sealed);
	return err;
}

/* The sealed bytes of a record: a view of a cached page, or of e->sealed for one larger than a
 * page. */
static int
find_sealed(struct us_vault_evidence *e, struct us_vault_batch *b, const struct us_batch *facts,
    uint32_t item, struct us_bytes *sealed)
{
	struct us_bytes page;
	uint32_t first, n;
	int err = US_OK;

	if (b->directory == NULL)
		err = us_batch_directory_open(&b->directory, &b->source, facts->facts.count,
		    us_vault_pages_of(facts, US_PAGE_RECORDS));
	if (err == US_OK)
		err = us_batch_directory_find(b->directory, item, &first, &n);
	if (err != US_OK)
		return err;
	if (n == 1) {
		err = get_page(b, US_PAGE_RECORDS, first, &page);
		return err != US_OK ? err : us_record_page_find(page, item, sealed);
	}
	us_buf_reset(&e->sealed);
	err = us_batch_record(b->directory, &b->source, item, &e->sealed);
	*sealed = (struct us_bytes){ e->sealed.data, e->sealed.len };
	return err;
}

int
us_vault_evidence_record(struct us_vault_evidence *e, const struct us_batch *facts, uint64_t record,
    const struct us_key *key, struct us_container *c)
{
	struct us_record_place place = { us_vault_id(e->state), facts->facts.collection, record,
		0 };
	struct us_bytes sealed, packed;
	struct us_vault_collection *collection;
	struct us_vault_batch *b;
	uint8_t *plain;
	uint32_t version;
	int err = batch_of(e, facts, &b);

	if (err == US_OK)
		err = find_sealed(e, b, facts, (uint32_t)(record - facts->facts.first), &sealed);
	if (err == US_OK && sealed.n <= US_RECORD_SEAL_OVERHEAD)
		err = US_ERR_TRUNCATED;
	if (err != US_OK)
		return err;
	us_buf_reset(&e->plain);
	us_buf_reset(&e->container);
	err = us_buf_extend(&e->plain, sealed.n - US_RECORD_SEAL_OVERHEAD, &plain);
	if (err == US_OK)
		err = us_record_open(key, &place, sealed, plain);
	packed = (struct us_bytes){ e->plain.data, e->plain.len };
	if (err == US_OK)
		err = us_packed_version(packed, &version);
	collection = e->collections[place.collection];
	if (err == US_OK && version != 0 && !us_unpacker_has(collection->unpacker, version))
		err = open_dictionary(e, collection, version);
	if (err == US_OK)
		err = us_unpacker_unpack(collection->unpacker, packed, &e->container);
	if (err == US_OK)
		err = us_container_decode(c,
		    (struct us_bytes){ e->container.data, e->container.len });
	return err;
}

int
us_vault_evidence_proof(struct us_vault_evidence *e, const struct us_batch *facts, uint64_t record,
    struct us_batch_proof *proof)
{
	struct us_vault_batch *b;
	int err = batch_of(e, facts, &b);

	return err != US_OK ? err :
			      us_vault_manifests_proof(e->manifests, &b->source, facts->facts.count,
				  (uint32_t)(record - facts->facts.first), proof);
}

/* --- all of it -------------------------------------------------------------------------------- */

int
us_vault_evidence_new(struct us_vault_evidence **out, const struct us_vault_state *state,
    struct us_store_reader *reader, size_t cache_pages)
{
	struct us_vault_evidence *e = calloc(1, sizeof *e);
	int err = e == NULL ? US_ERR_NOMEM : us_vault_manifests_new(&e->manifests);

	*out = NULL;
	if (err == US_OK)
		err = us_cache_new(&e->cache, reader, cache_pages);
	if (err != US_OK) {
		if (e != NULL)
			us_vault_manifests_free(e->manifests);
		free(e);
		return err;
	}
	e->state = state;
	e->reader = reader;
	us_buf_init(&e->sealed, US_SEALED_RECORD_MAX);
	us_buf_init(&e->plain, US_SEALED_RECORD_MAX);
	us_buf_init(&e->container, US_CONTAINER_MAX);
	*out = e;
	return US_OK;
}

void
us_vault_evidence_free(struct us_vault_evidence *e)
{
	if (e == NULL)
		return;
	us_vault_evidence_forget(e);
	us_cache_free(e->cache);
	us_vault_manifests_free(e->manifests);
	us_buf_free(&e->sealed);
	us_buf_free(&e->plain);
	us_buf_free(&e->container);
	free(e);
}

const struct us_vault_state *
us_vault_evidence_state(const struct us_vault_evidence *e)
{
	return e->state;
}

struct us_cache *
us_vault_evidence_cache(const struct us_vault_evidence *e)
{
	return e->cache;
}
