/* Loads: their start, keys and end. */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/sealer/internal.h"

void
us_sealer_sent(struct us_channel *ch, int err)
{
	if (err != US_OK)
		us_channel_fail(ch, err);
}

static const struct us_state_row states[] = {
	[LOAD_STARTING] = { "starting",
	    US_TO(LOAD_OPEN) | US_TO(LOAD_FINISHING) | US_TO(LOAD_ABORTING) },
	[LOAD_OPEN] = { "open", US_TO(LOAD_FINISHING) | US_TO(LOAD_ABORTING) },
	[LOAD_FINISHING] = { "finishing", 0 },
	[LOAD_ABORTING] = { "aborting", 0 },
};
const struct us_transitions us_sealer_load_transitions = { "a load", states, US_COUNT(states) };

static void
move(struct us_sealer_load *load, enum us_sealer_load_state to)
{
	load->state = us_transition(&us_sealer_load_transitions, load->state, to);
}

int
us_sealer_load_is_ending(const struct us_sealer_load *load)
{
	return load->state == LOAD_FINISHING || load->state == LOAD_ABORTING;
}

struct us_sealer_load *
us_sealer_find_load(struct us_sealer *s, uint64_t id)
{
	struct us_sealer_load *load = s->loads;

	while (load != NULL && load->id != id)
		load = load->next;
	return load;
}

struct us_sealer_collection *
us_sealer_collection(struct us_sealer *s, uint32_t id)
{
	struct us_sealer_collection *c = s->collections;

	while (c != NULL && c->id != id)
		c = c->next;
	if (c != NULL)
		return c;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->id = id;
	c->next_record = SEALER_UNKNOWN;
	c->next = s->collections;
	s->collections = c;
	return c;
}

static void
drop_parts(struct us_sealer_load *load, int err)
{
	struct us_sealer_part *part;

	if (load->current != NULL)
		us_sealer_part_answer(load->current, err);
	us_sealer_part_free(load->current);
	load->current = NULL;
	while ((part = load->queue) != NULL) {
		load->queue = part->next;
		load->s->waiting_bytes -= part->bytes_n;
		us_sealer_part_answer(part, err);
		us_sealer_part_free(part);
	}
	load->queued = 0;
}

/* Whether the collection is all that the load waits for: one whose next part has not come would not
 * take it. */
static int
waits_for(const struct us_sealer_load *load, const struct us_sealer_collection *c)
{
	return load->collection == c->id && load->queue != NULL &&
	    load->queue->number <= load->next_part;
}

void
us_sealer_load_release(struct us_sealer_load *load)
{
	struct us_sealer_collection *c = us_sealer_collection(load->s, load->collection);
	struct us_sealer_load *other;

	if (c == NULL || c->owner != load)
		return;
	c->owner = NULL;
	/* whoever stands behind this one comes first, so that loads take turns */
	for (other = load->next; other != NULL; other = other->next) {
		if (waits_for(other, c))
			break;
	}
	for (struct us_sealer_load *l = load->s->loads; other == NULL && l != NULL && l != load;
	     l = l->next) {
		if (waits_for(l, c))
			other = l;
	}
	if (other != NULL)
		us_sealer_load_pump(other);
}

void
us_sealer_load_fail(struct us_sealer_load *load, int err)
{
	if (load->failed == US_OK)
		load->failed = err;
	if (load->batch != NULL) {
		us_sealer_batch_void(load->batch);
		load->refused += load->batch->n;
		us_sealer_batch_free(load->batch);
		load->batch = NULL;
	}
	/* who waits is told who said so, not that another part was bad */
	drop_parts(load,
	    load->failed == US_ERR_DENIED || load->failed == US_ERR_CLOSED ? load->failed :
									     US_ERR_STATE);
	load->known_wanted = 0;
	us_sealer_load_release(load);
}

/* The keeper forgets it too. */
static void
tell_over(const struct us_sealer_load *load)
{
	const struct us_msg_load_over m = { .load = load->id };

	if (load->s->keeper != NULL && us_send_load_over(load->s->keeper, 0, &m) != US_OK)
		us_log(US_LOG_ERROR, "cannot tell the keeper that a load is over");
}

void
us_sealer_load_free(struct us_sealer_load *load)
{
	struct us_sealer_load **at;

	if (load == NULL)
		return;
	tell_over(load);
	for (at = &load->s->loads; *at != NULL; at = &(*at)->next) {
		if (*at == load) {
			*at = load->next;
			break;
		}
	}
	us_sealer_load_release(load);
	drop_parts(load, US_ERR_CLOSED);
	us_sealer_forget_answers(load);
	us_sealer_batch_free(load->batch);
	us_keys_free(load->keys);
	free(load->designations);
	us_packer_free(load->packer);
	us_unpacker_free(load->unpacker);
	us_buf_free(&load->dictionary);
	us_buf_free(&load->trained);
	us_buf_free(&load->plain);
	us_buf_free(&load->slots);
	if (load->idle != NULL)
		event_free(load->idle);
	free(load);
}

int
us_sealer_on_load_stop(struct us_sealer *s, uint32_t tag, struct us_bytes body)
{
	static const struct timeval a_while = { SEALER_STOPPED_SECONDS, 0 };
	struct us_msg_load_stopped done;
	struct us_msg_load_stop m;
	struct us_sealer_load *load;
	int err = us_msg_load_stop_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	load = us_sealer_find_load(s, m.load);
	if (load != NULL) {
		load->failed = US_ERR_DENIED; /* whatever was wrong before */
		load->stopped = m.reason;
	}
	if (load != NULL && (load->batch == NULL || load->batch->state < BATCH_SEALED))
		us_sealer_load_fail(load, US_ERR_DENIED);
	else if (load != NULL)
		drop_parts(load, US_ERR_DENIED);
	done.load = m.load;
	err = us_send_load_stopped(s->keeper, tag, &done);
	if (load != NULL)
		us_sealer_load_pump(load);
	load = us_sealer_find_load(s, m.load); /* it may have ended */
	if (load != NULL)
		(void)event_add(load->idle, &a_while);
	return err;
}

static void
answer_start(struct us_sealer_load *load, int err)
{
	struct us_msg_load_started m = { .load = load->id, .err = (uint8_t)err };

	if (load->s->vault != NULL)
		us_sealer_sent(load->s->vault,
		    us_send_load_started(load->s->vault, load->start_tag, &m));
}

/* Five seconds without a record: what is open is closed, so that it can be searched. A load that
 * was stopped some time ago, and that nobody has ended, ends here. */
static void
on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct us_sealer_load *load = arg;

	(void)fd;
	(void)what;
	if (load->stopped != 0) {
		if (!us_sealer_load_is_ending(load))
			move(load, LOAD_ABORTING);
		us_sealer_load_pump(load);
		return;
	}
	if (load->batch != NULL && load->batch->state == BATCH_FILLING && load->current == NULL &&
	    load->batch->n > 0 && (load->flags & US_LOAD_DRY_RUN) == 0) {
		int err = us_sealer_batch_close(load->batch);

		if (err != US_OK)
			us_sealer_load_fail(load, err);
	}
}

static int
load_new(struct us_sealer *s, const struct us_msg_load_start *m, struct us_sealer_load **out)
{
	struct us_sealer_load *load = calloc(1, sizeof *load);
	int err;

	*out = NULL;
	if (load == NULL)
		return US_ERR_NOMEM;
	load->s = s;
	load->id = m->load;
	load->collection = m->collection;
	load->flags = m->flags;
	us_buf_init(&load->dictionary, US_DICTIONARY_MAX + US_PAGE_TAG);
	us_buf_init(&load->trained, US_DICTIONARY_MAX);
	us_buf_init(&load->plain, US_CONTAINER_MAX + 1024 * 1024);
	us_buf_init(&load->slots, 32768);
	load->dictionary_version = m->dictionary_version;
	err = us_buf_put(&load->dictionary, m->dictionary.p, m->dictionary.n);
	if (err == US_OK)
		err = us_sealer_designations_take(load, m->designations, m->designation);
	if (err == US_OK)
		err = us_keys_new(LOAD_KEYS, &load->keys);
	if (err == US_OK)
		err = us_unpacker_new(&load->unpacker);
	load->idle = event_new(s->base, -1, 0, on_idle, load);
	if (err == US_OK && load->idle == NULL)
		err = US_ERR_NOMEM;
	/* at the end of the list, so that loads of one collection take turns in order */
	struct us_sealer_load **at = &s->loads;
	while (*at != NULL)
		at = &(*at)->next;
	*at = load;
	if (err != US_OK) {
		us_sealer_load_free(load);
		return err;
	}
	*out = load;
	return US_OK;
}

int
us_sealer_on_load_start(struct us_sealer *s, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_keys_request ask;
	struct us_msg_load_started no = { 0 };
	struct us_msg_load_start m;
	struct us_sealer_load *load = NULL;
	int err = us_msg_load_start_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	if ((m.dictionary_version == 0) != (m.dictionary.n == 0))
		return US_ERR_MALFORMED;
	if (us_sealer_find_load(s, m.load) != NULL)
		err = US_ERR_EXISTS;
	else if (s->keeper == NULL)
		err = US_ERR_CLOSED;
	else
		err = load_new(s, &m, &load);
	if (err == US_OK) {
		load->start_tag = tag;
		ask = (struct us_msg_load_keys_request){ .load = m.load };
		err = us_send_load_keys_request(s->keeper, 0, &ask);
	}
	if (err != US_OK) {
		us_sealer_load_free(load);
		no.load = m.load;
		no.err = (uint8_t)err;
		return us_send_load_started(s->vault, tag, &no);
	}
	return US_OK;
}

/* Opens the dictionary the vault sent, with the key the keeper gave. */
static int
open_dictionary(struct us_sealer_load *load)
{
	struct us_buf plain;
	struct us_bytes d;
	int err;

	if (load->dictionary_version == 0)
		return US_OK;
	us_buf_init(&plain, US_DICTIONARY_MAX);
	err = us_dictionary_open(&load->keys[LOAD_KEY_DICTIONARY], load->s->vault_id,
	    load->collection, load->dictionary_version,
	    (struct us_bytes){ load->dictionary.data, load->dictionary.len }, &plain);
	d = (struct us_bytes){ plain.data, plain.len };
	if (err == US_OK)
		err = us_packer_new(&load->packer, load->dictionary_version, d);
	if (err == US_OK)
		err = us_unpacker_add(load->unpacker, load->dictionary_version, d);
	us_buf_free(&plain);
	us_buf_free(&load->dictionary);
	return err;
}

int
us_sealer_on_load_keys(struct us_sealer *s, struct us_bytes body)
{
	struct us_msg_load_keys m;
	struct us_sealer_load *load;
	int err = us_msg_load_keys_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	load = us_sealer_find_load(s, m.load);
	if (load == NULL || load->state != LOAD_STARTING) {
		us_wipe(&m, sizeof m); /* ended in the meantime */
		return US_OK;
	}
	err = m.err;
	/* The vault named the collection and the keeper the load's: one of them would be wrong. */
	if (err == US_OK &&
	    (m.collection != load->collection || m.dictionary_version != load->dictionary_version))
		err = US_ERR_VERIFY;
	if (err == US_OK) {
		memcpy(load->keys[LOAD_KEY_DUPLICATE].b, m.duplicate_key, 32);
		memcpy(load->keys[LOAD_KEY_DICTIONARY].b, m.dictionary_key, 32);
		memcpy(load->keys[LOAD_KEY_TICKET].b, m.ticket_key, 32);
		memcpy(s->vault_id, m.vault_id, 32);
		err = open_dictionary(load);
	}
	us_wipe(&m, sizeof m);
	answer_start(load, err);
	if (err != US_OK) {
		us_log_err(err, "cannot start load %llu", (unsigned long long)load->id);
		us_sealer_load_free(load);
	} else {
		move(load, LOAD_OPEN);
	}
	return US_OK;
}

int
us_sealer_load_try_end(struct us_sealer_load *load)
{
	struct us_msg_load_ended m;
	int err = load->failed;

	if (!us_sealer_load_is_ending(load) || load->batch != NULL || load->current != NULL)
		return 0;
	if (load->state == LOAD_ABORTING) {
		/* it was given up, as asked, whatever was wrong with it */
		drop_parts(load, US_ERR_CLOSED);
		err = US_OK;
	} else if (load->queue != NULL) {
		/* parts before them never came */
		drop_parts(load, US_ERR_INCOMPLETE);
		if (err == US_OK)
			err = US_ERR_INCOMPLETE;
	}
	m = (struct us_msg_load_ended){ .load = load->id,
		.err = (uint8_t)err,
		.reason = load->stopped,
		.missing = load->next_part,
		.received = load->received,
		.admitted = load->admitted,
		.duplicates = load->duplicates,
		.refused = load->refused,
		.slots = { load->slots.data, load->slots.len } };
	if (load->s->vault != NULL)
		us_sealer_sent(load->s->vault,
		    us_send_load_ended(load->s->vault, load->end_tag, &m));
	us_sealer_load_free(load);
	return 1;
}

int
us_sealer_on_load_end(struct us_sealer *s, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_end m;
	struct us_msg_load_ended none = { .err = US_ERR_NOT_FOUND };
	struct us_sealer_load *load;
	int err = us_msg_load_end_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	load = us_sealer_find_load(s, m.load);
	if (load == NULL) {
		none.load = m.load;
		return us_send_load_ended(s->vault, tag, &none);
	}
	if (m.how > 1)
		return US_ERR_MALFORMED;
	if (us_sealer_load_is_ending(load))
		return US_OK; /* whoever asked before is gone: who asks now hears of that end */
	load->end_tag = tag;
	move(load, m.how == 1 ? LOAD_ABORTING : LOAD_FINISHING);
	/* A batch whose facts the keeper has may be in the log already: it is waited for. */
	if (load->state == LOAD_ABORTING &&
	    (load->batch == NULL || load->batch->state < BATCH_SEALED))
		us_sealer_load_fail(load, US_ERR_CLOSED);
	us_sealer_load_pump(load);
	return US_OK;
}
