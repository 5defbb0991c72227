/* The reports by name. */
#ifndef US_CLIENT_REPORT_CATALOGUE_H
#define US_CLIENT_REPORT_CATALOGUE_H

#include "client/report/report.h"

/* In the order in which they are listed, ended by NULL. */
extern const struct us_report_kind *const us_report_kinds[];
/* The kind of that name, or NULL. */
const struct us_report_kind *us_report_kind_named(const char *name);

#endif
