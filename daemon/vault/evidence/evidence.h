/*
 * Collections and batches in memory, opened piece by piece at first use, and the way from a
 * record's number to its bytes.
 *
 * One owner, one thread. What a container, or sealed bytes, point to stands in scratch that the
 * next record overwrites.
 */
#ifndef US_DAEMON_VAULT_EVIDENCE_EVIDENCE_H
#define US_DAEMON_VAULT_EVIDENCE_EVIDENCE_H

#include "daemon/vault/evidence/cache.h"
#include "daemon/vault/state/state.h"
#include "evidence/batch/reader.h"
#include "evidence/batch/record.h"
#include "evidence/index/segment.h"

struct us_vault_evidence;

/* state and reader are kept, not owned. cache_pages: how many pages of the store stay in memory.
 * US_ERR_NOMEM. */
int us_vault_evidence_new(struct us_vault_evidence **out, const struct us_vault_state *state,
    struct us_store_reader *reader, size_t cache_pages);
/* NULL is allowed. */
void us_vault_evidence_free(struct us_vault_evidence *e);
/* Wipes and forgets all that was opened, keys above all; the cache stays. */
void us_vault_evidence_forget(struct us_vault_evidence *e);
/* The pages in memory. */
struct us_cache *us_vault_evidence_cache(const struct us_vault_evidence *e);
/* The one that it was made with. */
const struct us_vault_state *us_vault_evidence_state(const struct us_vault_evidence *e);

/* Takes packed page keys, as in the messages "page_keys" and "logged". US_ERR_FORMAT,
 * US_ERR_NOMEM. */
int us_vault_evidence_take_keys(struct us_vault_evidence *e, uint32_t collection,
    struct us_bytes page_keys);
/* Where the first keys stand that are not here: a batch by its place, a version of the dictionary
 * above that one. */
struct us_vault_lacking {
	uint32_t batch, dictionary;
};
/* 1 if a key that reading the collection needs is not here; 0 if all are. */
int us_vault_evidence_lacks(struct us_vault_evidence *e, uint32_t collection,
    struct us_vault_lacking *lacking);
/* The index of a batch. Belongs to e, until the batch is forgotten. US_ERR_SEALED if the batch's
 * key was not released. */
int us_vault_evidence_segment(struct us_vault_evidence *e, const struct us_batch *facts,
    struct us_segment **out);
/* Opens a record; *c has views until the next one. US_ERR_SEALED, US_ERR_VERIFY, errors of the
 * store. */
int us_vault_evidence_record(struct us_vault_evidence *e, const struct us_batch *facts,
    uint64_t record, const struct us_key *key, struct us_container *c);
/* The path of a record in its batch's manifest. Errors as of a record. */
int us_vault_evidence_proof(struct us_vault_evidence *e, const struct us_batch *facts,
    uint64_t record, struct us_batch_proof *proof);
/* Forgets a batch that was not admitted, its pages in the cache too. */
void
us_vault_evidence_forget_batch(struct us_vault_evidence *e, uint32_t collection, uint32_t slot);

#endif
