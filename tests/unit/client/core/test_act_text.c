/* Goal: every act that a person can sign is told in words before it is signed: what it does, and
 * all that stands in it, by the names that were asked for. A number has one name, a name one
 * number. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "client/core/act_text.h"
#include "client/core/named.h"
#include "client/core/show.h"

static const enum us_act_type types[] = {
#define X(name, number, ...) US_ACT_##name,
	US_ACTS(X)
#undef X
};

/* Shows an act, and returns what came on stdout; to be freed. */
static char *
shown(const struct us_client *client, const struct us_act *act)
{
	char path[] = "/tmp/underseal-act-XXXXXX", *text = calloc(1, 16384);
	int fd = mkstemp(path), before = dup(STDOUT_FILENO);

	assert_non_null(text);
	assert_true(fd >= 0 && before >= 0);
	(void)fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	us_act_show(client, act);
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	assert_true(pread(fd, text, 16383, 0) > 0);
	(void)close(fd);
	(void)close(before);
	(void)unlink(path);
	return text;
}

static struct us_act *
act_of(enum us_act_type type)
{
	struct us_act *act = calloc(1, sizeof *act);

	assert_non_null(act);
	act->type = type;
	return act;
}

static void
test_every_act(void **state)
{
	struct us_client client = { 0 };

	(void)state;
	for (size_t i = 0; i < US_COUNT(types); i++) {
		const char *title = us_act_title(types[i]);
		struct us_act *act;
		char *text;

		assert_int_equal(title == NULL, us_act_is_vaults(types[i]));
		if (title == NULL) {
			assert_false(us_act_is_asked(types[i]));
			continue;
		}
		for (size_t k = 0; k < i; k++)
			if (us_act_title(types[k]) != NULL)
				assert_string_not_equal(us_act_title(types[k]), title);
		act = act_of(types[i]);
		text = shown(&client, act);
		assert_non_null(strstr(text, title));
		free(text);
		free(act);
	}
}

/* An act's texts, numbers by name, records by Bates number. */
static void
test_all_of_it(void **state)
{
	static const uint64_t records[] = { 16, 17, 18, 40 };
	struct us_client client = { 0 };
	struct us_act *act = act_of(US_ACT_CLAWBACK);
	struct us_buf runs;
	char *text;

	(void)state;
	us_buf_init(&runs, 1024);
	us_named_add(&client, US_NAMED_COLLECTION, 3, "logs");
	us_named_add(&client, US_NAMED_PREFIX, 3, "OAI");
	us_named_add(&client, US_NAMED_PERSON, 9, "Eve Expert");
	assert_int_equal(us_selection_pack(records, 4, &runs, &act->u.records.selection.n_runs),
	    US_OK);
	act->u.records.selection.collection = 3;
	act->u.records.selection.runs = (struct us_bytes){ runs.data, runs.len };
	memset(act->u.records.document, 0xab, 32);
	text = shown(&client, act);
	assert_non_null(strstr(text, "collection     logs\n"));
	assert_non_null(strstr(text,
	    "OAI000000017 to OAI000000019\n               OAI000000041\nrecords        4\n"));
	assert_non_null(strstr(text, "notice         abab"));
	free(text);
	act->u.records.selection.collection = 4; /* that nobody has named */
	text = shown(&client, act);
	assert_non_null(strstr(text, "collection     4\n"));
	assert_non_null(strstr(text, "record 17 to record 19\n"));
	free(text);

	memset(act, 0, sizeof *act);
	act->type = US_ACT_FREEZE;
	act->u.freeze.scope = US_FREEZE_PERSON;
	act->u.freeze.person = 9;
	act->u.freeze.authority = us_bytes_of("oral order\x1b[2J");
	text = shown(&client, act);
	assert_non_null(strstr(text, "of person      Eve Expert\n"));
	assert_non_null(strstr(text, "authority      oral order"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	free(act);
	us_buf_free(&runs);
	us_named_free(&client);
}

/* The status that the program ends with if this is remembered after "logs" is number 3. */
static int
ends_with(enum us_named_what what, uint32_t number, const char *name)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct us_client client = { 0 };

		(void)close(STDERR_FILENO);
		us_named_add(&client, US_NAMED_COLLECTION, 3, "logs");
		us_named_add(&client, what, number, name);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_one_name(void **state)
{
	(void)state;
	assert_int_equal(ends_with(US_NAMED_COLLECTION, 3, "logs"), 0);
	assert_int_equal(ends_with(US_NAMED_COLLECTION, 4, "mail"), 0);
	assert_int_equal(ends_with(US_NAMED_PERSON, 3, "mail"), 0);
	assert_int_equal(ends_with(US_NAMED_COLLECTION, 3, "mail"), US_EXIT_UNVERIFIED);
	assert_int_equal(ends_with(US_NAMED_COLLECTION, 4, "logs"), US_EXIT_UNVERIFIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_act),
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
