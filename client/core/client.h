/*
 * One run of the client: one command, one process, one thread. The profile it runs with, requests
 * in a signed session, and how answers and refusals end it.
 */
#ifndef US_CLIENT_CORE_CLIENT_H
#define US_CLIENT_CORE_CLIENT_H

#include <cjson/cJSON.h>

#include "client/core/args.h"
#include "client/core/http.h"
#include "client/core/profile.h"
#include "client/core/run.h"
#include "client/core/show.h"
#include "registry/act.h"

#define US_LOG_PATIENCE_SECONDS 60 /* for what the vault puts off of its log */

/* The profile, opened on first use. */
struct us_profile *us_client_profile(struct us_client *client);
/* --purpose, else the profile's default, else NULL. */
const char *us_client_purpose(struct us_client *client, const struct us_args *args);

/* Performs the request; opens or renews the session when the vault asks for it. What the vault puts
 * off of its log (429 or 503, with a Retry-After of a few seconds) is asked for again when it says,
 * for a minute at most. Every answer passes client->check before it is here, or in the sink. US_OK
 * whatever the status; US_ERR_CLOSED if the vault cannot be reached, US_ERR_VERIFY and
 * US_ERR_INCOMPLETE if the log does not show what the answer says (each has been said). reply is
 * reset first. */
int us_client_request(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply);
/* The exit status of a request that failed with that error; says what has not been said. */
int us_client_failed(int err);
/* 1 after waiting as long as the vault wants, if it puts that request off and is to be asked again.
 * patience: seconds left to wait, US_LOG_PATIENCE_SECONDS at first. */
int us_client_wait_put_off(const struct us_client_request *request, const struct us_reply *reply,
    int *patience);
/* Performs it and, unless the status is 2xx, explains the problem on stderr. Returns the exit
 * status: DONE for 2xx, PENDING for 202. */
int us_client_do(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply);
/* The exit status that a problem document stands for; prints it for people (with --json as it
 * is, and "next", "next_by"), and what to type next (client/core/next_step.h). */
int us_client_problem(struct us_client *client, const struct us_reply *reply);
/* Of a path that was answered 404: says the nearest that there is (client/core/absent.h). Returns
 * USAGE; of a path that names nothing out of a list, otherwise. */
int us_client_absent(struct us_client *client, const char *path, int otherwise);
/* us_client_do for GET with the JSON parsed into *out (the caller frees it); a malformed answer is
 * OTHER. A list is fetched whole, page after page. */
int us_client_get(struct us_client *client, const char *path, cJSON **out);
/* us_client_get of a path that names one thing: *out is that thing ("items" taken off), or stays
 * as it was, with DONE, if there is none. */
int us_client_find(struct us_client *client, const char *path, cJSON **out);
/* us_client_get of a list that one thing was asked of by name: *out is that thing ("items" taken
 * off). USAGE, with a message and the nearest that there is, if it was named and is not there. */
int us_client_get_one(struct us_client *client, const char *path, const char *what, cJSON **out);
/* POST of a JSON document that is consumed; *out may be NULL. */
int us_client_post(struct us_client *client, const char *path, cJSON *document, cJSON **out);
/* Signs an act of this type with this payload and posts it to its path (registry/acts.def); *out as
 * above. One that people are asked about (client/core/act_text.h) is shown first, if
 * us_client_asks(); OTHER, having said so, if the answer is no. */
int us_client_act(struct us_client *client, const struct us_act *act, cJSON **out);
/* 1 if what is signed is shown and asked about: there is a terminal on both sides, and neither
 * --json nor --yes was given. */
int us_client_asks(const struct us_client *client);
/* The body of such a request: str32 signed act ‖ str16 signature. Errors as us_act_encode,
 * us_pkey_sign. */
int
us_act_sign_body(const struct us_profile *profile, const struct us_act *act, struct us_buf *body);
/* Appends text percent-encoded for one path segment or query value. */
int us_put_escaped(struct us_buf *b, const char *text);

/* The document on stdout: as one line of JSON with --json, else through show. Frees document.
 * OTHER: stdout does not take it. */
int us_show(struct us_client *client, cJSON *document, void (*show)(const cJSON *document));

#endif
