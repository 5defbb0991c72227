/* A directory of files for somebody who does not trust us: what is put into it, with a list of
 * digests. */
#ifndef US_CLIENT_REPORT_PACKAGE_H
#define US_CLIENT_REPORT_PACKAGE_H

#include <stdio.h>

#include "base/buf.h"

struct us_package {
	const char *dir;
	FILE *sums; /* SHA256SUMS: as sha256sum -c reads it */
};

/* Each of these ends the program with a message if it cannot. The directory must not exist. */
void us_package_open(struct us_package *package, const char *dir);
/* Closes the directory and frees what is held of it. */
void us_package_close(struct us_package *package);
/* A directory in it. */
void us_package_dir(struct us_package *package, const char *name);
/* A file with this content. name: relative, its directories exist. */
void us_package_put(struct us_package *package, const char *name, struct us_bytes content);
/* A copy of a file; digest and size of what was copied. */
void us_package_copy(struct us_package *package, const char *from, const char *name,
    uint8_t digest[32], uint64_t *size);
/* A file that was copied into it is a program. */
void us_package_runs(const struct us_package *package, const char *name);
/* A copy of a directory with all that is below it, regular files and directories only. */
void us_package_tree(struct us_package *package, const char *from, const char *name);

#endif
