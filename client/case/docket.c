/* The docket: what waits for somebody, and what can be done about it. */
#include "client/case/docket.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/table.h"
#include "base/array.h"
#include "client/case/document.h"
#include "client/case/item_digest.h"
#include "client/case/item_text.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "client/case/order_terms.h"
#include "client/case/order_version.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"

/* ---- showing ---- */

/* Texts of an array, or one member of its objects, with commas; "" if it is none. */
static void
join(const cJSON *array, const char *member, char *out, size_t size)
{
	const cJSON *item;
	size_t at = 0;

	out[0] = '\0';
	if (!cJSON_IsArray(array))
		return;
	cJSON_ArrayForEach(item, array) {
		const char *text = member == NULL ? cJSON_GetStringValue(item) :
						    us_json_text(item, member);

		if (text != NULL && at < size)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at == 0 ? "" : ",",
			    text);
	}
}

/* A line of the list: people wait for parties, filings for what "wanted" says. */
static cJSON *
row_of(const cJSON *item)
{
	const cJSON *served = cJSON_GetObjectItemCaseSensitive(item, "served");
	const char *status = us_json_text(item, "status");
	cJSON *row = cJSON_CreateObject();
	char wanted[256], parties[256];

	join(cJSON_GetObjectItemCaseSensitive(item, "waits_for"), NULL, wanted, sizeof wanted);
	join(served, "party", parties, sizeof parties);
	(void)cJSON_AddStringToObject(row, "id", us_json_text(item, "id"));
	(void)cJSON_AddStringToObject(row, "kind", us_json_text(item, "kind"));
	(void)cJSON_AddStringToObject(row, "status", *status == '\0' ? "waits" : status);
	(void)cJSON_AddStringToObject(row, "yours",
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "yours")) ? "yes" : "");
	(void)cJSON_AddStringToObject(row, "waits for",
	    *us_json_text(item, "wanted") != '\0' ? us_json_text(item, "wanted") :
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "waits_for_court")) ? "court" :
											  wanted);
	(void)cJSON_AddStringToObject(row, "served",
	    cJSON_IsString(served) ? served->valuestring : parties);
	(void)cJSON_AddStringToObject(row, "due", us_json_text(item, "due"));
	(void)cJSON_AddStringToObject(row, "name", us_json_text(item, "name"));
	return row;
}

static void
show_list(const cJSON *document)
{
	static const char *const columns[] = { "id", "kind", "status", "yours", "waits for",
		"served", "due", "name" };
	cJSON *rows = cJSON_CreateArray();
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(document, "items"))
		(void)cJSON_AddItemToArray(rows, row_of(item));
	us_print_table(rows, columns, US_COUNT(columns));
	cJSON_Delete(rows);
}

/* Filings, open and closed, in place of the open ones among the items. People who no longer wait
 * are no filings. */
static int
add_filings(struct us_client *client, cJSON *items)
{
	cJSON *document = NULL, *filing;
	int status = us_client_get(client, "/v1/filings", &document);

	if (status != US_EXIT_DONE)
		return status;
	for (int i = cJSON_GetArraySize(items); i-- > 0;)
		if (*us_json_text(cJSON_GetArrayItem(items, i), "status") !=
		    '\0') /* a person's item has none */
			cJSON_DeleteItemFromArray(items, i);
	while (
	    (filing = cJSON_DetachItemFromArray(cJSON_GetObjectItemCaseSensitive(document, "items"),
		 0)) != NULL)
		(void)cJSON_AddItemToArray(items, filing);
	cJSON_Delete(document);
	return US_EXIT_DONE;
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/docket", &document);

	if (status == US_EXIT_DONE && us_flag(args, "all"))
		status = add_filings(client, cJSON_GetObjectItemCaseSensitive(document, "items"));
	return us_finish(client, status, document, show_list);
}

/* What waits has its digest and terms; what is closed is found among the filings. */
static int
get_item(struct us_client *client, const char *id, cJSON **item)
{
	int status = us_find_named(client, "/v1/docket/", id, item);

	if (status != US_EXIT_DONE || *item != NULL)
		return status;
	return us_get_named(client, "/v1/filings/", id, "", "item of the docket", item);
}

/* Its document, to a file or standard output. */
static int
open_document(struct us_client *client, const cJSON *item, const char *to)
{
	const char *digest = us_json_text(item, "document"), *id = us_json_text(item, "id");

	if (*digest == '\0')
		us_usage_error("no document was filed with %s; 'underseal docket show %s' shows "
			       "all "
			       "of it",
		    id, id);
	return us_document_fetch(client, digest, to);
}

/* Of a version that waits: what it changes, if the vault tells this person. */
static cJSON *
change_of(struct us_client *client, const cJSON *item)
{
	const char *id = us_json_text(item, "id");
	cJSON *in_force = NULL, *diff = NULL;
	int status;

	if (strcmp(us_json_text(item, "kind"), "order") != 0 ||
	    strcmp(us_json_text(item, "status"), "waits") != 0)
		return NULL;
	status = us_client_get_one(client, "/v1/order", "order", &in_force);
	if (status == US_EXIT_DONE)
		status = us_order_diff(client, (uint32_t)us_json_number(in_force, "version", 0),
		    us_filing_number(id, "order"), &diff);
	cJSON_Delete(in_force);
	if (status != US_EXIT_DONE)
		us_say("what %s changes cannot be shown", id);
	return diff;
}

/* "diff" is the client's own. */
static void
show_item(const cJSON *item)
{
	const cJSON *diff = cJSON_GetObjectItemCaseSensitive(item, "diff");

	us_item_show(item);
	if (diff != NULL)
		us_order_show_diff(diff, 0);
}

static int
run_show(struct us_client *client, const struct us_args *args)
{
	const char *to = us_arg(args, "document");
	cJSON *item = NULL, *diff;
	int status = get_item(client, args->operand[0], &item);

	if (status == US_EXIT_DONE && to != NULL) {
		status = open_document(client, item, to);
		cJSON_Delete(item);
		return status;
	}
	diff = status == US_EXIT_DONE ? change_of(client, item) : NULL;
	if (diff != NULL)
		(void)cJSON_AddItemToObject(item, "diff", diff);
	return us_finish(client, status, item, show_item);
}

/* ---- signing ---- */

static void
show_signed(const cJSON *answer)
{
	if (strncmp(us_json_text(answer, "docket"), "approval-", 9) == 0)
		us_print("signed; the request is let through once as many have signed as the rule "
			 "wants\n");
	else
		us_print("%s\n",
		    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "open")) ?
			"signed; others' signatures are still missing" :
			"signed");
}

int
us_docket_sign(struct us_client *client, const struct us_args *args, const char *id)
{
	struct us_act *act = us_act_new(US_ACT_DOCKET_SIGN);
	cJSON *item = NULL, *answer = NULL, *diff = NULL;
	uint8_t own[32] = { 0 };
	const char *digest;
	char hex[65];
	int status;

	if (strncmp(id, "freeze-", 7) ==
	    0) /* has an act of its own, which says on what authority */
		us_usage_error(
		    "to sign that a freeze be lifted: underseal unfreeze %s --authority TEXT", id);
	status = us_get_named(client, "/v1/docket/", id, "", "item that waits in the docket",
	    &item);
	if (status == US_EXIT_DONE)
		status = us_item_check(client, id, item);
	digest = us_json_text(item, "digest");
	if (status == US_EXIT_DONE && strncmp(id, "order-", 6) == 0)
		status = us_order_check_version(client, us_filing_number(id, "order"), own,
		    us_flag(args, "without-diff") ? NULL : &diff);
	us_hex_encode(own, 32, hex);
	if (status == US_EXIT_DONE && strncmp(id, "order-", 6) == 0 && strcmp(digest, hex) != 0) {
		us_say("VERIFICATION FAILED: %s is to be signed as something else than what the "
		       "vault shows; it was not signed",
		    id);
		status = US_EXIT_UNVERIFIED;
	}
	if (status == US_EXIT_DONE && !client->json) {
		us_item_show(item);
		if (diff != NULL)
			us_order_show_diff(diff, 0);
	}
	act->u.sign.docket_id = us_bytes_of(id);
	if (status == US_EXIT_DONE &&
	    (strlen(digest) != 64 || us_hex_decode(digest, 64, act->u.sign.digest, 32) != US_OK))
		us_give_up(US_EXIT_OTHER, "the vault shows no digest of what is to be signed");
	cJSON_Delete(item);
	if (status == US_EXIT_DONE)
		status = us_client_act(client, act, &answer);
	free(act);
	if (answer != NULL && diff != NULL)
		(void)cJSON_AddItemToObject(answer, "diff", diff);
	else
		cJSON_Delete(diff);
	return us_finish(client, status, answer, show_signed);
}

static int
run_sign(struct us_client *client, const struct us_args *args)
{
	return us_docket_sign(client, args, args->operand[0]);
}

/* ---- everything else that is done to an item ---- */

static void
show_done(const cJSON *answer)
{
	us_print("%s\n",
	    strcmp(us_json_text(answer, "status"), "pending") == 0 ?
		"recorded; others' signatures are still missing" :
		"recorded");
}

static int
send_act(struct us_client *client, struct us_act *act, const char *id)
{

	act->u.docket.docket_id = us_bytes_of(id);
	return us_finish_act(client, act, show_done);
}

static int
run_object(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_DOCKET_OBJECT);
	int status = us_document_send(client, us_arg_needed(args, "file", "on what grounds?"),
	    act->u.docket.grounds);

	if (status == US_EXIT_DONE)
		return send_act(client, act, args->operand[0]);
	free(act);
	return status;
}

static int
run_resolve(struct us_client *client, const struct us_args *args)
{
	const int denied = us_flag(args, "denied");
	struct us_act *act;

	if (denied && us_flag(args, "granted"))
		us_usage_error("granted or denied, not both");
	act = us_act_new(US_ACT_DOCKET_RESOLVE);
	act->u.docket.outcome = denied ? US_OUTCOME_DENIED : US_OUTCOME_GRANTED;
	act->u.docket.text = us_bytes_of(us_arg_needed(args, "authority", "on what authority?"));
	return send_act(client, act, args->operand[0]);
}

int
us_docket_withdraw(struct us_client *client, const char *id, const char *reason)
{
	struct us_act *act = us_act_new(US_ACT_DOCKET_WITHDRAW);

	act->u.docket.text = us_bytes_of(reason == NULL ? US_TEXT_NOT_SAID : reason);
	return send_act(client, act, id);
}

static int
run_withdraw(struct us_client *client, const struct us_args *args)
{
	return us_docket_withdraw(client, args->operand[0], us_arg(args, "reason"));
}

static int
serve(struct us_client *client, const struct us_args *args, const char *party)
{
	struct us_act *act = us_act_new(US_ACT_DOCKET_SERVE);
	const int64_t at = us_arg_time(args, "at");

	act->u.docket.party = us_bytes_of(party);
	act->u.docket.at_ns = at == 0 ? us_time_now_ns() : at;
	return send_act(client, act, args->operand[0]);
}

static int
run_serve(struct us_client *client, const struct us_args *args)
{
	return serve(client, args, us_arg_needed(args, "party", "on whom?"));
}

/* To receive is to say, as one of the party, that it has been served. Whose party that is stands
 * with the person. */
static int
run_receive(struct us_client *client, const struct us_args *args)
{
	const char *named = us_arg(args, "party"), *own = us_client_profile(client)->person;
	cJSON *me = NULL;
	const cJSON *parties;
	int status;

	if (named != NULL)
		return serve(client, args, named);
	if (own == NULL)
		us_usage_error("the profile does not say whose it is: for which party? --party P");
	status = us_get_named(client, "/v1/people/", own, "", "person", &me);
	if (status != US_EXIT_DONE)
		return status;
	parties = cJSON_GetObjectItemCaseSensitive(me, "parties");
	if (cJSON_GetArraySize(parties) != 1)
		us_usage_error("you are of %d parties: for which? --party P",
		    cJSON_GetArraySize(parties));
	status = serve(client, args, cJSON_GetStringValue(cJSON_GetArrayItem(parties, 0)));
	cJSON_Delete(me);
	return status;
}

static const struct us_option list_options[] = { { "all", NULL, "what is closed too" } };
static const struct us_option show_options[] = { { "document", "FILE",
    "writes the document that was filed with it, which must be what its digest says ('-': standard "
    "output)" } };
static const struct us_option object_options[] = { { "file", "FILE",
    "the objection and its grounds, as a document" } };
static const struct us_option resolve_options[] = {
	{ "authority", "TEXT", "the ruling, such as \"ECF No. 612\"" },
	{ "granted", NULL, "it is granted (so too if nothing is said)" },
	{ "denied", NULL, "it is denied" },
};
static const struct us_option withdraw_options[] = { { "reason", "TEXT", "stands in the log" } };
static const struct us_option serve_options[] = {
	{ "party", "P", "which party has it" },
	{ "at", "TIME", "since when (now)" },
};

const struct us_command us_commands_docket[] = {
	{ "docket list", "[--all]", "everything that waits for somebody", "underseal docket list",
	    list_options, 1, 0, 0, run_list },
	{ "docket show", "ID [--document FILE]", "one item, as it would be signed",
	    "underseal docket show clearance-1", show_options, 1, 1, 1, run_show },
	{ "docket sign", "ID [--without-diff]",
	    "signs an item with the profile's key; an order is compiled anew and compared first",
	    "underseal docket sign person-5", us_order_sign_options, US_ORDER_SIGN_OPTIONS, 1, 1,
	    run_sign },
	{ "docket object", "ID --file F", "objects for your party, with grounds",
	    "underseal docket object clearance-1 --file objection.pdf", object_options, 1, 1, 1,
	    run_object },
	{ "docket resolve", "ID --authority TEXT [--granted|--denied]",
	    "records the ruling on an item",
	    "underseal docket resolve clearance-1 --denied --authority \"ECF No. 612\"",
	    resolve_options, 3, 1, 1, run_resolve },
	{ "docket withdraw", "ID [--reason TEXT]", "takes back what you have filed",
	    "underseal docket withdraw challenge-2 --reason \"settled\"", withdraw_options, 1, 1, 1,
	    run_withdraw },
	{ "docket serve", "ID --party P [--at TIME]",
	    "records that a party has been served with an item",
	    "underseal docket serve clearance-1 --party defendant", serve_options, 2, 1, 1,
	    run_serve },
	{ "docket receive", "ID [--party P] [--at TIME]",
	    "says for your own party that it has been served",
	    "underseal docket receive clearance-1", serve_options, 2, 1, 1, run_receive },
	{ 0 },
};
