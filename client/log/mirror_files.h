/* The files of a mirror: written beside their place and renamed, mode 0600. Not synced: what a
 * power failure leaves of one is noticed when it is read. */
#ifndef US_CLIENT_LOG_MIRROR_FILES_H
#define US_CLIENT_LOG_MIRROR_FILES_H

#include "base/buf.h"

#define US_MIRROR_FOLDER "mirror"

/* Appends the file PROFILE/mirror/path. US_ERR_NOT_FOUND, US_ERR_LIMIT, US_ERR_IO. */
int us_mirror_file_read(const char *profile, const char *path, struct us_buf *out);
/* Makes it, with the folders above it. US_ERR_IO, US_ERR_NOSPACE: errno says why, and the file is
 * as it was. */
int us_mirror_file_write(const char *profile, const char *path, struct us_bytes bytes);
/* 1 if there is such a file. */
int us_mirror_file_is(const char *profile, const char *path);
/* Removes all of it, with what was derived from it. US_ERR_IO. */
int us_mirror_remove(const char *profile);

#endif
