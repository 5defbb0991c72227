#include "daemon/vault/state/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"

#define QUEUE_MAX (256u * 1024u * 1024u)
#define DELETE_STEP 64u

struct us_vault_job {
	struct us_vault_job *next;
	struct us_write w;
	int err;
	uint8_t data[];
};

struct us_vault_list {
	struct us_vault_job *head;
	struct us_vault_job **tail;
};

/* lock guards waiting, finished, queued, pending, stop. store is the thread's alone. */
struct us_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct us_vault_list waiting;
	struct us_vault_list finished;
	size_t queued;
	uint64_t pending;
	int stop;
	struct us_store *store;
	struct event *event;
	int fd;
};

static void
append(struct us_vault_list *l, struct us_vault_job *j)
{
	j->next = NULL;
	*l->tail = j;
	l->tail = &j->next;
}

static void
list_init(struct us_vault_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

static int
do_pages(struct us_store *s, const struct us_write *w)
{
	struct us_store_key key = w->key;
	struct us_reader r;
	int err = US_OK;

	us_reader_init(&r, w->data.p, w->data.n);
	while (r.left > 0 && r.err == US_OK && err == US_OK) {
		struct us_bytes page = us_take_str16(&r, UINT16_MAX);

		if (r.err == US_OK)
			err = us_store_put(s, &key, page);
		key.number++;
	}
	return err != US_OK ? err : us_reader_end(&r);
}

static int
do_delete(struct us_store *s, const struct us_write *w)
{
	size_t deleted = DELETE_STEP;
	int err = US_OK;

	while (err == US_OK && deleted == DELETE_STEP)
		err = us_store_delete(s, &w->key, w->last, DELETE_STEP, &deleted);
	return err;
}

static int
do_job(struct us_store *s, const struct us_write *w)
{
	int err;

	switch (w->op) {
	case US_WRITE_PAGES:
		return do_pages(s, w);
	case US_WRITE_DELETE:
		return do_delete(s, w);
	case US_WRITE_ACT:
		return us_store_put_act(s, w->number, 1, w->data);
	case US_WRITE_SETTLE_ACT:
		err = us_store_settle_act(s, w->number, w->entry);
		return err;
	case US_WRITE_DROP_ACTS:
		return us_store_drop_acts(s, w->number);
	case US_WRITE_BARRIER:
		return US_OK;
	}
	return US_ERR_INTERNAL;
}

/* One transaction: jobs up to about its size. A job that fails takes the whole with it, so what is
 * wrong with one (not the disk) must be found before it is queued. */
static int
commit_some(struct us_store *s, struct us_vault_job *first, struct us_vault_job **rest)
{
	size_t bytes = 0;
	struct us_vault_job *j;
	int err = us_store_begin(s);

	for (j = first; j != NULL; j = j->next) {
		if (err == US_OK)
			err = do_job(s, &j->w);
		bytes += j->w.data.n;
		if (bytes >= US_WRITER_TRANSACTION) {
			j = j->next;
			break;
		}
	}
	*rest = j;
	if (err == US_OK)
		err = us_store_commit(s);
	else
		us_store_rollback(s);
	if (err == US_ERR_IO || err == US_ERR_FORMAT || err == US_ERR_STATE || err == US_ERR_BUSY)
		us_fatal("the store failed (%s): stopping, so that nothing is answered that may "
			 "not be on "
			 "the disk; check the disk, then start again",
		    us_strerror(err));
	for (; first != *rest; first = first->next)
		first->err = err;
	return err;
}

static void *
run(void *arg)
{
	struct us_writer *w = arg;
	struct us_vault_job *first, *rest, *next;
	uint64_t one = 1;
	size_t bytes;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->waiting.head == NULL && !w->stop)
			(void)pthread_cond_wait(&w->more, &w->lock);
		if (w->waiting.head == NULL)
			break;
		first = w->waiting.head;
		list_init(&w->waiting);
		(void)pthread_mutex_unlock(&w->lock);
		while (first != NULL) {
			(void)commit_some(w->store, first, &rest);
			if (us_store_pending(w->store) >= US_WRITER_CHECKPOINT &&
			    us_store_checkpoint(w->store) == US_ERR_IO)
				us_fatal("the store's checkpoint failed: stopping");
			(void)pthread_mutex_lock(&w->lock);
			for (bytes = 0; first != rest; first = next) {
				next = first->next;
				bytes += first->w.data.n;
				append(&w->finished, first);
			}
			w->queued -= bytes;
			w->pending = us_store_pending(w->store);
			(void)pthread_mutex_unlock(&w->lock);
			while (write(w->fd, &one, sizeof one) < 0 && errno == EINTR)
				;
		}
		(void)pthread_mutex_lock(&w->lock);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct us_writer *w = arg;
	struct us_vault_job *j, *next;
	uint64_t count;

	(void)what;
	while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
		;
	(void)pthread_mutex_lock(&w->lock);
	j = w->finished.head;
	list_init(&w->finished);
	(void)pthread_mutex_unlock(&w->lock);
	for (; j != NULL; j = next) {
		next = j->next;
		if (j->w.done != NULL)
			j->w.done(j->w.ctx, j->err, j->w.data.n);
		free(j);
	}
}

int
us_writer_new(struct us_writer **out, struct us_store *store, struct event_base *base)
{
	struct us_writer *w = calloc(1, sizeof *w);

	*out = NULL;
	if (w == NULL)
		return US_ERR_NOMEM;
	list_init(&w->waiting);
	list_init(&w->finished);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		goto fail;
	w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, on_finished, w);
	if (w->event == NULL || event_add(w->event, NULL) != 0)
		goto fail;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	w->store = store;
	if (pthread_create(&w->thread, NULL, run, w) != 0)
		goto fail;
	*out = w;
	return US_OK;
fail:
	if (w->event != NULL)
		event_free(w->event);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
	return US_ERR_IO;
}

void
us_writer_free(struct us_writer *w)
{
	struct us_vault_job *j, *next;

	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = 1;
	(void)pthread_cond_signal(&w->more);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	for (j = w->finished.head; j != NULL; j = next) {
		next = j->next;
		free(j);
	}
	event_free(w->event);
	(void)close(w->fd);
	us_store_close(w->store);
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

int
us_writer_put(struct us_writer *w, const struct us_write *job)
{
	struct us_vault_job *j = malloc(sizeof *j + job->data.n);
	int err = US_OK;

	if (j == NULL)
		return US_ERR_NOMEM;
	j->w = *job;
	j->err = US_OK;
	if (job->data.n > 0)
		memcpy(j->data, job->data.p, job->data.n);
	j->w.data.p = j->data;
	(void)pthread_mutex_lock(&w->lock);
	if (w->queued + job->data.n > QUEUE_MAX) {
		err = US_ERR_BUSY;
	} else {
		w->queued += job->data.n;
		append(&w->waiting, j);
		(void)pthread_cond_signal(&w->more);
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (err != US_OK)
		free(j);
	return err;
}

uint64_t
us_writer_pending(struct us_writer *w)
{
	uint64_t n;

	(void)pthread_mutex_lock(&w->lock);
	n = w->pending;
	(void)pthread_mutex_unlock(&w->lock);
	return n;
}
