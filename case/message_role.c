#include "case/message_role.h"

#include <stddef.h>

const char *
us_message_role_name(unsigned role)
{
	static const char *const names[] = { NULL, "system", "user", "assistant", "tool" };

	return role < sizeof(names) / sizeof(names[0]) ? names[role] : NULL;
}
