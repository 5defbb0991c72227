/* Copies: what leaves as a file has a recipient, an id, a legend, and a line in the disclosure
 * ledger. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/core/table.h"
#include "client/core/file.h"
#include "client/core/client.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "client/log/inclusion.h"
#include "client/evidence/records.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/number.h"
#include "case/bates.h"

struct us_client_copy {
	FILE *file;
	int json;
	struct us_hash *hash;
	char id[64];
};

static int
put_line(struct us_client_copy *copy, const char *text, size_t n)
{
	return us_print_json_line(copy->file, text, n);
}

static int
on_header(struct us_record_stream *s, const cJSON *header, const char *line, size_t n)
{
	struct us_client_copy *copy = s->ctx;

	(void)snprintf(copy->id, sizeof copy->id, "%.0f", us_json_number(header, "copy", 0));
	if (copy->json)
		return put_line(copy, line, n);
	us_print_to(copy->file, "COPY %s\nrecipient: ", copy->id);
	us_print_to(copy->file, "%s", us_json_text(header, "recipient"));
	us_print_to(copy->file, "\nlog entry: %.0f\n\n%s\n----\n",
	    us_json_number(header, "entry", 0), us_json_text(header, "receipt"));
	return ferror(copy->file) ? US_ERR_IO : US_OK;
}

static int
on_record(struct us_record_stream *s, const char *line, size_t n, struct us_bytes record)
{
	struct us_client_copy *copy = s->ctx;
	uint8_t digest[32];
	char hex[65];

	if (copy->json)
		return put_line(copy, line, n);
	if (us_sha256(record.p, record.n, digest) != US_OK)
		return US_ERR_IO;
	us_hex_encode(digest, 32, hex);
	hex[64] = '\0';
	us_print_record(copy->file, line, n);
	us_print_to(copy->file, "copy %s, SHA-256 of the record as produced: %s\n----\n", copy->id,
	    hex);
	return ferror(copy->file) ? US_ERR_IO : US_OK;
}

/* Record numbers of the Bates numbers, ascending, as the act wants them. */
static int
compare_numbers(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

static void
pack_numbers(const cJSON *list, const char *prefix, struct us_buf *packed)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		const char *text = item->valuestring;
		uint64_t record;

		if (us_bates_parse(prefix, us_bytes_of(text), &record) != US_OK)
			us_usage_error("%s is no Bates number of this collection", text);
		if (us_buf_put_u64(packed, record) != US_OK)
			us_usage_error("too many records for one copy");
	}
	qsort(packed->data, packed->len / 8, 8, compare_numbers);
	for (size_t i = 8; i < packed->len; i += 8)
		if (memcmp(packed->data + i - 8, packed->data + i, 8) == 0)
			us_usage_error("a record is named twice");
}

/* The Bates numbers of what was packed, in the order in which the records come. */
static cJSON *
packed_list(const struct us_buf *packed, const char *prefix)
{
	cJSON *list = cJSON_CreateArray();
	char bates[US_BATES_MAX + 1];

	for (size_t i = 0; i < packed->len; i += 8)
		if (us_bates_format(prefix, us_load_u64(packed->data + i), bates) == US_OK)
			(void)cJSON_AddItemToArray(list, cJSON_CreateString(bates));
	return list;
}

/* A copy is a text, whatever its file is called. */
static void
refuse_pdf(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot != NULL && strcasecmp(dot, ".pdf") == 0)
		us_usage_error("a copy is a text file, or JSON with --json, and no PDF: name it "
			       "%.*s.txt, and print that",
		    (int)(dot - path), path);
}

static FILE *
open_output(const char *path)
{
	FILE *f = us_file_new(path);

	if (f == NULL)
		us_file_cannot_make(path);
	return f;
}

/* The signed act as the body of the request. */
static void
sign_copy(struct us_client *client, struct us_act *act, struct us_buf *body)
{
	const struct us_profile *profile = us_client_profile(client);
	int err = us_act_sign_body(profile, act, body);

	if (err != US_OK)
		us_usage_error("this copy cannot be asked for: it %s", us_strerror(err));
}

static int
run_copy(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg(args, "output"), *recipient = us_arg(args, "recipient");
	const char *purpose = us_client_purpose(client, args);
	struct us_client_copy copy = { .json = client->json };
	struct us_record_stream stream = { .on_header = on_header,
		.on_record = on_record,
		.ctx = &copy };
	struct us_client_request request = { .method = "POST",
		.path = "/v1/copies",
		.content_type = "application/octet-stream" };
	struct us_act *act = calloc(1, sizeof *act);
	struct us_buf path, numbers, body;
	cJSON *list, *asked = NULL, *collection = NULL;
	int status;

	if (act == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (out == NULL || recipient == NULL)
		us_usage_error("a copy has a recipient and a file: --recipient NAME -o FILE");
	refuse_pdf(out);
	list = us_bates_list(args, 1, us_arg(args, "from"));
	us_buf_init(&path, 1024);
	us_buf_init(&numbers, US_COPY_RECORDS_MAX * 8);
	us_buf_init(&body, US_ACT_SIGNED_MAX + 1024);
	if (us_buf_putf(&path, "/v1/collections/") != US_OK ||
	    us_put_escaped(&path, args->operand[0]) != US_OK || us_buf_cstr(&path) == NULL)
		us_usage_error("the collection's name is too long");
	status = us_collection_find(client, args->operand[0], &collection, &act->u.copy.collection);
	if (status != US_EXIT_DONE)
		goto out;
	pack_numbers(list, us_json_text(collection, "bates_prefix"), &numbers);
	act->type = US_ACT_COPY;
	act->u.copy.recipient = us_bytes_of(recipient);
	act->u.copy.purpose = us_bytes_of(purpose == NULL ? "" : purpose);
	act->u.copy.n = (uint32_t)(numbers.len / 8);
	act->u.copy.records = (struct us_bytes){ numbers.data, numbers.len };
	sign_copy(client, act, &body);
	stream.collection = act->u.copy.collection;
	stream.asked = asked = packed_list(&numbers, us_json_text(collection, "bates_prefix"));
	request.body = (struct us_bytes){ body.data, body.len };
	copy.file = open_output(out);
	status = us_record_stream_run(&stream, client, &request);
	if (fclose(copy.file) != 0 && status == US_EXIT_DONE)
		status = US_EXIT_OTHER;
	if (status != US_EXIT_DONE) {
		(void)remove(out);
		us_say("%s was not kept", out);
	} else {
		us_say("copy %s: %zu records to %s", copy.id, stream.records, out);
		if (us_arg(args, "receipt") != NULL)
			status = us_inclusion_keep(client, stream.entry, NULL,
			    us_arg(args, "receipt"));
	}
out:
	us_buf_free(&path);
	us_buf_free(&numbers);
	us_buf_free(&body);
	cJSON_Delete(list);
	cJSON_Delete(asked);
	cJSON_Delete(collection);
	free(act);
	return status;
}

static void
show_ledger(const cJSON *document)
{
	static const char *const columns[] = { "copy", "time", "name", "recipient", "collection",
		"records", "withdrawn", "status" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 8);
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/copies", &document);

	(void)args;
	return status == US_EXIT_DONE ? us_show(client, document, show_ledger) : status;
}

static void
show_returned(const cJSON *document)
{
	(void)document;
	us_print("recorded\n");
}

static int
run_return(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = calloc(1, sizeof *act);
	const char *note = us_arg(args, "note");
	cJSON *answer = NULL;
	int64_t number;
	int status;

	if (act == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	act->type = US_ACT_COPY_RETURN;
	if (us_number_text(args->operand[0], 0, INT64_MAX, &number) != US_OK)
		us_usage_error("a copy has a number; see 'underseal copy list'");
	act->u.copy_return.copy = (uint64_t)number;
	act->u.copy_return.how = us_flag(args, "destroyed") ? US_COPY_DESTROYED : US_COPY_RETURNED;
	act->u.copy_return.note = us_bytes_of(note == NULL ? "" : note);
	status = us_client_act(client, act, &answer);
	free(act);
	return status == US_EXIT_DONE ? us_show(client, answer, show_returned) : status;
}

static const struct us_option copy_options[] = {
	{ "recipient", "NAME", "who gets the copy" },
	{ "output", "FILE", "where to (also -o); must not exist" },
	{ "from", "FILE", "Bates numbers from a file ('-': standard input)" },
	{ "receipt", "FILE",
	    "keep a receipt of this request, which verifies offline; must not exist" },
	{ "purpose", "TEXT", "why, if the order asks for it" },
};
static const struct us_option return_options[] = {
	{ "destroyed", NULL, "it was destroyed, not returned" },
	{ "note", "TEXT", "stands in the log" },
};

const struct us_command us_commands_copy[] = {
	{ "copy list", "", "the disclosure ledger: what left, to whom", "underseal copy list", NULL,
	    0, 0, 0, run_list },
	{ "copy return", "ID [--destroyed]", "records that a copy was returned or destroyed",
	    "underseal copy return 3", return_options, 2, 1, 1, run_return },
	{ "copy", "COLLECTION BATES... --recipient NAME -o FILE",
	    "makes a file with legend, copy id and receipt, on the ledger",
	    "underseal copy logs OAI000000017 --recipient \"Dr. Expert\" -o exhibit-a.txt",
	    copy_options, 5, 1, 65536, run_copy },
	{ 0 },
};
