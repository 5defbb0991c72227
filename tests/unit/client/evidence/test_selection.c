/* Goal: Bates numbers become exactly the set of records they name, whatever their order and
 * repeats; scopes of a freeze say what they seem to say, or are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/evidence/selection.h"
#include "base/err.h"

static cJSON *
collections(void)
{
	cJSON *list = cJSON_Parse("[{\"collection\":1,\"name\":\"logs\",\"bates_prefix\":\"OAI\"},"
				  "{\"collection\":2,\"name\":\"mail\",\"bates_prefix\":\"OAI-M\"},"
				  "{\"collection\":7,\"name\":\"odd\",\"bates_prefix\":\"A2_B\"}]");

	assert_non_null(list);
	return list;
}

static void
choice_by_prefix(void **state)
{
	struct us_choice choice = { NULL, 0 };
	cJSON *list = collections();

	(void)state;
	assert_int_equal(us_choice_add(&choice, list, "OAI-M000000003"), US_OK);
	assert_int_equal(us_choice_add(&choice, list, "OAI000000009"), US_OK);
	assert_int_equal(us_choice_add(&choice, list, "OAI-M000000001"), US_OK);
	assert_int_equal(us_choice_add(&choice, list, "OA000000001"), US_ERR_NOT_FOUND);
	assert_int_equal(us_choice_add(&choice, list, "oai000000001"), US_ERR_NOT_FOUND);
	assert_int_equal(us_choice_add(&choice, list, "OAI1"), US_ERR_FORMAT);
	assert_int_equal(choice.n, 2);
	assert_int_equal(choice.items[0].collection, 2);
	assert_string_equal(choice.items[0].name, "mail");
	assert_int_equal(choice.items[0].n, 2);
	assert_int_equal(choice.items[1].collection, 1);
	assert_int_equal(choice.items[1].records[0], 8);
	us_choice_free(&choice);
	assert_int_equal(choice.n, 0);
	cJSON_Delete(list);
}

/* The act's own codec reads the set back; a bitmap is the second opinion. */
static void
same_set(struct us_chosen *c, const uint8_t *wanted, size_t size)
{
	struct us_act *act = calloc(1, sizeof *act), *back = calloc(1, sizeof *back);
	uint8_t *found = calloc(1, size);
	struct us_run run = { 0, 0 };
	struct us_buf payload;
	size_t at = 0;

	assert_true(act != NULL && back != NULL && found != NULL);
	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	act->type = US_ACT_CHALLENGE;
	act->u.records.selection = us_chosen_selection(c);
	assert_int_equal(us_act_encode(&payload, act), US_OK);
	assert_int_equal(us_act_decode(back, US_ACT_CHALLENGE,
			     (struct us_bytes){ payload.data, payload.len }),
	    US_OK);
	assert_int_equal(back->u.records.selection.collection, c->collection);
	while (us_selection_next(&back->u.records.selection, &at, &run))
		for (uint64_t i = 0; i < run.count; i++) {
			assert_true(run.first + i < size);
			found[run.first + i]++;
		}
	assert_memory_equal(found, wanted, size);
	us_buf_free(&payload);
	free(found);
	free(act);
	free(back);
}

static void
any_order_same_set(void **state)
{
	enum { RECORDS = 500, ROUNDS = 200 };
	cJSON *list = collections();
	uint32_t seed = 1;
	char bates[64];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct us_choice choice = { NULL, 0 };
		uint8_t wanted[RECORDS] = { 0 };
		unsigned n = 1 + round * 3;

		for (unsigned i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			const unsigned record = (seed >> 8) %
			    (1 + round * 2 < RECORDS ? 1 + round * 2 : RECORDS);

			wanted[record] = 1;
			(void)snprintf(bates, sizeof bates, "A2_B%09u", record + 1);
			assert_int_equal(us_choice_add(&choice, list, bates), US_OK);
		}
		assert_int_equal(choice.n, 1);
		assert_int_equal(us_chosen_pack(&choice.items[0]), US_OK);
		same_set(&choice.items[0], wanted, RECORDS);
		us_choice_free(&choice);
	}
	cJSON_Delete(list);
}

static void
too_many_runs(void **state)
{
	struct us_chosen c = { .n = US_SELECTION_RUNS + 1 };

	(void)state;
	us_buf_init(&c.runs, US_SELECTION_BYTES);
	c.records = calloc(c.n, sizeof *c.records);
	assert_non_null(c.records);
	for (size_t i = 0; i < c.n; i++)
		c.records[i] = 2 * i;
	assert_int_equal(us_chosen_pack(&c), US_ERR_LIMIT);
	c.n--;
	assert_int_equal(us_chosen_pack(&c), US_OK);
	assert_int_equal(c.n_runs, US_SELECTION_RUNS);
	us_buf_free(&c.runs);
	free(c.records);
}

static void
scopes(void **state)
{
	static const struct {
		const char *text;
		enum us_freeze_scope scope;
		enum us_scope_by by;
		const char *rest;
	} taken[] = {
		{ "all", US_FREEZE_EVERYTHING, US_BY_NAME, "" },
		{ "party:plaintiffs", US_FREEZE_PARTY, US_BY_NAME, "plaintiffs" },
		{ "person:Ada: the Attorney", US_FREEZE_PERSON, US_BY_NAME, "Ada: the Attorney" },
		{ "collection:logs", US_FREEZE_COLLECTION, US_BY_NAME, "logs" },
		{ "query:model:gpt-4", US_FREEZE_RECORDS, US_BY_QUERY, "model:gpt-4" },
		{ "query:-", US_FREEZE_RECORDS, US_BY_QUERY, "-" },
		{ "batch:logs/3", US_FREEZE_RECORDS, US_BY_BATCH, "logs/3" },
		{ "records:OAI000000001,OAI000000002", US_FREEZE_RECORDS, US_BY_BATES,
		    "OAI000000001,OAI000000002" },
	};
	static const char *const refused[] = { "", "al", "all:", "all:x", "All", "party",
		"party:", ":x", "people:x", "query", "part:x", " all" };
	struct us_scope scope;

	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		if (us_scope_parse(taken[i].text, &scope) != US_OK)
			fail_msg("refused: %s", taken[i].text);
		assert_int_equal(scope.scope, taken[i].scope);
		assert_int_equal(scope.by, taken[i].by);
		assert_string_equal(scope.text, taken[i].rest);
	}
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (us_scope_parse(refused[i], &scope) != US_ERR_FORMAT)
			fail_msg("taken: %s", refused[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choice_by_prefix),
		cmocka_unit_test(any_order_same_set),
		cmocka_unit_test(too_many_runs),
		cmocka_unit_test(scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
