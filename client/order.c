/* The protective order, from the outside: checked offline, shown as it is in force. */
#include <string.h>

#include "client/client.h"
#include "client/order_test.h"
#include "common/err.h"
#include "policy/yaml/yaml.h"

static void
print_findings_json(const struct us_findings *findings)
{
	cJSON *document = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(document, "findings");
	char *text;

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
	text = cJSON_PrintUnformatted(document);
	puts(text == NULL ? "{}" : text);
	cJSON_free(text);
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
			printf("%s:%u:%u: %s: %s\n", args->operand[0], findings.items[i].line,
			    findings.items[i].column, findings.items[i].severity == US_FINDING_ERROR ?
			    "error" : "warning", findings.items[i].text);
	if (!client->json)
		printf("%zu errors, %zu warnings\n", findings.errors, findings.warnings);
	us_buf_free(&source);
	us_buf_free(&compiled);
	return findings.errors == 0 ? US_EXIT_DONE : US_EXIT_UNVERIFIED;
}

static void
show_order(const cJSON *document)
{
	const char *source = us_json_text(document, "source");

	us_print_text(stdout, source, strlen(source), 1);
}

static int
run_show(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get_one(client, "/v1/order", "order", &document);

	(void)args;
	return status == US_EXIT_DONE ? us_show(client, document, show_order) : status;
}

const struct us_command us_commands_order[] = {
	{ "order check", "FILE", "checks an order without a vault: form, and rules that can't be meant",
	    "underseal order check order.yaml", NULL, 0, 1, 1, run_check },
	{ "order test", "FILE|DIR [--verbose]", "checks without a vault that an order keeps what a suite of statements says",
	    "underseal order test policy/orders", us_order_test_options, US_ORDER_TEST_OPTIONS, 1, 1, us_order_test },
	{ "order show", "", "the order in force, as it was signed", "underseal order show", NULL, 0, 0, 0,
	    run_show },
	{ 0 },
};
