/*
 * The files of an exported log: untrusted names never occur, links are never followed, and no file
 * is read beyond what it may hold. Reading one file is safe in any number of threads; the lines of
 * keys.jsonl have one owner at a time.
 */
#ifndef US_VERIFY_FILES_H
#define US_VERIFY_FILES_H

#include "verify/source.h"

struct us_verify_files {
	int dir;
	int keys;       /* keys.jsonl, or -1 */
	size_t at, end; /* what is left in block */
	char block[65536];
};

/* Opens the directory. US_ERR_NOT_FOUND, US_ERR_IO. */
int us_verify_files_open(struct us_verify_files *f, const char *dir);
/* Closes the directory. */
void us_verify_files_close(struct us_verify_files *f);
/* What us_log_verify() reads it by; valid until it is closed. */
struct us_log_source us_verify_files_source(struct us_verify_files *f);

#endif
