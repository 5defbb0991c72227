/* Goal: what the profile remembers of batches is what was added, in the same file for the next run;
 * what a hand-over lost is forgotten, and a line that is not understood is no batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/core/profile.h"
#include "client/log/batches.h"
#include "base/err.h"

static char directory[] = "/tmp/us-batches-XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL;
}

static int
tear_down(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/batches", directory);
	(void)unlink(path);
	return rmdir(directory);
}

static void
remembers(void **state)
{
	const struct us_proven_batch first = { 1, 0, 70, { 1 } }, second = { 1, 2, 90, { 2 } };
	struct us_proven_batches all, again;
	struct us_buf text;

	(void)state;
	assert_int_equal(us_proven_batches_read(&all, directory), US_OK);
	assert_int_equal(all.n, 0);
	us_proven_batches_add(&all, &first);
	us_proven_batches_add(&all, &second);
	assert_int_equal(us_proven_batches_read(&again, directory), US_OK);
	assert_int_equal(again.n, 2);
	assert_memory_equal(us_proven_batches_find(&again, 1, 2)->root, second.root, 32);
	assert_int_equal(us_proven_batches_find(&again, 1, 0)->entry, 70);
	assert_null(us_proven_batches_find(&again, 2, 0));
	us_proven_batches_free(&again);
	assert_int_equal(us_proven_batches_forget(directory, 90), US_OK);
	assert_int_equal(us_proven_batches_read(&again, directory), US_OK);
	assert_int_equal(again.n, 1);
	assert_null(us_proven_batches_find(&again, 1, 2));
	us_proven_batches_free(&again);
	us_proven_batches_free(&all);

	us_buf_init(&text, 4096);
	assert_int_equal(us_profile_read(directory, "batches", 4096, &text), US_OK);
	assert_int_equal(us_buf_putf(&text, "7 8 nonsense\n1 3 4 00ff\n\n"), US_OK);
	assert_int_equal(us_profile_write(directory, "batches", text.data, text.len), US_OK);
	us_buf_free(&text);
	assert_int_equal(us_proven_batches_read(&again, directory), US_OK);
	assert_int_equal(again.n, 1);
	us_proven_batches_free(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(remembers) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
