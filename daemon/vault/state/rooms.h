/*
 * The vault: its rooms, each opaque, each with a header of its own. Nobody looks into another's;
 * what one needs of another it asks by that header. Rooms stand in this order, and use only what
 * stands before them:
 *
 *   state/     registry, keys and phase of an open vault; the keeper; acts; the store's writer
 *   evidence/  collections, batches, records; which of them a set of rules lets be seen
 *   decide/    sessions, and what order and registry say to a request: decisions, never answers
 *   request/   the engine: requests from their message to their end, step by step
 *   loads/     what producers have open, and the sealer's side of it
 *   answers/   the steps of each kind of request
 *
 * One thread runs all of it (the event loop); the store's writes are done by the thread of
 * writer.h.
 */
#ifndef US_DAEMON_VAULT_STATE_ROOMS_H
#define US_DAEMON_VAULT_STATE_ROOMS_H

#include <stdint.h>

#define NO_ENTRY UINT64_MAX /* where a log index is wanted and there is none */
#define PAGE_NUMBER(slot, page) ((uint64_t)(slot) << 16 | (uint64_t)(page))

struct us_vault {
	struct event_base *base;
	struct us_store_reader *reader;
	struct us_writer *writer;
	struct us_vault_state *state;
	struct us_vault_keeper *keeper;
	struct us_vault_start *start; /* NULL but while acts are replayed */
	struct us_vault_acts *acts;
	struct us_vault_evidence *evidence;
	struct us_vault_views *views;
	struct us_vault_sessions *sessions;
	struct us_vault_outcomes *outcomes;
	struct us_vault_gate *log_gate;
	struct us_vault_shares *shares;
	struct us_vault_openings *openings;
	struct us_vault_requests *requests;
	struct us_vault_loads *loads;
	/* Ends the process, with US_EXIT_SEALED or 1, once replies are out. */
	void (*leave)(struct us_vault *v, int status);
};

#endif
