/*
 * Timestamps of checkpoints by authorities that have nothing to do with the vault (RFC 3161): by
 * files, so that the vault's machine and this one need no network for it, or by HTTP. The message
 * that is stamped is the checkpoint, byte for byte as it was signed. Checking is verify/token.h's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <curl/curl.h>

#include "client/core/file.h"
#include "log/checkpoint.h"
#include "client/core/commands.h"
#include "client/log/audit_verify.h"
#include "client/log/remote.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"

#define CHECKPOINT_MAX 16384u
#define REQUEST_MAX 4096u
#define TIMEOUT_S 30
#define PATH_SIZE 4096

/* The digest of a checkpoint, and its size. Ends the program if it is none. */
static uint64_t
digest_of(const char *what, const struct us_buf *note, uint8_t digest[32])
{
	struct us_bytes text, signatures;
	struct us_checkpoint body;

	if (us_sha256(note->data, note->len, digest) != US_OK ||
	    us_note_split(&text, &signatures, note->data, note->len) != US_OK ||
	    us_checkpoint_parse(&body, text.p, text.n) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s is no checkpoint", what);
	return body.size;
}

/* ---- asking, by files ---- */

static int
run_request(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg(args, "output");
	struct us_log_remote remote;
	struct us_buf request;
	uint8_t digest[32];
	uint64_t nonce;
	char path[PATH_SIZE];

	if (out == NULL || snprintf(path, sizeof path, "%s.checkpoint", out) >= (int)sizeof path)
		us_usage_error("-o FILE, for the request, is needed");
	us_log_remote_open(&remote, client);
	(void)digest_of("what the vault gave", &remote.checkpoint, digest);
	us_buf_init(&request, REQUEST_MAX);
	if (us_token_request(&request, digest, &nonce) != US_OK)
		us_give_up(US_EXIT_OTHER, "the request cannot be made");
	us_file_write_new(path, remote.checkpoint.data, remote.checkpoint.len);
	us_file_write_new(out, request.data, request.len);
	us_buf_free(&request);
	if (client->json) {
		cJSON *said = cJSON_CreateObject();

		(void)cJSON_AddStringToObject(said, "request", out);
		(void)cJSON_AddStringToObject(said, "checkpoint", path);
		(void)cJSON_AddNumberToObject(said, "size", (double)remote.size);
		us_print_json(stdout, said);
		cJSON_Delete(said);
	} else
		us_print("%s goes to the authority, %s stays with what comes back:\n"
			 "    curl --data-binary @%s -H 'Content-Type: "
			 "application/timestamp-query' "
			 "-o FILE.tsr AUTHORITY\n"
			 "    underseal audit timestamp-verify FILE.tsr --checkpoint %s --ca "
			 "AUTHORITY.pem\n",
		    out, path, out, path);
	us_log_remote_close(&remote);
	return US_EXIT_DONE;
}

/* ---- checking ---- */

static int
run_verify(struct us_client *client, const struct us_args *args)
{
	const char *checkpoint = us_arg(args, "checkpoint");
	struct us_authority *authorities[US_VALUES_MAX];
	struct us_token *token = NULL;
	struct us_buf note, der;
	uint8_t digest[32];
	char when[US_TIME_TEXT_SIZE];
	uint64_t size;
	size_t n;
	int good = 0;

	us_authorities_read(args, "ca", authorities, &n);
	if (checkpoint == NULL || n == 0)
		us_usage_error("--checkpoint FILE and --ca AUTHORITY.pem are needed");
	us_buf_init(&note, CHECKPOINT_MAX);
	us_buf_init(&der, US_TOKEN_MAX);
	if (us_file_read(args->operand[0], US_TOKEN_MAX, &der) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s cannot be read, or is no timestamp",
		    args->operand[0]);
	if (us_file_read(checkpoint, CHECKPOINT_MAX, &note) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s is no checkpoint", checkpoint);
	size = digest_of(checkpoint, &note, digest);
	if (us_token_parse(&token, (struct us_bytes){ der.data, der.len }) != US_OK)
		us_give_up(US_EXIT_UNVERIFIED, "%s is no timestamp that was granted",
		    args->operand[0]);
	for (size_t i = 0; i < n; i++) {
		good |= us_token_verify(token, digest, authorities[i]) == US_OK;
		us_authority_free(authorities[i]);
	}
	us_time_format_s(us_token_time_s(token) * US_NS_PER_SECOND, when);
	us_token_free(token);
	us_buf_free(&note);
	us_buf_free(&der);
	if (!good) {
		us_say("VERIFICATION FAILED: %s is no timestamp of %s by an authority that was "
		       "given",
		    args->operand[0], checkpoint);
		return US_EXIT_UNVERIFIED;
	}
	if (client->json) {
		cJSON *said = cJSON_CreateObject();

		(void)cJSON_AddStringToObject(said, "verdict", "OK");
		(void)cJSON_AddStringToObject(said, "time", when);
		(void)cJSON_AddNumberToObject(said, "size", (double)size);
		us_print_json(stdout, said);
		cJSON_Delete(said);
	} else
		us_print("OK: the checkpoint of %llu entries was there on %s\n",
		    (unsigned long long)size, when);
	return US_EXIT_DONE;
}

/* ---- asking, by HTTP ---- */

/* What is stamped, by whom, and where it goes. */
struct us_client_stamping {
	struct us_buf note;
	uint64_t size;
	uint8_t digest[32];
	const char *folder; /* "DIR/timestamps" */
	struct us_authority *authorities[US_VALUES_MAX];
	size_t n_authorities;
	cJSON *done; /* what came */
};

static size_t
on_answer(char *p, size_t size, size_t n, void *arg)
{
	struct us_buf *answer = arg;

	return us_buf_put(answer, p, size * n) == US_OK ? size * n : 0;
}

/* NULL, or why there is no answer. */
static const char *
post(const char *url, const struct us_buf *request, struct us_buf *answer)
{
	struct curl_slist *headers = curl_slist_append(NULL,
	    "Content-Type: application/timestamp-query");
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_FAILED_INIT;
	long status = 0;

	if (curl != NULL && headers != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_URL, url);
		(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
		(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
		(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
		(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
		(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "underseal/" US_VERSION);
		(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)request->data);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->len);
		(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
		(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
		code = curl_easy_perform(curl);
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return code != CURLE_OK ? curl_easy_strerror(code) : status != 200 ? "it refuses" : NULL;
}

/* NULL, or what is wrong with the token; *which: the authority whose it is. */
static const char *
check(const struct us_client_stamping *s, const struct us_token *token, uint64_t nonce,
    size_t *which)
{
	if (!us_token_answers(token, nonce))
		return "its answer is to another request";
	if (!us_token_is_of(token, s->digest))
		return "it stamped something else";
	for (*which = 0; *which < s->n_authorities; ++*which)
		if (us_token_verify(token, s->digest, s->authorities[*which]) == US_OK)
			return NULL;
	return "its signature does not lead to an authority that was given (--ca)";
}

/* Keeps the token, with what it is over beside it. */
static void
keep(struct us_client_stamping *s, const struct us_buf *der, const struct us_token *token,
    const char *url, size_t which)
{
	char path[PATH_SIZE], when[US_TIME_TEXT_SIZE];
	cJSON *one = cJSON_CreateObject();

	if (snprintf(path, sizeof path, "%s/%llu-%lld-%zu.checkpoint", s->folder,
		(unsigned long long)s->size, (long long)us_token_time_s(token),
		which + 1) >= (int)sizeof path)
		us_usage_error("the path is too long");
	us_file_write_new(path, s->note.data, s->note.len);
	(void)strcpy(strrchr(path, '.'), ".tsr");
	us_file_write_new(path, der->data, der->len);
	us_time_format_s(us_token_time_s(token) * US_NS_PER_SECOND, when);
	(void)cJSON_AddStringToObject(one, "url", url);
	(void)cJSON_AddStringToObject(one, "authority", us_authority_name(s->authorities[which]));
	(void)cJSON_AddStringToObject(one, "time", when);
	(void)cJSON_AddStringToObject(one, "file", path);
	(void)cJSON_AddItemToArray(s->done, one);
}

static int
ask(struct us_client_stamping *s, const char *url)
{
	struct us_token *token = NULL;
	struct us_buf request, answer;
	const char *why;
	uint64_t nonce;
	size_t which = 0;

	us_buf_init(&request, REQUEST_MAX);
	us_buf_init(&answer, US_TOKEN_MAX);
	if (us_token_request(&request, s->digest, &nonce) != US_OK)
		us_give_up(US_EXIT_OTHER, "the request cannot be made");
	why = post(url, &request, &answer);
	if (why == NULL &&
	    us_token_parse(&token, (struct us_bytes){ answer.data, answer.len }) != US_OK)
		why = "its answer grants no timestamp";
	if (why == NULL)
		why = check(s, token, nonce, &which);
	if (why == NULL)
		keep(s, &answer, token, url, which);
	else
		us_say("%s: %s", url, why);
	us_token_free(token);
	us_buf_free(&request);
	us_buf_free(&answer);
	return why == NULL ? US_EXIT_DONE : token != NULL ? US_EXIT_UNVERIFIED : US_EXIT_OTHER;
}

/* The checkpoint of the export in that directory, or, if there is none, the newest of the vault. */
static void
get_checkpoint(struct us_client *client, const char *dir, struct us_client_stamping *s)
{
	char path[PATH_SIZE];
	struct us_log_remote remote;

	us_buf_init(&s->note, CHECKPOINT_MAX);
	if (snprintf(path, sizeof path, "%s/checkpoint", dir) >= (int)sizeof path)
		us_usage_error("the path is too long");
	if (us_file_read(path, CHECKPOINT_MAX, &s->note) != US_OK) {
		us_log_remote_open(&remote, client);
		if (us_buf_put(&s->note, remote.checkpoint.data, remote.checkpoint.len) != US_OK)
			us_give_up(US_EXIT_OTHER, "out of memory");
		us_log_remote_close(&remote);
	}
	s->size = digest_of(path, &s->note, s->digest);
}

static void
make_folder(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		us_give_up(US_EXIT_OTHER, "cannot make %s: %s", path, strerror(errno));
}

static void
show_stamps(const cJSON *document)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(document, "timestamps"))
		us_print("%s: %.0f entries were there on %s, says %s\n", us_json_text(one, "file"),
		    us_json_number(document, "size", 0), us_json_text(one, "time"),
		    us_json_text(one, "authority"));
}

static int
run_timestamp(struct us_client *client, const struct us_args *args)
{
	const char *dir = us_arg(args, "out"), *url;
	struct us_client_stamping s = { .done = cJSON_CreateArray() };
	cJSON *document = cJSON_CreateObject();
	char folder[PATH_SIZE];
	int status = US_EXIT_DONE, one;

	us_authorities_read(args, "ca", s.authorities, &s.n_authorities);
	if (dir == NULL || us_arg(args, "tsa-url") == NULL || s.n_authorities == 0 ||
	    snprintf(folder, sizeof folder, "%s/timestamps", dir) >= (int)sizeof folder)
		us_usage_error("--tsa-url URL, --ca AUTHORITY.pem and --out DIR are needed");
	s.folder = folder;
	make_folder(dir);
	get_checkpoint(client, dir, &s);
	make_folder(folder);
	for (size_t i = 0; i < US_VALUES_MAX && (url = us_arg_nth(args, "tsa-url", i)) != NULL;
	     i++) {
		one = ask(&s, url);
		status = status == US_EXIT_UNVERIFIED || one == US_EXIT_DONE ? status : one;
	}
	(void)cJSON_AddNumberToObject(document, "size", (double)s.size);
	(void)cJSON_AddItemToObject(document, "timestamps", s.done);
	while (s.n_authorities > 0)
		us_authority_free(s.authorities[--s.n_authorities]);
	us_buf_free(&s.note);
	one = us_show(client, document, show_stamps);
	return status == US_EXIT_DONE ? one : status;
}

static const struct us_option request_options[] = {
	{ "output", "FILE",
	    "the request (also -o); the checkpoint is put beside it, as FILE.checkpoint" },
};
static const struct us_option verify_options[] = {
	{ "checkpoint", "FILE", "what was stamped" },
	{ "ca", "FILE", "certificates of the authority that are trusted, PEM; may be repeated" },
};
static const struct us_option timestamp_options[] = {
	{ "tsa-url", "URL",
	    "the authority's address (RFC 3161 over HTTP); may be repeated: ask two" },
	{ "ca", "FILE",
	    "certificates of the authority that are trusted, PEM; once for each authority" },
	{ "out", "DIR",
	    "an export, whose checkpoint is stamped; or another directory, for the newest "
	    "checkpoint" },
};

const struct us_command us_commands_timestamp[] = {
	{ "audit timestamp", "--tsa-url URL... --ca FILE... --out DIR",
	    "has authorities (RFC 3161) stamp a checkpoint, and keeps what they say",
	    "underseal audit timestamp --tsa-url http://tsa.example/ --ca authority.pem --out "
	    "export",
	    timestamp_options, 3, 0, 0, run_timestamp },
	{ "audit timestamp-request", "-o FILE",
	    "asks an authority (RFC 3161) to stamp the newest checkpoint: the file to carry there",
	    "underseal audit timestamp-request -o monday.tsq", request_options, 1, 0, 0,
	    run_request },
	{ "audit timestamp-verify", "FILE.tsr --checkpoint FILE --ca FILE",
	    "checks what came back, as of the time it names; offline",
	    "underseal audit timestamp-verify monday.tsr --checkpoint monday.tsq.checkpoint --ca "
	    "authority.pem",
	    verify_options, 2, 1, 1, run_verify },
	{ 0 },
};
