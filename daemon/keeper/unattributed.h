/*
 * What was refused to nobody in particular: handshakes that failed, connections over the limit,
 * requests that were malformed, or came without a session or to a sealed vault. It is counted
 * exactly, by reason, and one entry in ten seconds says how many, so that a flood costs the log
 * next to nothing. Nothing is left over when the keeper stops or seals.
 */
#ifndef US_DAEMON_KEEPER_UNATTRIBUTED_H
#define US_DAEMON_KEEPER_UNATTRIBUTED_H

#include "base/buf.h"

struct us_keeper;

/* k->unattributed, with no counts. US_ERR_NOMEM. */
int us_keeper_unattributed_new(struct us_keeper *k);
/* Gives it back; what is counted then is lost. */
void us_keeper_unattributed_free(struct us_keeper *k);
/* Adds counts: { u8 reason, u32 count }, packed. US_ERR_MALFORMED: they are none. */
int us_keeper_unattributed_take(struct us_keeper *k, struct us_bytes counts);
/* Writes the entry of what was counted, if the last one was ten seconds ago (or at once). Ends the
 * process if it cannot. */
void us_keeper_unattributed_tell(struct us_keeper *k, int at_once);
/* Gives the monitor what was counted behind a seal, for the keeper that follows. */
void us_keeper_unattributed_pass_on(struct us_keeper *k);

#endif
