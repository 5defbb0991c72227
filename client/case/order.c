/* The protective order, from the outside: checked offline, its versions shown and compared, a
 * version stopped. */
#include <stdlib.h>
#include <string.h>

#include "client/core/table.h"
#include "client/core/lookup.h"
#include "client/case/order_terms.h"
#include "client/case/order_version.h"
#include "client/case/order_test.h"
#include "base/err.h"
#include "base/number.h"
#include "client/core/commands.h"
#include "policy/yaml/yaml.h"

static void
print_findings_json(const struct us_findings *findings)
{
	cJSON *document = cJSON_CreateObject(),
	      *list = cJSON_AddArrayToObject(document, "findings");

	(void)cJSON_AddBoolToObject(document, "valid", findings->errors == 0);
	(void)cJSON_AddNumberToObject(document, "errors", (double)findings->errors);
	(void)cJSON_AddNumberToObject(document, "warnings", (double)findings->warnings);
	for (size_t i = 0; i < findings->n; i++) {
		const struct us_finding *f = &findings->items[i];
		cJSON *item = cJSON_CreateObject();

		(void)cJSON_AddStringToObject(item, "severity",
		    f->severity == US_FINDING_ERROR ? "error" : "warning");
		(void)cJSON_AddNumberToObject(item, "line", f->line);
		(void)cJSON_AddNumberToObject(item, "column", f->column);
		(void)cJSON_AddStringToObject(item, "text", f->text);
		(void)cJSON_AddItemToArray(list, item);
	}
	us_print_json(stdout, document);
	cJSON_Delete(document);
}

static int
run_check(struct us_client *client, const struct us_args *args)
{
	static struct us_findings findings;
	struct us_buf source, compiled;
	int err;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	err = us_file_read(args->operand[0], US_ORDER_SOURCE_MAX, &source);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read %s: %s", args->operand[0], us_strerror(err));
	err = us_order_compile((struct us_bytes){ source.data, source.len }, &compiled, &findings);
	if (err != US_OK && err != US_ERR_FORMAT)
		us_give_up(US_EXIT_OTHER, "cannot check the order: %s", us_strerror(err));
	if (client->json)
		print_findings_json(&findings);
	else
		for (size_t i = 0; i < findings.n; i++)
			us_print("%s:%u:%u: %s: %s\n", args->operand[0], findings.items[i].line,
			    findings.items[i].column,
			    findings.items[i].severity == US_FINDING_ERROR ? "error" : "warning",
			    findings.items[i].text);
	if (!client->json)
		us_print("%zu errors, %zu warnings\n", findings.errors, findings.warnings);
	us_buf_free(&source);
	us_buf_free(&compiled);
	return findings.errors == 0 ? US_EXIT_DONE : US_EXIT_UNVERIFIED;
}

/* ---- versions ---- */

static void
show_list(const cJSON *document)
{
	static const char *const columns[] = { "version", "status", "starts", "proposed_by",
		"authority", "title" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 6);
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/orders", &document);

	(void)args;
	return us_finish(client, status, document, show_list);
}

static int
run_show(struct us_client *client, const struct us_args *args)
{
	const uint32_t version = args->n_operands == 0 ?
	    0 :
	    us_filing_number(args->operand[0], "order");
	cJSON *order = NULL;
	struct us_buf source;
	int status = us_order_fetch(client, version, &order, &source);

	if (status == US_EXIT_DONE && client->json)
		status = us_show(client, order, NULL);
	else if (status == US_EXIT_DONE) {
		us_print_lines(stdout, source.data, source.len);
		cJSON_Delete(order);
	}
	us_buf_free(&source);
	return status;
}

static void
show_diff(const cJSON *diff)
{
	us_order_show_diff(diff, 0);
}

static void
show_diff_verbose(const cJSON *diff)
{
	us_order_show_diff(diff, 1);
}

static int
is_version(const char *operand)
{
	return strncmp(operand, "order-", 6) == 0 ||
	    (*operand != '\0' && us_number_span(operand, strlen(operand)) == strlen(operand));
}

static int
run_diff(struct us_client *client, const struct us_args *args)
{
	const char *from = args->operand[0], *to = args->operand[1];
	cJSON *diff = NULL;
	int status = US_EXIT_DONE;

	if (is_version(from) != is_version(to))
		us_usage_error("two versions, or two files; 'underseal order show %s > FILE' makes "
			       "a file of a version",
		    is_version(from) ? from : to);
	if (is_version(from))
		status = us_order_diff(client, us_filing_number(from, "order"),
		    us_filing_number(to, "order"), &diff);
	else
		diff = us_order_diff_files(from, to);
	return us_finish(client, status, diff,
	    us_flag(args, "verbose") ? show_diff_verbose : show_diff);
}

static void
show_suspended(const cJSON *answer)
{
	const double in_force = us_json_number(answer, "in_force", 0);

	if (in_force > 0)
		us_print("suspended: version %.0f is in force\n", in_force);
	else
		us_print("suspended\n");
}

static int
run_suspend(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_ORDER_SUSPEND);

	act->u.order_suspend.version = us_filing_number(args->operand[0], "order");
	act->u.order_suspend.authority = us_bytes_of(
	    us_arg_needed(args, "authority", "on what authority?"));
	return us_finish_act(client, act, show_suspended);
}

static void
show_matter(const cJSON *answer)
{
	(void)answer;
	us_print("done: rules go by that state from now on\n");
}

static int
run_matter(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_MATTER_SET);

	act->u.matter.state = us_bytes_of(args->operand[0]);
	act->u.matter.authority = us_bytes_of(
	    us_arg_needed(args, "authority", "on what authority?"));
	return us_finish_act(client, act, show_matter);
}

static const struct us_option authority_options[] = { { "authority", "TEXT",
    "the ruling, such as \"ECF No. 612\"" } };

static const struct us_option diff_options[] = { { "verbose", NULL,
    "each of the people by name" } };

const struct us_command us_commands_order[] = {
	{ "order check", "FILE",
	    "checks an order without a vault: form, and rules that can't be meant",
	    "underseal order check order.yaml", NULL, 0, 1, 1, run_check },
	{ "order test", "FILE|DIR [--verbose]",
	    "checks without a vault that an order keeps what a suite of statements says",
	    "underseal order test policy/orders", us_order_test_options, US_ORDER_TEST_OPTIONS, 1,
	    1, us_order_test },
	{ "order list", "", "every version of the order, and which is in force",
	    "underseal order list", NULL, 0, 0, 0, run_list },
	{ "order show", "[ID]", "the order in force, or one version of it, as it was signed",
	    "underseal order show 2", NULL, 0, 0, 1, run_show },
	{ "order diff", "A B [--verbose]",
	    "what changes from one version to another, or between two files without a vault",
	    "underseal order diff 1 2", diff_options, 1, 2, 2, run_diff },
	{ "order suspend", "VERSION --authority TEXT",
	    "stops a version; its predecessor is in force again",
	    "underseal order suspend 2 --authority \"ECF No. 640\"", authority_options, 1, 1, 1,
	    run_suspend },
	{ "matter set", "STATE --authority TEXT", "enters the state of the matter that rules go by",
	    "underseal matter set appeal --authority \"ECF No. 702\"", authority_options, 1, 1, 1,
	    run_matter },
	{ 0 },
};
