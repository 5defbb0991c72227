/* Which answers must bring an entry of the log: every route of the table has been thought about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "client/log/answered.h"
#include "daemon/process/messages.h"

/* The routes that leave no entry when all goes well, or one of before. Everything else must bring a
 * new one. */
static const struct {
	const char *method, *pattern;
	enum us_answer_proof proof;
} others[] = {
	{ "POST", "v1/loads/*/parts/*", US_ANSWER_FREE },
	{ "POST", "v1/loads/*/finish", US_ANSWER_OLD },
	{ "DELETE", "v1/loads/*", US_ANSWER_OLD },
	{ "GET", "v1/loads/*", US_ANSWER_OLD },
	{ "GET", "v1/status", US_ANSWER_FREE },
	{ "GET", "v1/session", US_ANSWER_FREE },
	{ "GET", "v1/log/checkpoint", US_ANSWER_FREE },
	{ "GET", "v1/log/checkpoint.witnessed", US_ANSWER_FREE },
	{ "GET", "v1/log/checkpoint.witnessed/*", US_ANSWER_FREE },
	{ "GET", "v1/log/vkey", US_ANSWER_FREE },
	{ "GET", "v1/log/handovers", US_ANSWER_FREE },
	{ "GET", "v1/log/entry-proof/*", US_ANSWER_FREE },
	{ "GET", "v1/log/consistency/*/*", US_ANSWER_FREE },
	{ "GET", "v1/log/tile/**", US_ANSWER_FREE },
};

static enum us_answer_proof
wanted(const char *method, const char *pattern)
{
	for (size_t i = 0; i < US_COUNT(others); i++)
		if (strcmp(others[i].method, method) == 0 &&
		    strcmp(others[i].pattern, pattern) == 0)
			return others[i].proof;
	return US_ANSWER_NEW;
}

static void
check_route(const char *method, const char *pattern)
{
	char path[256] = "/", query[300];
	size_t at = 1;

	for (const char *p = pattern; *p != '\0'; p++)
		path[at++] = *p == '*' ? 'x' : *p;
	path[at] = '\0';
	(void)snprintf(query, sizeof query, "%s?a=v1/status", path);
	if (us_answer_proof_of(method, path) != wanted(method, pattern) ||
	    us_answer_proof_of(method, query) != wanted(method, pattern))
		fail_msg("%s %s", method, pattern);
}

static void
every_route(void **state)
{
	(void)state;
#define X(message, method, pattern, media, body, detail) check_route(#method, pattern);
	US_ROUTES(X)
#undef X
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_route) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
