/* A vault whose daemon does not run: locks, and the keeper's directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "daemon/backup/internal.h"
#include "daemon/keeper/files.h"
#include "daemon/lib/owner.h"

void
us_offline_lock(const char *data)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof path, "%s/lock", data) >= (int)sizeof path)
		us_fatal("the path %s is too long", data);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		us_fatal("cannot open %s: %s (is %s a vault made by 'undersealed init'?)", path, strerror(errno), data);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		us_fatal("an undersealed is running on %s: end the daemon first", data);
}

int
us_offline_enter_keeper(const char *data)
{
	int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[4096];
	int fd, err;

	if (snprintf(path, sizeof path, "%s/keeper", data) >= (int)sizeof path)
		us_fatal("the path %s is too long", data);
	us_owner_act_as(path);
	if (home < 0 || chdir(path) != 0)
		us_fatal("cannot enter %s: %s (is %s a vault made by 'undersealed init'?)", path, strerror(errno), data);
	err = us_keeper_lock(&fd);
	if (err == US_ERR_BUSY)
		us_fatal("a keeper is running on %s: end the daemon first", data);
	if (err != US_OK)
		us_fatal("cannot lock %s: %s", path, us_strerror(err));
	return home;
}

void
us_offline_leave(int home)
{
	us_owner_act_as_self();
	if (fchdir(home) != 0)
		us_fatal("cannot go back to where the program was started: %s", strerror(errno));
	(void)close(home);
}
