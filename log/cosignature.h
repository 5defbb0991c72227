/*
 * Cosigned checkpoints, c2sp.org/tlog-cosignature ("cosignature/v1", Ed25519, key type 0x04). A
 * witness signs
 *
 *   "cosignature/v1\n" "time " SECONDS "\n" checkpoint text
 *
 * and so says: at that time this was the largest tree of this log that I had seen, and it contains
 * every one I had seen before. The line of a signed note that carries it is u32 key id ‖ u64 time ‖
 * signature in base64.
 *
 * log/note.h opens whole notes and refuses them whole. Here lines are taken one by one, so that
 * what one witness gets wrong does not cost the others' word. Pure functions, safe in threads.
 */
#ifndef US_LOG_COSIGNATURE_H
#define US_LOG_COSIGNATURE_H

#include "log/checkpoint.h"

/* Witnesses that one log, or one policy, can have. */
#define US_COSIGNERS_MAX 64
/* A checkpoint of ours with all its cosignatures: well below this. */
#define US_COSIGNED_MAX 65536

/* Who cosigned what is merged below. */
struct us_cosigned {
	size_t n;                          /* witnesses that cosigned */
	uint8_t by[US_COSIGNERS_MAX];      /* 1: this one of the keys given */
	uint64_t time_s[US_COSIGNERS_MAX]; /* when it says that it did */
};

/* Appends the line of a witness over a checkpoint's text. US_ERR_ARG (not a witness's key), else as
 * us_checkpoint_parse() and us_note_sign_line(). */
int us_cosignature_sign(struct us_buf *line, const struct us_note_signer *witness,
    struct us_bytes text, uint64_t time_s);
/* Whether line (with its newline) is this witness's over the text. *time_s: when. US_ERR_NOT_FOUND
 * (another key's: name or id differ), US_ERR_SIGNATURE, US_ERR_FORMAT, US_ERR_ENCODING, US_ERR_ARG
 * (not a witness's key). */
int us_cosignature_verify(struct us_bytes text, struct us_bytes line,
    const struct us_note_key *witness, uint64_t *time_s);
/* Takes the next line (with its newline) off *rest. US_ERR_NOT_FOUND at the end, US_ERR_FORMAT if
 * the last one has no end. */
int us_cosignature_next(struct us_bytes *rest, struct us_bytes *line);

/*
 * Appends a checkpoint with the log's signature and, in the order of the keys, the newest
 * cosignature of each witness among those in the note itself and in lines (signature lines alone,
 * as add-checkpoint answers them; may be empty). Signatures of anybody else are left out. who may
 * be NULL.
 *
 * note must be signed by the log's key and be of its origin: errors of us_checkpoint_open(). A line
 * that names a witness and does not verify refuses it all with US_ERR_SIGNATURE: who merges answers
 * of several witnesses merges them one after the other. US_ERR_LIMIT: more keys than
 * US_COSIGNERS_MAX, or US_NOTE_SIGS_MAX lines.
 */
int us_cosigned_merge(struct us_buf *out, struct us_cosigned *who, const struct us_note_key *log,
    const struct us_note_key *witnesses, size_t n_witnesses, struct us_bytes note,
    struct us_bytes lines);

#endif
