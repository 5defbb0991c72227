#include "log/disk/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/err.h"

/* Invariant, under lock: tail is &head or the next of the last job queued. */
struct us_worker {
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	pthread_t thread;
	struct us_job *head, **tail;
	int stop;
};

static void *
run(void *arg)
{
	struct us_worker *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		struct us_job *job = w->head;

		if (job == NULL && w->stop)
			break;
		if (job == NULL) {
			(void)pthread_cond_wait(&w->work, &w->lock);
			continue;
		}
		w->head = job->next;
		if (w->head == NULL)
			w->tail = &w->head;
		(void)pthread_mutex_unlock(&w->lock);
		job->run(job->arg);
		(void)pthread_mutex_lock(&w->lock);
		atomic_store_explicit(&job->done, 1, memory_order_release);
		(void)pthread_cond_broadcast(&w->finished);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

int
us_worker_new(struct us_worker **out)
{
	struct us_worker *w = calloc(1, sizeof *w);
	sigset_t all, before;
	int failed;

	*out = NULL;
	if (w == NULL)
		return US_ERR_NOMEM;
	w->tail = &w->head;
	if (pthread_mutex_init(&w->lock, NULL) != 0 || pthread_cond_init(&w->work, NULL) != 0 ||
	    pthread_cond_init(&w->finished, NULL) != 0) {
		free(w);
		return US_ERR_NOMEM;
	}
	/* Signals are the event loop's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0) {
		free(w);
		return US_ERR_NOMEM;
	}
	*out = w;
	return US_OK;
}

void
us_worker_free(struct us_worker *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = 1;
	(void)pthread_cond_signal(&w->work);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->work);
	(void)pthread_cond_destroy(&w->finished);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

void
us_worker_submit(struct us_worker *w, struct us_job *job)
{
	job->next = NULL;
	atomic_store_explicit(&job->done, 0, memory_order_relaxed);
	(void)pthread_mutex_lock(&w->lock);
	*w->tail = job;
	w->tail = &job->next;
	(void)pthread_cond_signal(&w->work);
	(void)pthread_mutex_unlock(&w->lock);
}

void
us_worker_wait(struct us_worker *w, struct us_job *job)
{
	(void)pthread_mutex_lock(&w->lock);
	while (!us_job_done(job))
		(void)pthread_cond_wait(&w->finished, &w->lock);
	(void)pthread_mutex_unlock(&w->lock);
}
