/* The verifier as a command of the client: over the log of the vault, or over an export. */
#include "client/audit_verify.h"

#include "client/log_source.h"
#include "common/err.h"
#include "common/timefmt.h"

#define VKEY_MAX_BYTES 4000

/* ---- what was found ---- */

static void
print_text(const struct us_verify_report *r)
{
	char from[US_TIME_TEXT_SIZE], to[US_TIME_TEXT_SIZE];

	printf("%s", us_verdict_name(r->verdict));
	if (r->index != US_ENTRY_NONE && r->verdict != US_VERDICT_OK)
		printf(" at index %llu", (unsigned long long)r->index);
	printf(": %llu entries\n", (unsigned long long)r->entries);
	if (r->detail[0] != '\0')
		printf("%s\n", r->detail);
	if (r->own_vkey)
		puts("The key came with the log itself: give --vkey FILE from another source to know "
		    "whose log it is.");
	if (r->entries > 0)
		printf("from %s to %s\n", us_time_format(r->first_ns, from), us_time_format(r->last_ns, to));
	if (r->opened[US_BOX_ACCESS] + r->opened[US_BOX_DISCLOSURE] + r->opened[US_BOX_QUERY] > 0)
		printf("opened: %llu access, %llu disclosure, %llu query\n", (unsigned long long)r->opened[US_BOX_ACCESS],
		    (unsigned long long)r->opened[US_BOX_DISCLOSURE], (unsigned long long)r->opened[US_BOX_QUERY]);
	if (r->withheld > 0)
		printf("withheld: the access boxes of %llu entries. Rules between entries were not applied to those, nor where "
		    "those could bear on others.\n", (unsigned long long)r->withheld);
}

static void
add_opened(cJSON *document, const struct us_verify_report *r)
{
	static const char *const name[US_BOXES] = { "access", "disclosure", "query" };
	cJSON *opened = cJSON_AddObjectToObject(document, "opened");

	for (unsigned box = 0; box < US_BOXES; box++)
		(void)cJSON_AddNumberToObject(opened, name[box], (double)r->opened[box]);
}

static void
print_json(const struct us_verify_report *r)
{
	cJSON *document = cJSON_CreateObject();
	char *text;

	(void)cJSON_AddStringToObject(document, "verdict", us_verdict_name(r->verdict));
	if (r->index == US_ENTRY_NONE)
		(void)cJSON_AddNullToObject(document, "index");
	else
		(void)cJSON_AddNumberToObject(document, "index", (double)r->index);
	if (r->rule == NULL)
		(void)cJSON_AddNullToObject(document, "rule");
	else
		(void)cJSON_AddStringToObject(document, "rule", r->rule);
	(void)cJSON_AddNumberToObject(document, "entries", (double)r->entries);
	(void)cJSON_AddStringToObject(document, "detail", r->detail);
	(void)cJSON_AddBoolToObject(document, "own_vkey", r->own_vkey);
	(void)cJSON_AddStringToObject(document, "origin", r->checkpoint.origin);
	(void)cJSON_AddNumberToObject(document, "withheld", (double)r->withheld);
	add_opened(document, r);
	text = cJSON_PrintUnformatted(document);
	puts(text == NULL ? "{}" : text);
	cJSON_free(text);
	cJSON_Delete(document);
}

int
us_verdict_print(struct us_client *client, const struct us_verify_report *r)
{
	if (client->json)
		print_json(r);
	else
		print_text(r);
	return us_verdict_exit(r->verdict);
}

/* ---- the command ---- */

static void
on_progress(void *arg, uint64_t done, uint64_t size)
{
	struct us_progress *progress = arg;

	progress->total = size;
	us_progress_at(progress, done, done);
}

/* The log's key from a file, without its end. */
static const char *
read_vkey(const char *file, struct us_buf *vkey)
{
	if (us_file_read(file, VKEY_MAX_BYTES, vkey) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read the log key %s", file);
	while (vkey->len > 0 && (vkey->data[vkey->len - 1] == '\n' || vkey->data[vkey->len - 1] == ' '))
		vkey->len--;
	return us_buf_cstr(vkey);
}

static int
verify_vault(struct us_client *client, const struct us_args *args, struct us_verify_options *options,
    struct us_verify_report *report, int *status)
{
	struct us_log_remote remote;
	struct us_log_source source;
	int err;

	us_log_remote_open(&remote, client);
	if (options->vkey == NULL)
		options->vkey = client->profile.vkey;
	if (us_flag(args, "keys"))
		*status = us_log_remote_keys(&remote);
	source = us_log_remote_source(&remote);
	err = us_log_verify(report, &source, options);
	if (*status == US_EXIT_DONE)
		*status = remote.status;
	us_log_remote_close(&remote);
	return err;
}

static int
run_verify(struct us_client *client, const struct us_args *args)
{
	const char *dir = us_arg(args, "dir"), *vkey_file = us_arg(args, "vkey");
	struct us_progress progress;
	struct us_verify_options options = { .on_progress = on_progress, .arg = &progress, .threads = us_verify_processors() };
	struct us_verify_report report;
	struct us_buf vkey;
	int err, status = US_EXIT_DONE;

	us_buf_init(&vkey, VKEY_MAX_BYTES + 1);
	if (vkey_file != NULL) {
		options.vkey = read_vkey(vkey_file, &vkey);
	} else if (dir != NULL && client->profile_directory != NULL) {
		us_profile_open_public(&client->profile, client->profile_directory);
		options.vkey = client->profile.vkey;
	}
	us_progress_start(&progress, "entries", 0);
	err = dir != NULL ? us_export_verify(&report, dir, &options) : verify_vault(client, args, &options, &report, &status);
	us_progress_end(&progress);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot verify: %s", us_strerror(err));
	if (status == US_EXIT_DONE)
		status = us_verdict_print(client, &report);
	us_buf_free(&vkey);
	return status;
}

static const struct us_option verify_options[] = {
	{ "dir", "DIR", "an export, offline" },
	{ "vkey", "FILE", "the log's key, from a source you trust" },
	{ "keys", NULL, "also open every box this profile may open, and judge the rules between entries by them" },
};

const struct us_command us_commands_audit_verify[] = {
	{ "audit verify", "[--dir DIR] [--vkey FILE] [--keys]", "checks every hash, proof and signature of the log",
	    "underseal audit verify --dir export --vkey log.vkey", verify_options, 3, 0, 0, run_verify },
	{ 0 },
};
