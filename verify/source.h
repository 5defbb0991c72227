/* The files of a log for who verifies it, wherever they come from. */
#ifndef US_VERIFY_SOURCE_H
#define US_VERIFY_SOURCE_H

#include "base/buf.h"
#include "log/export.h"

#define US_STAMPS_MAX 128 /* timestamps beside a log */
#define US_STAMP_NAME_MAX 63

/* Where the log's files come from: a tlog-tiles directory, or anything that gives its files:
 * checkpoint, log.vkey, tile/..., tile/entries/...; and, if they are there, keys.jsonl, acts,
 * handovers, checkpoint.witnessed, checkpoint.witnessed.2 and so on. */
struct us_log_source {
	void *arg;
	/* Appends the file at that path (relative, as in us_tile_path()) to out, whose max is its
	 * limit: US_ERR_NOT_FOUND, US_ERR_LIMIT, US_ERR_IO. */
	int (*get)(void *arg, const char *path, struct us_buf *out);
	/* The next line of keys.jsonl, without its end, into US_EXPORT_KEYS_LINE_MAX bytes; *n is
	 * its length (0: an empty line). US_ERR_NOT_FOUND behind the last, or if there is no such
	 * file; US_ERR_LIMIT if it is too long. Lines stand in the order of their indexes. May be
	 * NULL. One caller at a time. */
	int (*next_keys)(void *arg, char line[US_EXPORT_KEYS_LINE_MAX], size_t *n);
	/* The names, without ".tsr" and in order, of the files timestamps/NAME.tsr, at most
	 * US_STAMPS_MAX. US_ERR_NOT_FOUND: there is no such folder; US_ERR_LIMIT, US_ERR_IO (one
	 * has a name that is none). May be NULL. */
	int (*stamps)(void *arg, char (*names)[US_STAMP_NAME_MAX + 1], size_t *n);
	/* Not 0: get may be called by several threads at once. Else all is done by the thread that
	 * verifies. */
	int shared;
	/* Not 0: it is an export, to which the acts belong if every box of its log is open. A
	 * vault's are asked for by themselves. */
	int is_export;
};

#endif
