/*
 * Answers that take their time. Who makes one gives a step: a function that does one unit of the
 * work, may add to `out`, and returns how the work stands. Everything else about it is done here
 * and nowhere else: whose turn it is and for how long, what of `out` is sent and when, waiting for
 * clients that read slowly, and the end.
 *
 *	IDLE      us_work_begin()                  → WAITING
 *	          us_work_finish()                 → ENDING
 *	WAITING   has its turn                     → STEPPING
 *	STEPPING  again                            → WAITING
 *	          again; the client has too much,
 *	          or no room is left on the way    → HELD
 *	          done; there is a `then`          → IDLE, and then()
 *	          done; there is none              → ENDING
 *	          failed                           → IDLE, and the owner's failed()
 *	HELD      some was taken                   → WAITING
 *	ENDING    all is sent                      → the owner's whole()
 *	any       sending fails                    → IDLE, and the owner's failed()
 *	any but STEPPING: us_work_end()            → ENDED
 *
 * A step cannot send, queue or end anything: the functions below panic when a step calls them for
 * its own work. What has ended is on no queue. whole(), failed() and then() may end the work:
 * nothing here touches it after them.
 *
 * One thread.
 */
#ifndef US_DAEMON_VAULT_REQUEST_WORK_H
#define US_DAEMON_VAULT_REQUEST_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define US_WORK_FLOWS 256u /* a power of two */

enum us_step {
	US_STEP_AGAIN,  /* there is more to do */
	US_STEP_DONE,   /* that was all: `out` has the end of the answer, or `then` goes on */
	US_STEP_FAILED, /* it cannot go on; the step has left word with the owner why */
};
typedef enum us_step (*us_step_fn)(void *ctx);
typedef void (*us_then_fn)(void *ctx);

struct us_piece {
	struct us_bytes bytes; /* may be empty if is_last */
	unsigned is_first : 1; /* of the answer */
	unsigned is_last : 1;
};

enum us_turn {
	US_TURN_SOON,  /* in this turn of the event loop, behind what has come in already */
	US_TURN_LATER, /* in the next one, so that others have theirs before */
};

/* What this needs of others. ctx: of the work, but of the queue for turn(). */
struct us_work_owner {
	size_t window; /* bytes under way to a client that has not said that it took them */
	size_t piece;  /* bytes sent at once, at most */
	/* 1 if a piece can be queued now. If not, us_work_credit() is to be called when one can,
	 * with 0. */
	int (*has_room)(void *ctx);
	/* Queues a piece for the client. Any error ends the work: failed(). */
	int (*send)(void *ctx, const struct us_piece *piece);
	/* The last piece was sent. Must end the work. */
	void (*whole)(void *ctx);
	/* err: of send(), or US_OK: a step has failed. Must end the work. */
	void (*failed)(void *ctx, int err);
	/* us_work_turn() is to be called. */
	void (*turn)(void *ctx, enum us_turn when);
};

/* What can go on of one credential, first come, first served; or of those few that share a flow. */
struct us_work_flow {
	struct us_work *first, *last;
	struct us_work_flow *before, *next; /* of those that have something */
	int64_t used_ns;                    /* of the thread; comparable among those that have */
};

/* What can go on. The flow that has had least of the thread goes first; one that comes anew begins
 * where the least of the others stands, so that nobody saves up time. */
struct us_work_queue {
	const struct us_work_owner *owner;
	void *ctx;
	struct us_work_flow flow[US_WORK_FLOWS];
	struct us_work_flow *active;
	size_t n;
	int in_turn;
};

enum us_work_state {
	US_WORK_IDLE,    /* nothing is to be done: not begun, or somebody else is waited for */
	US_WORK_WAITING, /* on the queue, and only then */
	US_WORK_STEPPING,
	US_WORK_HELD,   /* the window is shut */
	US_WORK_ENDING, /* nothing is added any more; what is left goes as the window opens */
	US_WORK_ENDED,
};

struct us_work {
	struct us_work_queue *queue;
	void *ctx;
	enum us_work_state state;
	us_step_fn step;
	us_then_fn then; /* NULL: the answer ends with the last step */
	unsigned whose;  /* below US_WORK_FLOWS */
	struct us_work *before, *next;
	struct us_buf out; /* to be added to while IDLE or STEPPING; sent up to out_at */
	size_t out_at;
	size_t under_way; /* bytes sent without credit */
	int begun;        /* the answer's first piece was sent */
	int ended;        /* and its last one */
	/* the last piece, an empty one, goes when the client has taken all before it: set while
	 * IDLE by whoever must know when that is */
	int ends_when_taken;
};

/* Empty. owner is kept; ctx: for its turn(). */
void us_work_queue_init(struct us_work_queue *q, const struct us_work_owner *owner, void *ctx);
/* Lets what waits now go on, each once, while there is time. */
void us_work_turn(struct us_work_queue *q);

/* work->out must have been initialised; it is emptied. */
void us_work_init(struct us_work *work, struct us_work_queue *q, void *ctx);
/* Only if IDLE: it is that credential's (any number that is always the same for it). */
void us_work_belongs(struct us_work *work, uint64_t whose);
/* Only if IDLE. From the next turn on step is called again and again, behind the last `then`, which
 * may be NULL. */
void us_work_begin(struct us_work *work, us_step_fn step, us_then_fn then);
/* Only if IDLE. `out` has the rest of the answer, or all of it. The work may be gone afterwards. */
void us_work_finish(struct us_work *work);
/* The client has taken that many bytes; or, with 0, there is room again. The work may be gone
 * afterwards. */
void us_work_credit(struct us_work *work, size_t bytes);
/* Throws away what is in `out`. */
void us_work_clear(struct us_work *work);
/* What is in `out` and was not sent. */
struct us_bytes us_work_unsent(const struct us_work *work);
/* No more: it leaves the queue, and nothing is called for it any more. */
void us_work_end(struct us_work *work);

#endif
