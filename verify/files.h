/*
 * The files of an exported log: untrusted names never occur, links are never followed, and no file is read beyond what it may
 * hold. Reading one file is safe in any number of threads; the lines of keys.jsonl have one owner at a time.
 */
#ifndef US_VERIFY_FILES_H
#define US_VERIFY_FILES_H

#include "common/buf.h"

#define KEYS_LINE_MAX 1024

struct files {
	int dir;
	int keys; /* keys.jsonl, or -1 */
	uint64_t line; /* number of the line that was read last, counted from 1 */
	size_t at, end; /* what is left in block */
	char block[65536];
};

/* Opens the directory. US_ERR_NOT_FOUND, US_ERR_IO. */
int files_open(struct files *f, const char *dir);
void files_close(struct files *f);
/* Puts the file at that path (relative, as in us_tile_path()) into out, whose max is its limit. US_ERR_NOT_FOUND, US_ERR_LIMIT,
 * US_ERR_IO (a link, a directory, the disk). */
int files_get(const struct files *f, const char *path, struct us_buf *out);
/* The next line of keys.jsonl that is not empty, without its end. US_ERR_NOT_FOUND behind the last, or if there is no such file;
 * US_ERR_LIMIT if it has more than KEYS_LINE_MAX bytes. */
int files_next_line(struct files *f, char line[KEYS_LINE_MAX], size_t *n);

#endif
