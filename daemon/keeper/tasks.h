/*
 * What takes the keeper longer than its event loop may be kept: reading the log, for box keys and
 * for the ledger. A task does its work in small units; tasks take turns, a slice of about two
 * milliseconds each, and between slices the loop looks at its channels. So signatures and entries
 * of others wait for a slice at most.
 *
 * A task belongs to a channel that waits for its answer. It is dropped when that channel has ended,
 * or with all others when the vault is sealed; it rests while the channel does not take what it is
 * sent.
 */
#ifndef US_DAEMON_KEEPER_TASKS_H
#define US_DAEMON_KEEPER_TASKS_H

struct event_base;
struct us_channel;
struct us_keeper;

/* Head of a task's own struct, which free() gives back, with all that it holds, wiped. */
struct us_task {
	struct us_task *next;
	struct us_channel *ch;
	/* One unit. 1: there is more; 0: done, and answered: it is freed then. */
	int (*step)(struct us_keeper *k, struct us_task *task);
	void (*free)(struct us_task *task);
};

/* k->tasks, with none, before the first us_tasks_add(). US_ERR_NOMEM. */
int us_tasks_new(struct us_keeper *k, struct event_base *base);
/* Drops them all, and k->tasks. */
void us_tasks_free(struct us_keeper *k);
/* Takes task over. */
void us_tasks_add(struct us_keeper *k, struct us_task *task);
/* A channel takes again what it is sent. */
void us_tasks_go_on(struct us_keeper *k);
/* Drops those of ch, or all of them if it is NULL. */
void us_tasks_drop(struct us_keeper *k, const struct us_channel *ch);

#endif
