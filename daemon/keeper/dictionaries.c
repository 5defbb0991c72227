#include "daemon/keeper/dictionaries.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/batches.h"
#include "daemon/keeper/counters.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/loads.h"
#include "daemon/keeper/handlers.h"

struct us_open_dictionary {
	struct us_open_dictionary *next;
	uint64_t load;
	uint32_t collection, version, slot;
	uint8_t salt[32];
};

struct us_dictionaries {
	struct us_open_dictionary *first;
};

int
us_dictionaries_new(struct us_keeper *k)
{
	k->dictionaries = calloc(1, sizeof *k->dictionaries);
	return k->dictionaries == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_dictionaries_free(struct us_keeper *k)
{
	struct us_open_dictionary *d;

	while (k->dictionaries != NULL && (d = k->dictionaries->first) != NULL) {
		k->dictionaries->first = d->next;
		free(d);
	}
	free(k->dictionaries);
	k->dictionaries = NULL;
}

static struct us_open_dictionary *
find(const struct us_keeper *k, uint64_t load)
{
	struct us_open_dictionary *d = k->dictionaries->first;

	while (d != NULL && d->load != load)
		d = d->next;
	return d;
}

static int
finish_dictionary(struct us_keeper *k, struct us_pending *p)
{
	const uint64_t *load = p->data;
	const struct us_open_dictionary *d = find(k, *load);
	struct us_msg_dictionary_key r = { .load = *load, .err = US_ERR_STATE };
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
new_dictionary(struct us_keeper *k, const struct us_load *load)
{
	struct us_counter *c = us_counter_of(k, load->collection);
	const struct us_dictionary *newest = us_registry_dictionary(k->registry, load->collection,
	    0);
	struct us_open_dictionary *d;
	int err;

	if (c == NULL)
		return US_ERR_NOMEM;
	/* Versions are given one after the other. One whose load has no batch left is given up. */
	for (struct us_open_dictionary **at = &k->dictionaries->first; (d = *at) != NULL;) {
		if (d->collection != load->collection) {
			at = &d->next;
			continue;
		}
		if (d->load == load->id || us_batches_wait(k, d->load))
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
		err = us_counters_write(k);
	d->next = k->dictionaries->first;
	k->dictionaries->first = d;
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
	const struct us_load *load;
	uint64_t *number;
	int err = us_msg_dictionary_open_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	err = us_load_live(k, m.load, &load);
	if (err == US_OK)
		err = new_dictionary(k, load);
	if (err != US_OK) {
		failed.load = m.load;
		failed.err = (uint8_t)err;
		return us_send_dictionary_key(ch, tag, &failed);
	}
	number = p.data = malloc(sizeof *number);
	if (number == NULL)
		return US_ERR_NOMEM;
	*number = m.load;
	us_entry_access_init(&access);
	access.kind = US_KIND_EVENT;
	access.action = US_ACTION_DICTIONARY;
	access.decision = US_DECISION_ALLOW;
	access.collection = load->collection;
	us_keeper_fill_person(k, &access, load->credential);
	err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(number);
		return err;
	}
	return us_keeper_answer(k, &p);
}

/* --- acts ---------------------------------------------------------------------------------- */

int
us_dictionaries_wait(const struct us_keeper *k, uint64_t load)
{
	return find(k, load) != NULL;
}

int
us_dictionary_act(struct us_keeper *k, uint64_t load, struct us_buf *committed,
    struct us_refusal *refusal)
{
	const struct us_open_dictionary *d = find(k, load);

	if (d == NULL)
		return US_ERR_INTERNAL;
	*k->act = (struct us_act){ .type = US_ACT_DICTIONARY };
	k->act->u.dictionary = (struct us_act_dictionary){ .collection = d->collection,
		.version = d->version,
		.slot = d->slot };
	memcpy(k->act->u.dictionary.salt, d->salt, 32);
	return us_registry_prepare_own(k->registry, k->act, NULL, us_time_now_ns(), committed,
	    refusal);
}

void
us_dictionary_done(struct us_keeper *k, uint32_t collection, uint32_t slot)
{
	struct us_open_dictionary **at = &k->dictionaries->first, *d;

	while ((d = *at) != NULL && (d->collection != collection || d->slot != slot))
		at = &d->next;
	if (d == NULL)
		return;
	*at = d->next;
	free(d);
}
