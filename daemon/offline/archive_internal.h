/* What the commands on a vault that does not run share. */
#ifndef US_DAEMON_OFFLINE_ARCHIVE_INTERNAL_H
#define US_DAEMON_OFFLINE_ARCHIVE_INTERNAL_H

#include "base/buf.h"
#include "daemon/keeper/handover.h"

#define US_EXIT_USAGE 2
#define US_EXIT_UNVERIFIED 5

/* Takes DIR/lock, which a running daemon holds, for the rest of the process. Ends the program if it
 * can't. */
void us_offline_lock(const char *data);
/* Goes into DIR/ROLE ("keeper", "vault"), as its owner: from here on files of the role are named
 * relative to it, since the owner may not pass the directories above it. Returns what
 * us_offline_leave() needs to go back, as the caller. Ends the program if it can't. */
int us_offline_enter(const char *data, const char *role);
/* The same with DIR/keeper, and takes the keeper's lock. */
int us_offline_enter_keeper(const char *data);
/* Back to home, which it closes, as the caller. Ends the program if it can't. */
void us_offline_leave(int home);

/* --last-checkpoint FILE..., read into notes. Zeroed to begin with. */
struct us_last_checkpoints {
	const char *file[US_HANDOVER_NOTES_MAX];
	size_t n;
	struct us_buf text[US_HANDOVER_NOTES_MAX];
};
/* One more file, whose name must stay. Ends the program if there are too many. */
void us_last_add(struct us_last_checkpoints *l, const char *file);
/* Reads them all; o gets views of them. Ends the program if a file cannot be read. */
void us_last_read(struct us_last_checkpoints *l, struct us_hand_over_options *o);
/* Frees what was read; the views are gone with it. */
void us_last_free(struct us_last_checkpoints *l);

/* What was handed over, on stdout; and what to do now, on stderr. */
void us_handover_show(const struct us_hand_over_result *r, int json);
/* The exit status for a failed step; says why. */
int us_offline_failed(const char *what, int err, const char *detail);

/* A file that is not there yet: written beside its name, 0600. */
struct us_new_file {
	char path[4096], beside[4096 + 16];
	int fd;
};
/* Ends the program if there is a file of that name, or what an interrupted run left of one. */
void us_new_file_check(const char *path);
/* Makes the file beside. Ends the program if it can't, or if there is one of that name. */
void us_new_file_begin(struct us_new_file *f, const char *path);
/* Syncs it and gives it its name. US_ERR_IO, said in the log: then it is gone. */
int us_new_file_done(struct us_new_file *f);
/* Removes it, if it is neither done nor dropped. */
void us_new_file_drop(struct us_new_file *f);

/* Progress on stderr from the first second on, if it is a terminal or UNDERSEAL_PROGRESS=1. total:
 * bytes, 0 if not known. */
struct us_offline_progress {
	const char *what;
	uint64_t total;
	int64_t started_ns, shown_ns;
};
/* Shows that so many bytes are done; progress: a struct us_offline_progress. */
void us_offline_progress(void *progress, uint64_t done);
/* Ends the line, if anything was shown. */
void us_offline_progress_end(struct us_offline_progress *p);

#endif
