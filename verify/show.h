/* What a verification found, as people and scripts get it: the same from underseal-verify and from
 * the client. */
#ifndef US_VERIFY_SHOW_H
#define US_VERIFY_SHOW_H

#include <stdio.h>

#include "base/json_out.h"
#include "log/witness_policy.h"
#include "verify/verdict.h"

/* Writes the verdict, why, and what was checked. policy: the one that it was verified with, or
 * NULL. US_ERR_IO. */
int
us_verdict_text(FILE *to, const struct us_verify_report *r, const struct us_tlog_policy *policy);
/* The same as one JSON document on a line. US_ERR_IO, US_ERR_NOMEM, US_ERR_ENCODING. */
int
us_verdict_json(FILE *to, const struct us_verify_report *r, const struct us_tlog_policy *policy);

#endif
