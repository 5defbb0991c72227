/*
 * Waiver: the keys of single log entries' boxes, given to somebody else in a file. Whoever has an
 * export of the log puts them into it, and every key is checked against its leaf. That the keys
 * were fetched stands in the log; to whom the file went does not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/core/file.h"
#include "client/log/remote.h"
#include "base/array.h"
#include "base/err.h"
#include "base/number.h"
#include "client/core/commands.h"

#define LINES_MAX (256u * 1024u * 1024u)

/* ---- giving ---- */

static uint64_t
index_of(const char *text, uint64_t size)
{
	int64_t v;

	if (us_number_text(text, 0, INT64_MAX, &v) != US_OK)
		us_usage_error("%s is no index of a log entry", text);
	if ((uint64_t)v >= size)
		us_usage_error("the log has the entries 0 to %llu", (unsigned long long)size - 1);
	return (uint64_t)v;
}

static int
put_lines(struct us_log_remote *remote, const char *path, size_t *lines)
{
	const struct us_log_source source = us_log_remote_source(remote);
	FILE *f = us_file_new(path);
	char line[US_EXPORT_KEYS_LINE_MAX];
	size_t n;
	int written;

	if (f == NULL)
		us_file_cannot_make(path);
	written = 1;
	for (*lines = 0; written && source.next_keys(source.arg, line, &n) == US_OK; ++*lines)
		written = us_print_json_line(f, line, n) == US_OK;
	if (fclose(f) != 0 || !written)
		us_give_up(US_EXIT_OTHER, "cannot write %s", path);
	us_wipe(line, sizeof line);
	return US_EXIT_DONE;
}

static int
run_disclose(struct us_client *client, const struct us_args *args)
{
	const char *out = us_arg(args, "output"), *to = us_arg(args, "to");
	struct us_log_remote remote;
	int status = US_EXIT_DONE;
	size_t lines;

	if (out == NULL || to == NULL)
		us_usage_error("--to PARTY, for whom it is, and -o FILE are needed");
	us_log_remote_open(&remote, client);
	for (size_t i = 0; i < args->n_operands && status == US_EXIT_DONE; i++) {
		const uint64_t index = index_of(args->operand[i], remote.size);

		status = us_log_remote_keys_range(&remote, index, index + 1);
		if (status != US_EXIT_DONE || remote.keys[index].present == 0) {
			us_say("entry %llu is not yours to open; nothing was written",
			    (unsigned long long)index);
			us_log_remote_close(&remote);
			return status == US_EXIT_DONE ? US_EXIT_REFUSED : status;
		}
		if (us_flag(args, "without-query"))
			remote.keys[index].present &= (uint8_t) ~(1u << US_BOX_QUERY);
	}
	if (status == US_EXIT_DONE)
		status = put_lines(&remote, out, &lines);
	us_log_remote_close(&remote);
	if (status != US_EXIT_DONE)
		return status;
	if (client->json) {
		cJSON *said = cJSON_CreateObject();

		(void)cJSON_AddNumberToObject(said, "entries", (double)lines);
		(void)cJSON_AddStringToObject(said, "file", out);
		us_print_json(stdout, said);
		cJSON_Delete(said);
	} else
		us_print("%zu entries can be opened with %s. Give it to %s: who has it can read "
			 "them, for good.\n"
			 "They put it into their export with: underseal audit accept FILE --dir "
			 "EXPORT\n",
		    lines, out, to);
	return US_EXIT_DONE;
}

/* ---- taking ---- */

static int
compare_lines(const void *a, const void *b)
{
	const struct us_export_keys *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* Appends the lines of a file to list. */
static void
take_lines(const char *path, int required, struct us_export_keys **list, size_t *n)
{
	struct us_buf text;
	char *line, *save = NULL;
	int err;

	us_buf_init(&text, LINES_MAX);
	err = us_file_read(path, LINES_MAX - 1, &text);
	if (err != US_OK && (required || err != US_ERR_NOT_FOUND))
		us_give_up(US_EXIT_OTHER, "cannot read %s: %s", path, us_strerror(err));
	for (line = us_buf_cstr(&text) == NULL ? NULL : strtok_r((char *)text.data, "\n", &save);
	     line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (us_grow_bare(list, *n, sizeof **list) != US_OK)
			us_give_up(US_EXIT_OTHER, "out of memory");
		if (us_export_keys_parse(&(*list)[*n], line, strlen(line)) != US_OK)
			us_give_up(US_EXIT_UNVERIFIED,
			    "%s holds a line that names no keys; nothing was changed", path);
		++*n;
	}
	us_buf_free(&text);
}

/* One line an entry, ascending: a key that both have must be the same. */
static void
write_merged(const char *path, struct us_export_keys *list, size_t n)
{
	FILE *f = us_file_over(path);
	struct us_buf line;
	int err = US_OK;

	if (f == NULL)
		us_give_up(US_EXIT_OTHER, "cannot write %s: %s", path, strerror(errno));
	us_buf_init(&line, US_EXPORT_KEYS_LINE_MAX + 1);
	qsort(list, n, sizeof *list, compare_lines);
	for (size_t i = 0; i < n && err == US_OK;) {
		struct us_export_keys k = list[i];

		for (i++; i < n && list[i].index == k.index; i++)
			for (unsigned box = 0; box < US_BOXES; box++)
				if (list[i].present[box]) {
					k.present[box] = 1;
					k.keys[box] = list[i].keys[box];
				}
		us_buf_reset(&line);
		err = us_export_keys_line(&line, k.index, k.present[0] ? &k.keys[0] : NULL,
		    k.present[1] ? &k.keys[1] : NULL, k.present[2] ? &k.keys[2] : NULL);
		if (err == US_OK)
			err = us_print_bytes(f, line.data, line.len);
	}
	us_buf_free(&line);
	if (fclose(f) != 0 || err != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot write %s", path);
}

static int
run_accept(struct us_client *client, const struct us_args *args)
{
	const char *dir = us_arg(args, "dir");
	const struct us_verify_options options = { .threads = us_verify_processors() };
	struct us_verify_report report;
	struct us_export_keys *list = NULL;
	char path[4096], before[4096];
	size_t n = 0;

	if (dir == NULL || snprintf(path, sizeof path, "%s/keys.jsonl", dir) >= (int)sizeof path ||
	    snprintf(before, sizeof before, "%s/keys.jsonl.before", dir) >= (int)sizeof before)
		us_usage_error("--dir DIR, your export of the log, is needed");
	take_lines(path, 0, &list, &n);
	take_lines(args->operand[0], 1, &list, &n);
	if (n == 0)
		us_give_up(US_EXIT_UNVERIFIED, "%s names no keys", args->operand[0]);
	if (rename(path, before) != 0 && errno != ENOENT)
		us_give_up(US_EXIT_OTHER, "cannot change %s: %s", path, strerror(errno));
	write_merged(path, list, n);
	us_wipe(list, n * sizeof *list);
	free(list);
	if (us_export_verify(&report, dir, &options) != US_OK || report.verdict != US_VERDICT_OK) {
		(void)remove(path);
		(void)rename(before, path);
		us_say("%s: %s. The export is as it was", us_verdict_name(report.verdict),
		    report.detail);
		return us_verdict_exit(report.verdict) == 0 ? US_EXIT_OTHER :
							      us_verdict_exit(report.verdict);
	}
	(void)remove(before);
	if (client->json) {
		cJSON *said = cJSON_CreateObject();

		(void)cJSON_AddStringToObject(said, "verdict", "OK");
		(void)cJSON_AddNumberToObject(said, "opened", (double)report.opened[US_BOX_ACCESS]);
		us_print_json(stdout, said);
		cJSON_Delete(said);
	} else
		us_print("every key fits its entry; %llu entries can be read now\n",
		    (unsigned long long)report.opened[US_BOX_ACCESS]);
	return US_EXIT_DONE;
}

static const struct us_option disclose_options[] = {
	{ "to", "PARTY", "for whom it is" },
	{ "output", "FILE", "the keys, to be handed over" },
	{ "without-query", NULL, "who and which records, but not what was searched for" },
};
static const struct us_option accept_options[] = { { "dir", "DIR", "your export of the log" } };

const struct us_command us_commands_disclose[] = {
	{ "audit disclose", "INDEX... --to PARTY -o FILE",
	    "waives: lets somebody else open these entries of your party",
	    "underseal audit disclose 4711 4712 --to defendant -o waived.keys", disclose_options, 3,
	    1, 10000, run_disclose },
	{ "audit accept", "FILE --dir DIR",
	    "puts keys that were disclosed into an export; each must fit its entry",
	    "underseal audit accept waived.keys --dir export", accept_options, 1, 1, 1,
	    run_accept },
	{ 0 },
};
