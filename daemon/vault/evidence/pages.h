/* What the registry says of batches' pages. */
#ifndef US_DAEMON_VAULT_EVIDENCE_PAGES_H
#define US_DAEMON_VAULT_EVIDENCE_PAGES_H

#include "evidence/batch/batch.h"
#include "registry/registry.h"

/* How many pages of that kind a batch has. */
uint32_t us_vault_pages_of(const struct us_batch *facts, enum us_page_kind kind);

#endif
