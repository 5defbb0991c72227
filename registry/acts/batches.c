/* Batches: closed and void, by the vault; released and withdrawn. */
#include "registry/acts/acts.h"

static void
raise(uint32_t *next, uint32_t slot)
{
	if (slot >= *next)
		*next = slot + 1;
}

/* Puts a range in its place; facts is complete. */
static int
add_batch(struct us_collection_full *c, const struct us_act_batch_close *facts,
    enum us_batch_status status, const struct us_settled *s, uint64_t sequence,
    struct us_bytes reason)
{
	struct us_batch *b;
	size_t at;
	int err;

	if ((err = us_batch_place(c, facts->first, facts->count, &at)) != US_OK ||
	    (err = us_grow(&c->batches, c->n_batches, &c->cap_batches,
		 sizeof(struct us_batch *))) != US_OK)
		return err;
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return US_ERR_NOMEM;
	b->status = status;
	b->facts = *facts;
	b->closed_ns = s->time_ns;
	b->sequence = sequence;
	if (s->next != NULL)
		memcpy(b->state, s->next, sizeof b->state);
	us_copy_text(b->reason, sizeof b->reason, reason);
	memmove(c->batches + at + 1, c->batches + at,
	    (c->n_batches - at) * sizeof(struct us_batch *));
	c->batches[at] = b;
	c->n_batches++;
	if (facts->first + facts->count > c->shown.next_record)
		c->shown.next_record = facts->first + facts->count;
	return US_OK;
}

static int
slot_used(struct us_refusal *refusal, uint32_t slot)
{
	return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE, "slot %u has been used",
	    (unsigned)slot);
}

/* ---- batch-close ---- */

static void
code_pages(struct us_act_codec *c, struct us_batch_pages *pages, size_t n)
{
	for (size_t i = 0; i < n && us_code_ok(c); i++) {
		unsigned kind = pages[i].kind;

		us_code_u8(c, &kind);
		pages[i].kind = (uint8_t)kind;
		us_code_u32(c, &pages[i].pages);
		us_code_fixed(c, pages[i].root, 32);
		us_code_require(c, i == 0 || pages[i - 1].kind < pages[i].kind, US_ERR_FORMAT);
	}
}

/* Nothing in acts of before parts were bound. */
static void
code_parts(struct us_act_codec *c, struct us_act_batch_close *a)
{
	if (!us_code_ok(c) || (c->in != NULL ? c->in->left == 0 : a->parts == 0))
		return;
	us_code_u32(c, &a->first_part);
	us_code_u32(c, &a->parts);
	us_code_fixed(c, a->parts_digest, 32);
	us_code_require(c, a->parts != 0 && a->parts <= UINT32_MAX - a->first_part, US_ERR_RANGE);
}

static void
code_close(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_batch_close *a = &act->u.batch_close;
	unsigned flags = a->held != 0;

	us_code_id(c, &a->collection);
	us_code_slot(c, &a->slot);
	us_code_u64(c, &a->load);
	us_code_id(c, &a->loaded_by);
	us_code_u64(c, &a->first);
	us_code_u32(c, &a->count);
	us_code_u32(c, &a->era);
	us_code_fixed(c, a->salt, 32);
	us_code_slot(c, &a->segment_slot);
	us_code_fixed(c, a->segment_salt, 32);
	us_code_fixed(c, a->manifest_root, 32);
	us_code_count(c, &a->n_pages, US_BATCH_PAGE_KINDS);
	us_code_require(c, a->count > 0 && a->count <= US_BATCH_RECORDS_MAX, US_ERR_LIMIT);
	code_pages(c, a->pages, a->n_pages);
	us_code_choice(c, &flags, 0, 1);
	a->held = flags == 1;
	us_code_u32(c, &a->dictionary_version);
	us_code_u64(c, &a->raw_bytes);
	us_code_u64(c, &a->duplicates);
	us_code_u64(c, &a->refused);
	code_parts(c, a);
	/* an era is 2^20 record numbers, and no batch crosses one; record numbers have 52 bits */
	if (us_code_ok(c))
		us_code_require(c,
		    a->first >> 52 == 0 && a->first >> US_ERA_SHIFT == a->era &&
			(a->first + a->count - 1) >> US_ERA_SHIFT == a->era,
		    US_ERR_RANGE);
}

static uint32_t
collection_close(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.batch_close.collection;
}

static int
check_close(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_batch_close *a = &s->act->u.batch_close;
	const struct us_collection_full *c = us_collection_full(reg, a->collection);
	size_t at;

	if (c == NULL)
		return us_not_found(refusal, "collection");
	if (us_registry_person(reg, a->loaded_by) == NULL)
		return us_not_found(refusal, "person");
	if (us_slots_has(&c->slots, a->slot) || us_slots_has(&c->segment_slots, a->segment_slot))
		return slot_used(refusal, a->slot);
	if (a->dictionary_version > c->n_dictionaries)
		return us_not_found(refusal, "dictionary");
	if (us_batch_place(c, a->first, a->count, &at) != US_OK)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE,
		    "record numbers of the batch have been given before");
	return US_OK;
}

static int
fold_close(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_batch_close *a = &s->act->u.batch_close;
	struct us_collection_full *c = us_collection_full(reg, a->collection);
	int err;

	if ((err = us_slots_reserve(&c->slots, a->slot)) != US_OK ||
	    (err = us_slots_reserve(&c->segment_slots, a->segment_slot)) != US_OK ||
	    (err = add_batch(c, a, a->held ? US_BATCH_HELD : US_BATCH_LIVE, s, reg->sequence + 1,
		 (struct us_bytes){ NULL, 0 })) != US_OK)
		return err;
	us_slots_put(&c->slots, a->slot);
	us_slots_put(&c->segment_slots, a->segment_slot);
	raise(&c->shown.next_slot, a->slot);
	raise(&c->shown.next_segment_slot, a->segment_slot);
	c->shown.admitted += a->count;
	c->shown.raw_bytes += a->raw_bytes;
	return US_OK;
}

/* ---- batch-void ---- */

static void
code_void(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_batch_void *a = &act->u.batch_void;

	us_code_id(c, &a->collection);
	us_code_slot(c, &a->slot);
	us_code_u64(c, &a->first);
	us_code_u32(c, &a->count);
	us_code_text(c, &a->reason, US_REASON_TEXT_MAX);
	us_code_require(c, a->count <= US_BATCH_RECORDS_MAX && a->first >> 52 == 0, US_ERR_RANGE);
}

static uint32_t
collection_void(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.batch_void.collection;
}

static int
check_void(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_act_batch_void *a = &s->act->u.batch_void;
	const struct us_collection_full *c = us_collection_full(reg, a->collection);
	size_t at;

	if (c == NULL)
		return us_not_found(refusal, "collection");
	if (us_slots_has(&c->slots, a->slot))
		return slot_used(refusal, a->slot);
	if (a->count > 0 && us_batch_place(c, a->first, a->count, &at) != US_OK)
		return us_refuse(refusal, US_ERR_EXISTS, US_REASON_STATE,
		    "record numbers of the range have been given before");
	return US_OK;
}

static int
fold_void(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_batch_void *a = &s->act->u.batch_void;
	struct us_act_batch_close facts = { .collection = a->collection,
		.slot = a->slot,
		.first = a->first,
		.count = a->count };
	struct us_collection_full *c = us_collection_full(reg, a->collection);
	int err = us_slots_reserve(&c->slots, a->slot);

	if (err == US_OK && a->count > 0)
		err = add_batch(c, &facts, US_BATCH_VOID, s, reg->sequence + 1, a->reason);
	if (err != US_OK)
		return err;
	us_slots_put(&c->slots, a->slot);
	raise(&c->shown.next_slot, a->slot);
	return US_OK;
}

/* ---- batch-release, batch-withdraw ---- */

static void
code_change(struct us_act_codec *c, struct us_act *act)
{
	struct us_act_batch *a = &act->u.batch;

	us_code_id(c, &a->collection);
	us_code_slot(c, &a->slot);
	if (act->type == US_ACT_BATCH_WITHDRAW)
		us_code_text(c, &a->reason, US_REASON_TEXT_MAX);
}

static uint32_t
collection_change(const struct us_registry *reg, const struct us_act *act)
{
	(void)reg;
	return act->u.batch.collection;
}

static const struct us_batch *
batch_of(const struct us_registry *reg, const struct us_act *act)
{
	return us_registry_batch_slot(reg, act->u.batch.collection, act->u.batch.slot);
}

static int
asks_change(const struct us_registry *reg, const struct us_act *act, struct us_context *context,
    uint32_t *collection, struct us_refusal *refusal)
{
	(void)context;
	*collection = act->u.batch.collection;
	return batch_of(reg, act) != NULL ? US_OK : us_not_found(refusal, "batch");
}

static int
may_change(const struct us_registry *reg, const struct us_person *actor, const struct us_act *act,
    enum us_act_authority authority, struct us_refusal *refusal)
{
	(void)authority;
	return us_shares_party(actor,
		   us_registry_person(reg, batch_of(reg, act)->facts.loaded_by)) ?
	    US_OK :
	    us_refuse(refusal, US_ERR_DENIED, US_REASON_NOT_IN_ORDER,
		"that batch was loaded by another party");
}

static int
check_change(const struct us_registry *reg, struct us_settled *s, struct us_refusal *refusal)
{
	const struct us_batch *b = batch_of(reg, s->act);

	if (b == NULL)
		return us_not_found(refusal, "batch");
	if (b->status == US_BATCH_HELD ||
	    (s->act->type == US_ACT_BATCH_WITHDRAW && b->status == US_BATCH_LIVE))
		return US_OK;
	return us_refuse(refusal, US_ERR_STATE, US_REASON_STATE, "the batch is %s",
	    us_batch_status_name(b->status));
}

static int
fold_change(struct us_registry *reg, struct us_settled *s)
{
	const struct us_act_batch *a = &s->act->u.batch;
	struct us_collection_full *c = us_collection_full(reg, a->collection);
	const int withdrawn = s->act->type == US_ACT_BATCH_WITHDRAW;

	for (size_t i = 0; i < c->n_batches; i++) {
		struct us_batch *b = c->batches[i];
		if (b->facts.slot != a->slot)
			continue;
		b->status = withdrawn ? US_BATCH_WITHDRAWN : US_BATCH_LIVE;
		b->changed_ns = s->time_ns;
		b->changed_by = s->actor->id;
		us_copy_text(b->reason, sizeof b->reason, a->reason);
		if (withdrawn)
			c->shown.admitted -= b->facts.count;
	}
	reg->generation += withdrawn ? 1 : 0;
	return US_OK;
}

static void
answer_change(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	(void)reg;
	(void)result;
	(void)pending;
	us_json_kv_uint(j, "batch", act->u.batch.slot);
}

const struct us_act_ops us_acts_batches[] = {
	{ .type = US_ACT_BATCH_RELEASE,
	    .code = code_change,
	    .collection = collection_change,
	    .asks = asks_change,
	    .may = may_change,
	    .check = check_change,
	    .fold = fold_change,
	    .answer = answer_change },
	{ .type = US_ACT_BATCH_WITHDRAW,
	    .code = code_change,
	    .collection = collection_change,
	    .asks = asks_change,
	    .may = may_change,
	    .check = check_change,
	    .fold = fold_change,
	    .answer = answer_change },
	{ .type = US_ACT_BATCH_CLOSE,
	    .code = code_close,
	    .collection = collection_close,
	    .check = check_close,
	    .fold = fold_close },
	{ .type = US_ACT_BATCH_VOID,
	    .code = code_void,
	    .collection = collection_void,
	    .check = check_void,
	    .fold = fold_void },
	{ 0 },
};
