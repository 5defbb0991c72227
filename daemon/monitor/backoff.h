/*
 * When a process that has ended is started anew: at once; if it ends soon again, after
 * US_BACKOFF_FIRST_MS, and then after twice as long each time, up to US_BACKOFF_MOST_MS. One that
 * has lived for US_BACKOFF_LIFE_MS begins afresh. So what ends once, or all of a kind at once, is
 * back at once, and what cannot live costs next to nothing.
 */
#ifndef US_DAEMON_MONITOR_BACKOFF_H
#define US_DAEMON_MONITOR_BACKOFF_H

#include <stdint.h>

#define US_BACKOFF_FIRST_MS 100
#define US_BACKOFF_MOST_MS 1000
#define US_BACKOFF_LIFE_MS 5000

/* All zeros: never started. */
struct us_backoff {
	int64_t started_ms;
	int64_t next_ms; /* how long it will wait if it ends soon; 0: not at all */
};

/* now_ms: of a clock that is not set back. */
void us_backoff_started(struct us_backoff *b, int64_t now_ms);
/* Milliseconds until it is to be started again. */
int64_t us_backoff_ended(struct us_backoff *b, int64_t now_ms);

#endif
