/*
 * The origin of a log, which is the name of its key: "HOST/underseal/ID", then
 * "HOST/underseal/ID/2" and so on for the keys it is handed over to.
 */
#ifndef US_LOG_ORIGIN_H
#define US_LOG_ORIGIN_H

#include <stdint.h>

#include "log/note.h"

/* Hand-overs of one log, at most. */
#define US_HANDOVERS_MAX 64

/* The origin of the next key: old is "HOST/underseal/ID" or "HOST/underseal/ID/N"; it becomes
 * HOST/underseal/ID/2, or N + 1. host may be NULL: the old one. US_ERR_FORMAT (old is none of
 * these), US_ERR_LIMIT. */
int us_origin_next(char out[US_NOTE_NAME_MAX + 1], const char *old, const char *host);

/* How many keys a log of that origin has had: 1, or N. US_ERR_FORMAT. */
int us_origin_number(uint64_t *number, const char *origin);

/* 1 if new is the origin behind old, of the same vault; only the host may differ. */
int us_origin_follows(const char *old, const char *new);

#endif
