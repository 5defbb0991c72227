/*
 * Hand-overs: how one log goes on under another key (docs/PROTOCOL.md, section 9). Entries, indexes
 * and hashes stay; from entry `size` on another key signs, under another origin.
 *
 * A hand-over is two signed notes. The *succession* is the old key's word: which key may go on, and
 * from which tree. It may be signed long before, when a backup is made, so that whoever restores
 * needs only the successor's key and never has the old one. The *hand-over* is the new key's word
 * that it has begun to, why, and what is the last checkpoint known of the old key; if that is a
 * larger tree than the one handed over, entries were lost, and the old key's checkpoint stands
 * behind it as a third note.
 *
 * A log's hand-overs, the oldest first, are one text: the file "handovers". Each is
 *
 *   "underseal/handed-over/1 A B C\n"  succession (A bytes)  hand-over (B bytes)
 *       checkpoint (C bytes, 0: none)
 *
 *   succession:  "underseal/succession/1\n" old vkey "\n" new vkey "\n" size "\n" base64(root) "\n"
 *                time "\n", signed by the old key
 *   hand-over:   "underseal/handover/1\n" base64(SHA-256(succession note)) "\n" reason "\n" time
 *                "\n" last size "\n" base64(last root) "\n", signed by the new key
 *
 * with exactly one signature each. Numbers are decimal, times RFC 3339 in whole seconds with Z.
 * Each text has one form.
 *
 * Pure functions, safe in threads.
 */
#ifndef US_LOG_SUCCESSION_H
#define US_LOG_SUCCESSION_H

#include "log/checkpoint.h"
#include "log/origin.h"

/* One hand-over: fits into the access box of an entry. */
#define US_HANDOVER_MAX 3584
#define US_HANDOVERS_BYTES_MAX (US_HANDOVERS_MAX * US_HANDOVER_MAX)

/* X(CONSTANT, "name in the note") */
#define US_HANDOVER_REASON_LIST(X) \
	X(RESTORE, "restore") /* from a backup */ \
	X(MOVE, "move")       /* to another machine */ \
	X(KEY, "key")         /* the old key is suspected, or old */

enum us_handover_reason {
#define X(name, text) US_HANDOVER_##name,
	US_HANDOVER_REASON_LIST(X)
#undef X
};

struct us_succession {
	struct us_note_key old_key, new_key;
	/* of the tree that is handed over: the first entry under the new key has this index */
	uint64_t size;
	struct us_digest root;
	int64_t time_ns;
};

struct us_handover {
	struct us_succession succession;
	enum us_handover_reason reason;
	int64_t time_ns;
	/* of the last checkpoint known of the old key: at least succession.size */
	uint64_t last_size;
	struct us_digest last_root;
	struct us_bytes text; /* all of it, in what was opened */
};

struct us_handovers {
	size_t n;
	struct us_handover item[US_HANDOVERS_MAX];
};

/* Static text of a reason. */
const char *us_handover_reason_name(enum us_handover_reason reason);
/* US_ERR_NOT_FOUND. */
int us_handover_reason_of(enum us_handover_reason *out, const char *name, size_t n);

/* Appends the signed succession note. US_ERR_FORMAT if the new key's name is not the next origin.
 * Errors of us_note_sign(). */
int us_succession_sign(struct us_buf *out, const struct us_note_signer *old_signer,
    const struct us_note_key *new_key, uint64_t size, const struct us_digest *root,
    int64_t time_ns);
/* Opens one, by the old key that it names itself: whether that is a key to trust is the caller's
 * question. US_ERR_FORMAT, US_ERR_RANGE, errors of us_note_open(). */
int us_succession_open(struct us_succession *out, struct us_bytes note);

/* Appends a whole hand-over. last: a checkpoint of the old key with a larger tree than the
 * succession's; NULL: none is known. last's cosignatures are left out. time_ns is not before the
 * succession's, whatever is given. US_ERR_ARG (the signer is not the successor), US_ERR_VERIFY
 * (last is not the old key's, or not larger). */
int us_handover_sign(struct us_buf *out, struct us_bytes succession,
    const struct us_note_signer *new_signer, enum us_handover_reason reason, int64_t time_ns,
    const struct us_bytes *last);

/* Opens a chain and checks all that can be checked without the log: the form; each signature; that
 * each hand-over's old key is the new one of that before; that origins count up, sizes grow, no key
 * comes twice. At least one. Views point into text. US_ERR_FORMAT, US_ERR_LIMIT, US_ERR_RANGE,
 * US_ERR_SIGNATURE, US_ERR_NOT_FOUND (signed by another key), US_ERR_VERIFY. */
int us_handovers_open(struct us_handovers *out, struct us_bytes text);
/* The place of a key: i if it handed over by item i; n if it is the newest. US_ERR_NOT_FOUND. */
int us_handovers_place(size_t *place, const struct us_handovers *h, const struct us_note_key *key);
/* 1 if type, name and public key are the same. */
int us_note_key_same(const struct us_note_key *a, const struct us_note_key *b);

/* What a hand-over means for somebody who remembers a checkpoint of the old key. */
enum us_handover_memory {
	/* it is in the tree that was handed over: a consistency proof must show it */
	US_HANDOVER_KEPT,
	/* it is larger, and the hand-over says itself that so much, or more, is lost */
	US_HANDOVER_LOST,
	/* it is larger than all that the hand-over admits to: entries were signed and are
	 * concealed */
	US_HANDOVER_HIDDEN,
	/* it contradicts a checkpoint of the same size: the old key signed two histories */
	US_HANDOVER_FORKED
};
enum us_handover_memory
us_handover_judge(const struct us_handover *h, uint64_t size, const struct us_digest *root);

#endif
