/* Collections and their batches. */
#include <stdlib.h>
#include <string.h>

#include "client/core/table.h"
#include "client/core/lookup.h"
#include "base/array.h"
#include "base/err.h"
#include "client/core/commands.h"

/* ---- collections ---- */

static void
show_created(const cJSON *c)
{
	us_print("created as number %.0f\n", us_json_number(c, "collection", 0));
}

static int
run_create(struct us_client *client, const struct us_args *args)
{
	const char *prefix = us_arg(args, "bates"), *designation = us_arg(args, "designation");
	struct us_act *act = us_act_new(US_ACT_COLLECTION_CREATE);

	if (prefix == NULL)
		us_usage_error("with which Bates prefix? --bates PREFIX");
	act->u.collection.name = us_bytes_of(args->operand[0]);
	act->u.collection.prefix = us_bytes_of(prefix);
	act->u.collection.designation = us_bytes_of(designation == NULL ? "" : designation);
	return us_finish_act(client, act, show_created);
}

static void
show_collections(const cJSON *document)
{
	static const char *const columns[] = { "collection", "name", "bates_prefix", "designation",
		"created" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 5);
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/collections", &document);

	(void)args;
	return us_finish(client, status, document, show_collections);
}

static int
run_show(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_get_named(client, "/v1/collections/", args->operand[0], "", "collection",
	    &document);

	return us_finish(client, status, document, us_print_members);
}

/* ---- batches: named COLLECTION/SLOT ---- */

static void
show_batches(const cJSON *document)
{
	static const char *const columns[] = { "batch", "status", "records", "first", "last",
		"closed", "entry", "reason" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns,
	    US_COUNT(columns));
}

static int
run_batch_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_get_named(client, "/v1/collections/", args->operand[0], "/batches", NULL,
	    &document);

	return us_finish(client, status, document, show_batches);
}

static int
run_batch_show(struct us_client *client, const struct us_args *args)
{
	char collection[US_COLLECTION_NAME_MAX + 1], suffix[32];
	uint32_t slot = us_batch_split(args->operand[0], collection);
	cJSON *document = NULL;
	int status;

	(void)snprintf(suffix, sizeof suffix, "/batches/%u", slot);
	status = us_get_named(client, "/v1/collections/", collection, suffix, "batch", &document);
	return us_finish(client, status, document, us_print_members);
}

static void
show_done(const cJSON *document)
{
	us_print("done: %s\n", us_json_text(document, "status"));
}

static int
change_batch(struct us_client *client, const struct us_args *args, enum us_act_type type)
{
	char collection[US_COLLECTION_NAME_MAX + 1];
	uint32_t slot = us_batch_split(args->operand[0], collection);
	struct us_act *act = us_act_new(type);
	cJSON *document = NULL;
	int status = us_collection_find(client, collection, &document, &act->u.batch.collection);

	if (status != US_EXIT_DONE) {
		free(act);
		return status;
	}
	act->u.batch.slot = slot;
	cJSON_Delete(document);
	if (type == US_ACT_BATCH_WITHDRAW) {
		if (us_arg(args, "reason") == NULL)
			us_usage_error("why? --reason TEXT stands in the log");
		act->u.batch.reason = us_bytes_of(us_arg(args, "reason"));
	}
	return us_finish_act(client, act, show_done);
}

static int
run_batch_release(struct us_client *client, const struct us_args *args)
{
	return change_batch(client, args, US_ACT_BATCH_RELEASE);
}

static int
run_batch_withdraw(struct us_client *client, const struct us_args *args)
{
	return change_batch(client, args, US_ACT_BATCH_WITHDRAW);
}

static const struct us_option create_options[] = {
	{ "bates", "PREFIX", "what Bates numbers begin with" },
	{ "designation", "D", "designation of records that bring none: one of the order's list" },
};
static const struct us_option withdraw_options[] = { { "reason", "TEXT", "stands in the log" } };

const struct us_command us_commands_collection[] = {
	{ "collection create", "NAME --bates PREFIX [--designation D]",
	    "makes a collection with a key of its own",
	    "underseal collection create logs --bates OAI --designation AEO", create_options, 2, 1,
	    1, run_create },
	{ "collection list", "", "every collection", "underseal collection list", NULL, 0, 0, 0,
	    run_list },
	{ "collection show", "NAME", "one collection", "underseal collection show logs", NULL, 0, 1,
	    1, run_show },
	{ "batch list", "COLLECTION", "the batches of a collection", "underseal batch list logs",
	    NULL, 0, 1, 1, run_batch_list },
	{ "batch show", "COLLECTION/N", "one batch, with its manifest root and log entry",
	    "underseal batch show logs/0", NULL, 0, 1, 1, run_batch_show },
	{ "batch release", "COLLECTION/N",
	    "lets the readers see a batch that was loaded with --hold",
	    "underseal batch release logs/0", NULL, 0, 1, 1, run_batch_release },
	{ "batch withdraw", "COLLECTION/N --reason TEXT", "takes a batch out of everybody's sight",
	    "underseal batch withdraw logs/0 --reason \"wrong file\"", withdraw_options, 1, 1, 1,
	    run_batch_withdraw },
	{ 0 },
};
