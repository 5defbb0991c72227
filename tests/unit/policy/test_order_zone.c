/* Zones of an order: judged by their tables, and which names are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/yaml/zone.h"

#define Y2026_S INT64_C(1767225600)
#define HOUR 3600

struct change {
	int64_t at_s;
	uint8_t type; /* 0: UTC, 1: an hour east */
};

static void
put_block(struct us_buf *b, unsigned leaps, const struct change *changes, size_t n, int wide)
{
	int err = us_buf_put(b, "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	const uint32_t counts[6] = { 0, 0, leaps, (uint32_t)n, 2, 4 };

	for (size_t i = 0; i < 6; i++)
		err |= us_buf_put_u32(b, counts[i]);
	for (size_t i = 0; i < n; i++)
		err |= wide ? us_buf_put_u64(b, (uint64_t)changes[i].at_s) :
			      us_buf_put_u32(b, (uint32_t)changes[i].at_s);
	for (size_t i = 0; i < n; i++)
		err |= us_buf_put_u8(b, changes[i].type);
	err |= us_buf_put(b, "\0\0\0\0\0\0\0\0\x0e\x10\1\0abc", 16);
	for (size_t i = 0; i < leaps; i++)
		err |= us_buf_put(b, "\0\0\0\0\0\0\0\0\0\0\0", wide ? 12 : 8);
	assert_int_equal(err, US_OK);
}

static int
zone_of(unsigned leaps, const struct change *changes, size_t n, const char *footer)
{
	struct us_buf file, out;

	us_buf_init(&file, 65536);
	us_buf_init(&out, 64);
	put_block(&file, leaps, changes, n, 0);
	put_block(&file, leaps, changes, n, 1);
	assert_int_equal(us_buf_putf(&file, "\n%s\n", footer), US_OK);
	int err = us_zone_posix_in(file.data, file.len, &out);
	if (err == US_OK)
		assert_true(us_bytes_is((struct us_bytes){ out.data, out.len }, footer));
	/* cut anywhere it is no zone, and nothing behind it is read */
	for (size_t cut = 0; cut < file.len; cut++) {
		uint8_t *exact = malloc(cut + 1);
		memcpy(exact, file.data, cut);
		uint8_t *tight = realloc(exact, cut == 0 ? 1 : cut);
		assert_int_not_equal(us_zone_posix_in(tight, cut, &out), US_OK);
		free(tight);
	}
	us_buf_free(&file);
	us_buf_free(&out);
	return err;
}

static void
test_zones(void **state)
{
	/* J60/0 is 1 March, J305/1 is 1 November, one o'clock by summer time */
	static const char summer[] = "UTC0XST-1,J60/0,J305/1";
	const int64_t march = Y2026_S + 59 * 86400, november = Y2026_S + 304 * 86400;
	const struct change right[] = { { march, 1 }, { november, 0 } };
	const struct change late[] = { { march + HOUR, 1 }, { november, 0 } };
	const struct change early[] = { { march - 1, 1 }, { november, 0 } };
	const struct change other[] = { { march, 1 }, { march + 40 * 86400, 0 },
		{ march + 70 * 86400, 1 }, { november, 0 } };
	const struct change last[] = { { march, 0 } };
	const struct change gap[] = { { Y2026_S, 0 }, { Y2026_S + 300 * 86400, 1 } };
	const struct change within_a_day[] = { { march + 2 * HOUR, 1 }, { november + HOUR, 0 } };
	const struct change none[] = { { Y2026_S, 0 }, { Y2026_S + 364 * 86400, 0 } };
	const struct change old[] = { { INT64_C(0), 1 }, { INT64_C(86400), 0 } };
	const struct change unordered[] = { { november, 0 }, { march, 0 } };
	const struct change no_type[] = { { march, 2 } };

	(void)state;
	assert_int_equal(zone_of(0, NULL, 0, "UTC0"), US_OK);
	assert_int_equal(zone_of(0, NULL, 0, summer), US_OK);
	assert_int_equal(zone_of(0, right, 2, summer), US_OK);
	assert_int_equal(zone_of(0, old, 2, "UTC0"), US_OK);
	assert_int_equal(zone_of(0, late, 2, summer), US_ERR_RANGE);
	assert_int_equal(zone_of(0, early, 2, summer), US_ERR_RANGE);
	assert_int_equal(zone_of(0, other, 4, summer), US_ERR_RANGE);
	assert_int_equal(zone_of(0, last, 1, summer), US_ERR_RANGE);
	assert_int_equal(zone_of(0, gap, 2, summer), US_ERR_RANGE);
	assert_int_equal(zone_of(0, within_a_day, 2, "UTC0XST-1,J60/1,J305/2"), US_ERR_RANGE);
	assert_int_equal(zone_of(0, none, 2, "UTC0"), US_OK);
	assert_int_equal(zone_of(0, none, 2, summer), US_ERR_RANGE);
	assert_int_equal(zone_of(0, right, 1, "XST-1"), US_ERR_RANGE); /* before the first change */
	assert_int_equal(zone_of(0, unordered, 2, "UTC0"), US_ERR_FORMAT);
	assert_int_equal(zone_of(0, no_type, 1, summer), US_ERR_FORMAT);
	assert_int_equal(zone_of(1, right, 2, summer), US_ERR_FORMAT);
	assert_int_equal(zone_of(0, right, 2, ""), US_ERR_FORMAT);
	assert_int_equal(zone_of(0, right, 2, "UTC0XST-1"), US_ERR_FORMAT);
}

/* Names that are folders and links of the database, and what the machine's own says of those that
 * go by the moon. */
static void
test_zone_names(void **state)
{
	static const char *const none[] = { "right/Europe/Berlin", "posix/Europe/Berlin",
		"right/UTC", "localtime", "posixrules", "../../etc/passwd", "/etc/passwd",
		"tzdata.zi", "" };
	static const char *const moon[] = { "Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza",
		"Asia/Hebron" };
	struct us_buf out;

	(void)state;
	us_buf_init(&out, 64);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(us_zone_posix_of(none[i], strlen(none[i]), &out),
		    US_ERR_NOT_FOUND);
	assert_int_equal(us_zone_posix_of("UTC", 3, &out), US_OK);
	for (size_t i = 0; i < sizeof(moon) / sizeof(moon[0]); i++) {
		int err = us_zone_posix_of(moon[i], strlen(moon[i]), &out);
		if (err != US_ERR_NOT_FOUND) /* no database here */
			assert_int_equal(err, US_ERR_RANGE);
	}
	us_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_zone_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
