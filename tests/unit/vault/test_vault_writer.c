/* Goal: the writer keeps what daemon/vault/state/writer.h promises: jobs in order, in transactions
 * of about 1 MiB, each reported once it is durable or is not done; what found no room takes nothing
 * else with it than its transaction; too much is not queued; and a disk that fails ends the process. The
 * store is a real one, whose calls the test can hold, count and let fail. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/err.h"
#include "daemon/vault/state/writer.h"

#define ok(e) assert_int_equal((e), US_OK)
#define HEARD_MAX 512
#define MEBI (1024u * 1024u)

static int in_child; /* which may end anywhere, and leaves its memory to the system */

/* asked by a leak checker, if there is one */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return in_child;
}

/* What the store does; guarded by lock. */
static struct plan {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int held;        /* the thread waits before it begins a transaction */
	unsigned begins; /* transactions that it wanted to begin */
	unsigned commits, checkpoints;
	int put_err, commit_err, checkpoint_err;
	uint64_t pending; /* 0: as it is */
} plan = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

struct heard {
	size_t n;
	int err[HEARD_MAX];
	size_t bytes[HEARD_MAX];
	char which[HEARD_MAX];
};

struct stage {
	char dir[32];
	struct us_store *store;
	struct us_store_reader *reader;
	struct us_writer *writer;
	struct event_base *base;
	struct heard heard;
};

/* A job's name, and who hears of it. */
struct job {
	struct stage *s;
	char name;
};

/* --- the store -------------------------------------------------------------------------------- */

#define LOCKED(what) \
	do { \
		(void)pthread_mutex_lock(&plan.lock); \
		what; \
		(void)pthread_cond_broadcast(&plan.changed); \
		(void)pthread_mutex_unlock(&plan.lock); \
	} while (0)

int __real_us_store_begin(struct us_store *s);
int __wrap_us_store_begin(struct us_store *s);
int
__wrap_us_store_begin(struct us_store *s)
{
	LOCKED({
		plan.begins++;
		(void)pthread_cond_broadcast(&plan.changed);
		while (plan.held)
			(void)pthread_cond_wait(&plan.changed, &plan.lock);
	});
	return __real_us_store_begin(s);
}

int __real_us_store_commit(struct us_store *s);
int __wrap_us_store_commit(struct us_store *s);
int
__wrap_us_store_commit(struct us_store *s)
{
	int err;

	LOCKED(err = plan.commit_err; plan.commits++);
	if (err == US_OK)
		return __real_us_store_commit(s);
	us_store_rollback(s);
	return err;
}

int __real_us_store_put(struct us_store *s, const struct us_store_key *key, struct us_bytes page);
int __wrap_us_store_put(struct us_store *s, const struct us_store_key *key, struct us_bytes page);
int
__wrap_us_store_put(struct us_store *s, const struct us_store_key *key, struct us_bytes page)
{
	int err;

	LOCKED(err = plan.put_err);
	return err != US_OK ? err : __real_us_store_put(s, key, page);
}

/* Acts of several MiB are only counted. */
int __real_us_store_put_act(struct us_store *s, uint64_t sequence, int prepared,
    struct us_bytes sealed);
int __wrap_us_store_put_act(struct us_store *s, uint64_t sequence, int prepared,
    struct us_bytes sealed);
int
__wrap_us_store_put_act(struct us_store *s, uint64_t sequence, int prepared, struct us_bytes sealed)
{
	return sealed.n > MEBI ? US_OK : __real_us_store_put_act(s, sequence, prepared, sealed);
}

uint64_t __real_us_store_pending(const struct us_store *s);
uint64_t __wrap_us_store_pending(const struct us_store *s);
uint64_t
__wrap_us_store_pending(const struct us_store *s)
{
	uint64_t n;

	LOCKED(n = plan.pending);
	return n != 0 ? n : __real_us_store_pending(s);
}

int __real_us_store_checkpoint(struct us_store *s);
int __wrap_us_store_checkpoint(struct us_store *s);
int
__wrap_us_store_checkpoint(struct us_store *s)
{
	int err;

	LOCKED(err = plan.checkpoint_err; plan.checkpoints++);
	return err != US_OK ? err : __real_us_store_checkpoint(s);
}

static void
hold(int held)
{
	LOCKED(plan.held = held);
}

/* Until the thread has wanted to begin that many transactions. */
static void
wait_for_begins(unsigned n)
{
	(void)pthread_mutex_lock(&plan.lock);
	while (plan.begins < n)
		(void)pthread_cond_wait(&plan.changed, &plan.lock);
	(void)pthread_mutex_unlock(&plan.lock);
}

/* --- the stage -------------------------------------------------------------------------------- */

static void
new_dir(char dir[32])
{
	strcpy(dir, "/tmp/us-writer-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void
remove_dir(const char *dir)
{
	char command[64];

	(void)snprintf(command, sizeof command, "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

/* In a child, in the directory that *state names. */
static int
set_up(void **state)
{
	struct us_store_options o = { .create = 1 };
	struct stage *s = calloc(1, sizeof *s);
	char path[64];

	if (in_child)
		strcpy(s->dir, *state);
	else
		new_dir(s->dir);
	(void)snprintf(path, sizeof path, "%s/store.db", s->dir);
	o.path = path;
	ok(us_store_open(&s->store, &o));
	ok(us_store_reader_open(&s->reader, s->store));
	plan.begins = plan.commits = plan.checkpoints = 0;
	plan.put_err = plan.commit_err = plan.checkpoint_err = US_OK;
	plan.pending = 0;
	plan.held = 0;
	s->base = event_base_new();
	assert_non_null(s->base);
	ok(us_writer_new(&s->writer, s->store, s->base));
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *s = *state;

	us_store_reader_close(s->reader);
	us_writer_free(s->writer);
	event_base_free(s->base);
	remove_dir(s->dir);
	free(s);
	return 0;
}

static void
on_done(void *ctx, int err, size_t bytes)
{
	struct job *job = ctx;
	struct heard *h = &job->s->heard;

	assert_true(h->n < HEARD_MAX);
	h->err[h->n] = err;
	h->bytes[h->n] = bytes;
	h->which[h->n++] = job->name;
	free(job);
}

/* Puts the job, which is called that; whoever hears of it frees its name. */
static int
put(struct stage *s, char name, struct us_write job)
{
	struct job *j = malloc(sizeof *j);
	int err;

	assert_non_null(j);
	*j = (struct job){ s, name };
	job.done = on_done;
	job.ctx = j;
	err = us_writer_put(s->writer, &job);
	if (err != US_OK)
		free(j);
	return err;
}

/* Until that many jobs have been heard of. */
static void
hear(struct stage *s, size_t n)
{
	while (s->heard.n < n)
		(void)event_base_loop(s->base, EVLOOP_ONCE);
	assert_int_equal(s->heard.n, n);
}

static int
put_page(struct stage *s, char name, uint64_t number)
{
	static const uint8_t page[] = { 0, 3, 'p', 'a', 'g' };

	return put(s, name,
	    (struct us_write){ .op = US_WRITE_PAGES,
		.key = { 1, 2, number },
		.data = { page, sizeof page } });
}

static int
has_page(struct stage *s, uint64_t number)
{
	const struct us_store_key key = { 1, 2, number };
	struct us_buf out;
	int err;

	us_buf_init(&out, 64);
	err = us_store_get(s->reader, &key, &out);
	us_buf_free(&out);
	assert_true(err == US_OK || err == US_ERR_NOT_FOUND);
	return err == US_OK;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static int
see_act(void *ctx, const struct us_store_act *act)
{
	struct us_store_act *acts = ctx;

	acts[act->sequence] = *act;
	return US_OK;
}

/* The data is copied, the order kept, and each is heard of once, on the disk by then. */
static void
each_kind_in_order(void **state)
{
	struct stage *s = *state;
	struct us_store_act acts[8] = { { 0 } };
	uint8_t pages[1024];
	struct us_write many = { .op = US_WRITE_PAGES,
		.key = { 1, 2, 10 },
		.data = { pages, 600 } };

	hold(1);
	for (size_t i = 0; i < 200; i++)
		memcpy(pages + 3 * i, "\0\1x", 3);
	ok(put(s, 'a', many)); /* 10 to 209 */
	memset(pages, 0xff, sizeof pages);
	for (uint64_t i = 1; i <= 4; i++)
		ok(put(s, 'b',
		    (struct us_write){ .op = US_WRITE_ACT,
			.number = i,
			.data = us_bytes_of("sealed") }));
	ok(put(s, 'c', (struct us_write){ .op = US_WRITE_SETTLE_ACT, .number = 2, .entry = 77 }));
	ok(put(s, 'd', (struct us_write){ .op = US_WRITE_DROP_ACTS, .number = 4 }));
	ok(put(s, 'e',
	    (struct us_write){ .op = US_WRITE_DELETE, .key = { 1, 2, 20 }, .last = 200 }));
	ok(put_page(s, 'f', 30));
	ok(put(s, 'g', (struct us_write){ .op = US_WRITE_BARRIER }));
	hold(0);
	hear(s, 10);
	assert_memory_equal(s->heard.which, "abbbbcdefg", 10);
	for (size_t i = 0; i < 10; i++)
		ok(s->heard.err[i]);
	assert_int_equal(s->heard.bytes[0], 600);
	assert_int_equal(s->heard.bytes[1], 6);
	assert_int_equal(s->heard.bytes[9], 0);
	for (uint64_t i = 9; i <= 210; i++)
		assert_int_equal(has_page(s, i),
		    (i >= 10 && i < 20) || i == 30 || (i > 200 && i < 210));
	ok(us_store_scan_acts(s->reader, 0, see_act, acts));
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(acts[i].sequence, i);
		assert_int_equal(acts[i].prepared, i != 2);
		assert_int_equal(acts[i].entry, i == 2 ? 77 : UINT64_MAX);
	}
	assert_int_equal(acts[4].sequence, 0);
}

/* Nobody need hear of one. */
static void
heard_of_by_nobody(void **state)
{
	struct stage *s = *state;
	const struct us_write job = { .op = US_WRITE_ACT,
		.number = 1,
		.data = us_bytes_of("sealed") };

	ok(us_writer_put(s->writer, &job));
	ok(put(s, 'b', (struct us_write){ .op = US_WRITE_BARRIER }));
	hear(s, 1);
}

/* A job that is wrong is not done, and neither is what stands in its transaction. */
static void
wrong_jobs(void **state)
{
	struct stage *s = *state;

	ok(put(s, 'a',
	    (struct us_write){ .op = US_WRITE_PAGES,
		.key = { 1, 2, 1 },
		.data = us_bytes_of("xyz") }));
	hear(s, 1);
	assert_int_not_equal(s->heard.err[0], US_OK);
	assert_false(has_page(s, 1));
	ok(put(s, 'b', (struct us_write){ .op = US_WRITE_SETTLE_ACT, .number = 9, .entry = 1 }));
	hear(s, 2);
	assert_int_equal(s->heard.err[1], US_ERR_NOT_FOUND);
	ok(put(s, 'c', (struct us_write){ .op = (enum us_write_op)99 }));
	hear(s, 3);
	assert_int_not_equal(s->heard.err[2], US_OK);
	ok(put_page(s, 'd', 1));
	hear(s, 4);
	ok(s->heard.err[3]);
	assert_true(has_page(s, 1));
}

/* --- transactions ----------------------------------------------------------------------------- */

static int
put_large(struct stage *s, char name, const uint8_t *data, size_t n)
{
	return put(s, name,
	    (struct us_write){ .op = US_WRITE_ACT, .number = 1, .data = { data, n } });
}

static void
about_a_mebibyte_each(void **state)
{
	struct stage *s = *state;
	uint8_t *data = calloc(1, MEBI / 2);

	hold(1);
	ok(put_page(s, 'a', 1)); /* the thread waits with it */
	wait_for_begins(1);
	for (uint64_t i = 0; i < 8; i++)
		ok(put(s, 'b',
		    (struct us_write){ .op = US_WRITE_ACT,
			.number = i + 1,
			.data = { data, MEBI / 2 } }));
	hold(0);
	hear(s, 9);
	assert_int_equal(plan.commits, 1 + 4);
	for (size_t i = 0; i < 9; i++)
		ok(s->heard.err[i]);
	free(data);
}

/* Those of the transaction that found no room are told so, and nothing of it is there; the next
 * one goes its way. */
static void
no_room(void **state)
{
	struct stage *s = *state;

	hold(1);
	ok(put_page(s, 'a', 1));
	wait_for_begins(1);
	ok(put_page(s, 'b', 2));
	ok(put_page(s, 'c', 3));
	LOCKED(plan.commit_err = US_ERR_NOSPACE);
	hold(0);
	hear(s, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s->heard.err[i], US_ERR_NOSPACE);
		assert_int_equal(s->heard.bytes[i], 5);
		assert_false(has_page(s, i + 1));
	}
	LOCKED(plan.commit_err = US_OK);
	LOCKED(plan.put_err = US_ERR_NOSPACE);
	ok(put_page(s, 'd', 4));
	hear(s, 4);
	assert_int_equal(s->heard.err[3], US_ERR_NOSPACE);
	LOCKED(plan.put_err = US_OK);
	ok(put_page(s, 'e', 5));
	hear(s, 5);
	ok(s->heard.err[4]);
	assert_true(has_page(s, 5));
	assert_false(has_page(s, 4));
}

static void
too_much_is_not_queued(void **state)
{
	struct stage *s = *state;
	const size_t n = 48 * MEBI;
	uint8_t *data = calloc(1, n);
	size_t queued = 0;
	int err;

	hold(1);
	while ((err = put_large(s, 'a', data, n)) == US_OK) {
		queued++;
		assert_true(queued < 20);
	}
	assert_int_equal(err, US_ERR_BUSY);
	assert_true(queued > 1);
	hold(0);
	hear(s, queued); /* what was refused is not heard of */
	hold(1);
	for (size_t i = 0; i < queued; i++) /* there is as much room as before */
		ok(put_large(s, 'b', data, n));
	assert_int_equal(put_large(s, 'b', data, n), US_ERR_BUSY);
	hold(0);
	hear(s, 2 * queued);
	free(data);
}

static void
checkpoints(void **state)
{
	struct stage *s = *state;

	LOCKED(plan.pending = US_WRITER_CHECKPOINT - 1);
	ok(put_page(s, 'a', 1));
	hear(s, 1);
	assert_int_equal(plan.checkpoints, 0);
	assert_int_equal(us_writer_pending(s->writer), US_WRITER_CHECKPOINT - 1);
	LOCKED(plan.pending = US_WRITER_CHECKPOINT);
	ok(put_page(s, 'b', 2));
	hear(s, 2);
	assert_int_equal(plan.checkpoints, 1);
	assert_int_equal(us_writer_pending(s->writer), US_WRITER_CHECKPOINT);
	LOCKED(plan.checkpoint_err = US_ERR_BUSY); /* a reader is in the way: the next time */
	ok(put_page(s, 'c', 3));
	hear(s, 3);
	assert_int_equal(plan.checkpoints, 2);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* What is queued is done; nobody hears of it. */
static void
the_end_finishes(void **state)
{
	struct stage *s = *state;
	struct us_store_options o = { .create = 0 };
	struct us_write job = { .op = US_WRITE_PAGES,
		.key = { 1, 2, 7 },
		.data = { (const uint8_t *)"\0\1x", 3 } };
	char path[64];

	hold(1);
	ok(us_writer_put(s->writer, &job));
	wait_for_begins(1);
	for (job.key.number = 8; job.key.number < 100; job.key.number++)
		ok(us_writer_put(s->writer, &job));
	us_store_reader_close(s->reader);
	hold(0);
	us_writer_free(s->writer);
	assert_int_equal(s->heard.n, 0);
	(void)snprintf(path, sizeof path, "%s/store.db", s->dir);
	o.path = path;
	ok(us_store_open(&s->store, &o)); /* it was closed */
	ok(us_store_reader_open(&s->reader, s->store));
	for (uint64_t i = 7; i < 100; i++)
		assert_true(has_page(s, i));
	ok(us_writer_new(&s->writer, s->store, s->base));
	us_writer_free(NULL);
}

static void
fail_in(char *dir, int put_err, int commit_err, int checkpoint_err)
{
	void *state = dir;
	struct stage *s;

	in_child = 1;
	(void)close(STDERR_FILENO);
	(void)set_up(&state);
	s = state;
	LOCKED({
		plan.put_err = put_err;
		plan.commit_err = commit_err;
		plan.checkpoint_err = checkpoint_err;
		plan.pending = US_WRITER_CHECKPOINT;
	});
	(void)put_page(s, 'a', 1);
	hear(s, 1);
	_exit(0);
}

/* What is on the disk is not known any more: whoever asked hears nothing. */
static void
a_disk_that_fails(void **unused)
{
	static const int lethal[][3] = { { US_ERR_IO, US_OK, US_OK },
		{ US_ERR_FORMAT, US_OK, US_OK }, { US_ERR_STATE, US_OK, US_OK },
		{ US_OK, US_ERR_IO, US_OK }, { US_OK, US_ERR_BUSY, US_OK },
		{ US_OK, US_ERR_STATE, US_OK }, { US_OK, US_OK, US_ERR_IO } };

	(void)unused;
	for (size_t i = 0; i < sizeof lethal / sizeof lethal[0]; i++) {
		char dir[32];
		int status;
		pid_t pid;

		new_dir(dir);
		pid = fork(); /* before there is a thread, which would not be in it */
		assert_true(pid >= 0);
		if (pid == 0)
			fail_in(dir, lethal[i][0], lethal[i][1], lethal[i][2]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		remove_dir(dir);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
			fail_msg("case %zu: status %x", i, (unsigned)status);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_in_order),
		TEST(heard_of_by_nobody),
		TEST(wrong_jobs),
		TEST(about_a_mebibyte_each),
		TEST(no_room),
		TEST(too_much_is_not_queued),
		TEST(checkpoints),
		TEST(the_end_finishes),
		cmocka_unit_test(a_disk_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
