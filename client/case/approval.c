/* Approvals: one request, put before the others who must agree to it. */
#include <stdlib.h>
#include <string.h>

#include "client/core/lookup.h"
#include "client/core/commands.h"
#include "client/evidence/records.h"
#include "client/evidence/selection.h"
#include "base/err.h"

static void
show_requested(const cJSON *answer)
{
	const char *id = us_json_text(answer, "docket");

	us_print("%s: others approve it with 'underseal docket sign %s'; then the same request, "
		 "with "
		 "the same purpose, is let "
		 "through once\n",
	    id, id);
}

/* The numbers as the act packs them; they must all be of the one collection. */
static void
pack_records(const struct us_choice *choice, uint32_t collection, struct us_act_approval *a,
    struct us_buf *packed)
{
	const struct us_chosen *c = &choice->items[0];

	if (choice->n != 1 || c->collection != collection)
		us_usage_error(
		    "a request is about records of one collection, the one that is named");
	if (c->n > US_COPY_RECORDS_MAX)
		us_usage_error("a request is about at most %d records", US_COPY_RECORDS_MAX);
	us_buf_init(packed, c->n * 8);
	for (size_t i = 0; i < c->n; i++)
		if (us_buf_put_u64(packed, c->records[i]) != US_OK)
			us_give_up(US_EXIT_OTHER, "out of memory");
	a->n = (uint32_t)c->n;
	a->records = (struct us_bytes){ packed->data, packed->len };
}

static void
take_action(const struct us_args *args, struct us_act_approval *a)
{
	const char *action = args->operand[0];

	if (us_action_of(&a->action, action, strlen(action)) != US_OK ||
	    (a->action != US_ACTION_READ && a->action != US_ACTION_COPY &&
		a->action != US_ACTION_COUNT))
		us_usage_error("what can be approved is read, copy or count, not '%s'", action);
	if (a->action == US_ACTION_COUNT && args->n_operands != 3)
		us_usage_error(
		    "a count has one query: underseal approval request count COLLECTION QUERY");
}

static int
run_request(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_APPROVAL_REQUEST);
	struct us_act_approval *a = &act->u.approval;
	struct us_choice choice = { NULL, 0 };
	struct us_choosing how = { 0 };
	struct us_buf query, packed;
	const char *purpose;
	cJSON *answer = NULL;
	int status = US_EXIT_DONE;

	take_action(args, a);
	purpose = us_client_purpose(client, args);
	a->purpose = us_bytes_of(purpose == NULL ? "" : purpose);
	a->collection = us_collection_id(client, args->operand[1]);
	us_buf_init(&query, 1);
	us_buf_init(&packed, 1);
	if (a->action == US_ACTION_COUNT) {
		us_read_query(args->operand[2], &query);
		a->query = (struct us_bytes){ query.data, query.len };
	} else {
		how.bates = cJSON_CreateArray();
		for (size_t i = 2; i < args->n_operands; i++)
			us_bates_add(how.bates, args->operand[i]);
		status = us_choose(client, &how, &choice);
		if (status == US_EXIT_DONE)
			pack_records(&choice, a->collection, a, &packed);
	}
	if (status == US_EXIT_DONE)
		status = us_client_act(client, act, &answer);
	us_choice_free(&choice);
	cJSON_Delete(how.bates);
	us_buf_free(&query);
	us_buf_free(&packed);
	free(act);
	return us_finish(client, status, answer, show_requested);
}

static const struct us_option request_options[] = { { "purpose", "TEXT",
    "of the request; it is part of what is approved" } };

const struct us_command us_commands_approval[] = {
	{ "approval request",
	    "read|copy COLLECTION BATES... | count COLLECTION QUERY [--purpose TEXT]",
	    "asks others to approve one request that the order lets through only then",
	    "underseal approval request read logs OAI000000017 OAI000000018 --purpose \"claim 3\"",
	    request_options, 1, 3, 65538, run_request },
	{ 0 },
};
