/* Parts that answers of several kinds have. */
#ifndef US_DAEMON_VAULT_ANSWERS_ANSWER_H
#define US_DAEMON_VAULT_ANSWERS_ANSWER_H

#include "base/json_out.h"
#include "daemon/vault/request/ask.h"
#include "daemon/vault/request/request.h"

/* The vault's registry. */
struct us_registry *us_vault_registry_of(const struct us_vault_request *r);
/* An empty document of at most that many bytes, its object open. */
void us_vault_json_begin(struct us_json *j, struct us_buf *b, size_t max);
/* "snapshot", "order", "entry", "quota" into an open object. */
void us_vault_put_head(const struct us_vault_request *r, struct us_json *j, uint64_t snapshot,
    uint64_t entry);
/* Appends the tlog-proof of an entry as text. hashes: of the path, 32 bytes each. US_ERR_FORMAT. */
int us_vault_put_proof(uint64_t index, struct us_bytes hashes, struct us_bytes checkpoint,
    struct us_buf *out);
/* FAIL: the query does not parse. Nothing was asked, so nothing is logged. err: of parsing it. */
enum us_vault_next
us_vault_bad_query(struct us_vault_request *r, int err, const struct us_query_error *e);
/* The log index that an answer is about: the message's `snapshot` (0: the newest; else one more
 * than the index), never beyond the newest. */
uint64_t us_vault_snapshot(const struct us_vault_request *r, uint64_t asked);

#endif
