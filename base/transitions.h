/*
 * State machines as tables. Each thing that lives through states (a connection, a load, a batch, a
 * request, a seal) has one table: its states by name, and for each the states that may come next.
 * The diagram stands above the table. Every move goes through us_transition(), so that one which
 * the diagram does not have is noticed where it is made, and not by what it does later:
 *
 *	static const struct us_state_row doors[] = {
 *		[SHUT] = { "shut", US_TO(OPEN) | US_TO(GONE) },
 *		[OPEN] = { "open", US_TO(SHUT) },
 *		[GONE] = { "gone", 0 },
 *	};
 *	const struct us_transitions us_door_transitions = { "a door", doors, US_COUNT(doors) };
 *
 *	door->state = us_transition(&us_door_transitions, door->state, OPEN);
 *
 * States are the values of an enum that begins at 0, US_STATES_MAX at most. To stay in a state is
 * a move like any other: where it may happen the state names itself.
 */
#ifndef US_BASE_TRANSITIONS_H
#define US_BASE_TRANSITIONS_H

#include <stdint.h>

#define US_STATES_MAX 32u
/* The bit of a state, for us_state_row.next. */
#define US_TO(state) (UINT32_C(1) << (state))

struct us_state_row {
	const char *name;
	uint32_t next; /* US_TO() of each state that may come next; 0: the end */
};

struct us_transitions {
	const char *thing; /* for the operator's log: "a load" */
	const struct us_state_row *states;
	unsigned n;
};

/* 1 if a thing in state `from` may move to state `to`; 0 also for values that are no states. */
int us_transition_allowed(const struct us_transitions *table, unsigned from, unsigned to);
/* The move from `from` to `to`: returns `to`. One that the table does not have is our bug: it is
 * logged, and the process ends (us_panic()). */
unsigned us_transition(const struct us_transitions *table, unsigned from, unsigned to)
    __attribute__((warn_unused_result));
/* The name of a state, for the log; "?" for a value that is none. */
const char *us_transition_name(const struct us_transitions *table, unsigned state);

#endif
