/* Freezes: at once by one who may, lifted by the quorum. */
#include <stdlib.h>
#include <string.h>

#include "client/core/lookup.h"
#include "client/core/commands.h"
#include "client/evidence/records.h"
#include "client/evidence/selection.h"
#include "client/case/withhold.h"
#include "base/err.h"

/* "OAI000000017,OAI000000018" as an array. */
static cJSON *
split_bates(const char *text)
{
	cJSON *list = cJSON_CreateArray();
	char *copy = strdup(text), *save = NULL, *one;

	if (copy == NULL || list == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (one = strtok_r(copy, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save))
		us_bates_add(list, one);
	free(copy);
	if (cJSON_GetArraySize(list) == 0)
		us_usage_error("which records? --scope records:OAI000000017,OAI000000018");
	return list;
}

static int
freeze_records(struct us_client *client, const struct us_args *args, const struct us_scope *scope,
    struct us_act *act)
{
	struct us_choosing how = { 0 };
	struct us_choice choice;
	int status;

	if (scope->by == US_BY_QUERY) {
		how.query = scope->text;
		how.collection = us_arg(args, "collection");
		how.purpose = us_client_purpose(client, args);
	} else if (scope->by == US_BY_BATCH) {
		how.batch = scope->text;
	} else {
		how.bates = split_bates(scope->text);
	}
	status = us_choose(client, &how, &choice);
	if (status == US_EXIT_DONE)
		status = us_act_each(client, act, &act->u.freeze.selection, &choice);
	us_choice_free(&choice);
	cJSON_Delete(how.bates);
	return status;
}

static int
run_freeze(struct us_client *client, const struct us_args *args)
{
	const char *text = us_arg_needed(args, "scope", "how far?");
	const char *authority = us_arg_needed(args, "authority", "on what authority?");
	struct us_act *act = us_act_new(US_ACT_FREEZE);
	struct us_scope scope;
	int status;

	if (us_scope_parse(text, &scope) != US_OK)
		us_usage_error("--scope is all, party:P, person:N, collection:C, query:Q, "
			       "batch:C/N or records:BATES,…, not "
			       "'%s'",
		    text);
	act->u.freeze.scope = scope.scope;
	act->u.freeze.authority = us_bytes_of(authority);
	switch (scope.scope) {
	case US_FREEZE_EVERYTHING:
		break;
	case US_FREEZE_PARTY:
		act->u.freeze.party = us_bytes_of(scope.text);
		break;
	case US_FREEZE_PERSON:
		act->u.freeze.person = us_person_id(client, scope.text);
		break;
	case US_FREEZE_COLLECTION:
		act->u.freeze.collection = us_collection_id(client, scope.text);
		break;
	case US_FREEZE_RECORDS:
		status = freeze_records(client, args, &scope, act);
		free(act);
		return status;
	}
	return us_finish_act(client, act, us_show_filed);
}

static void
show_unfrozen(const cJSON *answer)
{
	const int pending = strcmp(us_json_text(answer, "status"), "pending") == 0;

	us_print("%s\n",
	    pending ? "signed; the freeze holds until the others of the quorum have signed too" :
		      "lifted");
}

static int
run_unfreeze(struct us_client *client, const struct us_args *args)
{
	const char *authority = us_arg(args, "authority");
	struct us_act *act = us_act_new(US_ACT_UNFREEZE);

	act->u.unfreeze.freeze = us_filing_number(args->operand[0], "freeze");
	act->u.unfreeze.authority = us_bytes_of(authority == NULL ? US_TEXT_NOT_SAID : authority);
	return us_finish_act(client, act, show_unfrozen);
}

static const struct us_option freeze_options[] = {
	{ "scope", "SCOPE",
	    "all, party:P, person:N, collection:C, query:Q, batch:C/N, records:BATES,…" },
	{ "authority", "TEXT", "the ruling or demand, such as \"oral order of 3 March\"" },
	{ "collection", "NAME", "where the query searches (everywhere)" },
	{ "purpose", "TEXT", "of the search, if the order asks for it" },
};
static const struct us_option unfreeze_options[] = { { "authority", "TEXT",
    "the ruling or consent, such as \"ECF No. 640\"" } };

const struct us_command us_commands_freeze[] = {
	{ "freeze",
	    "--scope all|party:P|person:N|collection:C|query:Q|batch:ID|records:BATES,... "
	    "--authority TEXT",
	    "stops access at once; what is loaded later is in no frozen set of records",
	    "underseal freeze --scope person:\"Ada Attorney\" --authority \"oral order of 3 "
	    "March\"",
	    freeze_options, 4, 0, 0, run_freeze },
	{ "unfreeze", "ID [--authority TEXT]",
	    "signs that a freeze be lifted; the last of the quorum lifts it",
	    "underseal unfreeze freeze-1 --authority \"ECF No. 640\"", unfreeze_options, 1, 1, 1,
	    run_unfreeze },
	{ 0 },
};
