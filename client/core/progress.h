/* Progress on stderr, if it is a terminal or UNDERSEAL_PROGRESS=1, and only from the first second
 * on. */
#ifndef US_CLIENT_CORE_PROGRESS_H
#define US_CLIENT_CORE_PROGRESS_H

#include <stdint.h>

struct us_progress {
	const char *what; /* "records" */
	uint64_t total;   /* of units, 0 if not known */
	int64_t started_ns;
	int64_t shown_ns;
};

/* Begins now; what is the caller's and must stay. */
void us_progress_start(struct us_progress *progress, const char *what, uint64_t total);
/* done units of total (bytes read, say) and how many things that was. */
void us_progress_at(struct us_progress *progress, uint64_t done, uint64_t things);
/* Takes the line away, if there is one. */
void us_progress_end(struct us_progress *progress);

#endif
