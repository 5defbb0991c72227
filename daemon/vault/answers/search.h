/* Searching and counting. */
#ifndef US_DAEMON_VAULT_ANSWERS_SEARCH_H
#define US_DAEMON_VAULT_ANSWERS_SEARCH_H

#include "daemon/vault/request/request.h"

extern const struct us_vault_step us_vault_search_steps[];

#endif
