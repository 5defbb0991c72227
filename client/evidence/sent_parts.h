/*
 * The parts that a load was sent in, and that the vault's batches were made of these and no others.
 * The act that closes a batch binds the digests of its parts (registry/act.h); the log's entry
 * commits to the act. Whoever loads compares before anything is called done.
 */
#ifndef US_CLIENT_EVIDENCE_SENT_PARTS_H
#define US_CLIENT_EVIDENCE_SENT_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* SHA-256 of each part's bytes as they stood in the file, by number. One thread. */
struct us_sent_parts {
	uint8_t (*digests)[32];
	size_t n, cap;
};

/* Adds the next part's. US_ERR_NOMEM. */
int us_sent_parts_add(struct us_sent_parts *sent, const uint8_t digest[32]);
/* Frees the digests. */
void us_sent_parts_free(struct us_sent_parts *sent);

/* What is known of a batch: what the vault says in its answer ("before", "act"), and what the log
 * proves. */
struct us_batch_claim {
	uint64_t load;
	uint32_t collection, slot;
	const uint8_t *root;       /* manifest root, proven (32 bytes) */
	const uint8_t *state;      /* digest of the state after it, proven (32 bytes) */
	const uint8_t *before;     /* digest of the state before it, as the vault says (32 bytes) */
	struct us_bytes committed; /* the act that closed it, as the vault says */
};
/* Checks that the act is the one that the log commits to, that it closes this batch of this load,
 * and that the batch was made of parts that were sent. *records: how many it admitted. US_OK;
 * US_ERR_VERIFY; US_ERR_FORMAT and what us_act_decode() says. */
int us_sent_parts_check(const struct us_sent_parts *sent, const struct us_batch_claim *claim,
    uint64_t *records);

#endif
