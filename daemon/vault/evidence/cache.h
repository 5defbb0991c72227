/*
 * Pages of the store in memory, the least recently used going first. A page is kept as it is stored
 * (sealed), or, of index segments, opened under its page key: what is inside them is encrypted
 * once more under the words' keys.
 *
 * One owner, one thread.
 */
#ifndef US_DAEMON_VAULT_EVIDENCE_CACHE_H
#define US_DAEMON_VAULT_EVIDENCE_CACHE_H

#include "base/buf.h"
#include "daemon/vault/store/store.h"

#define US_CACHE_PAGE_MAX US_STORE_PAGE_FAST

struct us_cache;

/* Turns a stored page into the form that is kept: writes at most US_CACHE_PAGE_MAX bytes to out. */
typedef int (*us_cache_open_fn)(void *ctx, struct us_bytes stored, uint8_t *out, size_t *out_n);

/* pages: how many are kept, at least 8. reader is kept, not owned. */
int us_cache_new(struct us_cache **out, struct us_store_reader *reader, size_t pages);
/* Wipes and frees. */
void us_cache_free(struct us_cache *c);
/* The page, valid until four further calls at least (so a caller may hold a few at a time). open
 * may be NULL: the stored form. A page is always to be got with the same open. US_ERR_NOT_FOUND,
 * US_ERR_LIMIT (larger than US_CACHE_PAGE_MAX), errors of the store and of open. */
int us_cache_get(struct us_cache *c, const struct us_store_key *key, us_cache_open_fn open,
    void *ctx, struct us_bytes *page);
/* Forgets the pages numbered from .. to of a collection and kind. */
void us_cache_forget(struct us_cache *c, const struct us_store_key *from, uint64_t to);

#endif
