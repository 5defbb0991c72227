/* What a verification of the log found, as the client's commands say it. */
#ifndef US_CLIENT_LOG_AUDIT_VERIFY_H
#define US_CLIENT_LOG_AUDIT_VERIFY_H

#include "client/core/client.h"
#include "verify/token.h"
#include "verify/verify.h"

/* Prints the verdict and what was checked (policy: what it was verified with, or NULL); returns the
 * verdict's exit status. */
int us_verdict_print(struct us_client *client, const struct us_verify_report *r,
    const struct us_tlog_policy *policy);
/* Reads the authorities of an option that may be repeated, each a file of certificates; they are
 * the caller's. Ends the program if one is none. */
void us_authorities_read(const struct us_args *args, const char *option,
    struct us_authority *out[US_VALUES_MAX], size_t *n);

#endif
