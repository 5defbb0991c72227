/* underseal: finds the command and runs it. */
#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/case/commands.h"
#include "client/core/client.h"
#include "client/evidence/commands.h"
#include "client/log/commands.h"
#include "client/report/commands.h"
#include "crypto/crypto.h"
#include "base/err.h"

static const struct us_command *const tables[] = {
	us_commands_vault,
	us_commands_people,
	us_commands_docket,
	us_commands_collection,
	us_commands_load,
	us_commands_search,
	us_commands_read,
	us_commands_copy,
	us_commands_order,
	us_commands_order_propose,
	us_commands_order_ask,
	us_commands_acknowledge,
	us_commands_withhold,
	us_commands_freeze,
	us_commands_approval,
	us_commands_document,
	us_commands_audit,
	us_commands_audit_verify,
	us_commands_audit_export,
	us_commands_inclusion,
	us_commands_certify,
	us_commands_disclose,
	us_commands_timestamp,
	us_commands_witness,
};
#define TABLES (US_COUNT(tables))

static void
print_overview(FILE *to)
{
	fputs("usage: underseal COMMAND [--profile DIR] [--json] ...\n\n", to);
	for (size_t i = 0; i < TABLES; i++)
		for (const struct us_command *c = tables[i]; c->name != NULL; c++)
			fprintf(to, "  %-20s %s\n", c->name, c->summary);
	fputs("\n'underseal COMMAND --help' shows a command's options and an example.\n"
	      "The profile is a directory: --profile DIR, or UNDERSEAL_PROFILE.\n\n"
	      "exit status: 0 done, 2 usage, 3 refused by the order, 4 the vault is sealed,\n"
	      "5 verification failed, 6 incomplete, 7 waiting for others' signatures, 1 anything "
	      "else\n",
	    to);
}

static void
print_help(const struct us_command *c)
{
	printf("usage: underseal %s %s\n\n%s\n\n", c->name, c->synopsis, c->summary);
	for (size_t i = 0; i < c->n_options; i++) {
		char left[64];

		(void)snprintf(left, sizeof left, "--%s%s%s", c->options[i].name,
		    c->options[i].argument == NULL ? "" : " ",
		    c->options[i].argument == NULL ? "" : c->options[i].argument);
		printf("  %-26s %s\n", left, c->options[i].help);
	}
	printf("  %-26s %s\n  %-26s %s\n\nexample: %s\n", "--profile DIR", "whose keys to use",
	    "--json", "print JSON on stdout and nothing else there", c->example);
}

/* The command whose name is the first one or two words; *words is how many. */
static const struct us_command *
find_command(char **argv, int argc, int *words)
{
	char two[64];

	if (argc >= 2) {
		(void)snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
		for (size_t i = 0; i < TABLES; i++)
			for (const struct us_command *c = tables[i]; c->name != NULL; c++)
				if (strcmp(c->name, two) == 0)
					return *words = 2, c;
	}
	for (size_t i = 0; i < TABLES; i++)
		for (const struct us_command *c = tables[i]; c->name != NULL; c++)
			if (strcmp(c->name, argv[0]) == 0)
				return *words = 1, c;
	return NULL;
}

/* One argument that begins with "--" ("-o" stands for "--output"). Returns how many were used. */
static int
take_option(const struct us_command *c, struct us_client *client, struct us_args *args, char **argv,
    int argc)
{
	const char *name = strcmp(argv[0], "-o") == 0 ? "output" : argv[0] + 2;
	const char *equals = strchr(name, '=');
	size_t n = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const char *value = equals == NULL ? (argc > 1 ? argv[1] : NULL) : equals + 1;
	int used = equals == NULL ? 2 : 1;

	if (n == 4 && strncmp(name, "json", n) == 0)
		return client->json = 1;
	if (n == 7 && strncmp(name, "profile", n) == 0) {
		if (value == NULL)
			us_usage_error("--profile takes a directory");
		client->profile_directory = value;
		return used;
	}
	for (size_t i = 0; i < c->n_options; i++) {
		const struct us_option *o = &c->options[i];

		if (strlen(o->name) != n || strncmp(o->name, name, n) != 0)
			continue;
		if (o->argument == NULL) {
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
run_command(const struct us_command *c, char **argv, int argc)
{
	struct us_client client = { .profile_directory = getenv("UNDERSEAL_PROFILE") };
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
			i += take_option(c, &client, &args, argv + i, argc - i);
		else
			args.operand[args.n_operands++] = argv[i++];
	}
	if (args.n_operands < c->min_operands || args.n_operands > c->max_operands)
		us_usage_error("usage: underseal %s %s", c->name, c->synopsis);
	status = c->run(&client, &args);
	us_http_free(client.http);
	us_profile_close(&client.profile);
	return status;
}

int
main(int argc, char **argv)
{
	const struct us_command *c;
	int words = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_overview(argc < 2 ? stderr : stdout);
		return argc < 2 ? US_EXIT_USAGE : US_EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("underseal " US_VERSION);
		return US_EXIT_DONE;
	}
	c = find_command(argv + 1, argc - 1, &words);
	if (c == NULL) {
		us_say("there is no command '%s'; 'underseal --help' lists them", argv[1]);
		return US_EXIT_USAGE;
	}
	if (us_crypto_init() != US_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		us_give_up(US_EXIT_OTHER, "cannot start the cryptographic or network library");
	return run_command(c, argv + 1 + words, argc - 1 - words);
}
