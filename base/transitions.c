#include "base/transitions.h"

#include "base/log.h"

int
us_transition_allowed(const struct us_transitions *table, unsigned from, unsigned to)
{
	return from < table->n && to < table->n && to < US_STATES_MAX &&
	    (table->states[from].next & US_TO(to)) != 0;
}

unsigned
us_transition(const struct us_transitions *table, unsigned from, unsigned to)
{
	if (!us_transition_allowed(table, from, to))
		us_panic("%s cannot go from \"%s\" (%u) to \"%s\" (%u)", table->thing,
		    us_transition_name(table, from), from, us_transition_name(table, to), to);
	return to;
}

const char *
us_transition_name(const struct us_transitions *table, unsigned state)
{
	return state < table->n ? table->states[state].name : "?";
}
