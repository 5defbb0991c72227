/* Of the docket, what the order's own commands do too. Both return the exit status. */
#ifndef US_CLIENT_CASE_DOCKET_H
#define US_CLIENT_CASE_DOCKET_H

#include "client/core/client.h"

/* args: of a command that has us_order_sign_options (client/case/order_version.h). */
int us_docket_sign(struct us_client *client, const struct us_args *args, const char *id);
/* reason NULL: not said. */
int us_docket_withdraw(struct us_client *client, const char *id, const char *reason);

#endif
