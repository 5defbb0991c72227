/* Designations as they are now: what the segment says, corrected by the relabels since. */
#ifndef US_DAEMON_VAULT_EVIDENCE_DESIGNATE_H
#define US_DAEMON_VAULT_EVIDENCE_DESIGNATE_H

#include <roaring/roaring.h>

#include "daemon/vault/evidence/evidence.h"
#include "evidence/index/eval.h"

/* A query over one batch, with what relabels have changed. keys: of content words, for the batch's
 * era. *out: documents of the batch, the caller's to free. US_ERR_SEALED, US_ERR_DENIED (a word's
 * key is not here), errors of the store. */
int us_vault_designate_eval(struct us_vault_evidence *e, const struct us_batch *facts,
    const struct us_query *query, const struct us_term_table *keys, roaring_bitmap_t **out);

#endif
