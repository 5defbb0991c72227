#include "daemon/keeper/batches.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/counters.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/loads.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/handlers.h"

/* A batch that has been opened and is no act yet. */
struct us_open_batch {
	struct us_open_batch *next;
	enum us_open_batch_state state;
	uint64_t load;
	uint32_t person;
	uint8_t credential[32]; /* of who loads */
	uint32_t collection, slot, count;
	uint64_t first;
	uint8_t salt[32], segment_salt[32];
	struct us_buf facts; /* of batch-sealed; empty until then */
};

struct us_batches {
	struct us_open_batch *first;
};

static const struct us_state_row states[] = {
	[US_OPEN_BATCH_OPENED] = { "opened",
	    US_TO(US_OPEN_BATCH_SEALED) | US_TO(US_OPEN_BATCH_VOID) },
	/* a sealer may say it again */
	[US_OPEN_BATCH_SEALED] = { "sealed",
	    US_TO(US_OPEN_BATCH_SEALED) | US_TO(US_OPEN_BATCH_VOID) },
	[US_OPEN_BATCH_VOID] = { "void", 0 },
};
const struct us_transitions us_open_batch_transitions = { "an open batch", states,
	US_COUNT(states) };

static void
move(struct us_open_batch *b, enum us_open_batch_state to)
{
	b->state = us_transition(&us_open_batch_transitions, b->state, to);
}

static struct us_open_batch *
find(const struct us_keeper *k, uint32_t collection, uint32_t slot)
{
	struct us_open_batch *b = k->batches->first;

	while (b != NULL && (b->collection != collection || b->slot != slot))
		b = b->next;
	return b;
}

static void
forget(struct us_batches *all, struct us_open_batch *b)
{
	struct us_open_batch **at = &all->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	us_buf_free(&b->facts);
	free(b);
}

int
us_batches_new(struct us_keeper *k)
{
	k->batches = calloc(1, sizeof *k->batches);
	return k->batches == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_batches_free(struct us_keeper *k)
{
	while (k->batches != NULL && k->batches->first != NULL)
		forget(k->batches, k->batches->first);
	free(k->batches);
	k->batches = NULL;
}

int
us_batches_wait(const struct us_keeper *k, uint64_t load)
{
	const struct us_open_batch *b = k->batches->first;

	while (b != NULL && (b->load != load || b->state == US_OPEN_BATCH_VOID))
		b = b->next;
	return b != NULL;
}

void
us_batch_done(struct us_keeper *k, uint32_t collection, uint32_t slot)
{
	struct us_open_batch *b = find(k, collection, slot);

	if (b != NULL)
		forget(k->batches, b);
}

/* --- opening ------------------------------------------------------------------------------- */

/* An entry about a batch, in the name of who loads. */
static int
append_batch(struct us_keeper *k, enum us_action action, const struct us_open_batch *b,
    struct us_pending *p)
{
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &a, .disclosure = &d };

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	a.kind = US_KIND_EVENT;
	a.action = action;
	a.decision = US_DECISION_ALLOW;
	a.collection = b->collection;
	us_keeper_fill_person(k, &a, b->credential);
	d.collection = b->collection;
	d.has_batch = 1;
	d.slot = b->slot;
	d.first = b->first;
	d.count = b->count;
	return us_keeper_append(k, &e, &p->index, &p->time_ns);
}

struct us_keeper_batch_answer {
	uint64_t load;
	int err;
	uint32_t collection, slot;
};

static int
fill_batch_keys(struct us_keeper *k, const struct us_open_batch *b, struct us_msg_batch_keys *r)
{
	const struct us_leaf_place segment = { b->collection, b->slot, b->segment_salt };
	struct us_key key;
	int err = us_keyring_subtree(k->keyring, b->collection, b->slot, &key);

	memcpy(r->subtree_key, key.b, US_KEY_SIZE);
	if (err == US_OK)
		err = us_keyring_page_key(k->keyring, &segment, &key);
	memcpy(r->page_key, key.b, US_KEY_SIZE);
	if (err == US_OK)
		err = us_keyring_era_root(k->keyring, b->collection,
		    (uint32_t)(b->first >> US_ERA_SHIFT), &key);
	memcpy(r->era_term_root, key.b, US_KEY_SIZE);
	us_wipe(&key, sizeof key);
	r->slot = b->slot;
	r->first_record = b->first;
	r->count = b->count;
	memcpy(r->vault_id, k->conf.vault_id, 32);
	memcpy(r->batch_salt, b->salt, 32);
	memcpy(r->segment_salt, b->segment_salt, 32);
	return err;
}

static int
finish_batch_open(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_batch_answer *a = p->data;
	const struct us_open_batch *b = find(k, a->collection, a->slot);
	struct us_msg_batch_keys r = { 0 };
	int err = b == NULL || k->keyring == NULL ? US_ERR_STATE : fill_batch_keys(k, b, &r);

	if (err != US_OK)
		us_wipe(&r, sizeof r);
	r.load = a->load;
	r.err = (uint8_t)err;
	err = p->ch == NULL ? US_OK : us_send_batch_keys(p->ch, p->tag, &r);
	us_wipe(&r, sizeof r);
	return err;
}

/* Takes the next slot and range. A batch ends with its era at the latest. */
static int
open_batch(struct us_keeper *k, const struct us_load *load, uint32_t count,
    struct us_open_batch **out)
{
	struct us_counter *c = us_counter_of(k, load->collection);
	struct us_open_batch *b;
	uint64_t era_left;
	int err;

	if (c == NULL || count == 0)
		return c == NULL ? US_ERR_NOMEM : US_ERR_RANGE;
	if (c->slot > US_SLOT_MAX)
		return US_ERR_LIMIT;
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&b->facts, 4096);
	era_left = (UINT64_C(1) << US_ERA_SHIFT) -
	    (c->record & ((UINT64_C(1) << US_ERA_SHIFT) - 1));
	b->load = load->id;
	b->person = load->person;
	memcpy(b->credential, load->credential, sizeof b->credential);
	b->collection = load->collection;
	b->slot = c->slot;
	b->first = c->record;
	b->count = count > US_BATCH_RECORDS_MAX ? US_BATCH_RECORDS_MAX : count;
	if (b->count > era_left)
		b->count = (uint32_t)era_left;
	err = us_random(b->salt, 32);
	if (err == US_OK)
		err = us_random(b->segment_salt, 32);
	if (err != US_OK) {
		free(b);
		return err;
	}
	c->slot++;
	c->record += b->count;
	b->next = k->batches->first;
	k->batches->first = b;
	*out = b;
	return US_OK;
}

int
us_on_batch_open(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_batch_open };
	struct us_msg_batch_keys failed = { 0 };
	struct us_open_batch *b;
	const struct us_load *load;
	struct us_msg_batch_open m;
	struct us_keeper_batch_answer *a;
	int err = us_msg_batch_open_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = us_load_live(k, m.load, &load);
	if (err == US_OK)
		err = open_batch(k, load, m.count, &b);
	if (err == US_OK && (err = us_counters_write(k)) != US_OK)
		forget(k->batches, b); /* its numbers stay void */
	if (err != US_OK) {
		failed.load = m.load;
		failed.err = (uint8_t)err;
		return us_send_batch_keys(ch, tag, &failed);
	}
	a = p.data = calloc(1, sizeof *a);
	err = a == NULL ? US_ERR_NOMEM : US_OK;
	if (err == US_OK)
		err = append_batch(k, US_ACTION_BATCH_OPEN, b, &p);
	if (err != US_OK) {
		free(a);
		return err;
	}
	a->load = m.load;
	a->collection = b->collection;
	a->slot = b->slot;
	return us_keeper_answer(k, &p);
}

/* What the sealer says must be what it was given. */
static int
check_facts(struct us_keeper *k, const struct us_open_batch *b, struct us_bytes facts)
{
	const struct us_act_batch_close *f;
	int err = us_act_decode(k->act, US_ACT_BATCH_CLOSE, facts);

	if (err != US_OK)
		return err;
	f = &k->act->u.batch_close;
	return f->collection != b->collection || f->slot != b->slot || f->first != b->first ||
		f->count > b->count || f->parts == 0 ?
	    US_ERR_VERIFY :
	    US_OK;
}

int
us_on_batch_sealed(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_batch_sealed_ok r = { 0 };
	struct us_msg_batch_sealed m;
	const struct us_load *load;
	struct us_open_batch *b;
	int err = us_msg_batch_sealed_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = us_load_live(k, m.load, &load);
	b = err == US_OK ? find(k, load->collection, m.slot) : NULL;
	if (err == US_OK && (b == NULL || b->load != m.load || b->state == US_OPEN_BATCH_VOID))
		err = US_ERR_NOT_FOUND;
	if (err == US_OK)
		err = check_facts(k, b, m.facts);
	if (err == US_OK) {
		us_buf_reset(&b->facts);
		err = us_buf_put(&b->facts, m.facts.p, m.facts.n);
	}
	if (err == US_OK)
		move(b, US_OPEN_BATCH_SEALED);
	r.slot = m.slot;
	r.err = (uint8_t)err;
	return us_send_batch_sealed_ok(ch, tag, &r);
}

int
us_on_batch_void(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .index = 0 };
	struct us_msg_batch_void m;
	struct us_open_batch *b;
	int err = us_msg_batch_void_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	if (err != US_OK)
		return err;
	for (b = k->batches->first; b != NULL && (b->load != m.load || b->slot != m.slot);
	     b = b->next)
		;
	if (b == NULL || b->state == US_OPEN_BATCH_VOID)
		return US_OK; /* closed meanwhile, or never opened */
	move(b, US_OPEN_BATCH_VOID);
	return append_batch(k, US_ACTION_BATCH_VOID, b, &p);
}

/* --- acts ---------------------------------------------------------------------------------- */

static void
void_act(struct us_act *act, const struct us_open_batch *b)
{
	*act = (struct us_act){ .type = US_ACT_BATCH_VOID };
	act->u.batch_void = (struct us_act_batch_void){ .collection = b->collection,
		.slot = b->slot,
		.first = b->first,
		.count = b->count,
		.reason = us_bytes_of("interrupted") };
}

static int
close_act(struct us_keeper *k, struct us_act *act, const struct us_open_batch *b)
{
	const struct us_load *load;
	int err;

	if (b->facts.len == 0)
		return US_ERR_STATE;
	/* what is not admitted by now is not, if what opened the load stands no more */
	err = us_load_live(k, b->load, &load);
	if (err == US_OK)
		err = us_act_decode(act, US_ACT_BATCH_CLOSE,
		    (struct us_bytes){ b->facts.data, b->facts.len });
	if (err != US_OK)
		return err;
	/* What the keeper gave, whatever the sealer said. */
	act->u.batch_close.load = b->load;
	act->u.batch_close.loaded_by = b->person;
	act->u.batch_close.era = (uint32_t)(b->first >> US_ERA_SHIFT);
	act->u.batch_close.segment_slot = b->slot;
	memcpy(act->u.batch_close.salt, b->salt, 32);
	memcpy(act->u.batch_close.segment_salt, b->segment_salt, 32);
	return US_OK;
}

int
us_batch_may_end(const struct us_keeper *k, const struct us_msg_batch_prepare *m)
{
	const struct us_open_batch *b = find(k, m->collection, m->slot);

	if (b == NULL || b->load != m->load)
		return US_ERR_NOT_FOUND;
	/* closing gives the vault the batch's page key; that it is void may be said */
	return us_low_space_is_low(k) && b->state != US_OPEN_BATCH_VOID ? US_ERR_NOSPACE : US_OK;
}

int
us_batch_is_void(const struct us_keeper *k, uint32_t collection, uint32_t slot)
{
	const struct us_open_batch *b = find(k, collection, slot);

	return b != NULL && b->state == US_OPEN_BATCH_VOID;
}

int
us_batch_act(struct us_keeper *k, const struct us_msg_batch_prepare *m, struct us_buf *committed,
    struct us_refusal *refusal)
{
	const struct us_open_batch *b = find(k, m->collection, m->slot);
	int err = US_OK;

	if (b->state == US_OPEN_BATCH_VOID)
		void_act(k->act, b);
	else
		err = close_act(k, k->act, b);
	return err != US_OK ? err :
			      us_registry_prepare_own(k->registry, k->act, NULL, us_time_now_ns(),
				  committed, refusal);
}
