/* People. */
#include <stdlib.h>
#include <string.h>

#include "client/core/table.h"
#include "client/case/roster.h"
#include "base/err.h"
#include "base/time.h"
#include "client/core/commands.h"

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
		us_print("done: %s\n", us_json_text(p, "person_status"));
	else
		us_print("entered as number %.0f: %s\n", us_json_number(p, "person", 0),
		    us_json_text(p, "status"));
	if (*us_json_text(p, "docket") != '\0')
		us_print("waits in the docket as %s for a roster signer's signature\n",
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
add_person(struct us_client *client, const struct us_roster_person *p)
{
	struct us_act *act = us_act_new(US_ACT_PERSON_ADD);

	act->u.person_add.name = us_bytes_of(p->name);
	act->u.person_add.capacity = p->capacity;
	for (size_t i = 0; i < p->n_parties; i++)
		act->u.person_add.parties[i] = us_bytes_of(p->parties[i]);
	act->u.person_add.n_parties = p->n_parties;
	qsort(act->u.person_add.parties, p->n_parties, sizeof act->u.person_add.parties[0],
	    compare_parties);
	return us_finish_act(client, act, show_person);
}

/* Whether the person who is entered has that capacity and those parties. */
static int
is_same(const cJSON *entered, const struct us_roster_person *p)
{
	const cJSON *parties = cJSON_GetObjectItemCaseSensitive(entered, "parties"), *party;
	size_t same = 0;

	cJSON_ArrayForEach(party, parties)
		for (size_t i = 0; i < p->n_parties; i++)
			same += cJSON_IsString(party) &&
			    strcmp(party->valuestring, p->parties[i]) == 0;
	return strcmp(us_json_text(entered, "capacity"), us_capacity_name(p->capacity)) == 0 &&
	    same == p->n_parties && (size_t)cJSON_GetArraySize(parties) == p->n_parties;
}

/* *there: 1 if there is such a person already, who is the same; a usage error if there is another
 * of that name. where: what precedes it, as "roster.csv: line 3: ". */
static int
look_for(struct us_client *client, const struct us_roster_person *p, const char *where, int *there)
{
	cJSON *entered = NULL;
	int status = us_find_named(client, "/v1/people/", p->name, &entered);

	*there = status == US_EXIT_DONE && entered != NULL;
	if (*there && !is_same(entered, p))
		us_usage_error("%s%s is entered already, as %s, of other parties or in another "
			       "capacity: see 'underseal person show'; one person is one entry for "
			       "all their parties",
		    where, p->name, us_json_text(entered, "capacity"));
	if (*there && strcmp(us_json_text(entered, "status"), "ended") == 0)
		us_usage_error("%s%s was entered and ended, for good: enter them under a name "
			       "that tells the two apart",
		    where, p->name);
	cJSON_Delete(entered);
	return status;
}

/* All of them: nothing is done before each line has been looked at. */
static int
add_people(struct us_client *client, const struct us_roster *roster, const char *path)
{
	int status = US_EXIT_DONE, one = US_EXIT_DONE;
	uint8_t *there = calloc(roster->n, 1);
	size_t skipped = 0;
	char where[512];

	if (there == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (size_t i = 0; i < roster->n && one == US_EXIT_DONE; i++) {
		int is_there;

		(void)snprintf(where, sizeof where, "%s: line %u: ", path, roster->people[i].line);
		one = look_for(client, &roster->people[i], where, &is_there);
		there[i] = is_there != 0;
		skipped += there[i];
	}
	for (size_t i = 0; i < roster->n && (one == US_EXIT_DONE || one == US_EXIT_PENDING); i++) {
		const struct us_roster_person *p = &roster->people[i];

		if (there[i])
			continue;
		one = add_person(client, p);
		if (one != US_EXIT_DONE && one != US_EXIT_PENDING)
			us_say("%s: line %u: %s was not entered; who stands above is. Mend the "
			       "line "
			       "and give the file again: who is there is left alone",
			    path, p->line, p->name);
		status = one == US_EXIT_PENDING ? one : status;
	}
	free(there);
	if (one != US_EXIT_DONE && one != US_EXIT_PENDING)
		return one;
	us_say("%zu entered, %zu there already", roster->n - skipped, skipped);
	return status;
}

static int
add_roster(struct us_client *client, const char *path)
{
	struct us_roster roster;
	char why[US_ROSTER_WHY];
	struct us_buf text;
	int status;

	us_buf_init(&text, US_ROSTER_MAX);
	if (us_file_read(path, US_ROSTER_MAX, &text) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read %s, or it is larger than %u bytes", path,
		    US_ROSTER_MAX);
	if (us_buf_put_u8(&text, 0) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (us_roster_parse(&roster, (char *)text.data, text.len - 1, why) != US_OK)
		us_give_up(US_EXIT_USAGE, "%s: %s; nobody was entered", path, why);
	status = add_people(client, &roster, path);
	us_roster_free(&roster);
	us_buf_free(&text);
	return status;
}

static int
add_one(struct us_client *client, struct us_roster_person *p)
{
	int there, status = look_for(client, p, "", &there);

	if (status != US_EXIT_DONE || !there)
		return status == US_EXIT_DONE ? add_person(client, p) : status;
	us_say("%s is there already, with that capacity and those parties", p->name);
	return US_EXIT_DONE;
}

static int
run_person_add(struct us_client *client, const struct us_args *args)
{
	struct us_roster_person p = { .name = args->n_operands > 0 ? args->operand[0] : NULL };
	const char *roster = us_arg(args, "roster"), *capacity = us_arg(args, "capacity"), *party;

	if ((roster != NULL) == (args->n_operands > 0))
		us_usage_error("give either NAME or --roster FILE");
	if (roster != NULL)
		return add_roster(client, roster);
	for (size_t n = 0; (party = us_arg_nth(args, "party", n)) != NULL; n++) {
		if (n == US_PERSON_PARTIES)
			us_usage_error("a person can be of at most %d parties", US_PERSON_PARTIES);
		p.parties[p.n_parties++] = party;
	}
	if (capacity == NULL)
		us_usage_error("in which capacity? --capacity outside-counsel, …");
	if (us_capacity_of(&p.capacity, capacity, strlen(capacity)) != US_OK)
		no_such_capacity(capacity);
	return add_one(client, &p);
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
		us_print("reason: %s\n", us_json_text(p, "reason"));
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
	{ "roster", "FILE.csv",
	    "many at once: lines name,capacity,party[;party]; who is there is left alone" },
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
