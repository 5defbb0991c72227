#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/monitor/internal.h"
#include "daemon/process/hooks.h"
#include "daemon/process/owner.h"

static void
raise_limit(int which, rlim_t want)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) != 0)
		return;
	if (limit.rlim_max < want && geteuid() == 0) /* RLIM_INFINITY is the largest of all */
		limit.rlim_max = want;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	(void)setrlimit(which, &limit);
}

/* In the child, before exec: from here to execve only the rights of the role are left. The
 * monitor's rights find the directory, since the user may not pass those above it; the user's enter
 * it. */
static void
become(const struct us_spawn *how)
{
	int directory = open(how->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		us_fatal("cannot open %s: %s", how->directory, strerror(errno));
	raise_limit(RLIMIT_NOFILE, 65536);
	/* the keeper locks all of its memory, which it does only where nothing can hit a limit */
	raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
	if (how->user != NULL)
		us_owner_become(how->user);
	if (fchdir(directory) != 0)
		us_fatal("cannot enter %s%s%s: %s", how->directory, how->user == NULL ? "" : " as ",
		    how->user == NULL ? "" : how->user, strerror(errno));
	(void)close(directory);
}

pid_t
us_spawn_role(enum us_role role, const struct us_spawn *how, int *control_fd)
{
	char name[] = "undersealed", option[] = "--role", value[16];
	char *argv[] = { name, option, value, NULL };
	int pair[2], self, null;
	pid_t pid;

	(void)snprintf(value, sizeof value, "%s", us_role_name(role));
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		us_log(US_LOG_ERROR, "cannot start %s: %s", value, strerror(errno));
		if (self >= 0)
			(void)close(self);
		return -1;
	}
	pid = fork();
	if (pid < 0)
		us_log(US_LOG_ERROR, "cannot start %s: %s", value, strerror(errno));
	if (pid != 0) {
		(void)close(pair[1]);
		(void)close(self);
		if (pid < 0)
			(void)close(pair[0]);
		else
			*control_fd = pair[0];
		return pid;
	}
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	/* 3 is the control channel, 4 the program; nothing else is inherited */
	pair[1] = fcntl(pair[1], F_DUPFD, 10);
	self = fcntl(self, F_DUPFD, 10);
	if (dup2(pair[1], US_CONTROL_FD) < 0 || dup2(self, 4) < 0)
		_exit(1);
	(void)close_range(5, ~0u, 0);
	(void)fcntl(4, F_SETFD, FD_CLOEXEC);
	become(how);
	(void)fexecve(4, argv, us_hooks_environment());
	us_fatal("cannot start %s: %s%s", value, strerror(errno),
	    errno != EACCES ? "" : " (may every user execute the program? Its mode should be 755)");
}
