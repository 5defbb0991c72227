/* Searching. */
#include <stdlib.h>
#include <string.h>

#include "client/log/inclusion.h"
#include "client/core/commands.h"
#include "client/core/quota_text.h"
#include "client/core/lookup.h"
#include "base/err.h"

static void
show_snippet(const cJSON *hit)
{
	const cJSON *snippet = cJSON_GetObjectItemCaseSensitive(hit, "snippet");
	const char *text = cJSON_IsObject(snippet) ? us_json_text(snippet, "text") :
	    cJSON_IsString(snippet)                ? snippet->valuestring :
						     NULL;

	us_print("%s  %s\n", us_json_text(hit, "bates"), us_json_text(hit, "created"));
	if (text != NULL) {
		us_print("    ");
		us_print("%s", text);
		us_print("\n");
	}
}

static void
show_hits(const cJSON *document)
{
	const cJSON *hits = cJSON_GetObjectItemCaseSensitive(document, "hits"), *hit;
	const char *next = us_json_text(document, "next");
	double total = us_json_number(document, "total", 0);
	double fewer = us_json_number(document, "fewer_than", 0);

	if (fewer > 0) { /* who may count but not read gets no small numbers */
		us_print("fewer than %.0f\n", fewer);
		return;
	}
	if (cJSON_GetArraySize(hits) == 0 && *next == '\0') { /* --count, or nothing is there */
		us_print("%.0f\n", total);
		return;
	}
	cJSON_ArrayForEach(hit, hits)
		show_snippet(hit);
	us_print("%.0f of %.0f\n", us_json_number(document, "shown", 0), total);
	if (*next != '\0')
		us_print("more: --after %s\n", next);
}

static int
run_search(struct us_client *client, const struct us_args *args)
{
	const char *purpose = us_client_purpose(client, args);
	int64_t snapshot = us_arg_number(args, "snapshot", -1, 0, INT64_MAX);
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	struct us_buf path, query;
	char left[US_QUOTA_TEXT];
	uint64_t entry;
	int status;

	us_read_query(args->operand[1], &query);
	(void)cJSON_AddStringToObject(body, "query", us_buf_cstr(&query));
	us_buf_free(&query);
	if (us_flag(args, "count"))
		(void)cJSON_AddTrueToObject(body, "count");
	else
		(void)cJSON_AddNumberToObject(body, "limit",
		    (double)us_arg_number(args, "limit", 20, 1, 1000));
	if (us_flag(args, "no-snippets"))
		(void)cJSON_AddFalseToObject(body, "snippets");
	if (us_arg(args, "after") != NULL)
		(void)cJSON_AddStringToObject(body, "after", us_arg(args, "after"));
	if (snapshot >= 0)
		(void)cJSON_AddNumberToObject(body, "snapshot", (double)snapshot);
	if (purpose != NULL)
		(void)cJSON_AddStringToObject(body, "purpose", purpose);
	us_buf_init(&path, 1024);
	if (us_buf_putf(&path, "/v1/collections/") != US_OK ||
	    us_put_escaped(&path, args->operand[0]) != US_OK ||
	    us_buf_putf(&path, "/search") != US_OK || us_buf_cstr(&path) == NULL)
		us_usage_error("the collection's name is too long");
	status = us_client_post(client, us_buf_cstr(&path), body, &answer);
	us_buf_free(&path);
	if (status != US_EXIT_DONE)
		return status;
	us_quota_text(answer, left);
	us_say_notes(answer);
	entry = (uint64_t)us_json_number(answer, "entry", 0);
	status = us_show(client, answer, show_hits);
	if (!client->json && left[0] != '\0')
		us_say("%s", left);
	if (status == US_EXIT_DONE && us_arg(args, "receipt") != NULL)
		status = us_inclusion_keep(client, entry, NULL, us_arg(args, "receipt"));
	return status;
}

static const struct us_option options[] = {
	{ "limit", "N", "hits to show (20)" },
	{ "after", "CURSOR", "go on where an earlier answer ended" },
	{ "count", NULL, "only how many there are" },
	{ "no-snippets", NULL, "numbers and dates only: discloses no text" },
	{ "receipt", "FILE",
	    "keep a receipt of this request, which verifies offline; must not exist" },
	{ "snapshot", "S", "as the collection was at this log entry" },
	{ "purpose", "TEXT", "why, if the order asks for it" },
};

const struct us_command us_commands_search[] = {
	{ "search", "COLLECTION QUERY",
	    "finds records: words, \"phrases\", AND OR NOT in capitals, "
	    "parentheses, fields ('-' reads the query from stdin)",
	    "underseal search logs 'paywall AND NOT model:gpt-4' --purpose \"claim 3\"", options, 7,
	    2, 2, run_search },
	{ 0 },
};
