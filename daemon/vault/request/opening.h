/*
 * Who opens a collection, while all that want it wait: its page keys come once, in the name of
 * whoever came first, and many people who come at the same time (behind a start) cost the keeper no
 * more than one. If that one goes before the keys are here, the next goes on where they end.
 */
#ifndef US_DAEMON_VAULT_REQUEST_OPENING_H
#define US_DAEMON_VAULT_REQUEST_OPENING_H

#include <stdint.h>

struct event_base;
struct us_vault_openings;
struct us_vault_request;

enum us_vault_opener {
	US_VAULT_OPENER_NONE,
	US_VAULT_OPENER_IS, /* it opens a collection */
	US_VAULT_OPENER_WAITS,
};

/* What a request has of it; zero before it wants one. */
struct us_vault_opening {
	struct us_vault_request *r;
	uint32_t collection;
	uint64_t entry; /* by which it is opened: for who opens it */
	enum us_vault_opener is;
	struct us_vault_opening *next;
};

/* go_on: the request is to ask again; it may end. US_ERR_NOMEM. */
int us_vault_openings_new(struct us_vault_openings **out, struct event_base *base,
    void (*go_on)(struct us_vault_request *r));
/* NULL is allowed. */
void us_vault_openings_free(struct us_vault_openings *o);
/* OPENER_IS: the collection is the request's to open, until us_vault_opening_leave().
 * OPENER_WAITS: it is another's, and go_on(r) will be called. */
enum us_vault_opener us_vault_opening_enter(struct us_vault_openings *o,
    struct us_vault_opening *opening, struct us_vault_request *r, uint32_t collection);
/* The keys are here, or the request is about to be gone; also for those that never came here. */
void us_vault_opening_leave(struct us_vault_openings *o, struct us_vault_opening *opening);

#endif
