/* What comes in on the channels to peers, and what their end means. */
#ifndef US_DAEMON_KEEPER_CHANNELS_H
#define US_DAEMON_KEEPER_CHANNELS_H

#include "daemon/process/channel.h"

struct us_keeper;

/* Takes fd, a channel to a peer, instead of the one that it had before. US_ERR_NOMEM, US_ERR_LIMIT.
 * US_ERR_MALFORMED: there is no such channel. */
int us_channels_add(struct us_keeper *k, enum us_role peer, uint8_t index, int fd);
/* Does without a peer that has failed: what it asked is forgotten, and its channel ends. Not the
 * vault's. */
void us_channels_drop(struct us_keeper *k, struct us_channel *ch);

#endif
