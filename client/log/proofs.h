/*
 * What the client believes, and why: the log it remembers and the batches whose manifest roots it
 * has seen in that log. Nothing that a vault sends is shown as evidence before it has passed here.
 *
 * The profile's file "checkpoint" is the newest checkpoint verified; every later one must be
 * consistent with it (RFC 9162, 2.1.4.2), else the vault shows two histories: UNVERIFIED, and the
 * old checkpoint stays.
 */
#ifndef US_CLIENT_LOG_PROOFS_H
#define US_CLIENT_LOG_PROOFS_H

#include "log/checkpoint.h"
#include "client/core/client.h"

struct us_proofs;

/* Reads what the profile remembers. Ends the program if that is damaged. */
struct us_proofs *us_proofs_open(struct us_client *client);
/* Frees it; NULL is nothing. */
void us_proofs_close(struct us_proofs *proofs);

/* Takes a signed checkpoint: signature of the profile's log key, consistency with the remembered
 * one (fetched from the vault if it is larger). Remembers it. If another key signed it, a hand-over
 * to that key is followed (client/log/succession.h). US_ERR_SIGNATURE, US_ERR_VERIFY,
 * US_ERR_CLOSED. */
int us_proofs_checkpoint(struct us_proofs *proofs, struct us_bytes note, struct us_checkpoint *out);
/* Takes a receipt (tlog-proof): the checkpoint in it, and that the entry the log serves at its
 * index is included. entry (may be NULL) gets the entry's bytes. The same errors. */
int us_proofs_receipt(struct us_proofs *proofs, struct us_bytes receipt, uint64_t index,
    struct us_buf *entry);
/* The manifest root of a batch, proven by the entry that closed it. The same errors. */
int us_proofs_batch(struct us_proofs *proofs, uint32_t collection, uint32_t slot, uint64_t entry,
    uint8_t root[32]);
/* The same, asked of the log now whatever is remembered, with the digest of the state after the act
 * that closed it. */
int
us_proofs_closing(struct us_proofs *proofs, uint64_t entry, uint8_t root[32], uint8_t state[32]);
/* A record as it came (one JSON object with "record" and "manifest"), against its batch. record
 * views the verbatim source bytes. One that the order masks is not what was loaded, and carries no
 * proof of it: US_OK without a check. US_ERR_VERIFY, US_ERR_FORMAT, or as us_proofs_batch. */
int us_proofs_record(struct us_proofs *proofs, const char *line, size_t n, struct us_bytes *record);

#endif
