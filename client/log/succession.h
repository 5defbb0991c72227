/*
 * Following a log that was handed over to another key (docs/PROTOCOL.md, section 9).
 *
 * The profile pins a key and remembers the newest checkpoint by it. When the vault shows one by
 * another key, this module asks the vault for the chain of hand-overs and believes it only if it
 * leads from the pinned key to that one, if the tree at each hand-over is what was handed over, and
 * if what the profile remembers is in it, or the hand-over says itself that so much is lost. Then
 * the profile pins the new key, and keeps
 *
 *   handovers      the chain
 *   checkpoint.N   the newest checkpoint that it had by the log's N-th key
 *
 * Everything else is refused, as a rollback is. Each outcome is said on stderr.
 */
#ifndef US_CLIENT_LOG_SUCCESSION_H
#define US_CLIENT_LOG_SUCCESSION_H

#include "client/log/fetch.h"
#include "log/succession.h"

/* note: a checkpoint that the profile's key did not sign. Follows to the key that did;
 * client->profile.vkey is that key then, and the profile's checkpoint is note. Pointers to the old
 * vkey are invalid. US_ERR_VERIFY, US_ERR_SIGNATURE, US_ERR_FORMAT (refused; why has been said),
 * US_ERR_INCOMPLETE, US_ERR_CLOSED (the vault does not answer), US_ERR_IO (the profile cannot be
 * written). */
int us_client_succession_follow(struct us_client *client, struct us_bytes note);
/* Asks for the newest checkpoint, and follows if the profile's key did not sign it. US_ERR_STATE:
 * it did. Else as us_client_succession_follow(). */
int us_client_succession_newest(struct us_client *client);

/* The chain that the profile has followed; US_ERR_NOT_FOUND: none. US_ERR_VERIFY: the file was
 * changed. text holds the bytes. */
int
us_client_succession_chain(const char *directory, struct us_buf *text, struct us_handovers *chain);
/* What a checkpoint by a former key stands for once that key has been left: the tree that was
 * handed over to the newest one. note must be by a key of the chain that leads to key. *place (may
 * be NULL): which. Errors of us_client_succession_chain(), US_ERR_NOT_FOUND. */
int us_client_succession_stand_in(const char *directory, const struct us_note_key *key,
    struct us_bytes note, struct us_checkpoint *out);

/* Which key that the log had before, of the chain that the profile has followed, signed a
 * checkpoint: its text into vkey, and the index of the first entry that it did not sign for the log
 * as it is now. US_ERR_NOT_FOUND: none of them. */
int us_client_succession_former(const char *directory, struct us_bytes note,
    char vkey[US_NOTE_VKEY_MAX], uint64_t *until);

/* Whether somebody who remembers `seen` by the key at `place` of the chain may go on at c, a
 * checkpoint by its newest key. size 0: nothing is remembered. whose: "this profile", "this
 * witness"; file: where it is kept, for messages. US_OK: it has been said what was followed. Errors
 * as us_client_succession_follow(). */
struct us_client_succession_memory {
	const char *whose, *file;
	struct us_checkpoint seen;
	size_t place;
};
/* Whether the log goes on from all that is remembered: c by the chain's newest key, each memory
 * by the key it had then. log: to fetch proofs from. US_OK; US_ERR_VERIFY: it does not; errors of
 * fetching. */
int us_client_succession_check(struct us_log_fetcher *log, const struct us_handovers *chain,
    const struct us_client_succession_memory *memory, const struct us_checkpoint *c);

#endif
