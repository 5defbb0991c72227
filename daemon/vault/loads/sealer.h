/*
 * The sealer's side of loads: which records are duplicates, pages of batches, the end of a batch,
 * and which loads have started and ended.
 */
#ifndef US_DAEMON_VAULT_LOADS_SEALER_H
#define US_DAEMON_VAULT_LOADS_SEALER_H

#include "daemon/vault/loads/loads.h"

struct us_vault_sealer;

/* v is kept, not owned. US_ERR_NOMEM. */
int us_vault_sealer_new(struct us_vault_sealer **out, struct us_vault *v);
/* NULL is allowed. */
void us_vault_sealer_free(struct us_vault_sealer *s);
/* channel: NULL: it is gone; then all loads end, and who waits for them is told. */
void us_vault_sealer_connect(struct us_vault_sealer *s, struct us_channel *channel);
/* Any of its messages. US_ERR_MALFORMED: it may not send that. */
int us_vault_sealer_message(struct us_vault_sealer *s, uint16_t type, uint32_t tag,
    struct us_bytes body);

#endif
