/* Loads as their producer sees them. */
#ifndef US_DAEMON_VAULT_ANSWERS_LOAD_H
#define US_DAEMON_VAULT_ANSWERS_LOAD_H

#include "daemon/vault/request/request.h"

extern const struct us_vault_step us_vault_load_open_steps[];
extern const struct us_vault_step us_vault_load_end_steps[];
extern const struct us_vault_step us_vault_load_ticket_steps[];

#endif
