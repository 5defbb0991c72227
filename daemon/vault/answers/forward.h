/* What is the keeper's to answer. */
#ifndef US_DAEMON_VAULT_ANSWERS_FORWARD_H
#define US_DAEMON_VAULT_ANSWERS_FORWARD_H

#include "daemon/vault/request/request.h"

extern const struct us_vault_step us_vault_status_steps[];
extern const struct us_vault_step us_vault_challenge_steps[];
extern const struct us_vault_step us_vault_session_steps[];
extern const struct us_vault_step us_vault_share_steps[];
extern const struct us_vault_step us_vault_cosign_steps[];

#endif
