/* The messages that the keeper takes, and in which of its states. */
#ifndef US_DAEMON_KEEPER_REQUESTS_H
#define US_DAEMON_KEEPER_REQUESTS_H

#include "daemon/process/channel.h"

struct us_keeper;

/* Handles a message of a peer. US_ERR_MALFORMED: it may not send that, or not now. Other errors are
 * our own (channel.h). */
int us_keeper_dispatch(struct us_keeper *k, struct us_channel *ch, uint16_t type, uint32_t tag,
    struct us_bytes body);

#endif
