#include "daemon/process/slice.h"

#include "base/time.h"

#define MS INT64_C(1000000)

static int64_t
length_ns(enum us_slice_kind kind)
{
#ifdef US_ZERO_SLICES
	(void)kind;
#else
	switch (kind) {
	case US_SLICE_STEPS:
		return 2 * MS;
	case US_SLICE_TURN:
		return 8 * MS;
	case US_SLICE_SEALING:
	case US_SLICE_TASK:
		return 2 * MS;
	}
#endif
	return 0;
}

void
us_slice_begin(struct us_slice *slice, enum us_slice_kind kind)
{
	slice->end_ns = us_time_mono_ns() + length_ns(kind);
}

int
us_slice_is_over(const struct us_slice *slice)
{
	return us_time_mono_ns() >= slice->end_ns;
}
