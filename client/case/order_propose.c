/* New versions of the order: proposed with their instrument, and signed only after the source was
 * compiled here too. */
#include "client/case/order_version.h"

#include <stdlib.h>
#include <string.h>

#include "client/case/docket.h"
#include "client/case/document.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"
#include "policy/yaml/yaml.h"

/* Compiles the file, or ends the program with what is wrong in it. */
static void
compile_file(const char *path, struct us_buf *source, struct us_buf *compiled)
{
	static struct us_findings findings;
	int err;

	if (us_file_read(path, US_ORDER_SOURCE_MAX, source) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s cannot be read, or is larger than an order may be",
		    path);
	err = us_order_compile((struct us_bytes){ source->data, source->len }, compiled, &findings);
	us_order_say_findings(path, &findings);
	if (err != US_OK)
		us_give_up(err == US_ERR_FORMAT ? US_EXIT_UNVERIFIED : US_EXIT_OTHER,
		    "%s was not proposed: 'underseal order check' must be content with it", path);
}

static int
run_propose(struct us_client *client, const struct us_args *args)
{
	struct us_act *act = us_act_new(US_ACT_ORDER_PROPOSE);
	const char *instrument = us_arg(args, "instrument"), *authority = us_arg(args, "authority");
	struct us_buf source, compiled;
	cJSON *answer = NULL;
	int status = US_EXIT_DONE;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	compile_file(args->operand[0], &source, &compiled);
	act->u.order_propose.effective_ns = us_arg_time(args, "effective");
	act->u.order_propose.authority = us_bytes_of(
	    authority == NULL ? US_TEXT_NOT_SAID : authority);
	act->u.order_propose.source = (struct us_bytes){ source.data, source.len };
	act->u.order_propose.compiled = (struct us_bytes){ compiled.data, compiled.len };
	if (instrument != NULL)
		status = us_document_send(client, instrument, act->u.order_propose.instrument);
	if (status == US_EXIT_DONE)
		status = us_client_act(client, act, &answer);
	us_buf_free(&source);
	us_buf_free(&compiled);
	free(act);
	return us_finish(client, status, answer, us_show_filed);
}

static int
run_sign(struct us_client *client, const struct us_args *args)
{
	char id[US_DOCKET_ID_MAX + 1];

	us_filing_id(args->operand[0], "order", id);
	return us_docket_sign(client, args, id);
}

static int
run_withdraw(struct us_client *client, const struct us_args *args)
{
	char id[US_DOCKET_ID_MAX + 1];

	us_filing_id(args->operand[0], "order", id);
	return us_docket_withdraw(client, id, us_arg(args, "reason"));
}

static const struct us_option propose_options[] = {
	{ "instrument", "PDF", "the court's order itself, kept as a document" },
	{ "authority", "TEXT", "where it stands, such as \"ECF No. 612\"" },
	{ "effective", "TIME", "from when on (else once it is signed)" },
};
static const struct us_option withdraw_options[] = { { "reason", "TEXT", "stands in the log" } };

const struct us_command us_commands_order_propose[] = {
	{ "order propose", "FILE [--instrument PDF] [--authority TEXT] [--effective TIME]",
	    "puts a new version before those who must sign it",
	    "underseal order propose order-2.yaml --instrument ecf-612.pdf --authority \"ECF No. "
	    "612\" --effective "
	    "2026-06-01T00:00:00Z",
	    propose_options, 3, 1, 1, run_propose },
	{ "order sign", "ID [--without-diff]",
	    "compiles a version here, shows what it changes, and signs it",
	    "underseal order sign order-2", us_order_sign_options, US_ORDER_SIGN_OPTIONS, 1, 1,
	    run_sign },
	{ "order withdraw", "ID [--reason TEXT]", "takes back a version that you have proposed",
	    "underseal order withdraw order-2 --reason \"superseded\"", withdraw_options, 1, 1, 1,
	    run_withdraw },
	{ 0 },
};
