/* What the registry says of batches' slots and pages. */
#ifndef US_DAEMON_VAULT_EVIDENCE_SLOTS_H
#define US_DAEMON_VAULT_EVIDENCE_SLOTS_H

#include "evidence/batch/batch.h"
#include "registry/registry.h"

/* The slot of the batch whose segment has that one: the page key of a batch is that of its segment,
 * whose slot may be another. The segment's own if there is no such batch (yet). */
uint32_t
us_vault_slot_of_segment(const struct us_registry *reg, uint32_t collection, uint32_t segment_slot);
/* How many pages of that kind a batch has. */
uint32_t us_vault_pages_of(const struct us_batch *facts, enum us_page_kind kind);

#endif
