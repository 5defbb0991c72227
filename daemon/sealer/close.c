/* The close of a batch: keys, sealing in slices, the keeper's record of it, the vault's commit. */
#include <stdlib.h>
#include <string.h>

#include <malloc.h>
#include <event2/event.h>

#include "evidence/batch/reader.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/record_seal.h"
#include "daemon/process/slice.h"
#include "daemon/sealer/close_act.h"
#include "daemon/sealer/internal.h"

/* Pages that may lie here unsent. */
#define OUT_HIGH (4u * 1024u * 1024u)

static struct us_sealer_batch *
find_batch(struct us_sealer *s, uint64_t load_id, enum us_sealer_batch_state state)
{
	struct us_sealer_load *load = us_sealer_find_load(s, load_id);

	return load != NULL && load->batch != NULL && load->batch->state == state ? load->batch :
										    NULL;
}

/* Ends the load's work because of err and lets it answer what waits. */
static void
give_up(struct us_sealer_load *load, int err)
{
	us_log_err(err, "a batch of load %llu failed", (unsigned long long)load->id);
	us_sealer_load_fail(load, err);
	us_sealer_load_pump(load);
}

void
us_sealer_batch_void(struct us_sealer_batch *b)
{
	struct us_sealer *s = b->load->s;
	struct us_msg_batch_void m = { .load = b->load->id, .slot = b->slot };

	if (!b->has_slot)
		return;
	us_sealer_pages_drop(s, b->load->collection, b->slot);
	b->has_slot = 0;
	if (s->keeper != NULL)
		us_sealer_sent(s->keeper, us_send_batch_void(s->keeper, 0, &m));
}

int
us_sealer_batch_close(struct us_sealer_batch *b)
{
	struct us_sealer *s = b->load->s;
	struct us_msg_batch_open m = { .load = b->load->id, .count = b->n };

	if (s->keeper == NULL)
		return US_ERR_CLOSED;
	us_sealer_batch_move(b, BATCH_KEYS);
	return us_send_batch_open(s->keeper, 0, &m);
}

/* --- keys ------------------------------------------------------------------------------ */

static int
emit(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes page)
{
	struct us_sealer_batch *b = ctx;
	struct us_sealer_page_sum *sum = &b->sums[kind];
	uint32_t slot = kind == US_PAGE_DICTIONARY ? b->load->dictionary_version : b->slot;
	struct us_digest leaf;

	us_merkle_leaf(&leaf, page.p, page.n);
	us_merkle_stream_add(&sum->tree, &leaf);
	sum->pages++;
	return us_sealer_pages_put(b->load->s, b->load->collection, slot, kind, number, page);
}

static int
begin_sealing(struct us_sealer_batch *b, const struct us_msg_batch_keys *m)
{
	struct us_batch_writer_options o = { .place = { b->load->s->vault_id, b->load->collection,
						 m->slot },
		.records = m->count,
		.emit = emit,
		.ctx = b };
	int err;

	memcpy(b->load->s->vault_id, m->vault_id, 32);
	memcpy(b->salt, m->batch_salt, 32);
	memcpy(b->segment_salt, m->segment_salt, 32);
	b->first = m->first_record;
	b->count = m->count;
	b->keys = us_secret_alloc(sizeof *b->keys);
	if (b->keys == NULL)
		return US_ERR_NOMEM;
	memcpy(b->keys->subtree.b, m->subtree_key, 32);
	memcpy(b->keys->page.b, m->page_key, 32);
	memcpy(b->keys->era.b, m->era_term_root, 32);
	us_keytree_walk_begin(&b->keys->walk, &b->keys->subtree);
	o.page_key = &b->keys->page;
	err = us_batch_writer_new(&b->writer, &o);
	if (err == US_OK && b->load->packer == NULL)
		err = us_packer_new(&b->packer, 0, (struct us_bytes){ NULL, 0 });
	return err;
}

int
us_sealer_on_batch_keys(struct us_sealer *s, struct us_bytes body)
{
	struct us_msg_batch_keys m;
	struct us_msg_batch_void gone;
	struct us_sealer_collection *c;
	struct us_sealer_batch *b;
	int err = us_msg_batch_keys_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	b = find_batch(s, m.load, BATCH_KEYS);
	if (b == NULL) {
		/* aborted in the meantime: the slot stays empty */
		gone = (struct us_msg_batch_void){ .load = m.load, .slot = m.slot };
		if (m.err == US_OK)
			err = us_send_batch_void(s->keeper, 0, &gone);
		us_wipe(&m, sizeof m);
		return err;
	}
	err = m.err;
	if (err == US_OK && (m.count == 0 || m.count > b->n))
		err = US_ERR_RANGE;
	if (err == US_OK) {
		b->has_slot = 1;
		b->slot = m.slot;
		c = us_sealer_collection(s, b->load->collection);
		if (c != NULL)
			c->next_record = m.first_record + m.count;
		if (m.count < b->n) {
			/* The era ends within the batch, which can happen to the first one after a
			 * start only: later ones end with the era. What the index holds cannot be
			 * split, so these numbers stay void and the next ones are asked for. */
			us_wipe(&m, sizeof m);
			us_sealer_batch_void(b);
			err = us_sealer_batch_close(b);
			if (err != US_OK)
				give_up(b->load, err);
			return US_OK;
		}
	}
	if (err == US_OK)
		err = begin_sealing(b, &m);
	us_wipe(&m, sizeof m);
	if (err != US_OK) {
		give_up(b->load, err);
		return US_OK;
	}
	us_sealer_batch_move(b, BATCH_SEALING);
	us_sealer_step(s);
	return US_OK;
}

/* --- sealing --------------------------------------------------------------------------- */

/* The packed bytes and the source of an item, whichever it holds. */
static int
open_item(struct us_sealer_batch *b, const struct us_sealer_item *item, struct us_buf *packed,
    struct us_bytes *bytes, struct us_container *container)
{
	struct us_bytes held = { item->bytes, item->n };
	struct us_buf *plain = &b->load->plain;
	int err;

	us_buf_reset(plain);
	if (item->packed) {
		*bytes = held;
		err = us_unpacker_unpack(b->load->unpacker, held, plain);
		held = (struct us_bytes){ plain->data, plain->len };
	} else {
		us_buf_reset(packed);
		err = us_packer_pack(b->packer, held, packed);
		*bytes = (struct us_bytes){ packed->data, packed->len };
	}
	return err ? err : us_container_decode(container, held);
}

static int
seal_item(struct us_sealer_batch *b, uint32_t i, struct us_buf *packed, struct us_buf *sealed)
{
	struct us_record_place place = { b->load->s->vault_id, b->load->collection, b->first + i,
		0 };
	struct us_key leaf = { { 0 } }, key = { { 0 } };
	uint8_t salt[US_RECORD_SALT_SIZE], manifest[32], *to;
	struct us_container container;
	struct us_bytes bytes;
	int err;

	err = open_item(b, &b->items[i], packed, &bytes, &container);
	if (err == US_OK)
		err = us_keytree_walk_leaf(&b->keys->walk, (uint16_t)i, &leaf);
	if (err == US_OK)
		err = us_record_key(&leaf, b->salt, &key);
	if (err == US_OK)
		err = us_record_salt(&leaf, b->salt, salt);
	if (err == US_OK)
		err = us_manifest_leaf_hash(place.collection, place.record, 0, salt,
		    container.source, manifest);
	if (err == US_OK) {
		us_buf_reset(sealed);
		err = us_buf_extend(sealed, bytes.n + US_RECORD_SEAL_OVERHEAD, &to);
	}
	if (err == US_OK)
		err = us_record_seal(&key, &place, bytes, to);
	if (err == US_OK)
		err = us_batch_writer_add(b->writer, (struct us_bytes){ sealed->data, sealed->len },
		    manifest);
	us_wipe(&leaf, sizeof leaf);
	us_wipe(&key, sizeof key);
	us_wipe(salt, sizeof salt);
	if (err != US_OK)
		return err;
	us_wipe(b->items[i].bytes, b->items[i].n);
	free(b->items[i].bytes);
	b->items[i].bytes = NULL;
	b->items[i].n = 0;
	return US_OK;
}

static int
emit_segment(void *ctx, uint32_t number, const uint8_t page[US_PAGE_PLAIN])
{
	struct us_sealer_batch *b = ctx;
	struct us_batch_place place = { b->load->s->vault_id, b->load->collection, b->slot };
	uint8_t sealed[US_PAGE_PLAIN + US_PAGE_TAG];
	int err = us_page_seal(&b->keys->page, &place, US_PAGE_SEGMENT, number,
	    (struct us_bytes){ page, US_PAGE_PLAIN }, sealed);

	return err ? err :
		     emit(b, US_PAGE_SEGMENT, number, (struct us_bytes){ sealed, sizeof sealed });
}

static int
write_tags(struct us_sealer_batch *b)
{
	struct us_tag *tags = malloc(b->count * sizeof *tags);
	uint32_t pages;
	int err;

	if (tags == NULL)
		return US_ERR_NOMEM;
	for (uint32_t i = 0; i < b->count; i++)
		tags[i] = b->items[i].tag;
	err = us_tags_write(tags, b->count, emit, b, &pages);
	free(tags);
	return err;
}

/* What follows the records: manifest and directory, tags, index, and a dictionary that is new. */
static int
seal_rest(struct us_sealer_batch *b)
{
	struct us_sealer_load *load = b->load;
	uint32_t pages;
	int err = us_batch_writer_finish(b->writer, &b->totals);

	if (err == US_OK)
		err = write_tags(b);
	if (err == US_OK)
		err = us_segment_writer_finish(b->segment, emit_segment, b, &pages);
	if (err == US_OK && load->dictionary_new && load->packer != NULL)
		err = us_dictionary_write((struct us_bytes){ load->dictionary.data,
					      load->dictionary.len },
		    emit, b, &pages);
	/* nothing of plaintext or keys is needed any more */
	us_segment_writer_free(b->segment);
	b->segment = NULL;
	us_batch_writer_free(b->writer);
	b->writer = NULL;
	us_secret_free(b->keys);
	b->keys = NULL;
	us_buf_free(&load->plain);
	return err;
}

static int
send_facts(struct us_sealer_batch *b)
{
	struct us_sealer_load *load = b->load;
	struct us_msg_batch_sealed m = { .load = load->id, .slot = b->slot };
	struct us_sealer_close_act f = { .collection = load->collection,
		.slot = b->slot,
		.load = load->id,
		.first = b->first,
		.count = b->count,
		.held = (load->flags & US_LOAD_HOLD) != 0,
		.dictionary_version = load->packer == NULL ? 0 : us_packer_version(load->packer),
		.raw_bytes = b->raw_bytes,
		.duplicates = b->duplicates,
		.refused = b->refused,
		.first_part = b->first_part,
		.parts = b->last_part - b->first_part + 1 };
	struct us_digest root;
	struct us_buf facts;
	int err;

	memcpy(f.salt, b->salt, 32);
	memcpy(f.segment_salt, b->segment_salt, 32);
	memcpy(f.manifest_root, b->totals.manifest_root, 32);
	for (unsigned k = 0; k < US_BATCH_KINDS; k++) {
		f.pages[k] = b->sums[k].pages;
		us_merkle_stream_root(&b->sums[k].tree, &root);
		memcpy(f.roots[k], root.b, 32);
	}
	us_buf_init(&facts, 2048);
	err = us_sealer_parts_digest(load, b->first_part, b->last_part, f.parts_digest);
	if (err == US_OK)
		err = us_sealer_close_act_encode(&f, &facts);
	m.facts = (struct us_bytes){ facts.data, facts.len };
	us_sealer_batch_move(b, BATCH_SEALED);
	if (err == US_OK)
		err = load->s->keeper == NULL ? US_ERR_CLOSED :
						us_send_batch_sealed(load->s->keeper, 0, &m);
	us_buf_free(&facts);
	return err;
}

/* Records, one after another, while the slice lasts; what follows them is one piece of work. */
static int
step(struct us_sealer_batch *b)
{
	struct us_buf packed, sealed;
	struct us_slice slice;
	int err = US_OK;

	if (b->at == b->count)
		return seal_rest(b);
	us_buf_init(&packed, US_SEALED_RECORD_MAX);
	us_buf_init(&sealed, US_SEALED_RECORD_MAX);
	us_slice_begin(&slice, US_SLICE_SEALING);
	do
		err = seal_item(b, b->at++, &packed, &sealed);
	while (err == US_OK && b->at < b->count && !us_slice_is_over(&slice));
	us_buf_free(&packed);
	us_buf_free(&sealed);
	return err;
}

/* By a timer that is due at once, not by event_active(): that would seal on and on before channels
 * are looked at again. */
static void
step_later(struct us_sealer *s)
{
	static const struct timeval at_once = { 0, 0 };

	if (event_add(s->step, &at_once) != 0)
		us_fatal("the next step of sealing cannot be set");
}

void
us_sealer_step(struct us_sealer *s)
{
	int again = 0, err;

	for (struct us_sealer_load *load = s->loads, *next; load != NULL; load = next) {
		struct us_sealer_batch *b = load->batch;

		next = load->next;
		if (b == NULL || b->state != BATCH_SEALING)
			continue;
		err = b->writer != NULL && s->out_bytes < OUT_HIGH ? step(b) : US_OK;
		if (err == US_OK && b->writer == NULL) {
			err = us_sealer_pages_flush(s);
			if (err == US_OK && s->out_head == NULL)
				err = send_facts(b);
		}
		if (err != US_OK) {
			give_up(load, err);
			/* the list may have changed; what is left is done next time */
			again = 1;
			break;
		}
		again |= b->writer != NULL && s->out_bytes < OUT_HIGH;
	}
	/* what cannot be sent now nobody would send later: credit comes for what was sent */
	err = us_sealer_pages_flush(s);
	if (err && s->vault != NULL)
		us_sealer_sent(s->vault, err);
	if (again)
		step_later(s);
}

/* --- done ------------------------------------------------------------------------------ */

int
us_sealer_on_batch_sealed_ok(struct us_sealer *s, struct us_bytes body)
{
	struct us_msg_batch_sealed_ok m;
	struct us_msg_batch_end end;
	struct us_sealer_batch *b = NULL;
	int err = us_msg_batch_sealed_ok_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	for (struct us_sealer_load *l = s->loads; l != NULL && b == NULL; l = l->next) {
		/* answers come in order: the first that waits with this slot is meant */
		if (l->batch != NULL && l->batch->state == BATCH_SEALED && l->batch->slot == m.slot)
			b = l->batch;
	}
	if (b == NULL)
		return US_OK;
	err = m.err;
	end = (struct us_msg_batch_end){ .load = b->load->id,
		.collection = b->load->collection,
		.slot = b->slot };
	if (err == US_OK) {
		us_sealer_batch_move(b, BATCH_STORED);
		err = s->vault == NULL ? US_ERR_CLOSED : us_send_batch_end(s->vault, 0, &end);
	}
	if (err != US_OK)
		give_up(b->load, err);
	return US_OK;
}

int
us_sealer_on_batch_stored(struct us_sealer *s, struct us_bytes body)
{
	struct us_msg_batch_stored m;
	struct us_sealer_batch *b;
	struct us_sealer_load *load;
	int err = us_msg_batch_stored_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	b = find_batch(s, m.load, BATCH_STORED);
	if (b == NULL || b->slot != m.slot)
		return US_ERR_MALFORMED;
	load = b->load;
	if (m.err) {
		give_up(load, m.err);
		return US_OK;
	}
	load->admitted += b->count;
	if (us_buf_put_u32(&load->slots, b->slot) != US_OK)
		us_log(US_LOG_WARNING, "a load has more batches than its end can list");
	if (load->packer != NULL && load->dictionary_new) {
		load->dictionary_new = 0;
		us_buf_free(&load->dictionary);
	}
	us_sealer_batch_free(b);
	load->batch = NULL;
	us_crypto_scrub();
	(void)malloc_trim(0);
	if (load->current == NULL)
		us_sealer_load_release(load); /* others may go first; this one asks again */
	us_sealer_load_pump(load);
	return US_OK;
}
