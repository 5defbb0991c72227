/* What a refused person types next. */
#ifndef US_CLIENT_CORE_NEXT_STEP_H
#define US_CLIENT_CORE_NEXT_STEP_H

#include "case/action.h"

struct us_next_step {
	const char *who;     /* types it; "": whoever was refused */
	const char *command; /* or the same one again; NULL: nothing to type */
};

/* By the reason of the refusal; the texts are static. */
struct us_next_step us_next_step_of(enum us_reason reason);
/* By the name of the reason (a problem's "reason"); nothing to type for one that is none. */
struct us_next_step us_next_step_named(const char *reason);

#endif
