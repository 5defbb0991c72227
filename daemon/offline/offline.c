/* A vault whose daemon does not run: locks, and the keeper's directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/offline/archive_internal.h"
#include "daemon/keeper/files.h"
#include "daemon/process/owner.h"

void
us_offline_lock(const char *data)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof path, "%s/lock", data) >= (int)sizeof path)
		us_fatal("the path %s is too long", data);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		us_fatal("cannot open %s: %s (is %s a vault made by 'undersealed init'?)", path,
		    strerror(errno), data);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		us_fatal("an undersealed is running on %s: end the daemon first", data);
}

int
us_offline_enter(const char *data, const char *role)
{
	int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), directory;
	char path[4096];

	if (snprintf(path, sizeof path, "%s/%s", data, role) >= (int)sizeof path)
		us_fatal("the path %s is too long", data);
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || directory < 0)
		us_fatal("cannot open %s: %s (is %s a vault made by 'undersealed init'?)", path,
		    strerror(errno), data);
	us_owner_act_as(directory);
	if (fchdir(directory) != 0)
		us_fatal("cannot enter %s as its owner: %s", path, strerror(errno));
	(void)close(directory);
	return home;
}

int
us_offline_enter_keeper(const char *data)
{
	int home = us_offline_enter(data, "keeper");
	int fd, err = us_keeper_lock(&fd);

	if (err == US_ERR_BUSY)
		us_fatal("a keeper is running on %s: end the daemon first", data);
	if (err != US_OK)
		us_fatal("cannot lock %s/keeper: %s", data, us_strerror(err));
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

int
us_offline_failed(const char *what, int err, const char *detail)
{
	us_log_err(err, "%s%s%s", what, detail[0] == '\0' ? "" : ": ", detail);
	return err == US_ERR_VERIFY ? US_EXIT_UNVERIFIED : 1;
}

/* ---- new files ---- */

void
us_new_file_check(const char *path)
{
	char beside[4096 + 16];

	(void)snprintf(beside, sizeof beside, "%s.partial", path);
	if (access(path, F_OK) == 0)
		us_fatal("%s is there already: nothing is replaced", path);
	if (access(beside, F_OK) == 0)
		us_fatal("an interrupted run left %s: remove it, and begin again", beside);
}

void
us_new_file_begin(struct us_new_file *f, const char *path)
{
	us_new_file_check(path);
	f->fd = -1;
	if (snprintf(f->path, sizeof f->path, "%s", path) >= (int)sizeof f->path)
		us_fatal("the path %s is too long", path);
	(void)snprintf(f->beside, sizeof f->beside, "%s.partial", path);
	f->fd = open(f->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0)
		us_fatal("cannot make %s: %s", f->beside, strerror(errno));
}

/* The directory of a path, synced: what was renamed in it stays so. */
static int
sync_parent(const char *path)
{
	char parent[4096];
	char *slash;
	int fd, ok;

	(void)snprintf(parent, sizeof parent, "%s", path);
	slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0';
	fd = open(slash == NULL ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	return ok ? US_OK : US_ERR_IO;
}

int
us_new_file_done(struct us_new_file *f)
{
	int ok = fsync(f->fd) == 0;

	ok = close(f->fd) == 0 && ok;
	f->fd = -1;
	if (ok && access(f->path, F_OK) != 0 && rename(f->beside, f->path) == 0)
		return sync_parent(f->path);
	us_log(US_LOG_ERROR, "%s cannot be written: %s", f->path, strerror(errno));
	(void)unlink(f->beside);
	return US_ERR_IO;
}

void
us_new_file_drop(struct us_new_file *f)
{
	if (f->fd < 0)
		return;
	(void)close(f->fd);
	(void)unlink(f->beside);
	f->fd = -1;
}

/* ---- progress ---- */

void
us_offline_progress(void *arg, uint64_t done)
{
	struct us_offline_progress *p = arg;
	const char *wanted = getenv("UNDERSEAL_PROGRESS");
	const int64_t now = us_time_mono_ns();

	if (p->started_ns == 0)
		p->started_ns = p->shown_ns = now;
	if (now - p->shown_ns < US_NS_PER_SECOND ||
	    (!isatty(STDERR_FILENO) && (wanted == NULL || strcmp(wanted, "1") != 0)))
		return;
	p->shown_ns = now;
	fprintf(stderr, "\r%s %llu MiB", p->what, (unsigned long long)(done >> 20));
	if (p->total > 0)
		fprintf(stderr, " of %llu", (unsigned long long)(p->total >> 20));
	(void)fflush(stderr);
}

void
us_offline_progress_end(struct us_offline_progress *p)
{
	if (p->shown_ns > p->started_ns)
		fputc('\n', stderr);
}
