/*
 * Where the next batch of a collection begins. Slots and record numbers are given once: the
 * counters stand in every group of the journal from the group on that holds the entry of the batch,
 * which is durable before the keys leave.
 */
#ifndef US_DAEMON_KEEPER_COUNTERS_H
#define US_DAEMON_KEEPER_COUNTERS_H

#include <stdint.h>

struct us_keeper;

struct us_counter {
	uint32_t collection, slot, dictionary_slot;
	uint64_t record;
};

/* k->counters, of no collection. US_ERR_NOMEM. */
int us_counters_new(struct us_keeper *k);
/* Gives back k->counters; what was written stands in the journal. */
void us_counters_free(struct us_keeper *k);
/* Reads what the journal says, once the registry is whole. US_ERR_NOMEM, US_ERR_TRUNCATED. */
int us_counters_read(struct us_keeper *k);
/* Has the journal keep them, from the group on that is open. */
int us_counters_write(struct us_keeper *k);
/* The counter of a collection, at least where the registry is: what is given is counted in it, and
 * then written. Valid until the next call. NULL: no memory. */
struct us_counter *us_counter_of(struct us_keeper *k, uint32_t collection);

#endif
