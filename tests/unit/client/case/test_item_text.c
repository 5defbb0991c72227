/* Goal: whatever an act can put on the docket has a text for the people who sign it, and that text
 * shows all that stands in the item, is no JSON, and moves no terminal. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "client/case/item_text.h"
#include "registry/docket.h"

/* Shows an item, and returns what came on stdout; to be freed. */
static char *
shown(const char *json)
{
	char path[] = "/tmp/underseal-item-XXXXXX", *text = calloc(1, 8192);
	cJSON *item = cJSON_Parse(json);
	int fd = mkstemp(path), before = dup(STDOUT_FILENO);

	assert_non_null(item);
	assert_non_null(text);
	assert_true(fd >= 0 && before >= 0);
	(void)fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	us_item_show(item);
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	assert_true(pread(fd, text, 8191, 0) > 0);
	(void)close(fd);
	(void)close(before);
	(void)unlink(path);
	cJSON_Delete(item);
	return text;
}

static void
test_every_act(void **state)
{
	static const enum us_act_type types[] = {
#define X(name, number, ...) US_ACT_##name,
		US_ACTS(X)
#undef X
	};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < US_COUNT(types); i++) {
		const struct us_item_kind *kind = us_item_kind_of(types[i]);
		char json[128], *text;

		if ((unsigned)us_act_opens(types[i]) == 0 && types[i] != US_ACT_PERSON_ADD &&
		    types[i] != US_ACT_CREDENTIAL_ISSUE && types[i] != US_ACT_ORDER_PROPOSE) {
			assert_null(kind);
			continue;
		}
		assert_non_null(kind);
		(void)snprintf(json, sizeof json, "{\"id\":\"%s-7\",\"kind\":\"%s\"}", kind->kind,
		    kind->kind);
		text = shown(json);
		assert_non_null(strstr(text, kind->title));
		assert_non_null(strstr(text, kind->signing));
		assert_null(strstr(text, "does not know"));
		free(text);
		n++;
	}
	assert_int_equal(n, 8);
	for (unsigned f = US_FILING_ORDER; f <= US_FILING_APPROVAL; f++)
		assert_non_null(us_item_kind(us_filing_kind_name((enum us_filing_kind)f)));
}

static void
test_all_of_it(void **state)
{
	static const char *const person[] = { "Eve Expert", "capacity       expert",
		"parties        news, court", "aaaa\n               bbbb", "waits for      news",
		"yours          yes", "digest         cccc", NULL };
	static const char *const approval[] = { "action         read", "collection     logs",
		"purpose        claim 3",
		"OAI000000004 to OAI000000006,\n               OAI000000009\n",
		"these are the first 4 of 70000", "2 of news as court", NULL };
	static const char *const clearance[] = { "statement      dddd",
		"docket show clearance-1 --document FILE", "news   2026", "Ada Attorney", NULL };
	static const struct {
		const char *json;
		const char *const *wanted;
	} rows[] = {
		{ "{\"id\":\"person-5\",\"kind\":\"person\",\"name\":\"Eve Expert\",\"about\":{"
		  "\"capacity\":\"expert\",\"parties\":[\"news\",\"court\"]},\"waits_for\":["
		  "\"news\"],\"fingerprints\":[\"aaaa\",\"bbbb\"],\"digest\":\"cccc\",\"yours\":"
		  "true,\"due\":null}",
		    person },
		{ "{\"id\":\"approval-1\",\"kind\":\"approval\",\"status\":\"waits\",\"records\":"
		  "70000,\"wanted\":\"2 of news as court\",\"request\":{\"action\":\"read\","
		  "\"collection\":\"logs\",\"purpose\":\"claim 3\",\"query\":\"\",\"bates\":["
		  "\"OAI000000004\",\"OAI000000005\",\"OAI000000006\",\"OAI000000009\"]}}",
		    approval },
		{ "{\"id\":\"clearance-1\",\"kind\":\"clearance\",\"status\":\"waits\","
		  "\"document\":"
		  "\"dddd\",\"served\":[{\"party\":\"news\",\"served\":\"2026-03-03T10:00:00Z\"}],"
		  "\"signatures\":[{\"person\":4,\"name\":\"Ada Attorney\",\"time\":\"2026\"}]}",
		    clearance },
	};

	(void)state;
	for (size_t i = 0; i < US_COUNT(rows); i++) {
		char *text = shown(rows[i].json);

		for (size_t k = 0; rows[i].wanted[k] != NULL; k++)
			if (strstr(text, rows[i].wanted[k]) == NULL)
				fail_msg("no \"%s\" in:\n%s", rows[i].wanted[k], text);
		assert_null(strpbrk(text, "{}[]\""));
		free(text);
	}
}

static void
test_hostile(void **state)
{
	char *text = shown("{\"id\":\"\\u001b[2J\",\"kind\":\"\\u001b\",\"name\":\"a\\nyours "
			   "yes\",\"document\":\"\\u202e\",\"status\":\"\\u001b\",\"wanted\":"
			   "\"\\u009b\",\"served\":[{\"party\":\"\\u001b\"}]}");

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\nyours"));
	assert_null(strstr(text, "\xc2\x9b"));
	assert_non_null(strstr(text, "does not know"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_act),
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
