/* Cosignatures that are brought, and what follows when none are (witnesses.h). */
#ifndef US_DAEMON_KEEPER_COSIGN_H
#define US_DAEMON_KEEPER_COSIGN_H

struct us_keeper;

/* Warns or seals, as configured, if the newest checkpoint with enough cosignatures, or the
 * unsealing, is too long ago. For the tick. */
void us_cosign_age(struct us_keeper *k);

#endif
