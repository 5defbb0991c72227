/* The arena: zeroed, distinct, wiped, counted; locked and undumpable as the kernel sees it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/key.h"

static int hammer_failed;

static int
all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		if (b[i] != 0)
			return 0;
	}
	return 1;
}

static void
keys_are_zeroed_distinct_and_wiped(void **state)
{
	enum { N = 1000 };
	struct us_key *key[N];
	size_t before = us_secret_in_use();

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < N; i++) {
			assert_int_equal(us_key_new(&key[i]), US_OK);
			assert_true(all_zero(key[i], sizeof *key[i]));
			memset(key[i], (int)(i & 0xff) | 1, sizeof *key[i]);
		}
		for (size_t i = 0; i < N; i++) {
			for (size_t k = 0; k < sizeof key[i]->b; k++)
				assert_int_equal(key[i]->b[k], (i & 0xff) | 1);
		}
		for (size_t i = 0; i < N; i++) {
			us_key_free(key[i]);
			/* still mapped: reading it is what an attacker would do */
			assert_true(all_zero(key[i], sizeof *key[i]));
		}
		assert_int_equal(us_secret_in_use(), before);
	}
}

static void
sizes_of_all_classes(void **state)
{
	static const size_t sizes[] = { 1, 32, 33, 64, 100, 257, 1000, 2048, 2049, 4096, 4097,
		70000 };
	enum { N = sizeof sizes / sizeof sizes[0] };
	uint8_t *p[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		p[i] = us_secret_alloc(sizes[i]);
		assert_non_null(p[i]);
		assert_true(all_zero(p[i], sizes[i]));
		assert_int_equal((uintptr_t)p[i] % 32, 0);
		memset(p[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(p[i][0], i + 1);
		assert_int_equal(p[i][sizes[i] - 1], i + 1);
		us_secret_free(p[i]);
		assert_true(all_zero(p[i], sizes[i]));
	}
	assert_null(us_secret_alloc(0));
	assert_null(us_secret_alloc(SIZE_MAX));
	us_secret_free(NULL);
	assert_int_equal(us_secret_in_use(), 0);
}

static void
arrays_have_limits(void **state)
{
	struct us_key *keys;

	(void)state;
	assert_int_equal(us_keys_new(0, &keys), US_ERR_ARG);
	assert_null(keys);
	assert_int_equal(us_keys_new(SIZE_MAX / 16, &keys), US_ERR_ARG);
	assert_int_equal(us_keys_new(1000, &keys), US_OK);
	assert_true(all_zero(keys, 1000 * sizeof *keys));
	us_keys_free(keys);
}

/* VmFlags of the mapping that holds p: lo = locked, dd = not dumped, wf = wiped on fork. */
static int
has_flags(const void *p, const char *flag)
{
	char line[1024];
	unsigned long from, to;
	int inside = 0, found = 0;
	FILE *f = fopen("/proc/self/smaps", "r");

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	(void)fclose(f);
	return found;
}

static void
the_kernel_knows(void **state)
{
	struct us_key *key;

	(void)state;
	assert_int_equal(us_key_new(&key), US_OK);
	assert_true(has_flags(key, " dd"));
	assert_true(has_flags(key, " wf"));
#ifndef US_SANITIZED /* sanitizers make mlock a no-operation */
	assert_true(has_flags(key, " lo"));
#endif
	us_key_free(key);
}

static void
a_child_finds_zeros(void **state)
{
	struct us_key *key;
	int status = -1;
	pid_t pid;

	(void)state;
	assert_int_equal(us_key_new(&key), US_OK);
	memset(key, 0x5a, sizeof *key);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(all_zero(key, sizeof *key) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(key->b[31], 0x5a);
	us_key_free(key);
}

static void *
hammer(void *arg)
{
	struct us_key *key[64], wanted, got;
	size_t wrong = 0;

	(void)arg;
	if (us_sha256("", 0, wanted.b) != US_OK)
		return &hammer_failed;
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 64; i++) {
			if (us_key_new(&key[i]) != US_OK)
				return &hammer_failed;
			wrong += !all_zero(key[i], sizeof *key[i]);
			memset(key[i], 0xff, sizeof *key[i]);
		}
		wrong += us_sha256("", 0, got.b) != US_OK || memcmp(&got, &wanted, sizeof got) != 0;
		for (size_t i = 0; i < 64; i++)
			us_key_free(key[i]);
		if (round % 50 == 0)
			us_crypto_scrub();
	}
	return wrong == 0 ? NULL : &hammer_failed;
}

static void
threads_do_not_meet(void **state)
{
	pthread_t thread[4];
	void *failed;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hammer, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(us_secret_in_use(), 0);
}

static void
protecting_the_process(void **state)
{
	struct rlimit limit;
	int status = -1;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (us_process_protect(0) != US_OK)
			_exit(1);
		if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_zeroed_distinct_and_wiped),
		cmocka_unit_test(sizes_of_all_classes),
		cmocka_unit_test(arrays_have_limits),
		cmocka_unit_test(the_kernel_knows),
		cmocka_unit_test(a_child_finds_zeros),
		cmocka_unit_test(threads_do_not_meet),
		cmocka_unit_test(protecting_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
