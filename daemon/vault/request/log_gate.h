/*
 * The gate before the log: files of the tree (tiles, bundles, checkpoint, proofs), keys of boxes,
 * and what witnesses bring all pass it, whoever asks, on a sealed vault too. It bounds how many are
 * under way, from the question to the keeper until the answer has left, because each may hold a
 * bundle of up to 16 MiB in several processes:
 *
 *   LOG_GATE_OWN       for one credential
 *   LOG_GATE_ALL       in all; but whoever has none under way may begin one
 *   LOG_GATE_MOST      … until there are so many: a few who take their answers slowly shut no-one
 *                      out
 *   LOG_GATE_WAITING   more of one credential wait; credentials take turns
 *
 * Beyond that the answer is 429 at once. An answer of more than LOG_GATE_LARGE bytes is under way
 * until the client has taken it (struct us_vault_request, end_waits), a smaller one until its front
 * has it.
 */
#ifndef US_DAEMON_VAULT_LOG_GATE_H
#define US_DAEMON_VAULT_LOG_GATE_H

#include <stddef.h>

struct us_vault_request;
struct us_vault;

#define LOG_GATE_OWN 8u
#define LOG_GATE_ALL 32u
#define LOG_GATE_MOST 64u
#define LOG_GATE_WAITING 64u
#define LOG_GATE_LARGE (64u * 1024u)

/* Calls pass(r), now or when it is r's turn; or answers r, which is then gone. */
void us_vault_log_gate_enter(struct us_vault_request *r, void (*pass)(struct us_vault_request *r));
/* r is about to be gone; also for those that never came here. */
void us_vault_log_gate_leave(struct us_vault_request *r);
/* How many are under way, and how many wait. */
size_t us_vault_log_gate_under_way(const struct us_vault *v);
size_t us_vault_log_gate_waiting(const struct us_vault *v);
void us_vault_log_gate_free(struct us_vault *v);

#endif
