/* The store: what is put comes back, commits are whole, and wrong files are refused. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/err.h"
#include "daemon/vault/store/store.h"

struct fixture {
	char dir[64];
	char path[128];
	struct us_store *store;
	struct us_store_reader *reader;
};

static struct us_store *
open_at(const char *path, int expected)
{
	struct us_store_options o = { .path = path, .create = 1 };
	struct us_store *s = NULL;

	assert_int_equal(us_store_open(&s, &o), expected);
	if (expected != US_OK)
		assert_null(s);
	return s;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->dir, "/tmp/us-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/store.db", f->dir);
	f->store = open_at(f->path, US_OK);
	assert_int_equal(us_store_reader_open(&f->reader, f->store), US_OK);
	*state = f;
	return 0;
}

static void
reopen(struct fixture *f)
{
	us_store_reader_close(f->reader);
	us_store_close(f->store);
	f->store = open_at(f->path, US_OK);
	assert_int_equal(us_store_reader_open(&f->reader, f->store), US_OK);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	us_store_reader_close(f->reader);
	us_store_close(f->store);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void
fill(uint8_t *page, size_t n, uint64_t seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		page[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static void
put(struct us_store *s, uint32_t collection, uint8_t kind, uint64_t number, size_t n)
{
	struct us_store_key key = { collection, kind, number };
	uint8_t *page = malloc(n);

	assert_non_null(page);
	fill(page, n, number);
	assert_int_equal(us_store_put(s, &key, (struct us_bytes){ page, n }), US_OK);
	free(page);
}

static void
expect(struct us_store_reader *r, uint32_t collection, uint8_t kind, uint64_t number, size_t n)
{
	struct us_store_key key = { collection, kind, number };
	struct us_buf b;
	uint8_t *page = malloc(n + 1);

	us_buf_init(&b, US_STORE_PAGE_MAX);
	assert_int_equal(us_store_get(r, &key, &b), n == 0 ? US_ERR_NOT_FOUND : US_OK);
	assert_int_equal(b.len, n);
	fill(page, n, number);
	if (n > 0)
		assert_memory_equal(b.data, page, n);
	us_buf_free(&b);
	free(page);
}

static void
test_put_get(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(us_store_begin(f->store), US_OK);
	assert_int_equal(us_store_begin(f->store), US_ERR_STATE);
	put(f->store, 1, 0, 0, 1);
	put(f->store, 1, 0, US_STORE_NUMBER_MAX, US_STORE_PAGE_FAST);
	put(f->store, US_STORE_COLLECTION_MAX, 255, US_STORE_NUMBER_MAX, 100000);
	put(f->store, 1, 1, 0, 7);
	expect(f->reader, 1, 0, 0, 0); /* not committed: not seen */
	assert_int_equal(us_store_commit(f->store), US_OK);
	expect(f->reader, 1, 0, 0, 1);
	reopen(f);
	expect(f->reader, 1, 0, 0, 1);
	expect(f->reader, 1, 0, US_STORE_NUMBER_MAX, US_STORE_PAGE_FAST);
	expect(f->reader, US_STORE_COLLECTION_MAX, 255, US_STORE_NUMBER_MAX, 100000);
	expect(f->reader, 1, 1, 0, 7);
	expect(f->reader, 1, 2, 0, 0);
}

static void
test_limits(void **state)
{
	struct fixture *f = *state;
	struct us_store_key key = { 0, 0, 0 };
	uint8_t byte = 1;
	struct us_bytes page = { &byte, 1 };

	key.collection = 1;
	assert_int_equal(us_store_put(f->store, &key, page), US_ERR_STATE);
	assert_int_equal(us_store_begin(f->store), US_OK);
	key.collection = 0;
	assert_int_equal(us_store_put(f->store, &key, page), US_ERR_RANGE);
	key.collection = US_STORE_COLLECTION_MAX + 1;
	assert_int_equal(us_store_put(f->store, &key, page), US_ERR_RANGE);
	key.collection = 1;
	key.number = US_STORE_NUMBER_MAX + 1;
	assert_int_equal(us_store_put(f->store, &key, page), US_ERR_RANGE);
	key.number = 0;
	page.n = 0;
	assert_int_equal(us_store_put(f->store, &key, page), US_ERR_LIMIT);
	us_store_rollback(f->store);
	assert_int_equal(us_store_commit(f->store), US_ERR_STATE);
}

struct seen {
	size_t n;
	uint64_t last;
	size_t missing;
	int stop_after;
};

static int
count_page(void *ctx, const struct us_store_key *key, struct us_bytes page)
{
	struct seen *s = ctx;

	if (page.p == NULL)
		s->missing++;
	else
		assert_int_equal(page.n, 100 + key->number % 10);
	s->n++;
	s->last = key->number;
	return s->stop_after != 0 && s->n == (size_t)s->stop_after ? US_ERR_LIMIT : US_OK;
}

static void
test_scan_delete(void **state)
{
	struct fixture *f = *state;
	struct us_store_key from = { 2, 3, 10 };
	struct us_store_key keys[3] = { { 2, 3, 99 }, { 2, 3, 5000 }, { 2, 3, 1 } };
	struct seen s = { 0 };
	size_t deleted;
	uint64_t i;

	assert_int_equal(us_store_begin(f->store), US_OK);
	for (i = 0; i < 200; i++) {
		put(f->store, 2, 3, i, 100 + i % 10);
		put(f->store, 2, 4, i, 50);
		put(f->store, 3, 3, i, 50);
	}
	assert_int_equal(us_store_commit(f->store), US_OK);
	assert_int_equal(us_store_scan(f->reader, &from, 19, count_page, &s), US_OK);
	assert_int_equal(s.n, 10);
	assert_int_equal(s.last, 19);
	s = (struct seen){ .stop_after = 3 };
	assert_int_equal(us_store_scan(f->reader, &from, US_STORE_NUMBER_MAX, count_page, &s),
	    US_ERR_LIMIT);
	assert_int_equal(s.last, 12);
	s = (struct seen){ 0 };
	assert_int_equal(us_store_get_many(f->reader, keys, 3, count_page, &s), US_OK);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.missing, 1);
	assert_int_equal(s.last, 1);

	assert_int_equal(us_store_begin(f->store), US_OK);
	assert_int_equal(us_store_delete(f->store, &from, 199, 64, &deleted), US_OK);
	assert_int_equal(deleted, 64);
	assert_int_equal(us_store_delete(f->store, &from, 199, 1000, &deleted), US_OK);
	assert_int_equal(deleted, 126);
	assert_int_equal(us_store_commit(f->store), US_OK);
	s = (struct seen){ 0 };
	from.number = 0;
	assert_int_equal(us_store_scan(f->reader, &from, US_STORE_NUMBER_MAX, count_page, &s),
	    US_OK);
	assert_int_equal(s.n, 10);
	expect(f->reader, 2, 4, 50, 50);
	expect(f->reader, 3, 3, 50, 50);
}

static int
check_act(void *ctx, const struct us_store_act *act)
{
	struct seen *s = ctx;

	assert_int_equal(act->sequence, s->last + 1);
	assert_int_equal(act->sealed.n, act->sequence);
	assert_true(act->entry == (act->sequence == 4 && !act->prepared ? 77 : UINT64_MAX));
	s->last = act->sequence;
	s->missing += act->prepared != 0;
	return US_OK;
}

static void
test_acts(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[16] = { 7 };
	struct seen s = { 0 };
	uint64_t i;

	assert_int_equal(us_store_begin(f->store), US_OK);
	for (i = 1; i <= 5; i++)
		assert_int_equal(us_store_put_act(f->store, i, i >= 4,
				     (struct us_bytes){ bytes, i }),
		    US_OK);
	assert_int_equal(us_store_put_act(f->store, 3, 0, (struct us_bytes){ bytes, 3 }),
	    US_ERR_EXISTS);
	assert_int_equal(us_store_put_act(f->store, 0, 0, (struct us_bytes){ bytes, 3 }),
	    US_ERR_RANGE);
	assert_int_equal(us_store_commit(f->store), US_OK);
	reopen(f);
	assert_int_equal(us_store_scan_acts(f->reader, 0, check_act, &s), US_OK);
	assert_int_equal(s.last, 5);
	assert_int_equal(s.missing, 2);
	assert_int_equal(us_store_begin(f->store), US_OK);
	assert_int_equal(us_store_settle_act(f->store, 4, 77), US_OK);
	assert_int_equal(us_store_settle_act(f->store, 9, 78), US_ERR_NOT_FOUND);
	assert_int_equal(us_store_drop_acts(f->store, 5), US_OK);
	assert_int_equal(us_store_commit(f->store), US_OK);
	s = (struct seen){ 0 };
	assert_int_equal(us_store_scan_acts(f->reader, 0, check_act, &s), US_OK);
	assert_int_equal(s.last, 4);
	assert_int_equal(s.missing, 0);
}

static void
test_rollback(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(us_store_begin(f->store), US_OK);
	put(f->store, 1, 0, 1, 10);
	us_store_rollback(f->store);
	expect(f->reader, 1, 0, 1, 0);
	assert_int_equal(us_store_begin(f->store), US_OK);
	put(f->store, 1, 0, 2, 10);
	reopen(f); /* closing rolls back */
	expect(f->reader, 1, 0, 2, 0);
}

/* A process killed in the middle leaves exactly what it had committed. */
static void
test_killed(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	int status, round;

	us_store_reader_close(f->reader);
	us_store_close(f->store);
	f->store = NULL;
	f->reader = NULL;
	for (round = 0; round < 5; round++) {
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			struct us_store *s = open_at(f->path, US_OK);

			(void)us_store_begin(s);
			put(s, 1, 0, (uint64_t)round, 12000);
			if (us_store_commit(s) != US_OK)
				_exit(1);
			(void)us_store_begin(s);
			put(s, 1, 1, (uint64_t)round, 12000);
			_exit(0); /* as good as killed: nothing is closed */
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	f->store = open_at(f->path, US_OK);
	assert_int_equal(us_store_reader_open(&f->reader, f->store), US_OK);
	for (round = 0; round < 5; round++) {
		expect(f->reader, 1, 0, (uint64_t)round, 12000);
		expect(f->reader, 1, 1, (uint64_t)round, 0);
	}
}

static void
test_second_process(void **state)
{
	struct fixture *f = *state;

	/* flock belongs to the open file: a second open is a second owner, also in one process */
	assert_null(open_at(f->path, US_ERR_BUSY));
	reopen(f);
}

static void
test_checkpoint(void **state)
{
	struct fixture *f = *state;
	uint64_t i;

	assert_int_equal(us_store_begin(f->store), US_OK);
	for (i = 0; i < 64; i++)
		put(f->store, 1, 0, i, US_STORE_PAGE_FAST);
	assert_int_equal(us_store_commit(f->store), US_OK);
	assert_true(us_store_pending(f->store) >= 64 * 16384);
	assert_int_equal(us_store_checkpoint(f->store), US_OK);
	assert_int_equal(us_store_pending(f->store), 0);
	expect(f->reader, 1, 0, 63, US_STORE_PAGE_FAST);
}

static void
test_foreign_file(void **state)
{
	struct fixture *f = *state;
	char path[160];
	int fd, i;
	static const char text[] = "this is certainly not a database, whatever its name may be\n";

	snprintf(path, sizeof path, "%s/other.db", f->dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	for (i = 0; i < 100; i++)
		assert_true(write(fd, text, sizeof text) == (ssize_t)sizeof text);
	close(fd);
	assert_null(open_at(path, US_ERR_FORMAT));
}

/* Puts a number into the header of the (closed) database file. */
static void
patch_header(const char *path, off_t at, uint32_t value)
{
	uint8_t b[4];
	int fd = open(path, O_WRONLY);

	us_store_u32(b, value);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, b, 4, at), 4);
	close(fd);
}

/* Offsets of user_version and application_id: https://www.sqlite.org/fileformat2.html */
static void
test_other_version(void **state)
{
	struct fixture *f = *state;

	us_store_reader_close(f->reader);
	us_store_close(f->store);
	f->reader = NULL;
	patch_header(f->path, 60, 99);
	f->store = open_at(f->path, US_ERR_RANGE);
	patch_header(f->path, 60, 1);
	patch_header(f->path, 68, 12345);
	f->store = open_at(f->path, US_ERR_FORMAT);
}

/* No room: the transaction is gone, what was there stays, and when there is room it goes on. */
static void
test_no_room(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, limit;
	struct us_store_key key = { 1, 0, 0 };
	static uint8_t page[16000];
	int err = US_OK;

	assert_int_equal(us_store_begin(f->store), US_OK);
	put(f->store, 1, 1, 1, 100);
	assert_int_equal(us_store_commit(f->store), US_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 2 * 1024 * 1024;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	memset(page, 9, sizeof page);
	assert_int_equal(us_store_begin(f->store), US_OK);
	for (key.number = 0; key.number < 4000 && err == US_OK; key.number++)
		err = us_store_put(f->store, &key, (struct us_bytes){ page, sizeof page });
	if (err == US_OK)
		err = us_store_commit(f->store);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	/* the kernel says EFBIG here, ENOSPC on a full disk: the one is IO, the other NOSPACE */
	assert_true(err == US_ERR_NOSPACE || err == US_ERR_IO);
	reopen(f);
	expect(f->reader, 1, 1, 1, 100);
	expect(f->reader, 1, 0, 0, 0);
	assert_int_equal(us_store_begin(f->store), US_OK);
	put(f->store, 1, 1, 2, 100);
	assert_int_equal(us_store_commit(f->store), US_OK);
}

/* --- where nobody may pass the directories above ---------------------------------------------- */

/* In a child that is in the directory, and whose user may not pass the one above it. */
static int
work_below(const char *above)
{
	struct us_store_options o = { .path = "store.db", .create = 1 };
	struct us_store_reader *r = NULL;
	struct us_store *s = NULL;
	struct stat st;
	char name[160];

	if (chdir(above) != 0 || mkdir("own", 0700) != 0 ||
	    (geteuid() == 0 && chown("own", 65534, 65534) != 0) || chdir("own") != 0 ||
	    chmod("..", 0) != 0 || (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)))
		return 1;
	(void)snprintf(name, sizeof name, "%s/own", above);
	if (stat(name, &st) == 0)
		return 2; /* then it would show nothing */
	for (int again = 0; again < 2; again++) {
		if (us_store_open(&s, &o) != US_OK || us_store_reader_open(&r, s) != US_OK)
			return 3;
		if (us_store_begin(s) != US_OK)
			return 4;
		put(s, 1, 1, (uint64_t)again, 100);
		if (us_store_commit(s) != US_OK || stat("store.db-wal", &st) != 0 ||
		    st.st_size == 0)
			return 5;
		for (int i = 0; i <= again; i++)
			expect(r, 1, 1, (uint64_t)i, 100);
		if (us_store_checkpoint(s) != US_OK)
			return 6;
		us_store_reader_close(r);
		us_store_close(s);
	}
	return 0;
}

static void
test_private_parent(void **state)
{
	struct fixture *f = *state;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(work_below(f->dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A bare name leads nowhere else: not the store's, not that of a file beside it. */
static void
test_links(void **state)
{
	static const char *const names[] = { "bare.db", "bare.db-wal", "bare.db-shm" };
	struct us_store_options o = { .path = "bare.db", .create = 1 };
	struct fixture *f = *state;
	int home = open(".", O_RDONLY | O_DIRECTORY);
	struct us_store *s;

	assert_int_equal(chdir(f->dir), 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(symlink("elsewhere", names[i]), 0);
		assert_int_not_equal(us_store_open(&s, &o), US_OK);
		assert_null(s);
		assert_int_not_equal(access("elsewhere", F_OK), 0);
		assert_int_equal(unlink(names[i]), 0);
		(void)unlink("bare.db");
	}
	assert_int_equal(us_store_open(&s, &o), US_OK);
	us_store_close(s);
	assert_int_equal(fchdir(home), 0);
	(void)close(home);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_put_get),
		T(test_limits),
		T(test_scan_delete),
		T(test_acts),
		T(test_rollback),
		T(test_killed),
		T(test_second_process),
		T(test_checkpoint),
		T(test_foreign_file),
		T(test_other_version),
		T(test_no_room),
		T(test_private_parent),
		T(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
