/* HTTPS to the vault through libcurl: mutual TLS 1.3 with the profile's key, connection kept
 * alive. */
#ifndef US_CLIENT_CORE_HTTP_H
#define US_CLIENT_CORE_HTTP_H

#include "client/core/profile.h"

#define US_REPLY_MAX (256u * 1024u * 1024u) /* of a reply that is gathered in memory */

struct us_client_request {
	const char *method;         /* "GET" */
	const char *path;           /* "/v1/status" with its query, percent-encoded */
	struct us_bytes body;       /* empty: none */
	const char *content_type;   /* NULL: application/json */
	const char *const *headers; /* further ones, NULL-terminated; or NULL */
	/* If set, a body of a 2xx reply goes here as it comes instead of into reply->body. An error
	 * ends the transfer and is returned by us_client_request. */
	int (*sink)(void *ctx, const uint8_t *p, size_t n);
	void *ctx;
	/* If set, asked about once a second while waiting: not 0 gives the request up
	 * (US_ERR_CLOSED). */
	int (*give_up)(void *ctx);
	int no_session;    /* the request needs none: do not open one on 401 */
	int quiet;         /* who asks says itself that the vault cannot be reached */
	int may_be_absent; /* 404 is an answer too, and not explained: DONE */
};

struct us_reply {
	long status;
	int64_t entry;      /* log index, -1 if none */
	struct us_buf note; /* the log's checkpoint that came with it, as it came; may be empty */
	int retry_after;    /* seconds that the vault wants to be left alone, 0 if it did not say */
	struct us_buf body; /* 2xx without sink, and all else */
};

/* An empty reply, whose body may hold US_REPLY_MAX bytes. */
void us_reply_init(struct us_reply *reply);
/* Frees the body. */
void us_reply_free(struct us_reply *reply);

struct us_http;

/* NULL if the library cannot be set up (the message has been printed). */
struct us_http *us_http_new(const struct us_profile *profile);
/* Closes the connection; NULL is nothing. */
void us_http_free(struct us_http *http);
/* One exchange, no session handling; what a sink gets comes when all else of reply is there. US_OK
 * whatever the status; US_ERR_CLOSED if the vault cannot be reached, US_ERR_REVOKED if it lets this
 * certificate in no more (the message has been printed), US_ERR_CLOSED if request->give_up said so;
 * US_ERR_LIMIT; what the sink returned. reply is reset first. */
int us_http_exchange(struct us_http *http, const struct us_client_request *request,
    struct us_reply *reply);

#endif
