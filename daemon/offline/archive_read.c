/* Reading the archive of a backup, which anybody may have made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/offline/archive.h"

#define BLOCK 65536u
#define STEP (1024u * 1024u)
#define NAME_MAX_BYTES 256

static const char *const needed[] = {
	"undersealed.conf",
	"keeper/vault.conf",
	"keeper/boot.keys",
	"keeper/root.wrapped",
	"keeper/init.act",
	"keeper/succession",
	"keeper/checkpoint",
	"vault/store.db",
};
#define NEEDED (US_COUNT(needed))

struct us_offline_unpacking {
	struct archive *tar;
	int directory;
	struct us_backup_label *label;
	char *detail;
	us_archive_progress_fn progress;
	void *arg;
	uint64_t done;
	int labelled, journal;
	uint8_t have[NEEDED];
	uint8_t step[STEP];
};

static int
refuse(struct us_offline_unpacking *u, int err, const char *what, const char *name)
{
	/* a name is shown as far as it is of harmless characters */
	int n = (int)strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

	(void)snprintf(u->detail, 256, "%s: \"%.*s\"", what, n < 120 ? n : 120, name);
	return err;
}

static int
damaged(struct us_offline_unpacking *u, const char *name)
{
	return refuse(u, US_ERR_INCOMPLETE, "the archive is damaged or cut short", name);
}

/* ---- one member ---- */

/* The directories above, then the file itself: it must not be there. Nothing in the directory is a
 * link, as nothing but this puts anything there. */
static int
create(struct us_offline_unpacking *u, const char *name, int *fd)
{
	char path[NAME_MAX_BYTES];
	char *slash = path;

	(void)snprintf(path, sizeof path, "%s", name);
	while ((slash = strchr(slash, '/')) != NULL) {
		*slash = '\0';
		if (mkdirat(u->directory, path, 0700) != 0 && errno != EEXIST)
			return refuse(u, errno == ENOSPC ? US_ERR_NOSPACE : US_ERR_IO,
			    "a directory cannot be made", path);
		*slash++ = '/';
	}
	*fd = openat(u->directory, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (*fd >= 0)
		return US_OK;
	return errno == EEXIST ?
	    refuse(u, US_ERR_EXISTS, "the archive holds a member twice", name) :
	    refuse(u, errno == ENOSPC ? US_ERR_NOSPACE : US_ERR_IO, "a file cannot be made", name);
}

static int
write_all(struct us_offline_unpacking *u, int fd, const char *name, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t w = write(fd, u->step + at, n - at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return refuse(u, errno == ENOSPC ? US_ERR_NOSPACE : US_ERR_IO,
			    "a file cannot be written", name);
		at += (size_t)w;
	}
	return US_OK;
}

static int
unpack_file(struct us_offline_unpacking *u, const char *name, uint64_t size)
{
	int fd = -1, err = create(u, name, &fd);

	while (err == US_OK && size > 0) {
		la_ssize_t n = archive_read_data(u->tar, u->step,
		    size < STEP ? (size_t)size : STEP);

		if (n <= 0) {
			err = damaged(u, name);
			break;
		}
		err = write_all(u, fd, name, (size_t)n);
		size -= (uint64_t)n;
		u->done += (uint64_t)n;
		if (u->progress != NULL)
			u->progress(u->arg, u->done);
	}
	if (err == US_OK && fsync(fd) != 0)
		err = refuse(u, US_ERR_IO, "a file cannot be synced", name);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

static int
read_label(struct us_offline_unpacking *u, uint64_t size)
{
	uint8_t text[US_BACKUP_LABEL_MAX];
	size_t at = 0;

	while (at < size) {
		la_ssize_t n = archive_read_data(u->tar, text + at, (size_t)size - at);

		if (n <= 0)
			return damaged(u, US_BACKUP_LABEL);
		at += (size_t)n;
	}
	u->labelled = 1;
	return us_backup_label_parse(u->label, (struct us_bytes){ text, at }) == US_OK ?
	    US_OK :
	    refuse(u, US_ERR_FORMAT, "this is not a backup that this program knows",
		US_BACKUP_LABEL);
}

static int
unpack_member(struct us_offline_unpacking *u, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	const la_int64_t size = archive_entry_size(e);
	uint64_t max;

	if (name == NULL || (max = us_backup_member_max(name)) == 0 ||
	    strlen(name) >= NAME_MAX_BYTES)
		return refuse(u, US_ERR_FORMAT, "the archive holds what is no part of a backup",
		    name == NULL ? "?" : name);
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL ||
	    archive_entry_symlink(e) != NULL || !archive_entry_size_is_set(e) ||
	    archive_entry_sparse_count(e) > 0)
		return refuse(u, US_ERR_FORMAT, "a member of the archive is not a plain file",
		    name);
	if (size < 0 || (uint64_t)size > max)
		return refuse(u, US_ERR_LIMIT, "a member of the archive is too large", name);
	if ((strcmp(name, US_BACKUP_LABEL) == 0) != !u->labelled)
		return refuse(u, US_ERR_FORMAT,
		    "this is not a backup: it must begin with its label, and have one", name);
	if (!u->labelled)
		return read_label(u, (uint64_t)size);
	for (size_t i = 0; i < NEEDED; i++)
		u->have[i] |= strcmp(name, needed[i]) == 0;
	u->journal |= strncmp(name, "keeper/journal/", 15) == 0;
	return unpack_file(u, name, (uint64_t)size);
}

/* ---- all of them ---- */

static int
unpack_all(struct us_offline_unpacking *u)
{
	struct archive_entry *e;
	int r, err = US_OK;

	while (err == US_OK && (r = archive_read_next_header(u->tar, &e)) != ARCHIVE_EOF)
		err = r == ARCHIVE_OK ?
		    unpack_member(u, e) :
		    damaged(u, u->labelled ? "a member's head" : "its beginning");
	if (err == US_OK && (!u->labelled || !u->journal))
		err = refuse(u, US_ERR_INCOMPLETE, "the archive lacks a part of a backup",
		    u->labelled ? "keeper/journal/" : US_BACKUP_LABEL);
	for (size_t i = 0; i < NEEDED && err == US_OK; i++)
		if (!u->have[i])
			err = refuse(u, US_ERR_INCOMPLETE, "the archive lacks a part of a backup",
			    needed[i]);
	return err;
}

int
us_archive_unpack(int fd, int directory, struct us_backup_label *label,
    us_archive_progress_fn progress, void *arg, char *detail)
{
	struct us_offline_unpacking *u = calloc(1, sizeof *u);
	int err = US_ERR_NOMEM;

	if (u == NULL)
		return err;
	u->directory = directory;
	u->label = label;
	u->detail = detail;
	u->progress = progress;
	u->arg = arg;
	u->tar = archive_read_new();
	detail[0] = '\0';
	/* tar alone, and no compression: nothing grows on its way */
	if (u->tar != NULL && archive_read_support_format_tar(u->tar) == ARCHIVE_OK)
		err = archive_read_open_fd(u->tar, fd, BLOCK) == ARCHIVE_OK ?
		    unpack_all(u) :
		    damaged(u, "its beginning");
	(void)archive_read_free(u->tar);
	us_wipe(u->step, sizeof u->step);
	free(u);
	return err;
}
