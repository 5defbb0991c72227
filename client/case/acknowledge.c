/* Exhibit A: to acknowledge the order that is in force, and the register of who did. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/case/document.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "client/case/order_version.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "client/core/table.h"

/* ---- acknowledge ---- */

static void
show_acknowledged(const cJSON *answer)
{
	us_print("acknowledged%s%s\n", *us_json_text(answer, "time") == '\0' ? "" : " on ",
	    us_json_text(answer, "time"));
}

/* What is acknowledged is said before it is signed; the digests in the act are of what was
 * fetched. */
static int
take_order(struct us_client *client, const cJSON *order, const struct us_buf *source,
    struct us_act_acknowledge *a)
{
	const char *instrument = us_json_text(order, "instrument"),
		   *title = us_json_text(order, "title");
	char hex[65];

	a->version = (uint32_t)us_json_number(order, "version", 0);
	if (us_sha256(source->data, source->len, a->source_digest) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot digest the order");
	if (*instrument != '\0' &&
	    (strlen(instrument) != 64 || us_hex_decode(instrument, 64, a->instrument, 32) != US_OK))
		us_give_up(US_EXIT_OTHER,
		    "the vault's answer names no instrument that could be acknowledged");
	us_hex_encode(a->source_digest, 32, hex);
	if (us_client_asks(client))
		us_order_show_source(source);
	if (!client->json) {
		us_print("order       version %u, ", a->version);
		us_print("%s", title);
		us_print("\nsource      SHA-256 %s\ninstrument  %s%s\n", hex,
		    *instrument == '\0' ? "none was filed with it" : "SHA-256 ", instrument);
	}
	return fflush(stdout) == 0 ? US_EXIT_DONE : US_EXIT_OTHER;
}

static int
run_acknowledge(struct us_client *client, const struct us_args *args)
{
	const char *form = us_arg(args, "signed");
	struct us_act *act = us_act_new(US_ACT_ACKNOWLEDGE);
	cJSON *in_force = NULL, *order = NULL, *answer = NULL;
	struct us_buf source;
	int status;

	act->u.acknowledge.address = us_bytes_of(
	    us_arg_needed(args, "address", "where do you live or work?"));
	act->u.acknowledge.place = us_bytes_of(us_arg_needed(args, "place", "where do you sign?"));
	us_buf_init(&source, 1);
	status = us_client_get_one(client, "/v1/order", "order", &in_force);
	if (status == US_EXIT_DONE) /* by its number, which gives its instrument too */
		status = us_order_fetch(client, (uint32_t)us_json_number(in_force, "version", 1),
		    &order, &source);
	if (status == US_EXIT_DONE)
		status = take_order(client, order, &source, &act->u.acknowledge);
	if (status == US_EXIT_DONE && form != NULL)
		status = us_document_send(client, form, act->u.acknowledge.form);
	if (status == US_EXIT_DONE)
		status = us_client_act(client, act, &answer);
	us_buf_free(&source);
	cJSON_Delete(in_force);
	cJSON_Delete(order);
	free(act);
	return us_finish(client, status, answer, show_acknowledged);
}

/* ---- the register ---- */

static const char *const register_columns[] = { "person", "name", "version", "time", "address",
	"place", "credential", "instrument", "form" };
#define REGISTER_COLUMNS (US_COUNT(register_columns))

static void
show_register(const cJSON *document)
{
	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), register_columns, 6);
}

static int
print_csv(const cJSON *document)
{
	us_table_csv(stdout,
	    &(struct us_client_table){ cJSON_GetObjectItemCaseSensitive(document, "items"),
		register_columns, REGISTER_COLUMNS, NULL },
	    NULL);
	return fflush(stdout) == 0 ? US_EXIT_DONE : US_EXIT_OTHER;
}

static int
run_register(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status;

	if (us_flag(args, "csv") && client->json)
		us_usage_error("--csv or --json, not both");
	status = us_client_get(client, "/v1/acknowledgements", &document);
	if (status != US_EXIT_DONE || !us_flag(args, "csv"))
		return us_finish(client, status, document, show_register);
	status = print_csv(document);
	cJSON_Delete(document);
	return status;
}

static const struct us_option acknowledge_options[] = {
	{ "address", "TEXT", "your address" },
	{ "place", "TEXT", "city and state where you sign" },
	{ "signed", "PDF", "the form that you have signed, as a document" },
};
static const struct us_option register_options[] = { { "csv", NULL,
    "as a CSV file on stdout, with every digest" } };

const struct us_command us_commands_acknowledge[] = {
	{ "acknowledge", "--address TEXT --place TEXT [--signed PDF]",
	    "agrees to be bound by the order in force, with the profile's key",
	    "underseal acknowledge --address \"1 Main St, Springfield\" --place \"Springfield, "
	    "NY\" --signed exhibit-a.pdf",
	    acknowledge_options, 3, 0, 0, run_acknowledge },
	{ "order acknowledgements", "[--csv]",
	    "who has acknowledged which version of the order, and when",
	    "underseal order acknowledgements --csv > register.csv", register_options, 1, 0, 0,
	    run_register },
	{ 0 },
};
