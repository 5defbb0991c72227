/*
 * The operator's log: one line a message on stderr, "level role: text", with the journal's <n>
 * prefix when stderr is a journal. No evidence, query, key or share may ever be an argument.
 * Untrusted text (names, paths a peer sent) goes through us_printable() first.
 *
 * fatal is for the environment (no disk, no memory, a missing file): exit status 1. fatal_io is for
 * a disk that does not keep what was written, or has no room for it, or whose files have gone: exit
 * status US_EXIT_IO. panic is for our own bugs: abort().
 */
#ifndef US_BASE_LOG_H
#define US_BASE_LOG_H

#include <stddef.h>

#define US_EXIT_IO 74 /* EX_IOERR of sysexits.h */

enum us_log_level { US_LOG_ERROR, US_LOG_WARNING, US_LOG_NOTICE, US_LOG_INFO, US_LOG_DEBUG };

/* Sets the name that stands in each line (kept, not copied) and the least urgent level shown. */
void us_log_init(const char *role, enum us_log_level level);
/* Writes one line, without its newline in format, unless level is less urgent than what is
 * shown. */
void us_log(enum us_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As us_log at level ERROR with ": " and the text of err appended. */
void us_log_err(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a line at level ERROR and ends the process with status 1: the environment is at fault. */
_Noreturn void us_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with status US_EXIT_IO, for what cannot be read or written. */
_Noreturn void us_fatal_io(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes a line that says that this is a bug, and aborts. */
_Noreturn void us_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Copies at most n - 1 characters of len bytes into out, control and non-ASCII bytes as \xNN;
 * ends with "..." if cut. Returns out. */
const char *us_printable(char *out, size_t n, const void *text, size_t len);

#endif
