/*
 * A gate, where credentials take turns: it bounds how many requests are under way, for each
 * credential and in all; more wait, and beyond that the answer is 429 at once. The vault has two.
 *
 * The one before the log (us_vault_log_gate_limits), because each answer may hold a bundle of up to
 * 16 MiB in several processes: files of the tree (tiles, bundles, checkpoint, proofs), keys of
 * boxes, and what witnesses bring all pass it, whoever asks, on a sealed vault too, from the
 * question to the keeper until the answer has left. An answer of more than LOG_GATE_LARGE bytes is
 * under way until the client has taken it (us_work, ends_when_taken), a smaller one until its front
 * has it.
 *
 * And the one before everything (us_vault_turn_limits), which is open for whoever is alone. As soon
 * as a second credential asks for something, and for a second after that, each has no more under
 * way than a few: so nobody waits behind the hundreds that another one has asked for.
 */
#ifndef US_DAEMON_VAULT_REQUEST_GATE_H
#define US_DAEMON_VAULT_REQUEST_GATE_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct us_vault_gate;
struct us_vault_gate_party;
struct us_vault_request;
struct us_vault_state;

struct us_vault_gate_limits {
	size_t own;     /* for one credential */
	size_t alone;   /* the same, while no other one has anything here, nor had a second ago */
	size_t all;     /* in all; but whoever has none under way may begin one … */
	size_t most;    /* … until there are so many: a few slow ones shut no-one out */
	size_t waiting; /* more of one credential wait; credentials take turns */
};

#define LOG_GATE_OWN 8u
#define LOG_GATE_ALL 32u
#define LOG_GATE_MOST 64u
#define LOG_GATE_WAITING 64u
extern const struct us_vault_gate_limits us_vault_log_gate_limits;
#define TURN_GATE_OWN 16u
#define TURN_GATE_WAITING 1024u
extern const struct us_vault_gate_limits us_vault_turn_limits;
#define LOG_GATE_LARGE (64u * 1024u)

/* What a request has of the gate; zero before it comes here. */
struct us_vault_pass {
	struct us_vault_request *r;
	struct us_vault_gate_party *party; /* NULL: it is not here */
	int waits;                         /* it is not its turn yet */
	struct us_vault_pass *next;
};

enum us_vault_gate_answer {
	US_VAULT_GATE_PASSED,
	US_VAULT_GATE_WAITS, /* go_on(r) will be called */
	US_VAULT_GATE_SHUT,  /* too many of this credential wait already */
	US_VAULT_GATE_FAILED /* memory is out */
};

/* go_on: it is its turn; it may end the request. limits and state are kept, not owned.
 * US_ERR_NOMEM. */
int us_vault_gate_new(struct us_vault_gate **out, struct event_base *base,
    const struct us_vault_gate_limits *limits, const struct us_vault_state *state,
    void (*go_on)(struct us_vault_request *r));
/* NULL is allowed. */
void us_vault_gate_free(struct us_vault_gate *g);
/* pass: the request's own, in which it is kept; credential: 32 bytes, whose turn it takes. */
enum us_vault_gate_answer us_vault_gate_enter(struct us_vault_gate *g, struct us_vault_pass *pass,
    struct us_vault_request *r, const uint8_t *credential);
/* Its request is about to be gone; also for those that never came here. */
void us_vault_gate_leave(struct us_vault_gate *g, struct us_vault_pass *pass);
/* How many are under way. */
size_t us_vault_gate_under_way(const struct us_vault_gate *g);
/* How many wait. */
size_t us_vault_gate_waiting(const struct us_vault_gate *g);

#endif
