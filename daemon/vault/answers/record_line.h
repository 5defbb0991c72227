/* One record of an answer: a line of JSON, whole with its proof, or masked without one. */
#ifndef US_DAEMON_VAULT_ANSWERS_RECORD_LINE_H
#define US_DAEMON_VAULT_ANSWERS_RECORD_LINE_H

#include "daemon/vault/request/request.h"

#define RECORD_KEY_ITEM (US_KEY_SIZE + 16u) /* record key, manifest salt */

/* Appends {"bates", "record", "designation", "legend", "manifest"} and a newline. item:
 * RECORD_KEY_ITEM bytes as the keeper gave them; what is masked follows r->who.ruling.mask;
 * match: what a mask of all but the match shows, or NULL. Errors as us_vault_evidence_record(). */
int us_vault_record_line(struct us_vault_request *r, const struct us_batch *facts, uint64_t record,
    const uint8_t *item, const struct us_query *match, struct us_buf *b);

#endif
