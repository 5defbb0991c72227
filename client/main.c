/* underseal: finds the command and runs it. */
#include <curl/curl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/core/client.h"
#include "client/core/named.h"
#include "client/log/answered.h"
#include "client/log/proofs.h"
#include "client/overview.h"
#include "crypto/crypto.h"

static void
print_help(const struct us_command *c)
{
	us_print("usage: underseal %s %s\n\n%s\n\n", c->name, c->synopsis, c->summary);
	for (size_t i = 0; i < c->n_options; i++) {
		char left[64];

		(void)snprintf(left, sizeof left, "--%s%s%s", c->options[i].name,
		    c->options[i].argument == NULL ? "" : " ",
		    c->options[i].argument == NULL ? "" : c->options[i].argument);
		us_print("  %-26s %s\n", left, c->options[i].help);
	}
	us_print("  %-26s %s\n  %-26s %s\n  %-26s %s\n\nexample: %s\n", "--profile DIR",
	    "whose keys to use", "--json", "print JSON on stdout and nothing else there", "--yes",
	    "sign without being asked on a terminal", c->example);
}

/* Whether an argument is --NAME or --NAME=VALUE ("-o" stands for "--output"). The value is the one
 * behind the sign, else the next argument if there is one; *used is how many arguments both are. */
static int
is_option(const char *name, char **argv, int argc, const char **value, int *used)
{
	const char *given = strcmp(argv[0], "-o") == 0 ? "--output" : argv[0];
	size_t n = strlen(name);

	if (strncmp(given, "--", 2) != 0 || strncmp(given + 2, name, n) != 0)
		return 0;
	if (given[2 + n] == '=') {
		*value = given + 2 + n + 1;
		*used = 1;
		return 1;
	}
	*value = argc > 1 ? argv[1] : NULL;
	*used = 2;
	return given[2 + n] == '\0';
}

/* The first argument, if it is an option that all commands have. Returns how many were used, 0: it
 * is none. */
static int
take_global_option(struct us_client *client, char **argv, int argc)
{
	const char *value;
	int used;

	if (is_option("json", argv, argc, &value, &used)) {
		if (used == 1)
			us_usage_error("--json takes no value");
		return client->json = 1;
	}
	if (is_option("yes", argv, argc, &value, &used)) {
		if (used == 1)
			us_usage_error("--yes takes no value");
		return client->yes = 1;
	}
	if (!is_option("profile", argv, argc, &value, &used))
		return 0;
	if (value == NULL)
		us_usage_error("--profile takes a directory");
	client->profile_directory = value;
	return used;
}

/* The first argument, which is an option. Returns how many were used. */
static int
take_option(const struct us_command *c, struct us_client *client, struct us_args *args, char **argv,
    int argc)
{
	const char *value;
	int used = take_global_option(client, argv, argc);

	if (used > 0)
		return used;
	for (size_t i = 0; i < c->n_options; i++) {
		const struct us_option *o = &c->options[i];

		if (!is_option(o->name, argv, argc, &value, &used))
			continue;
		if (o->argument == NULL) {
			if (used == 1)
				us_usage_error("--%s takes no value", o->name);
			value = "";
			used = 1;
		} else if (value == NULL)
			us_usage_error("--%s takes %s", o->name, o->argument);
		if (args->n_values[i] == US_VALUES_MAX)
			us_usage_error("--%s is given too often", o->name);
		args->value[i][args->n_values[i]++] = value;
		return used;
	}
	us_usage_error("'%s' has no option %s; see 'underseal %s --help'", c->name, argv[0],
	    c->name);
}

static int
run_command(const struct us_command *c, struct us_client *client, char **argv, int argc)
{
	struct us_args args = { .table = c->options, .n_options = c->n_options, .operand = argv };
	int status, only_operands = 0;

	for (int i = 0; i < argc;) {
		if (!only_operands && strcmp(argv[i], "--help") == 0)
			return print_help(c), US_EXIT_DONE;
		if (!only_operands && strcmp(argv[i], "--") == 0) {
			only_operands = 1;
			i++;
		} else if (!only_operands &&
		    (strncmp(argv[i], "--", 2) == 0 || strcmp(argv[i], "-o") == 0))
			i += take_option(c, client, &args, argv + i, argc - i);
		else
			args.operand[args.n_operands++] = argv[i++];
	}
	if (args.n_operands < c->min_operands || args.n_operands > c->max_operands)
		us_usage_error("usage: underseal %s %s", c->name, c->synopsis);
	if (us_crypto_init() != US_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		us_give_up(US_EXIT_OTHER, "cannot start the cryptographic or network library");
	status = c->run(client, &args);
	us_proofs_close(client);
	us_http_free(client->http);
	us_named_free(client);
	us_profile_close(&client->profile);
	return status;
}

/* The first word begins commands and is none, and no second one follows. Returns an exit status,
 * or -1: it is not so. */
static int
show_family(char **argv, int argc)
{
	int asked = argc > 1 && strcmp(argv[1], "--help") == 0;

	if ((argc > 1 && argv[1][0] != '-') ||
	    us_overview_print_of(asked ? stdout : stderr, argv[0]) == 0)
		return -1;
	return asked ? US_EXIT_DONE : US_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct us_client client = { .profile_directory = getenv("UNDERSEAL_PROFILE"),
		.check = us_answer_check,
		.seen = us_answer_seen };
	const struct us_command *c;
	int words = 0, used, status;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setlocale(LC_CTYPE, ""); /* what the terminal takes; numbers stay as they are */
	for (argc--, argv++; argc > 0; argc -= used, argv += used)
		if ((used = take_global_option(&client, argv, argc)) == 0)
			break;
	if (argc == 0) {
		us_overview_print(stderr);
		return US_EXIT_USAGE;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0) {
		us_overview_print(stdout);
		return US_EXIT_DONE;
	}
	if (strcmp(argv[0], "--version") == 0) {
		us_print("underseal %s\n", US_VERSION);
		return US_EXIT_DONE;
	}
	c = us_command_find(argv, argc, &words);
	if (c != NULL)
		return run_command(c, &client, argv + words, argc - words);
	if ((status = show_family(argv, argc)) >= 0)
		return status;
	us_overview_complain(argv, argc);
	return US_EXIT_USAGE;
}
