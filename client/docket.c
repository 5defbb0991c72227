/* The docket: what waits for somebody. */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "common/base64.h"
#include "common/err.h"

static void
show_list(const cJSON *document)
{
	static const char *const columns[] = { "id", "kind", "name", "waits_for", "served", "due" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 6);
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/docket", &document);

	(void)args;
	return status == US_EXIT_DONE ? us_show(client, document, show_list) : status;
}

static int
get_item(struct us_client *client, const char *id, cJSON **item)
{
	struct us_buf path;
	int status;

	us_buf_init(&path, 1024);
	if (us_buf_putf(&path, "/v1/docket/") != US_OK || us_put_escaped(&path, id) != US_OK ||
	    us_buf_cstr(&path) == NULL)
		us_usage_error("a docket id is like person-12");
	status = us_client_get_one(client, us_buf_cstr(&path), "docket item", item);
	us_buf_free(&path);
	return status;
}

static void
show_item(const cJSON *item)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, item) {
		char *text = cJSON_IsString(member) ? NULL : cJSON_PrintUnformatted(member);

		printf("%-12s ", member->string);
		us_print_text(stdout, text != NULL ? text : member->valuestring,
		    strlen(text != NULL ? text : member->valuestring), 0);
		putchar('\n');
		cJSON_free(text);
	}
}

static int
run_show(struct us_client *client, const struct us_args *args)
{
	cJSON *item = NULL;
	int status = get_item(client, args->operand[0], &item);

	return status == US_EXIT_DONE ? us_show(client, item, show_item) : status;
}

static void
show_signed(const cJSON *document)
{
	puts(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "open")) ?
	    "signed; others' signatures are still missing" : "signed");
}

static int
run_sign(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = calloc(1, sizeof *act);
	cJSON *item = NULL, *answer = NULL;
	const char *digest;
	int status = get_item(client, args->operand[0], &item);

	if (act == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (status != US_EXIT_DONE) {
		free(act);
		return status;
	}
	if (!client->json)
		show_item(item);
	digest = us_json_text(item, "digest");
	act->type = US_ACT_DOCKET_SIGN;
	act->u.sign.docket_id = us_bytes_of(args->operand[0]);
	if (strlen(digest) != 64 || us_hex_decode(digest, 64, act->u.sign.digest, 32) != US_OK)
		us_give_up(US_EXIT_OTHER, "the vault shows no digest of what is to be signed");
	cJSON_Delete(item);
	status = us_client_act(client, "/v1/docket", act, &answer);
	free(act);
	if (status != US_EXIT_DONE && status != US_EXIT_PENDING)
		return status;
	(void)us_show(client, answer, show_signed);
	return status;
}

const struct us_command us_commands_docket[] = {
	{ "docket list", "", "everything that waits for somebody's signature", "underseal docket list",
	    NULL, 0, 0, 0, run_list },
	{ "docket show", "ID", "one item, as it would be signed", "underseal docket show person-5", NULL,
	    0, 1, 1, run_show },
	{ "docket sign", "ID", "signs an item with the profile's key", "underseal docket sign person-5",
	    NULL, 0, 1, 1, run_sign },
	{ 0 },
};
