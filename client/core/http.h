/* HTTPS to the vault through libcurl: mutual TLS 1.3 with the profile's key, connection kept
 * alive. */
#ifndef US_CLIENT_CORE_HTTP_H
#define US_CLIENT_CORE_HTTP_H

#include "client/core/client.h"

struct us_http;

/* NULL if the library cannot be set up (the message has been printed). */
struct us_http *us_http_new(const struct us_profile *profile);
void us_http_free(struct us_http *http);
/* One exchange, no session handling. Errors as us_client_request. */
int us_http_exchange(struct us_http *http, const struct us_client_request *request,
    struct us_reply *reply);

#endif
