/* What leaves for the client. A front that does not hear what ends an answer would keep somebody
 * waiting for ever: if it cannot be told its channel ends. */
#ifndef US_DAEMON_VAULT_REQUEST_TELL_H
#define US_DAEMON_VAULT_REQUEST_TELL_H

#include "daemon/vault/request/request.h"

/* Sends r->problem as the answer, or, if that has begun, behind it: a reply that breaks off must
 * not look whole, and a problem is no record. One without an entry is counted by the keeper. */
void us_vault_tell_problem(struct us_vault_request *r);
/* Sends a piece of the answer. ctx: the request, as work.h has it. Errors of sending. */
int us_vault_tell_piece(void *ctx, const struct us_piece *piece);

#endif
