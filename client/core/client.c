#include "client/core/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include "client/core/absent.h"
#include "client/core/act_text.h"
#include "client/core/next_step.h"
#include "client/core/quota_text.h"
#include "client/core/session.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"

#define LOG_WAIT_SECONDS 5 /* at once; who is to come back later than that is told so */
#define PAGE_ITEMS 1000    /* of a list, behind its first page */

struct us_profile *
us_client_profile(struct us_client *client)
{
	if (!client->has_profile) {
		if (client->profile_directory == NULL)
			us_usage_error(
			    "which profile? Give --profile DIR or set UNDERSEAL_PROFILE");
		us_profile_open(&client->profile, client->profile_directory);
		client->has_profile = 1;
	}
	return &client->profile;
}

const char *
us_client_purpose(struct us_client *client, const struct us_args *args)
{
	const char *purpose = us_arg(args, "purpose");

	return purpose != NULL ? purpose : us_client_profile(client)->purpose;
}

static cJSON *
parse_json(const struct us_buf *b)
{
	return b->len == 0 ? NULL : cJSON_ParseWithLength((const char *)b->data, b->len);
}

/* ---- requests ---- */

int
us_client_wait_put_off(const struct us_client_request *request, const struct us_reply *reply,
    int *patience)
{
	if (strncmp(request->path, "/v1/log/", 8) != 0 ||
	    (reply->status != 429 && reply->status != 503) || reply->retry_after == 0 ||
	    reply->retry_after > LOG_WAIT_SECONDS || reply->retry_after > *patience)
		return 0;
	if (*patience == US_LOG_PATIENCE_SECONDS)
		us_say("the vault puts this off: waiting");
	*patience -= reply->retry_after;
	for (int i = 0; i < reply->retry_after; i++) {
		const struct timespec second = { 1, 0 };

		(void)nanosleep(&second, NULL);
		if (request->give_up != NULL && request->give_up(request->ctx))
			return 0;
	}
	return 1;
}

int
us_client_request(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply)
{
	const struct us_profile *profile = us_client_profile(client);
	int err, patience = US_LOG_PATIENCE_SECONDS;

	if (client->http == NULL && (client->http = us_http_new(profile)) == NULL)
		return US_ERR_CRYPTO;
	do
		err = us_session_request(client, request, reply);
	while (err == US_OK && us_client_wait_put_off(request, reply, &patience));
	return err;
}

/* ---- problems ---- */

static int
exit_of_problem(const struct us_reply *reply, const cJSON *problem)
{
	if (reply->status == 403)
		return US_EXIT_REFUSED;
	if (reply->status == 503 && strstr(us_json_text(problem, "type"), "sealed") != NULL)
		return US_EXIT_VAULT_SEALED;
	return US_EXIT_OTHER;
}

static void
print_member(const cJSON *problem, const char *name, const char *label)
{
	const char *text = us_json_text(problem, name);

	if (*text == '\0')
		return;
	us_print_to(stderr, "  %s: ", label);
	us_print_to(stderr, "%s", text);
	us_print_to(stderr, "\n");
}

/* What to type next: as a line for people, and as a member for scripts. */
static void
print_next(const struct us_next_step *step)
{
	if (step->command != NULL)
		us_print_to(stderr, "  type next%s%s: %s\n", *step->who == '\0' ? "" : ", ",
		    step->who, step->command);
}

static void
add_next(cJSON *problem, const struct us_next_step *step)
{
	if (step->command == NULL || problem == NULL)
		return;
	(void)cJSON_AddStringToObject(problem, "next", step->command);
	if (*step->who != '\0')
		(void)cJSON_AddStringToObject(problem, "next_by", step->who);
}

int
us_client_problem(struct us_client *client, const struct us_reply *reply)
{
	cJSON *problem = parse_json(&reply->body);
	const char *title = us_json_text(problem, "title");
	int status = exit_of_problem(reply, problem);
	char left[US_QUOTA_TEXT];
	const struct us_next_step step = us_next_step_named(us_json_text(problem, "reason"));

	add_next(problem, &step);
	if (client->json && problem != NULL) {
		us_print_json(stdout, problem);
	}
	us_print_to(stderr, "underseal: ");
	us_print_to(stderr, "%s", title);
	us_print_to(stderr, "%s (%ld)\n", *title == '\0' ? "the vault refused" : "", reply->status);
	print_member(problem, "detail", "why");
	if (*us_json_text(problem, "detail") == '\0')
		print_member(problem, "error", "why"); /* of a part of a load */
	if (us_json_number(problem, "position", -1) >= 0)
		us_print_to(stderr, "  at byte: %.0f of the query\n",
		    us_json_number(problem, "position", -1) + 1);
	print_member(problem, "paragraph", "order, paragraph");
	print_member(problem, "cure", "what would help");
	us_quota_text(problem, left);
	if (left[0] != '\0')
		us_print_to(stderr, "  %s\n", left);
	if (reply->entry >= 0)
		us_print_to(stderr, "  log entry: %lld\n", (long long)reply->entry);
	print_next(&step);
	cJSON_Delete(problem);
	return status;
}

int
us_client_absent(struct us_client *client, const char *path, int otherwise)
{
	const struct us_client_request request = { .method = "GET", .path = us_absent_list(path) };
	struct us_reply reply;
	cJSON *list;

	if (request.path == NULL)
		return otherwise;
	us_reply_init(&reply);
	if (us_client_request(client, &request, &reply) == US_OK && reply.status == 200) {
		list = parse_json(&reply.body);
		us_absent_say(path, list);
		cJSON_Delete(list);
	}
	us_reply_free(&reply);
	return US_EXIT_USAGE;
}

int
us_client_failed(int err)
{
	if (err == US_ERR_VERIFY)
		return US_EXIT_UNVERIFIED;
	if (err == US_ERR_INCOMPLETE)
		return US_EXIT_INCOMPLETE;
	if (err == US_ERR_REVOKED)
		return US_EXIT_REFUSED;
	if (err != US_ERR_CLOSED)
		us_say("the request failed: %s", us_strerror(err));
	return US_EXIT_OTHER;
}

int
us_client_do(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply)
{
	int err = us_client_request(client, request, reply);

	if (err != US_OK)
		return us_client_failed(err);
	if (reply->status == 404 && request->may_be_absent)
		return US_EXIT_DONE;
	if (reply->status / 100 != 2) {
		const int status = us_client_problem(client, reply);

		return reply->status == 404 ? us_client_absent(client, request->path, status) :
					      status;
	}
	return reply->status == 202 ? US_EXIT_PENDING : US_EXIT_DONE;
}

/* ---- JSON ---- */

static int
do_json(struct us_client *client, const struct us_client_request *request, cJSON **out)
{
	struct us_reply reply;
	int status;

	us_reply_init(&reply);
	status = us_client_do(client, request, &reply);
	if (out != NULL && (status == US_EXIT_DONE || status == US_EXIT_PENDING)) {
		*out = parse_json(&reply.body);
		if (*out == NULL) {
			us_say("the vault's answer is not JSON");
			status = US_EXIT_OTHER;
		}
	}
	us_reply_free(&reply);
	return status;
}

/* Lists come in pages: takes the rest of them behind the first one's items. */
static int
get_rest(struct us_client *client, const char *path, cJSON *document)
{
	cJSON *items = cJSON_GetObjectItemCaseSensitive(document, "items"), *page, *item;
	double next = us_json_number(document, "next", 0);
	char further[4096];
	int status = US_EXIT_DONE;

	while (cJSON_IsArray(items) && next >= 1 && status == US_EXIT_DONE) {
		const struct us_client_request request = { .method = "GET", .path = further };

		if (snprintf(further, sizeof further, "%s%cafter=%.0f&limit=%d", path,
			strchr(path, '?') == NULL ? '?' : '&', next,
			PAGE_ITEMS) >= (int)sizeof further)
			return US_EXIT_OTHER;
		page = NULL;
		status = do_json(client, &request, &page);
		while ((item = cJSON_DetachItemFromArray(cJSON_GetObjectItemCaseSensitive(page,
							     "items"),
			    0)) != NULL)
			(void)cJSON_AddItemToArray(items, item);
		if (us_json_number(page, "next", 0) == next)
			status = US_EXIT_OTHER; /* a vault that stands still */
		next = us_json_number(page, "next", 0);
		cJSON_Delete(page);
	}
	if (cJSON_IsArray(items) && status == US_EXIT_DONE) {
		cJSON *end = cJSON_CreateNull();

		if (!cJSON_ReplaceItemInObjectCaseSensitive(document, "next", end))
			cJSON_Delete(end);
	}
	return status;
}

int
us_client_get(struct us_client *client, const char *path, cJSON **out)
{
	const struct us_client_request request = { .method = "GET", .path = path };
	cJSON *document = NULL;
	int status = do_json(client, &request, &document);

	if (status == US_EXIT_DONE)
		status = get_rest(client, path, document);
	if (status == US_EXIT_DONE || status == US_EXIT_PENDING)
		*out = document;
	else
		cJSON_Delete(document);
	return status;
}

int
us_client_find(struct us_client *client, const char *path, cJSON **out)
{
	const struct us_client_request request = { .method = "GET",
		.path = path,
		.may_be_absent = 1 };
	cJSON *document = NULL;
	int status = do_json(client, &request, &document);

	if (status == US_EXIT_DONE)
		*out = cJSON_DetachItemFromArray(cJSON_GetObjectItemCaseSensitive(document,
						     "items"),
		    0);
	cJSON_Delete(document);
	return status;
}

int
us_client_get_one(struct us_client *client, const char *path, const char *what, cJSON **out)
{
	int status = us_client_find(client, path, out);

	if (status != US_EXIT_DONE || *out != NULL)
		return status;
	us_say("there is no such %s", what);
	return us_client_absent(client, path, US_EXIT_OTHER);
}

int
us_client_post(struct us_client *client, const char *path, cJSON *document, cJSON **out)
{
	struct us_client_request request = { .method = "POST", .path = path };
	char *text = cJSON_PrintUnformatted(document);
	int status;

	cJSON_Delete(document);
	if (text == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	request.body = us_bytes_of(text);
	status = do_json(client, &request, out);
	us_wipe(text, strlen(text));
	cJSON_free(text);
	return status;
}

int
us_show(struct us_client *client, cJSON *document, void (*show)(const cJSON *document))
{
	if (client->json) {
		us_print_json(stdout, document);
	} else
		show(document);
	cJSON_Delete(document);
	return fflush(stdout) == 0 ? US_EXIT_DONE : US_EXIT_OTHER;
}

/* ---- acts ---- */

int
us_act_sign_body(const struct us_profile *profile, const struct us_act *act, struct us_buf *body)
{
	struct us_signed_act envelope = { .type = act->type, .time_ns = us_time_now_ns() };
	struct us_buf payload, bytes;
	uint8_t signature[US_SIGNATURE_MAX];
	size_t signature_n;
	int err;

	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	us_buf_init(&bytes, US_ACT_SIGNED_MAX);
	memcpy(envelope.vault_id, profile->vault_id, sizeof envelope.vault_id);
	memcpy(envelope.credential, profile->credential, sizeof envelope.credential);
	err = us_random(envelope.nonce, sizeof envelope.nonce);
	if (err == US_OK)
		err = us_act_encode(&payload, act);
	envelope.payload = (struct us_bytes){ payload.data, payload.len };
	if (err == US_OK)
		err = us_signed_act_encode(&bytes, &envelope);
	if (err == US_OK)
		err = us_pkey_sign(profile->key, (struct us_bytes){ bytes.data, bytes.len },
		    signature, &signature_n);
	if (err == US_OK)
		err = us_buf_put_str32(body, bytes.data, bytes.len);
	if (err == US_OK)
		err = us_buf_put_str16(body, signature, signature_n);
	us_buf_free(&payload);
	us_buf_free(&bytes);
	return err;
}

int
us_client_asks(const struct us_client *client)
{
	return !client->yes && !client->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int
consent(const struct us_client *client, const struct us_act *act)
{
	if (!us_act_is_asked(act->type) || !us_client_asks(client))
		return US_EXIT_DONE;
	us_act_show(client, act);
	if (us_ask_yes("Sign it?"))
		return US_EXIT_DONE;
	us_say("nothing was signed; --yes signs without this question");
	return US_EXIT_OTHER;
}

int
us_client_act(struct us_client *client, const struct us_act *act, cJSON **out)
{
	char path[64];
	struct us_client_request request = { .method = "POST",
		.path = path,
		.content_type = "application/octet-stream" };
	struct us_buf body;
	int err, status = consent(client, act);

	if (status != US_EXIT_DONE)
		return status;
	(void)snprintf(path, sizeof path, "/v1/%s", us_act_path(act->type));
	us_buf_init(&body, US_ACT_SIGNED_MAX + 1024);
	err = us_act_sign_body(us_client_profile(client), act, &body);
	if (err != US_OK) {
		us_say("this cannot be signed: a part of it %s", us_strerror(err));
		us_buf_free(&body);
		return US_EXIT_USAGE;
	}
	request.body = (struct us_bytes){ body.data, body.len };
	status = do_json(client, &request, out);
	us_buf_free(&body);
	return status;
}

int
us_put_escaped(struct us_buf *b, const char *text)
{
	int err = US_OK;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && err == US_OK;
	     p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' || *p == '.')
			err = us_buf_put_u8(b, *p);
		else
			err = us_buf_putf(b, "%%%02X", *p);
	}
	return err;
}
