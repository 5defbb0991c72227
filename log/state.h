/*
 * The state that the log commits to. An entry of class STATE stands for one committed act; its open
 * part has a commitment to
 *
 *     d(n) = SHA-256("underseal/state/1" || d(n - 1) || committed act n),  d(0) = 32 zero bytes
 *
 * and, where the act closes a batch, to that batch's manifest root (us_entry_state_commitment()).
 * So whoever has the acts can check them against the log without any key, the first to the last.
 *
 * The file "acts" of an export is str32 after str32: committed act 1, 2, ... (registry/act.h). Here
 * only as much of an act is looked at as the commitment needs.
 *
 * One owner; no allocation.
 */
#ifndef US_LOG_STATE_H
#define US_LOG_STATE_H

#include <stdint.h>

#include "base/buf.h"
#include "case/limits.h"

/* The type of an act that closes a batch. */
#define US_STATE_BATCH_CLOSE 129

struct us_state {
	uint64_t n;                /* acts taken */
	uint8_t digest[32];        /* d(n) */
	uint8_t manifest_root[32]; /* of the batch that act n closed, else zeros */
};

/* Nothing taken yet. */
void us_state_init(struct us_state *s);
/* Takes the next act. US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT: it has not the form of an
 * act; US_ERR_VERIFY: it does not say that it is act n + 1; US_ERR_CRYPTO. s is then unchanged. */
int us_state_take(struct us_state *s, struct us_bytes committed);
/* US_OK if the entry's commitment (32 bytes) is to this state; US_ERR_VERIFY, US_ERR_CRYPTO. */
int us_state_check(const struct us_state *s, const uint8_t commitment[32]);

#endif
