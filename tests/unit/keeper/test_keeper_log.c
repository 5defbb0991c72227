/* Goal: the log survives every way a process or a disk can stop it, and a log that lost or changed
 * anything that was signed does not start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "verify/verify.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "log/disk/klog.h"
#include "log/disk/worker.h"

/* The clock, which the linker puts here (--wrap): the real one, moved. */
static int64_t clock_offset_ns;
int64_t __real_us_time_now_ns(void);
int64_t __wrap_us_time_now_ns(void);

int64_t
__wrap_us_time_now_ns(void)
{
	return __real_us_time_now_ns() + clock_offset_ns;
}

struct world {
	char dir[64];
	uint8_t vault_id[32];
	uint8_t box_public[32];
	struct us_key *seed, *box, *box_private;
	unsigned syncs, fail_at;
};

static int
fault(void *arg, enum us_journal_op op)
{
	struct world *w = arg;

	return op == US_JOURNAL_SYNC && ++w->syncs == w->fail_at ? EIO : 0;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	(void)snprintf(w->dir, sizeof w->dir, "/tmp/us-keeper-log-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(chdir(w->dir), 0);
	assert_int_equal(us_random(w->vault_id, 32), US_OK);
	assert_int_equal(us_key_new(&w->seed), US_OK);
	assert_int_equal(us_key_new(&w->box), US_OK);
	assert_int_equal(us_key_new(&w->box_private), US_OK);
	assert_int_equal(us_key_random(w->seed), US_OK);
	assert_int_equal(us_key_random(w->box), US_OK);
	assert_int_equal(us_key_random(w->box_private), US_OK);
	assert_int_equal(us_x25519_public(w->box_private, w->box_public), US_OK);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	us_key_free(w->seed);
	us_key_free(w->box);
	us_key_free(w->box_private);
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static int
open_log(struct world *w, struct us_klog **log)
{
	const struct us_klog_options o = { .origin = "test.example/log",
		.vault_id = w->vault_id,
		.box_public = w->box_public,
		.seed = w->seed,
		.segment_size = 256 * 1024,
		.fault = fault,
		.arg = w };
	int err = us_klog_open(log, &o);

	if (err == US_OK)
		us_klog_set_box_key(*log, w->box);
	return err;
}

static void
append(struct us_klog *log, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct us_entry_access a;
		struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &a };
		uint64_t index;
		int64_t time_ns;

		us_entry_access_init(&a);
		a.kind = US_KIND_INTENT;
		a.action = US_ACTION_COUNT;
		a.decision = US_DECISION_ALLOW;
		assert_int_equal(us_klog_append(log, &e, &index, &time_ns), US_OK);
	}
}

/* Goal: when the clock jumps back, entries' times do not, and the operator hears of it once. */
static void
clock_that_jumps_back(void **state)
{
	const int64_t hour_ns = INT64_C(3600) * 1000000000;
	struct world *w = *state;
	struct us_klog *log;
	int64_t before;

	assert_int_equal(open_log(w, &log), US_OK);
	append(log, 2);
	before = us_klog_last_time(log);
	assert_int_equal(us_klog_clock_went_back(log), 0);
	clock_offset_ns = -hour_ns;
	append(log, 2);
	assert_true(us_klog_last_time(log) >= before);
	assert_int_equal(us_klog_clock_went_back(log), 1);
	assert_int_equal(us_klog_clock_went_back(log), 0);
	clock_offset_ns = hour_ns;
	append(log, 1);
	assert_true(us_klog_last_time(log) > before);
	assert_int_equal(us_klog_clock_went_back(log), 0);
	clock_offset_ns = 0;
	us_klog_close(log);
}

static int
serve(void *arg, const char *path, struct us_buf *out)
{
	const int err = us_klog_serve(arg, us_bytes_of(path), out);

	return err == US_ERR_FORMAT ? US_ERR_NOT_FOUND : err; /* it has no such file */
}

static void
verify(struct us_klog *log, uint64_t entries)
{
	const struct us_log_source source = { .arg = log, .get = serve };
	const struct us_verify_options options = { .vkey = us_klog_vkey(log) };
	struct us_verify_report report;

	assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
	if (report.verdict != US_VERDICT_OK)
		print_message("%s\n", report.detail);
	assert_int_equal(report.verdict, US_VERDICT_OK);
	assert_int_equal(report.entries, entries);
}

/* The name of the newest segment and where its groups end (zeros follow). */
static void
newest(char name[32], size_t *end)
{
	DIR *d = opendir("journal");
	struct dirent *e;
	unsigned char *p;
	FILE *f;
	size_t n;
	char path[64];

	name[0] = '\0';
	while ((e = readdir(d)) != NULL) {
		if (strlen(e->d_name) == 16 && strcmp(e->d_name, name) > 0)
			memcpy(name, e->d_name, 17);
	}
	(void)closedir(d);
	(void)snprintf(path, sizeof path, "journal/%s", name);
	p = malloc(256 * 1024);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(p, 1, 256 * 1024, f);
	(void)fclose(f);
	while (n > 0 && p[n - 1] == 0)
		n--;
	*end = n;
	free(p);
}

static void
poke(const char *name, size_t at, const char *bytes, size_t n)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "journal/%s", name);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
	(void)close(fd);
}

static void
goes_on_after_restart(void **state)
{
	struct world *w = *state;
	struct us_klog *log;

	for (unsigned round = 1; round <= 4; round++) {
		assert_int_equal(open_log(w, &log), US_OK);
		append(log, 60);
		assert_int_equal(us_klog_size(log), (round - 1) * 100);
		assert_int_equal(us_klog_commit(log), US_OK);
		append(log, 40);
		assert_int_equal(us_klog_commit(log), US_OK);
		verify(log, round * 100);
		us_klog_close(log);
	}
}

static void
uncommitted_entries_are_nowhere(void **state)
{
	struct world *w = *state;
	struct us_klog *log;

	assert_int_equal(open_log(w, &log), US_OK);
	append(log, 3);
	assert_int_equal(us_klog_commit(log), US_OK);
	append(log, 2);
	assert_int_equal(us_klog_size(log), 3);
	verify(log, 3);
	us_klog_close(log);
	assert_int_equal(open_log(w, &log), US_OK);
	verify(log, 3);
	us_klog_close(log);
}

static void
segments_roll_and_go(void **state)
{
	struct world *w = *state;
	struct us_klog *log;
	DIR *d;
	unsigned n = 0;

	assert_int_equal(open_log(w, &log), US_OK);
	for (unsigned i = 0; i < 60; i++) {
		append(log, 60);
		assert_int_equal(us_klog_commit(log), US_OK);
		(void)us_klog_tick(log);
	}
	for (unsigned i = 0; i < 100; i++)
		(void)us_klog_tick(log);
	verify(log, 3600);
	us_klog_close(log);
	d = opendir("journal");
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		n += strlen(e->d_name) == 16;
	(void)closedir(d);
	assert_in_range(n, 1, 3);
	assert_int_equal(open_log(w, &log), US_OK);
	verify(log, 3600);
	append(log, 1);
	assert_int_equal(us_klog_commit(log), US_OK);
	verify(log, 3601);
	us_klog_close(log);
}

/* A group that was never synced: cut at every length, it is ignored and the log goes on. */
static void
torn_tail_is_ignored(void **state)
{
	struct world *w = *state;
	static const char zeros[256 * 1024];
	struct us_klog *log;
	size_t before, after;
	char name[32];

	for (unsigned round = 0; round < 12; round++) {
		uint64_t size;

		assert_int_equal(open_log(w, &log), US_OK);
		append(log, 5);
		assert_int_equal(us_klog_commit(log), US_OK);
		size = us_klog_size(log);
		newest(name, &before);
		us_klog_close(log); /* notes the checkpoint over `size` */
		assert_int_equal(open_log(w, &log), US_OK);
		append(log, 2);
		assert_int_equal(us_klog_commit(log), US_OK);
		assert_int_equal(rename("checkpoint", "noted"), 0);
		us_klog_close(log);
		assert_int_equal(rename("noted", "checkpoint"), 0);
		newest(name, &after);
		assert_true(after > before);
		size_t keep = before + (after - before) * round / 12 + (round == 0 ? 1 : 0);
		poke(name, keep, zeros, after - keep);
		assert_int_equal(open_log(w, &log), US_OK);
		assert_int_equal(us_klog_size(log), size);
		append(log, 1);
		assert_int_equal(us_klog_commit(log), US_OK);
		verify(log, size + 1);
		us_klog_close(log);
	}
}

static void
signed_tail_is_missed(void **state)
{
	struct world *w = *state;
	static const char zeros[8];
	struct us_klog *log;
	size_t end;
	char name[32];

	assert_int_equal(open_log(w, &log), US_OK);
	append(log, 5);
	assert_int_equal(us_klog_commit(log), US_OK);
	append(log, 5);
	assert_int_equal(us_klog_commit(log), US_OK);
	us_klog_close(log);
	newest(name, &end);
	poke(name, end - 8, zeros, 8);
	assert_int_equal(open_log(w, &log), US_ERR_VERIFY);
	assert_int_equal(open_log(w, &log), US_ERR_VERIFY); /* and trying again does not help */
}

static void
damaged_middle_is_refused(void **state)
{
	struct world *w = *state;
	struct us_klog *log;
	char name[32];
	size_t end;

	assert_int_equal(open_log(w, &log), US_OK);
	for (unsigned i = 0; i < 3; i++) {
		append(log, 5);
		assert_int_equal(us_klog_commit(log), US_OK);
	}
	us_klog_close(log);
	assert_int_equal(unlink("checkpoint"), 0);
	newest(name, &end);
	poke(name, end / 2, "\xff\xfe\xfd\xfc", 4);
	assert_int_equal(open_log(w, &log), US_ERR_VERIFY);
}

static void
missing_segment_is_refused(void **state)
{
	struct world *w = *state;
	struct us_klog *log;
	char name[32], path[64];
	size_t end;

	assert_int_equal(open_log(w, &log), US_OK);
	for (unsigned i = 0; i < 20; i++) {
		append(log, 60);
		assert_int_equal(us_klog_commit(log), US_OK);
	}
	us_klog_close(log);
	newest(name, &end);
	(void)snprintf(path, sizeof path, "journal/%s", name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_log(w, &log), US_ERR_VERIFY);
}

/* The process ends at the sync that fails, whatever the group. */
static void
failed_sync_ends_the_process(void **state)
{
	struct world *w = *state;
	struct us_journal_options o = { .dir = "journal",
		.segment_size = 256 * 1024,
		.fault = fault,
		.arg = w };
	int status;

	assert_int_equal(mkdir("journal", 0700), 0);
	for (unsigned nth = 1; nth <= 4; nth++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct us_journal_tail tail;
			struct us_journal *j;

			w->fail_at = nth;
			if (us_worker_new(&o.worker) != US_OK)
				_exit(4);
			if (us_journal_open(&j, &o) != US_OK ||
			    us_journal_recover(j, NULL, NULL, &tail) != US_OK)
				_exit(3);
			for (unsigned i = 0; i < nth; i++) {
				const struct us_bytes entry = { (const uint8_t *)"\0\1x", 3 };

				tail.size++;
				(void)us_journal_commit(j, entry, 1, &tail);
			}
			_exit(2); /* a commit returned that did not sync */
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == US_EXIT_IO);
	}
}

static void
boot_entries_open_with_the_root(void **state)
{
	struct world *w = *state;
	struct us_key keys[US_BOXES];
	struct us_entry_view v;
	struct us_klog *log;
	struct us_buf entry, content;

	us_buf_init(&entry, US_ENTRY_MAX);
	us_buf_init(&content, US_ENTRY_MAX);
	assert_int_equal(open_log(w, &log), US_OK);
	us_klog_set_box_key(log, NULL);
	append(log, 1);
	us_klog_set_box_key(log, w->box);
	append(log, 1);
	assert_int_equal(us_klog_commit(log), US_OK);
	for (uint64_t i = 0; i < 2; i++) {
		us_buf_reset(&entry);
		us_buf_reset(&content);
		assert_int_equal(us_klog_entry_bytes(log, i, &entry), US_OK);
		assert_int_equal(us_entry_decode(&v, entry.data, entry.len), US_OK);
		assert_int_equal(v.boot, i == 0);
		assert_int_equal(us_klog_box_keys(log, (struct us_bytes){ entry.data, entry.len },
				     w->box_private, keys),
		    US_OK);
		assert_int_equal(us_entry_open(&v, US_BOX_ACCESS, &keys[US_BOX_ACCESS], &content),
		    US_OK);
	}
	us_buf_free(&entry);
	us_buf_free(&content);
	us_klog_close(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clock_that_jumps_back, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_after_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(uncommitted_entries_are_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(segments_roll_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(torn_tail_is_ignored, setup, teardown),
		cmocka_unit_test_setup_teardown(signed_tail_is_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_middle_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_segment_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(failed_sync_ends_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(boot_entries_open_with_the_root, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
