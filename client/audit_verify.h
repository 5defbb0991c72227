/* What a verification of the log found, as the client's commands say it. */
#ifndef US_CLIENT_AUDIT_VERIFY_H
#define US_CLIENT_AUDIT_VERIFY_H

#include "client/client.h"
#include "verify/verify.h"

/* Prints the verdict and what was checked (policy: what it was verified with, or NULL); returns the verdict's exit status. */
int us_verdict_print(struct us_client *client, const struct us_verify_report *r, const struct us_tlog_policy *policy);

#endif
