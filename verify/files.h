/*
 * The files of an exported log: untrusted names never occur, links are never followed, and no file
 * is read beyond what it may hold. Reading one file is safe in any number of threads; the lines of
 * keys.jsonl have one owner at a time.
 */
#ifndef US_VERIFY_FILES_H
#define US_VERIFY_FILES_H

#include "verify/finding.h"
#include "verify/source.h"

struct us_verify_files;

/* Opens the directory. US_ERR_NOT_FOUND, US_ERR_IO, US_ERR_NOMEM. */
int us_verify_files_open(struct us_verify_files **out, const char *dir);
/* Closes it and wipes what was read. NULL is allowed. */
void us_verify_files_close(struct us_verify_files *f);
/* Whether the files that are lines of text are still as they were written. FOUND (UNVERIFIABLE), if
 * one has the line ends that mail gateways and editors write: nothing can be said then of what it
 * was. US_OK. */
int us_verify_files_as_written(const struct us_verify_files *f, struct us_verify_finding *finding);
/* What us_log_verify() reads it by; valid until it is closed. */
struct us_log_source us_verify_files_source(struct us_verify_files *f);

#endif
