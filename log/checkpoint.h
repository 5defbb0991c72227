/*
 * Checkpoints, c2sp.org/tlog-checkpoint: the text of a signed note that states a log's size and
 * root. Pure functions.
 */
#ifndef US_LOG_CHECKPOINT_H
#define US_LOG_CHECKPOINT_H

#include "log/merkle.h"
#include "log/note.h"
#include "base/buf.h"

struct us_checkpoint {
	char origin[US_NOTE_NAME_MAX + 1];
	uint64_t size;
	struct us_digest root;
	struct us_bytes extensions; /* lines behind the root with their ends; empty as a rule */
};

/* Appends "origin\nsize\nroot\n" (and extensions, if any) to out. US_ERR_FORMAT if the origin is
 * empty or holds a control byte. */
int us_checkpoint_encode(struct us_buf *out, const struct us_checkpoint *c);
/* Parses a note's text, strictly: size without leading zeros and at most 2^63 - 1, root as
 * canonical base64 of 32 bytes, no empty lines. extensions points into text. US_ERR_FORMAT,
 * US_ERR_LIMIT (origin too long), US_ERR_RANGE. */
int us_checkpoint_parse(struct us_checkpoint *out, const void *text, size_t n);

/* Encodes and signs: the whole checkpoint file. */
int us_checkpoint_sign(struct us_buf *out, const struct us_checkpoint *c,
    const struct us_note_signer *s);
/* Opens a signed checkpoint that keys[0], the log's own key, must have signed and whose origin must
 * be that key's name; further keys are cosigners. note may be NULL. Errors of us_note_open() and
 * us_checkpoint_parse(), US_ERR_VERIFY (other origin), US_ERR_NOT_FOUND (the log did not sign). */
int us_checkpoint_open(struct us_checkpoint *out, struct us_note *note, const void *file, size_t n,
    const struct us_note_key *keys, size_t n_keys);

#endif
