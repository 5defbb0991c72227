/* A mirror as a whole, by several threads: fetching what is missing, reading all. */
#include <pthread.h>

#include "base/err.h"
#include "client/log/mirror_files.h"
#include "client/log/mirror_internal.h"

#define FETCHERS 3u
#define CHECKERS_MAX 16u

/* The next bundle that is not there; 0: there is none. */
static int
next_missing(struct us_mirror *m, uint64_t *n)
{
	char path[US_TILE_PATH_MAX];
	int found = 0;

	(void)pthread_mutex_lock(&m->lock);
	while (m->err == US_OK && m->counts.unwritable == 0 && !found && m->next < m->n) {
		*n = m->next++;
		found = us_mirror_path(*n, path) == US_OK && !us_mirror_file_is(m->profile, path);
		us_progress_at(&m->progress, m->next * US_TILE_WIDTH, m->next * US_TILE_WIDTH);
	}
	(void)pthread_mutex_unlock(&m->lock);
	return found;
}

struct us_mirror_worker {
	struct us_mirror *m;
	struct us_log_fetcher from;
};

static void *
fetch_missing(void *arg)
{
	struct us_mirror_worker *w = arg;
	struct us_buf bundle;
	uint64_t n;
	int err;

	us_buf_init(&bundle, US_BUNDLE_MAX);
	while (next_missing(w->m, &n)) {
		err = us_mirror_bring(w->m, &w->from, n, &bundle);
		if (err != US_OK) {
			(void)pthread_mutex_lock(&w->m->lock);
			w->m->err = err;
			(void)pthread_mutex_unlock(&w->m->lock);
		}
	}
	us_buf_free(&bundle);
	return NULL;
}

int
us_mirror_fetch(struct us_mirror *m)
{
	struct us_mirror_worker w[FETCHERS];
	pthread_t thread[FETCHERS];
	unsigned n = 0;
	uint64_t first;

	m->next = 0;
	m->err = US_OK;
	us_progress_start(&m->progress, "entries", m->n * US_TILE_WIDTH);
	if (!next_missing(m, &first)) {
		us_progress_end(&m->progress);
		return US_OK;
	}
	m->next = first;
	for (unsigned i = 0; i < FETCHERS; i++) {
		w[i] = (struct us_mirror_worker){ m, { .client = m->log->client } };
		w[i].from.http = us_http_new(us_client_profile(m->log->client));
		if (w[i].from.http == NULL ||
		    pthread_create(&thread[n], NULL, fetch_missing, &w[i]) != 0) {
			us_http_free(w[i].from.http);
			break;
		}
		n++;
	}
	if (n == 0)
		m->err = US_ERR_NOMEM;
	for (unsigned i = 0; i < n; i++) {
		(void)pthread_join(thread[i], NULL);
		us_http_free(w[i].from.http);
	}
	us_progress_end(&m->progress);
	return m->err;
}

/* ---- looking through all ---- */

static void *
check_some(void *arg)
{
	struct us_mirror *m = arg;
	struct us_buf bundle;
	uint64_t n;
	int err = US_OK;

	us_buf_init(&bundle, US_BUNDLE_MAX);
	while (err == US_OK) {
		(void)pthread_mutex_lock(&m->lock);
		n = m->next++;
		if (n < m->n)
			us_progress_at(&m->progress, n * US_TILE_WIDTH, n * US_TILE_WIDTH);
		(void)pthread_mutex_unlock(&m->lock);
		if (n >= m->n)
			break;
		us_buf_reset(&bundle);
		err = us_mirror_read(m, n, &bundle);
	}
	if (err != US_OK) {
		(void)pthread_mutex_lock(&m->lock);
		m->err = err;
		m->next = m->n;
		(void)pthread_mutex_unlock(&m->lock);
	}
	us_buf_free(&bundle);
	return NULL;
}

int
us_mirror_check(struct us_mirror *m, unsigned threads)
{
	pthread_t thread[CHECKERS_MAX];
	unsigned n = 0;

	m->next = 0;
	m->err = US_OK;
	us_progress_start(&m->progress, "entries", m->n * US_TILE_WIDTH);
	while (n + 1 < threads && n < CHECKERS_MAX &&
	    pthread_create(&thread[n], NULL, check_some, m) == 0)
		n++;
	(void)check_some(m);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	us_progress_end(&m->progress);
	return m->err;
}
