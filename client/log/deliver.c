/* The log's files for witnesses, and the way back for what they sign. */
#include <string.h>

#include "client/log/witness.h"
#include "base/base64.h"
#include "base/err.h"

int
us_log_file(struct us_client *client, const char *path, struct us_buf *out, int *status)
{
	char url[256];
	const struct us_client_request request = { .method = "GET", .path = url };
	struct us_reply reply;
	int err;

	(void)snprintf(url, sizeof url, "/v1/log/%s", path);
	us_reply_init(&reply);
	err = us_client_request(client, &request, &reply);
	if (err != US_OK) {
		*status = US_EXIT_OTHER;
		err = US_ERR_IO;
	} else if (reply.status == 404) {
		err = US_ERR_NOT_FOUND;
	} else if (reply.status / 100 != 2) {
		*status = us_client_problem(client, &reply);
		err = US_ERR_IO;
	} else {
		err = us_buf_put(out, reply.body.data, reply.body.len);
	}
	us_reply_free(&reply);
	return err;
}

static int
parse_hashes(struct us_bytes rest, struct us_digest proof[US_PROOF_MAX], size_t *n)
{
	struct us_bytes line;
	size_t got;
	int err;

	for (*n = 0; (err = us_cosignature_next(&rest, &line)) == US_OK; (*n)++)
		if (*n == US_PROOF_MAX ||
		    us_base64_decode((const char *)line.p, line.n - 1, proof[*n].b, US_HASH_LEN,
			&got) != US_OK ||
		    got != US_HASH_LEN)
			return US_ERR_FORMAT;
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

int
us_log_consistent(struct us_client *client, const struct us_checkpoint *from,
    const struct us_checkpoint *to, struct us_buf *text, int *status)
{
	struct us_digest proof[US_PROOF_MAX];
	struct us_buf lines;
	char path[64];
	size_t n = 0;
	int err = US_OK;

	us_buf_init(&lines, 65536);
	(void)snprintf(path, sizeof path, "consistency/%llu/%llu", (unsigned long long)from->size,
	    (unsigned long long)to->size);
	if (from->size != to->size) /* else there is nothing to ask for */
		err = us_log_file(client, path, &lines, status);
	if (err == US_OK)
		err = parse_hashes((struct us_bytes){ lines.data, lines.len }, proof, &n);
	if (err == US_OK &&
	    us_merkle_verify_consistency(from->size, &from->root, to->size, &to->root, proof, n) !=
		US_OK)
		err = US_ERR_VERIFY;
	if (err == US_OK && text != NULL)
		err = us_buf_put(text, lines.data, lines.len);
	us_buf_free(&lines);
	return err;
}

int
us_log_deliver(struct us_client *client, struct us_bytes note, unsigned *count)
{
	const struct us_client_request request = { .method = "POST",
		.path = "/v1/log/cosignature",
		.body = note,
		.content_type = "application/octet-stream" };
	struct us_reply reply;
	cJSON *answer;
	int status;

	us_reply_init(&reply);
	status = us_client_do(client, &request, &reply);
	if (status == US_EXIT_DONE) {
		answer = cJSON_ParseWithLength((const char *)reply.body.data, reply.body.len);
		*count = (unsigned)us_json_number(answer, "cosignatures", 0);
		cJSON_Delete(answer);
	}
	us_reply_free(&reply);
	return status;
}

int
us_cosigned_write(const char *path, const struct us_buf *note)
{
	const char *slash = strrchr(path, '/');
	char directory[4096];

	if (strcmp(path, "-") == 0)
		return fwrite(note->data, 1, note->len, stdout) == note->len &&
			fflush(stdout) == 0 ?
		    US_OK :
		    US_ERR_IO;
	if (slash == NULL)
		return us_profile_write(".", path, note->data, note->len);
	if (snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path),
		path) >= (int)sizeof directory)
		return US_ERR_IO;
	return us_profile_write(directory, slash + 1, note->data, note->len);
}

struct us_tlog_policy *
us_policy_read(const char *file, int status)
{
	struct us_tlog_policy_error error;
	struct us_tlog_policy *policy;
	struct us_buf text;
	int err;

	us_buf_init(&text, US_TLOG_POLICY_MAX + 1);
	if (us_file_read(file, US_TLOG_POLICY_MAX, &text) != US_OK)
		us_give_up(status, "cannot read the policy %s", file);
	err = us_tlog_policy_parse(&policy, text.data, text.len, &error);
	us_buf_free(&text);
	if (err != US_OK)
		us_give_up(status, "%s, line %u: %s", file, error.line, error.what);
	return policy;
}
