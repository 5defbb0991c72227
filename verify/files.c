#include "verify/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "log/tiles.h"
#include "base/err.h"

struct us_verify_files {
	int dir;
	int keys;       /* keys.jsonl, or -1 */
	size_t at, end; /* what is left in block */
	char block[65536];
};

/* What openat() said of that name. A link where a folder should be is one that is not followed, and
 * not a missing file. */
static int
err_of_open(int dir, const char *name)
{
	struct stat st;

	if (errno == ENOTDIR && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		return US_ERR_IO;
	return errno == ENOENT || errno == ENOTDIR ? US_ERR_NOT_FOUND :
	    errno == ENOMEM                        ? US_ERR_NOMEM :
						     US_ERR_IO;
}

/* Element by element, so that no link leads out of the directory. */
static int
open_below(int dir, const char *path, int *out)
{
	char part[US_TILE_PATH_MAX];
	int at = dir, next = -1, err = US_ERR_ARG;
	size_t n;

	for (;; path += n + 1) {
		n = strcspn(path, "/");
		if (n == 0 || n >= sizeof part)
			break;
		memcpy(part, path, n);
		part[n] = '\0';
		next = openat(at, part,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			(path[n] == '/' ? O_DIRECTORY : 0));
		err = next < 0 ? err_of_open(at, part) : US_OK;
		if (at != dir)
			(void)close(at);
		at = dir;
		if (err != US_OK || path[n] == '\0')
			break;
		at = next;
		err = US_ERR_ARG; /* until there is a name behind the slash */
	}
	if (at != dir)
		(void)close(at);
	*out = next;
	return err;
}

static int
open_regular(int dir, const char *path, int *out, size_t *size)
{
	struct stat st;
	int fd, err = open_below(dir, path, &fd);

	if (err != US_OK)
		return err;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return US_ERR_IO;
	}
	*out = fd;
	*size = (size_t)st.st_size;
	return US_OK;
}

/* Like read(), but for interruptions. */
static ssize_t
take(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

int
us_verify_files_open(struct us_verify_files **out, const char *dir)
{
	struct us_verify_files *f = calloc(1, sizeof *f);
	size_t size;
	int err;

	*out = NULL;
	if (f == NULL)
		return US_ERR_NOMEM;
	f->keys = -1;
	f->dir = open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	err = f->dir < 0 ? err_of_open(AT_FDCWD, dir) :
			   open_regular(f->dir, "keys.jsonl", &f->keys, &size);
	if (err != US_OK && (f->dir < 0 || err != US_ERR_NOT_FOUND)) {
		us_verify_files_close(f);
		return err;
	}
	*out = f;
	return US_OK;
}

void
us_verify_files_close(struct us_verify_files *f)
{
	if (f == NULL)
		return;
	if (f->dir >= 0)
		(void)close(f->dir);
	if (f->keys >= 0)
		(void)close(f->keys);
	us_wipe(f->block, sizeof f->block);
	free(f);
}

static int
get(void *arg, const char *path, struct us_buf *out)
{
	const struct us_verify_files *f = arg;
	uint8_t *p, more;
	size_t size, done = 0;
	ssize_t got = 1;
	int fd, err = open_regular(f->dir, path, &fd, &size);

	if (err != US_OK)
		return err;
	err = us_buf_extend(out, size, &p);
	while (err == US_OK && done < size && got > 0) {
		got = take(fd, p + done, size - done);
		done += got > 0 ? (size_t)got : 0;
	}
	/* A file that changes while it is read is not a file to judge. */
	if (err == US_OK && (done < size || take(fd, &more, 1) != 0))
		err = US_ERR_IO;
	(void)close(fd);
	return err;
}

static int
next_line(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n)
{
	struct us_verify_files *f = arg;
	const char *end = NULL;
	size_t len = 0, step;
	ssize_t got;

	if (f->keys < 0)
		return US_ERR_NOT_FOUND;
	while (end == NULL) {
		if (f->at == f->end) {
			got = take(f->keys, f->block, sizeof f->block);
			if (got < 0)
				return US_ERR_IO;
			f->at = 0;
			f->end = (size_t)got;
			if (got == 0 && len == 0)
				return US_ERR_NOT_FOUND;
			if (got == 0)
				break; /* the last line has no end */
		}
		end = memchr(f->block + f->at, '\n', f->end - f->at);
		step = (end == NULL ? f->end : (size_t)(end - f->block)) - f->at;
		if (step > US_EXPORT_KEYS_LINE_MAX - len)
			return US_ERR_LIMIT;
		memcpy(line + len, f->block + f->at, step);
		len += step;
		f->at += step + (end != NULL);
	}
	*n = len;
	return US_OK;
}

/* "NAME.tsr": 1 and the name's length; 0: it is about something else; -1: that is no name. */
static int
stamp_name(const char *file, size_t *n)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const size_t len = strlen(file);

	if (len < 4 || strcmp(file + len - 4, ".tsr") != 0)
		return 0;
	*n = len - 4;
	return *n == 0 || *n > US_STAMP_NAME_MAX || strspn(file, letters) != len ? -1 : 1;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
stamps(void *arg, char (*names)[US_STAMP_NAME_MAX + 1], size_t *n)
{
	const struct us_verify_files *f = arg;
	struct dirent *e;
	size_t len = 0;
	DIR *d;
	int fd, is, err = open_below(f->dir, "timestamps", &fd);

	*n = 0;
	if (err != US_OK)
		return err;
	d = fdopendir(fd);
	if (d == NULL) {
		(void)close(fd);
		return errno == ENOMEM ? US_ERR_NOMEM : US_ERR_IO;
	}
	while (err == US_OK && (errno = 0, e = readdir(d)) != NULL) {
		is = stamp_name(e->d_name, &len);
		if (is < 0)
			err = US_ERR_IO;
		else if (is > 0 && *n == US_STAMPS_MAX)
			err = US_ERR_LIMIT;
		else if (is > 0) {
			memcpy(names[*n], e->d_name, len);
			names[(*n)++][len] = '\0';
		}
	}
	if (err == US_OK && errno != 0)
		err = US_ERR_IO;
	(void)closedir(d);
	qsort(names, *n, sizeof *names, compare_names);
	return err;
}

/* Every line of the first 4,096 bytes ends in CR LF, and there is one. */
static int
has_line_ends_of_mail(int dir, const char *name)
{
	char text[4096];
	size_t size, ends = 0;
	ssize_t n;
	int fd;

	if (open_regular(dir, name, &fd, &size) != US_OK)
		return 0; /* whoever reads it says what is wrong */
	n = take(fd, text, sizeof text);
	(void)close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\n') {
			if (i == 0 || text[i - 1] != '\r')
				return 0;
			ends++;
		}
	return ends > 0;
}

int
us_verify_files_as_written(const struct us_verify_files *f, struct us_verify_finding *finding)
{
	static const char *const texts[] = { "checkpoint", "log.vkey", "handovers",
		"checkpoint.witnessed", "keys.jsonl" };

	for (size_t i = 0; i < US_COUNT(texts); i++)
		if (has_line_ends_of_mail(f->dir, texts[i]))
			return us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
			    "%s has the line ends (CR LF) of a mail gateway or an editor: this is "
			    "no tampering, but no longer what was exported. Get it anew, packed",
			    texts[i]);
	return US_OK;
}

struct us_log_source
us_verify_files_source(struct us_verify_files *f)
{
	return (struct us_log_source){ .arg = f,
		.get = get,
		.next_keys = next_line,
		.stamps = stamps,
		.shared = 1,
		.is_export = 1 };
}
