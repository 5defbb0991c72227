/*
 * The tables of actions and capacities, column by column, against lists that were written by hand
 * from the predicates that stood in their place: what an action may do is decided on twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "case/action.h"
#include "case/capacity.h"

/* Lists of names; spaces around each. */
static const char ordered[] =
    " search count read copy copy-list copy-return match sample terms sweep analyse note load"
    " batch-list batch-release batch-withdraw batch-hold audit-list audit-keys audit-export"
    " audit-report clearance challenge relabel clawback clawback-report ";
static const char open_to_all[] =
    " session status collection-list order-show order-explain order-diff order-who docket-list"
    " person-list credential-list audit-tile audit-checkpoint audit-witness acknowledge"
    " acknowledgement-list docket-object docket-withdraw docket-serve document-add document-read"
    " approval-request ";
static const char administrative[] =
    " collection-create collection-destroy record-destroy legal-hold person-add person-sign"
    " person-suspend person-reinstate person-end credential-issue credential-revoke order-set"
    " order-propose order-sign order-withdraw order-suspend docket-sign docket-resolve freeze"
    " unfreeze unseal-share seal matter-set ";
static const char internal[] =
    " none open-collection batch-open batch-close batch-void merge-open merge-close dictionary"
    " init start stop unseal state-open heartbeat configure gap role-restart refusals handshakes"
    " backup restore handover clock order-in-force answered ";
static const char evidence[] = " search count read copy match sample terms sweep analyse note ";
static const char opens_log[] = " audit-list audit-keys audit-export audit-report ";
static const char frozen[] = " search count read copy match sample terms sweep analyse note"
			     " copy-return load batch-release batch-withdraw relabel ";
static const char shows_records[] = " read copy search match sample ";
static const char opens_index[] = " search count read copy match sample terms ";
static const char goes_on[] =
    " session unseal-share seal status person-list person-suspend person-end credential-list"
    " credential-revoke collection-list batch-list batch-withdraw docket-list order-show clawback"
    " freeze ";
static const char planned[] =
    " match sample terms sweep analyse note batch-hold audit-list audit-report"
    " collection-destroy record-destroy legal-hold merge-open merge-close restore ";
static const char unused[] =
    " none person-sign order-set order-sign order-withdraw audit-checkpoint ";

static int
among(const char *list, const char *name)
{
	char word[64];

	(void)snprintf(word, sizeof(word), " %s ", name);
	return strstr(list, word) != NULL;
}

/* ---- actions ---- */

static void
test_columns(void **state)
{
	size_t n = 0;

	(void)state;
	for (unsigned a = 0; a < 2 * US_ACTIONS_MAX; a++) {
		const struct us_action_row *row = us_action_row(a);
		const char *name = us_action_name(a);

		if (name == NULL) {
			assert_ptr_equal(row, us_action_row(US_ACTION_NONE));
			continue;
		}
		n++;
		assert_string_equal(row->text, name);
		assert_int_equal(row->class == US_ACTIONS_ORDERED, among(ordered, name));
		assert_int_equal(row->class == US_ACTIONS_OPEN, among(open_to_all, name));
		assert_int_equal(row->class == US_ACTIONS_ADMINISTRATIVE,
		    among(administrative, name));
		assert_int_equal(row->class == US_ACTIONS_INTERNAL, among(internal, name));
		assert_int_equal(row->is_evidence, among(evidence, name));
		assert_int_equal(row->opens_log, among(opens_log, name));
		assert_int_equal(row->is_frozen, among(frozen, name));
		assert_int_equal(row->shows_records, among(shows_records, name));
		assert_int_equal(row->opens_index, among(opens_index, name));
		assert_int_equal(row->goes_on_when_full, among(goes_on, name));
		assert_int_equal(row->done == US_ACTION_IS_PLANNED, among(planned, name));
		assert_int_equal(row->done == US_ACTION_IS_UNUSED, among(unused, name));
	}
	assert_int_equal(n, 95);
}

/* What stands in entries and compiled orders for good. */
static void
test_numbers(void **state)
{
	static const struct {
		unsigned number;
		const char *name;
	} some[] = { { 0, "none" }, { 1, "search" }, { 13, "note" }, { 20, "load" },
		{ 35, "legal-hold" }, { 40, "session" }, { 51, "clearance" }, { 60, "order-set" },
		{ 79, "docket-serve" }, { 86, "audit-report" }, { 100, "init" }, { 112, "clock" },
		{ 119, "clawback-report" }, { 125, "refusals" } };
	enum us_action a = US_ACTION_READ;

	(void)state;
	for (size_t i = 0; i < US_COUNT(some); i++) {
		assert_string_equal(us_action_name(some[i].number), some[i].name);
		assert_int_equal(us_action_of(&a, some[i].name, strlen(some[i].name)), US_OK);
		assert_int_equal(a, some[i].number);
	}
	a = US_ACTION_READ;
	assert_int_equal(us_action_of(&a, "sear", 4), US_ERR_NOT_FOUND);
	assert_int_equal(us_action_of(&a, "", 0), US_ERR_NOT_FOUND);
	assert_int_equal(a, US_ACTION_READ);
	assert_null(us_action_name(14));
	assert_null(us_action_name(126));
	assert_null(us_action_name(UINT32_MAX));
}

/* What follows from one column for another. */
static void
test_consistent(void **state)
{
	(void)state;
	for (unsigned a = 0; a < US_ACTIONS_MAX; a++) {
		const struct us_action_row *row = us_action_row(a);

		if (row->is_evidence)
			assert_true(row->is_frozen && row->class == US_ACTIONS_ORDERED);
		if (row->shows_records || row->opens_index)
			assert_true(row->is_evidence);
		if (row->opens_log)
			assert_true(row->class == US_ACTIONS_ORDERED && !row->is_evidence);
	}
}

/* ---- capacities ---- */

static void
test_capacities(void **state)
{
	static const char *const names[] = { NULL, "administrator", "producer", "outside-counsel",
		"counsel-staff", "house-counsel", "expert", "vendor", "witness", "reporter",
		"court", "special-master", "auditor", "keyholder", NULL, NULL };
	uint32_t machine = 0;

	(void)state;
	assert_int_equal(US_CAPACITY_LAST, 13);
	assert_int_equal(US_CAPACITY_ANY, 0x3ffe);
	for (unsigned c = 0; c < US_COUNT(names); c++) {
		const char *name = names[c] == NULL ? "" : names[c];
		const int runs = among(" administrator keyholder ", name);
		enum us_capacity found;

		if (names[c] == NULL) {
			assert_null(us_capacity_name(c));
		} else {
			assert_string_equal(us_capacity_name(c), name);
			assert_int_equal(us_capacity_of(&found, name, strlen(name)), US_OK);
			assert_int_equal(found, c);
		}
		machine |= runs ? US_CAPACITY_BIT(c) : 0;
		assert_int_equal(us_capacity_runs_machine(c), runs);
		assert_int_equal(us_capacity_class_of(c),
		    among(" administrator ", name)            ? US_CAPACITIES_ADMINISTRATOR :
			among(" keyholder ", name)            ? US_CAPACITIES_KEYHOLDER :
			among(" court special-master ", name) ? US_CAPACITIES_COURT :
								US_CAPACITIES_PERSON);
		assert_int_equal(us_capacity_sight(c),
		    among(" administrator court special-master auditor ", name) ? US_SIGHT_FULL :
										  US_SIGHT_OWN);
	}
	assert_int_equal(us_capacities_of_machine(), machine);
	assert_int_equal(machine, 0x2002);
	assert_null(us_capacity_name(UINT32_MAX));
	assert_int_equal(us_capacity_sight(UINT32_MAX), US_SIGHT_OWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_consistent),
		cmocka_unit_test(test_capacities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
