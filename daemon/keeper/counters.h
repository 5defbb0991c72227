/*
 * What stands in every group of the journal: where the next batch of each collection begins, and
 * how far it is known how answers ended (outcome.h; the group of collection 0). Slots and record
 * numbers are given once: their counters stand in every group from the one on that holds the entry
 * of the batch, which is durable before the keys leave.
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
/* How far it is known how answers ended. */
struct us_counted_answers {
	uint64_t settled, granted;
};
/* Reads what the journal says of that, once the log is open. Zeros: nothing, or not of this log. */
struct us_counted_answers us_counters_answers(struct us_keeper *k);
/* The journal is to say that, from the next us_counters_save() on. */
void us_counters_set_answers(struct us_keeper *k, struct us_counted_answers answers);
/* Before each commit: has the group say it. Ends the process if it cannot. */
void us_counters_save(struct us_keeper *k);
/* The counter of a collection, at least where the registry is: what is given is counted in it, and
 * then written. Valid until the next call. NULL: no memory. */
struct us_counter *us_counter_of(struct us_keeper *k, uint32_t collection);

#endif
