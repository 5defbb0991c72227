/* Reading, and copies, which from their act on are a read. */
#ifndef US_DAEMON_VAULT_ANSWERS_READ_H
#define US_DAEMON_VAULT_ANSWERS_READ_H

#include "daemon/vault/request/request.h"
#include "registry/act.h"

/* Before a copy's act is prepared: may all of it be seen? GO_ON, or REFUSE. Words in rules must
 * have been met by a search or read before; else the copy is refused as not visible. */
enum us_vault_next
us_vault_read_check(struct us_vault_request *r, const uint64_t *records, size_t n);
/* A copy whose act has been committed, at that entry: GO_ON with the row of a read. copy's views
 * are kept. */
enum us_vault_next us_vault_read_copy(struct us_vault_request *r, const struct us_act_copy *copy,
    uint64_t copy_id, uint64_t entry);

#endif
