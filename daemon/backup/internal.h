/* What the commands on a vault that does not run share. */
#ifndef US_DAEMON_BACKUP_INTERNAL_H
#define US_DAEMON_BACKUP_INTERNAL_H

#include "common/buf.h"
#include "daemon/keeper/handover.h"

#define US_EXIT_USAGE 2
#define US_EXIT_UNVERIFIED 5

/* Takes DIR/lock, which a running daemon holds, for the rest of the process. Ends the program if it can't. */
void us_offline_lock(const char *data);
/* Goes into DIR/keeper, as its owner, and takes the keeper's lock. Returns what us_offline_leave() needs to go back, as the caller. */
int us_offline_enter_keeper(const char *data);
void us_offline_leave(int home);

/* --last-checkpoint FILE..., read into notes. Ends the program if a file cannot be read. */
struct us_last_checkpoints {
	const char *file[US_HANDOVER_NOTES_MAX];
	size_t n;
	struct us_buf text[US_HANDOVER_NOTES_MAX];
};
void us_last_add(struct us_last_checkpoints *l, const char *file);
void us_last_read(struct us_last_checkpoints *l, struct us_hand_over_options *o);
void us_last_free(struct us_last_checkpoints *l);

/* What was handed over, on stdout; and what to do now, on stderr. */
void us_handover_show(const struct us_hand_over_result *r, int json);
/* The exit status for a failed step; says why. */
int us_handover_failed(const char *what, int err, const char *detail);

#endif
