/* The log as it is served. */
#ifndef US_DAEMON_VAULT_ANSWERS_LOG_H
#define US_DAEMON_VAULT_ANSWERS_LOG_H

#include "daemon/vault/request/request.h"

extern const struct us_vault_step us_vault_log_steps[];
extern const struct us_vault_step us_vault_log_keys_steps[];

#endif
