/* Clearances, and what is done to records after they were produced: challenged, relabelled, clawed
 * back. */
#include "client/case/withhold.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/table.h"
#include "client/case/document.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "client/case/order_version.h"
#include "client/evidence/records.h"
#include "base/err.h"
#include "policy/order.h"
#include "policy/yaml/yaml.h"

/* ---- an act for each collection ---- */

static void
show_each(const cJSON *answer)
{
	const cJSON *items = cJSON_GetObjectItemCaseSensitive(answer, "items"), *item;

	if (!cJSON_IsArray(items)) {
		us_show_filed(answer);
		return;
	}
	cJSON_ArrayForEach(item, items)
		us_show_filed(item);
}

int
us_act_each(struct us_client *client, struct us_act *act, struct us_selection *selection,
    const struct us_choice *choice)
{
	cJSON *all = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(all, "items"), *answer;
	int status = US_EXIT_OTHER, pending = 0;

	for (size_t i = 0; i < choice->n; i++) {
		answer = NULL;
		*selection = us_chosen_selection(&choice->items[i]);
		status = us_client_act(client, act, &answer);
		if (status != US_EXIT_DONE && status != US_EXIT_PENDING) {
			us_say("nothing was done in %s%s", choice->items[i].name,
			    i > 0 ? "; it was in those named before it" : "");
			cJSON_Delete(all);
			return status;
		}
		pending |= status == US_EXIT_PENDING;
		(void)cJSON_AddItemToArray(items, answer);
	}
	if (choice->n == 1) { /* as every other act is answered */
		answer = cJSON_DetachItemFromArray(items, 0);
		cJSON_Delete(all);
		all = answer;
	}
	return us_finish(client, pending ? US_EXIT_PENDING : US_EXIT_DONE, all, show_each);
}

/* Operands and --from, --query, --batch: whichever is there. */
static int
choose(struct us_client *client, const struct us_args *args, const char *query, const char *batch,
    struct us_choice *choice)
{
	struct us_choosing how = { .query = query, .batch = batch };
	int status;

	if (args->n_operands > 0 || us_arg(args, "from") != NULL)
		how.bates = us_bates_list(args, 0, us_arg(args, "from"));
	if (query != NULL) {
		how.collection = us_arg(args, "collection");
		how.purpose = us_client_purpose(client, args);
	}
	status = us_choose(client, &how, choice);
	cJSON_Delete(how.bates);
	return status;
}

/* Chooses, adds the document if the act has one, files. */
static int
file_records(struct us_client *client, const struct us_args *args, struct us_act *act,
    const char *document)
{
	const int by_number = act->type == US_ACT_CHALLENGE; /* has no other options */
	const char *query = by_number ? NULL : us_arg(args, "query"),
		   *batch = by_number ? NULL : us_arg(args, "batch");
	struct us_choice choice;
	int status = choose(client, args, query, batch, &choice);

	if (status == US_EXIT_DONE && document != NULL)
		status = us_document_send(client, document, act->u.records.document);
	if (status == US_EXIT_DONE)
		status = us_act_each(client, act, &act->u.records.selection, &choice);
	us_choice_free(&choice);
	free(act);
	return status;
}

/* ---- commands ---- */

static int
run_challenge(struct us_client *client, const struct us_args *args)
{
	const char *basis = us_arg_needed(args, "basis", "on what basis?");

	return file_records(client, args, us_act_new(US_ACT_CHALLENGE), basis);
}

static int
run_relabel(struct us_client *client, const struct us_args *args)
{
	const char *designation = us_arg_needed(args, "designation",
	    "to which designation of the order?");
	const char *reason = us_arg(args, "reason");
	struct us_act *act = us_act_new(US_ACT_RELABEL);

	act->u.records.designation = us_bytes_of(designation);
	act->u.records.reason = us_bytes_of(reason == NULL ? US_TEXT_NOT_SAID : reason);
	return file_records(client, args, act, NULL);
}

static int
run_clawback(struct us_client *client, const struct us_args *args)
{
	const char *notice = us_arg_needed(args, "notice", "with which notice?");
	struct us_act *act;

	(void)us_arg_needed(args, "noticed-at", "when was it noticed?");
	act = us_act_new(US_ACT_CLAWBACK);
	act->u.records.noticed_ns = us_arg_time(args, "noticed-at");
	return file_records(client, args, act, notice);
}

static void
show_report(const cJSON *report)
{
	static const char *const columns[] = { "party", "served", "received", "due" };
	const cJSON *served = cJSON_GetObjectItemCaseSensitive(report, "served"),
		    *by = cJSON_GetObjectItemCaseSensitive(report, "copies_by_status");

	us_print("%s: %.0f people had %.0f of its records\n", us_json_text(report, "id"),
	    us_json_number(report, "people", 0), us_json_number(report, "records", 0));
	us_print("copies with some of them: %.0f out, %.0f returned, %.0f destroyed\n",
	    us_json_number(by, "out", 0), us_json_number(by, "returned", 0),
	    us_json_number(by, "destroyed", 0));
	if (cJSON_GetArraySize(served) > 0)
		us_print_table(served, columns, 4);
}

static int
run_report(struct us_client *client, const struct us_args *args)
{
	cJSON *report = NULL;
	char path[64];
	int status;

	(void)snprintf(path, sizeof path, "/v1/clawbacks/%u/report",
	    us_filing_number(args->operand[0], "clawback"));
	status = us_client_get(client, path, &report);
	return us_finish(client, status, report, show_report);
}

/* The order's only clearance, where --clearance does not say which. id has room for US_ORDER_ID_MAX
 * + 1. */
static int
only_clearance(struct us_client *client, char *id)
{
	struct us_buf source, compiled;
	struct us_order *order = NULL;
	static struct us_findings findings;
	cJSON *document = NULL;
	int status = us_order_fetch(client, 0, &document, &source);

	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	if (status != US_EXIT_DONE)
		goto out;
	if (us_order_compile((struct us_bytes){ source.data, source.len }, &compiled, &findings) !=
		US_OK ||
	    us_order_decode(compiled.data, compiled.len, &order) != US_OK)
		us_give_up(US_EXIT_OTHER,
		    "the order in force cannot be read by this client: name the clearance with "
		    "--clearance");
	if (order->n_clearances != 1) {
		us_say("which clearance? The order has %zu; --clearance ID names one%s",
		    order->n_clearances,
		    order->n_clearances == 0 ? ", and there must be one" : ":");
		for (size_t i = 0; i < order->n_clearances; i++)
			us_say("  %s", (const char *)order->clearances[i].id.p);
		status = US_EXIT_USAGE;
	}
	if (status == US_EXIT_DONE)
		(void)snprintf(id, US_ORDER_ID_MAX + 1, "%s",
		    (const char *)order->clearances[0].id.p);
out:
	us_order_free(order);
	us_buf_free(&source);
	us_buf_free(&compiled);
	cJSON_Delete(document);
	return status;
}

static int
run_clearance(struct us_client *client, const struct us_args *args)
{
	const char *statement = us_arg_needed(args, "statement", "with which statement?"),
		   *named = us_arg(args, "clearance");
	char id[US_ORDER_ID_MAX + 1] = "";
	struct us_act *act;
	int status = named == NULL ? only_clearance(client, id) : US_EXIT_DONE;

	if (status != US_EXIT_DONE)
		return status;
	act = us_act_new(US_ACT_CLEARANCE);
	act->u.clearance.clearance = us_bytes_of(named == NULL ? id : named);
	act->u.clearance.person = us_person_id(client, args->operand[0]);
	status = us_document_send(client, statement, act->u.clearance.statement);
	if (status == US_EXIT_DONE)
		return us_finish_act(client, act, us_show_filed);
	free(act);
	return status;
}

static const struct us_option clearance_options[] = {
	{ "clearance", "ID", "which of the order's clearances, if it has several" },
	{ "statement", "FILE", "what is disclosed about the person, as a document" },
};
static const struct us_option challenge_options[] = {
	{ "basis", "FILE", "why the designation is wrong, as a document" },
	{ "from", "FILE", "Bates numbers from a file ('-': standard input)" },
};
static const struct us_option relabel_options[] = {
	{ "designation", "D", "the designation they get, one of the order's" },
	{ "reason", "TEXT", "stands in the log" },
	{ "query", "Q", "everything that this finds now ('-' reads it from stdin)" },
	{ "batch", "COLLECTION/N", "a whole batch" },
	{ "collection", "NAME", "where the query searches (everywhere)" },
	{ "from", "FILE", "Bates numbers from a file ('-': standard input)" },
	{ "purpose", "TEXT", "of the search, if the order asks for it" },
};
static const struct us_option clawback_options[] = {
	{ "notice", "FILE", "the notice of inadvertent production, as a document" },
	{ "noticed-at", "TIME", "when the production was noticed" },
	{ "query", "Q", "everything that this finds now ('-' reads it from stdin)" },
	{ "batch", "COLLECTION/N", "a whole batch" },
	{ "collection", "NAME", "where the query searches (everywhere)" },
	{ "from", "FILE", "Bates numbers from a file ('-': standard input)" },
	{ "purpose", "TEXT", "of the search, if the order asks for it" },
};

const struct us_command us_commands_withhold[] = {
	{ "clearance request", "NAME --statement FILE [--clearance ID]",
	    "discloses a person to the parties who may object, before they see anything",
	    "underseal clearance request \"Eve Expert\" --clearance expert --statement cv.pdf",
	    clearance_options, 2, 1, 1, run_clearance },
	{ "challenge", "BATES... --basis FILE", "challenges the designation of records",
	    "underseal challenge OAI000000017 OAI000000018 --basis letter.pdf", challenge_options,
	    2, 0, 65536, run_challenge },
	{ "relabel", "BATES...|--query Q|--batch ID --designation D [--reason TEXT]",
	    "gives records another designation",
	    "underseal relabel OAI000000017 --designation CONFIDENTIAL --reason \"agreed on 3 "
	    "March\"",
	    relabel_options, 7, 0, 65536, run_relabel },
	{ "clawback report", "ID", "how many people and copies had what was clawed back",
	    "underseal clawback report clawback-1", NULL, 0, 1, 1, run_report },
	{ "clawback", "BATES...|--query Q|--batch ID --notice FILE --noticed-at TIME",
	    "takes back what was produced by mistake, at once",
	    "underseal clawback --query '\"privileged and confidential\"' --collection logs "
	    "--notice notice.pdf --noticed-at "
	    "2026-03-03",
	    clawback_options, 7, 0, 65536, run_clawback },
	{ 0 },
};
