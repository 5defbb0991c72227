/*
 * What an open vault knows: the registry, at which entries of the log its acts stand, which batches
 * were released or withdrawn when, and the keys it holds while it is unsealed. And in which phase
 * the vault is.
 *
 * One owner, one thread.
 */
#ifndef US_DAEMON_VAULT_STATE_STATE_H
#define US_DAEMON_VAULT_STATE_STATE_H

#include "base/buf.h"
#include "crypto/key.h"
#include "registry/registry.h"

enum us_vault_phase {
	US_VAULT_SEALED,    /* waits for the keeper's "unsealed" */
	US_VAULT_REPLAYING, /* has sent its acts */
	US_VAULT_OPEN,
	US_VAULT_REFUSING, /* store and log do not agree: nothing is released */
};

struct us_vault_state;

/* A sealed vault's. is_frozen: the daemon was started frozen. US_ERR_NOMEM. */
int us_vault_state_new(struct us_vault_state **out, int is_frozen);
/* Wipes the keys; NULL is allowed. */
void us_vault_state_free(struct us_vault_state *s);

/* --- phase --- */

/* The phase it is in. */
enum us_vault_phase us_vault_phase(const struct us_vault_state *s);
/* 1 if it is open. */
int us_vault_is_open(const struct us_vault_state *s);
/* Moves on; the caller knows that the move is right. */
void us_vault_state_enter(struct us_vault_state *s, enum us_vault_phase phase);
/* To REFUSING, for that reason, of which a copy is kept. */
void us_vault_state_refuse(struct us_vault_state *s, const char *why);
/* The reason; "" if it does not refuse. Belongs to s. */
const char *us_vault_why_refusing(const struct us_vault_state *s);
/* The end has begun: wipes the keys, and nothing is taken any more. */
void us_vault_state_leave(struct us_vault_state *s);
/* 1 from then on. */
int us_vault_is_leaving(const struct us_vault_state *s);
/* 1 if the daemon was started frozen. */
int us_vault_is_frozen(const struct us_vault_state *s);

/* --- keys --- */

/* Copies the vault's id (32 bytes) and two keys (US_KEY_SIZE each). US_ERR_NOMEM. */
int us_vault_state_take_keys(struct us_vault_state *s, const uint8_t vault_id[32],
    const uint8_t *state_key, const uint8_t *cursor_key);
/* 32 bytes; belongs to s. */
const uint8_t *us_vault_id(const struct us_vault_state *s);
/* The key of cursors that clients hold; NULL while sealed. Belongs to s. */
const struct us_key *us_vault_cursor_key(const struct us_vault_state *s);
/* Seals an act for the store, appended to out. US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_vault_act_seal(const struct us_vault_state *s, uint64_t sequence, struct us_bytes committed,
    struct us_buf *out);
/* Opens one that the store holds, appended to out. US_ERR_VERIFY if it is not this vault's. */
int us_vault_act_open(const struct us_vault_state *s, uint64_t sequence, struct us_bytes sealed,
    struct us_buf *out);

/* --- the registry --- */

/* The fold of all committed acts; NULL before the first was folded. Belongs to s. */
struct us_registry *us_vault_registry(const struct us_vault_state *s);
/* Takes over reg; s had none. */
void us_vault_state_set_registry(struct us_vault_state *s, struct us_registry *reg);
/* The act with that sequence stands at that log index (NO_ENTRY: not known). US_ERR_NOMEM. */
int us_vault_note_entry(struct us_vault_state *s, uint64_t sequence, uint64_t entry);
/* The same, for an act just folded, whose bytes are given. US_ERR_NOMEM, or they are not an act. */
int us_vault_note_act(struct us_vault_state *s, uint64_t sequence, uint64_t entry,
    struct us_bytes committed);
/* The log index of an act; NO_ENTRY: not known. */
uint64_t us_vault_entry_of(const struct us_vault_state *s, uint64_t sequence);
/* The log index of the newest act. */
uint64_t us_vault_newest(const struct us_vault_state *s);
/* The log index of the newest act of that type (US_ACT_BATCH_RELEASE or _WITHDRAW) about a batch;
 * NO_ENTRY if there was none. Snapshots from before a release do not see it. */
uint64_t us_vault_entry_of_change(const struct us_vault_state *s, uint32_t collection,
    uint32_t slot, enum us_act_type type);

#endif
