#include "case/message_role.h"

#include <stddef.h>

#include "base/array.h"

const char *
us_message_role_name(unsigned role)
{
	static const char *const names[] = { NULL, "system", "user", "assistant", "tool" };

	return role < US_COUNT(names) ? names[role] : NULL;
}
