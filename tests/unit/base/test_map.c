/* The hash table: against a plain array under random use, its edges, and chosen keys. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/map.h"
#include "tests/unit/base/countdown.h"

#define KEYS 500u

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void
put(struct us_map *m, uint32_t key, uint64_t value)
{
	void *at;

	assert_int_equal(us_map_put(m, &key, &at), US_OK);
	*(uint64_t *)at = value;
}

/* All that the table says, against model[key], 0: not there. */
static void
compare(const struct us_map *m, const uint64_t *model)
{
	const void *key;
	const uint64_t *value;
	size_t n = 0, seen = 0;

	for (uint32_t k = 0; k < KEYS; k++) {
		value = us_map_get(m, &k);
		assert_int_equal(value != NULL, model[k] != 0);
		assert_true(value == NULL || *value == model[k]);
		n += model[k] != 0;
	}
	assert_int_equal(m->n, n);
	for (size_t at = 0; (value = us_map_next(m, &at, &key)) != NULL; seen++) {
		uint32_t k;

		memcpy(&k, key, sizeof k);
		assert_true(k < KEYS && model[k] == *value);
	}
	assert_int_equal(seen, n);
	assert_true(
	    m->places == 0 || (m->n * 2 <= m->places && (m->places & (m->places - 1)) == 0));
}

static void
behaves_as_an_array(void **state)
{
	uint64_t model[KEYS] = { 0 }, s = 88172645463325252u;
	struct us_map m;

	(void)state;
	us_map_init(&m, sizeof(uint32_t), sizeof(uint64_t));
	compare(&m, model);
	for (int i = 0; i < 60000; i++) {
		const uint64_t r = next_random(&s);
		const uint32_t key = (uint32_t)(r >> 8) % KEYS;

		if (r % 2000 == 0) {
			us_map_clear(&m);
			memset(model, 0, sizeof model);
		}
		put(&m, key, r | 1);
		model[key] = r | 1;
		if (i % 100 == 0)
			compare(&m, model);
	}
	compare(&m, model);
	us_map_clear(&m);
	memset(model, 0, sizeof model);
	compare(&m, model);
	put(&m, 3, 4);
	model[3] = 4;
	compare(&m, model);
	us_map_free(&m);
	memset(model, 0, sizeof model);
	compare(&m, model);
	us_map_free(&m);
}

static void
values_begin_as_zeros(void **state)
{
	struct us_map m;
	uint32_t key = 9;
	void *value;

	(void)state;
	us_map_init(&m, sizeof key, 24);
	for (int i = 0; i < 3; i++) {
		static const uint8_t zeros[24];

		assert_int_equal(us_map_put(&m, &key, &value), US_OK);
		assert_memory_equal(value, zeros, sizeof zeros);
		assert_int_equal((uintptr_t)value % 8, 0);
		memset(value, 0xaa, 24);
		assert_int_equal(us_map_put(&m, &key, NULL), US_OK); /* keeps it */
		assert_int_equal(((uint8_t *)us_map_get(&m, &key))[23], 0xaa);
		us_map_clear(&m);
	}
	us_map_free(&m);
}

static void
sets_and_odd_sizes(void **state)
{
	static const size_t key_sizes[] = { 1, 7, 8, 9, 16, 32, 79 };

	(void)state;
	for (size_t k = 0; k < sizeof key_sizes / sizeof key_sizes[0]; k++)
		for (size_t value = 0; value < 20; value += 3) {
			uint8_t key[80] = { 0 };
			struct us_map m;

			us_map_init(&m, key_sizes[k], value);
			for (unsigned i = 0; i < 200; i++) {
				key[key_sizes[k] - 1] = (uint8_t)i;
				assert_null(us_map_get(&m, key));
				assert_int_equal(us_map_put(&m, key, NULL), US_OK);
				assert_non_null(us_map_get(&m, key));
			}
			assert_int_equal(m.n, 200);
			us_map_free(&m);
		}
}

/* How far the search for a key goes at most: one who chose the keys would want it long. */
static size_t
longest_search(const struct us_map *m)
{
	size_t run = 0, longest = 0;

	for (size_t i = 0; i < 2 * m->places; i++) {
		const uint8_t *slot = m->slots + i % m->places * m->slot_size;

		run = slot[(m->value_size + 7) / 8 * 8 + m->key_size] ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void
chosen_keys_spread(void **state)
{
	struct us_map m[2];

	(void)state;
	for (unsigned t = 0; t < 2; t++) {
		us_map_init(&m[t], 16, 0);
		for (uint64_t i = 0; i < 4096; i++) {
			/* alike in all low bits, and in those that a table would take of the first */
			const uint64_t key[2] = { i << 40, i << 52 };

			assert_int_equal(us_map_put(&m[t], key, NULL), US_OK);
		}
		assert_true(longest_search(&m[t]) < 200);
	}
	assert_memory_not_equal(m[0].secret, m[1].secret, sizeof m[0].secret);
	assert_memory_not_equal(m[0].slots, m[1].slots, m[0].places * m[0].slot_size);
	us_map_free(&m[0]);
	us_map_free(&m[1]);
}

static void
memory_runs_out(void **state)
{
	uint64_t model[KEYS] = { 0 };
	struct us_map m;
	uint32_t key = 0;
	int err;

	(void)state;
	us_map_init(&m, sizeof(uint32_t), sizeof(uint64_t));
	countdown(0);
	assert_int_equal(us_map_put(&m, &key, NULL), US_ERR_NOMEM);
	compare(&m, model);
	countdown(3);
	for (;; key++) {
		void *at;

		err = us_map_put(&m, &key, &at);
		if (err != US_OK)
			break;
		*(uint64_t *)at = model[key] = key + 1;
	}
	assert_int_equal(err, US_ERR_NOMEM);
	compare(&m, model);
	key = 0; /* what is there needs no room */
	assert_int_equal(us_map_put(&m, &key, NULL), US_OK);
	assert_int_equal(us_map_reserve(&m, 1), US_ERR_NOMEM);
	assert_int_equal(us_map_reserve(&m, SIZE_MAX), US_ERR_NOMEM);
	countdown(1);
	assert_int_equal(us_map_reserve(&m, 100), US_OK);
	for (uint32_t k = 300; k < 400; k++) { /* which now cannot fail */
		put(&m, k, k);
		model[k] = k;
	}
	countdown(-1);
	compare(&m, model);
	us_map_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behaves_as_an_array),
		cmocka_unit_test(values_begin_as_zeros),
		cmocka_unit_test(sets_and_odd_sizes),
		cmocka_unit_test(chosen_keys_spread),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
