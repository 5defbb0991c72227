/* undersealed: one program; the monitor re-executes it for each role. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/guess.h"
#include "base/log.h"
#include "daemon/offline/backup.h"
#include "daemon/front/front.h"
#include "daemon/offline/init.h"
#include "daemon/intake/intake.h"
#include "daemon/keeper/keeper.h"
#include "daemon/monitor/monitor.h"
#include "daemon/sealer/sealer.h"
#include "daemon/vault/vault.h"

static const char help[] =
    "usage: undersealed init ...      makes a new vault ('undersealed init --help')\n"
    "       undersealed serve --data DIR [--config FILE] [--frozen]\n"
    "                                 runs it in the foreground, sealed until unsealed; --frozen: "
    "nobody reaches\n"
    "                                 evidence until it is started without\n"
    "       undersealed backup ...    backs up a vault that does not run ('undersealed backup "
    "--help')\n"
    "       undersealed restore ...   makes a vault of a backup ('undersealed restore --help')\n"
    "       undersealed handover ...  gives its log a new key ('undersealed handover --help')\n"
    "       undersealed --version | --help\n\n"
    "The settings of a vault stand in DIR/undersealed.conf; FILE overrides them.\n"
    "example: undersealed serve --data /var/lib/underseal\n";

static int
serve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'c' },
		{ "frozen", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct us_monitor_options monitor = { 0 };
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'd':
			monitor.data = optarg;
			break;
		case 'c':
			monitor.config = optarg;
			break;
		case 'f':
			monitor.frozen = 1;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return 2;
		}
	if (monitor.data == NULL || optind != argc) {
		fputs(help, stderr);
		return 2;
	}
	return us_monitor_main(&monitor);
}

static int
run_role(const char *name)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} roles[] = {
		{ "keeper", us_keeper_main },
		{ "vault", us_vault_main },
		{ "sealer", us_sealer_main },
		{ "intake", us_intake_main },
		{ "front", us_front_main },
	};

	for (size_t i = 0; i < US_COUNT(roles); i++)
		if (strcmp(roles[i].name, name) == 0)
			return roles[i].run();
	us_fatal("there is no role '%s'", name);
}

static const struct us_daemon_command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "init", us_init_main },
	{ "serve", serve },
	{ "backup", us_backup_main },
	{ "restore", us_restore_main },
	{ "handover", us_handover_main },
};

/* Says on stderr how the program is used, or only what a mistyped command was meant to be. */
static void
complain(const char *word)
{
	struct us_guess g = us_guess_of(us_bytes_of(word));

	for (size_t i = 0; i < US_COUNT(commands); i++)
		us_guess_consider(&g, commands[i].name, strlen(commands[i].name));
	if (us_guess_is_near(&g))
		fprintf(stderr,
		    "undersealed: there is no command '%s': did you mean '%s'? 'undersealed "
		    "--help' "
		    "lists them\n",
		    word, g.best);
	else
		fputs(help, stderr);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--role") == 0)
		return run_role(argv[2]);
	for (size_t i = 0; argc >= 2 && i < US_COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("undersealed " US_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	complain(argc < 2 ? "" : argv[1]);
	return 2;
}
