/* Goal: a move that a table of states does not have ends the process, and every other is made. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "tests/unit/transitions_check.h"

enum { SHUT, OPEN, GONE };

static const struct us_state_row doors[] = {
	[SHUT] = { "shut", US_TO(OPEN) | US_TO(GONE) },
	[OPEN] = { "open", US_TO(OPEN) | US_TO(SHUT) },
	[GONE] = { "gone", 0 },
};
static const struct us_transitions table = { "a door", doors, US_COUNT(doors) };

static void
test_allowed(void **state)
{
	static const struct us_expected_move moves[] = { { SHUT, OPEN }, { SHUT, GONE },
		{ OPEN, OPEN }, { OPEN, SHUT } };

	(void)state;
	us_check_transitions(&table, moves, US_COUNT(moves));
	for (size_t i = 0; i < US_COUNT(moves); i++)
		assert_int_equal(us_transition(&table, moves[i].from, moves[i].to), moves[i].to);
	/* what is no state goes nowhere, and nothing goes there */
	assert_int_equal(us_transition_allowed(&table, GONE + 1, SHUT), 0);
	assert_int_equal(us_transition_allowed(&table, SHUT, GONE + 1), 0);
	assert_int_equal(us_transition_allowed(&table, SHUT, UINT32_MAX), 0);
	assert_string_equal(us_transition_name(&table, OPEN), "open");
	assert_string_equal(us_transition_name(&table, GONE + 1), "?");
}

/* What a child writes to stderr while it makes a move that ends it, and how it ended. */
static int
move_apart(unsigned from, unsigned to, char *text, size_t room)
{
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(pipes[1], STDERR_FILENO);
		_exit((int)us_transition(&table, from, to));
	}
	(void)close(pipes[1]);
	n = read(pipes[0], text, room - 1);
	text[n > 0 ? n : 0] = '\0';
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_forbidden(void **state)
{
	char text[256];
	int status;

	(void)state;
	for (unsigned from = 0; from <= GONE + 1; from++) {
		for (unsigned to = 0; to <= GONE + 1; to++) {
			status = move_apart(from, to, text, sizeof text);
			if (us_transition_allowed(&table, from, to)) {
				assert_true(WIFEXITED(status));
				assert_int_equal(WEXITSTATUS(status), to);
			} else {
				assert_true(WIFSIGNALED(status));
				assert_int_equal(WTERMSIG(status), SIGABRT);
			}
		}
	}
	(void)move_apart(GONE, OPEN, text, sizeof text);
	assert_non_null(
	    strstr(text, "a door cannot go from \"gone\" (2) to \"open\" (1): this is a bug"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
