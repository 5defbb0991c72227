/*
 * Holds a table of states against a second list, written by hand: every move of the list is
 * allowed, every other pair of states is forbidden.
 */
#ifndef US_TESTS_UNIT_TRANSITIONS_CHECK_H
#define US_TESTS_UNIT_TRANSITIONS_CHECK_H

#include "base/transitions.h"

struct us_expected_move {
	unsigned from, to;
};

static inline void
us_check_transitions(const struct us_transitions *table, const struct us_expected_move *moves,
    size_t n)
{
	size_t allowed = 0;

	assert_true(table->n <= US_STATES_MAX);
	for (unsigned from = 0; from < table->n; from++) {
		assert_non_null(table->states[from].name);
		/* no move to what is no state */
		if (table->n < US_STATES_MAX)
			assert_int_equal(table->states[from].next >> table->n, 0);
		for (unsigned to = 0; to < table->n; to++) {
			int expected = 0;

			for (size_t i = 0; i < n; i++)
				expected |= moves[i].from == from && moves[i].to == to;
			if (us_transition_allowed(table, from, to) != expected)
				fail_msg("%s: from \"%s\" to \"%s\" is %s", table->thing,
				    us_transition_name(table, from), us_transition_name(table, to),
				    expected ? "not allowed" : "allowed");
			allowed += (size_t)expected;
		}
	}
	assert_int_equal(allowed, n); /* each of the list is one, and once */
}

#endif
