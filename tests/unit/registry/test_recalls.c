/* Copies that hold what was taken back: whose, of which act, until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "registry/recalls.h"
#include "tests/unit/registry/docket_acts.h"

/* The records of the attorney's copy: 0, 1, 2, 95, 105 */
static const uint64_t copied[] = { 0, 1, 2, 95, 105 };

static void
copy_some(struct world *w)
{
	struct us_act *act = calloc(1, sizeof(*act));
	uint8_t records[8 * US_COUNT(copied)];

	for (size_t i = 0; i < US_COUNT(copied); i++)
		us_store_u64(records + i * 8, copied[i]);
	act->type = US_ACT_COPY;
	act->u.copy = (struct us_act_copy){ 1, us_bytes_of("Expert"), us_bytes_of("report"),
		US_COUNT(copied), { records, sizeof records } };
	assert_int_equal(world_act(w, &w->attorney, act), US_OK);
	free(act);
}

struct recalled {
	size_t n;
	char text[256]; /* "copy:why:records" of each */
};

static void
note_recall(void *ctx, const struct us_recall *recall)
{
	struct recalled *r = ctx;
	const size_t at = strlen(r->text);
	size_t n = (size_t)snprintf(r->text + at, sizeof r->text - at, "%s%u:%s", at > 0 ? " " : "",
	    (unsigned)recall->copy->id, recall->clawback != NULL ? recall->clawback->id : "batch");

	for (size_t i = 0; i < US_COUNT(copied); i++)
		if (us_recall_has(recall, copied[i]))
			n += (size_t)snprintf(r->text + at + n, sizeof r->text - at - n, ",%u",
			    (unsigned)copied[i]);
	r->n++;
}

static void
check_recalls(const struct world *w, const struct actor *who, const char *want)
{
	struct recalled r = { .n = 0 };

	us_registry_recalls(w->reg, person_of(w, who), note_recall, &r);
	assert_string_equal(r.text, want);
}

/* An act that changes a batch or a copy. */
static int
end(struct world *w, const struct actor *by, enum us_act_type type, uint64_t which)
{
	struct us_act *act = calloc(1, sizeof(*act));

	act->type = type;
	if (type == US_ACT_COPY_RETURN) {
		act->u.copy_return.copy = which;
		act->u.copy_return.how = US_COPY_DESTROYED;
	} else {
		act->u.batch.collection = 1;
		act->u.batch.slot = (uint32_t)which;
		act->u.batch.reason = us_bytes_of("sent by mistake");
	}
	int err = world_act(w, by, act);
	free(act);
	return err;
}

static void
test_recalls(void **state)
{
	static const struct edit returns[] = {
		{ "actions: [copy]", "actions: [copy, copy-return]" }, { NULL, NULL }
	};
	struct world *w = *state;

	copy_some(w);
	check_recalls(w, &w->attorney, "");
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 90, 20, NULL), US_OK);
	check_recalls(w, &w->attorney, "1:clawback-1,95,105");
	check_recalls(w, &w->producer, "");
	check_recalls(w, &w->auditor, "");
	/* what is denied or taken back itself is none; what stays, stays */
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 2, 1, NULL), US_OK);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 0, 1, NULL), US_OK);
	check_recalls(w, &w->attorney, "1:clawback-1,95,105 1:clawback-2,2 1:clawback-3,0");
	assert_int_equal(resolve(w, &w->auditor, "clawback-1", US_OUTCOME_DENIED), US_OK);
	assert_int_equal(withdraw(w, &w->producer, "clawback-3"), US_OK);
	assert_int_equal(resolve(w, &w->auditor, "clawback-2", US_OUTCOME_GRANTED), US_OK);
	check_recalls(w, &w->attorney, "1:clawback-2,2");
	/* of records that nobody has copied */
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 50, 10, NULL), US_OK);
	assert_int_equal(end(w, &w->producer, US_ACT_BATCH_WITHDRAW, 1), US_OK);
	check_recalls(w, &w->attorney, "1:clawback-2,2 1:batch,105");
	assert_int_equal(us_copy_taken_back(w->reg, us_registry_copy(w->reg, 1)), 2);
	amend(w, 2, returns, 0);
	assert_int_equal(end(w, &w->attorney, US_ACT_COPY_RETURN, 1), US_OK);
	check_recalls(w, &w->attorney, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_recalls, docket_setup, docket_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
