#include "daemon/keeper/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/cobblestone.h"
#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "daemon/keeper/files.h"

#define WRAPPED (US_KEY_SIZE + US_COBBLESTONE_SMALL_OVERHEAD)
#define CONTEXT "underseal/keyring/1"
#define COLLECTIONS_MAX 65536u
#define CACHE 256u /* subtree keys: 16.7 million records of recent batches */

/* The four keys of one collection, in locked memory. */
enum { KEY_C, KEY_TREE, KEY_TERMS, KEY_DUPLICATES, KEYS };

struct us_keeper_member {
	uint32_t collection;
	struct us_key *keys;
};

struct us_keeper_cached {
	uint32_t collection;
	uint32_t slot;
	int valid;
};

/* Invariant: members ascend by collection. cache[i] is filled exactly if tags[i].valid. */
struct us_keyring {
	uint8_t vault_id[32];
	uint64_t generation;
	struct us_keeper_member *members;
	size_t n;
	struct us_keeper_cached tags[CACHE];
	struct us_key *cache;
};

int
us_keyring_new(struct us_keyring **out, const uint8_t vault_id[32])
{
	struct us_keyring *ring = calloc(1, sizeof *ring);

	*out = NULL;
	if (ring == NULL)
		return US_ERR_NOMEM;
	memcpy(ring->vault_id, vault_id, 32);
	if (us_keys_new(CACHE, &ring->cache) != US_OK) {
		free(ring);
		return US_ERR_NOMEM;
	}
	*out = ring;
	return US_OK;
}

static void
clear(struct us_keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		us_keys_free(ring->members[i].keys);
	free(ring->members);
	ring->members = NULL;
	ring->n = 0;
	memset(ring->tags, 0, sizeof ring->tags);
	us_wipe(ring->cache, CACHE * sizeof *ring->cache);
}

void
us_keyring_free(struct us_keyring *ring)
{
	if (ring == NULL)
		return;
	clear(ring);
	us_keys_free(ring->cache);
	free(ring);
}

static struct us_keeper_member *
find(const struct us_keyring *ring, uint32_t collection)
{
	for (size_t i = 0; i < ring->n; i++) {
		if (ring->members[i].collection == collection)
			return &ring->members[i];
	}
	return NULL;
}

int
us_keyring_has(const struct us_keyring *ring, uint32_t collection)
{
	return find(ring, collection) != NULL;
}

static int
derive(struct us_key *keys)
{
	int err = us_tree_root(&keys[KEY_C], &keys[KEY_TREE]);

	if (err == US_OK)
		err = us_term_root(&keys[KEY_C], &keys[KEY_TERMS]);
	if (err == US_OK)
		err = us_duplicate_key(&keys[KEY_C], &keys[KEY_DUPLICATES]);
	return err;
}

static int
add(struct us_keyring *ring, uint32_t collection, struct us_key **keys)
{
	int err = us_grow_bare(&ring->members, ring->n, sizeof *ring->members);

	if (err == US_OK)
		err = us_keys_new(KEYS, keys);
	if (err != US_OK)
		return err;
	ring->members[ring->n++] = (struct us_keeper_member){ collection, *keys };
	return US_OK;
}

static struct us_bytes
wrap_context(const struct us_keyring *ring, uint32_t collection,
    uint8_t context[sizeof CONTEXT - 1 + 36])
{
	memcpy(context, CONTEXT, sizeof CONTEXT - 1);
	memcpy(context + sizeof CONTEXT - 1, ring->vault_id, 32);
	us_store_u32(context + sizeof CONTEXT - 1 + 32, collection);
	return (struct us_bytes){ context, sizeof CONTEXT - 1 + 36 };
}

static int
parse(struct us_keyring *ring, const struct us_key *kek, struct us_bytes file)
{
	uint8_t context[sizeof CONTEXT - 1 + 36];
	struct us_reader r;
	uint32_t n, last = 0;
	int err = US_OK;

	us_reader_init(&r, file.p, file.n);
	if (!us_bytes_is(us_take(&r, 4), "USK1"))
		return US_ERR_FORMAT;
	ring->generation = us_take_u64(&r);
	n = us_take_u32(&r);
	for (uint32_t i = 0; err == US_OK && r.err == US_OK && i < n; i++) {
		uint32_t collection = us_take_u32(&r);
		struct us_bytes wrapped = us_take(&r, WRAPPED);
		struct us_key *keys;

		if (r.err != US_OK || collection <= last)
			return US_ERR_FORMAT;
		last = collection;
		err = add(ring, collection, &keys);
		if (err == US_OK)
			err = us_cobblestone_open(kek, wrap_context(ring, collection, context),
			    wrapped, keys[KEY_C].b);
		if (err == US_OK)
			err = derive(keys);
	}
	return err != US_OK ? err : us_reader_end(&r);
}

int
us_keyring_load(struct us_keyring *ring, const struct us_key *kek)
{
	const size_t max = 16 + COLLECTIONS_MAX * (4 + WRAPPED);
	struct us_buf b;
	int err;

	us_buf_init(&b, max);
	clear(ring);
	err = us_keeper_read("keyring", max, &b);
	if (err == US_OK)
		err = parse(ring, kek, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	if (err != US_OK)
		clear(ring);
	return err;
}

int
us_keyring_store(struct us_keyring *ring, const struct us_key *kek)
{
	uint8_t context[sizeof CONTEXT - 1 + 36];
	struct us_buf b;
	int err;

	us_buf_init(&b, 16 + COLLECTIONS_MAX * (4 + WRAPPED));
	err = us_buf_put(&b, "USK1", 4);
	if (err == US_OK)
		err = us_buf_put_u64(&b, ring->generation + 1);
	if (err == US_OK)
		err = us_buf_put_u32(&b, (uint32_t)ring->n);
	for (size_t i = 0; err == US_OK && i < ring->n; i++) {
		const struct us_keeper_member *m = &ring->members[i];

		err = us_buf_put_u32(&b, m->collection);
		if (err == US_OK)
			err = us_cobblestone_seal_to(kek,
			    wrap_context(ring, m->collection, context),
			    (struct us_bytes){ m->keys[KEY_C].b, US_KEY_SIZE }, &b);
	}
	if (err == US_OK)
		err = us_keeper_write("keyring", (struct us_bytes){ b.data, b.len });
	if (err == US_OK)
		ring->generation++;
	us_buf_free(&b);
	return err;
}

int
us_keyring_draw(struct us_keyring *ring, uint32_t collection)
{
	struct us_keeper_member *m = find(ring, collection);
	struct us_key *keys;
	int err = US_OK;

	if (m != NULL)
		keys = m->keys;
	else if (ring->n > 0 && ring->members[ring->n - 1].collection > collection)
		return US_ERR_ARG;
	else
		err = add(ring, collection, &keys);
	if (err == US_OK)
		err = us_key_random(&keys[KEY_C]);
	if (err == US_OK)
		err = derive(keys);
	for (unsigned i = 0; i < CACHE; i++) {
		if (ring->tags[i].collection == collection)
			ring->tags[i].valid = 0;
	}
	return err;
}

/* --- derivations -------------------------------------------------------------------------- */

/* The cached subtree key of a batch, computed when it is not there. */
static int
subtree(struct us_keyring *ring, uint32_t collection, uint32_t slot, const struct us_key **out)
{
	unsigned at = (slot * 31u + collection * 7919u) % CACHE;
	struct us_keeper_cached *tag = &ring->tags[at];
	struct us_keeper_member *m = find(ring, collection);
	int err;

	if (m == NULL)
		return US_ERR_NOT_FOUND;
	*out = &ring->cache[at];
	if (tag->valid && tag->collection == collection && tag->slot == slot)
		return US_OK;
	tag->valid = 0;
	err = us_keytree_subtree(&m->keys[KEY_TREE], US_LEAF_RECORD, slot, &ring->cache[at]);
	if (err == US_OK)
		*tag = (struct us_keeper_cached){ collection, slot, 1 };
	return err;
}

int
us_keyring_record(struct us_keyring *ring, const struct us_leaf_place *batch, uint16_t item,
    uint8_t out[48])
{
	const struct us_key *node;
	struct us_key leaf, key;
	int err = subtree(ring, batch->collection, batch->slot, &node);

	if (err == US_OK)
		err = us_keytree_leaf_from_subtree(node, item, &leaf);
	if (err == US_OK)
		err = us_record_salt(&leaf, batch->salt, out + US_KEY_SIZE);
	if (err == US_OK)
		err = us_record_key(&leaf, batch->salt, &key);
	if (err == US_OK)
		memcpy(out, key.b, US_KEY_SIZE);
	us_wipe(&leaf, sizeof leaf);
	us_wipe(&key, sizeof key);
	return err;
}

int
us_keyring_subtree(struct us_keyring *ring, uint32_t collection, uint32_t slot, struct us_key *out)
{
	const struct us_key *node;
	int err = subtree(ring, collection, slot, &node);

	if (err == US_OK)
		*out = *node;
	return err;
}

static int
leaf_of(struct us_keyring *ring, enum us_leaf_kind kind, const struct us_leaf_place *place,
    struct us_key *out)
{
	const struct us_keeper_member *m = find(ring, place->collection);

	return m == NULL ? US_ERR_NOT_FOUND :
			   us_keytree_leaf(&m->keys[KEY_TREE], kind, place->slot, 0, out);
}

int
us_keyring_page_key(struct us_keyring *ring, const struct us_leaf_place *segment,
    struct us_key *out)
{
	int err = leaf_of(ring, US_LEAF_SEGMENT, segment, out);

	return err != US_OK ? err : us_page_key(out, segment->salt, out);
}

int
us_keyring_dictionary_key(struct us_keyring *ring, const struct us_leaf_place *dictionary,
    struct us_key *out)
{
	int err = leaf_of(ring, US_LEAF_DICTIONARY, dictionary, out);

	return err != US_OK ? err : us_dictionary_key(out, dictionary->salt, out);
}

int
us_keyring_duplicate_key(struct us_keyring *ring, uint32_t collection, struct us_key *out)
{
	const struct us_keeper_member *m = find(ring, collection);

	if (m == NULL)
		return US_ERR_NOT_FOUND;
	*out = m->keys[KEY_DUPLICATES];
	return US_OK;
}

int
us_keyring_era_root(struct us_keyring *ring, uint32_t collection, uint32_t era, struct us_key *out)
{
	const struct us_keeper_member *m = find(ring, collection);

	return m == NULL ? US_ERR_NOT_FOUND : us_era_term_root(&m->keys[KEY_TERMS], era, out);
}

int
us_keyring_term_key(struct us_keyring *ring, uint32_t collection, uint32_t era,
    struct us_bytes word, struct us_key *out)
{
	int err = us_keyring_era_root(ring, collection, era, out);

	return err != US_OK ? err : us_term_key(out, word, out);
}
