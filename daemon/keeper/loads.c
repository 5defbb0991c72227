/*
 * Loads end when what opened them does:
 *
 *   opened ──► STANDS ──► STOPPED (why: see below) ──► over
 *                └─────────────────────────────────► over (the sealer let go)
 *
 * STOPPED is who is revoked, suspended, ended, frozen or expired, or to whom the order says no. The
 * order is asked again after each act that was folded and once a second. What stands no more is
 * told to the sealer, and the answer to the act that did it waits for the sealer's: when a revoker
 * hears "done", no part of the load is taken any more. A sealer that does not answer within five
 * seconds loses its channel, without which it can neither open nor close a batch, and ends.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/ledger.h"

#define LOAD_DAYS 7
#define REVIEW_NS US_NS_PER_SECOND
/* the end of a batch keeps the sealer busy for as long as some seconds */
#define STOP_WAIT_NS (5 * US_NS_PER_SECOND)

struct us_load *
us_keeper_load(struct us_keeper *k, uint64_t id)
{
	struct us_load *load = k->loads;

	while (load != NULL && load->id != id)
		load = load->next;
	return load;
}

static void
drop(struct us_load **at)
{
	struct us_load *load = *at;

	*at = load->next;
	us_wipe(load, sizeof *load); /* a purpose is work product */
	free(load);
}

/* Room for one more: the vault may have opened loads that came to nothing, of which no sealer says
 * that they are over. The oldest of them goes. */
static int
make_room(struct us_keeper *k)
{
	struct us_load **oldest = NULL;
	size_t n = 0;

	for (struct us_load **at = &k->loads; *at != NULL; at = &(*at)->next) {
		n++;
		if (!(*at)->taken)
			oldest = at; /* the newest stands first */
	}
	if (n < US_KEEPER_LOADS)
		return US_OK;
	if (oldest == NULL)
		return US_ERR_BUSY;
	drop(oldest);
	return US_OK;
}

int
us_keeper_load_open(struct us_keeper *k, const struct us_load *load)
{
	struct us_load *fresh;

	if (us_keeper_load(k, load->id) != NULL)
		return US_ERR_EXISTS;
	if (make_room(k) != US_OK)
		return US_ERR_BUSY;
	fresh = malloc(sizeof *fresh);
	if (fresh == NULL)
		return US_ERR_NOMEM;
	*fresh = *load;
	fresh->opened_ns = us_time_now_ns();
	fresh->next = k->loads;
	k->loads = fresh;
	return US_OK;
}

int
us_load_is_same(const struct us_load *load, const struct us_load *asked)
{
	return load->ended == US_REASON_NONE && load->person == asked->person &&
	    load->collection == asked->collection &&
	    memcmp(load->credential, asked->credential, sizeof load->credential) == 0;
}

void
us_keeper_loads_free(struct us_keeper *k)
{
	while (k->loads != NULL)
		drop(&k->loads);
}

/* --- does it stand? ------------------------------------------------------------------------ */

static enum us_reason
standing(const struct us_keeper *k, const struct us_load *load)
{
	const struct us_collection *c = us_registry_collection(k->registry, load->collection);
	struct us_ledger_question question = { .action = US_ACTION_LOAD,
		.collection = load->collection };
	const int64_t now = us_time_now_ns();
	struct us_context context;
	struct us_ruling ruling;
	enum us_reason reason;

	if (now - load->opened_ns > LOAD_DAYS * US_NS_PER_DAY)
		return US_REASON_EXPIRED;
	reason = us_registry_standing(k->registry, load->credential, now, &question.person, NULL);
	if (reason != US_REASON_NONE)
		return reason;
	if (question.person == NULL || question.person->id != load->person || c == NULL)
		return US_REASON_STATE;
	us_keeper_context(k, load->credential, us_bytes_of(load->peer), &context);
	context.collection = us_bytes_of(c->name);
	context.purpose = (struct us_bytes){ load->purpose, load->purpose_n };
	us_ledger_evaluate(k, &question, &context, &ruling);
	return ruling.decision == US_DECISION_ALLOW ? US_REASON_NONE : ruling.reason;
}

/* The sealer hears of it. Without one there is nobody who could take a part. */
static void
stop(struct us_keeper *k, struct us_load *load, enum us_reason reason)
{
	const struct us_msg_load_stop m = { .load = load->id, .reason = (uint8_t)reason };

	load->ended = reason;
	us_log(US_LOG_NOTICE, "a load has been stopped: %s", us_reason_name(reason));
	if (k->stops.sealer == NULL)
		return;
	if (k->stops.sent == k->stops.answered)
		k->stops.since_mono = us_time_mono_ns();
	k->stops.sent++;
	if (us_send_load_stop(k->stops.sealer, k->stops.sent, &m) != US_OK)
		k->stops.since_mono = 0; /* the tick does without it */
}

void
us_loads_review(struct us_keeper *k)
{
	enum us_reason reason;

	if (k->state != US_KEEPER_OPEN)
		return;
	k->loads_mono = us_time_mono_ns();
	for (struct us_load *load = k->loads; load != NULL; load = load->next) {
		if (load->ended != US_REASON_NONE)
			continue;
		reason = standing(k, load);
		if (reason != US_REASON_NONE)
			stop(k, load, reason);
	}
}

void
us_loads_end(struct us_keeper *k, enum us_reason reason)
{
	for (struct us_load *load = k->loads; load != NULL; load = load->next) {
		if (load->ended == US_REASON_NONE)
			stop(k, load, reason);
	}
}

int
us_keeper_load_live(struct us_keeper *k, uint64_t id, struct us_load **out)
{
	struct us_load *load = us_keeper_load(k, id);
	enum us_reason reason;

	*out = NULL;
	if (k->state != US_KEEPER_OPEN)
		return US_ERR_SEALED;
	if (load == NULL)
		return US_ERR_NOT_FOUND;
	if (load->ended != US_REASON_NONE)
		return US_ERR_DENIED;
	reason = standing(k, load);
	if (reason != US_REASON_NONE) {
		stop(k, load, reason);
		return reason == US_REASON_EXPIRED ? US_ERR_EXPIRED : US_ERR_DENIED;
	}
	if (us_low_space_refuses(k, US_ACTION_LOAD, load->credential))
		return US_ERR_NOSPACE;
	*out = load;
	return US_OK;
}

/* --- the sealer's answers -------------------------------------------------------------------- */

uint32_t
us_loads_stops(const struct us_keeper *k)
{
	return k->stops.sent;
}

int
us_loads_heard(const struct us_keeper *k, uint32_t behind_stop)
{
	return (int32_t)(k->stops.answered - behind_stop) >= 0;
}

int
us_on_load_stopped(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_stopped m;
	int err = us_msg_load_stopped_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	/* answers come in the order of the stops; one to nothing is none */
	if (ch != k->stops.sealer || tag != k->stops.answered + 1 ||
	    k->stops.answered == k->stops.sent)
		return US_ERR_MALFORMED;
	k->stops.answered = tag;
	k->stops.since_mono = us_time_mono_ns();
	return US_OK;
}

int
us_on_load_over(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_over m;
	int err = us_msg_load_over_decode(&m, body.p, body.n);

	(void)ch;
	(void)tag;
	for (struct us_load **at = &k->loads; err == US_OK && *at != NULL; at = &(*at)->next) {
		if ((*at)->id == m.load) {
			drop(at);
			break;
		}
	}
	return err;
}

void
us_loads_channel_gone(struct us_keeper *k, const struct us_channel *ch)
{
	if (k->stops.sealer != ch)
		return;
	k->stops.sealer = NULL;
	k->stops.answered = k->stops.sent;
	us_keeper_loads_free(k);
}

void
us_loads_tick(struct us_keeper *k)
{
	const int64_t now = us_time_mono_ns();
	struct us_channel *sealer = k->stops.sealer;

	if (now - k->loads_mono > REVIEW_NS)
		us_loads_review(k);
	if (k->stops.sent == k->stops.answered || now - k->stops.since_mono < STOP_WAIT_NS)
		return;
	us_log(US_LOG_WARNING,
	    "the sealer does not answer that a load has ended: doing without it");
	us_keeper_drop_peer(k, sealer);
}
