/*
 * What the sealer may have: keys of loads that a logged entry of a live session opened, and of
 * nothing else. The life of a batch here:
 *
 *   OPENED (its entry, then its keys) ──the sealer's facts──► SEALED ──batch-close──► gone
 *     └───────────────────────────────────────────────────────┴──► VOID ──batch-void──► gone
 */
#ifndef US_DAEMON_KEEPER_BATCHES_H
#define US_DAEMON_KEEPER_BATCHES_H

#include "base/buf.h"
#include "base/transitions.h"

struct us_keeper;
struct us_msg_batch_prepare;
struct us_refusal;

enum us_open_batch_state { US_OPEN_BATCH_OPENED, US_OPEN_BATCH_SEALED, US_OPEN_BATCH_VOID };
/* The diagram above as a table. */
extern const struct us_transitions us_open_batch_transitions;

/* k->batches, with none. US_ERR_NOMEM. */
int us_batches_new(struct us_keeper *k);
/* Forgets them all. */
void us_batches_free(struct us_keeper *k);
/* 1 if that load has a batch that is neither closed nor void. */
int us_batches_wait(const struct us_keeper *k, uint64_t load);
/* Whether that batch may be closed, or be void. US_ERR_NOT_FOUND: there is none such;
 * US_ERR_NOSPACE. */
int us_batch_may_end(const struct us_keeper *k, const struct us_msg_batch_prepare *m);
/* 1 if the sealer has given it up. */
int us_batch_is_void(const struct us_keeper *k, uint32_t collection, uint32_t slot);
/* Appends the committed act for one that may: its close, or that it is void. US_ERR_STATE: the
 * sealer has not said what it holds; errors of us_load_live() and of us_registry_prepare_own(),
 * with their refusal. */
int us_batch_act(struct us_keeper *k, const struct us_msg_batch_prepare *m,
    struct us_buf *committed, struct us_refusal *refusal);
/* That one is closed or void by an act now. */
void us_batch_done(struct us_keeper *k, uint32_t collection, uint32_t slot);

#endif
