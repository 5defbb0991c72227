/* Goal: counts stand one behind the other, those that are not zero, and never more than there is room
 * for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/process/counts.h"

static const uint32_t count[US_COUNTS] = { [10] = 3, [255] = 0x01020304 };
static const uint8_t packed[] = { 10, 0, 0, 0, 3, 255, 1, 2, 3, 4 };

static void
what_is_not_zero_is_packed(void **state)
{
	static const uint32_t nothing[US_COUNTS];
	uint8_t out[US_COUNTS_BYTES];

	(void)state;
	assert_int_equal(us_counts_pack(count, out, sizeof out), sizeof packed);
	assert_memory_equal(out, packed, sizeof packed);
	assert_int_equal(us_counts_pack(nothing, out, sizeof out), 0);
}

static void
as_many_as_have_room(void **state)
{
	(void)state;
	for (size_t room = 0; room <= sizeof packed; room++) {
		uint8_t out[sizeof packed];

		memset(out, 0xaa, sizeof out);
		assert_int_equal(us_counts_pack(count, out, room),
		    room / US_COUNT_BYTES * US_COUNT_BYTES);
		for (size_t i = room; i < sizeof out; i++)
			assert_int_equal(out[i], 0xaa);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_zero_is_packed),
		cmocka_unit_test(as_many_as_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
