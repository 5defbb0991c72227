/* Documents: sent in parts that fit one act each, fetched and compared with their digest. */
#include "client/case/document.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/core/file.h"
#include "client/core/commands.h"
#include "client/core/progress.h"
#include "client/core/lookup.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"

/* What the document is called in the registry: the file's own name, if that is plain text. */
static struct us_bytes
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct us_bytes name = us_bytes_of(slash == NULL ? path : slash + 1);

	return us_text_ok(name, US_DOCUMENT_NAME_MAX) && !us_bytes_is(name, "-") ?
	    name :
	    us_bytes_of("document");
}

/* How many parts of it the vault holds. It was perhaps sent before, or cut off; who may not list
 * documents sends everything. */
static uint32_t
parts_there(struct us_client *client, const char *hex)
{
	struct us_client_request request = { .method = "GET" };
	struct us_reply reply;
	const cJSON *item;
	cJSON *document = NULL;
	char path[128];
	uint32_t parts = 0;

	(void)snprintf(path, sizeof path, "/v1/documents?argument=%s", hex);
	request.path = path;
	us_reply_init(&reply);
	if (us_client_request(client, &request, &reply) == US_OK && reply.status == 200)
		document = cJSON_ParseWithLength((const char *)reply.body.data, reply.body.len);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(document, "items"))
		if (strcmp(us_json_text(item, "digest"), hex) == 0)
			parts = (uint32_t)us_json_number(item, "parts", 0);
	cJSON_Delete(document);
	us_reply_free(&reply);
	return parts;
}

int
us_document_send(struct us_client *client, const char *path, uint8_t out[32])
{
	struct us_act *act = us_act_new(US_ACT_DOCUMENT_ADD);
	struct us_progress progress;
	struct us_buf bytes;
	char hex[65];
	int err, status = US_EXIT_DONE;

	us_buf_init(&bytes, US_DOCUMENT_MAX);
	err = us_file_read(path, US_DOCUMENT_MAX, &bytes);
	if (err == US_ERR_LIMIT)
		us_give_up(US_EXIT_USAGE, "%s is larger than the %d MiB of a document", path,
		    US_DOCUMENT_MAX >> 20);
	if (err != US_OK || bytes.len == 0)
		us_give_up(US_EXIT_USAGE, "%s cannot be read, or is empty", path);
	if (us_sha256(bytes.data, bytes.len, out) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot digest %s", path);
	us_hex_encode(out, 32, hex);
	memcpy(act->u.document.digest, out, 32);
	act->u.document.size = bytes.len;
	act->u.document.name = name_of(path);
	us_progress_start(&progress, "bytes", bytes.len);
	for (uint32_t part = parts_there(client, hex); status == US_EXIT_DONE; part++) {
		const size_t at = (size_t)part * US_DOCUMENT_PART;
		const size_t left = at < bytes.len ? bytes.len - at : 0;

		if (left == 0)
			break;
		act->u.document.part = part;
		act->u.document.bytes = (struct us_bytes){ bytes.data + at,
			left < US_DOCUMENT_PART ? left : US_DOCUMENT_PART };
		status = us_client_act(client, act, NULL);
		us_progress_at(&progress, at + act->u.document.bytes.n,
		    at + act->u.document.bytes.n);
	}
	us_progress_end(&progress);
	us_buf_free(&bytes);
	free(act);
	if (status == US_EXIT_DONE)
		us_say("document %s: %s", hex, path);
	else
		us_say("%s was not added", path);
	return status;
}

static int
take_bytes(void *ctx, const uint8_t *p, size_t n)
{
	return us_buf_put(ctx, p, n);
}

/* Nothing is written before the digest is right. */
static void
write_new(const char *path, const struct us_buf *bytes)
{
	if (strcmp(path, "-") != 0)
		us_file_write_new(path, bytes->data, bytes->len);
	else if (us_print_bytes(stdout, bytes->data, bytes->len) != US_OK || fflush(stdout) != 0)
		us_give_up(US_EXIT_OTHER, "standard output does not take it");
}

/* A document is somebody's bytes, and perhaps a terminal's commands. */
static void
check_output(const struct us_client *client, const char *out)
{
	if (strcmp(out, "-") != 0)
		return;
	if (client->json)
		us_usage_error("--json writes JSON: name a file for the document");
	if (isatty(STDOUT_FILENO))
		us_usage_error("a document is not shown on a terminal as it is: name a file, or "
			       "pipe it to what reads it");
}

int
us_document_fetch(struct us_client *client, const char *digest, const char *out)
{
	struct us_client_request request = { .method = "GET", .sink = take_bytes };
	uint8_t wanted[32], found[32];
	struct us_reply reply;
	struct us_buf bytes;
	char path[128], hex[65];
	int status;

	check_output(client, out);
	if (strlen(digest) != 64 || us_hex_decode(digest, 64, wanted, 32) != US_OK)
		us_usage_error("a document is named by its SHA-256, 64 hex digits; 'underseal "
			       "docket show ID' gives it");
	us_hex_encode(wanted, 32, hex);
	(void)snprintf(path, sizeof path, "/v1/documents/%s", hex);
	us_buf_init(&bytes, US_DOCUMENT_MAX);
	request.path = path;
	request.ctx = &bytes;
	us_reply_init(&reply);
	status = us_client_do(client, &request, &reply);
	us_reply_free(&reply);
	if (status == US_EXIT_DONE &&
	    (us_sha256(bytes.data, bytes.len, found) != US_OK || memcmp(found, wanted, 32) != 0)) {
		us_say("VERIFICATION FAILED: what came is another document; it was not kept");
		status = US_EXIT_UNVERIFIED;
	}
	if (status == US_EXIT_DONE)
		write_new(out, &bytes);
	if (status == US_EXIT_DONE && client->json) {
		cJSON *said = cJSON_CreateObject();

		(void)cJSON_AddStringToObject(said, "digest", hex);
		(void)cJSON_AddNumberToObject(said, "bytes", (double)bytes.len);
		us_print_json(stdout, said);
		cJSON_Delete(said);
	} else if (status == US_EXIT_DONE)
		us_say("%zu bytes to %s, as their digest says", bytes.len, out);
	us_buf_free(&bytes);
	return status;
}

static int
run_get(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg_needed(args, "output", "where to?");

	return us_document_fetch(client, args->operand[0], out);
}

static const struct us_option get_options[] = { { "output", "FILE",
    "where to (also -o); must not exist ('-': standard output)" } };

const struct us_command us_commands_document[] = {
	{ "document get", "DIGEST -o FILE",
	    "fetches an instrument, statement or notice and compares it with its digest",
	    "underseal document get "
	    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 -o order.pdf",
	    get_options, 1, 1, 1, run_get },
	{ 0 },
};
