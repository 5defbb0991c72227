#include "client/core/next_step.h"

#include <string.h>

#include "base/err.h"

/* A reason without a row in the table does not compile: there is no default. */
struct us_next_step
us_next_step_of(enum us_reason reason)
{
	switch (reason) {
#define US_NEXT(name, who, command) \
	case US_REASON_##name: \
		return (struct us_next_step){ who, command };
#define US_NEXT_NONE(name) \
	case US_REASON_##name: \
		break;
#include "client/core/next_steps.def"
#undef US_NEXT
#undef US_NEXT_NONE
	}
	return (struct us_next_step){ "", NULL };
}

struct us_next_step
us_next_step_named(const char *reason)
{
	enum us_reason found = US_REASON_NONE;

	(void)us_reason_of(&found, reason, strlen(reason));
	return us_next_step_of(found);
}
