/* Sets of records as runs: made from a selection, asked by binary search. */
#ifndef US_REGISTRY_RECORD_SET_H
#define US_REGISTRY_RECORD_SET_H

#include "registry/act.h"

/* Runs of record numbers (0 .. 2^52 - 1) of one collection: ascending, not touching, at least one,
 * none empty. Does not change once made: any number of threads may read. */
struct us_record_set {
	uint32_t collection;
	uint64_t records; /* in all runs together */
	size_t n;
	struct us_run runs[];
};

/* Makes *out (free with free()) from a decoded selection. A selection by batch says no record
 * numbers: batch is the range of that batch, and is looked at only then. US_ERR_NOMEM;
 * US_ERR_FORMAT if the runs or the batch break what is said of the struct. */
int us_record_set_new(const struct us_selection *s, const struct us_run *batch,
    struct us_record_set **out);
/* 1 if it holds the record of that collection. */
int us_record_set_has(const struct us_record_set *set, uint32_t collection, uint64_t record);
/* Index of the first run that holds record or begins behind it; n if none does. Binary search. */
size_t us_record_set_from(const struct us_record_set *set, uint64_t record);
/* Calls run for every run cut to the records first .. first + count - 1, ascending; for none if
 * none is among them. */
void us_record_set_each(const struct us_record_set *set, uint64_t first, uint64_t count,
    void (*run)(void *ctx, struct us_run run), void *ctx);

#endif
