/* The engine: makes requests' steps, sends their answers, and alone frees them (request.h). */
#ifndef US_DAEMON_VAULT_REQUEST_ENGINE_H
#define US_DAEMON_VAULT_REQUEST_ENGINE_H

#include "daemon/vault/request/front.h"
#include "daemon/vault/request/request.h"

struct us_vault_requests;

/* refusal: the row of a request that is refused, kept. US_ERR_NOMEM. */
int us_vault_requests_new(struct us_vault_requests **out, struct event_base *base,
    const struct us_vault_step *refusal);
/* No request may be left. NULL is allowed. */
void us_vault_requests_free(struct us_vault_requests *q);
/* 1 if there is work whose turn will come. */
int us_vault_requests_have_work(const struct us_vault_requests *q);
/* Gives all work that waits a turn: the event loop calls it. */
void us_vault_requests_turn(struct us_vault_requests *q);

/* A request with that tag, linked to its front, and without a message. NULL if memory is out. */
struct us_vault_request *
us_vault_request_new(struct us_vault *v, struct us_vault_front *f, uint32_t tag);
/* Goes on with r: GO_ON makes its next step. r may be gone afterwards; so this is not for its own
 * steps, which return how they go on. */
void us_vault_resume(struct us_vault_request *r, enum us_vault_next how);
/* Ends it wherever it is, for that reason (NONE: its answer has left whole). It is gone. */
void us_vault_request_end(struct us_vault_request *r, enum us_reason why);

#endif
