/* order test: the statements of a suite, run against the order that lies beside it. Offline: no
 * profile, no vault. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/case/order_test.h"
#include "base/err.h"
#include "policy/suite/suite.h"

#define SUFFIX ".test.yaml"
#define PATH_LEN_MAX 4096

const struct us_option us_order_test_options[US_ORDER_TEST_OPTIONS] = {
	{ "verbose", NULL,
	    "each statement with its paragraph; failed ones with each rule and its conditions" },
};

/* One run of the command over one or many files. */
struct us_client_run {
	int json, verbose;
	const char *file; /* the suite at hand */
	size_t files, unreadable;
	struct us_suite_counts counts; /* of all */
	cJSON *failures, *errors;
	struct us_findings findings;
};

static void
add_error(struct us_client_run *run, const char *file, unsigned line, unsigned column,
    const char *text)
{
	cJSON *item;

	if (!run->json) {
		fflush(stdout);
		us_print_to(stderr, "%s", file); /* a directory's names are not ours */
		if (line > 0)
			us_print_to(stderr, ":%u:%u: error: %s\n", line, column, text);
		else
			us_print_to(stderr, ": error: %s\n", text);
		return;
	}
	item = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(item, "file", file);
	(void)cJSON_AddNumberToObject(item, "line", line);
	(void)cJSON_AddNumberToObject(item, "column", column);
	(void)cJSON_AddStringToObject(item, "text", text);
	(void)cJSON_AddItemToArray(run->errors, item);
}

/* What could not be read, with all that was found wrong with it. */
static void
add_errors(struct us_client_run *run, const char *file, int err)
{
	size_t shown = 0;

	for (size_t i = 0; err == US_ERR_FORMAT && i < run->findings.n; i++) {
		const struct us_finding *f = &run->findings.items[i];

		if (f->severity != US_FINDING_ERROR)
			continue;
		add_error(run, file, f->line, f->column, f->text);
		shown++;
	}
	if (shown == 0)
		add_error(run, file, 0, 0, us_strerror(err));
}

static void
show_lines(const char *text)
{
	while (*text != '\0') {
		const char *end = strchrnul(text, '\n');

		us_print("    %.*s\n", (int)(end - text), text);
		text = *end == '\n' ? end + 1 : end;
	}
}

static void
show_result(const struct us_client_run *run, const struct us_suite_result *r)
{
	if (!r->failed && !run->verbose)
		return;
	us_print("%s", run->file);
	us_print(":%u:%u: ", r->line, r->column);
	if (r->failed)
		us_print("failed: %s: expected %s; found %s\n", r->statement, r->expected,
		    r->found);
	else
		us_print("holds: %s: %s\n", r->statement, r->found);
	if (r->failed && run->verbose)
		show_lines(r->why);
}

static void
take_result(void *ctx, const struct us_suite_result *r)
{
	struct us_client_run *run = ctx;
	cJSON *item;

	if (!run->json) {
		show_result(run, r);
		return;
	}
	if (!r->failed)
		return;
	item = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(item, "file", run->file);
	(void)cJSON_AddNumberToObject(item, "line", r->line);
	(void)cJSON_AddNumberToObject(item, "column", r->column);
	(void)cJSON_AddStringToObject(item, "statement", r->statement);
	(void)cJSON_AddStringToObject(item, "expected", r->expected);
	(void)cJSON_AddStringToObject(item, "found", r->found);
	if (run->verbose)
		(void)cJSON_AddStringToObject(item, "why", r->why);
	(void)cJSON_AddItemToArray(run->failures, item);
}

/* The order of a suite, compiled. Says itself what is wrong with it. */
static int
read_order(struct us_client_run *run, const char *path, struct us_order **out)
{
	struct us_buf source, compiled;
	int err;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	err = us_file_read(path, US_ORDER_SOURCE_MAX, &source);
	if (err == US_OK)
		err = us_order_compile((struct us_bytes){ source.data, source.len }, &compiled,
		    &run->findings);
	else
		memset(&run->findings, 0, sizeof run->findings);
	if (err == US_OK)
		err = us_order_decode(compiled.data, compiled.len, out);
	if (err != US_OK)
		add_errors(run, path, err);
	us_buf_free(&source);
	us_buf_free(&compiled);
	return err;
}

/* "dir/suite.yaml" and "order.yaml": "dir/order.yaml". */
static int
beside(char out[PATH_LEN_MAX], const char *path, const char *name, size_t n)
{
	const char *slash = strrchr(path, '/');
	const int dir = slash == NULL ? 0 : (int)(slash - path) + 1;
	const int len = snprintf(out, PATH_LEN_MAX, "%.*s%.*s", dir, path, (int)n, name);

	return len < 0 || len >= PATH_LEN_MAX ? US_ERR_LIMIT : US_OK;
}

static int
run_suite(struct us_client_run *run, const char *path, struct us_bytes source)
{
	struct us_suite *suite = NULL;
	struct us_order *order = NULL;
	struct us_suite_counts counts;
	char order_path[PATH_LEN_MAX];
	struct us_bytes name;
	int err = us_suite_parse(source, &suite, &run->findings);

	if (err != US_OK)
		goto wrong;
	name = us_suite_order_name(suite);
	err = beside(order_path, path, (const char *)name.p, name.n);
	if (err != US_OK)
		goto wrong;
	err = read_order(run, order_path, &order);
	if (err != US_OK)
		goto out;
	err = us_suite_bind(suite, order, &run->findings);
	if (err == US_OK)
		err = us_suite_run(suite, take_result, run, &counts);
	if (err != US_OK)
		goto wrong;
	run->counts.statements += counts.statements;
	run->counts.failed += counts.failed;
	goto out;
wrong:
	add_errors(run, path, err);
out:
	us_suite_free(suite);
	us_order_free(order);
	return err;
}

static void
run_file(struct us_client_run *run, const char *path)
{
	struct us_buf source;
	int err;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	run->file = path;
	run->files++;
	err = us_file_read(path, US_ORDER_SOURCE_MAX, &source);
	if (err != US_OK)
		add_error(run, path, 0, 0, us_strerror(err));
	else
		err = run_suite(run, path, (struct us_bytes){ source.data, source.len });
	run->unreadable += err != US_OK;
	us_buf_free(&source);
}

static int
is_suite(const struct dirent *entry)
{
	const size_t n = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return entry->d_name[0] != '.' && n > suffix &&
	    strcmp(entry->d_name + n - suffix, SUFFIX) == 0;
}

/* Every suite of a directory, by name. US_ERR_NOT_FOUND: there is no such directory; without suites
 * it has proved nothing. */
static int
run_directory(struct us_client_run *run, const char *directory)
{
	struct dirent **entries = NULL;
	char path[PATH_LEN_MAX];
	const int n = scandir(directory, &entries, is_suite, alphasort);

	if (n < 0)
		return US_ERR_NOT_FOUND;
	for (int i = 0; i < n; i++) {
		const int len = snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);

		if (len < 0 || (size_t)len >= sizeof path)
			us_give_up(US_EXIT_OTHER, "the path of %s is too long", entries[i]->d_name);
		run_file(run, path);
		free(entries[i]);
	}
	free(entries);
	if (n == 0)
		us_give_up(US_EXIT_OTHER, "no file in %s ends in " SUFFIX, directory);
	return US_OK;
}

static void
summary_json(struct us_client_run *run)
{
	cJSON *document = cJSON_CreateObject();

	(void)cJSON_AddNumberToObject(document, "files", (double)run->files);
	(void)cJSON_AddNumberToObject(document, "statements", (double)run->counts.statements);
	(void)cJSON_AddNumberToObject(document, "failed", (double)run->counts.failed);
	(void)cJSON_AddItemToObject(document, "failures", run->failures);
	(void)cJSON_AddItemToObject(document, "errors", run->errors);
	us_print_json(stdout, document);
	cJSON_Delete(document);
}

int
us_order_test(struct us_client *client, const struct us_args *args)
{
	static struct us_client_run run;

	run = (struct us_client_run){ .json = client->json, .verbose = us_flag(args, "verbose") };
	if (run.json) {
		run.failures = cJSON_CreateArray();
		run.errors = cJSON_CreateArray();
	}
	if (run_directory(&run, args->operand[0]) != US_OK)
		run_file(&run, args->operand[0]);
	if (run.json)
		summary_json(&run);
	else
		us_print("%zu statements, %zu failed\n", run.counts.statements, run.counts.failed);
	if (!run.json && run.unreadable > 0)
		us_say("%zu of %zu suites could not be read", run.unreadable, run.files);
	if (fflush(stdout) != 0 || run.unreadable > 0)
		return US_EXIT_OTHER;
	return run.counts.failed == 0 ? US_EXIT_DONE : US_EXIT_UNVERIFIED;
}
