/* `audit export`: the whole log as files, for whoever checks it elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/core/file.h"
#include "log/succession.h"
#include "client/core/commands.h"
#include "log/tiles.h"
#include "client/core/progress.h"
#include "client/log/audit_verify.h"
#include "client/core/client.h"
#include "client/log/acts.h"
#include "client/log/remote.h"
#include "base/err.h"

#define UNFINISHED ".unfinished"

static void
make_parents(const char *dir, const char *path)
{
	char whole[4096];
	size_t start = strlen(dir);

	(void)snprintf(whole, sizeof whole, "%s/%s", dir, path);
	for (char *p = whole + start + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(whole, 0700) != 0 && errno != EEXIST)
				us_give_up(US_EXIT_OTHER, "cannot make %s: %s", whole,
				    strerror(errno));
			*p = '/';
		}
}

/* Beside its place, then renamed: a file of an export is whole, or not there. One that is there and
 * as long is left alone: the export is verified when all of it is there. */
static void
write_file(const char *dir, const char *path, const void *p, size_t n)
{
	char whole[4096], beside[4096 + 8];
	struct stat st;
	FILE *f;

	make_parents(dir, path);
	(void)snprintf(whole, sizeof whole, "%s/%s", dir, path);
	if (lstat(whole, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size == n &&
	    strncmp(path, "tile/", 5) == 0)
		return;
	(void)snprintf(beside, sizeof beside, "%s.part", whole);
	f = us_file_over(beside);
	if (f == NULL || us_print_bytes(f, p, n) != US_OK || fclose(f) != 0 ||
	    rename(beside, whole) != 0)
		us_give_up(US_EXIT_OTHER, "cannot write %s: %s", whole, strerror(errno));
}

/* The folder, new or one that an export which broke off has left: it has this file. */
static void
begin_folder(const char *dir)
{
	char mark[4096];
	FILE *f;

	(void)snprintf(mark, sizeof mark, "%s/" UNFINISHED, dir);
	if (access(mark, F_OK) != 0) {
		(void)rmdir(dir); /* an empty one holds nothing that could be lost */
		if (mkdir(dir, 0700) != 0)
			us_give_up(US_EXIT_OTHER, "cannot make %s: %s", dir,
			    errno == EEXIST ? "it exists already" : strerror(errno));
	}
	f = us_file_over(mark);
	if (f == NULL || fclose(f) != 0)
		us_give_up(US_EXIT_OTHER, "cannot write %s: %s", mark, strerror(errno));
}

static void
end_folder(const char *dir)
{
	char mark[4096];

	(void)snprintf(mark, sizeof mark, "%s/" UNFINISHED, dir);
	if (unlink(mark) != 0)
		us_give_up(US_EXIT_OTHER, "cannot remove %s: %s", mark, strerror(errno));
}

/* n_acts counts the entries of acts that go by. */
static int
export_tile(struct us_log_remote *remote, const struct us_log_source *source, const char *dir,
    const struct us_tile *tile, uint64_t *n_acts)
{
	char path[US_TILE_PATH_MAX];
	struct us_buf bytes;
	int err;

	us_buf_init(&bytes, US_BUNDLE_MAX);
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

/* How the log came under its key, if it was handed over: without it nobody gets from an older key
 * to this one. */
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
		for (uint64_t n = 0;
		     status == US_EXIT_DONE && (width = us_tile_width(remote->size, level, n)) != 0;
		     n++) {
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

/* Line after line: nothing is gathered. */
static void
export_keys(struct us_log_remote *remote, const char *dir)
{
	struct us_log_source source = us_log_remote_source(remote);
	char whole[4096], line[US_EXPORT_KEYS_LINE_MAX + 1];
	int err = US_ERR_NOT_FOUND;
	FILE *f = NULL;
	size_t n;

	(void)snprintf(whole, sizeof whole, "%s/keys.jsonl", dir);
	while (source.next_keys != NULL && (err = source.next_keys(remote, line, &n)) == US_OK) {
		line[n] = '\n';
		if (f == NULL)
			f = us_file_over(whole);
		if (f == NULL || us_print_bytes(f, line, n + 1) != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot write %s: %s", whole, strerror(errno));
	}
	us_wipe(line, sizeof line);
	if (err != US_ERR_NOT_FOUND)
		us_give_up(US_EXIT_OTHER, "the keys cannot be exported: %s", us_strerror(err));
	if (f != NULL && fclose(f) != 0)
		us_give_up(US_EXIT_OTHER, "cannot write %s: %s", whole, strerror(errno));
}

static void
export_acts(struct us_client *client, const struct us_log_remote *remote, uint64_t n_acts,
    const char *dir)
{
	struct us_buf acts;
	int status = US_EXIT_DONE;

	us_buf_init(&acts, US_LOG_ACTS_MAX);
	if (us_log_acts_are_open(remote))
		status = us_log_acts_fetch(client, &acts);
	if (status != US_EXIT_DONE || us_log_acts_cut(&acts, n_acts) != US_OK)
		us_give_up(status == US_EXIT_DONE ? US_EXIT_OTHER : status,
		    "the acts cannot be exported");
	if (acts.len > 0)
		write_file(dir, "acts", acts.data, acts.len);
	us_buf_free(&acts);
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
	begin_folder(dir);
	us_log_remote_open_witnessed(&remote, client);
	us_log_remote_mirror(&remote);
	status = us_log_remote_keys(&remote);
	if (status == US_EXIT_DONE)
		status = export_files(&remote, dir, &n_acts);
	if (status == US_EXIT_DONE) {
		(void)snprintf(vkey, sizeof vkey, "%s\n", client->profile.vkey);
		write_file(dir, "log.vkey", vkey, strlen(vkey));
		export_keys(&remote, dir);
		export_acts(client, &remote, n_acts, dir);
		options.vkey = client->profile.vkey;
		if (us_export_verify(&report, dir, &options) != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot verify what was exported");
		end_folder(dir);
		status = us_verdict_print(client, &report, NULL);
	}
	us_log_remote_close(&remote);
	return status;
}

static const struct us_option export_options[] = { { "out", "DIR",
    "a directory that does not exist yet, or that an export which broke off has left" } };

const struct us_command us_commands_audit_export[] = {
	{ "audit export", "--out DIR", "the whole log as files, with the keys you may have",
	    "underseal audit export --out export", export_options, 1, 0, 0, run_export },
	{ 0 },
};
