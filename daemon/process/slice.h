/*
 * How long work may keep an event loop before it looks at its channels again. Work that takes
 * longer is done in units, as small as they come; after each it asks whether its slice is over, and
 * if so goes on in a later turn of the loop:
 *
 *	us_slice_begin(&slice, US_SLICE_SEALING);
 *	do
 *		one unit
 *	while (there is more && !us_slice_is_over(&slice));
 *
 * So at least one unit is done in each slice. A program whose slice.c was compiled with
 * US_ZERO_SLICES (daemon/CMakeLists.txt) does exactly one: it stops at every boundary that there
 * is, where others stop at one in hundreds.
 */
#ifndef US_DAEMON_PROCESS_SLICE_H
#define US_DAEMON_PROCESS_SLICE_H

#include <stdint.h>

enum us_slice_kind {
	US_SLICE_STEPS,   /* the vault: of one answer */
	US_SLICE_TURN,    /* the vault: of all answers that can go on, one after another */
	US_SLICE_SEALING, /* the sealer: of one batch */
	US_SLICE_TASK,    /* the keeper: of one task */
};

struct us_slice {
	int64_t end_ns; /* on the clock of us_time_mono_ns() */
};

/* Begins a slice now; how long it is says its kind. */
void us_slice_begin(struct us_slice *slice, enum us_slice_kind kind);
/* 1 if there is no time for another unit. */
int us_slice_is_over(const struct us_slice *slice);

#endif
