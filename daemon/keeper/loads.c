#include "daemon/keeper/loads.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "base/array.h"
#include "daemon/keeper/handlers.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/ledger.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/session.h"
#include "daemon/process/channel.h"
#include "daemon/process/ticket.h"

#define LOAD_DAYS 7
#define REVIEW_NS US_NS_PER_SECOND
/* the end of a batch keeps the sealer busy for as long as some seconds */
#define STOP_WAIT_NS (5 * US_NS_PER_SECOND)

struct us_keeper_load {
	struct us_keeper_load *next;
	struct us_load who;
	enum us_load_state state;
	enum us_reason ended; /* why it stands no more */
	int64_t opened_ns;
};

struct us_loads {
	struct us_keeper_load *first; /* the newest */
	int64_t reviewed_mono;        /* when the order was last asked about all */
	struct us_channel *sealer;    /* NULL: none, and then no part is taken either */
	int64_t since_mono;           /* of the oldest that is not answered */
};

static const struct us_state_row states[] = {
	[US_LOAD_OPENED] = { "opened", US_TO(US_LOAD_TAKEN) | US_TO(US_LOAD_LAPSED) },
	/* a sealer may ask again */
	[US_LOAD_TAKEN] = { "taken", US_TO(US_LOAD_TAKEN) | US_TO(US_LOAD_STOPPED) },
	[US_LOAD_LAPSED] = { "lapsed", 0 },
	[US_LOAD_STOPPED] = { "stopped", 0 },
};
const struct us_transitions us_load_transitions = { "a load", states, US_COUNT(states) };

static void
move(struct us_keeper_load *load, enum us_load_state to)
{
	load->state = us_transition(&us_load_transitions, load->state, to);
}

static int
stands(const struct us_keeper_load *load)
{
	return load->state == US_LOAD_OPENED || load->state == US_LOAD_TAKEN;
}

int
us_loads_new(struct us_keeper *k)
{
	k->loads = calloc(1, sizeof *k->loads);
	return k->loads == NULL ? US_ERR_NOMEM : US_OK;
}

static void
drop(struct us_keeper_load **at)
{
	struct us_keeper_load *load = *at;

	*at = load->next;
	us_wipe(load, sizeof *load); /* a purpose is work product */
	free(load);
}

static void
drop_all(struct us_loads *l)
{
	while (l->first != NULL)
		drop(&l->first);
}

void
us_loads_free(struct us_keeper *k)
{
	if (k->loads != NULL)
		drop_all(k->loads);
	free(k->loads);
	k->loads = NULL;
}

static struct us_keeper_load *
find(const struct us_keeper *k, uint64_t id)
{
	struct us_keeper_load *load = k->loads->first;

	while (load != NULL && load->who.id != id)
		load = load->next;
	return load;
}

/* --- opening ------------------------------------------------------------------------------- */

/* Room for one more: the vault may have opened loads that came to nothing, of which no sealer says
 * that they are over. The oldest of them goes. */
static int
make_room(struct us_loads *l)
{
	struct us_keeper_load **oldest = NULL;
	size_t n = 0;

	for (struct us_keeper_load **at = &l->first; *at != NULL; at = &(*at)->next) {
		n++;
		if ((*at)->state == US_LOAD_OPENED || (*at)->state == US_LOAD_LAPSED)
			oldest = at; /* the newest stands first */
	}
	if (n < US_KEEPER_LOADS)
		return US_OK;
	if (oldest == NULL)
		return US_ERR_BUSY;
	drop(oldest);
	return US_OK;
}

enum us_reason
us_load_may_open(const struct us_keeper *k, const struct us_load *asked)
{
	const struct us_keeper_load *old = find(k, asked->id);

	if (old == NULL)
		return US_REASON_NONE;
	if (!stands(old))
		return old->ended;
	return old->who.person == asked->person && old->who.collection == asked->collection &&
		memcmp(old->who.credential, asked->credential, sizeof asked->credential) == 0 ?
	    US_REASON_NONE :
	    US_REASON_STATE;
}

int
us_load_open(struct us_keeper *k, const struct us_load *asked)
{
	struct us_loads *l = k->loads;
	struct us_keeper_load *fresh;

	if (us_load_may_open(k, asked) != US_REASON_NONE) /* ended since it was decided */
		return US_ERR_STATE;
	if (find(k, asked->id) != NULL)
		return US_OK;
	if (make_room(l) != US_OK)
		return US_ERR_BUSY;
	fresh = calloc(1, sizeof *fresh);
	if (fresh == NULL)
		return US_ERR_NOMEM;
	fresh->who = *asked;
	fresh->opened_ns = us_time_now_ns();
	fresh->next = l->first;
	l->first = fresh;
	return US_OK;
}

/* --- does it stand? ------------------------------------------------------------------------ */

static enum us_reason
standing(const struct us_keeper *k, const struct us_keeper_load *load)
{
	const struct us_collection *c = us_registry_collection(k->registry, load->who.collection);
	struct us_ledger_question question = { .action = US_ACTION_LOAD,
		.collection = load->who.collection };
	const int64_t now = us_time_now_ns();
	struct us_context context;
	struct us_ruling ruling;
	enum us_reason reason;

	if (now - load->opened_ns > LOAD_DAYS * US_NS_PER_DAY)
		return US_REASON_EXPIRED;
	reason = us_registry_standing(k->registry, load->who.credential, now, &question.person,
	    NULL);
	if (reason != US_REASON_NONE)
		return reason;
	if (question.person == NULL || question.person->id != load->who.person || c == NULL)
		return US_REASON_STATE;
	us_keeper_context(k, load->who.credential, us_bytes_of(load->who.peer), &context);
	context.collection = us_bytes_of(c->name);
	context.purpose = (struct us_bytes){ load->who.purpose, load->who.purpose_n };
	us_ledger_evaluate(k, &question, &context, &ruling);
	return ruling.decision == US_DECISION_ALLOW ? US_REASON_NONE : ruling.reason;
}

/* The sealer hears of it. Without one there is nobody who could take a part. */
static void
stop(struct us_keeper *k, struct us_keeper_load *load, enum us_reason reason)
{
	struct us_loads *l = k->loads;
	const struct us_msg_load_stop m = { .load = load->who.id, .reason = (uint8_t)reason };

	move(load, load->state == US_LOAD_OPENED ? US_LOAD_LAPSED : US_LOAD_STOPPED);
	load->ended = reason;
	us_log(US_LOG_NOTICE, "a load has been stopped: %s", us_reason_name(reason));
	if (l->sealer == NULL)
		return;
	if (us_keeper_stops(k) == us_keeper_stops_heard(k))
		l->since_mono = us_time_mono_ns();
	if (us_send_load_stop(l->sealer, us_keeper_stop_told(k), &m) != US_OK)
		l->since_mono = 0; /* the tick does without it */
}

void
us_loads_review(struct us_keeper *k)
{
	enum us_reason reason;

	if (us_keeper_state(k) != US_KEEPER_OPEN)
		return;
	k->loads->reviewed_mono = us_time_mono_ns();
	for (struct us_keeper_load *load = k->loads->first; load != NULL; load = load->next) {
		if (!stands(load))
			continue;
		reason = standing(k, load);
		if (reason != US_REASON_NONE)
			stop(k, load, reason);
	}
}

void
us_loads_end(struct us_keeper *k, enum us_reason reason)
{
	for (struct us_keeper_load *load = k->loads->first; load != NULL; load = load->next) {
		if (stands(load))
			stop(k, load, reason);
	}
}

static int
live(struct us_keeper *k, uint64_t id, struct us_keeper_load **out)
{
	struct us_keeper_load *load = find(k, id);
	enum us_reason reason;

	*out = NULL;
	if (us_keeper_state(k) != US_KEEPER_OPEN)
		return US_ERR_SEALED;
	if (load == NULL)
		return US_ERR_NOT_FOUND;
	if (!stands(load))
		return US_ERR_DENIED;
	reason = standing(k, load);
	if (reason != US_REASON_NONE) {
		stop(k, load, reason);
		return reason == US_REASON_EXPIRED ? US_ERR_EXPIRED : US_ERR_DENIED;
	}
	if (us_low_space_refuses(k, US_ACTION_LOAD, load->who.credential))
		return US_ERR_NOSPACE;
	*out = load;
	return US_OK;
}

int
us_load_live(struct us_keeper *k, uint64_t id, const struct us_load **out)
{
	struct us_keeper_load *load;
	int err = live(k, id, &load);

	*out = load == NULL ? NULL : &load->who;
	return err;
}

/* --- keys for the sealer ------------------------------------------------------------------- */

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
	struct us_keeper_load *load;
	struct us_key key = { { 0 } };
	int err = us_msg_load_keys_request_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	r.load = m.load;
	err = live(k, m.load, &load);
	if (err == US_OK)
		err = ticket_key(k, m.load, r.ticket_key);
	if (err == US_OK) {
		move(load, US_LOAD_TAKEN);
		r.collection = load->who.collection;
		memcpy(r.vault_id, k->conf.vault_id, 32);
		err = us_keyring_duplicate_key(k->keyring, load->who.collection, &key);
	}
	if (err == US_OK)
		memcpy(r.duplicate_key, key.b, US_KEY_SIZE);
	d = err == US_OK ? us_registry_dictionary(k->registry, load->who.collection, 0) : NULL;
	if (d != NULL) {
		const struct us_leaf_place place = { load->who.collection, d->slot, d->salt };

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

/* --- the sealer's answers -------------------------------------------------------------------- */

int
us_on_load_stopped(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_stopped m;
	int err = us_msg_load_stopped_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	/* answers come in the order of the stops; one to nothing is none */
	if (ch != k->loads->sealer || tag != us_keeper_stops_heard(k) + 1 ||
	    us_keeper_stops_heard(k) == us_keeper_stops(k))
		return US_ERR_MALFORMED;
	us_keeper_stop_heard(k, tag);
	k->loads->since_mono = us_time_mono_ns();
	return US_OK;
}

int
us_on_load_over(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_over m;
	int err = us_msg_load_over_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	for (struct us_keeper_load **at = &k->loads->first; err == US_OK && *at != NULL;
	     at = &(*at)->next) {
		if ((*at)->who.id == m.load) {
			drop(at);
			break;
		}
	}
	return err;
}

void
us_loads_sealer(struct us_keeper *k, struct us_channel *sealer)
{
	k->loads->sealer = sealer;
	us_keeper_stops_begin(k);
	k->loads->since_mono = 0;
}

void
us_loads_channel_gone(struct us_keeper *k, const struct us_channel *ch)
{
	if (k->loads->sealer != ch)
		return;
	k->loads->sealer = NULL;
	us_keeper_stop_heard(k, us_keeper_stops(k));
	drop_all(k->loads);
}

struct us_channel *
us_loads_tick(struct us_keeper *k)
{
	const struct us_loads *l = k->loads;
	const int64_t now = us_time_mono_ns();

	if (now - l->reviewed_mono > REVIEW_NS)
		us_loads_review(k);
	if (us_keeper_stops(k) == us_keeper_stops_heard(k) || now - l->since_mono < STOP_WAIT_NS)
		return NULL;
	us_log(US_LOG_WARNING,
	    "the sealer does not answer that a load has ended: doing without it");
	return l->sealer;
}
