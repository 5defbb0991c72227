/* `audit report`: the log that reports are made from, and the command. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lookup.h"
#include "client/report.h"
#include "common/err.h"
#include "common/timefmt.h"

#define KEYS_LINE_MAX 1024
#define NAMES_MAX_BYTES ((size_t)64 << 20)
#define VKEY_MAX_BYTES 4000

/* ---- the log ---- */

struct gathering {
	struct us_trail trail;
	struct us_log_remote *remote; /* NULL offline */
	FILE *keys;                   /* offline: keys.jsonl, or NULL */
	struct us_export_keys next;   /* read ahead from keys */
	int has_next;
};

/* The next line of keys.jsonl; lines stand in the order of their indexes. */
static int
read_ahead(struct gathering *g)
{
	char line[KEYS_LINE_MAX];
	size_t n = 0;
	int err;

	g->has_next = 0;
	while (g->keys != NULL && n == 0) {
		if (fgets(line, sizeof line, g->keys) == NULL)
			return ferror(g->keys) ? US_ERR_IO : US_OK;
		n = strcspn(line, "\n");
	}
	if (n == sizeof line - 1)
		return US_ERR_LIMIT;
	if (n == 0)
		return US_OK;
	err = us_export_keys_parse(&g->next, line, n);
	g->has_next = err == US_OK;
	us_wipe(line, sizeof line);
	return err;
}

static int
take_entry(void *arg, const struct us_entry_view *view, const struct us_digest *leaf)
{
	struct gathering *g = arg;
	struct us_box_keys keys = { .present = 0 };
	int err = US_OK;

	(void)leaf;
	if (g->remote != NULL)
		return us_trail_add(&g->trail, view, g->remote->keys == NULL ? NULL : &g->remote->keys[view->index]);
	while (err == US_OK && g->has_next && g->next.index < view->index)
		err = read_ahead(g);
	if (g->has_next && g->next.index == view->index)
		for (unsigned box = 0; box < US_BOXES; box++)
			if (g->next.present[box]) {
				keys.present |= (uint8_t)(1u << box);
				memcpy(keys.key[box], g->next.keys[box].b, 32);
			}
	if (err == US_OK)
		err = us_trail_add(&g->trail, view, &keys);
	us_wipe(&keys, sizeof keys);
	return err;
}

static FILE *
open_in(const char *dir, const char *name)
{
	char path[4096];
	int fd;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* A list that the export has beside the log; NULL if it has none. */
static cJSON *
read_list(const char *dir, const char *name)
{
	FILE *f = open_in(dir, name);
	struct us_buf text;
	cJSON *list = NULL;
	uint8_t part[16384];
	size_t n;
	int err = US_OK;

	if (f == NULL)
		return NULL;
	us_buf_init(&text, NAMES_MAX_BYTES);
	while (err == US_OK && (n = fread(part, 1, sizeof part, f)) > 0)
		err = us_buf_put(&text, part, n);
	if (err == US_OK && text.len > 0)
		list = cJSON_ParseWithLength((const char *)text.data, text.len);
	(void)fclose(f);
	us_buf_free(&text);
	return list;
}

/* What the verifier returned; the verdict itself is looked at later. */
static int
verified(int err)
{
	if (err == US_OK)
		return US_EXIT_DONE;
	if (err == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_say("an entry of the log does not open as it must: %s", us_strerror(err));
	return US_EXIT_UNVERIFIED;
}

static int
gather_offline(struct us_client *client, const struct us_args *args, struct gathering *g)
{
	const char *dir = us_arg(args, "dir"), *vkey_file = us_arg(args, "vkey");
	struct us_verify_options options = { .on_entry = take_entry, .arg = g };
	cJSON *people, *collections;
	struct us_buf vkey;
	int status, err;

	us_buf_init(&vkey, VKEY_MAX_BYTES + 1);
	if (vkey_file != NULL) {
		if (us_file_read(vkey_file, VKEY_MAX_BYTES, &vkey) != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot read the log key %s", vkey_file);
		while (vkey.len > 0 && (vkey.data[vkey.len - 1] == '\n' || vkey.data[vkey.len - 1] == ' '))
			vkey.len--;
		options.vkey = us_buf_cstr(&vkey);
	} else if (client->profile_directory != NULL) {
		us_profile_open_public(&client->profile, client->profile_directory);
		options.vkey = client->profile.vkey;
	}
	g->trail.offline = 1;
	g->keys = open_in(dir, "keys.jsonl");
	err = read_ahead(g);
	if (err == US_OK)
		err = us_export_verify(&g->trail.verified, dir, &options);
	if (err != US_OK && err != US_ERR_NOMEM) { /* a key that opens nothing, say: the verifier can name the entry */
		options.on_entry = NULL;
		if (us_export_verify(&g->trail.verified, dir, &options) == US_OK && g->trail.verified.verdict != US_VERDICT_OK)
			err = US_OK;
	}
	status = verified(err);
	people = read_list(dir, "people.json");
	collections = read_list(dir, "collections.json");
	if (status == US_EXIT_DONE && us_trail_names(&g->trail, people, collections) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	cJSON_Delete(people);
	cJSON_Delete(collections);
	if (g->keys != NULL)
		(void)fclose(g->keys);
	us_wipe(&g->next, sizeof g->next);
	us_buf_free(&vkey);
	return status;
}

static int
gather_online(struct us_client *client, struct gathering *g)
{
	struct us_verify_options options = { .on_entry = take_entry, .arg = g };
	cJSON *people = NULL, *collections = NULL;
	struct us_log_remote remote;
	struct us_log_source source;
	int status;

	us_log_remote_open(&remote, client);
	g->remote = &remote;
	options.vkey = client->profile.vkey;
	status = us_client_get(client, "/v1/people", &people);
	if (status == US_EXIT_DONE)
		status = us_client_get(client, "/v1/collections", &collections);
	if (status == US_EXIT_DONE)
		status = us_log_remote_keys(&remote);
	if (status == US_EXIT_DONE) {
		source = us_log_remote_source(&remote);
		status = verified(us_log_verify(&g->trail.verified, &source, &options));
		if (status == US_EXIT_DONE && g->trail.verified.verdict != US_VERDICT_OK)
			status = remote.status; /* a refusal, which has been explained */
	}
	if (status == US_EXIT_DONE && us_trail_names(&g->trail, people, collections) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	cJSON_Delete(people);
	cJSON_Delete(collections);
	us_log_remote_close(&remote);
	g->remote = NULL;
	return status;
}

/* ---- the command ---- */

static int
list_reports(struct us_client *client)
{
	cJSON *document = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(document, "reports");

	for (const struct us_report_kind *k = us_report_kinds; k->name != NULL; k++) {
		cJSON *item = cJSON_CreateObject();

		if (!client->json)
			printf("%-26s %s%s%s%s\n", k->name, k->question, *k->options == '\0' ? "" : "  [", k->options,
			    *k->options == '\0' ? "" : "]");
		us_report_text(item, "report", k->name);
		us_report_text(item, "question", k->question);
		us_report_text(item, "options", k->options);
		(void)cJSON_AddItemToArray(items, item);
	}
	if (client->json) {
		char *text = cJSON_PrintUnformatted(document);

		puts(text == NULL ? "{}" : text);
		cJSON_free(text);
	}
	cJSON_Delete(document);
	return US_EXIT_DONE;
}

static void
parse_hours(const char *text, struct us_report_ask *ask)
{
	char end;

	if (text != NULL && (sscanf(text, "%2u-%2u%c", &ask->hours_from, &ask->hours_to, &end) != 2 ||
	    ask->hours_from >= ask->hours_to || ask->hours_to > 24))
		us_usage_error("--hours takes two hours of the day in UTC, such as 8-20");
}

static void
parse_ask(const struct us_args *args, struct us_report_ask *ask, char at[US_TIME_TEXT_SIZE])
{
	const int64_t at_ns = us_arg_time(args, "at");

	ask->person = us_arg(args, "person");
	ask->party = us_arg(args, "party");
	ask->since_ns = us_arg_time(args, "since");
	ask->until_ns = us_arg_time(args, "until");
	ask->record = args->n_operands > 1 ? args->operand[1] : NULL;
	ask->clawback = us_arg(args, "clawback");
	ask->records = us_arg(args, "records");
	ask->action = us_arg(args, "action");
	if (at_ns != 0)
		ask->at = us_time_format(at_ns, at);
	ask->max_records = (uint64_t)us_arg_number(args, "max-records", (int64_t)ask->max_records, 0, INT64_MAX);
	ask->max_per_hour = (uint64_t)us_arg_number(args, "max-per-hour", (int64_t)ask->max_per_hour, 0, INT64_MAX);
	ask->max_outside = (uint64_t)us_arg_number(args, "max-outside", (int64_t)ask->max_outside, 0, INT64_MAX);
	ask->max_run = (uint64_t)us_arg_number(args, "max-run", (int64_t)ask->max_run, 0, INT64_MAX);
	ask->max_share = (double)us_arg_number(args, "max-share", (int64_t)ask->max_share, 0, 100);
	parse_hours(us_arg(args, "hours"), ask);
}

static enum us_report_form
form_of(const struct us_client *client, const struct us_args *args)
{
	if (client->json + us_flag(args, "csv") + us_flag(args, "html") > 1)
		us_usage_error("one form at a time: --csv, --json or --html");
	return client->json ? US_REPORT_JSON : us_flag(args, "csv") ? US_REPORT_CSV : us_flag(args, "html") ? US_REPORT_HTML :
	    US_REPORT_TEXT;
}

/* Nothing but the verdict, and what needs it, is said of a log that does not verify. */
static int
says_the_verdict(const struct us_report_kind *kind)
{
	return kind->make == us_report_verification;
}

int
us_report_run(struct us_client *client, const struct us_args *args)
{
	const enum us_report_form form = form_of(client, args);
	struct us_report_ask ask = US_REPORT_ASK_DEFAULTS;
	struct gathering g = { .remote = NULL };
	const struct us_report_kind *kind;
	struct us_report report;
	char at[US_TIME_TEXT_SIZE];
	int status, verdict;

	if (args->n_operands == 0)
		return list_reports(client);
	kind = us_report_kind_named(args->operand[0]);
	if (kind == NULL)
		us_usage_error("there is no report '%s'; 'underseal audit report' lists them", args->operand[0]);
	parse_ask(args, &ask, at);
	us_trail_init(&g.trail);
	status = us_arg(args, "dir") != NULL ? gather_offline(client, args, &g) : gather_online(client, &g);
	verdict = us_verdict_exit(g.trail.verified.verdict);
	if (status == US_EXIT_DONE && verdict != US_EXIT_DONE && !says_the_verdict(kind)) {
		us_say("%s: %s", us_verdict_name(g.trail.verified.verdict), g.trail.verified.detail);
		status = verdict;
	} else if (status == US_EXIT_DONE) {
		status = us_report_make(&report, kind, &g.trail, &ask, g.trail.offline ? NULL : client);
		if (status == US_EXIT_DONE || report.kind->make == us_report_authorised)
			us_report_print(stdout, &report, form, us_time_now_ns());
		us_report_free(&report);
		status = status == US_EXIT_DONE ? verdict : status;
	}
	us_trail_free(&g.trail);
	return fflush(stdout) == 0 ? status : US_EXIT_OTHER;
}

const struct us_option us_report_options[US_REPORT_OPTIONS] = {
	{ "person", "NAME", "this person's entries alone" },
	{ "party", "P", "this party's people's entries alone" },
	{ "since", "T", "from this time or date on" },
	{ "until", "T", "up to this time or date" },
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
	{ "csv", NULL, "RFC 4180, safe to open as a spreadsheet" },
	{ "html", NULL, "one page to print" },
};
