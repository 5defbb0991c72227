/*
 * Copies that are out and hold what was taken back since: records that a clawback took (one that
 * stands: neither denied nor withdrawn), or of a batch that was withdrawn. Whoever took such a copy
 * is to give it back or destroy it, and to say so (copy-return); of somebody who takes part no
 * more, all of their party are. Not the party that took the records back, and for a clawback not
 * the capacities that the order lets see them still.
 */
#ifndef US_REGISTRY_RECALLS_H
#define US_REGISTRY_RECALLS_H

#include "registry/docket.h"

struct us_recall {
	const struct us_copy *copy;
	const struct us_filing *clawback; /* NULL: the batch was withdrawn */
	const struct us_batch *batch;     /* NULL: it is a clawback */
	int64_t since_ns;                 /* when it was taken back */
	int64_t due_ns;                   /* the term of the taker's party, 0: none is set */
};

/* Calls each for every copy that this person has to answer for and every reason, by clawbacks and
 * then batches in their order, copies ascending. What is given belongs to the registry. */
void us_registry_recalls(const struct us_registry *reg, const struct us_person *who,
    void (*each)(void *ctx, const struct us_recall *recall), void *ctx);
/* 1 if that record of the copy's collection is one that was taken back. */
int us_recall_has(const struct us_recall *recall, uint64_t record);
/* How many of a copy's records are taken back now, whoever holds it and wherever it is. */
uint32_t us_copy_taken_back(const struct us_registry *reg, const struct us_copy *copy);

#endif
