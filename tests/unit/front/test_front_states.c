/* Goal: a connection goes where the diagram of daemon/front/front_internal.h has it, and nowhere
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "daemon/front/front_internal.h"
#include "tests/unit/transitions_check.h"

static void
test_connection(void **state)
{
	static const struct us_expected_move moves[] = {
		{ US_CONN_HANDSHAKE, US_CONN_HEAD },
		{ US_CONN_HANDSHAKE, US_CONN_LINGER },
		{ US_CONN_HANDSHAKE, US_CONN_DEAD },
		{ US_CONN_HEAD, US_CONN_HEAD }, /* answered at once */
		{ US_CONN_HEAD, US_CONN_BODY },
		{ US_CONN_HEAD, US_CONN_WAIT },
		{ US_CONN_HEAD, US_CONN_FLUSH },
		{ US_CONN_HEAD, US_CONN_LINGER },
		{ US_CONN_HEAD, US_CONN_DEAD },
		{ US_CONN_BODY, US_CONN_HEAD },
		{ US_CONN_BODY, US_CONN_WAIT },
		{ US_CONN_BODY, US_CONN_FLUSH },
		{ US_CONN_BODY, US_CONN_LINGER },
		{ US_CONN_BODY, US_CONN_DEAD },
		{ US_CONN_WAIT, US_CONN_HEAD },
		{ US_CONN_WAIT, US_CONN_FLUSH },
		{ US_CONN_WAIT, US_CONN_LINGER },
		{ US_CONN_WAIT, US_CONN_DEAD },
		{ US_CONN_FLUSH, US_CONN_HEAD },
		{ US_CONN_FLUSH, US_CONN_LINGER },
		{ US_CONN_FLUSH, US_CONN_DEAD },
		{ US_CONN_LINGER, US_CONN_DEAD },
	};

	(void)state;
	assert_int_equal(us_conn_transitions.n, US_CONN_DEAD + 1);
	us_check_transitions(&us_conn_transitions, moves, US_COUNT(moves));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_connection) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
