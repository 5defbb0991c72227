/* SLIP-0039 without outside data: every k of n opens, fewer do not, every typing error is
 * noticed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/slip39.h"

static char text[US_SLIP39_SHARES_MAX][US_SLIP39_TEXT_MAX];

/* Opens with the shares of the mask. */
static int
combine(unsigned mask, const char *passphrase, uint8_t *out, size_t *n)
{
	const char *given[US_SLIP39_SHARES_MAX];
	size_t count = 0;

	for (unsigned i = 0; i < US_SLIP39_SHARES_MAX; i++) {
		if (mask >> i & 1)
			given[count++] = text[i];
	}
	return us_slip39_combine(given, count, passphrase, out, n);
}

static void
each_subset_of_k_opens(void **state)
{
	uint8_t secret[32], out[US_SLIP39_SECRET_MAX];
	size_t n;

	(void)state;
	assert_int_equal(us_random(secret, sizeof secret), US_OK);
	for (unsigned shares = 2; shares <= 5; shares++) {
		for (unsigned k = 2; k <= shares; k++) {
			struct us_slip39_plan plan = { .threshold = k,
				.shares = shares,
				.extendable = 1 };

			assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, 32 },
					     text),
			    US_OK);
			for (unsigned mask = 1; mask < 1u << shares; mask++) {
				unsigned given = (unsigned)__builtin_popcount(mask);

				n = 0;
				memset(out, 0, sizeof out);
				if (given == k) {
					assert_int_equal(combine(mask, NULL, out, &n), US_OK);
					assert_int_equal(n, 32);
					assert_memory_equal(out, secret, 32);
				} else {
					assert_int_equal(combine(mask, NULL, out, &n),
					    given < k ? US_ERR_INCOMPLETE : US_ERR_SHARE);
				}
			}
		}
	}
}

static void
sizes_passphrases_and_exponents(void **state)
{
	uint8_t secret[64], out[US_SLIP39_SECRET_MAX];
	struct us_slip39_plan plan = { .threshold = 3, .shares = 16, .passphrase = "TREZOR" };
	size_t n;

	(void)state;
	assert_int_equal(us_random(secret, sizeof secret), US_OK);
	for (size_t size = 16; size <= 64; size += 2) {
		plan.extendable = size % 4 == 0;
		plan.exponent = size == 16 ? 2 : 0;
		assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, size }, text),
		    US_OK);
		assert_int_equal(combine(0x8421 & ~1u, "TREZOR", out, &n), US_OK);
		assert_int_equal(n, size);
		assert_memory_equal(out, secret, size);
		assert_int_equal(combine(0x8421 & ~1u, "other", out, &n), US_OK);
		assert_memory_not_equal(out, secret, size);
	}
	plan = (struct us_slip39_plan){ .threshold = 1, .shares = 1 };
	assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, 32 }, text), US_OK);
	assert_int_equal(combine(1, NULL, out, &n), US_OK);
	assert_memory_equal(out, secret, 32);
}

static void
impossible_plans_are_refused(void **state)
{
	static const struct us_slip39_plan plans[] = {
		{ .threshold = 0, .shares = 1 },
		{ .threshold = 1, .shares = 2 },
		{ .threshold = 3, .shares = 2 },
		{ .threshold = 2, .shares = 17 },
		{ .threshold = 2, .shares = 3, .exponent = 16 },
		{ .threshold = 2, .shares = 3, .passphrase = "na\xc3\xafve" },
	};
	const struct us_slip39_plan good = { .threshold = 2, .shares = 3 };
	uint8_t secret[80] = { 0 };
	static const size_t sizes[] = { 0, 14, 15, 17, 66 };

	(void)state;
	for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
		assert_int_equal(us_slip39_split(&plans[i], (struct us_bytes){ secret, 32 }, text),
		    US_ERR_ARG);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		assert_int_equal(us_slip39_split(&good, (struct us_bytes){ secret, sizes[i] },
				     text),
		    US_ERR_ARG);
}

/* The checksum finds any three wrong words; each single exchange of a word must be noticed. */
static void
wrong_words_are_noticed(void **state)
{
	const struct us_slip39_plan plan = { .threshold = 2, .shares = 2, .extendable = 1 };
	uint8_t secret[32];
	struct us_slip39_info info;
	char changed[2 * US_SLIP39_TEXT_MAX];

	(void)state;
	assert_int_equal(us_random(secret, sizeof secret), US_OK);
	assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, 32 }, text), US_OK);
	assert_int_equal(us_slip39_parse(text[1], &info), US_OK);
	assert_int_equal(info.member_index, 1);
	assert_int_equal(info.member_threshold, 2);
	assert_int_equal(info.extendable, 1);
	assert_int_equal(info.secret_size, 32);
	for (const char *p = text[0]; p != NULL; p = strchr(p, ' ')) {
		p += *p == ' ';
		for (unsigned w = 0; w < 1024; w += 37) {
			size_t before = (size_t)(p - text[0]), len = strcspn(p, " ");

			if (strlen(us_slip39_word(w)) == len &&
			    strncmp(us_slip39_word(w), p, len) == 0)
				continue;
			(void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)before, text[0],
			    us_slip39_word(w), p + len);
			assert_int_equal(us_slip39_parse(changed, &info), US_ERR_SHARE);
		}
	}
	assert_int_equal(us_slip39_parse("", &info), US_ERR_SHARE);
	assert_int_equal(us_slip39_parse("academic", &info), US_ERR_SHARE);
	(void)snprintf(changed, sizeof changed, "%s ", text[0]);
	assert_int_equal(us_slip39_parse(changed, &info), US_ERR_SHARE);
}

static void
shares_of_two_sets_do_not_mix(void **state)
{
	const struct us_slip39_plan plan = { .threshold = 2, .shares = 2 };
	uint8_t secret[32] = { 1 }, out[US_SLIP39_SECRET_MAX];
	const char *given[2];
	char first[US_SLIP39_TEXT_MAX];
	size_t n;

	(void)state;
	assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, 32 }, text), US_OK);
	memcpy(first, text[0], sizeof first);
	given[0] = given[1] = first;
	assert_int_equal(us_slip39_combine(given, 2, NULL, out, &n), US_ERR_SHARE);
	assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, 32 }, text), US_OK);
	given[1] = text[1];
	assert_int_equal(us_slip39_combine(given, 2, NULL, out, &n), US_ERR_SHARE);
	assert_int_equal(us_slip39_combine(given, 0, NULL, out, &n), US_ERR_INCOMPLETE);
}

static void
typed_text_is_normalised(void **state)
{
	char out[US_SLIP39_TEXT_MAX], many[400];

	(void)state;
	assert_int_equal(us_slip39_normalise(us_bytes_of("  ACADEMIC\tacid\r\n acro zero "), out),
	    US_OK);
	assert_string_equal(out, "academic acid acrobat zero");
	assert_int_equal(us_slip39_normalise(us_bytes_of("academi"), out), US_ERR_SHARE);
	assert_int_equal(us_slip39_normalise(us_bytes_of("aca"), out), US_ERR_SHARE);
	assert_int_equal(us_slip39_normalise(us_bytes_of("academically"), out), US_ERR_SHARE);
	assert_int_equal(us_slip39_normalise(us_bytes_of(""), out), US_ERR_SHARE);
	many[0] = '\0';
	for (int i = 0; i < 59; i++)
		(void)strcat(many, "acid ");
	assert_int_equal(us_slip39_normalise(us_bytes_of(many), out), US_OK);
	(void)strcat(many, "acid");
	assert_int_equal(us_slip39_normalise(us_bytes_of(many), out), US_ERR_LIMIT);
}

static void
the_word_list_is_whole(void **state)
{
	(void)state;
	assert_string_equal(us_slip39_word(0), "academic");
	assert_string_equal(us_slip39_word(1023), "zero");
	assert_null(us_slip39_word(1024));
	for (unsigned i = 1; i < 1024; i++) {
		assert_true(memcmp(us_slip39_word(i - 1), us_slip39_word(i), 4) < 0);
		assert_in_range(strlen(us_slip39_word(i)), 4, 8);
	}
}

static void
a_share_digest_binds_vault_and_words(void **state)
{
	uint8_t vault[32] = { 1 }, a[32], b[32];

	(void)state;
	assert_int_equal(us_share_digest(vault, "academic acid", a), US_OK);
	assert_int_equal(us_share_digest(vault, "academic acid", b), US_OK);
	assert_memory_equal(a, b, 32);
	assert_int_equal(us_share_digest(vault, "academic acne", b), US_OK);
	assert_memory_not_equal(a, b, 32);
	vault[0] = 2;
	assert_int_equal(us_share_digest(vault, "academic acid", b), US_OK);
	assert_memory_not_equal(a, b, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_subset_of_k_opens),
		cmocka_unit_test(sizes_passphrases_and_exponents),
		cmocka_unit_test(impossible_plans_are_refused),
		cmocka_unit_test(wrong_words_are_noticed),
		cmocka_unit_test(shares_of_two_sets_do_not_mix),
		cmocka_unit_test(typed_text_is_normalised),
		cmocka_unit_test(the_word_list_is_whole),
		cmocka_unit_test(a_share_digest_binds_vault_and_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
