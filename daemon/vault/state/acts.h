/*
 * Acts, one after another, persons' and batches' alike:
 *
 *   PREPARE  the keeper checks and numbers it
 *   STORE    sealed, as prepared, on the disk
 *   COMMIT   the keeper logs it: from here on it has happened; we fold it
 *
 * A failure before the commit is taken back on both sides. One after it cannot be: if the keeper
 * does not answer any more the process ends, and the start finds out what counts.
 */
#ifndef US_DAEMON_VAULT_STATE_ACTS_H
#define US_DAEMON_VAULT_STATE_ACTS_H

#include "base/buf.h"
#include "case/action.h"
#include "daemon/process/messages.h"

struct us_vault;
struct us_vault_acts;
struct us_vault_act_job;

struct us_vault_act_result {
	int err;
	enum us_reason reason;
	const char *detail; /* NUL-terminated, or NULL */
	uint32_t rule;      /* of the order, that refused it; 0: none */
	uint64_t entry;
	struct us_bytes committed; /* decode it for what the keeper gave */
	const uint8_t *before;     /* digest of the state before it, 32 bytes; NULL on failure */
	const struct us_msg_logged *logged; /* of the commit; NULL on failure */
};
/* It is folded, or has failed. What result points to is valid during the call. */
typedef void (*us_vault_act_done_fn)(void *ctx, const struct us_vault_act_result *result);

/* v is kept, not owned. US_ERR_NOMEM. */
int us_vault_acts_new(struct us_vault_acts **out, struct us_vault *v);
/* Those that wait are forgotten. NULL is allowed. */
void us_vault_acts_free(struct us_vault_acts *a);
/* A person's act; what m points to is copied. *job: to be forgotten by whoever does not wait any
 * more; gone once done has been called. done is not called from within, nor after an error:
 * US_ERR_NOMEM, US_ERR_BUSY, errors of sending. */
int us_vault_acts_put(struct us_vault_acts *a, const struct us_msg_act_prepare *m,
    us_vault_act_done_fn done, void *ctx, struct us_vault_act_job **job);
/* The act that closes a batch, as us_vault_acts_put(). */
int us_vault_acts_put_batch(struct us_vault_acts *a, const struct us_msg_batch_prepare *m,
    us_vault_act_done_fn done, void *ctx);
/* The act goes its way; nobody waits for it. */
void us_vault_act_forget(struct us_vault_act_job *job);
/* 1 if none is under way. */
int us_vault_acts_are_idle(const struct us_vault_acts *a);

#endif
