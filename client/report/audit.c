/* The log, for those who check it: its entries, reports on them, its checkpoint. */
#include <stdlib.h>
#include <string.h>

#include "client/log/audit_verify.h"
#include "client/core/client.h"
#include "client/core/commands.h"
#include "client/core/when.h"
#include "client/log/entry_json.h"
#include "client/log/log_index.h"
#include "client/report/audit_report.h"
#include "client/report/lines.h"
#include "client/report/names.h"
#include "client/report/reach.h"
#include "base/array.h"
#include "base/base64.h"
#include "base/err.h"
#include "case/bates.h"

/* ---- list ---- */

struct us_client_listing {
	struct us_log_names names;
	struct us_names known;
	int has_credential; /* an entry is of the one that was asked for */
	struct us_log_filter filter;
	uint32_t collection; /* of the record */
	struct us_lines lines;
	uint64_t limit; /* 0: none */
	FILE *out;      /* a temporary file: shown once the verdict is OK */
	struct us_buf line;
};

static int
list_entry(void *arg, const struct us_verified_entry *e)
{
	struct us_client_listing *l = arg;
	int err = US_OK;

	us_buf_reset(&l->line);
	if (us_opened_has(e->opened, US_BOX_ACCESS)) {
		l->has_credential |= l->filter.credential != NULL &&
		    us_log_is_of(e->opened, l->filter.credential);
		us_names_saw_person(&l->known, e->opened->access.person);
		err = us_names_add_parties(&l->known, e->opened->access.parties,
		    e->opened->access.n_parties);
	}
	if (err == US_OK)
		err = us_log_entry_json(&l->line, e->opened, &l->names, &l->filter);
	/* an entry that does not fit the filter gives no line */
	if (err == US_OK && l->line.len > 0)
		err = us_print_bytes(l->out, l->line.data, l->line.len);
	return err;
}

/* "demo/DEMO000000017" */
static void
parse_record(struct us_log_filter *f, const char *text, char *collection, size_t size)
{
	const char *slash = strrchr(text, '/');

	if (slash == NULL || (size_t)(slash - text) >= size || strlen(slash + 1) <= US_BATES_DIGITS)
		us_usage_error("--record takes COLLECTION/BATES");
	memcpy(collection, text, (size_t)(slash - text));
	collection[slash - text] = '\0';
	f->collection = collection;
	f->has_record = 1;
	f->bates = slash + 1;
}

static int
show_listing(struct us_client_listing *l)
{
	const int err = us_lines_show(stdout, l->out, l->lines.form, l->limit);

	if (err == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	return err == US_OK ? US_EXIT_DONE : US_EXIT_OTHER;
}

/* Whom and what the filter names is in the vault's lists, or it is a usage error; the record gets
 * its number. */
static void
check_names(struct us_client_listing *l)
{
	struct us_log_filter *f = &l->filter;
	const struct us_named_collection *c;

	if (us_names_lists(&l->known, l->names.people, l->names.collections) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	/* "person 7" is known once the log has gone by */
	if (f->person != NULL && strncmp(f->person, "person ", 7) != 0)
		us_names_must_know(&l->known, f->person, NULL);
	if (!f->has_record)
		return;
	c = us_names_find_collection_named(&l->known, f->collection, strlen(f->collection));
	if (c == NULL)
		us_names_no_collection(&l->known, f->collection, strlen(f->collection));
	l->collection = c->id;
	if (us_bates_parse(c->prefix, us_bytes_of(f->bates), &f->record) != US_OK)
		us_usage_error("%s is no Bates number of %s: they begin with %s and have %d digits",
		    f->bates, c->name, c->prefix, US_BATES_DIGITS);
}

/* The same of what the log alone knows. */
static void
check_seen(const struct us_client_listing *l)
{
	us_names_must_know(&l->known, l->filter.person, l->filter.party);
	if (l->filter.credential != NULL && !l->has_credential)
		us_usage_error("no entry that you may see is of a credential %s: 64 digits, as "
			       "'underseal credential list' shows them",
		    l->filter.credential);
}

/* ---- by the index beside the mirror ---- */

/* What finds all that the filter lets pass; none: every entry is looked at. */
static void
find_looks(const struct us_client_listing *l, struct us_report_reach_looks *out)
{
	const struct us_log_filter *f = &l->filter;
	uint8_t first[8];
	uint64_t number;

	out->n = 0;
	if (f->has_record && !f->denied) {
		(void)us_reach_add(out, US_LOOK_RECORD, l->collection, f->record, f->record);
	} else if (f->credential != NULL && strlen(f->credential) == 64 &&
	    us_hex_decode(f->credential, 16, first, sizeof first) == US_OK) {
		number = us_load_u64(first);
		(void)us_reach_add(out, US_LOOK_CREDENTIAL, 0, number, number);
	} else if (f->person != NULL) {
		if (!us_reach_person(&l->known, f->person, out))
			out->n = 0;
	} else if (f->denied) {
		(void)us_reach_add(out, US_LOOK_DENIED, 0, 0, 0);
	} else if (f->party != NULL) {
		number = us_log_look_text(us_bytes_of(f->party));
		(void)us_reach_add(out, US_LOOK_PARTY, 0, number, number);
	}
}

/* Shows it at once: the log has been verified. */
static int
show_entry(void *arg, const struct us_opened *o)
{
	struct us_client_listing *l = arg;
	int err;

	us_buf_reset(&l->line);
	err = us_log_entry_json(&l->line, o, &l->names, &l->filter);
	if (err != US_OK || l->line.len == 0)
		return err;
	if (us_buf_cstr(&l->line) == NULL)
		return US_ERR_NOMEM;
	if (l->out != NULL) /* which of them are the newest is not known yet */
		return us_print_bytes(l->out, l->line.data, l->line.len);
	return us_lines_put(&l->lines, us_buf_cstr(&l->line));
}

static FILE *
open_temporary(void)
{
	FILE *f = tmpfile();

	if (f == NULL)
		us_give_up(US_EXIT_OTHER, "cannot make a temporary file");
	return f;
}

static int
look_for_credential(void *arg, const struct us_opened *o)
{
	struct us_client_listing *l = arg;

	l->has_credential |= us_log_is_of(o, l->filter.credential);
	return US_OK;
}

/* Whether somebody used the credential: all entries that the index has of it, and the newest. */
static int
find_credential(struct us_client_listing *l, struct us_log_index *index)
{
	const struct us_report_reach_looks none = { .n = 0 };
	struct us_client_listing alone = { .filter = { .credential = l->filter.credential } };
	struct us_report_reach_looks looks = none;
	struct us_log_range range = { looks.look, 0, 0, UINT64_MAX };

	find_looks(&alone, &looks);
	range.n = looks.n;
	return l->filter.credential == NULL || looks.n == 0 ?
	    US_OK :
	    us_log_index_each(index, &range, look_for_credential, l);
}

static int
list_by_index(struct us_client_listing *l, struct us_log_index *index)
{
	struct us_report_reach_looks looks;
	struct us_log_range range;
	const char *party;
	int err = US_OK;

	for (size_t i = 0; err == US_OK && (party = us_log_index_party(index, i)) != NULL; i++) {
		const struct us_bytes name = us_bytes_of(party);

		err = us_names_add_parties(&l->known, &name, 1);
	}
	if (err == US_OK)
		err = find_credential(l, index);
	if (err == US_OK)
		check_seen(l);
	find_looks(l, &looks);
	us_log_index_times(index, l->filter.since_ns, l->filter.until_ns, &range);
	range.look = looks.look;
	range.n = looks.n;
	if (l->limit > 0)
		l->out = open_temporary();
	else if (err == US_OK)
		us_lines_begin(&l->lines);
	if (err == US_OK)
		err = us_log_index_each(index, &range, show_entry, l);
	if (err == US_OK && l->limit > 0)
		return show_listing(l);
	if (err == US_OK)
		return fflush(stdout) == 0 ? US_EXIT_DONE : US_EXIT_OTHER;
	us_say("the log cannot be listed any further: %s", us_strerror(err));
	return err == US_ERR_IO || err == US_ERR_NOMEM ? US_EXIT_OTHER : US_EXIT_UNVERIFIED;
}

static int
list_by_pass(struct us_client *client, struct us_client_listing *l, struct us_log_remote *remote)
{
	const struct us_log_source source = us_log_remote_source(remote);
	const struct us_verify_options options = { .on_entry = list_entry,
		.arg = l,
		.threads = us_verify_processors(),
		.vkey = client->profile.vkey };
	struct us_verify_report report;
	int err;

	l->out = open_temporary();
	err = us_log_verify(&report, &source, &options);
	if (err != US_OK) {
		us_say("an entry of the log does not open as it must: %s", us_strerror(err));
		return US_EXIT_UNVERIFIED;
	}
	if (report.verdict != US_VERDICT_OK)
		return us_verdict_print(client, &report, NULL);
	check_seen(l);
	return show_listing(l);
}

static int
list(struct us_client *client, struct us_client_listing *l, struct us_log_remote *remote)
{
	struct us_verify_report report;
	struct us_log_index *index = NULL;
	int status;

	if (us_log_index_open(&index, remote, &report) == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	status = index != NULL ? list_by_index(l, index) : list_by_pass(client, l, remote);
	us_log_index_close(index);
	us_log_remote_said(remote);
	return status;
}

static int
run_list(struct us_client *client, const struct us_args *args)
{
	struct us_log_remote remote;
	struct us_client_listing l = { .lines = { .to = stdout,
					   .form = client->json     ? US_REPORT_JSON :
					       us_flag(args, "csv") ? US_REPORT_CSV :
								      US_REPORT_TEXT } };
	char collection[128];
	int status;

	l.filter = (struct us_log_filter){ .person = us_arg(args, "person"),
		.party = us_arg(args, "party"),
		.credential = us_arg(args, "credential"),
		.denied = us_flag(args, "denied") };
	if (us_arg(args, "record") != NULL)
		parse_record(&l.filter, us_arg(args, "record"), collection, sizeof collection);
	if (client->json && us_flag(args, "csv"))
		us_usage_error("one form at a time: --csv or --json");
	us_arg_range(args, &l.filter.since_ns, &l.filter.until_ns);
	l.limit = (uint64_t)us_arg_number(args, "limit", 0, 1, INT64_MAX);
	us_log_remote_open(&remote, client);
	if (!us_flag(args, "no-mirror"))
		us_log_remote_mirror(&remote);
	us_buf_init(&l.line, 4u * 1024u * 1024u);
	status = us_client_get(client, "/v1/people", &l.names.people);
	if (status == US_EXIT_DONE)
		status = us_client_get(client, "/v1/collections", &l.names.collections);
	if (status == US_EXIT_DONE) {
		check_names(&l);
		status = us_log_index_keys(&remote);
	}
	if (status == US_EXIT_DONE)
		status = list(client, &l, &remote);
	cJSON_Delete(l.names.people);
	cJSON_Delete(l.names.collections);
	us_names_free(&l.known);
	us_buf_free(&l.line);
	if (l.out != NULL)
		(void)fclose(l.out);
	us_log_remote_close(&remote);
	return status;
}

/* ---- checkpoint ---- */

static int
run_checkpoint(struct us_client *client, const struct us_args *args)
{
	struct us_log_remote remote;
	cJSON *document;

	(void)args;
	us_log_remote_open(&remote, client);
	if (!client->json)
		(void)us_print_bytes(stdout, remote.checkpoint.data, remote.checkpoint.len);
	else {
		document = cJSON_CreateObject();
		(void)cJSON_AddNumberToObject(document, "size", (double)remote.size);
		(void)cJSON_AddStringToObject(document, "checkpoint",
		    us_buf_cstr(&remote.checkpoint));
		us_print_json(stdout, document);
		cJSON_Delete(document);
	}
	us_log_remote_close(&remote);
	return US_EXIT_DONE;
}

static const struct us_option list_options[] = {
	{ "record", "COLLECTION/BATES",
	    "what disclosed this record; with --denied, what asked for it" },
	{ "person", "NAME", "what this person did" },
	{ "party", "P", "what people of this party did" },
	{ "credential", "F", "what was done with this credential" },
	{ "denied", NULL, "refusals only" },
	{ "since", "T", "from then on: a time, a date, yesterday, 12h, 7d" },
	{ "until", "T", "up to then, a date to its end" },
	{ "limit", "N", "the newest N of them" },
	{ "csv", NULL, "RFC 4180, safe to open as a spreadsheet" },
	US_OPTION_NO_MIRROR,
};

const struct us_command us_commands_audit[] = {
	{ "audit list", "[--record C/B] [--person N] [--denied] ...",
	    "the entries of the log, verified, as far as the order lets you see",
	    "underseal audit list --record logs/OAI000000017", list_options, US_COUNT(list_options),
	    0, 0, run_list },
	{ "audit report", "[NAME [COLLECTION/BATES]] [--csv | --json | --html] ...",
	    "answers an auditor's question from the verified log; without NAME, the list of them",
	    "underseal audit report who-saw logs/OAI000000017 --html > who-saw.html",
	    us_report_options, US_REPORT_OPTIONS, 0, 2, us_report_run },
	{ "audit checkpoint", "", "the newest checkpoint, to quote in a filing",
	    "underseal audit checkpoint", NULL, 0, 0, 0, run_checkpoint },
	{ 0 },
};
