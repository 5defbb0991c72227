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

/* The run's, made when it is first asked for from what the profile remembers. Ends the program if
 * that is damaged. */
struct us_proofs *us_proofs_of(struct us_client *client);
/* Frees the run's, if there is one. */
void us_proofs_close(struct us_client *client);
/* How many entries of the log are known to be there. */
uint64_t us_proofs_seen(const struct us_proofs *proofs);
/* The number of the key that the log is signed by: another one, once a hand-over was followed. */
unsigned us_proofs_era(const struct us_proofs *proofs);
/* Says that something of the vault's (what: "the answer", "the load's receipt") could not be held
 * against its log, and why; returns the exit status for it. A connection that ended is no failed
 * verification: OTHER. */
int us_proofs_failed(const char *what, int err);
/* Nothing is said, by these functions, of a vault that cannot be reached: 1 or 0. */
void us_proofs_quiet(struct us_proofs *proofs, int quiet);

/* The entry at index, as the log proves it: its bytes, appended. US_ERR_VERIFY, US_ERR_SIGNATURE,
 * US_ERR_FORMAT; US_ERR_INCOMPLETE (the vault does not give it), US_ERR_CLOSED. */
int us_proofs_entry(struct us_proofs *proofs, uint64_t index, struct us_buf *entry);

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
/* What a record's line is held against. */
struct us_asked_record {
	const char *bates;   /* the number that was asked for in its place */
	uint32_t collection; /* 0: not known; then that of the first record, which is put here */
};
/* A record as it came (one JSON object with "record" and "manifest"), against what was asked for
 * and against its batch. record views the verbatim source bytes. Its legend must be the one of its
 * designation. One that the order masks is not what was loaded, and carries no proof of it: its
 * number is checked, its text cannot be. US_ERR_VERIFY, US_ERR_FORMAT, or as us_proofs_batch. */
int us_proofs_record(struct us_proofs *proofs, struct us_asked_record *asked, const char *line,
    size_t n, struct us_bytes *record);

#endif
