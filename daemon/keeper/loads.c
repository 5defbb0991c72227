/*
 * What the sealer may have: keys of loads that a logged entry of a live session opened, and of
 * nothing else. Slots and record numbers are given once: the counters stand in every group of the
 * journal from the group on that holds the entry of the batch, which is durable before the keys
 * leave.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"
#include "daemon/process/ticket.h"

#define COUNTER_SIZE 20u

/* --- counters ------------------------------------------------------------------------------ */

static struct us_counter *
counter(struct us_keeper *k, uint32_t collection)
{
	const struct us_collection *c = us_registry_collection(k->registry, collection);
	struct us_counter *found = NULL, *more;

	for (size_t i = 0; i < k->n_counters; i++) {
		if (k->counters[i].collection == collection)
			found = &k->counters[i];
	}
	if (found == NULL) {
		more = realloc(k->counters, (k->n_counters + 1) * sizeof *more);
		if (more == NULL)
			return NULL;
		k->counters = more;
		found = &more[k->n_counters++];
		*found = (struct us_counter){ .collection = collection };
	}
	/* The registry may know more than a journal that was restored. */
	if (c != NULL && c->next_record > found->record)
		found->record = c->next_record;
	if (c != NULL && c->next_slot > found->slot)
		found->slot = c->next_slot;
	if (c != NULL && c->next_slot > found->dictionary_slot)
		found->dictionary_slot = c->next_slot;
	return found;
}

int
us_keeper_counters_read(struct us_keeper *k)
{
	struct us_bytes b = us_klog_counters(k->klog);
	struct us_reader r;

	us_reader_init(&r, b.p, b.n);
	k->n_counters = 0;
	while (r.err == US_OK && r.left > 0) {
		uint32_t collection = us_take_u32(&r);
		uint32_t slot = us_take_u32(&r), dictionary_slot = us_take_u32(&r);
		uint64_t record = us_take_u64(&r);
		struct us_counter *c;

		if (collection == 0)
			continue; /* no collection's: see outcome.c */
		c = counter(k, collection);
		if (c == NULL)
			return US_ERR_NOMEM;
		if (slot > c->slot)
			c->slot = slot;
		if (dictionary_slot > c->dictionary_slot)
			c->dictionary_slot = dictionary_slot;
		if (record > c->record)
			c->record = record;
	}
	return us_reader_end(&r);
}

static int
counters_write(struct us_keeper *k)
{
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, US_JOURNAL_COUNTERS_MAX);
	err = us_answers_put(k, &b);
	for (size_t i = 0; err == US_OK && i < k->n_counters; i++) {
		err = us_buf_put_u32(&b, k->counters[i].collection);
		if (err == US_OK)
			err = us_buf_put_u32(&b, k->counters[i].slot);
		if (err == US_OK)
			err = us_buf_put_u32(&b, k->counters[i].dictionary_slot);
		if (err == US_OK)
			err = us_buf_put_u64(&b, k->counters[i].record);
	}
	if (err == US_OK)
		err = us_klog_set_counters(k->klog, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	return err;
}

/* --- loads --------------------------------------------------------------------------------- */

/* What the sealer needs to check tickets of the load. */
static int
ticket_key(const struct us_keeper *k, uint64_t load, uint8_t out[32])
{
	struct us_key key;
	int err = us_ticket_key(k->nonce_key, load, &key);

	if (err == US_OK)
		memcpy(out, key.b, US_KEY_SIZE);
	us_wipe(&key, sizeof key);
	return err;
}

int
us_on_load_keys_request(struct us_keeper *k, struct us_channel *ch, uint32_t tag,
    struct us_bytes body)
{
	struct us_msg_load_keys_request m;
	struct us_msg_load_keys r = { 0 };
	const struct us_dictionary *d;
	struct us_load *load;
	struct us_key key = { { 0 } };
	int err = us_msg_load_keys_request_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	r.load = m.load;
	err = us_keeper_load_live(k, m.load, &load);
	if (err == US_OK)
		err = ticket_key(k, m.load, r.ticket_key);
	if (err == US_OK) {
		load->taken = 1;
		r.collection = load->collection;
		memcpy(r.vault_id, k->conf.vault_id, 32);
		err = us_keyring_duplicate_key(k->keyring, load->collection, &key);
	}
	if (err == US_OK)
		memcpy(r.duplicate_key, key.b, US_KEY_SIZE);
	d = err == US_OK ? us_registry_dictionary(k->registry, load->collection, 0) : NULL;
	if (d != NULL) {
		const struct us_leaf_place place = { load->collection, d->slot, d->salt };

		r.dictionary_version = d->version;
		err = us_keyring_dictionary_key(k->keyring, &place, &key);
		memcpy(r.dictionary_key, key.b, US_KEY_SIZE);
	}
	if (err != US_OK)
		us_wipe(&r, sizeof r);
	r.load = m.load;
	r.err = (uint8_t)err;
	err = us_send_load_keys(ch, tag, &r);
	us_wipe(&key, sizeof key);
	us_wipe(&r, sizeof r);
	return err;
}

/* --- batches ------------------------------------------------------------------------------- */

struct us_open_batch *
us_keeper_batch(struct us_keeper *k, uint32_t collection, uint32_t slot)
{
	struct us_open_batch *b = k->batches;

	while (b != NULL && (b->collection != collection || b->slot != slot))
		b = b->next;
	return b;
}

void
us_keeper_batch_free(struct us_keeper *k, struct us_open_batch *b)
{
	struct us_open_batch **at = &k->batches;

	if (b == NULL)
		return;
	while (*at != NULL && *at != b)
		at = &(*at)->next;
	if (*at == b)
		*at = b->next;
	us_buf_free(&b->facts);
	free(b);
}

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
	const struct us_open_batch *b = us_keeper_batch(k, a->collection, a->slot);
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
	struct us_counter *c = counter(k, load->collection);
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
	b->next = k->batches;
	k->batches = b;
	*out = b;
	return US_OK;
}

int
us_on_batch_open(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_batch_open };
	struct us_msg_batch_keys failed = { 0 };
	struct us_open_batch *b;
	struct us_load *load;
	struct us_msg_batch_open m;
	struct us_keeper_batch_answer *a;
	int err = us_msg_batch_open_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = us_keeper_load_live(k, m.load, &load);
	if (err == US_OK)
		err = open_batch(k, load, m.count, &b);
	if (err == US_OK && (err = counters_write(k)) != US_OK)
		us_keeper_batch_free(k, b); /* its numbers stay void */
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
	struct us_load *load;
	struct us_open_batch *b;
	int err = us_msg_batch_sealed_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = us_keeper_load_live(k, m.load, &load);
	b = err == US_OK ? us_keeper_batch(k, load->collection, m.slot) : NULL;
	if (err == US_OK && (b == NULL || b->load != m.load || b->is_void))
		err = US_ERR_NOT_FOUND;
	if (err == US_OK)
		err = check_facts(k, b, m.facts);
	if (err == US_OK) {
		us_buf_reset(&b->facts);
		err = us_buf_put(&b->facts, m.facts.p, m.facts.n);
	}
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
	for (b = k->batches; b != NULL && (b->load != m.load || b->slot != m.slot); b = b->next)
		;
	if (b == NULL || b->is_void)
		return US_OK; /* closed meanwhile, or never opened */
	b->is_void = 1;
	return append_batch(k, US_ACTION_BATCH_VOID, b, &p);
}

int
us_keeper_batch_act(struct us_keeper *k, struct us_open_batch *b, struct us_buf *committed,
    struct us_refusal *refusal)
{
	struct us_act *act = k->act;
	struct us_load *load;
	int err;

	if (b->is_void) {
		*act = (struct us_act){ .type = US_ACT_BATCH_VOID };
		act->u.batch_void = (struct us_act_batch_void){ .collection = b->collection,
			.slot = b->slot,
			.first = b->first,
			.count = b->count,
			.reason = us_bytes_of("interrupted") };
	} else {
		if (b->facts.len == 0)
			return US_ERR_STATE;
		/* what is not admitted by now is not, if what opened the load stands no more */
		err = us_keeper_load_live(k, b->load, &load);
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
	}
	return us_registry_prepare_own(k->registry, act, NULL, us_time_now_ns(), committed,
	    refusal);
}

/* --- dictionaries -------------------------------------------------------------------------- */

struct us_open_dictionary *
us_keeper_dictionary(struct us_keeper *k, uint64_t load)
{
	struct us_open_dictionary *d = k->dictionaries;

	while (d != NULL && d->load != load)
		d = d->next;
	return d;
}

static int
finish_dictionary(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_batch_answer *a = p->data;
	const struct us_open_dictionary *d = us_keeper_dictionary(k, a->load);
	struct us_msg_dictionary_key r = { .load = a->load, .err = US_ERR_STATE };
	struct us_key key;
	int err;

	if (d != NULL && k->keyring != NULL) {
		const struct us_leaf_place place = { d->collection, d->slot, d->salt };

		r.err = (uint8_t)us_keyring_dictionary_key(k->keyring, &place, &key);
		r.version = d->version;
		r.slot = d->slot;
		memcpy(r.salt, d->salt, 32);
		if (r.err == US_OK)
			memcpy(r.key, key.b, US_KEY_SIZE);
		us_wipe(&key, sizeof key);
	}
	err = p->ch == NULL ? US_OK : us_send_dictionary_key(p->ch, p->tag, &r);
	us_wipe(&r, sizeof r);
	return err;
}

static int
has_batches(const struct us_keeper *k, uint64_t load)
{
	const struct us_open_batch *b = k->batches;

	while (b != NULL && (b->load != load || b->is_void))
		b = b->next;
	return b != NULL;
}

static int
new_dictionary(struct us_keeper *k, const struct us_load *load)
{
	struct us_counter *c = counter(k, load->collection);
	const struct us_dictionary *newest = us_registry_dictionary(k->registry, load->collection,
	    0);
	struct us_open_dictionary *d;
	int err;

	if (c == NULL)
		return US_ERR_NOMEM;
	/* Versions are given one after the other. One whose load has no batch left is given up. */
	for (struct us_open_dictionary **at = &k->dictionaries; (d = *at) != NULL;) {
		if (d->collection != load->collection) {
			at = &d->next;
			continue;
		}
		if (d->load == load->id || has_batches(k, d->load))
			return US_ERR_BUSY;
		*at = d->next;
		free(d);
	}
	if (c->dictionary_slot > US_SLOT_MAX)
		return US_ERR_LIMIT;
	d = calloc(1, sizeof *d);
	if (d == NULL)
		return US_ERR_NOMEM;
	d->load = load->id;
	d->collection = load->collection;
	d->version = newest == NULL ? 1 : newest->version + 1;
	d->slot = c->dictionary_slot++;
	err = us_random(d->salt, 32);
	if (err == US_OK)
		err = counters_write(k);
	d->next = k->dictionaries;
	k->dictionaries = d;
	return err;
}

int
us_on_dictionary_open(struct us_keeper *k, struct us_channel *ch, uint32_t tag,
    struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_dictionary };
	struct us_msg_dictionary_key failed = { 0 };
	struct us_msg_dictionary_open m;
	struct us_entry_access access;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &access };
	struct us_load *load;
	struct us_keeper_batch_answer *a;
	int err = us_msg_dictionary_open_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = us_keeper_load_live(k, m.load, &load);
	if (err == US_OK)
		err = new_dictionary(k, load);
	if (err != US_OK) {
		failed.load = m.load;
		failed.err = (uint8_t)err;
		return us_send_dictionary_key(ch, tag, &failed);
	}
	a = p.data = calloc(1, sizeof *a);
	if (a == NULL)
		return US_ERR_NOMEM;
	a->load = m.load;
	us_entry_access_init(&access);
	access.kind = US_KIND_EVENT;
	access.action = US_ACTION_DICTIONARY;
	access.decision = US_DECISION_ALLOW;
	access.collection = load->collection;
	us_keeper_fill_person(k, &access, load->credential);
	err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(a);
		return err;
	}
	return us_keeper_answer(k, &p);
}
