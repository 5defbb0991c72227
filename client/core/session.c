#include "client/core/session.h"

#include <string.h>

#include "client/core/certificate_end.h"
#include "client/core/recalls.h"
#include "client/core/show.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "crypto/session.h"

#define SESSION_MINUTES 10

static void
add_base64(cJSON *document, const char *name, const void *p, size_t n)
{
	struct us_buf text;

	us_buf_init(&text, 65536);
	if (us_base64_put(&text, p, n) == US_OK && us_buf_cstr(&text) != NULL)
		(void)cJSON_AddStringToObject(document, name, us_buf_cstr(&text));
	us_buf_free(&text);
}

/* Signs the statement for the nonce in the challenge. */
static char *
session_document(const struct us_profile *profile, const cJSON *challenge)
{
	struct us_session_statement s = { .issued_ns = us_time_now_ns() };
	uint8_t statement[US_SESSION_STATEMENT_SIZE], signature[US_SIGNATURE_MAX];
	const char *vault = us_json_text(challenge, "vault"),
		   *nonce = us_json_text(challenge, "nonce");
	size_t signature_n = 0;
	cJSON *document;
	char *text;

	s.expires_ns = s.issued_ns + SESSION_MINUTES * 60 * US_NS_PER_SECOND;
	memcpy(s.credential, profile->credential, sizeof s.credential);
	if (us_hex_decode(vault, strlen(vault), s.vault, sizeof s.vault) != US_OK ||
	    us_hex_decode(nonce, strlen(nonce), s.nonce, sizeof s.nonce) != US_OK)
		us_give_up(US_EXIT_OTHER, "the vault's challenge is malformed");
	if (memcmp(s.vault, profile->vault_id, sizeof s.vault) != 0)
		us_give_up(US_EXIT_UNVERIFIED, "this is another vault than the one in the profile");
	us_session_encode(&s, statement);
	if (us_session_sign(profile->key, &s, signature, &signature_n) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot sign with the profile's key");
	document = cJSON_CreateObject();
	add_base64(document, "statement", statement, sizeof statement);
	add_base64(document, "signature", signature, signature_n);
	add_base64(document, "certificate", profile->certificate.data, profile->certificate.len);
	text = cJSON_PrintUnformatted(document);
	cJSON_Delete(document);
	return text;
}

/* A person who opens a session hears once what waits for them. */
static void
tell_waiting(struct us_client *client, const struct us_reply *reply)
{
	cJSON *opened = cJSON_ParseWithLength((const char *)reply->body.data, reply->body.len);
	const double waiting = us_json_number(opened, "waiting", 0);

	if (waiting >= 1 && !client->told_waiting)
		us_say("%.0f item%s of the docket wait%s for you: underseal docket list", waiting,
		    waiting > 1 ? "s" : "", waiting > 1 ? "" : "s");
	if (!client->told_waiting)
		us_recalls_print(stderr, opened);
	client->told_waiting = 1;
	cJSON_Delete(opened);
}

/* A body that goes to a sink, which gets nothing of it before its head has been checked. */
struct us_client_checking {
	struct us_client *client;
	const struct us_client_request *request;
	const struct us_reply *reply;
	uint64_t seen;
	int checked;
	int failed; /* with what the check said */
};

static int
check_answer(struct us_client_checking *c)
{
	if (!c->checked && c->client->check != NULL)
		c->failed = c->client->check(c->client, c->request, c->reply, c->seen);
	c->checked = 1;
	return c->failed;
}

static int
checked_sink(void *ctx, const uint8_t *p, size_t n)
{
	struct us_client_checking *c = ctx;
	const int err = check_answer(c);

	return err != US_OK ? err : c->request->sink(c->request->ctx, p, n);
}

/* The one way of requests to the vault and of answers from it, but for files of the log and parts
 * of a load, which have no entries. */
static int
exchange(struct us_client *client, const struct us_client_request *request, struct us_reply *reply)
{
	struct us_client_checking checking = { .client = client,
		.request = request,
		.reply = reply };
	struct us_client_request passed = *request;
	int err;

	if (client->seen != NULL)
		checking.seen = client->seen(client, request);
	if (request->sink != NULL) {
		passed.sink = checked_sink;
		passed.ctx = &checking;
	}
	err = us_http_exchange(client->http, &passed, reply);
	return err != US_OK ? err : check_answer(&checking);
}

/* US_OK if reply now holds a 2xx; else reply holds the problem. */
static int
open_session(struct us_client *client, struct us_reply *reply)
{
	struct us_client_request get = { .method = "GET", .path = "/v1/session" };
	struct us_client_request post = { .method = "POST", .path = "/v1/session" };
	cJSON *challenge;
	char *document;
	int err = exchange(client, &get, reply);

	if (err != US_OK || reply->status / 100 != 2)
		return err != US_OK ? err : US_ERR_DENIED;
	challenge = cJSON_ParseWithLength((const char *)reply->body.data, reply->body.len);
	document = session_document(&client->profile, challenge);
	cJSON_Delete(challenge);
	if (document == NULL)
		return US_ERR_NOMEM;
	post.body = us_bytes_of(document);
	err = exchange(client, &post, reply);
	cJSON_free(document);
	if (err != US_OK)
		return err;
	if (reply->status / 100 != 2)
		return US_ERR_DENIED;
	tell_waiting(client, reply);
	us_certificate_end_tell(client);
	return US_OK;
}

int
us_session_request(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply)
{
	int err;

	err = exchange(client, request, reply);
	if (err != US_OK || reply->status != 401 || request->no_session)
		return err;
	err = open_session(client, reply);
	if (err == US_ERR_DENIED)
		return US_OK; /* the reply says why */
	return err != US_OK ? err : exchange(client, request, reply);
}
