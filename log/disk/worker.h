/*
 * One thread that does the slow, late work of the log's files: syncs and zeroes. It sees paths and
 * bytes that are already public or sealed, never a key, and shares nothing else with the event
 * loop.
 */
#ifndef US_LOG_DISK_WORKER_H
#define US_LOG_DISK_WORKER_H

#include <stdatomic.h>

struct us_worker;

/* Belongs to the worker from submit until done is not 0. run ends the process if it fails. */
struct us_job {
	struct us_job *next;
	void (*run)(void *arg);
	void *arg;
	atomic_int done;
};

/* Starts the thread. US_ERR_NOMEM. Free with us_worker_free(). */
int us_worker_new(struct us_worker **out);
/* Finishes what is queued, then ends the thread. NULL is allowed. */
void us_worker_free(struct us_worker *w);
/* Jobs run in the order of submission. */
void us_worker_submit(struct us_worker *w, struct us_job *job);
/* Waits until the job is done. */
void us_worker_wait(struct us_worker *w, struct us_job *job);

static inline int
us_job_done(const struct us_job *job)
{
	return atomic_load_explicit(&job->done, memory_order_acquire);
}

#endif
