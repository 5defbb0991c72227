/* Lists: their requests, pages, and the people, credentials, collections, batches and copies. */
#ifndef US_DAEMON_VAULT_ANSWERS_LIST_H
#define US_DAEMON_VAULT_ANSWERS_LIST_H

#include "daemon/vault/request/request.h"

extern const struct us_vault_step us_vault_list_steps[];
/* Under which action a refusal of whoever asks for the list is logged. */
void us_vault_list_name(struct us_vault_request *r);

#endif
