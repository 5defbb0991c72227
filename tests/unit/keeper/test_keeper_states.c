/* Goal: the keeper, a seal, a load and a batch go where the diagrams of their headers have them,
 * and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "daemon/keeper/batches.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/loads.h"
#include "tests/unit/transitions_check.h"

static void
test_keeper(void **state)
{
	static const struct us_expected_move moves[] = {
		{ US_KEEPER_SEALED, US_KEEPER_REPLAYING },
		{ US_KEEPER_REPLAYING, US_KEEPER_OPEN },
		{ US_KEEPER_REPLAYING, US_KEEPER_REFUSING },
		{ US_KEEPER_OPEN, US_KEEPER_SEALED },
	};

	(void)state;
	assert_int_equal(us_keeper_transitions.n, US_KEEPER_REFUSING + 1);
	us_check_transitions(&us_keeper_transitions, moves, US_COUNT(moves));
}

static void
test_seal(void **state)
{
	static const struct us_expected_move moves[] = {
		{ US_SEAL_NONE, US_SEAL_LOGGED },
		{ US_SEAL_NONE, US_SEAL_WIPED },
		{ US_SEAL_LOGGED, US_SEAL_WIPED },
	};

	(void)state;
	assert_int_equal(us_keeper_seal_transitions.n, US_SEAL_WIPED + 1);
	us_check_transitions(&us_keeper_seal_transitions, moves, US_COUNT(moves));
}

static void
test_load(void **state)
{
	static const struct us_expected_move moves[] = {
		{ US_LOAD_OPENED, US_LOAD_TAKEN },
		{ US_LOAD_OPENED, US_LOAD_LAPSED },
		{ US_LOAD_TAKEN, US_LOAD_TAKEN },
		{ US_LOAD_TAKEN, US_LOAD_STOPPED },
	};

	(void)state;
	assert_int_equal(us_load_transitions.n, US_LOAD_STOPPED + 1);
	us_check_transitions(&us_load_transitions, moves, US_COUNT(moves));
}

static void
test_batch(void **state)
{
	static const struct us_expected_move moves[] = {
		{ US_OPEN_BATCH_OPENED, US_OPEN_BATCH_SEALED },
		{ US_OPEN_BATCH_OPENED, US_OPEN_BATCH_VOID },
		{ US_OPEN_BATCH_SEALED, US_OPEN_BATCH_SEALED },
		{ US_OPEN_BATCH_SEALED, US_OPEN_BATCH_VOID },
	};

	(void)state;
	assert_int_equal(us_open_batch_transitions.n, US_OPEN_BATCH_VOID + 1);
	us_check_transitions(&us_open_batch_transitions, moves, US_COUNT(moves));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeper),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
