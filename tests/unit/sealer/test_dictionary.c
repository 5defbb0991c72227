/* Goal: a dictionary holds what many records share, and nothing of what fewer than 20 do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "daemon/sealer/internal.h"

#define RECORDS 2000

static uint32_t state = 12345;

static uint32_t
next(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* The 12-byte runs of the text that the dictionary holds. */
static size_t
runs(const struct us_buf *d, const char *text)
{
	size_t found = 0, n = strlen(text);

	for (size_t i = 0; i + 12 <= n; i++)
		found += memmem(d->data, d->len, text + i, 12) != NULL;
	return found;
}

static void
test_support(void **unused)
{
	static struct us_bytes records[RECORDS];
	char common[301], rare[301], almost[301];
	struct us_packer *with, *without;
	struct us_buf d, a, b;

	(void)unused;
	for (int i = 0; i < 300; i++) {
		common[i] = (char)('a' + next() % 26);
		rare[i] = (char)('A' + next() % 26);
		almost[i] = (char)('0' + next() % 10);
	}
	common[300] = rare[300] = almost[300] = 0;
	for (size_t r = 0; r < RECORDS; r++) {
		char *p = malloc(12000), *at = p;

		at += sprintf(at,
		    "{\"id\":\"%08x%08x\",\"messages\":[{\"role\":\"user\",\"content\":\"", next(),
		    next());
		for (int w = 0; w < 120; w++) /* a vocabulary of 4,000 words */
			at += sprintf(at, "w%uord%u ", (next() % 4000) * 7919 % 4001, next() % 2);
		if (r % 3 == 0)
			at += sprintf(at, "%s", common);
		if (r % 100 == 7 && r < 1900) /* 19 records, ten times each */
			for (int k = 0; k < 10; k++)
				at += sprintf(at, "%s", almost);
		if (r == 55)
			for (int k = 0; k < 30; k++)
				at += sprintf(at, "%s", rare);
		at += sprintf(at, "\"}]}");
		records[r] = (struct us_bytes){ (uint8_t *)p, (size_t)(at - p) };
	}
	us_buf_init(&d, US_DICTIONARY_MAX);
	assert_int_equal(us_sealer_dictionary_train_on(records, RECORDS, 20, &d), US_OK);
	assert_true(runs(&d, common) > 100);
	assert_int_equal(runs(&d, rare), 0);
	assert_int_equal(runs(&d, almost), 0);

	us_buf_init(&a, 1 << 20);
	us_buf_init(&b, 1 << 20);
	assert_int_equal(us_packer_new(&with, 1, (struct us_bytes){ d.data, d.len }), US_OK);
	assert_int_equal(us_packer_new(&without, 0, (struct us_bytes){ NULL, 0 }), US_OK);
	for (size_t r = 0; r < 100; r++) {
		assert_int_equal(us_packer_pack(with, records[r], &a), US_OK);
		assert_int_equal(us_packer_pack(without, records[r], &b), US_OK);
	}
	print_message("dictionary of %zu bytes: %zu instead of %zu\n", d.len, a.len, b.len);
	assert_true(a.len < b.len);
	us_packer_free(with);
	us_packer_free(without);
	us_buf_free(&a);
	us_buf_free(&b);
	us_buf_free(&d);
	for (size_t r = 0; r < RECORDS; r++)
		free((void *)(uintptr_t)records[r].p);
}

static void
test_nothing_common(void **unused)
{
	static struct us_bytes records[100];
	static uint8_t noise[100][2000];
	struct us_buf d;

	(void)unused;
	for (size_t r = 0; r < 100; r++) {
		for (size_t i = 0; i < 2000; i++)
			noise[r][i] = (uint8_t)next();
		records[r] = (struct us_bytes){ noise[r], 2000 };
	}
	us_buf_init(&d, US_DICTIONARY_MAX);
	assert_int_equal(us_sealer_dictionary_train_on(records, 100, 20, &d), US_ERR_NOT_FOUND);
	assert_int_equal(d.len, 0);
	us_buf_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_support),
		cmocka_unit_test(test_nothing_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
