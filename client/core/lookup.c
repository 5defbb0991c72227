#include "client/core/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/named.h"
#include "client/core/when.h"
#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

#define QUERY_MAX 65536

struct us_act *
us_act_new(enum us_act_type type)
{
	struct us_act *act = calloc(1, sizeof *act);

	if (act == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	act->type = type;
	return act;
}

static void
named_path(struct us_buf *path, const char *prefix, const char *name, const char *suffix)
{
	us_buf_init(path, 4096);
	if (*name == '\0' || us_buf_putf(path, "%s", prefix) != US_OK ||
	    us_put_escaped(path, name) != US_OK || us_buf_putf(path, "%s", suffix) != US_OK ||
	    us_buf_cstr(path) == NULL)
		us_usage_error("the name is empty or too long");
}

int
us_find_named(struct us_client *client, const char *prefix, const char *name, cJSON **out)
{
	struct us_buf path;
	int status;

	named_path(&path, prefix, name, "");
	status = us_client_find(client, us_buf_cstr(&path), out);
	us_buf_free(&path);
	return status;
}

int
us_get_named(struct us_client *client, const char *prefix, const char *name, const char *suffix,
    const char *what, cJSON **out)
{
	struct us_buf path;
	int status;

	named_path(&path, prefix, name, suffix);
	status = what == NULL ? us_client_get(client, us_buf_cstr(&path), out) :
				us_client_get_one(client, us_buf_cstr(&path), what, out);
	us_buf_free(&path);
	return status;
}

/* What was asked for must be answered for that, by name or by number: the act will say the number
 * alone. */
static void
check_named(const char *asked, const cJSON *answered, const char *what)
{
	const char *name = us_json_text(answered, "name");
	uint64_t number;

	if (strcmp(asked, name) == 0 ||
	    (us_number_parse(asked, strlen(asked), UINT32_MAX, &number) == US_OK &&
		us_json_number(answered, what, -1) == (double)number))
		return;
	us_give_up(US_EXIT_UNVERIFIED,
	    "VERIFICATION FAILED: the %s '%s' was asked for, and '%s' is answered; nothing was "
	    "signed",
	    what, asked, name);
}

int
us_collection_find(struct us_client *client, const char *name, cJSON **out, uint32_t *number)
{
	int status = us_get_named(client, "/v1/collections/", name, "", "collection", out);

	if (status != US_EXIT_DONE)
		return status;
	check_named(name, *out, "collection");
	*number = us_named_collection(client, *out);
	return US_EXIT_DONE;
}

uint32_t
us_person_id(struct us_client *client, const char *name)
{
	cJSON *person = NULL;
	int status = us_get_named(client, "/v1/people/", name, "", "person", &person);
	uint32_t id;

	if (status != US_EXIT_DONE)
		exit(status);
	check_named(name, person, "person");
	id = (uint32_t)us_json_number(person, "person", 0);
	us_named_add(client, US_NAMED_PERSON, id, us_json_text(person, "name"));
	cJSON_Delete(person);
	return id;
}

uint32_t
us_collection_id(struct us_client *client, const char *name)
{
	cJSON *collection = NULL;
	uint32_t id;
	int status = us_collection_find(client, name, &collection, &id);

	if (status != US_EXIT_DONE)
		exit(status);
	cJSON_Delete(collection);
	return id;
}

int64_t
us_arg_time(const struct us_args *args, const char *name)
{
	const char *text = us_arg(args, name);
	int64_t ns = 0;

	if (text != NULL && us_when_parse(text, us_time_now_ns(), US_WHEN_BEGINS, &ns) != US_OK)
		us_usage_error("--%s takes " US_WHEN_FORMS, name);
	return ns;
}

const char *
us_arg_needed(const struct us_args *args, const char *name, const char *why)
{
	const char *text = us_arg(args, name);

	if (text == NULL || *text == '\0')
		us_usage_error("%s --%s", why, name);
	return text;
}

uint32_t
us_filing_number(const char *text, const char *kind)
{
	size_t n = strlen(kind);
	const char *digits = strncmp(text, kind, n) == 0 && text[n] == '-' ? text + n + 1 : text;
	uint64_t number;

	if (us_number_parse(digits, strlen(digits), UINT32_MAX, &number) != US_OK || number == 0)
		us_usage_error("'%s' is not like %s-2; 'underseal docket list' shows the ids", text,
		    kind);
	return (uint32_t)number;
}

void
us_filing_id(const char *text, const char *kind, char out[US_DOCKET_ID_MAX + 1])
{
	(void)snprintf(out, US_DOCKET_ID_MAX + 1, "%s-%u", kind, us_filing_number(text, kind));
}

void
us_read_query(const char *operand, struct us_buf *query)
{
	us_buf_init(query, QUERY_MAX + 1);
	if (strcmp(operand, "-") == 0) {
		if (us_file_read("-", QUERY_MAX, query) != US_OK)
			us_usage_error("the query on standard input cannot be read or is too long");
		while (query->len > 0 && query->data[query->len - 1] == '\n')
			query->len--;
	} else if (us_buf_put(query, operand, strlen(operand)) != US_OK)
		us_usage_error("the query is longer than %d bytes", QUERY_MAX);
	if (us_buf_cstr(query) == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
}

uint32_t
us_batch_split(const char *id, char *collection)
{
	const char *slash = strrchr(id, '/');
	uint64_t slot;

	if (slash == NULL ||
	    us_number_digits(slash + 1, strlen(slash + 1), US_SLOT_MAX, &slot) != US_OK ||
	    (size_t)(slash - id) > US_COLLECTION_NAME_MAX)
		us_usage_error(
		    "a batch is named COLLECTION/NUMBER, as 'underseal batch list' shows");
	memcpy(collection, id, (size_t)(slash - id));
	collection[slash - id] = '\0';
	return (uint32_t)slot;
}

int
us_finish(struct us_client *client, int status, cJSON *answer, void (*show)(const cJSON *))
{
	int shown;

	if (status != US_EXIT_DONE && status != US_EXIT_PENDING)
		return status;
	shown = us_show(client, answer, show);
	return shown == US_EXIT_DONE ? status : shown;
}

int
us_finish_act(struct us_client *client, struct us_act *act, void (*show)(const cJSON *))
{
	cJSON *answer = NULL;
	const int status = us_client_act(client, act, &answer);

	free(act);
	return us_finish(client, status, answer, show);
}

void
us_print_members(const cJSON *object)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, object) {
		char *text = cJSON_IsString(member) ? NULL : cJSON_PrintUnformatted(member);
		const char *shown = text != NULL ? text : member->valuestring;

		if (cJSON_IsNull(member)) {
			cJSON_free(text);
			continue;
		}
		us_print("%-14s ", member->string);
		us_print("%s", shown);
		us_print("\n");
		cJSON_free(text);
	}
}

void
us_show_filed(const cJSON *answer)
{
	const char *id = us_json_text(answer, "docket");

	us_print("%s",
	    *us_json_text(answer, "status") == '\0' ? "done" : us_json_text(answer, "status"));
	if (*id != '\0')
		us_print(": %s", id);
	us_print("\n");
	if (strcmp(us_json_text(answer, "status"), "pending") == 0 && *id != '\0')
		us_print("others sign it with 'underseal docket sign %s'; 'underseal docket show "
			 "%s' "
			 "says who\n",
		    id, id);
}
