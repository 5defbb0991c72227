/* The reports by name. */
#include "client/report/catalogue.h"

#include <string.h>

#include "client/report/kinds.h"

const struct us_report_kind *const us_report_kinds[] = {
#define X(name) &us_report_##name,
	US_REPORTS(X)
#undef X
	    NULL,
};

const struct us_report_kind *
us_report_kind_named(const char *name)
{
	for (size_t i = 0; us_report_kinds[i] != NULL; i++)
		if (strcmp(us_report_kinds[i]->name, name) == 0)
			return us_report_kinds[i];
	return NULL;
}
