/* Who is there: channels to the vault, the sealer and the fronts, and to the monitor. What comes in
 * on them: channels.h. */
#ifndef US_DAEMON_KEEPER_PEERS_H
#define US_DAEMON_KEEPER_PEERS_H

#include "daemon/process/channel.h"

#define US_KEEPER_PEERS 64u

struct us_keeper;

/* k->peers, with nobody. US_ERR_NOMEM. */
int us_peers_new(struct us_keeper *k);
/* Gives k->peers back. Channels end with the process. */
void us_peers_free(struct us_keeper *k);
/* Keeps a channel. US_ERR_LIMIT: there are too many. */
int us_peers_add(struct us_keeper *k, struct us_channel *ch);
/* The one to that peer, or NULL. */
struct us_channel *us_peers_find(const struct us_keeper *k, enum us_role peer, uint8_t index);
/* Forgets a channel that is gone. 1 if it was the vault's. */
int us_peers_forget(struct us_keeper *k, const struct us_channel *ch);
/* The vault's channel, or NULL while there is none. */
struct us_channel *us_peers_vault(const struct us_keeper *k);
/* The monitor's channel, or NULL. */
struct us_channel *us_peers_control(const struct us_keeper *k);
/* There is a channel to the monitor now. */
void us_peers_set_control(struct us_keeper *k, struct us_channel *control);
/* 1 if something waits to be taken by any of them. */
int us_peers_have_backlog(const struct us_keeper *k);
/* Handles what they have said before they, or this process, ended. What the vault or the monitor
 * says from now on fails there: the one passes it on, the other keeps it. */
void us_peers_hang_up(struct us_keeper *k);

#endif
