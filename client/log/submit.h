/* The command `audit submit`. */
#ifndef US_CLIENT_LOG_SUBMIT_H
#define US_CLIENT_LOG_SUBMIT_H

#include "client/core/client.h"

#define US_SUBMIT_OPTIONS 4
extern const struct us_option us_submit_options[US_SUBMIT_OPTIONS];
/* The command `audit submit`; returns an enum us_exit. */
int us_submit_run(struct us_client *client, const struct us_args *args);

#endif
