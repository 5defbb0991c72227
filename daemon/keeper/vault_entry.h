/* What a vault may ask to have logged: the table vault_entries.def, enforced here alone, before
 * anything of a "log" is decided or written. */
#ifndef US_DAEMON_KEEPER_VAULT_ENTRY_H
#define US_DAEMON_KEEPER_VAULT_ENTRY_H

#include <stddef.h>

#include "daemon/process/messages.h"

#define US_LOG_COPY 1u  /* in flags: the entry discloses a copy */
#define US_LOG_FEWER 2u /* in flags: the person is told "fewer than total" */

struct us_keeper;

/* US_OK and how many words it names, or US_ERR_FORMAT: it is nothing that a vault may say. What it
 * takes fits the log in all its parts. */
int us_vault_entry_check(const struct us_keeper *k, const struct us_msg_log *m, size_t *n_terms);
/* Of a vault's refusal, as far as the keeper knows it: what it cites is the order's own text.
 * Nothing that there is not is named. */
void us_vault_entry_correct(const struct us_keeper *k, struct us_msg_log *m);

#endif
