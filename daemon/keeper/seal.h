/* The end of a keeper that is sealed: its keys go at once, the process when its answers have left.
 * */
#ifndef US_DAEMON_KEEPER_SEAL_H
#define US_DAEMON_KEEPER_SEAL_H

struct event_base;
struct us_keeper;

/* k->sealing. end: ends the process, when there is nothing left to wait for. US_ERR_NOMEM. */
int us_seal_new(struct us_keeper *k, struct event_base *base, void (*end)(struct us_keeper *k));
/* Gives back k->sealing. */
void us_seal_free(struct us_keeper *k);
/* A seal is durable: wipes the keys, and has the process end soon. Further calls change nothing. */
void us_seal_wipe(struct us_keeper *k);

#endif
