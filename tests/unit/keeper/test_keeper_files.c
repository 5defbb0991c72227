/* Goal: a disk that fills up takes nothing from what the log has in reserve, and its end is clear;
 * and no file of a log that is being written is removed, exchanged or changed without the process
 * noticing, naming it, and ending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/export.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "log/disk/klog.h"

#define SEGMENT (256u * 1024u)

struct world {
	char dir[64];
	uint8_t vault_id[32];
	uint8_t box_public[32];
	struct us_key *seed, *box;
	uint8_t keys[2][US_KEY_SIZE]; /* the same: a fork wipes the memory of keys */
	atomic_int full;              /* the disk gives nothing more; asked by two threads */
};

/* The log of a process that ends in the middle: the leak checker must see it. */
static struct us_klog *klog;

static int
fault(void *arg, enum us_journal_op op)
{
	struct world *w = arg;

	return w->full && (op == US_JOURNAL_ALLOCATE || op == US_JOURNAL_FILE) ? ENOSPC : 0;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	(void)snprintf(w->dir, sizeof w->dir, "/tmp/us-keeper-files-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(chdir(w->dir), 0);
	assert_int_equal(us_random(w->vault_id, 32), US_OK);
	assert_int_equal(us_key_new(&w->seed), US_OK);
	assert_int_equal(us_key_new(&w->box), US_OK);
	assert_int_equal(us_key_random(w->seed), US_OK);
	assert_int_equal(us_key_random(w->box), US_OK);
	assert_int_equal(us_x25519_public(w->box, w->box_public), US_OK);
	memcpy(w->keys[0], w->seed->b, US_KEY_SIZE);
	memcpy(w->keys[1], w->box->b, US_KEY_SIZE);
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
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static struct us_klog *
open_log(struct world *w)
{
	const struct us_klog_options o = { .origin = "test.example/log",
		.vault_id = w->vault_id,
		.box_public = w->box_public,
		.seed = w->seed,
		.segment_size = SEGMENT,
		.fault = fault,
		.arg = w };
	struct us_klog *opened;

	memcpy(w->seed->b, w->keys[0], US_KEY_SIZE);
	memcpy(w->box->b, w->keys[1], US_KEY_SIZE);
	assert_int_equal(us_klog_open(&opened, &o), US_OK);
	us_klog_set_box_key(opened, w->box);
	return opened;
}

static void
append(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct us_entry_access a;
		struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &a };
		uint64_t index;
		int64_t time_ns;

		us_entry_access_init(&a);
		a.kind = US_KIND_INTENT;
		a.action = US_ACTION_COUNT;
		a.decision = US_DECISION_DENY;
		a.reason = US_REASON_NOT_IN_ORDER;
		assert_int_equal(us_klog_append(klog, &e, &index, &time_ns), US_OK);
	}
	assert_int_equal(us_klog_commit(klog), US_OK);
}

/* Until nothing is on its way to the disk. */
static void
settle(void)
{
	while (us_klog_tick(klog))
		(void)usleep(1000);
}

/* And the newest checkpoint stands in its file. */
static void
settle_with_checkpoint(void)
{
	const struct us_bytes want = us_klog_checkpoint(klog);
	uint8_t text[4096];
	ssize_t n;

	do {
		int fd;

		settle();
		(void)usleep(1000);
		fd = open("checkpoint", O_RDONLY);
		n = fd < 0 ? -1 : read(fd, text, sizeof text);
		if (fd >= 0)
			(void)close(fd);
	} while (n != (ssize_t)want.n || memcmp(text, want.p, want.n) != 0);
}

/* Runs in a process of its own until that ends: its exit status. said: what it wrote to stderr;
 * committed: how many entries it committed. */
static int
in_child(struct world *w, void (*run)(struct world *w, int report), char said[4096],
    uint64_t *committed)
{
	int err_pipe[2], log_pipe[2], status;
	size_t n = 0;
	ssize_t r;
	pid_t pid;

	assert_int_equal(pipe(err_pipe), 0);
	assert_int_equal(pipe(log_pipe), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(err_pipe[1], STDERR_FILENO);
		(void)close(err_pipe[0]);
		(void)close(log_pipe[0]);
		run(w, log_pipe[1]);
		_exit(99); /* it went on */
	}
	(void)close(err_pipe[1]);
	(void)close(log_pipe[1]);
	*committed = 0;
	for (uint64_t x; read(log_pipe[0], &x, sizeof x) == (ssize_t)sizeof x;)
		*committed = x;
	while (n < 4095 && (r = read(err_pipe[0], said + n, 4095 - n)) > 0)
		n += (size_t)r;
	said[n] = '\0';
	(void)close(err_pipe[0]);
	(void)close(log_pipe[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* --- the reserve ---------------------------------------------------------------------------- */

/* The disk fills up after some 100 entries; then refusals alone, one a group, until it ends. */
static void
refuse_until_the_end(struct world *w, int report)
{
	uint64_t room, size;

	klog = open_log(w);
	append(100);
	while (us_klog_room(klog) < SEGMENT) /* the next one is on its way */
		settle();
	w->full = 1;
	room = us_klog_room(klog);
	for (;;) {
		append(1);
		(void)us_klog_tick(klog);
		size = us_klog_size(klog);
		if (write(report, &size, sizeof size) != (ssize_t)sizeof size)
			_exit(97);
		if (us_klog_room(klog) > room)
			_exit(96);
		room = us_klog_room(klog);
	}
}

static void
full_disk_takes_nothing_from_the_reserve(void **state)
{
	struct world *w = *state;
	char said[4096];
	uint64_t committed;

	assert_int_equal(in_child(w, refuse_until_the_end, said, &committed), US_EXIT_IO);
	assert_non_null(strstr(said, "the log's disk is full, and its reserve is used up"));
	/* a whole segment of them at least: a refusal alone in its group takes 1,200 bytes at
	 * most */
	assert_true(committed >= 100 + SEGMENT / 1200);
	w->full = 0;
	klog = open_log(w);
	assert_int_equal(us_klog_size(klog), committed);
	append(1);
	settle();
	us_klog_close(klog);
}

/* With files waiting in memory the log is read as ever, and they are written when there is room
 * again. */
static void
files_wait_for_room(void **state)
{
	struct world *w = *state;
	struct us_digest proof[US_PROOF_MAX];
	struct us_buf entry;
	struct stat st;
	size_t n;

	us_buf_init(&entry, US_ENTRY_MAX);
	klog = open_log(w);
	append(10);
	settle();
	assert_false(us_klog_is_short(klog));
	w->full = 1;
	append(300);
	(void)us_klog_tick(klog);
	assert_true(us_klog_is_short(klog));
	assert_int_not_equal(stat("tile", &st), 0);
	assert_int_equal(us_klog_entry_bytes(klog, 5, &entry), US_OK);
	assert_int_equal(us_klog_proof(klog, 5, proof, &n), US_OK);
	us_klog_watch(klog);
	w->full = 0;
	while (us_klog_is_short(klog)) {
		(void)us_klog_tick(klog);
		(void)usleep(10000);
	}
	settle();
	assert_int_equal(stat("tile/0/000", &st), 0);
	assert_int_equal(stat("tile/entries/000", &st), 0);
	us_klog_watch(klog);
	us_klog_close(klog);
	us_buf_free(&entry);
}

/* A log that was closed while its disk was full opens again, on the same disk, with the same
 * reserve. */
static void
reserve_outlives_a_restart(void **state)
{
	struct world *w = *state;
	struct stat before, after;

	klog = open_log(w);
	append(10);
	settle();
	us_klog_close(klog);
	assert_int_equal(stat("journal/next", &before), 0);
	assert_int_equal(before.st_size, SEGMENT);
	assert_true((uint64_t)before.st_blocks * 512 >= SEGMENT);
	klog = open_log(w);
	append(10);
	settle();
	assert_int_equal(stat("journal/next", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	us_klog_close(klog);
}

/* --- files that are touched ----------------------------------------------------------------- */

enum touch { REMOVE, EXCHANGE, CUT, GROW, FLIP };

static struct {
	const char *file; /* "": the newest segment */
	enum touch how;
	int at_commit; /* else at the look of the tick */
	const char *says;
} touched;

static void
newest_segment(char path[64])
{
	FILE *f = popen("ls journal | grep -v next | tail -1", "r");
	char name[32] = "";

	assert_non_null(f);
	assert_non_null(fgets(name, sizeof name, f));
	(void)pclose(f);
	name[strcspn(name, "\n")] = '\0';
	(void)snprintf(path, 64, "journal/%s", name);
}

static void
touch(const char *path)
{
	char command[512];
	struct stat st;
	uint8_t byte;
	int fd;

	switch (touched.how) {
	case REMOVE:
		(void)snprintf(command, sizeof command, "rm -r %s", path);
		assert_int_equal(system(command), 0);
		break;
	case EXCHANGE:
		(void)snprintf(command, sizeof command, "cp -rp %s %s.x && rm -r %s && mv %s.x %s",
		    path, path, path, path, path);
		assert_int_equal(system(command), 0);
		break;
	case CUT:
	case GROW:
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, st.st_size + (touched.how == CUT ? -1 : 1)), 0);
		break;
	case FLIP:
		fd = open(path, O_RDWR);
		assert_true(fd >= 0);
		assert_int_equal(pread(fd, &byte, 1, 20), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, 20), 1);
		(void)close(fd);
		break;
	}
}

static void
touch_and_go_on(struct world *w, int report)
{
	char path[64];

	(void)report;
	klog = open_log(w);
	for (unsigned i = 0; i < 300; i++)
		append(2);
	settle_with_checkpoint();
	for (unsigned i = 0; i < 10; i++)
		us_klog_watch(klog);
	(void)fprintf(stderr, "whole\n");
	(void)snprintf(path, sizeof path, "%s", touched.file);
	if (path[0] == '\0')
		newest_segment(path);
	touch(path);
	if (touched.at_commit)
		append(1);
	else
		for (unsigned i = 0; i < 10; i++)
			us_klog_watch(klog);
}

static void
touched_files_are_noticed(void **state)
{
	static const struct {
		const char *file;
		enum touch how;
		int at_commit;
		const char *says;
	} cases[] = {
		{ "", REMOVE, 1, "was removed" },
		{ "", EXCHANGE, 1, "was exchanged for another file" },
		{ "", CUT, 1, "has another size" },
		{ "", GROW, 1, "has another size" },
		{ "journal", REMOVE, 1, "was removed" },
		{ "journal", EXCHANGE, 0, "the directory journal/ was removed or exchanged" },
		{ "checkpoint", REMOVE, 0, "checkpoint was removed" },
		{ "checkpoint", CUT, 0, "checkpoint was changed" },
		{ "checkpoint", FLIP, 0, "checkpoint was changed" },
		{ "tile/0/000", REMOVE, 0, "tile/0/000 was removed" },
		{ "tile/0/001", FLIP, 0, "tile/0/001 was changed" },
		{ "tile/0/001", CUT, 0, "tile/0/001 was changed" },
		{ "tile/entries/001", REMOVE, 0, "tile/entries/001 was removed" },
		{ "tile/entries/000", FLIP, 0, "tile/entries/000 was changed" },
		{ "tile/entries/001", CUT, 0, "tile/entries/001 was changed" },
	};
	char said[4096];
	uint64_t committed;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		touched.file = cases[i].file;
		touched.how = cases[i].how;
		touched.at_commit = cases[i].at_commit;
		if (in_child(*state, touch_and_go_on, said, &committed) != US_EXIT_IO ||
		    strstr(said, "whole\n") == NULL || strstr(said, cases[i].says) == NULL)
			fail_msg("case %zu (%s): %s", i, cases[i].file, said);
		assert_int_equal(system("rm -rf *"), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_disk_takes_nothing_from_the_reserve, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(files_wait_for_room, setup, teardown),
		cmocka_unit_test_setup_teardown(reserve_outlives_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(touched_files_are_noticed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
