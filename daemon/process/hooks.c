#include "daemon/process/hooks.h"

#include <stddef.h>

char **
us_hooks_environment(void)
{
	static char *none[] = { NULL };

	return none;
}

int
us_hooks_know(const char *name)
{
	(void)name;
	return 0;
}

void
us_hooks_configure(const struct us_settings *settings)
{
	(void)settings;
}

int
us_hooks_sync(void)
{
	return 0;
}
