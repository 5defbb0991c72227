/* Growing arrays. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "tests/unit/base/countdown.h"

static void
one_by_one(void **state)
{
	uint16_t *a = NULL;
	size_t n = 0, cap = 0, moves = 0, before;

	(void)state;
	while (n < 10000) {
		before = cap;
		assert_int_equal(us_grow(&a, n, &cap, sizeof *a), US_OK);
		moves += cap != before;
		assert_true(cap > n);
		a[n] = (uint16_t)n;
		n++;
	}
	assert_true(moves < 14);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(a[i], (uint16_t)i);
	before = cap;
	assert_int_equal(us_grow(&a, 3, &cap, sizeof *a), US_OK); /* there is room */
	assert_int_equal(cap, before);
	free(a);
}

static void
many_at_once(void **state)
{
	uint64_t *a = NULL;
	size_t cap = 0;

	(void)state;
	assert_int_equal(us_grow_to(&a, 0, &cap, sizeof *a), US_OK);
	assert_null(a);
	assert_int_equal(us_grow_to(&a, 1000, &cap, sizeof *a), US_OK);
	assert_int_equal(cap, 1000);
	a[999] = 17;
	assert_int_equal(us_grow_to(&a, 1001, &cap, sizeof *a), US_OK);
	assert_int_equal(cap, 2000);
	assert_int_equal(a[999], 17);
	assert_int_equal(us_grow_to(&a, 2000, &cap, sizeof *a), US_OK);
	assert_int_equal(cap, 2000);
	free(a);
}

static void
secrets_are_moved(void **state)
{
	uint32_t *a = NULL;
	size_t n = 0, cap = 0;

	(void)state;
	while (n < 1000) {
		assert_int_equal(us_grow_secret(&a, n, &cap, sizeof *a), US_OK);
		assert_true(cap > n);
		a[n] = (uint32_t)n;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(a[i], i);
	free(a);
}

static void
without_a_capacity(void **state)
{
	uint32_t **a = NULL, x = 5;

	(void)state;
	for (size_t n = 0; n < 300; n++) {
		assert_int_equal(us_grow_bare(&a, n, sizeof *a), US_OK);
		a[n] = &x;
	}
	for (size_t i = 0; i < 300; i++)
		assert_ptr_equal(a[i], &x);
	free(a);
}

static void
sizes_that_do_not_fit(void **state)
{
	uint64_t *a = NULL, *kept;
	size_t cap = 0;

	(void)state;
	assert_int_equal(us_grow_to(&a, SIZE_MAX, &cap, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_to(&a, SIZE_MAX / 8 + 1, &cap, sizeof *a), US_ERR_NOMEM);
	assert_null(a);
	assert_int_equal(cap, 0);
	assert_int_equal(us_grow(&a, 0, &cap, sizeof *a), US_OK);
	kept = a;
	cap = SIZE_MAX; /* as if there were so many */
	assert_int_equal(us_grow(&a, SIZE_MAX, &cap, sizeof *a), US_ERR_NOMEM);
	cap = SIZE_MAX / 2 + 1;
	assert_int_equal(us_grow(&a, cap, &cap, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_secret(&a, cap, &cap, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_bare(&a, SIZE_MAX / 2 + 1, sizeof *a), US_ERR_NOMEM);
	assert_ptr_equal(a, kept);
	free(a);
}

static void
memory_runs_out(void **state)
{
	uint8_t *a = NULL;
	size_t cap = 0;

	(void)state;
	countdown(1);
	assert_int_equal(us_grow(&a, 0, &cap, sizeof *a), US_OK);
	for (size_t i = 0; i < cap; i++)
		a[i] = (uint8_t)i;
	const size_t full = cap;
	assert_int_equal(us_grow(&a, cap, &cap, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_to(&a, 100, &cap, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_secret(&a, cap, &cap, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_bare(&a, 8, sizeof *a), US_ERR_NOMEM);
	assert_int_equal(us_grow_bare(&a, 9, sizeof *a), US_OK); /* needs none */
	countdown(-1);
	assert_int_equal(cap, full);
	for (size_t i = 0; i < cap; i++)
		assert_int_equal(a[i], i);
	free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(secrets_are_moved),
		cmocka_unit_test(without_a_capacity),
		cmocka_unit_test(sizes_that_do_not_fit),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
