/* Writing the archive of a backup. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/offline/archive.h"

#define STEP (1024u * 1024u)

struct us_archive {
	struct archive *tar;
	us_archive_progress_fn progress;
	void *arg;
	uint64_t done;
	uint8_t step[STEP];
};

static int
failed(struct us_archive *a, const char *name)
{
	const int space = archive_errno(a->tar) == ENOSPC;

	us_log(US_LOG_ERROR, "the backup cannot be written (%s): %s", name,
	    space ? "no room" : archive_error_string(a->tar));
	return space ? US_ERR_NOSPACE : US_ERR_IO;
}

int
us_archive_new(struct us_archive **out, int fd, us_archive_progress_fn progress, void *arg)
{
	struct us_archive *a = calloc(1, sizeof *a);

	*out = NULL;
	if (a == NULL)
		return US_ERR_NOMEM;
	a->progress = progress;
	a->arg = arg;
	a->tar = archive_write_new();
	if (a->tar == NULL || archive_write_set_format_pax_restricted(a->tar) != ARCHIVE_OK ||
	    archive_write_open_fd(a->tar, fd) != ARCHIVE_OK) {
		us_archive_free(a);
		return US_ERR_NOMEM;
	}
	*out = a;
	return US_OK;
}

static int
put_header(struct us_archive *a, const char *name, uint64_t size)
{
	struct archive_entry *e;
	int r;

	if (us_backup_member_max(name) == 0 || size > us_backup_member_max(name)) {
		us_log(US_LOG_ERROR, "%s is larger than a backup takes: nothing is left out of one",
		    name);
		return US_ERR_ARG;
	}
	e = archive_entry_new();
	if (e == NULL)
		return US_ERR_NOMEM;
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, (la_int64_t)size);
	r = archive_write_header(a->tar, e);
	archive_entry_free(e);
	return r == ARCHIVE_OK ? US_OK : failed(a, name);
}

static int
put_data(struct us_archive *a, const char *name, const uint8_t *p, size_t n)
{
	if (archive_write_data(a->tar, p, n) != (la_ssize_t)n)
		return failed(a, name);
	a->done += n;
	if (a->progress != NULL)
		a->progress(a->arg, a->done);
	return US_OK;
}

int
us_archive_put(struct us_archive *a, const char *name, struct us_bytes data)
{
	int err = put_header(a, name, data.n);

	return err != US_OK ? err : put_data(a, name, data.p, data.n);
}

static int
copy_file(struct us_archive *a, const char *name, int fd, uint64_t size)
{
	int err = put_header(a, name, size);

	while (err == US_OK && size > 0) {
		ssize_t n = read(fd, a->step, size < STEP ? (size_t)size : STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			us_log(US_LOG_ERROR, "%s cannot be read: %s", name,
			    n < 0 ? strerror(errno) : "it is shorter than a moment ago");
			return US_ERR_IO;
		}
		size -= (uint64_t)n;
		err = put_data(a, name, a->step, (size_t)n);
	}
	us_wipe(a->step, sizeof a->step);
	return err;
}

int
us_archive_put_file(struct us_archive *a, const char *name, int directory, const char *path,
    uint64_t limit)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		us_log(US_LOG_ERROR, "%s cannot be read: %s", name, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return US_ERR_IO;
	}
	err = copy_file(a, name, fd,
	    limit > 0 && limit < (uint64_t)st.st_size ? limit : (uint64_t)st.st_size);
	(void)close(fd);
	return err;
}

int
us_archive_end(struct us_archive *a)
{
	return archive_write_close(a->tar) == ARCHIVE_OK ? US_OK : failed(a, "its end");
}

void
us_archive_free(struct us_archive *a)
{
	if (a == NULL)
		return;
	(void)archive_write_free(a->tar);
	us_wipe(a, sizeof *a);
	free(a);
}
