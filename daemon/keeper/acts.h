/*
 * Acts in two phases (docs/PROTOCOL.md section 4). Prepare verifies and fixes what the act will be;
 * commit writes the entry that carries the state's new digest: the commit point. One act is between
 * the phases at a time.
 */
#ifndef US_DAEMON_KEEPER_ACTS_H
#define US_DAEMON_KEEPER_ACTS_H

struct us_keeper;

/* k->prepared, with no act. US_ERR_NOMEM. */
int us_acts_new(struct us_keeper *k);
/* Forgets the act between its phases, and k->prepared. */
void us_acts_free(struct us_keeper *k);
/* The vault has gone between the phases: nobody will commit that act. */
void us_acts_forget(struct us_keeper *k);

#endif
