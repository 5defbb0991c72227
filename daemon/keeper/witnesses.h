/*
 * Witnesses: checkpoints of this log that others have cosigned, as they were brought here.
 *
 * The setting "witnesses" names their keys. The file "cosignatures" holds str32 after str32 a
 * checkpoint with its cosignatures, the largest first: the newest ones, as witnesses come one after
 * the other, and behind them only those with more cosignatures than all larger ones. It is replaced
 * whole before a cosignature is acknowledged, and what it holds was signed by this log: a log that
 * is shorter at the next start, or another one, was put back, and the keeper does not start.
 */
#ifndef US_DAEMON_KEEPER_WITNESSES_H
#define US_DAEMON_KEEPER_WITNESSES_H

#include "log/cosignature.h"

struct us_keeper;
struct us_witnesses;

/* When checkpoints are too old. */
struct us_witness_rule {
	int64_t max_ns; /* 0: a log that nobody witnesses is no reason for anything */
	size_t needed;  /* cosignatures of one checkpoint, at least 1 */
	int seals;      /* else it warns */
};

/* k->witnesses, of the setting "witnesses": verifier keys with blanks between; before the start.
 * US_ERR_FORMAT, US_ERR_EXISTS (twice the same key), US_ERR_LIMIT, US_ERR_NOMEM; it has been said
 * in the operator's log. */
int us_witnesses_new(struct us_keeper *k, const char *setting, const struct us_witness_rule *rule);
/* Gives back k->witnesses. */
void us_witnesses_free(struct us_keeper *k);
/* Reads what was cosigned, once the log is open; the keys get an entry. US_ERR_VERIFY: the log is
 * not the one that was cosigned. */
int us_witnesses_load(struct us_keeper *k);
/* Appends the file "checkpoint.witnessed": the largest checkpoint with a cosignature; or ".../K":
 * with K of them. US_ERR_NOT_FOUND, as there is none, or US_ERR_FORMAT: no such path. */
int us_witnesses_serve(const struct us_keeper *k, struct us_bytes path, struct us_buf *out);
/* The rule. */
const struct us_witness_rule *us_witnesses_rule(const struct us_witnesses *w);
/* 1 if the newest checkpoint with enough cosignatures, or the unsealing, is longer ago than the
 * rule says, and since when. Looks once a second at most, and, when it has said so, not until as
 * much time has passed again. */
int us_witnesses_are_old(struct us_witnesses *w, int64_t unsealed_ns, int64_t *since_ns);

/* What came of a cosigned checkpoint that was brought. */
struct us_witnesses_taken {
	uint64_t size; /* of the checkpoint; 0: not known to be ours */
	size_t count;  /* cosignatures of it that are kept */
	/* u64 size ‖ { u32 key id ‖ u64 time } of each that is new; nothing: none is known to be */
	uint8_t summary[8 + US_COSIGNERS_MAX * 12];
	size_t summary_n;
};
/* Takes a signed checkpoint with cosignatures, which is stored before this returns. US_ERR_VERIFY:
 * not of this log; US_ERR_SIGNATURE; US_ERR_DENIED: by nobody who is configured; US_ERR_NOT_YET: of
 * a time to come. Else errors of notes, and of writing the file. */
int us_witnesses_take(struct us_keeper *k, struct us_bytes note, struct us_witnesses_taken *taken);

#endif
