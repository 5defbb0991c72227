/*
 * The keeper, as the vault has it: its channel, the questions that are open, and the newest
 * checkpoint. A tag is a place in a table and its generation, so that a late answer to a question
 * nobody remembers finds nobody.
 */
#ifndef US_DAEMON_VAULT_STATE_KEEPER_H
#define US_DAEMON_VAULT_STATE_KEEPER_H

#include "base/buf.h"
#include "daemon/process/channel.h"

struct us_vault_keeper;
struct us_vault_state;

/* No channel yet. control: to the monitor, which counts what the keeper cannot any more; NULL:
 * there is none. US_ERR_NOMEM. */
int us_vault_keeper_new(struct us_vault_keeper **out, struct us_channel *control);
/* Not the channel, which is its maker's. NULL is allowed. */
void us_vault_keeper_free(struct us_vault_keeper *k);
/* channel: to the keeper; NULL: it is gone. */
void us_vault_keeper_connect(struct us_vault_keeper *k, struct us_channel *channel);
/* The monitor's channel, for what the keeper does not take any more; NULL: it is gone. */
void us_vault_keeper_set_control(struct us_vault_keeper *k, struct us_channel *control);
/* NULL: not there yet, or gone. */
struct us_channel *us_vault_keeper_channel(const struct us_vault_keeper *k);

/* Has what was refused without an entry counted by the keeper, now or by way of the monitor.
 * counts: { u8 reason, u32 count }, packed. US_ERR_MALFORMED: they are not. What cannot be sent is
 * said to the operator. */
int us_vault_keeper_count(struct us_vault_keeper *k, const struct us_vault_state *s,
    struct us_bytes counts);

/* Who hears the answer to a question. body is valid during the call. */
typedef void (*us_vault_heard_fn)(void *ctx, uint16_t type, struct us_bytes body);
/* A tag for one question, whose answer goes to fn; 0 if too many are open. */
uint32_t us_vault_keeper_call(struct us_vault_keeper *k, us_vault_heard_fn fn, void *ctx);
/* err is what became of sending the question just numbered: if it did not leave nobody will answer
 * it, and *tag is given back and 0 from now on. Returns err, or US_ERR_BUSY if *tag is 0. */
int us_vault_keeper_call_sent(struct us_vault_keeper *k, uint32_t *tag, int err);
/* The answer will be thrown away. 0 is allowed. */
void us_vault_keeper_call_forget(struct us_vault_keeper *k, uint32_t tag);
/* The answer goes to another. */
void us_vault_keeper_call_hand_over(struct us_vault_keeper *k, uint32_t tag, us_vault_heard_fn fn,
    void *ctx);
/* Hands an answer to who asked. US_ERR_MALFORMED: it is one to no question. */
int us_vault_keeper_answer(struct us_vault_keeper *k, uint16_t type, uint32_t tag,
    struct us_bytes body);

/* Takes a US_MSG_checkpoint, of which a copy is kept. US_ERR_MALFORMED, US_ERR_NOMEM. */
int us_vault_keeper_take_checkpoint(struct us_vault_keeper *k, struct us_bytes body);
/* The text of the newest; empty before the first. Valid until the next one. */
struct us_bytes us_vault_checkpoint(const struct us_vault_keeper *k);
/* Its number of entries. */
uint64_t us_vault_tree_size(const struct us_vault_keeper *k);

#endif
