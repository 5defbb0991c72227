/* The hooks of programs for tests (daemon/process/hooks.h). */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/number.h"
#include "daemon/process/hooks.h"
#include "daemon/process/settings.h"

#define FAIL_SYNC "keeper.fail-sync" /* the n-th sync of the log from the start fails */

static int64_t syncs_until_failure; /* 0: none fails */

char **
us_hooks_environment(void)
{
	return environ;
}

int
us_hooks_know(const char *name)
{
	return strcmp(name, FAIL_SYNC) == 0;
}

void
us_hooks_configure(const struct us_settings *settings)
{
	const char *text = us_setting(settings, FAIL_SYNC, "0");

	if (us_number_text(text, 0, INT32_MAX, &syncs_until_failure) != US_OK) {
		(void)fprintf(stderr, "%s is no number\n", FAIL_SYNC);
		abort();
	}
}

int
us_hooks_sync(void)
{
	return syncs_until_failure > 0 && --syncs_until_failure == 0 ? EIO : 0;
}
