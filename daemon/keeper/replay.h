/*
 * The vault shows its acts, and only if their fold ends where the log ends does anything open.
 * Making the ledger reads the whole log, so it is a task: meanwhile everything that works sealed
 * goes on.
 */
#ifndef US_DAEMON_KEEPER_REPLAY_H
#define US_DAEMON_KEEPER_REPLAY_H

struct us_keeper;

/* k->replay: nothing has been shown. US_ERR_NOMEM. */
int us_replay_new(struct us_keeper *k);
/* Gives it back. */
void us_replay_free(struct us_keeper *k);

#endif
