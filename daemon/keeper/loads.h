/*
 * Loads that logged entries opened. They end when what opened them does:
 *
 *   OPENED ──the sealer has its keys──► TAKEN        gone when the sealer says that it is over,
 *     │                                   │          or has ended
 *     └──► LAPSED                         └──► STOPPED
 *
 * LAPSED and STOPPED is who is revoked, suspended, ended, frozen or expired, or to whom the order
 * says no. The order is asked again after each act that was folded and once a second. What stands
 * no more is told to the sealer, and the answer to the act that did it waits for the sealer's: when
 * a revoker hears "done", no part of the load is taken any more. A sealer that does not answer
 * within five seconds loses its channel, without which it can neither open nor close a batch, and
 * ends.
 */
#ifndef US_DAEMON_KEEPER_LOADS_H
#define US_DAEMON_KEEPER_LOADS_H

#include "base/transitions.h"
#include "case/action.h"
#include "registry/act.h"

#define US_KEEPER_LOADS 1024u

struct us_channel;
struct us_keeper;

enum us_load_state {
	US_LOAD_OPENED,
	US_LOAD_TAKEN,
	US_LOAD_LAPSED,  /* stands no more, and no sealer has its keys */
	US_LOAD_STOPPED, /* stands no more: the sealer is told */
};
/* The diagram above as a table. */
extern const struct us_transitions us_load_transitions;

/* Who loads what. */
struct us_load {
	uint64_t id;
	uint32_t collection;
	uint32_t person;
	uint8_t credential[32];
	char peer[65]; /* as it was opened, for conditions that ask about it */
	size_t purpose_n;
	uint8_t purpose[US_PURPOSE_MAX];
};

/* k->loads, with none. US_ERR_NOMEM. */
int us_loads_new(struct us_keeper *k);
/* Forgets them all, wiped. */
void us_loads_free(struct us_keeper *k);
/* US_REASON_NONE if there is none of that number, or if it is the same person's, by the same
 * credential, into the same collection, and stands; else why not. */
enum us_reason us_load_may_open(const struct us_keeper *k, const struct us_load *asked);
/* Takes a load that an entry has opened, or lets one go on that is the same. US_ERR_STATE: it is
 * another's, or stands no more; US_ERR_BUSY: there are too many, none of which can go. Else
 * US_ERR_NOMEM. */
int us_load_open(struct us_keeper *k, const struct us_load *asked);
/* The load, if what opened it still stands. US_ERR_SEALED, _NOT_FOUND, _EXPIRED, _DENIED,
 * _NOSPACE. */
int us_load_live(struct us_keeper *k, uint64_t id, const struct us_load **out);
/* Asks the order about every load, and ends those that stand no more: the sealer is told. After
 * each act that was folded, and with the clock. */
void us_loads_review(struct us_keeper *k);
/* Ends them all: the vault is being sealed. */
void us_loads_end(struct us_keeper *k, enum us_reason reason);
/* For the tick: reviews loads once a second. NULL, or the sealer if it does not answer, and is to
 * be done without. */
struct us_channel *us_loads_tick(struct us_keeper *k);
/* A sealer has come, and nothing was told to it. */
void us_loads_sealer(struct us_keeper *k, struct us_channel *sealer);
/* That channel is gone: if it is the sealer's, all loads end. */
void us_loads_channel_gone(struct us_keeper *k, const struct us_channel *ch);

#endif
