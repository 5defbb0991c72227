/* The way back to the log for what witnesses sign, and their files. */
#include <string.h>

#include "client/log/deliver.h"
#include "base/err.h"

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
		return us_print_bytes(stdout, note->data, note->len) == US_OK &&
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
