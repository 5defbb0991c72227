/* What the monitor's own files share. */
#ifndef US_DAEMON_MONITOR_INTERNAL_H
#define US_DAEMON_MONITOR_INTERNAL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "daemon/process/role.h"
#include "daemon/process/settings.h"
#include "daemon/monitor/backoff.h"

#define US_CHILDREN_MAX 64
#define US_MONITOR_NS_PER_MS INT64_C(1000000)

struct event;
struct event_base;
struct us_monitor;

/* One process of a role. pid is 0 while it is not running; then again is pending, unless the daemon
 * ends. */
struct us_child {
	struct us_monitor *monitor;
	enum us_role role;
	uint8_t index;
	pid_t pid;
	struct us_channel *control;
	int ready;
	struct us_backoff backoff;
	struct event *again; /* starts it anew; NULL until it has to wait for that */
};

struct us_monitor {
	const char *data; /* the vault's directory */
	struct us_settings *settings;
	struct us_buf text; /* the settings, as sent to the roles */
	struct event_base *base;
	struct us_child child[US_CHILDREN_MAX];
	size_t children;
	int listen_fd[US_PER_ROLE_MAX];
	int shared_user;  /* not started as root: all roles are its user */
	const char *user; /* of all roles, as the settings name it; NULL: each has its own */
	/* what fronts counted and could tell nobody: for the next keeper */
	struct us_buf uncounted;
	int ending; /* roles are being ended; deaths are expected */
	int announced;
	int status;
};

/* --- children.c ------------------------------------------------------------------------------- */

/* Starts every role, the more trusted first: a role may talk to them as soon as it starts. Fatal
 * where the system has no process to give. */
void us_children_start(struct us_monitor *m);
/* Starts one anew, with channels to those that run; later, if there is no process to be had now. */
void us_child_start(struct us_monitor *m, struct us_child *c);
/* The same in so many milliseconds. */
void us_child_start_after(struct us_child *c, int64_t ms);
/* Gives the keeper, if it runs, what fronts counted and could tell nobody. */
void us_child_carry(struct us_monitor *m, struct us_child *keeper);

/* --- spawn.c ---------------------------------------------------------------------------------- */

/* Where and as whom a role runs. The monitor finds the directory and the user enters it, so that
 * the user needs no right to any directory above it. */
struct us_spawn {
	const char *user; /* NULL: as the monitor */
	/* working directory: all that the role ever names is relative to it */
	const char *directory;
};

/* Starts a process of this program for a role: its own user and directory, descriptor 3 = control,
 * nothing else but stderr. Returns the pid and the monitor's end in *control_fd; -1 where the
 * system has no process or descriptors to give now, which has been said. The process itself ends
 * where it lacks what it needs, and says what to do about it. */
pid_t us_spawn_role(enum us_role role, const struct us_spawn *how, int *control_fd);

/* --- users.c ---------------------------------------------------------------------------------- */

/* Chooses by the settings as whom the roles run, and says so where they share a user. Fatal, with
 * the remedy, if that would be root, or if one cannot work in its directory. */
void us_users_choose(struct us_monitor *m);
/* Whom a role runs as; NULL: as the monitor, which is not root. */
const char *us_users_of(const struct us_monitor *m, enum us_role role);

/* --- notify.c --------------------------------------------------------------------------------- */

/* READY=1 and the like to the service manager, if there is one. */
void us_notify_manager(const char *state);

#endif
