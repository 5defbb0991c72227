#include "client/overview.h"

#include <string.h>

#include "base/array.h"
#include "base/guess.h"
#include "client/core/commands.h"
#include "client/core/show.h"

enum us_command_group {
#define X(group, title) GROUP_##group,
	US_COMMAND_GROUPS(X)
#undef X
};

static const char *const titles[] = {
#define X(group, title) [GROUP_##group] = (title),
	US_COMMAND_GROUPS(X)
#undef X
};

static const struct us_command_table {
	enum us_command_group group;
	const struct us_command *rows;
} tables[] = {
#define X(group, name) { GROUP_##group, us_commands_##name },
	US_COMMANDS(X)
#undef X
};

/* What somebody of a capacity mostly does; the order may say otherwise. */
static const struct us_daily {
	const char *capacities, *commands;
} daily[] = {
	{ "administrator", "status, person add, credential issue, collection create, docket list" },
	{ "keyholder", "status, share check, unseal" },
	{ "producer", "load, batch list, batch release, clawback, docket sign" },
	{ "outside-counsel, house-counsel, counsel-staff",
	    "search, read, copy, challenge, docket sign" },
	{ "expert, vendor, witness, reporter", "acknowledge, search, read" },
	{ "court, special-master", "docket list, docket resolve, freeze, audit report" },
	{ "auditor", "audit report, audit list, audit verify, audit export" },
};

/* Goes through all commands: at NULL begins, and is NULL at the end. */
struct us_command_place {
	size_t table;
	const struct us_command *at;
};

static const struct us_command *
next(struct us_command_place *p)
{
	if (p->at != NULL)
		p->at++;
	for (; p->table < US_COUNT(tables); p->table++, p->at = NULL) {
		if (p->at == NULL)
			p->at = tables[p->table].rows;
		if (p->at->name != NULL)
			return p->at;
	}
	return NULL;
}

static void
two_words(char out[64], char **words, int n)
{
	(void)snprintf(out, 64, "%s %s", words[0], n > 1 ? words[1] : "");
}

const struct us_command *
us_command_find(char **words, int n, int *used)
{
	const struct us_command *c, *one = NULL;
	struct us_command_place p = { 0 };
	char two[64];

	two_words(two, words, n);
	while ((c = next(&p)) != NULL) {
		if (strcmp(c->name, two) == 0)
			return *used = 2, c;
		if (strcmp(c->name, words[0]) == 0)
			one = c;
	}
	*used = 1;
	return one;
}

static void
print_command(FILE *to, const struct us_command *c)
{
	us_print_to(to, "  %-24s %s\n", c->name, c->summary);
}

void
us_overview_print(FILE *to)
{
	struct us_command_place p = { 0 };
	const struct us_command *c;
	int group = -1;

	us_print_to(to, "usage: underseal [--profile DIR] [--json] COMMAND ...\n");
	while ((c = next(&p)) != NULL) {
		if ((int)tables[p.table].group != group)
			us_print_to(to, "\n%s\n", titles[tables[p.table].group]);
		group = (int)tables[p.table].group;
		print_command(to, c);
	}
	us_print_to(to, "\nEvery day, by capacity\n");
	for (size_t i = 0; i < US_COUNT(daily); i++)
		us_print_to(to, "  %s:\n      %s\n", daily[i].capacities, daily[i].commands);
	us_print_to(to,
	    "\n'underseal COMMAND --help' shows a command's options and an example.\n"
	    "The profile is a directory: --profile DIR, or UNDERSEAL_PROFILE. --profile and "
	    "--json "
	    "may stand\n"
	    "before the command or behind it.\n\n"
	    "exit status: 0 done, 2 usage, 3 refused by the order, 4 the vault is sealed,\n"
	    "5 verification failed, 6 incomplete, 7 waiting for others' signatures, 1 anything "
	    "else\n");
}

size_t
us_overview_print_of(FILE *to, const char *word)
{
	struct us_command_place p = { 0 };
	const struct us_command *c;
	size_t n = strlen(word), found = 0;

	while ((c = next(&p)) != NULL)
		if (strncmp(c->name, word, n) == 0 && (c->name[n] == ' ' || c->name[n] == '\0')) {
			if (found++ == 0)
				us_print_to(to, "usage: underseal %s ...\n\n", word);
			print_command(to, c);
		}
	return found;
}

void
us_overview_complain(char **words, int n)
{
	struct us_command_place p = { 0 };
	const struct us_command *c;
	struct us_guess one = us_guess_of(us_bytes_of(words[0])), two, *nearest;
	char both[64];

	two_words(both, words, n);
	two = us_guess_of(us_bytes_of(both));
	while ((c = next(&p)) != NULL)
		us_guess_consider(strchr(c->name, ' ') == NULL ? &one : &two, c->name,
		    strlen(c->name));
	nearest = n > 1 && two.distance < one.distance ? &two : &one;
	if (us_guess_is_near(nearest))
		us_say("there is no command '%.*s': did you mean '%s'? 'underseal --help' lists "
		       "them",
		    (int)nearest->wanted.n, (const char *)nearest->wanted.p, nearest->best);
	else
		us_say("there is no command '%s'; 'underseal --help' lists them", words[0]);
}
