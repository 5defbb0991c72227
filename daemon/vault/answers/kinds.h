/* What is done for each kind of request (daemon/process/requests.def). */
#ifndef US_DAEMON_VAULT_ANSWERS_KINDS_H
#define US_DAEMON_VAULT_ANSWERS_KINDS_H

#include "daemon/vault/request/request.h"

/* us_vault_read_request_steps, ...: the row of each, where it is answered. */
#define X(message, to, action, sealed, needs) \
	extern const struct us_vault_step us_vault_##message##_steps[];
US_VAULT_REQUESTS(X)
#undef X

/* These, by enum us_request_kind; NULL of what the vault does not take. */
extern const struct us_vault_step *const us_vault_kinds[US_REQUEST_COUNT];

#endif
