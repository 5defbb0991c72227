/*
 * From "unsealed" to open: the acts are opened and sent to the keeper, which folds them and
 * compares with the newest state in its log; what it keeps is folded here too, and the store is
 * tidied of what was never committed. Page keys come later, with the first person who may use them.
 */
#ifndef US_DAEMON_VAULT_STATE_START_H
#define US_DAEMON_VAULT_STATE_START_H

#include "base/buf.h"

struct us_vault;
struct us_vault_start;

/* Takes a US_MSG_unsealed. opened is called once the vault is open; not if it refuses.
 * US_ERR_MALFORMED. */
int us_vault_start_unsealed(struct us_vault *v, struct us_bytes body,
    void (*opened)(struct us_vault *v));
/* v->start becomes NULL. */
void us_vault_start_free(struct us_vault *v);
/* Deletes pages of the collection that belong to no closed batch and no dictionary of the registry:
 * only while nothing is loaded into it. Errors of the writer's queue. */
int us_vault_start_tidy(struct us_vault *v, uint32_t collection);

#endif
