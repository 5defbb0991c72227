/* Reading: verified first, then shown. */
#include <stdlib.h>
#include <string.h>

#include "client/core/client.h"
#include "client/core/commands.h"
#include "client/log/inclusion.h"
#include "client/log/proofs.h"
#include "client/evidence/records.h"
#include "base/err.h"
#include "case/bates.h"

#define FROM_MAX (16u * 1024u * 1024u)
#define REQUEST_RECORDS_MAX 100000
#define PROBLEM_MAX 65536u

/* ---- what is asked for ---- */

/* "DEMO000000001..DEMO000000009": both ends, of one prefix. */
static int
parse_range(const char *text, const char *dots, struct us_bytes *prefix, uint64_t *first,
    uint64_t *last)
{
	const struct us_bytes from = { (const uint8_t *)text, (size_t)(dots - text) },
			      to = us_bytes_of(dots + 2);
	size_t n = 0, m = 0;

	*prefix = from;
	if (us_bates_split(from, &n, first) != US_OK || us_bates_split(to, &m, last) != US_OK ||
	    n != m || memcmp(from.p, to.p, n) != 0 || *last < *first)
		return US_ERR_FORMAT;
	prefix->n = n;
	return US_OK;
}

void
us_bates_add(cJSON *list, const char *text)
{
	const char *dots = strstr(text, "..");
	char prefix[US_BATES_PREFIX_MAX + 1], bates[US_BATES_MAX + 1];
	uint64_t first, last;
	struct us_bytes p;

	if (dots == NULL) {
		(void)cJSON_AddItemToArray(list, cJSON_CreateString(text));
		return;
	}
	if (parse_range(text, dots, &p, &first, &last) != US_OK || p.n >= sizeof prefix)
		us_usage_error("'%s' is no range: write both ends whole, the lower one first, such "
			       "as "
			       "OAI000000001..OAI000000009",
		    text);
	if (last - first >= REQUEST_RECORDS_MAX)
		us_usage_error("'%s' has more than the %u records that one request may name", text,
		    REQUEST_RECORDS_MAX);
	memcpy(prefix, p.p, p.n);
	prefix[p.n] = '\0';
	for (uint64_t i = first; i <= last; i++)
		if (us_bates_format(prefix, i, bates) == US_OK)
			(void)cJSON_AddItemToArray(list, cJSON_CreateString(bates));
}

cJSON *
us_bates_list(const struct us_args *args, size_t first, const char *from)
{
	cJSON *list = cJSON_CreateArray();
	char *line, *save = NULL;
	struct us_buf text;

	for (size_t i = first; i < args->n_operands; i++)
		us_bates_add(list, args->operand[i]);
	if (from == NULL)
		return list;
	us_buf_init(&text, FROM_MAX + 1);
	if (us_file_read(from, FROM_MAX, &text) != US_OK || us_buf_cstr(&text) == NULL)
		us_give_up(US_EXIT_OTHER, "cannot read %s", from);
	for (line = strtok_r((char *)text.data, " \t\r\n,", &save); line != NULL;
	     line = strtok_r(NULL, " \t\r\n,", &save))
		us_bates_add(list, line);
	us_buf_free(&text);
	return list;
}

/* ---- what comes ---- */

static int
take_header(struct us_record_stream *s, const char *line, size_t n)
{
	cJSON *header = cJSON_ParseWithLength(line, n);
	const char *receipt = us_json_text(header, "receipt");
	int err = cJSON_IsObject(header) ? US_OK : US_ERR_FORMAT;

	s->entry = (uint64_t)us_json_number(header, "entry", 0);
	/* the same entry as in the head of the answer, and as many records as were asked for */
	if (err == US_OK &&
	    ((int64_t)s->entry != s->reply->entry ||
		us_json_number(header, "records", -1) != (double)s->expected))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_proofs_receipt(s->proofs, us_bytes_of(receipt), s->entry, NULL);
	if (err == US_OK)
		err = s->on_header(s, header, line, n);
	us_quota_text(header, s->left);
	cJSON_Delete(header);
	return err;
}

/* What the vault ends an answer with if it must stop in the middle: a stay, a clawback, a
 * suspension. */
static int
is_problem(const char *line, size_t n)
{
	static const char start[] = "{\"type\":\"urn:underseal:problem:";

	return n >= sizeof start - 1 && memcmp(line, start, sizeof start - 1) == 0;
}

static int
take_line(struct us_record_stream *s, const char *line, size_t n)
{
	struct us_asked_record asked = { .collection = s->collection };
	struct us_bytes record;
	int err;

	if (is_problem(line, n)) {
		err = us_buf_put(&s->problem, line, n);
		return err == US_OK ? US_ERR_CLOSED : err;
	}
	if (!s->has_header) {
		s->has_header = 1;
		return take_header(s, line, n);
	}
	if (s->next == NULL)
		return US_ERR_VERIFY; /* more than was asked for */
	asked.bates = s->next->valuestring;
	err = us_proofs_record(s->proofs, &asked, line, n, &record);
	if (err == US_OK) {
		s->collection = asked.collection;
		s->next = s->next->next;
		s->records++;
		err = s->on_record(s, line, n, record);
	}
	return err;
}

int
us_record_stream_sink(void *ctx, const uint8_t *p, size_t n)
{
	struct us_record_stream *s = ctx;
	const uint8_t *newline;
	size_t at = 0;
	int err = us_buf_put(&s->partial, p, n);

	while (err == US_OK &&
	    (newline = memchr(s->partial.data + at, '\n', s->partial.len - at)) != NULL) {
		size_t end = (size_t)(newline - s->partial.data);

		err = take_line(s, (const char *)s->partial.data + at, end - at);
		at = end + 1;
	}
	us_buf_consume(&s->partial, at);
	if (err != US_OK && s->err == US_OK)
		s->err = err;
	return err;
}

int
us_record_stream_run(struct us_record_stream *s, struct us_client *client,
    const struct us_client_request *request)
{
	struct us_client_request streamed = *request;
	struct us_reply reply;
	int err, status = US_EXIT_DONE;

	us_reply_init(&reply);
	s->reply = &reply;
	s->expected = (size_t)cJSON_GetArraySize(s->asked);
	s->next = s->asked->child;
	us_buf_init(&s->partial, 64u * 1024u * 1024u);
	us_buf_init(&s->problem, PROBLEM_MAX);
	s->proofs = us_proofs_of(client);
	streamed.sink = us_record_stream_sink;
	streamed.ctx = s;
	err = us_client_request(client, &streamed, &reply);
	if (s->err == US_ERR_IO)
		status = US_EXIT_OTHER; /* our output failed */
	else if (s->problem.len > 0) {
		(void)fflush(stdout);
		us_say("the vault stopped after %zu of %zu records", s->records, s->expected);
		reply.status = 403;
		us_buf_reset(&reply.body);
		status = us_buf_put(&reply.body, s->problem.data, s->problem.len) == US_OK ?
		    us_client_problem(client, &reply) :
		    US_EXIT_OTHER;
	} else if (s->err != US_OK) {
		(void)fflush(stdout);
		status = us_proofs_failed("what the vault sent", s->err);
	} else if (err != US_OK)
		status = us_client_failed(err);
	else if (reply.status / 100 != 2) {
		status = us_client_problem(client, &reply);
		if (reply.status == 404)
			status = us_client_absent(client, request->path, status);
	} else if (s->partial.len != 0 || s->records != s->expected) {
		us_say("the answer is cut: %zu of %zu records came", s->records, s->expected);
		status = US_EXIT_INCOMPLETE;
	} else if (!s->json && s->left[0] != '\0') {
		(void)fflush(stdout);
		us_say("%s", s->left);
	}
	us_reply_free(&reply);
	us_buf_free(&s->partial);
	us_buf_free(&s->problem);
	return status;
}

/* ---- showing ---- */

static int
header_as_is(struct us_record_stream *s, const cJSON *header, const char *line, size_t n)
{
	(void)header;
	return s->json ? us_print_json_line(stdout, line, n) : US_OK;
}

void
us_print_record(FILE *to, const char *line, size_t n)
{
	cJSON *document = cJSON_ParseWithLength(line, n);
	const cJSON *record = cJSON_GetObjectItemCaseSensitive(document, "record"), *m;

	us_print_to(to, "%s  %s  ", us_json_text(document, "bates"),
	    us_json_text(document, "designation"));
	us_print_to(to, "%s", us_json_text(record, "created"));
	us_print_to(to, "  ");
	us_print_to(to, "%s", us_json_text(record, "model"));
	us_print_to(to, "\n");
	if (*us_json_text(document, "legend") != '\0')
		us_print_to(to, "%s\n", us_json_text(document, "legend"));
	cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(record, "messages")) {
		const char *content = us_json_text(m, "content");

		us_print_to(to, "\n");
		us_print_to(to, "%s", us_json_text(m, "role"));
		us_print_to(to, ":\n");
		us_print_lines(to, content, strlen(content));
		us_print_to(to, "\n");
	}
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "masked")))
		us_print_to(to,
		    "\nParts of this record are masked by the order. It cannot be compared with "
		    "what was loaded.\n");
	us_print_to(to, "\n----\n");
	cJSON_Delete(document);
}

static int
record_to_stdout(struct us_record_stream *s, const char *line, size_t n, struct us_bytes record)
{
	(void)record;
	if (s->json)
		return us_print_json_line(stdout, line, n);
	us_print_record(stdout, line, n);
	return ferror(stdout) ? US_ERR_IO : US_OK;
}

static int
run_read(struct us_client *client, const struct us_args *args)
{
	struct us_record_stream stream = { .on_header = header_as_is,
		.on_record = record_to_stdout,
		.json = client->json };
	const char *purpose = us_client_purpose(client, args);
	int64_t snapshot = us_arg_number(args, "snapshot", -1, 0, INT64_MAX);
	cJSON *body = cJSON_CreateObject(), *list = us_bates_list(args, 1, us_arg(args, "from"));
	struct us_client_request request = { .method = "POST" };
	struct us_buf path;
	char *text;
	int status;

	stream.asked = list; /* which the body then holds */
	if (cJSON_GetArraySize(list) == 0 || cJSON_GetArraySize(list) > REQUEST_RECORDS_MAX)
		us_usage_error("name 1 to %d records by their Bates numbers", REQUEST_RECORDS_MAX);
	(void)cJSON_AddItemToObject(body, "bates", list);
	if (purpose != NULL)
		(void)cJSON_AddStringToObject(body, "purpose", purpose);
	if (snapshot >= 0)
		(void)cJSON_AddNumberToObject(body, "snapshot", (double)snapshot);
	if (us_arg(args, "match") != NULL)
		(void)cJSON_AddStringToObject(body, "match", us_arg(args, "match"));
	us_buf_init(&path, 1024);
	if (us_buf_putf(&path, "/v1/collections/") != US_OK ||
	    us_put_escaped(&path, args->operand[0]) != US_OK ||
	    us_buf_putf(&path, "/read") != US_OK || us_buf_cstr(&path) == NULL)
		us_usage_error("the collection's name is too long");
	text = cJSON_PrintUnformatted(body);
	if (text == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	request.path = us_buf_cstr(&path);
	request.body = us_bytes_of(text);
	status = us_record_stream_run(&stream, client, &request);
	if (status == US_EXIT_DONE && us_arg(args, "receipt") != NULL)
		status = us_inclusion_keep(client, stream.entry, NULL, us_arg(args, "receipt"));
	cJSON_free(text);
	cJSON_Delete(body);
	us_buf_free(&path);
	return fflush(stdout) == 0 ? status : US_EXIT_OTHER;
}

static const struct us_option options[] = {
	{ "from", "FILE", "Bates numbers from a file ('-': standard input)" },
	{ "purpose", "TEXT", "why, if the order asks for it" },
	{ "snapshot", "S", "as the collection was at this log entry" },
	{ "receipt", "FILE",
	    "keep a receipt of this request, which verifies offline; must not exist" },
	{ "match", "QUERY", "where the order shows nothing but what matches: what that is" },
};

const struct us_command us_commands_read[] = {
	{ "read", "COLLECTION BATES[..BATES]... | --from FILE",
	    "shows records, after verifying them against the log",
	    "underseal read logs OAI000000017 --purpose \"claim 3\"", options, 5, 1, 100000,
	    run_read },
	{ 0 },
};
