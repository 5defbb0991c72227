/* Dictionaries of the sealer that are no act yet: their keys, given for an entry. */
#ifndef US_DAEMON_KEEPER_DICTIONARIES_H
#define US_DAEMON_KEEPER_DICTIONARIES_H

#include "base/buf.h"

struct us_keeper;
struct us_refusal;

/* k->dictionaries, with none. US_ERR_NOMEM. */
int us_dictionaries_new(struct us_keeper *k);
/* Forgets them all. */
void us_dictionaries_free(struct us_keeper *k);
/* 1 if that load has one. */
int us_dictionaries_wait(const struct us_keeper *k, uint64_t load);
/* Appends the committed act for the dictionary of that load, which has one. Errors of
 * us_registry_prepare_own(), with their refusal. */
int us_dictionary_act(struct us_keeper *k, uint64_t load, struct us_buf *committed,
    struct us_refusal *refusal);
/* That one is an act now. */
void us_dictionary_done(struct us_keeper *k, uint32_t collection, uint32_t slot);

#endif
