/*
 * Offline receipts, c2sp.org/tlog-proof@v1: an entry's index, its inclusion proof and the signed
 * checkpoint, as text. Pure functions.
 */
#ifndef US_LOG_PROOF_H
#define US_LOG_PROOF_H

#include "log/checkpoint.h"

#define US_TLOG_PROOF_EXTRA_MAX 65536

struct us_tlog_proof {
	uint64_t index;
	size_t n_hashes;
	struct us_digest hashes[US_PROOF_MAX];
	struct us_bytes checkpoint; /* the signed note, verbatim */
	struct us_bytes extra;      /* encode: raw bytes; parse: still base64. Never trust it. */
};

/* Appends the text. extra with p == NULL is left out. */
int us_tlog_proof_encode(struct us_buf *out, const struct us_tlog_proof *p);
/* Parses, strictly. checkpoint and extra point into text. US_ERR_FORMAT, US_ERR_LIMIT. */
int us_tlog_proof_parse(struct us_tlog_proof *out, const void *text, size_t n);
/* Parses, opens the checkpoint as us_checkpoint_open() and verifies that leaf stands at the index
 * named in the tree it states. proof, checkpoint: filled if not NULL. Errors of those,
 * US_ERR_VERIFY. */
int us_tlog_proof_verify(const void *text, size_t n, const struct us_digest *leaf,
    const struct us_note_key *keys, size_t n_keys, struct us_tlog_proof *proof,
    struct us_checkpoint *checkpoint);

#endif
