/*
 * Which records a collection has: the duplicate tags of its batches. Each batch is a sorted run of
 * pages in the store; in memory stand a Bloom filter (10 bits a tag, 7 probes: 1 % false hits; B.
 * H. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970) and the
 * first tag of each page. A tag that is not there costs a few probes a batch, one that is there one
 * page. No index on a random key.
 *
 * One owner, one thread.
 */
#ifndef US_DAEMON_VAULT_LOADS_TAGS_H
#define US_DAEMON_VAULT_LOADS_TAGS_H

#include "evidence/batch/batch.h"
#include "daemon/vault/evidence/cache.h"

struct us_tags;

enum us_known { US_KNOWN_NEW = 0, US_KNOWN_SAME = 1, US_KNOWN_OTHER = 2 };

/* Without batches. US_ERR_NOMEM. */
int us_tags_new(struct us_tags **out, uint32_t collection);
/* NULL is allowed. */
void us_tags_free(struct us_tags *t);
/* Reads the tags of a batch of so many records; again: no effect. */
int us_tags_add(struct us_tags *t, struct us_store_reader *reader, uint32_t slot, uint32_t records);
/* US_OK and *known, or an error of the store. */
int us_tags_find(const struct us_tags *t, struct us_cache *cache, const struct us_tag *tag,
    enum us_known *known);

#endif
