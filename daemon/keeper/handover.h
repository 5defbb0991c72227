/*
 * Handing the log over to another key, and preparing that in a backup: the keeper's part of
 * `undersealed handover`, `backup` and `restore`. Each call is in the keeper's directory (the
 * working directory), with its lock held and no daemon running, in a process of its own.
 *
 * A hand-over in place writes in this order. If it ends in between, the old log can go on (before
 * 2), or the same call completes it:
 *
 *   1  handovers.next   the new chain. Nobody has seen it
 *   2  boot.keys        the successor's seed instead of the old one, which is overwritten: from
 *                       here on the old key is gone
 *   3  handovers        (handovers.next renamed)
 *   4  cosignatures.N   (cosignatures renamed: they are of the old key)
 *   5  vault.conf       the new origin and key
 *   6  the entry        which the keeper writes at its start too, if it is not there
 *
 * What comes from a backup has the successor's seed in boot.keys, the old key in vault.conf, and
 * the old key's word in "succession". It goes through 3 to 6 in the same way.
 */
#ifndef US_DAEMON_KEEPER_HANDOVER_H
#define US_DAEMON_KEEPER_HANDOVER_H

#include "log/succession.h"
#include "base/buf.h"
#include "crypto/key.h"

#define US_HANDOVER_NOTES_MAX 16
#define US_HANDOVER_DETAIL 320

struct us_hand_over_options {
	enum us_handover_reason reason;
	const char *host; /* of the new origin; NULL: the old one's */
	size_t n_notes;   /* signed checkpoints of the old key that somebody has kept */
	struct us_bytes notes[US_HANDOVER_NOTES_MAX];
};

/* What was done. */
struct us_hand_over_result {
	/* an earlier call was interrupted: its hand-over was completed, whatever the options say */
	int completed;
	struct us_succession succession;
	enum us_handover_reason reason;
	uint64_t last_size;
	int64_t time_ns;
	char vkey[US_NOTE_VKEY_MAX]; /* the new one */
};

/* The vault in place: the old key's last act is to sign for its successor, whose seed takes its
 * place. detail (US_HANDOVER_DETAIL bytes) gets a sentence where the operator's log has none.
 * US_ERR_VERIFY (the log, or a note contradicts it), US_ERR_ARG (host), US_ERR_STATE (nothing to
 * hand over), US_ERR_IO. */
int us_keeper_hand_over(struct us_hand_over_result *out, const struct us_hand_over_options *o,
    char *detail);
/* A keeper's directory that was restored from a backup. Not completed if interrupted: restore anew.
 * The same errors. */
int us_keeper_take_over(struct us_hand_over_result *out, const struct us_hand_over_options *o,
    char *detail);

/* What a backup takes along instead of the log's key. */
struct us_bequest {
	struct us_key *seed;      /* of the successor. Wiped by us_bequest_free() */
	struct us_buf boot_keys;  /* boot.keys with that seed */
	struct us_buf succession; /* the signed note */
	struct us_succession says;
};
/* Draws a successor, writes the backup's entry, and has the log's key sign for it. number: of this
 * backup and of the keyring's copy that is made with it; generation: of the keyring. Errors as
 * above. Free with us_bequest_free(), also after a failure. */
int us_keeper_bequeath(struct us_bequest *out, uint32_t number, uint64_t generation, char *detail);
/* Wipes the seed, and gives back the rest. */
void us_bequest_free(struct us_bequest *b);

#endif
