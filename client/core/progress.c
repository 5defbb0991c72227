#include "client/core/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "client/core/out.h"

static int
progress_wanted(void)
{
	const char *set = getenv("UNDERSEAL_PROGRESS");

	return set != NULL ? strcmp(set, "0") != 0 : isatty(STDERR_FILENO);
}

void
us_progress_start(struct us_progress *progress, const char *what, uint64_t total)
{
	*progress = (struct us_progress){ .what = what,
		.total = total,
		.started_ns = us_time_mono_ns() };
}

void
us_progress_at(struct us_progress *progress, uint64_t done, uint64_t things)
{
	int64_t now = us_time_mono_ns(), elapsed = now - progress->started_ns;
	double seconds = (double)elapsed / 1e9, left;

	if (elapsed < US_NS_PER_SECOND || now - progress->shown_ns < US_NS_PER_SECOND / 4 ||
	    !progress_wanted())
		return;
	progress->shown_ns = now;
	us_print_to(stderr, "\r%llu %s, %.0f/s", (unsigned long long)things, progress->what,
	    (double)things / seconds);
	if (progress->total != 0 && done != 0 && done <= progress->total) {
		left = seconds * (double)(progress->total - done) / (double)done;
		us_print_to(stderr, ", %.0f %%, %.0f s left",
		    100.0 * (double)done / (double)progress->total, left);
	}
	us_print_to(stderr, "\033[K");
	(void)fflush(stderr);
}

void
us_progress_end(struct us_progress *progress)
{
	if (progress->shown_ns != 0)
		us_print_to(stderr, "\r\033[K");
}
