#include "client/log/answered.h"

#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/err.h"
#include "client/log/proofs.h"
#include "log/entry.h"

#define RESTART_SECONDS 20 /* until a vault that was sealed answers again */

/* ---- what an answer must bring ---- */

static const struct us_answer_route {
	const char *method;
	const char *path; /* "*": one segment, "**" at the end: any number */
	enum us_answer_proof proof;
} routes[] = {
	{ "GET", "/v1/status", US_ANSWER_FREE },
	{ "GET", "/v1/session", US_ANSWER_FREE },
	{ "GET", "/v1/log/keys", US_ANSWER_NEW },
	{ "GET", "/v1/log/acts", US_ANSWER_NEW },
	{ "GET", "/v1/log/**", US_ANSWER_FREE },
	{ "POST", "/v1/loads/*/parts/*", US_ANSWER_FREE },
	/* of the batch that was closed last, if any was */
	{ "GET", "/v1/loads/*", US_ANSWER_OLD },
	{ "DELETE", "/v1/loads/*", US_ANSWER_OLD },
	{ "POST", "/v1/loads/*/finish", US_ANSWER_OLD },
};

static int
path_fits(const char *path, const char *pattern)
{
	while (*pattern != '\0') {
		if (strcmp(pattern, "**") == 0)
			return 1;
		if (*pattern == '*') {
			path += strcspn(path, "/?");
			pattern++;
			continue;
		}
		if (*path++ != *pattern++)
			return 0;
	}
	return *path == '\0' || *path == '?';
}

enum us_answer_proof
us_answer_proof_of(const char *method, const char *path)
{
	for (size_t i = 0; i < US_COUNT(routes); i++)
		if (strcmp(routes[i].method, method) == 0 && path_fits(path, routes[i].path))
			return routes[i].proof;
	return US_ANSWER_NEW;
}

/* ---- the entry ---- */

/* What the entry says in the open. */
static int
check_entry(const struct us_client_request *request, const struct us_reply *reply,
    const struct us_buf *entry)
{
	const int is_act = request->content_type != NULL && strcmp(request->method, "POST") == 0;
	struct us_entry_view view;
	const int err = us_entry_decode(&view, entry->data, entry->len);

	if (err != US_OK || view.index != (uint64_t)reply->entry)
		return US_ERR_VERIFY;
	if (reply->status / 100 != 2) /* refusals may share an entry, or be the machine's */
		return US_OK;
	if (view.entry_class == US_CLASS_NOISE ||
	    (view.entry_class == US_CLASS_STATE && !is_act &&
		us_answer_proof_of(request->method, request->path) == US_ANSWER_NEW))
		return US_ERR_VERIFY;
	return US_OK;
}

static int
ask_log(struct us_proofs *proofs, const struct us_client_request *request,
    const struct us_reply *reply)
{
	struct us_checkpoint checkpoint;
	struct us_buf entry;
	int err;

	us_buf_init(&entry, US_ENTRY_MAX);
	err = us_proofs_checkpoint(proofs, (struct us_bytes){ reply->note.data, reply->note.len },
	    &checkpoint);
	if (err == US_OK && checkpoint.size <= (uint64_t)reply->entry)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_proofs_entry(proofs, (uint64_t)reply->entry, &entry);
	if (err == US_OK)
		err = check_entry(request, reply, &entry);
	us_buf_free(&entry);
	return err;
}

/* A vault that was just sealed starts anew, and its log answers a little later. */
static int
ask_log_until(struct us_proofs *proofs, const struct us_client_request *request,
    const struct us_reply *reply)
{
	const struct timespec second = { 1, 0 };
	const int may_restart = strcmp(request->path, "/v1/seal") == 0;
	int err;

	for (int i = 0;; i++) {
		us_proofs_quiet(proofs, may_restart && i < RESTART_SECONDS);
		err = ask_log(proofs, request, reply);
		if ((err != US_ERR_CLOSED && err != US_ERR_INCOMPLETE) || !may_restart ||
		    i == RESTART_SECONDS)
			break;
		(void)nanosleep(&second, NULL);
	}
	us_proofs_quiet(proofs, 0);
	return err;
}

/* ---- every answer ---- */

/* What us_client_failed() takes for the exit status that was said. */
static int
error_of(int status, int err)
{
	return status == US_EXIT_UNVERIFIED ? US_ERR_VERIFY :
	    status == US_EXIT_INCOMPLETE    ? US_ERR_INCOMPLETE :
	    err == US_ERR_NOMEM             ? US_ERR_NOMEM :
					      US_ERR_CLOSED;
}

int
us_answer_check(struct us_client *client, const struct us_client_request *request,
    const struct us_reply *reply, uint64_t seen)
{
	const enum us_answer_proof proof = us_answer_proof_of(request->method, request->path);
	struct us_proofs *proofs;
	unsigned era;
	int err;

	if (proof == US_ANSWER_FREE)
		return US_OK;
	if (reply->entry < 0) {
		if (reply->status / 100 != 2 || proof == US_ANSWER_OLD)
			return US_OK;
		us_say("VERIFICATION FAILED: the vault names no log entry of this request; its "
		       "answer is not shown");
		return US_ERR_VERIFY;
	}
	proofs = us_proofs_of(client);
	era = us_proofs_era(proofs);
	err = ask_log_until(proofs, request, reply);
	if (err == US_OK && proof == US_ANSWER_NEW && us_proofs_era(proofs) == era &&
	    (uint64_t)reply->entry < seen) {
		us_say("VERIFICATION FAILED: the vault names entry %lld, which was there before "
		       "this was asked; its answer is not shown",
		    (long long)reply->entry);
		return US_ERR_VERIFY;
	}
	if (err != US_OK && err != US_ERR_VERIFY && err != US_ERR_NOMEM &&
	    reply->status / 100 != 2) {
		us_say("the vault does not say now that this refusal stands in its log");
		return US_OK; /* it gives nothing, so it is shown */
	}
	return err == US_OK ? US_OK : error_of(us_proofs_failed("the answer", err), err);
}

uint64_t
us_answer_seen(struct us_client *client, const struct us_client_request *request)
{
	return us_answer_proof_of(request->method, request->path) != US_ANSWER_NEW ?
	    0 :
	    us_proofs_seen(us_proofs_of(client));
}
