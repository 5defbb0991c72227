/* The log, for those who check it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/handover.h"
#include "audit/tiles.h"
#include "client/audit_verify.h"
#include "client/client.h"
#include "client/log_acts.h"
#include "client/log_entry.h"
#include "client/log_source.h"
#include "client/report.h"
#include "common/err.h"
#include "common/timefmt.h"

#define FILE_MAX_BYTES US_BUNDLE_MAX

/* ---- list ---- */

struct listing {
	struct us_log_names names;
	struct us_log_filter filter;
	FILE *out; /* a temporary file: shown once the verdict is OK */
	struct us_buf line;
};

static int
list_entry(void *arg, const struct us_verified_entry *e)
{
	struct listing *l = arg;
	int err;

	us_buf_reset(&l->line);
	err = us_log_entry_json(&l->line, e->view, e->keys, &l->names, &l->filter);
	/* an entry that does not fit the filter gives no line */
	if (err == US_OK && l->line.len > 0 && fwrite(l->line.data, 1, l->line.len, l->out) != l->line.len)
		err = US_ERR_IO;
	return err;
}

/* "demo/DEMO000000017" */
static void
parse_record(struct us_log_filter *f, const char *text, char *collection, size_t size)
{
	const char *slash = strrchr(text, '/');
	size_t n;

	if (slash == NULL || (size_t)(slash - text) >= size || (n = strlen(slash + 1)) < 10)
		us_usage_error("--record takes COLLECTION/BATES");
	memcpy(collection, text, (size_t)(slash - text));
	collection[slash - text] = '\0';
	f->collection = collection;
	f->has_record = 1;
	f->record = strtoull(slash + 1 + n - 9, NULL, 10) - 1;
	f->bates = slash + 1;
}

static void
parse_time(const char *option, const char *text, int64_t *ns)
{
	if (text != NULL && us_time_parse(text, strlen(text), ns) != US_OK &&
	    us_time_parse_date(text, strlen(text), ns) != US_OK)
		us_usage_error("--%s takes a time such as 2024-05-01T12:00:00Z, or a date", option);
}

/* What a refused request was about. */
static void
show_asked(const cJSON *e)
{
	const cJSON *asked = cJSON_GetObjectItemCaseSensitive(e, "asked");
	const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(asked, 0));

	if (first == NULL)
		return;
	fputs("  asked for ", stdout);
	us_print_text(stdout, first, strlen(first), 0);
	if (cJSON_GetArraySize(asked) > 1)
		printf(" and %d more", cJSON_GetArraySize(asked) - 1);
}

/* How earlier answers ended. */
static void
show_ending(const cJSON *e)
{
	const double from = us_json_number(e, "from", -1), to = us_json_number(e, "to", -1);

	if (strcmp(us_json_text(e, "class"), "access") == 0 && strcmp(us_json_text(e, "kind"), "outcome") == 0)
		printf("  entry %.0f: %.0f records had left", us_json_number(e, "related", 0), us_json_number(e, "total", 0));
	else if (from >= 0 && strcmp(us_json_text(e, "decision"), "failed") == 0)
		printf("  entries %.0f to %.0f: not known", from, to - 1);
	else if (from >= 0)
		printf("  entries %.0f to %.0f", from, to - 1);
}

static void
show_line(const char *line, int json)
{
	cJSON *e;

	if (json) {
		fputs(line, stdout);
		return;
	}
	e = cJSON_Parse(line);
	printf("%-6.0f %.19sZ  ", us_json_number(e, "index", 0), us_json_text(e, "time"));
	us_print_text(stdout, us_json_text(e, "person"), strlen(us_json_text(e, "person")), 0);
	printf("  %s %s", us_json_text(e, "action"), us_json_text(e, "decision"));
	if (*us_json_text(e, "paragraph") != '\0')
		printf(" (%s)", us_json_text(e, "paragraph"));
	if (strcmp(us_json_text(e, "reason"), "none") != 0)
		printf(" %s", us_json_text(e, "reason"));
	if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(e, "records")) > 0)
		printf("  %d records", cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(e, "records")));
	show_asked(e);
	show_ending(e);
	if (*us_json_text(e, "query") != '\0') {
		fputs("  ", stdout);
		us_print_text(stdout, us_json_text(e, "query"), strlen(us_json_text(e, "query")), 0);
	}
	putchar('\n');
	cJSON_Delete(e);
}

static int
show_listing(struct us_client *client, struct listing *l)
{
	char *line = NULL;
	size_t cap = 0;

	rewind(l->out);
	while (getline(&line, &cap, l->out) > 0)
		show_line(line, client->json);
	free(line);
	return fflush(stdout) == 0 ? US_EXIT_DONE : US_EXIT_OTHER;
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	struct us_log_remote remote;
	struct listing l = { .out = tmpfile() };
	struct us_verify_options options = { .on_entry = list_entry, .arg = &l };
	struct us_verify_report report;
	struct us_log_source source;
	char collection[128];
	int status, err;

	l.filter = (struct us_log_filter){ .person = us_arg(args, "person"),
		.party = us_arg(args, "party"), .credential = us_arg(args, "credential"),
		.denied = us_flag(args, "denied") };
	if (us_arg(args, "record") != NULL)
		parse_record(&l.filter, us_arg(args, "record"), collection, sizeof collection);
	parse_time("since", us_arg(args, "since"), &l.filter.since_ns);
	parse_time("until", us_arg(args, "until"), &l.filter.until_ns);
	us_log_remote_open(&remote, client);
	options.vkey = client->profile.vkey;
	us_buf_init(&l.line, 4u * 1024u * 1024u);
	if (l.out == NULL)
		us_give_up(US_EXIT_OTHER, "cannot make a temporary file");
	status = us_client_get(client, "/v1/people", &l.names.people);
	if (status == US_EXIT_DONE)
		status = us_client_get(client, "/v1/collections", &l.names.collections);
	if (status == US_EXIT_DONE)
		status = us_log_remote_keys(&remote);
	if (status != US_EXIT_DONE)
		goto out;
	source = us_log_remote_source(&remote);
	err = us_log_verify(&report, &source, &options);
	if (err == US_OK && report.verdict == US_VERDICT_OK)
		status = show_listing(client, &l);
	else if (err == US_OK)
		status = us_verdict_print(client, &report, NULL);
	else {
		us_say("an entry of the log does not open as it must: %s", us_strerror(err));
		status = US_EXIT_UNVERIFIED;
	}
out:
	cJSON_Delete(l.names.people);
	cJSON_Delete(l.names.collections);
	us_buf_free(&l.line);
	(void)fclose(l.out);
	us_log_remote_close(&remote);
	return status;
}

/* ---- export ---- */

static void
make_parents(const char *dir, const char *path)
{
	char whole[4096];
	size_t start = strlen(dir);

	(void)snprintf(whole, sizeof whole, "%s/%s", dir, path);
	for (char *p = whole + start + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(whole, 0755) != 0 && errno != EEXIST)
				us_give_up(US_EXIT_OTHER, "cannot make %s: %s", whole, strerror(errno));
			*p = '/';
		}
}

static void
write_file(const char *dir, const char *path, const void *p, size_t n)
{
	char whole[4096];
	FILE *f;

	make_parents(dir, path);
	(void)snprintf(whole, sizeof whole, "%s/%s", dir, path);
	f = fopen(whole, "wxe");
	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		us_give_up(US_EXIT_OTHER, "cannot write %s: %s", whole, strerror(errno));
}

/* n_acts counts the entries of acts that go by. */
static int
export_tile(struct us_log_remote *remote, const struct us_log_source *source, const char *dir,
    const struct us_tile *tile, uint64_t *n_acts)
{
	char path[US_TILE_PATH_MAX];
	struct us_buf bytes;
	int err;

	us_buf_init(&bytes, FILE_MAX_BYTES);
	err = us_tile_path(tile, path, sizeof path);
	if (err == US_OK)
		err = source->get(remote, path, &bytes);
	if (err == US_OK && tile->entries)
		*n_acts += us_log_acts_in_bundle((struct us_bytes){ bytes.data, bytes.len });
	if (err == US_OK)
		write_file(dir, path, bytes.data, bytes.len);
	else
		us_say("the vault does not give %s: %s", path, us_strerror(err));
	us_buf_free(&bytes);
	return err == US_OK ? US_EXIT_DONE : US_EXIT_INCOMPLETE;
}

/* How the log came under its key, if it was handed over: without it nobody gets from an older key to this one. */
static int
export_handovers(struct us_log_remote *remote, const char *dir)
{
	struct us_log_source source = us_log_remote_source(remote);
	struct us_buf text;
	int err;

	us_buf_init(&text, US_HANDOVERS_BYTES_MAX);
	err = source.get(remote, "handovers", &text);
	if (err == US_OK)
		write_file(dir, "handovers", text.data, text.len);
	us_buf_free(&text);
	if (err == US_OK || err == US_ERR_NOT_FOUND)
		return US_EXIT_DONE;
	us_say("the vault does not give its hand-overs: %s", us_strerror(err));
	return US_EXIT_INCOMPLETE;
}

static int
export_files(struct us_log_remote *remote, const char *dir, uint64_t *n_acts)
{
	struct us_log_source source = us_log_remote_source(remote);
	struct us_progress progress;
	int status = US_EXIT_DONE;

	us_progress_start(&progress, "entries", remote->size);
	for (unsigned level = 0; level <= US_TILE_LEVEL_MAX && status == US_EXIT_DONE; level++) {
		unsigned width;

		if (us_tile_width(remote->size, level, 0) == 0)
			break;
		for (uint64_t n = 0; status == US_EXIT_DONE &&
		    (width = us_tile_width(remote->size, level, n)) != 0; n++) {
			struct us_tile tile = { .level = level, .n = n, .width = width };

			status = export_tile(remote, &source, dir, &tile, n_acts);
			if (level == 0 && status == US_EXIT_DONE) {
				tile.entries = 1;
				status = export_tile(remote, &source, dir, &tile, n_acts);
				us_progress_at(&progress, n * US_TILE_WIDTH, n * US_TILE_WIDTH);
			}
		}
	}
	us_progress_end(&progress);
	write_file(dir, "checkpoint", remote->checkpoint.data, remote->checkpoint.len);
	for (size_t i = 0; i < remote->n_witnessed; i++) {
		char path[64] = "checkpoint.witnessed";

		if (i > 0)
			(void)snprintf(path, sizeof path, "checkpoint.witnessed.%zu", i + 1);
		write_file(dir, path, remote->witnessed[i].data, remote->witnessed[i].len);
	}
	return status == US_EXIT_DONE ? export_handovers(remote, dir) : status;
}

static void
export_keys(struct us_log_remote *remote, const char *dir)
{
	struct us_log_source source = us_log_remote_source(remote);
	struct us_buf all;
	char line[US_EXPORT_KEYS_LINE_MAX];
	size_t n;

	us_buf_init(&all, (size_t)4 << 30);
	while (source.next_keys != NULL && source.next_keys(remote, line, &n) == US_OK)
		if (us_buf_put(&all, line, n) != US_OK || us_buf_put(&all, "\n", 1) != US_OK)
			us_give_up(US_EXIT_OTHER, "out of memory");
	if (all.len > 0)
		write_file(dir, "keys.jsonl", all.data, all.len);
	us_buf_free(&all);
}

static void
export_acts(struct us_client *client, const struct us_log_remote *remote, uint64_t n_acts, const char *dir)
{
	struct us_buf acts;
	int status = US_EXIT_DONE;

	us_buf_init(&acts, US_LOG_ACTS_MAX);
	if (us_log_acts_are_open(remote))
		status = us_log_acts_fetch(client, &acts);
	if (status != US_EXIT_DONE || us_log_acts_cut(&acts, n_acts) != US_OK)
		us_give_up(status == US_EXIT_DONE ? US_EXIT_OTHER : status, "the acts cannot be exported");
	if (acts.len > 0)
		write_file(dir, "acts", acts.data, acts.len);
	us_buf_free(&acts);
}

static void
export_names(struct us_client *client, const char *dir, const char *resource, const char *file)
{
	const struct us_request request = { .method = "GET", .path = resource };
	struct us_reply reply;

	us_reply_init(&reply);
	if (us_client_do(client, &request, &reply) == US_EXIT_DONE)
		write_file(dir, file, reply.body.data, reply.body.len);
	us_reply_free(&reply);
}

static int
run_export(struct us_client *client, const struct us_args *args)
{
	const char *dir = us_arg(args, "out");
	struct us_verify_options options = { .threads = us_verify_processors() };
	struct us_verify_report report;
	struct us_log_remote remote;
	uint64_t n_acts = 0;
	char vkey[1024];
	int status;

	if (dir == NULL)
		us_usage_error("where to? --out DIR");
	if (mkdir(dir, 0700) != 0)
		us_give_up(US_EXIT_OTHER, "cannot make %s: %s", dir, errno == EEXIST ?
		    "it exists already" : strerror(errno));
	us_log_remote_open_witnessed(&remote, client);
	status = us_log_remote_keys(&remote);
	if (status == US_EXIT_DONE)
		status = export_files(&remote, dir, &n_acts);
	if (status == US_EXIT_DONE) {
		(void)snprintf(vkey, sizeof vkey, "%s\n", client->profile.vkey);
		write_file(dir, "log.vkey", vkey, strlen(vkey));
		export_keys(&remote, dir);
		export_acts(client, &remote, n_acts, dir);
		export_names(client, dir, "/v1/people", "people.json");
		export_names(client, dir, "/v1/collections", "collections.json");
		options.vkey = client->profile.vkey;
		if (us_export_verify(&report, dir, &options) != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot verify what was exported");
		status = us_verdict_print(client, &report, NULL);
	}
	us_log_remote_close(&remote);
	return status;
}

/* ---- checkpoint ---- */

static int
run_checkpoint(struct us_client *client, const struct us_args *args)
{
	struct us_log_remote remote;
	cJSON *document;
	char *text;

	(void)args;
	us_log_remote_open(&remote, client);
	if (!client->json)
		(void)fwrite(remote.checkpoint.data, 1, remote.checkpoint.len, stdout);
	else {
		document = cJSON_CreateObject();
		(void)cJSON_AddNumberToObject(document, "size", (double)remote.size);
		(void)cJSON_AddStringToObject(document, "checkpoint", us_buf_cstr(&remote.checkpoint));
		text = cJSON_PrintUnformatted(document);
		puts(text == NULL ? "{}" : text);
		cJSON_free(text);
		cJSON_Delete(document);
	}
	us_log_remote_close(&remote);
	return US_EXIT_DONE;
}

static const struct us_option list_options[] = {
	{ "record", "COLLECTION/BATES", "what disclosed this record; with --denied, what asked for it" },
	{ "person", "NAME", "what this person did" },
	{ "party", "P", "what people of this party did" },
	{ "credential", "F", "what was done with this credential" },
	{ "denied", NULL, "refusals only" },
	{ "since", "T", "from this time or date on" },
	{ "until", "T", "up to this time or date" },
};
static const struct us_option export_options[] = { { "out", "DIR", "a directory that does not exist yet" } };

const struct us_command us_commands_audit[] = {
	{ "audit list", "[--record C/B] [--person N] [--denied] ...", "the entries of the log, verified, as far as the order lets you see",
	    "underseal audit list --record logs/OAI000000017", list_options, 7, 0, 0, run_list },
	{ "audit report", "[NAME [COLLECTION/BATES]] [--csv | --json | --html] ...",
	    "answers an auditor's question from the verified log; without NAME, the list of them",
	    "underseal audit report who-saw logs/OAI000000017 --html > who-saw.html", us_report_options, US_REPORT_OPTIONS,
	    0, 2, us_report_run },
	{ "audit export", "--out DIR", "the whole log as files, with the keys you may have",
	    "underseal audit export --out export", export_options, 1, 0, 0, run_export },
	{ "audit checkpoint", "", "the newest checkpoint, to quote in a filing", "underseal audit checkpoint",
	    NULL, 0, 0, 0, run_checkpoint },
	{ 0 },
};
