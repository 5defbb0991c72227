/* What is done for each kind of request (daemon/process/requests.def). */
#ifndef US_DAEMON_VAULT_ANSWERS_KINDS_H
#define US_DAEMON_VAULT_ANSWERS_KINDS_H

#include "daemon/process/requests.h"
#include "daemon/vault/request/request.h"

#define X(message, to, sealed, needs) +1
enum { US_VAULT_KINDS = 0 US_REQUESTS(X) };
#undef X

/* By enum us_request_kind. One that the vault does not answer has no steps. */
extern const struct us_vault_kind us_vault_kinds[US_VAULT_KINDS];

#endif
