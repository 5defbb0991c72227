#include "client/log/mirror_files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define PATH_BYTES 4096
#define FOLDERS_OPEN 16

static int
place(char out[PATH_BYTES], const char *profile, const char *path)
{
	return (size_t)snprintf(out, PATH_BYTES, "%s/" US_MIRROR_FOLDER "/%s", profile, path) >=
		PATH_BYTES - 64 ?
	    US_ERR_LIMIT :
	    US_OK;
}

static int
read_all(int fd, struct us_buf *out)
{
	struct stat st;
	uint8_t *p;
	size_t done = 0;
	ssize_t got = 1;
	int err;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return US_ERR_IO;
	err = us_buf_extend(out, (size_t)st.st_size, &p);
	while (err == US_OK && done < (size_t)st.st_size && got != 0) {
		got = read(fd, p + done, (size_t)st.st_size - done);
		if (got > 0)
			done += (size_t)got;
		else if (got < 0 && errno != EINTR)
			err = US_ERR_IO;
	}
	return err == US_OK && done < (size_t)st.st_size ? US_ERR_IO : err;
}

int
us_mirror_file_read(const char *profile, const char *path, struct us_buf *out)
{
	char whole[PATH_BYTES];
	int fd, err = place(whole, profile, path);

	if (err != US_OK)
		return err;
	fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? US_ERR_NOT_FOUND : US_ERR_IO;
	err = read_all(fd, out);
	(void)close(fd);
	return err;
}

int
us_mirror_file_is(const char *profile, const char *path)
{
	char whole[PATH_BYTES];
	struct stat st;

	return place(whole, profile, path) == US_OK && lstat(whole, &st) == 0 &&
	    S_ISREG(st.st_mode);
}

/* The folders above the file, from the profile on. */
static int
make_folders(char *whole, size_t from)
{
	for (char *p = whole + from + 1; (p = strchr(p, '/')) != NULL; p++) {
		int err;

		*p = '\0';
		err = mkdir(whole, 0700) != 0 && errno != EEXIST ? US_ERR_IO : US_OK;
		*p = '/';
		if (err != US_OK)
			return err;
	}
	return US_OK;
}

static int
write_all(int fd, struct us_bytes bytes)
{
	while (bytes.n > 0) {
		const ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOSPC || errno == EDQUOT ? US_ERR_NOSPACE : US_ERR_IO;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return US_OK;
}

int
us_mirror_file_write(const char *profile, const char *path, struct us_bytes bytes)
{
	char whole[PATH_BYTES], temporary[PATH_BYTES + 8];
	int fd, why, err = place(whole, profile, path);

	if (err != US_OK)
		return err;
	(void)snprintf(temporary, sizeof temporary, "%s.XXXXXX", whole);
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0 && errno == ENOENT && make_folders(whole, strlen(profile)) == US_OK) {
		(void)snprintf(temporary, sizeof temporary, "%s.XXXXXX", whole);
		fd = mkostemp(temporary, O_CLOEXEC);
	}
	if (fd < 0)
		return errno == ENOSPC || errno == EDQUOT ? US_ERR_NOSPACE : US_ERR_IO;
	err = write_all(fd, bytes);
	why = errno;
	if (close(fd) != 0 && err == US_OK) {
		err = US_ERR_IO;
		why = errno;
	}
	if (err == US_OK && rename(temporary, whole) != 0) {
		err = US_ERR_IO;
		why = errno;
	}
	if (err != US_OK)
		(void)unlink(temporary);
	errno = why;
	return err;
}

/* ---- removing ---- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
us_mirror_remove(const char *profile)
{
	char whole[PATH_BYTES];
	int err = place(whole, profile, "");

	if (err != US_OK)
		return err;
	whole[strlen(whole) - 1] = '\0';
	return nftw(whole, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ||
		errno == ENOENT ?
	    US_OK :
	    US_ERR_IO;
}
