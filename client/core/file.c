#include "client/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "client/core/out.h"
#include "client/core/show.h"

static FILE *
make(const char *path, int how)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, 0600), error;
	FILE *f = fd < 0 || fchmod(fd, 0600) != 0 ? NULL : fdopen(fd, "w");

	if (f == NULL && fd >= 0) {
		error = errno;
		(void)close(fd);
		errno = error;
	}
	return f;
}

FILE *
us_file_new(const char *path)
{
	return make(path, O_EXCL);
}

FILE *
us_file_over(const char *path)
{
	return make(path, O_TRUNC);
}

_Noreturn void
us_file_cannot_make(const char *path)
{
	us_give_up(US_EXIT_OTHER, "cannot make %s: %s", path,
	    errno == EEXIST ? "it exists already" : strerror(errno));
}

void
us_file_write_new(const char *path, const void *bytes, size_t n)
{
	FILE *f = us_file_new(path);
	int err;

	if (f == NULL)
		us_file_cannot_make(path);
	err = us_print_bytes(f, bytes, n);
	if (fclose(f) != 0 || err != US_OK) {
		(void)unlink(path);
		us_give_up(US_EXIT_OTHER, "cannot write %s", path);
	}
}
