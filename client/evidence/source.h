/*
 * The lines of produced logs: reads a file (or "-") as it is, or decompresses it while reading
 * (gzip: RFC 1952, zstd: RFC 8878, told apart by their first bytes), and cuts it into parts of
 * whole lines.
 */
#ifndef US_CLIENT_EVIDENCE_SOURCE_H
#define US_CLIENT_EVIDENCE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct us_source;

#define US_SOURCE_LINES_MAX 4096u /* as the intake names in one answer */

/* US_ERR_NOT_FOUND, US_ERR_IO, US_ERR_NOMEM. */
int us_source_open(struct us_source **out, const char *path);
/* Closes the file. */
void us_source_close(struct us_source *source);
/* The next part: whole lines of about `want` bytes in all, one line at least, at most `max` and
 * US_SOURCE_LINES_MAX lines, so that the vault's answer names every line it does not take; the last
 * line of the file may lack its line end. Empty at the end of the file. US_ERR_FORMAT: the
 * compressed stream is damaged or cut; US_ERR_LIMIT: one line is longer than max (*first_line says
 * which); US_ERR_IO. */
int us_source_part(struct us_source *source, size_t want, size_t max, struct us_buf *part,
    uint64_t *first_line);
/* Bytes of the file as stored, 0 if not known. */
uint64_t us_source_size(const struct us_source *source);
/* How many of them have been read. */
uint64_t us_source_at(const struct us_source *source);

#endif
