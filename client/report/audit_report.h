/* The command `audit report`; its line stands in the table of audit.c. */
#ifndef US_CLIENT_REPORT_AUDIT_REPORT_H
#define US_CLIENT_REPORT_AUDIT_REPORT_H

#include "client/core/client.h"

#define US_REPORT_OPTIONS 24
extern const struct us_option us_report_options[US_REPORT_OPTIONS];
/* Makes and shows the report that the operands name, or lists them all; returns an exit status. */
int us_report_run(struct us_client *client, const struct us_args *args);

#endif
