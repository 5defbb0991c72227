/* The open batch: records as they come, their tags, their postings. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "daemon/sealer/internal.h"

/* Records of a batch: of a program for tests, one (daemon/CMakeLists.txt). */
#ifdef US_SMALL_BATCHES
#define FULL 1u
#else
#define FULL US_BATCH_RECORDS_MAX
#endif

/* --- states ---------------------------------------------------------------------------- */

static const struct us_state_row states[] = {
	[BATCH_FILLING] = { "filling", US_TO(BATCH_DICTIONARY) | US_TO(BATCH_KEYS) },
	[BATCH_DICTIONARY] = { "dictionary", US_TO(BATCH_FILLING) },
	[BATCH_KEYS] = { "keys", US_TO(BATCH_KEYS) | US_TO(BATCH_SEALING) },
	[BATCH_SEALING] = { "sealing", US_TO(BATCH_SEALED) },
	[BATCH_SEALED] = { "sealed", US_TO(BATCH_STORED) },
	[BATCH_STORED] = { "stored", 0 },
};
const struct us_transitions us_sealer_batch_transitions = { "a batch", states, US_COUNT(states) };

void
us_sealer_batch_move(struct us_sealer_batch *b, enum us_sealer_batch_state to)
{
	b->state = us_transition(&us_sealer_batch_transitions, b->state, to);
}

/* --- the set of id tags; keyed digests, so that nobody chooses where they fall ---------- */

static size_t
slot_of(const struct us_sealer_batch *b, const struct us_tag *tag)
{
	return us_load_u32(tag->id) & (b->table_n - 1);
}

const struct us_sealer_item *
us_sealer_batch_find(const struct us_sealer_batch *b, const struct us_tag *tag)
{
	size_t at;

	if (b == NULL || b->table_n == 0)
		return NULL;
	for (at = slot_of(b, tag); b->table[at] != 0; at = (at + 1) & (b->table_n - 1)) {
		const struct us_sealer_item *item = &b->items[b->table[at] - 1];

		if (memcmp(item->tag.id, tag->id, sizeof tag->id) == 0)
			return item;
	}
	return NULL;
}

static void
table_insert(struct us_sealer_batch *b, uint32_t item)
{
	size_t at = slot_of(b, &b->items[item].tag);

	while (b->table[at] != 0)
		at = (at + 1) & (b->table_n - 1);
	b->table[at] = item + 1;
}

static int
table_room(struct us_sealer_batch *b)
{
	uint32_t n = b->table_n == 0 ? 4096 : 2 * b->table_n, *table;

	if (2 * (b->n + 1) <= b->table_n)
		return US_OK;
	table = calloc(n, sizeof *table);
	if (table == NULL)
		return US_ERR_NOMEM;
	free(b->table);
	b->table = table;
	b->table_n = n;
	for (uint32_t i = 0; i < b->n; i++)
		table_insert(b, i);
	return US_OK;
}

/* --- the batch ------------------------------------------------------------------------- */

/* The writer asks for it when it finishes, when the batch has its keys. */
static int
term_key(void *ctx, struct us_bytes word, struct us_key *key)
{
	const struct us_sealer_batch *b = ctx;

	return b->keys == NULL ? US_ERR_STATE : us_term_key(&b->keys->era, word, key);
}

static int
segment_new(struct us_sealer_batch *b)
{
	struct us_segment_options o = { .docs_max = US_BATCH_RECORDS_MAX,
		.term_key = term_key,
		.term_key_ctx = b };
	int err = us_random(o.salt, sizeof o.salt);

	if (err != US_OK)
		return err;
	return us_segment_writer_new(&o, &b->segment);
}

int
us_sealer_batch_new(struct us_sealer_load *load, struct us_sealer_batch **out)
{
	struct us_sealer_collection *c = us_sealer_collection(load->s, load->collection);
	struct us_sealer_batch *b;
	int err;

	*out = NULL;
	b = calloc(1, sizeof *b);
	if (b == NULL || c == NULL) {
		free(b);
		return US_ERR_NOMEM;
	}
	b->load = load;
	b->limit = FULL;
	if (c->next_record != SEALER_UNKNOWN) {
		uint64_t left = ((uint64_t)1 << US_ERA_SHIFT) -
		    (c->next_record & (((uint64_t)1 << US_ERA_SHIFT) - 1));

		if (left < b->limit)
			b->limit = (uint32_t)left;
	}
	if ((load->flags & US_LOAD_DRY_RUN) == 0) {
		err = segment_new(b);
		if (err != US_OK) {
			us_sealer_batch_free(b);
			return err;
		}
	}
	for (unsigned k = 0; k < US_BATCH_KINDS; k++)
		us_merkle_stream_init(&b->sums[k].tree);
	*out = b;
	return US_OK;
}

static void
item_clear(struct us_sealer_item *item)
{
	if (item->bytes != NULL)
		us_wipe(item->bytes, item->n);
	free(item->bytes);
	item->bytes = NULL;
	item->n = 0;
}

void
us_sealer_batch_free(struct us_sealer_batch *b)
{
	if (b == NULL)
		return;
	for (uint32_t i = 0; i < b->n; i++)
		item_clear(&b->items[i]);
	free(b->items);
	free(b->table);
	us_segment_writer_free(b->segment);
	us_secret_free(b->keys);
	us_packer_free(b->packer);
	us_batch_writer_free(b->writer);
	us_wipe(b, sizeof *b);
	free(b);
}

/* Copies the document, with the load's designation in its head if it has none of its own, which is
 * one of the order's list (evidence/index/doc.h has the bytes). */
static int
document_of(const struct us_sealer_load *load, struct us_bytes doc, struct us_buf *out)
{
	struct us_reader r;
	size_t head;
	int err;

	us_reader_init(&r, doc.p, doc.n);
	(void)us_take(&r, 9);
	(void)us_take_str16(&r, US_WORD_MAX);
	(void)us_take_str16(&r, US_WORD_MAX);
	head = doc.n - r.left;
	if (us_take_str16(&r, US_WORD_MAX).n > 0 || load->designation.folded_n == 0 || r.err)
		return r.err ? r.err : us_buf_put(out, doc.p, doc.n);
	err = us_buf_put(out, doc.p, head);
	if (err == US_OK)
		err = us_buf_put_str16(out, load->designation.folded, load->designation.folded_n);
	if (err == US_OK)
		err = us_buf_put(out, doc.p + doc.n - r.left, r.left);
	return err;
}

static int
copy(const uint8_t *p, size_t n, uint8_t **out)
{
	*out = malloc(n);
	if (*out == NULL)
		return US_ERR_NOMEM;
	memcpy(*out, p, n);
	return US_OK;
}

static int
pack(struct us_packer *packer, struct us_bytes container, struct us_buf *room,
    struct us_sealer_item *item)
{
	uint8_t *bytes;
	int err;

	us_buf_reset(room);
	err = us_packer_pack(packer, container, room);
	if (err == US_OK)
		err = copy(room->data, room->len, &bytes);
	if (err != US_OK)
		return err;
	if (item->bytes != NULL) {
		us_wipe(item->bytes, item->n);
		free(item->bytes);
	}
	item->bytes = bytes;
	item->n = (uint32_t)room->len;
	item->packed = 1;
	return US_OK;
}

static int
fill_item(struct us_sealer_batch *b, const struct us_intake_record *r, struct us_sealer_item *item)
{
	struct us_sealer_load *load = b->load;
	struct us_buf doc;
	int err;

	if (load->packer != NULL) {
		err = pack(load->packer, r->container, &load->plain, item);
	} else {
		err = copy(r->container.p, r->container.n, &item->bytes);
		item->n = (uint32_t)r->container.n;
	}
	if (err != US_OK)
		return err;
	us_buf_init(&doc, r->document.n + US_WORD_MAX + 2);
	err = document_of(load, r->document, &doc);
	if (err == US_OK)
		err = us_segment_writer_add(b->segment, (struct us_bytes){ doc.data, doc.len });
	us_buf_free(&doc);
	return err;
}

int
us_sealer_batch_add(struct us_sealer_batch *b, const struct us_intake_record *r,
    const struct us_tag *tag)
{
	struct us_sealer_item item = { .tag = *tag };
	int err = table_room(b);

	if (err == US_OK)
		err = us_grow(&b->items, b->n, &b->cap, sizeof *b->items);
	if (err == US_OK && b->segment != NULL)
		err = fill_item(b, r, &item);
	if (err != US_OK) {
		item_clear(&item);
		return err;
	}
	b->items[b->n] = item;
	table_insert(b, b->n++);
	b->memory += item.n + sizeof item;
	b->raw_bytes += r->container.n - 4 - 9u * us_load_u16(r->container.p + 2);
	return US_OK;
}

int
us_sealer_batch_is_full(const struct us_sealer_batch *b)
{
	if (b->segment == NULL)
		return 0; /* a dry run never closes */
	return b->n >= b->limit ||
	    b->memory + us_segment_writer_memory(b->segment) > SEALER_BATCH_MEMORY;
}

int
us_sealer_batch_pack_all(struct us_sealer_batch *b, struct us_packer *packer)
{
	int err = US_OK;

	for (uint32_t i = 0; i < b->n && err == US_OK; i++) {
		struct us_sealer_item *item = &b->items[i];

		if (item->packed)
			continue;
		b->memory -= item->n;
		err = pack(packer, (struct us_bytes){ item->bytes, item->n }, &b->load->plain,
		    item);
		b->memory += item->n;
	}
	us_buf_free(&b->load->plain);
	return err;
}
