/* Open pages of batches' manifests: neighbours in time are seldom neighbours in number. */
#ifndef US_DAEMON_VAULT_EVIDENCE_MANIFESTS_H
#define US_DAEMON_VAULT_EVIDENCE_MANIFESTS_H

#include "evidence/batch/reader.h"

struct us_vault_manifests;

/* US_ERR_NOMEM. */
int us_vault_manifests_new(struct us_vault_manifests **out);
/* NULL is allowed. */
void us_vault_manifests_free(struct us_vault_manifests *m);
/* The path of an item of the batch that source is of, and no other: it has so many records. Errors
 * of the source. */
int us_vault_manifests_proof(struct us_vault_manifests *m, const struct us_batch_source *source,
    uint32_t records, uint32_t item, struct us_batch_proof *proof);
/* The batch is about to be gone. */
void us_vault_manifests_forget(struct us_vault_manifests *m, const struct us_batch_source *source);

#endif
