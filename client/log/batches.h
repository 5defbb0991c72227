/*
 * The batches whose manifest roots this profile has seen proven by the log: its file "batches", a
 * line "COLLECTION SLOT ENTRY ROOT" (numbers, hex) each. A line that is not understood is verified
 * anew.
 */
#ifndef US_CLIENT_LOG_BATCHES_H
#define US_CLIENT_LOG_BATCHES_H

#include <stddef.h>
#include <stdint.h>

struct us_proven_batch {
	uint32_t collection, slot;
	uint64_t entry; /* that closed it */
	uint8_t root[32];
};

struct us_proven_batches {
	const char *directory; /* of the profile */
	struct us_proven_batch *of;
	size_t n;
};

/* Reads what that profile remembers, nothing if it has no such file. directory must stay; the list
 * is to be freed. US_ERR_IO, US_ERR_LIMIT, US_ERR_NOMEM: as much as could be read. */
int us_proven_batches_read(struct us_proven_batches *all, const char *directory);
/* Frees the list; a zeroed one may be freed. */
void us_proven_batches_free(struct us_proven_batches *all);
/* The batch, or NULL: it has not been proven yet. */
const struct us_proven_batch *
us_proven_batches_find(const struct us_proven_batches *all, uint32_t collection, uint32_t slot);
/* Remembers one more, in the profile too; says so if that cannot be written. */
void us_proven_batches_add(struct us_proven_batches *all, const struct us_proven_batch *batch);
/* Drops from the profile's file what was closed by entry `from` or later: it is lost. US_ERR_IO,
 * US_ERR_LIMIT, US_ERR_NOMEM: it may still be there. */
int us_proven_batches_forget(const char *directory, uint64_t from);

#endif
