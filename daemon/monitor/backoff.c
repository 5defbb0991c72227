#include "daemon/monitor/backoff.h"

void
us_backoff_started(struct us_backoff *b, int64_t now_ms)
{
	b->started_ms = now_ms;
}

int64_t
us_backoff_ended(struct us_backoff *b, int64_t now_ms)
{
	const int64_t wait_ms = now_ms - b->started_ms >= US_BACKOFF_LIFE_MS ? 0 : b->next_ms;

	b->next_ms = wait_ms == 0 ? US_BACKOFF_FIRST_MS : 2 * wait_ms;
	if (b->next_ms > US_BACKOFF_MOST_MS)
		b->next_ms = US_BACKOFF_MOST_MS;
	return wait_ms;
}
