/* People. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/core/lookup.h"
#include "base/err.h"
#include "base/time.h"
#include "client/core/commands.h"

#define ROSTER_MAX (1024u * 1024u)
#define ROSTER_COLUMNS 16

static int
compare_parties(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = n == 0 ? 0 : memcmp(x->p, y->p, n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static void
show_person(const cJSON *p)
{
	if (*us_json_text(p, "person_status") != '\0')
		printf("done: %s\n", us_json_text(p, "person_status"));
	else
		printf("entered as number %.0f: %s\n", us_json_number(p, "person", 0),
		    us_json_text(p, "status"));
	if (*us_json_text(p, "docket") != '\0')
		printf("waits in the docket as %s for a roster signer's signature\n",
		    us_json_text(p, "docket"));
}

static void
no_such_capacity(const char *capacity)
{
	char known[512] = "";
	size_t n = 0;

	for (unsigned c = 1; c <= US_CAPACITY_LAST && n < sizeof known; c++)
		n += (size_t)snprintf(known + n, sizeof known - n, "%s%s",
		    c == 1                   ? "" :
			c < US_CAPACITY_LAST ? ", " :
					       " or ",
		    us_capacity_name(c));
	us_usage_error("there is no capacity '%s': %s", capacity, known);
}

static int
add_person(struct us_client *client, const char *name, const char *capacity,
    const char *const *parties, size_t n)
{
	struct us_act *act = us_act_new(US_ACT_PERSON_ADD);

	if (n > US_PERSON_PARTIES)
		us_usage_error("a person can be of at most %d parties", US_PERSON_PARTIES);
	act->u.person_add.name = us_bytes_of(name);
	if (us_capacity_of(&act->u.person_add.capacity, capacity, strlen(capacity)) != US_OK)
		no_such_capacity(capacity);
	for (size_t i = 0; i < n; i++)
		act->u.person_add.parties[i] = us_bytes_of(parties[i]);
	act->u.person_add.n_parties = n;
	qsort(act->u.person_add.parties, n, sizeof act->u.person_add.parties[0], compare_parties);
	return us_finish_act(client, act, show_person);
}

/* One line of the roster: name,capacity,party[;party2]. Cells may be quoted (RFC 4180). Returns the
 * number of cells, cut in place. */
static size_t
split_csv(char *line, char **cell, size_t max)
{
	size_t n = 0;
	char *from = line, *to;

	while (n < max) {
		int quoted = *from == '"';

		cell[n++] = to = quoted ? ++from : from;
		for (; *from != '\0'; from++) {
			if (quoted && *from == '"' && from[1] == '"')
				from++;
			else if (quoted && *from == '"')
				quoted = 0, from++;
			if (!quoted && (*from == ',' || *from == '\0'))
				break;
			*to++ = *from;
		}
		if (*from == '\0') {
			*to = '\0';
			break;
		}
		from++;
		*to = '\0';
	}
	return n;
}

static int
add_roster(struct us_client *client, const char *path)
{
	const char *parties[US_PERSON_PARTIES];
	int status = US_EXIT_DONE, one;
	char *line, *save = NULL, *save2, *cell[ROSTER_COLUMNS];
	struct us_buf text;

	us_buf_init(&text, ROSTER_MAX + 1);
	if (us_file_read(path, ROSTER_MAX, &text) != US_OK || us_buf_cstr(&text) == NULL)
		us_give_up(US_EXIT_OTHER, "cannot read %s", path);
	for (line = strtok_r((char *)text.data, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		size_t n = 0, cells = split_csv(line, cell, ROSTER_COLUMNS);

		if (cells == 3 && strcmp(cell[0], "name") == 0)
			continue; /* the header */
		if (cells != 3)
			us_give_up(US_EXIT_USAGE, "a line of %s is not name,capacity,party[;party]",
			    path);
		for (char *p = strtok_r(cell[2], ";", &save2); p != NULL && n < US_PERSON_PARTIES;
		     p = strtok_r(NULL, ";", &save2))
			parties[n++] = p;
		one = add_person(client, cell[0], cell[1], parties, n);
		if (one != US_EXIT_DONE && one != US_EXIT_PENDING) {
			us_say("stopped at %s: who stands above it has been added", cell[0]);
			us_buf_free(&text);
			return one;
		}
		status = one == US_EXIT_PENDING ? one : status;
	}
	us_buf_free(&text);
	return status;
}

static int
run_person_add(struct us_client *client, const struct us_args *args)
{
	const char *parties[US_VALUES_MAX], *roster = us_arg(args, "roster");
	size_t n = 0;

	if ((roster != NULL) == (args->n_operands > 0))
		us_usage_error("give either NAME or --roster FILE");
	if (roster != NULL)
		return add_roster(client, roster);
	while ((parties[n] = us_arg_nth(args, "party", n)) != NULL)
		n++;
	if (us_arg(args, "capacity") == NULL)
		us_usage_error("in which capacity? --capacity outside-counsel, …");
	return add_person(client, args->operand[0], us_arg(args, "capacity"), parties, n);
}

static void
show_people(const cJSON *document)
{
	static const char *const columns[] = { "person", "name", "capacity", "parties", "status" };

	us_print_table(cJSON_GetObjectItemCaseSensitive(document, "items"), columns, 5);
}

static int
run_person_list(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_client_get(client, "/v1/people", &document);

	(void)args;
	return us_finish(client, status, document, show_people);
}

static void
show_one_person(const cJSON *p)
{
	cJSON *rows = cJSON_CreateArray();
	static const char *const columns[] = { "person", "name", "capacity", "parties", "status" };

	(void)cJSON_AddItemReferenceToArray(rows, (cJSON *)(uintptr_t)p);
	us_print_table(rows, columns, 5);
	cJSON_Delete(rows);
	if (*us_json_text(p, "reason") != '\0')
		printf("reason: %s\n", us_json_text(p, "reason"));
}

static int
run_person_show(struct us_client *client, const struct us_args *args)
{
	cJSON *document = NULL;
	int status = us_get_named(client, "/v1/people/", args->operand[0], "", "person", &document);

	return us_finish(client, status, document, show_one_person);
}

static int
change_person(struct us_client *client, const struct us_args *args, enum us_act_type type)
{
	struct us_act *act = us_act_new(type);
	const char *reason = us_arg(args, "reason");

	if (reason == NULL)
		us_usage_error("why? --reason TEXT stands in the log");
	act->u.change.person = us_person_id(client, args->operand[0]);
	act->u.change.reason = us_bytes_of(reason);
	return us_finish_act(client, act, show_person);
}

static int
run_person_suspend(struct us_client *client, const struct us_args *args)
{
	return change_person(client, args, US_ACT_PERSON_SUSPEND);
}

static int
run_person_reinstate(struct us_client *client, const struct us_args *args)
{
	return change_person(client, args, US_ACT_PERSON_REINSTATE);
}

static int
run_person_end(struct us_client *client, const struct us_args *args)
{
	return change_person(client, args, US_ACT_PERSON_END);
}

static const struct us_option add_options[] = {
	{ "party", "P", "party the person belongs to (may be repeated)" },
	{ "capacity", "C", "outside-counsel, producer, auditor, administrator, …" },
	{ "roster", "FILE.csv", "many at once: lines name,capacity,party[;party]" },
};
static const struct us_option reason_options[] = { { "reason", "TEXT", "stands in the log" } };
const struct us_command us_commands_people[] = {
	{ "person add", "NAME --capacity C [--party P]... | --roster FILE.csv",
	    "enters people; they take effect when their party's roster signer has signed",
	    "underseal person add \"Ada Attorney\" --party plaintiffs --capacity outside-counsel",
	    add_options, 3, 0, 1, run_person_add },
	{ "person list", "", "everybody, with capacity, parties and status",
	    "underseal person list", NULL, 0, 0, 0, run_person_list },
	{ "person show", "NAME", "one person", "underseal person show \"Ada Attorney\"", NULL, 0, 1,
	    1, run_person_show },
	{ "person suspend", "NAME --reason TEXT", "stops a person at once, until reinstated",
	    "underseal person suspend \"Ada Attorney\" --reason \"left the firm?\"", reason_options,
	    1, 1, 1, run_person_suspend },
	{ "person reinstate", "NAME --reason TEXT", "ends a suspension",
	    "underseal person reinstate \"Ada Attorney\" --reason \"clarified\"", reason_options, 1,
	    1, 1, run_person_reinstate },
	{ "person end", "NAME --reason TEXT", "ends a person's part in the case, for good",
	    "underseal person end \"Ada Attorney\" --reason \"withdrew\"", reason_options, 1, 1, 1,
	    run_person_end },
	{ 0 },
};
