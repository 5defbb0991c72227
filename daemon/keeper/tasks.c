#include "daemon/keeper/tasks.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/process/channel.h"
#include "daemon/process/slice.h"

/* Who waits for a slice; first has its turn. */
struct us_tasks {
	struct us_task *first, *last;
	struct event *turn;
};

/* By a timer that is due at once: what came in meanwhile on channels goes before it. */
static void
turn_soon(struct us_tasks *t)
{
	static const struct timeval at_once = { 0, 0 };

	if (event_add(t->turn, &at_once) != 0)
		us_fatal("no memory for a timer. Stopping");
}

/* Takes out the first that need not rest; NULL: there is none. */
static struct us_task *
take_next(struct us_tasks *t)
{
	struct us_task **at = &t->first, *before = NULL, *task;

	while ((task = *at) != NULL && us_channel_is_high(task->ch)) {
		before = task;
		at = &task->next;
	}
	if (task == NULL)
		return NULL;
	*at = task->next;
	if (t->last == task)
		t->last = before;
	task->next = NULL;
	return task;
}

static void
append(struct us_tasks *t, struct us_task *task)
{
	if (t->last == NULL)
		t->first = task;
	else
		t->last->next = task;
	t->last = task;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct us_keeper *k = arg;
	struct us_tasks *t = k->tasks;
	struct us_task *task;
	struct us_slice slice;
	int more;

	(void)fd;
	(void)what;
	if (us_keeper_is_sealing(k))
		/* nothing leaves behind a seal, also while it waits for loads to end */
		us_tasks_drop(k, NULL);
	task = take_next(t);
	if (task == NULL)
		return; /* us_tasks_go_on() */
	us_slice_begin(&slice, US_SLICE_TASK);
	do
		more = task->step(k, task);
	while (more && !us_slice_is_over(&slice));
	if (more)
		append(t, task);
	else
		task->free(task);
	if (t->first != NULL)
		turn_soon(t);
}

int
us_tasks_new(struct us_keeper *k, struct event_base *base)
{
	k->tasks = calloc(1, sizeof *k->tasks);
	if (k->tasks == NULL)
		return US_ERR_NOMEM;
	k->tasks->turn = evtimer_new(base, on_turn, k);
	return k->tasks->turn == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_tasks_free(struct us_keeper *k)
{
	if (k->tasks == NULL)
		return;
	us_tasks_drop(k, NULL);
	if (k->tasks->turn != NULL)
		event_free(k->tasks->turn);
	free(k->tasks);
	k->tasks = NULL;
}

void
us_tasks_add(struct us_keeper *k, struct us_task *task)
{
	task->next = NULL;
	append(k->tasks, task);
	turn_soon(k->tasks);
}

void
us_tasks_go_on(struct us_keeper *k)
{
	if (k->tasks->first != NULL)
		turn_soon(k->tasks);
}

void
us_tasks_drop(struct us_keeper *k, const struct us_channel *ch)
{
	struct us_tasks *t = k->tasks;
	struct us_task **at = &t->first, *task;

	t->last = NULL;
	while ((task = *at) != NULL) {
		if (ch == NULL || task->ch == ch) {
			*at = task->next;
			task->free(task);
		} else {
			t->last = task;
			at = &task->next;
		}
	}
}
