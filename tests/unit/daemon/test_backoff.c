/* Goal: what ends once is back at once; what goes on ending is tried about once a second; a second
 * of trouble is forgotten after some of life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/monitor/backoff.h"

/* Lives for ms, and ends. */
static int64_t
live(struct us_backoff *b, int64_t *now, int64_t ms)
{
	int64_t wait;

	us_backoff_started(b, *now);
	*now += ms;
	wait = us_backoff_ended(b, *now);
	*now += wait;
	return wait;
}

static void
again_and_again(void **state)
{
	static const int64_t waits[] = { 0, 100, 200, 400, 800, 1000, 1000, 1000 };
	struct us_backoff b = { 0 };
	int64_t now = 777;

	(void)state;
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
		assert_int_equal(live(&b, &now, 10), waits[i]);
	/* at most so many in a minute, whatever it lives up to its bound */
	for (int64_t life = 0; life < US_BACKOFF_LIFE_MS; life += 333) {
		const int64_t start = now;
		unsigned starts = 0;

		for (; now - start < 60000; starts++)
			(void)live(&b, &now, life);
		assert_in_range(starts, 10, 61);
	}
}

static void
life_is_a_new_beginning(void **state)
{
	struct us_backoff b = { 0 };
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		(void)live(&b, &now, 0);
	assert_int_equal(live(&b, &now, US_BACKOFF_LIFE_MS - 1), 1000);
	assert_int_equal(live(&b, &now, US_BACKOFF_LIFE_MS), 0);
	assert_int_equal(live(&b, &now, 0), 100);
	assert_int_equal(live(&b, &now, 100000), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(life_is_a_new_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
