/* Goal: a load and a batch go where the diagrams of daemon/sealer/internal.h have them, and nowhere
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "daemon/sealer/internal.h"
#include "tests/unit/transitions_check.h"

static void
test_load(void **state)
{
	static const struct us_expected_move moves[] = {
		{ LOAD_STARTING, LOAD_OPEN },
		{ LOAD_STARTING, LOAD_FINISHING },
		{ LOAD_STARTING, LOAD_ABORTING },
		{ LOAD_OPEN, LOAD_FINISHING },
		{ LOAD_OPEN, LOAD_ABORTING },
	};

	(void)state;
	assert_int_equal(us_sealer_load_transitions.n, LOAD_ABORTING + 1);
	us_check_transitions(&us_sealer_load_transitions, moves, US_COUNT(moves));
}

static void
test_batch(void **state)
{
	static const struct us_expected_move moves[] = {
		{ BATCH_FILLING, BATCH_DICTIONARY },
		{ BATCH_FILLING, BATCH_KEYS },
		{ BATCH_DICTIONARY, BATCH_FILLING },
		{ BATCH_KEYS, BATCH_KEYS }, /* other numbers are asked for: an era ends within */
		{ BATCH_KEYS, BATCH_SEALING },
		{ BATCH_SEALING, BATCH_SEALED },
		{ BATCH_SEALED, BATCH_STORED },
	};

	(void)state;
	assert_int_equal(us_sealer_batch_transitions.n, BATCH_STORED + 1);
	us_check_transitions(&us_sealer_batch_transitions, moves, US_COUNT(moves));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
