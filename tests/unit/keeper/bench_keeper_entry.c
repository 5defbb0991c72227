/* Goal: what a read costs in the keeper, measured over its own socket; prints, asserts only that it
 * works. Run with UNDERSEAL_BENCH=1 for a longer measurement. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "rig.h"

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu_of(pid_t pid)
{
	char path[64], text[512];
	unsigned long user, system_time;
	const char *p;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	n = fread(text, 1, sizeof text - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (p == NULL ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&system_time) != 2)
		return 0;
	return (double)(user + system_time) / 100.0;
}

static void
measure(struct rig *r, unsigned rounds, unsigned group)
{
	uint8_t record[8];
	struct us_msg_logged l;
	struct us_msg_log m;
	double wall = seconds(), cpu = cpu_of(r->pid);

	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned g = 0; g < group; g++) {
			us_store_u64(record, (i * group + g) * 7919 % 5000);
			rig_log_init(r, &m, RIG_ATTORNEY);
			m.kind = US_KIND_DISCLOSURE;
			m.action = US_ACTION_READ;
			m.collection = 1;
			m.records = (struct us_bytes){ record, 8 };
			rig_send(r->vault, US_MSG_log,
			    (us_encode_fn)(void (*)(void))us_msg_log_encode, &m);
		}
		for (unsigned g = 0; g < group; g++) {
			assert_true(rig_read(r, r->vault, US_MSG_logged));
			assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len),
			    US_OK);
			assert_int_equal(l.err, US_OK);
			assert_int_equal(l.record_keys.n, 48);
		}
	}
	wall = seconds() - wall;
	cpu = cpu_of(r->pid) - cpu;
	print_message("%u in flight: %.0f entries/s, %.1f us of CPU an entry (system calls and "
		      "sync included)\n",
	    group, rounds * group / wall, cpu * 1e6 / (rounds * group));
}

/* limits: that the order has instead of its own, or NULL. */
static void
run(const char *limits)
{
	const unsigned scale = getenv("UNDERSEAL_BENCH") != NULL ? 20 : 1;
	struct rig r;
	double before;

	rig_create_order(&r,
	    (const char *const[]){ limits == NULL ? NULL : "      records_per_request: 1000\n",
		limits, NULL });
	rig_start(&r, "");
	rig_open(&r);
	rig_load(&r, 5000);
	measure(&r, 200 * scale, 1);
	measure(&r, 20 * scale, 64);
	measure(&r, 5 * scale, 512);
	before = seconds();
	(void)rig_stop(&r, SIGKILL);
	rig_start(&r, "");
	print_message("ready %.2f s after a kill, with %llu entries in the log\n",
	    seconds() - before, (unsigned long long)r.tree_size);
	before = seconds();
	rig_open(&r);
	print_message("open %.2f s later: the ledger is there\n", seconds() - before);
	rig_destroy(&r);
}

static void
entries(void **state)
{
	(void)state;
	run(NULL);
}

static void
entries_under_limits(void **state)
{
	(void)state;
	run("      per_day: 100000\n      life: 1000000\n      consecutive: 10000\n      per: "
	    "party\n");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(entries),
		cmocka_unit_test(entries_under_limits) };

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
