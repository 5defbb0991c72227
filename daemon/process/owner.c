#include "daemon/process/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
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
us_owner_become(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL)
		us_fatal("there is no user %s", user);
	if (pw->pw_uid == 0)
		us_fatal("the user %s is root, as whom no role runs", user);
	if (setgroups(0, NULL) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		us_fatal("cannot become %s: %s", user, strerror(errno));
	if (setuid(0) == 0)
		us_fatal("could become root again as %s", user);
}

/* errno of the first step that fails, or 0. */
static int
try_steps(int directory, const char *user)
{
	char name[64];
	int fd;

	if (user != NULL)
		us_owner_become(user);
	if (fchdir(directory) != 0)
		return errno;
	(void)snprintf(name, sizeof name, "try.%ld", (long)getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	(void)close(fd);
	return unlink(name) == 0 ? 0 : errno;
}

/* The same in a child, whose status is that errno; 255 is none. */
static int
try_apart(int directory, const char *user)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_steps(directory, user) & 0xff);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

int
us_owner_try(const char *path, const char *user, char why[US_OWNER_WHY])
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = directory < 0 ? errno : try_apart(directory, user);

	if (directory >= 0)
		(void)close(directory);
	if (failed == 0)
		return US_OK;
	(void)snprintf(why, US_OWNER_WHY, "%s cannot be worked in%s%s: %s%s", path,
	    user == NULL ? "" : " as ", user == NULL ? "" : user, strerror(failed),
	    failed == EACCES || failed == EPERM ?
		". It and all below belongs to whom its role runs "
		"as: chown -R" :
		"");
	if (failed == EACCES || failed == EPERM) {
		const size_t n = strlen(why);

		(void)snprintf(why + n, US_OWNER_WHY - n, " %s %s",
		    user == NULL ? "\"$(id -un)\"" : user, path);
		return US_ERR_DENIED;
	}
	return US_ERR_IO;
}

void
us_owner_act_as_self(void)
{
	if (getuid() == 0 && (seteuid(0) != 0 || setegid(getgid()) != 0))
		us_fatal("cannot act as root again: %s", strerror(errno));
}
