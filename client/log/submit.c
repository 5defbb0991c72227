/* Carries the newest checkpoint to witnesses that speak c2sp.org/tlog-witness, and their
 * cosignatures back to the log. No role of the daemon dials out: this does, where its operator runs
 * it. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log/witness_policy.h"
#include "client/log/fetch.h"
#include "client/log/proofs.h"
#include "client/log/deliver.h"
#include "client/log/submit.h"
#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

#define ANSWER_MAX 65536
#define TIMEOUT_S 30
#define SIZE_DIGITS_MAX 18

struct us_client_submission {
	struct us_client *client;
	struct us_tlog_policy *policy;
	const struct us_note_key *witnesses;
	size_t n;
	struct us_note_key log;
	struct us_checkpoint checkpoint;
	struct us_buf note; /* the checkpoint, and what has been cosigned so far */
	struct us_buf bare; /* the checkpoint as the log signed it */
	struct us_cosigned who;
	/* why one has not cosigned; NULL: it has, or was not asked */
	const char *failed[US_COSIGNERS_MAX];
	const char *ca;
	long timeout_s;
	CURL *curl;
	const char *network; /* why the last request got no answer */
};

/* ---- one request ---- */

static size_t
on_answer(char *p, size_t size, size_t n, void *ctx)
{
	return us_buf_put(ctx, p, size * n) == US_OK ? size * n : 0;
}

static int
prepare(const struct us_client_submission *s, const char *url, struct us_buf *body,
    struct us_buf *answer)
{
	CURL *curl = s->curl;

	curl_easy_reset(curl);
	if (curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
	    (s->ca != NULL && curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca) != CURLE_OK))
		return US_ERR_ARG;
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, s->timeout_s);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "underseal/" US_VERSION);
	(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body->data);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	return US_OK;
}

/* add-checkpoint: HTTP status, 0 if there was no answer. */
static long
ask(struct us_client_submission *s, const char *prefix, uint64_t old, const struct us_buf *proof,
    struct us_buf *answer)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/plain");
	struct us_buf body, url;
	size_t n = strlen(prefix);
	long status = 0;
	CURLcode code;
	int err;

	us_buf_init(&body, 2 * US_COSIGNED_MAX);
	us_buf_init(&url, US_TLOG_URL_MAX + 32);
	us_buf_reset(answer);
	err = us_buf_putf(&body, "old %llu\n", (unsigned long long)old);
	if (err == US_OK)
		err = us_buf_put(&body, proof->data, proof->len);
	if (err == US_OK)
		err = us_buf_put_u8(&body, '\n');
	if (err == US_OK)
		err = us_buf_put(&body, s->bare.data, s->bare.len);
	if (err == US_OK)
		err = us_buf_putf(&url, "%.*s/add-checkpoint",
		    (int)(n > 0 && prefix[n - 1] == '/' ? n - 1 : n), prefix);
	if (err == US_OK && us_buf_cstr(&url) != NULL)
		err = prepare(s, us_buf_cstr(&url), &body, answer);
	(void)curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
	code = err == US_OK && headers != NULL ? curl_easy_perform(s->curl) : CURLE_FAILED_INIT;
	s->network = curl_easy_strerror(code);
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	us_buf_free(&body);
	us_buf_free(&url);
	return status;
}

/* ---- one witness ---- */

/* What a 409 says: the size that the witness has seen, a decimal and a newline. */
static int
parse_size(const struct us_buf *answer, uint64_t *size)
{
	const size_t n = answer->len;

	return n > 0 && n <= SIZE_DIGITS_MAX + 1 && answer->data[n - 1] == '\n' ?
	    us_number_parse(answer->data, n - 1, INT64_MAX, size) :
	    US_ERR_FORMAT;
}

/* From the size that the witness has seen. NULL, or why it cannot be. */
static const char *
prove(struct us_client_submission *s, uint64_t old, struct us_buf *proof)
{
	struct us_log_fetcher log = { .client = s->client };
	char path[64];

	us_buf_reset(proof);
	if (old > s->checkpoint.size)
		return "it has seen a larger tree already";
	if (old == 0 || old == s->checkpoint.size)
		return NULL;
	(void)snprintf(path, sizeof path, "consistency/%llu/%llu", (unsigned long long)old,
	    (unsigned long long)s->checkpoint.size);
	return us_log_fetch(&log, path, proof) == US_OK ?
	    NULL :
	    "the log gives no proof from the size that it has seen";
}

static const char *
refusal(const struct us_client_submission *s, long status)
{
	switch (status) {
	case 0:
		return s->network;
	case 400:
		return "it says that the request is malformed";
	case 403:
		return "it does not know the log's key, or does not believe the signature";
	case 404:
		return "it does not know this log";
	case 409:
		return "it has seen another tree";
	case 422:
		return "it says that this tree does not go on from the one that it has seen";
	default:
		return "it fails";
	}
}

/* Takes its lines over. NULL, or what is wrong with them. */
static const char *
merge(struct us_client_submission *s, size_t i, const struct us_buf *answer)
{
	struct us_cosigned who;
	struct us_buf merged;
	const char *why = NULL;
	int err;

	us_buf_init(&merged, US_COSIGNED_MAX);
	err = us_cosigned_merge(&merged, &who, &s->log, s->witnesses, s->n,
	    (struct us_bytes){ s->note.data, s->note.len },
	    (struct us_bytes){ answer->data, answer->len });
	if (err != US_OK)
		why = err == US_ERR_SIGNATURE ? "its cosignature is wrong" :
						"its answer is not a cosignature";
	else if (!who.by[i])
		why = "its answer is not a cosignature of its key";
	if (why == NULL) {
		us_buf_free(&s->note);
		s->note = merged;
		s->who = who;
	} else {
		us_buf_free(&merged);
	}
	return why;
}

/* The first request says that it has seen nothing; the answer tells what it has. */
static const char *
visit(struct us_client_submission *s, size_t i)
{
	const char *url = us_tlog_policy_witness_url(s->policy, i), *why = NULL;
	struct us_buf answer, proof;
	uint64_t old = 0;
	long status;

	if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
		return "its URL is neither https nor http";
	us_buf_init(&answer, ANSWER_MAX);
	us_buf_init(&proof, ANSWER_MAX);
	status = ask(s, url, 0, &proof, &answer);
	if (status == 409) {
		why = parse_size(&answer, &old) == US_OK ? prove(s, old, &proof) :
							   "it does not say what it has seen";
		if (why == NULL)
			status = ask(s, url, old, &proof, &answer);
	}
	if (why == NULL)
		why = status == 200 ? merge(s, i, &answer) : refusal(s, status);
	us_buf_free(&answer);
	us_buf_free(&proof);
	return why;
}

/* ---- the command ---- */

static void
read_policy(struct us_client_submission *s, const char *file)
{
	s->policy = us_policy_read(file, US_EXIT_OTHER);
	s->witnesses = us_tlog_policy_witnesses(s->policy, &s->n);
}

/* The newest checkpoint, as good as the profile knows. */
static int
fetch(struct us_client_submission *s)
{
	struct us_log_fetcher log = { .client = s->client };
	struct us_proofs *proofs;
	int err = us_log_fetch(&log, "checkpoint", &s->note);

	if (err != US_OK)
		return log.status == US_EXIT_DONE ? US_EXIT_OTHER : log.status;
	proofs = us_proofs_of(s->client);
	err = us_proofs_checkpoint(proofs, (struct us_bytes){ s->note.data, s->note.len },
	    &s->checkpoint);
	/* it may have been handed over to another key just now */
	if (err == US_OK &&
	    us_note_key_parse(&s->log, s->client->profile.vkey, strlen(s->client->profile.vkey)) !=
		US_OK)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		err = us_cosigned_merge(&s->bare, NULL, &s->log, NULL, 0,
		    (struct us_bytes){ s->note.data, s->note.len }, (struct us_bytes){ NULL, 0 });
	if (err == US_OK)
		return US_EXIT_DONE;
	return us_proofs_failed("the log's checkpoint", err);
}

static void
show(const struct us_client_submission *s, int good)
{
	cJSON *document, *list, *item;
	char time_text[US_TIME_TEXT_SIZE];

	document = cJSON_CreateObject();
	(void)cJSON_AddNumberToObject(document, "size", (double)s->checkpoint.size);
	(void)cJSON_AddBoolToObject(document, "quorum", good);
	list = cJSON_AddArrayToObject(document, "witnesses");
	for (size_t i = 0; i < s->n; i++) {
		const char *name = us_tlog_policy_witness_name(s->policy, i);
		const char *outcome = s->who.by[i] ? "cosigned" :
		    s->failed[i] != NULL           ? s->failed[i] :
						     "has no URL";

		(void)us_time_format((int64_t)s->who.time_s[i] * US_NS_PER_SECOND, time_text);
		if (!s->client->json) {
			us_print("%s", name);
			us_print(": %s%s%s\n", outcome, s->who.by[i] ? " at " : "",
			    s->who.by[i] ? time_text : "");
			continue;
		}
		item = cJSON_CreateObject();
		(void)cJSON_AddStringToObject(item, "name", name);
		(void)cJSON_AddStringToObject(item, "outcome", outcome);
		if (s->who.by[i])
			(void)cJSON_AddStringToObject(item, "time", time_text);
		(void)cJSON_AddItemToArray(list, item);
	}
	if (s->client->json) {
		us_print_json(stdout, document);
	} else {
		us_print("%llu entries: %s\n", (unsigned long long)s->checkpoint.size,
		    good ? "cosigned as the policy wants" : "not cosigned as the policy wants");
	}
	cJSON_Delete(document);
}

static int
submit(struct us_client_submission *s, const char *output)
{
	struct us_tlog_verdict verdict;
	unsigned count;
	int status = fetch(s), err;

	if (status == US_EXIT_DONE &&
	    us_tlog_policy_check(s->policy, &s->log, (struct us_bytes){ s->bare.data, s->bare.len },
		&verdict) == US_ERR_NOT_FOUND)
		us_give_up(US_EXIT_OTHER, "the policy is one for other logs");
	for (size_t i = 0; status == US_EXIT_DONE && i < s->n; i++)
		if (us_tlog_policy_witness_url(s->policy, i) != NULL)
			s->failed[i] = visit(s, i);
	if (status == US_EXIT_DONE && output != NULL && s->who.n > 0 &&
	    us_cosigned_write(output, &s->note) != US_OK) {
		us_say("cannot write %s", output);
		status = US_EXIT_OTHER;
	}
	if (status == US_EXIT_DONE && s->who.n > 0)
		status = us_log_deliver(s->client, (struct us_bytes){ s->note.data, s->note.len },
		    &count);
	if (status != US_EXIT_DONE)
		return status;
	err = us_tlog_policy_check(s->policy, &s->log,
	    (struct us_bytes){ s->note.data, s->note.len }, &verdict);
	if (err != US_OK && err != US_ERR_INCOMPLETE)
		us_give_up(US_EXIT_UNVERIFIED, "the cosigned checkpoint does not verify: %s",
		    us_strerror(err));
	show(s, err == US_OK);
	return err == US_OK ? US_EXIT_DONE : US_EXIT_INCOMPLETE;
}

int
us_submit_run(struct us_client *client, const struct us_args *args)
{
	struct us_client_submission s = { .client = client,
		.ca = us_arg(args, "ca"),
		.timeout_s = (long)us_arg_number(args, "timeout", TIMEOUT_S, 1, 600) };
	const char *file = us_arg(args, "policy");
	int status;

	if (file == NULL)
		us_usage_error("which witnesses? Give --policy FILE");
	read_policy(&s, file);
	(void)us_client_profile(client);
	if (us_note_key_parse(&s.log, client->profile.vkey, strlen(client->profile.vkey)) != US_OK)
		us_give_up(US_EXIT_OTHER, "%s/profile.conf: vkey is not a log's key",
		    client->profile.directory);
	us_buf_init(&s.note, US_COSIGNED_MAX);
	us_buf_init(&s.bare, US_COSIGNED_MAX);
	s.curl = curl_easy_init();
	if (s.curl == NULL)
		us_give_up(US_EXIT_OTHER, "cannot start the network library");
	status = submit(&s, us_arg(args, "output"));
	curl_easy_cleanup(s.curl);
	us_buf_free(&s.note);
	us_buf_free(&s.bare);
	us_tlog_policy_free(s.policy);
	return status;
}

const struct us_option us_submit_options[US_SUBMIT_OPTIONS] = {
	{ "policy", "FILE", "whom to ask, and which of them are enough (C2SP tlog-policy)" },
	{ "ca", "FILE", "certificates to trust for https, instead of the system's" },
	{ "timeout", "SECONDS", "how long to wait for one answer (30)" },
	{ "output", "FILE", "also write the cosigned checkpoint here (-o; - for stdout)" },
};
