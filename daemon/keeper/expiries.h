/* Tells the operator's log which certificates end soon: the server's and the CA's at once, people's
 * when the vault is open. */
#ifndef US_DAEMON_KEEPER_EXPIRIES_H
#define US_DAEMON_KEEPER_EXPIRIES_H

#include <stdint.h>

struct us_keeper;

/* When it was last said. Start from zeros. */
struct us_expiries {
	int64_t day; /* counted from 1970, plus one */
	int was_open;
};

/* Says it once a day, and when the vault is opened. */
void us_expiries_tick(const struct us_keeper *k, struct us_expiries *e);

#endif
