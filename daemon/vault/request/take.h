/* What fronts say about requests. */
#ifndef US_DAEMON_VAULT_REQUEST_TAKE_H
#define US_DAEMON_VAULT_REQUEST_TAKE_H

#include "daemon/vault/request/front.h"
#include "daemon/vault/request/request.h"

/* It is r's turn: who asks is decided, and its steps are made. */
void us_vault_request_turn(struct us_vault_request *r);
/* A message of any kind of request; kinds: the row of each, by enum us_request_kind, NULL of what
 * the vault does not take. US_ERR_MALFORMED: the front may not send that. Errors of sending. */
int us_vault_request_take(struct us_vault *v, const struct us_vault_step *const *kinds,
    struct us_vault_front *f, uint16_t type, uint32_t tag, struct us_bytes body);
/* The client has taken so much of the answer. */
void us_vault_request_credit(struct us_vault_front *f, uint32_t tag, uint32_t bytes);
/* The client is gone. */
void us_vault_request_cancel(struct us_vault_front *f, uint32_t tag);
/* Ends all requests of a front, for that reason. */
void us_vault_requests_drop(struct us_vault_front *f, enum us_reason why);

#endif
