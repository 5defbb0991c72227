/* Messages of fronts, decoded: the one place where that is done. */
#ifndef US_DAEMON_VAULT_REQUEST_DECODE_H
#define US_DAEMON_VAULT_REQUEST_DECODE_H

#include "daemon/process/requests.h"
#include "daemon/vault/request/request.h"

/* r->body into r->q, credential and address into r->who; a body that is forwarded (r->kind) is
 * checked as what the keeper will take it for. US_ERR_MALFORMED. */
int us_vault_decode(struct us_vault_request *r, const struct us_request_info *info);

#endif
