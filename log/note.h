/*
 * Signed notes, c2sp.org/signed-note, with two kinds of keys: 0x01 Ed25519 over the text, and
 * 0x04 timestamped Ed25519 cosignatures of checkpoints (c2sp.org/tlog-cosignature,
 * "cosignature/v1").
 *
 * Opening: signatures of unknown keys (name and id both count) are ignored; one of a known key
 * that does not verify refuses the whole note; a second one of a key that was already seen is
 * skipped unread; at least one must verify; more than 100 signatures are refused, as in Go.
 * Everything but us_note_signer is plain data; functions are pure and safe in threads.
 */
#ifndef US_LOG_NOTE_H
#define US_LOG_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "crypto/key.h"

#define US_NOTE_NAME_MAX 255
#define US_NOTE_SIGS_MAX 100
/* Room for the text of a checkpoint and 100 signatures, post-quantum ones of strangers included. */
#define US_NOTE_MAX (1024 * 1024)
/* name + "+" + 8 + "+" + base64 of 33 bytes + NUL */
#define US_NOTE_VKEY_MAX (US_NOTE_NAME_MAX + 56)

enum us_note_type { US_NOTE_ED25519 = 0x01, US_NOTE_COSIGNATURE = 0x04 };

/* A verifier key. */
struct us_note_key {
	char name[US_NOTE_NAME_MAX + 1];
	uint32_t id;
	enum us_note_type type;
	uint8_t pub[32];
};

/* Fills a key and computes its id = SHA-256(name || "\n" || type || pub)[:4].
 * US_ERR_FORMAT (name empty, with Unicode spaces, '+', control bytes or bad UTF-8),
 * US_ERR_LIMIT. */
int us_note_key_init(struct us_note_key *out, const char *name, enum us_note_type type,
    const uint8_t pub[32]);
/* Reads "name+hex id+base64(type || pub)", no line end. US_ERR_FORMAT also if the id is wrong. */
int us_note_key_parse(struct us_note_key *out, const char *vkey, size_t n);
/* Writes the vkey text with its NUL into cap (US_NOTE_VKEY_MAX always suffices) bytes. */
int us_note_key_format(const struct us_note_key *key, char *out, size_t cap);

/* One verified signature of a note. */
struct us_note_sig {
	size_t key;         /* which of the keys given */
	uint64_t timestamp; /* seconds since 1970, of a cosignature; else 0 */
};

/* An opened note. text points into the note's bytes and includes its last newline. */
struct us_note {
	struct us_bytes text;
	size_t n_sigs; /* verified ones, in the order of the note */
	struct us_note_sig sigs[US_NOTE_SIGS_MAX];
	size_t n_unknown; /* lines that were ignored, repeated ones counted once */
};

/* Checks the form and the signatures. Two keys with the same name and id are ambiguous: a note
 * signed by it is refused. US_ERR_FORMAT, US_ERR_ENCODING, US_ERR_LIMIT; US_ERR_SIGNATURE (a known
 * key's signature is wrong); US_ERR_NOT_FOUND (no known key signed); US_ERR_ARG (ambiguous). */
int us_note_open(struct us_note *out, const void *note, size_t n, const struct us_note_key *keys,
    size_t n_keys);
/* Checks the form only and yields the text; *sigs gets the signature lines. Trust nothing of it. */
int us_note_split(struct us_bytes *text, struct us_bytes *sigs, const void *note, size_t n);

/* A signing key: holds the private half through the crypto module. */
struct us_note_signer;
/* seed: the Ed25519 private key, which is not referred to afterwards. Errors as
 * us_note_key_init(), US_ERR_CRYPTO, US_ERR_NOMEM. Free with us_note_signer_free(). */
int us_note_signer_new(struct us_note_signer **out, const char *name, enum us_note_type type,
    const struct us_key *seed);
/* Wipes and frees; NULL is allowed. */
void us_note_signer_free(struct us_note_signer *s);
/* The public half. */
const struct us_note_key *us_note_signer_key(const struct us_note_signer *s);
/* Appends one signature line over text (which ends in a newline and passes as a note's text) to
 * out. time_s: for cosignatures, seconds since 1970; else ignored. US_ERR_FORMAT, US_ERR_CRYPTO. */
int us_note_sign_line(struct us_buf *out, const struct us_note_signer *s, const void *text,
    size_t n, uint64_t time_s);
/* Appends a whole note: text, empty line, one signature line. */
int us_note_sign(struct us_buf *out, const struct us_note_signer *s, const void *text, size_t n,
    uint64_t time_s);

#endif
