/* One request in a session, which is opened or renewed when the vault asks for it; and the one
 * place where every answer is checked. */
#ifndef US_CLIENT_CORE_SESSION_H
#define US_CLIENT_CORE_SESSION_H

#include "client/core/run.h"

/* Performs the request once; its answer has passed client->check. client->http and its profile must
 * be there. Errors of us_client_request(). */
int us_session_request(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply);

#endif
