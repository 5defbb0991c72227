#include "daemon/process/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

void
us_owner_give(const char *path, const char *user)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam(user) : NULL;
	DIR *dir;
	struct dirent *e;
	int fd;

	if (pw == NULL)
		return;
	dir = opendir(path);
	fd = dir == NULL ? -1 : dirfd(dir);
	if (fd < 0 || fchown(fd, pw->pw_uid, pw->pw_gid) != 0)
		us_fatal("cannot give %s to %s: %s", path, user, strerror(errno));
	while ((e = readdir(dir)) != NULL) {
		char below[4096];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
			(void)snprintf(below, sizeof below, "%s/%s", path, e->d_name);
			us_owner_give(below, user);
		} else if (fchownat(fd, e->d_name, pw->pw_uid, pw->pw_gid, AT_SYMLINK_NOFOLLOW) !=
		    0)
			us_fatal("cannot give %s/%s to %s: %s", path, e->d_name, user,
			    strerror(errno));
	}
	(void)closedir(dir);
}

void
us_owner_act_as(int directory)
{
	struct stat st;

	if (geteuid() != 0)
		return;
	if (fstat(directory, &st) != 0)
		us_fatal("cannot look at a directory whose owner is to act: %s", strerror(errno));
	/* the group first: who is no longer root cannot change it */
	if (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0)
		us_fatal("cannot act as user %u: %s", (unsigned)st.st_uid, strerror(errno));
}

void
us_owner_act_as_self(void)
{
	if (getuid() == 0 && (seteuid(0) != 0 || setegid(getgid()) != 0))
		us_fatal("cannot act as root again: %s", strerror(errno));
}
