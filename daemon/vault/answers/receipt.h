/* What a load has come to. */
#ifndef US_DAEMON_VAULT_ANSWERS_RECEIPT_H
#define US_DAEMON_VAULT_ANSWERS_RECEIPT_H

#include "base/json_out.h"
#include "daemon/vault/loads/loads.h"
#include "registry/registry.h"

/* The load and its batches, with the acts that closed them, into an open object. m: NULL: it has
 * not ended. */
void us_vault_receipt_put(const struct us_registry *reg, const struct us_vault_load_facts *l,
    const struct us_msg_load_ended *m, struct us_json *j);

#endif
