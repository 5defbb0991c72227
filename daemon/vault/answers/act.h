/* Signed acts. */
#ifndef US_DAEMON_VAULT_ANSWERS_ACT_H
#define US_DAEMON_VAULT_ANSWERS_ACT_H

#include "daemon/vault/request/request.h"

extern const struct us_vault_step us_vault_act_steps[];

#endif
