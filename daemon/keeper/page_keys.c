#include "daemon/keeper/page_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "crypto/crypto.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/process/slice.h"

#define ITEM (1u + 4u + US_KEY_SIZE)

/* Collections that an entry has opened since the vault came, each once. */
struct us_page_keys {
	uint32_t *open;
	size_t n;
};

int
us_page_keys_new(struct us_keeper *k)
{
	k->page_keys = calloc(1, sizeof *k->page_keys);
	return k->page_keys == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_page_keys_free(struct us_keeper *k)
{
	if (k->page_keys == NULL)
		return;
	free(k->page_keys->open);
	free(k->page_keys);
	k->page_keys = NULL;
}

static int
is_open(const struct us_keeper *k, uint32_t collection)
{
	for (size_t i = 0; i < k->page_keys->n; i++) {
		if (k->page_keys->open[i] == collection)
			return 1;
	}
	return 0;
}

int
us_page_keys_open(struct us_keeper *k, uint32_t collection)
{
	struct us_page_keys *p = k->page_keys;
	int err = US_OK;

	if (is_open(k, collection))
		return US_OK;
	err = us_grow_bare(&p->open, p->n, sizeof *p->open);
	if (err == US_OK)
		p->open[p->n++] = collection;
	return err;
}

/* --- one key ------------------------------------------------------------------------------- */

static int
put(struct us_buf *out, enum us_leaf_kind kind, uint32_t number, const struct us_key *key)
{
	int err = us_buf_put_u8(out, (uint8_t)kind);

	if (err == US_OK)
		err = us_buf_put_u32(out, number);
	return err != US_OK ? err : us_buf_put(out, key->b, US_KEY_SIZE);
}

static int
put_batch(struct us_keeper *k, uint32_t collection, const struct us_batch *b, struct us_buf *out)
{
	const struct us_leaf_place place = { collection, b->facts.segment_slot,
		b->facts.segment_salt };
	struct us_key key;
	int err = us_keyring_page_key(k->keyring, &place, &key);

	if (err == US_OK)
		err = put(out, US_LEAF_SEGMENT, b->facts.slot, &key);
	us_wipe(&key, sizeof key);
	return err;
}

static int
put_dictionary(struct us_keeper *k, uint32_t collection, const struct us_dictionary *d,
    struct us_buf *out)
{
	const struct us_leaf_place place = { collection, d->slot, d->salt };
	struct us_key key;
	int err = us_keyring_dictionary_key(k->keyring, &place, &key);

	if (err == US_OK)
		err = put(out, US_LEAF_DICTIONARY, d->version, &key);
	us_wipe(&key, sizeof key);
	return err;
}

int
us_page_key_of_batch(struct us_keeper *k, uint32_t collection, uint32_t slot, struct us_buf *out)
{
	const struct us_batch *b = us_registry_batch_slot(k->registry, collection, slot);

	return b == NULL ? US_ERR_INTERNAL : put_batch(k, collection, b, out);
}

/* --- as many as a slice allows ------------------------------------------------------------- */

/* Batches in their order, then dictionaries. */
static int
put_next(struct us_keeper *k, struct us_msg_page_keys_request *at, struct us_buf *out)
{
	const struct us_batch *b;
	const struct us_dictionary *d;

	if (at->batch < us_registry_batches(k->registry, at->collection)) {
		b = us_registry_batch(k->registry, at->collection, at->batch++);
		return b->status == US_BATCH_VOID ? US_OK : put_batch(k, at->collection, b, out);
	}
	d = at->dictionary == UINT32_MAX ?
	    NULL :
	    us_registry_dictionary(k->registry, at->collection, ++at->dictionary);
	return d == NULL ? US_ERR_NOT_FOUND : put_dictionary(k, at->collection, d, out);
}

static int
put_some(struct us_keeper *k, struct us_msg_page_keys_request *at, struct us_buf *out)
{
	struct us_slice slice;
	int err;

	us_slice_begin(&slice, US_SLICE_TASK);
	do
		err = put_next(k, at, out);
	while (err == US_OK && out->len + ITEM <= US_PAGE_KEYS_MAX &&
	    (out->len == 0 || !us_slice_is_over(&slice)));
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

int
us_on_page_keys_request(struct us_keeper *k, struct us_channel *ch, uint32_t tag,
    struct us_bytes body)
{
	struct us_msg_page_keys_request m;
	struct us_msg_page_keys r = { .err = US_OK };
	int err = us_msg_page_keys_request_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_buf_reset(&k->reply);
	if (us_keeper_state(k) != US_KEEPER_OPEN)
		err = US_ERR_SEALED;
	else if (!is_open(k, m.collection))
		err = US_ERR_DENIED;
	else
		err = put_some(k, &m, &k->reply);
	r.err = (uint8_t)err;
	if (err == US_OK)
		r.keys = (struct us_bytes){ k->reply.data, k->reply.len };
	err = us_send_page_keys(ch, tag, &r);
	us_buf_reset(&k->reply);
	return err;
}
