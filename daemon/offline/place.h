/* Where a vault lies, when it is made or comes back: its settings, and whose its files are. */
#ifndef US_DAEMON_OFFLINE_PLACE_H
#define US_DAEMON_OFFLINE_PLACE_H

#include "base/buf.h"

/* What undersealed.conf begins with: the caller's choice, and nothing that a backup says. */
struct us_place {
	const char *listen; /* ADDR:PORT */
	/* as root, one user for all roles; NULL: each has its own, where these exist */
	const char *user;
};

/* Before anything is made: fatal if somebody listens there already, or if the user does not exist
 * or is root. option: how the address was given, as "--listen". */
void us_place_check(const struct us_place *place, const char *option);
/* Writes data/undersealed.conf. backup: the text of the one in a backup, whose settings follow as
 * comments, so that nothing of it is in effect; may be empty. Fatal on failure. */
void us_place_settings(const char *data, const struct us_place *place, struct us_bytes backup);
/* Gives data/keeper and data/vault to those who work in them, if the caller is root. */
void us_place_give(const char *data, const struct us_place *place);
/* Says, for each role that has a directory, why it could not work there: a warning each. */
void us_place_try(const char *data, const struct us_place *place);

#endif
