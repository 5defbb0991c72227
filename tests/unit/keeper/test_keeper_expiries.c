/* Goal: the operator's log says ahead which certificates end: of people when the vault is open, of
 * the server and the CA sealed or not, and of nobody too early. The keeper is a real process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"
#include "rig.h"

/* The clock, which the linker puts here (--wrap), moved by what the environment says: for the
 * keeper's process too. */
#define CLOCK "US_TEST_CLOCK"
int64_t __real_us_time_now_ns(void);
int64_t __wrap_us_time_now_ns(void);

int64_t
__wrap_us_time_now_ns(void)
{
	const char *offset = getenv(CLOCK);

	return __real_us_time_now_ns() + (offset == NULL ? 0 : strtoll(offset, NULL, 10));
}

static void
set_clock(const char *text)
{
	char offset[32];
	int64_t ns;

	assert_int_equal(us_time_parse(text, strlen(text), &ns), US_OK);
	(void)snprintf(offset, sizeof offset, "%lld", (long long)(ns - __real_us_time_now_ns()));
	assert_int_equal(setenv(CLOCK, offset, 1), 0);
}

/* What the keeper says between its start at that time and its end. */
static void
said(struct rig *r, const char *at, int opens, char text[16384])
{
	FILE *f = tmpfile();
	const int before = dup(2);
	size_t n;

	assert_non_null(f);
	set_clock(at);
	assert_int_equal(dup2(fileno(f), 2), 2);
	rig_start(r, "");
	if (opens)
		rig_open(r);
	(void)usleep(400 * 1000);
	assert_int_equal(rig_stop(r, 0), 0);
	assert_int_equal(dup2(before, 2), 2);
	(void)close(before);
	rewind(f);
	n = fread(text, 1, 16383, f);
	text[n] = '\0';
	(void)fclose(f);
}

static void
ends_are_told_ahead(void **state)
{
	struct rig r;
	char text[16384];

	(void)state;
	memset(&r, 0, sizeof r);
	set_clock("2026-12-01T12:00:00Z"); /* people: a year; server: five; CA: twenty */
	rig_create(&r);
	said(&r, "2027-09-01T12:00:00Z", 1, text);
	assert_null(strstr(text, "certificate"));
	said(&r, "2027-11-05T12:00:00Z", 1, text);
	assert_non_null(strstr(text, "the certificate of Adam Admin ends on 2027-12-01, in 2"));
	assert_non_null(strstr(text, "the certificate of Ada Auditor ends on"));
	assert_null(strstr(text, "the server"));
	said(&r, "2031-11-20T12:00:00Z", 0, text);
	assert_non_null(strstr(text, "the certificate of the server ends on 2031-11-3"));
	assert_null(strstr(text, "the vault's CA"));
	said(&r, "2046-11-20T12:00:00Z", 0, text);
	assert_non_null(strstr(text, "the certificate of the server ended on 2031-11-3"));
	assert_non_null(strstr(text, "the certificate of the vault's CA ends on 2046-11-2"));
	rig_destroy(&r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_told_ahead),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
