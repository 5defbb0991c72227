/*
 * Keys of the pages of a collection's index. An entry of a person's opens the collection; from then
 * on the vault asks for its keys, as many at a time as a slice allows, and those of batches that
 * are closed later come with their acts. So what an opening takes does not grow into one message,
 * nor does it keep the keeper.
 */
#ifndef US_DAEMON_KEEPER_PAGE_KEYS_H
#define US_DAEMON_KEEPER_PAGE_KEYS_H

#include <stdint.h>

#include "base/buf.h"

struct us_keeper;

/* k->page_keys: no collection is open. US_ERR_NOMEM. */
int us_page_keys_new(struct us_keeper *k);
/* Gives it back. */
void us_page_keys_free(struct us_keeper *k);
/* The entry that opens a collection is durable. US_ERR_NOMEM. */
int us_page_keys_open(struct us_keeper *k, uint32_t collection);
/* Appends { u8 kind, u32 slot, key } of a batch that was closed just now to out. Errors of the
 * keyring; US_ERR_INTERNAL: there is none such. */
int
us_page_key_of_batch(struct us_keeper *k, uint32_t collection, uint32_t slot, struct us_buf *out);

#endif
