/* Questions about the order: may this person do that, and who may. */
#include <stdlib.h>
#include <string.h>

#include "client/core/table.h"
#include "base/array.h"
#include "client/core/commands.h"
#include "client/core/lookup.h"
#include "base/err.h"
#include "base/time.h"

/* ---- the question ---- */

static void
put_value(struct us_buf *path, const char *name, const char *value)
{
	if (us_buf_putf(path, "%c%s=", memchr(path->data, '?', path->len) == NULL ? '?' : '&',
		name) != US_OK ||
	    us_put_escaped(path, value) != US_OK)
		us_usage_error("the question is too long");
}

/* The record from the operands (none, or a collection and perhaps a Bates number), the action, the
 * moment. */
static int
ask(struct us_client *client, const struct us_args *args, struct us_buf *path, cJSON **answer)
{
	const int64_t at = us_arg_time(args, "at");
	char time[US_TIME_TEXT_SIZE];
	const char *text;
	int status;

	put_value(path, "action",
	    us_arg_needed(args, "action", "may they do what? Such as count, search, read, copy:"));
	if (args->n_operands > 0)
		put_value(path, "collection", args->operand[0]);
	if (args->n_operands > 1)
		put_value(path, "bates", args->operand[1]);
	if (at != 0)
		put_value(path, "at", us_time_format(at, time));
	text = us_buf_cstr(path);
	if (text == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	status = us_client_get(client, text, answer);
	us_buf_free(path);
	return status;
}

/* ---- explain ---- */

static void
print_line(const cJSON *object, const char *member, const char *label)
{
	const char *text = us_json_text(object, member);

	if (*text == '\0')
		return;
	us_print("%-10s ", label);
	us_print("%s", text);
	us_print("\n");
}

/* The rule by its id, or by its number where it has none. */
static void
print_rule(const cJSON *object)
{
	const cJSON *rule = cJSON_GetObjectItemCaseSensitive(object, "rule");

	if (cJSON_IsNumber(rule))
		us_print("%.0f", rule->valuedouble);
	else
		us_print("%s", us_json_text(object, "rule"));
}

static void
print_joined(const char *label, const cJSON *array)
{
	const cJSON *item;
	int n = 0;

	cJSON_ArrayForEach(item, array) {
		const char *text = cJSON_IsObject(item) ? us_json_text(item, "condition") :
							  cJSON_GetStringValue(item);

		if (text == NULL)
			continue;
		us_print("%s", n++ == 0 ? label : ", ");
		us_print("%s", text);
		if (*us_json_text(item, "cure") != '\0') {
			us_print(" (");
			us_print("%s", us_json_text(item, "cure"));
			us_print(")");
		}
	}
	if (n > 0)
		us_print("\n");
}

/* What the rule does to this request. */
static const char *
effect_of(const cJSON *c)
{
	static const struct {
		const char *stands, *text;
	} names[] = {
		{ "permit", "permits this" },
		{ "forbid", "forbids this" },
		{ "excludes", "takes its records out of what is seen" },
	};

	for (size_t i = 0; i < US_COUNT(names); i++)
		if (strcmp(us_json_text(c, "stands"), names[i].stands) == 0)
			return names[i].text;
	return strcmp(us_json_text(c, "effect"), "forbid") == 0 ? "does not forbid this" :
								  "does not permit this";
}

/* A rule about something else in one line; the others with their conditions. */
static void
print_condition(const cJSON *c)
{
	const cJSON *misses = cJSON_GetObjectItemCaseSensitive(c, "misses");

	us_print("rule ");
	print_rule(c);
	us_print(", paragraph ");
	us_print("%s", us_json_text(c, "paragraph"));
	if (cJSON_GetArraySize(misses) > 0) {
		print_joined(": is about another ", misses);
		return;
	}
	us_print(": %s\n", effect_of(c));
	print_joined("  fulfilled: ", cJSON_GetObjectItemCaseSensitive(c, "holds"));
	print_joined("  fails: ", cJSON_GetObjectItemCaseSensitive(c, "fails"));
}

static void
show_explanation(const cJSON *e)
{
	const cJSON *visible = cJSON_GetObjectItemCaseSensitive(e, "visible"), *c;

	print_line(e, "decision", "decision");
	if (strcmp(us_json_text(e, "reason"), "none") != 0)
		print_line(e, "reason", "reason");
	if (cJSON_GetObjectItemCaseSensitive(e, "rule") != NULL &&
	    !cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(e, "rule"))) {
		us_print("%-10s ", "rule");
		print_rule(e);
		us_print("\n");
	}
	print_line(e, "paragraph", "paragraph");
	print_line(e, "cure", "would help");
	print_line(e, "at", "at");
	if (us_json_number(e, "order", 0) > 0)
		us_print("%-10s version %.0f\n", "order", us_json_number(e, "order", 0));
	print_line(e, "standing", "standing");
	if (cJSON_IsBool(visible))
		us_print("%-10s %s\n", "record",
		    cJSON_IsTrue(visible) ? "can be seen" : "cannot be seen");
	print_joined("assumed    ", cJSON_GetObjectItemCaseSensitive(e, "assumed"));
	print_joined("not asked  ", cJSON_GetObjectItemCaseSensitive(e, "not_asked"));
	us_print("\n");
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(e, "conditions"))
		print_condition(c);
}

static int
run_explain(struct us_client *client, const struct us_args *args)
{
	cJSON *answer = NULL;
	struct us_buf path;
	int status;

	us_buf_init(&path, 4096);
	if (us_buf_putf(&path, "/v1/order/explain") != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	put_value(&path, "person", us_arg_needed(args, "person", "who?"));
	status = ask(client, args, &path, &answer);
	return us_finish(client, status, answer, show_explanation);
}

/* ---- who ---- */

static void
show_who(const cJSON *answer)
{
	static const char *const columns[] = { "person", "name", "decision", "reason",
		"paragraph" };

	us_print("%s: %s\n", us_json_text(answer, "record"), us_json_text(answer, "action"));
	us_print_table(cJSON_GetObjectItemCaseSensitive(answer, "people"), columns, 5);
}

static int
run_who(struct us_client *client, const struct us_args *args)
{
	cJSON *answer = NULL;
	struct us_buf path;
	int status;

	us_buf_init(&path, 4096);
	if (us_buf_putf(&path, "/v1/order/who") != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	status = ask(client, args, &path, &answer);
	return us_finish(client, status, answer, show_who);
}

static const struct us_option explain_options[] = {
	{ "person", "NAME", "who" },
	{ "action", "ACTION", "what: count, search, read, copy, match, audit-list, …" },
	{ "at", "TIME", "as it was then (now)" },
};
static const struct us_option who_options[] = {
	{ "action", "ACTION", "what: count, search, read, copy, match, …" },
	{ "at", "TIME", "as it was then (now)" },
};

const struct us_command us_commands_order_ask[] = {
	{ "order explain", "--person NAME --action ACTION [--at TIME] [COLLECTION BATES]",
	    "may a person do something, by which rule and paragraph, and what would help",
	    "underseal order explain --person \"Ada Attorney\" --action copy logs OAI000000017 "
	    "--at 2026-03-03T10:00:00Z",
	    explain_options, 3, 0, 2, run_explain },
	{ "order who", "COLLECTION BATES --action ACTION [--at TIME]",
	    "who may do something with a record, or might have then",
	    "underseal order who logs OAI000000017 --action read", who_options, 2, 2, 2, run_who },
	{ 0 },
};
