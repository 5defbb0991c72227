#include "client/report/audit_report.h"

#include <string.h>

#include "client/core/lookup.h"
#include "client/core/when.h"
#include "client/log/mirror.h"
#include "client/report/catalogue.h"
#include "client/report/kinds.h"
#include "client/report/source.h"
#include "base/guess.h"
#include "base/time.h"

static int
list_reports(struct us_client *client)
{
	cJSON *document = cJSON_CreateObject(),
	      *items = cJSON_AddArrayToObject(document, "reports");

	for (size_t i = 0; us_report_kinds[i] != NULL; i++) {
		const struct us_report_kind *k = us_report_kinds[i];
		cJSON *item = cJSON_CreateObject();

		if (!client->json)
			us_print("%-26s %s%s%s%s\n", k->name, k->question,
			    *k->options == '\0' ? "" : "  [", k->options,
			    *k->options == '\0' ? "" : "]");
		us_report_text(item, "report", k->name);
		us_report_text(item, "question", k->question);
		us_report_text(item, "options", k->options);
		(void)cJSON_AddItemToArray(items, item);
	}
	if (client->json) {
		us_print_json(stdout, document);
	}
	cJSON_Delete(document);
	return US_EXIT_DONE;
}

_Noreturn static void
no_report(const char *name)
{
	struct us_guess g = us_guess_of(us_bytes_of(name));

	for (size_t i = 0; us_report_kinds[i] != NULL; i++)
		us_guess_consider(&g, us_report_kinds[i]->name, strlen(us_report_kinds[i]->name));
	if (us_guess_is_near(&g))
		us_usage_error("there is no report '%s': did you mean '%.*s'?", name, (int)g.best_n,
		    g.best);
	us_usage_error("there is no report '%s'; 'underseal audit report' lists them", name);
}

static void
parse_hours(const char *text, struct us_report_ask *ask)
{
	char end;

	if (text != NULL &&
	    (sscanf(text, "%2u-%2u%c", &ask->hours_from, &ask->hours_to, &end) != 2 ||
		ask->hours_from >= ask->hours_to || ask->hours_to > 24))
		us_usage_error("--hours takes two hours of the day in UTC, such as 8-20");
}

static void
parse_paper(const struct us_args *args, struct us_report_ask *ask)
{
	const char *paper = us_arg(args, "paper");

	if ((paper != NULL || ask->caption != NULL || ask->docket != NULL) &&
	    !us_flag(args, "html"))
		us_usage_error("--paper, --caption and --docket go with --html");
	if (paper != NULL && strcmp(paper, "a4") != 0 && strcmp(paper, "letter") != 0)
		us_usage_error("--paper takes a4 or letter");
	if (paper != NULL)
		ask->paper = strcmp(paper, "letter") == 0 ? "letter" : "A4";
}

static void
parse_ask(const struct us_args *args, struct us_report_ask *ask, char at[US_TIME_TEXT_SIZE])
{
	const int64_t at_ns = us_arg_time(args, "at");

	ask->person = us_arg(args, "person");
	ask->party = us_arg(args, "party");
	us_arg_range(args, &ask->since_ns, &ask->until_ns);
	ask->limit = (uint64_t)us_arg_number(args, "limit", 0, 1, INT64_MAX);
	ask->record = args->n_operands > 1 ? args->operand[1] : NULL;
	ask->clawback = us_arg(args, "clawback");
	ask->records = us_arg(args, "records");
	ask->action = us_arg(args, "action");
	if (at_ns != 0)
		ask->at = us_time_format(at_ns, at);
	ask->max_records = (uint64_t)us_arg_number(args, "max-records", (int64_t)ask->max_records,
	    0, INT64_MAX);
	ask->max_per_hour = (uint64_t)us_arg_number(args, "max-per-hour",
	    (int64_t)ask->max_per_hour, 0, INT64_MAX);
	ask->max_outside = (uint64_t)us_arg_number(args, "max-outside", (int64_t)ask->max_outside,
	    0, INT64_MAX);
	ask->max_run = (uint64_t)us_arg_number(args, "max-run", (int64_t)ask->max_run, 0,
	    INT64_MAX);
	ask->max_share = (double)us_arg_number(args, "max-share", (int64_t)ask->max_share, 0, 100);
	parse_hours(us_arg(args, "hours"), ask);
	ask->caption = us_arg(args, "caption");
	ask->docket = us_arg(args, "docket");
	parse_paper(args, ask);
}

static enum us_report_form
form_of(const struct us_client *client, const struct us_args *args)
{
	if (client->json + us_flag(args, "csv") + us_flag(args, "html") > 1)
		us_usage_error("one form at a time: --csv, --json or --html");
	return client->json       ? US_REPORT_JSON :
	    us_flag(args, "csv")  ? US_REPORT_CSV :
	    us_flag(args, "html") ? US_REPORT_HTML :
				    US_REPORT_TEXT;
}

/* Reads the log and makes the answer. Nothing but the verdict, and what needs it, is said of a log
 * that does not verify. Returns an exit status. */
static int
make(struct us_report_source *source, struct us_report *r, struct us_trail *trail, int *made)
{
	const int status = us_report_source_read(source, r, trail);
	const int verdict = us_verdict_exit(trail->verified.verdict);

	*made = US_EXIT_OTHER;
	if (status != US_EXIT_DONE)
		return status;
	if (verdict != US_EXIT_DONE && r->kind != &us_report_verification) {
		us_say("%s: %s", us_verdict_name(trail->verified.verdict), trail->verified.detail);
		return verdict;
	}
	us_names_must_know(&trail->names, r->ask->person, r->ask->party);
	*made = us_report_end(r);
	return *made == US_EXIT_DONE ? verdict : *made;
}

/* Shows a report; one that could not be made shows nothing, but for what only the vault can say. */
static void
show(const struct us_report_source *source, struct us_report *r, enum us_report_form form, int made)
{
	if (us_report_source_indexed(source, &r->withheld))
		us_report_note(r,
		    "Found by an index of this log, made when the log was verified as a whole; "
		    "each entry shown "
		    "was proved again to stand in it.");
	if (made == US_EXIT_DONE ||
	    (made != US_EXIT_OTHER && r->client == NULL && r->kind == &us_report_authorised))
		us_report_print(stdout, r, form, us_time_now_ns());
}

static int
answer(struct us_client *client, const struct us_report_from *from,
    const struct us_report_kind *kind, const struct us_report_ask *ask, enum us_report_form form)
{
	struct us_report_source *source;
	struct us_report report;
	struct us_trail trail;
	int made, status = us_report_source_open(&source, client, from);

	us_report_begin(&report, kind, ask, from->dir == NULL ? client : NULL);
	us_trail_init(&trail);
	if (status == US_EXIT_DONE) {
		do {
			us_trail_free(&trail);
			status = make(source, &report, &trail, &made);
		} while (status == US_REPORT_AGAIN);
		show(source, &report, form, made);
	}
	us_report_free(&report);
	us_trail_free(&trail);
	us_report_source_close(source);
	return fflush(stdout) == 0 ? status : US_EXIT_OTHER;
}

int
us_report_run(struct us_client *client, const struct us_args *args)
{
	const struct us_report_from from = { us_arg(args, "dir"), us_arg(args, "vkey"),
		us_arg(args, "index"), args->n_operands > 1 ? args->operand[1] : NULL,
		us_flag(args, "no-mirror") };
	const enum us_report_form form = form_of(client, args);
	struct us_report_ask ask = US_REPORT_ASK_DEFAULTS;
	const struct us_report_kind *kind;
	char at[US_TIME_TEXT_SIZE];

	if (args->n_operands == 0)
		return list_reports(client);
	kind = us_report_kind_named(args->operand[0]);
	if (kind == NULL)
		no_report(args->operand[0]);
	parse_ask(args, &ask, at);
	if (from.index != NULL &&
	    (kind != &us_report_who_saw || from.dir == NULL || from.record == NULL ||
		ask.since_ns != 0 || ask.until_ns != 0))
		us_usage_error(
		    "--index goes with who-saw COLLECTION/BATES --dir DIR, over the whole time");
	return answer(client, &from, kind, &ask, form);
}

const struct us_option us_report_options[US_REPORT_OPTIONS] = {
	{ "person", "NAME", "this person's entries alone" },
	{ "party", "P", "this party's people's entries alone" },
	{ "since", "T", "from then on: a time, a date, yesterday, 12h, 7d" },
	{ "until", "T", "up to then, a date to its end" },
	{ "limit", "N", "at most N rows: the newest entries, else the first" },
	{ "at", "T", "authorised: at that time (now)" },
	{ "action", "ACTION", "authorised: to do what (read)" },
	{ "clawback", "ID", "after-notice: of this clawback" },
	{ "records", "C/B[..B],...", "after-notice: of these records; --since is the notice" },
	{ "hours", "H-H", "anomalies: working hours in UTC (8-20)" },
	{ "max-records", "N", "anomalies: records a day (1000)" },
	{ "max-per-hour", "N", "anomalies: requests in an hour (200)" },
	{ "max-outside", "N", "anomalies: requests outside working hours a day (20)" },
	{ "max-run", "N", "anomalies: records with consecutive numbers a day (100)" },
	{ "max-share", "PERCENT", "anomalies: of what the collection holds, a day (5)" },
	{ "dir", "DIR", "from an export, offline" },
	{ "vkey", "FILE", "with --dir: the log's key, from a source you trust" },
	{ "index", "FILE",
	    "who-saw with --dir: keep an index there, and answer from it at once next time" },
	{ "csv", NULL, "RFC 4180, safe to open as a spreadsheet" },
	{ "html", NULL, "one page to print" },
	{ "paper", "a4|letter", "with --html: what it is printed on (a4)" },
	{ "caption", "TEXT", "with --html: the name of the case, over the page" },
	{ "docket", "NUMBER", "with --html: the court's number of the case" },
	US_OPTION_NO_MIRROR,
};
