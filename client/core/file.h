/*
 * Files that a command makes: whatever the umask says, nobody but their owner reads them.
 */
#ifndef US_CLIENT_CORE_FILE_H
#define US_CLIENT_CORE_FILE_H

#include <stddef.h>
#include <stdio.h>

/* A new file, mode 0600, to be written. NULL with errno if it cannot be made or is there already.
 */
FILE *us_file_new(const char *path);
/* The same of one that may be there: it is emptied, and its mode becomes 0600. A link is not
 * followed. */
FILE *us_file_over(const char *path);
/* A new file with these bytes. Ends the program if it cannot be made or is there already, or cannot
 * be written whole; then it is gone again. */
void us_file_write_new(const char *path, const void *bytes, size_t n);
/* Says why a new file could not be made, by errno, and ends the program. */
_Noreturn void us_file_cannot_make(const char *path);

#endif
