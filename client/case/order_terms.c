#include "client/case/order_terms.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "client/case/order_source.h"
#include "crypto/crypto.h"
#include "policy/compare/compare.h"

/* ---- made ---- */

static struct us_bytes
text_of(const cJSON *object, const char *member)
{
	return us_bytes_of(us_json_text(object, member));
}

/* The kind that a person of the registry is of; US_ERR_NOT_FOUND: takes no part now. */
static int
kind_of(struct us_comparison *c, const cJSON *person, size_t *out)
{
	const cJSON *parties = cJSON_GetObjectItemCaseSensitive(person, "parties"), *party;
	const struct us_bytes capacity = text_of(person, "capacity");
	struct us_compare_kind kind = { .n_parties = 0 };

	if (strcmp(us_json_text(person, "status"), "active") != 0)
		return US_ERR_NOT_FOUND;
	for (unsigned k = 1; k <= US_CAPACITY_LAST; k++)
		if (us_bytes_is(capacity, us_capacity_name(k)))
			kind.capacity = (enum us_capacity)k;
	cJSON_ArrayForEach(party, parties) {
		if (!cJSON_IsString(party) || kind.n_parties == US_PERSON_PARTIES)
			return US_ERR_FORMAT;
		kind.parties[kind.n_parties++] = us_bytes_of(party->valuestring);
	}
	return (unsigned)kind.capacity == 0 ? US_ERR_FORMAT : us_compare_add_kind(c, &kind, out);
}

static void
put_string(cJSON *array, struct us_bytes text)
{
	char *copy = strndup((const char *)text.p, text.n);

	if (copy == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	(void)cJSON_AddItemToArray(array, cJSON_CreateString(copy));
	free(copy);
}

/* One kind of people, and who is of it today. Returns how many. */
static int
put_kind(struct us_comparison *c, size_t at, const cJSON *people, cJSON *who)
{
	const struct us_compare_kind *kind = &c->kinds[at];
	cJSON *one = cJSON_CreateObject(), *list, *named;
	const cJSON *person;
	size_t of;

	(void)cJSON_AddStringToObject(one, "capacity", us_capacity_name((unsigned)kind->capacity));
	list = cJSON_AddArrayToObject(one, "parties");
	for (size_t p = 0; p < kind->n_parties; p++)
		put_string(list, kind->parties[p]);
	named = cJSON_AddArrayToObject(one, "people");
	cJSON_ArrayForEach(person, people)
		if (kind_of(c, person, &of) == US_OK && of == at)
			put_string(named, text_of(person, "name"));
	(void)cJSON_AddItemToArray(who, one);
	return cJSON_GetArraySize(named);
}

static void
put_change(struct us_comparison *c, const struct us_compare_change *change, const cJSON *people,
    cJSON *terms)
{
	cJSON *one = cJSON_CreateObject(), *list;
	int n = 0;

	(void)cJSON_AddStringToObject(one, "term", change->term);
	(void)cJSON_AddStringToObject(one, "title", change->title);
	(void)cJSON_AddStringToObject(one, "from", change->from);
	(void)cJSON_AddStringToObject(one, "to", change->to);
	list = cJSON_AddArrayToObject(one, "actions");
	for (unsigned a = 0; a < US_ACTIONS_MAX; a++)
		if (us_actions_has(change->actions, (enum us_action)a))
			put_string(list, us_bytes_of(us_action_row(a)->text));
	list = cJSON_AddArrayToObject(one, "collections");
	if (change->collection.n > 0)
		put_string(list, change->collection);
	list = cJSON_AddArrayToObject(one, "who");
	for (size_t k = 0; k < c->n_kinds; k++)
		if (change->kinds[k])
			n += put_kind(c, k, people, list);
	(void)cJSON_AddNumberToObject(one, "people", n);
	(void)cJSON_AddItemToArray(terms, one);
}

static void
add_terms(cJSON *diff, const struct us_order *const order[2], const cJSON *people)
{
	cJSON *terms = cJSON_AddArrayToObject(diff, "terms");
	struct us_comparison c = { 0 };
	const cJSON *person;
	size_t at;
	int err = US_OK;

	cJSON_ArrayForEach(person, people) {
		err = kind_of(&c, person, &at);
		if (err == US_ERR_NOMEM)
			break;
	}
	if (err != US_ERR_NOMEM)
		err = us_compare_orders(&c, order[0], order[1]);
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "the versions cannot be compared: %s", us_strerror(err));
	for (size_t i = 0; i < c.n_changes; i++)
		put_change(&c, &c.changes[i], people, terms);
	us_compare_free(&c);
}

/* The compiled form as the vault shows it; it must be one of the source that is shown. */
static int
decode_shown(const cJSON *version, const struct us_buf *source, struct us_order **out)
{
	const char *text = us_json_text(version, "compiled");
	struct us_buf compiled;
	uint8_t digest[32];
	int err;

	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	err = us_base64_take(&compiled, text, strlen(text));
	if (err == US_OK)
		err = us_order_decode(compiled.data, compiled.len, out);
	if (err == US_OK)
		err = us_sha256(source->data, source->len, digest);
	if (err == US_OK && memcmp(digest, (*out)->source_digest, sizeof digest) != 0)
		err = US_ERR_FORMAT;
	us_buf_free(&compiled);
	return err;
}

static int
fetch_version(struct us_client *client, uint32_t number, struct us_order **out)
{
	cJSON *version = NULL;
	struct us_buf source;
	int status = us_order_fetch(client, number, &version, &source);

	if (status == US_EXIT_DONE && decode_shown(version, &source, out) != US_OK) {
		us_say("VERIFICATION FAILED: the compiled form that the vault shows for version %u "
		       "is not of its source",
		    number);
		status = US_EXIT_UNVERIFIED;
	}
	us_buf_free(&source);
	cJSON_Delete(version);
	return status;
}

int
us_order_diff(struct us_client *client, uint32_t from, uint32_t to, cJSON **out)
{
	struct us_order *order[2] = { NULL, NULL };
	cJSON *people = NULL;
	char path[64];
	int status;

	(void)snprintf(path, sizeof path, "/v1/orders/%u/diff/%u", from, to);
	*out = NULL;
	status = us_client_get(client, path, out);
	if (status == US_EXIT_DONE)
		status = fetch_version(client, from, &order[0]);
	if (status == US_EXIT_DONE)
		status = fetch_version(client, to, &order[1]);
	if (status == US_EXIT_DONE)
		status = us_client_get(client, "/v1/people", &people);
	if (status == US_EXIT_DONE)
		add_terms(*out, (const struct us_order *const *)order,
		    cJSON_GetObjectItemCaseSensitive(people, "items"));
	if (status != US_EXIT_DONE) {
		cJSON_Delete(*out);
		*out = NULL;
	}
	us_order_free(order[0]);
	us_order_free(order[1]);
	cJSON_Delete(people);
	return status;
}

static struct us_order *
order_of_file(const char *path)
{
	static struct us_findings findings;
	struct us_buf source, compiled;
	struct us_order *order = NULL;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	if (us_file_read(path, US_ORDER_SOURCE_MAX, &source) != US_OK)
		us_give_up(US_EXIT_USAGE,
		    "'%s' is no number of a version, and no file that can be read as an order",
		    path);
	if (us_order_compile((struct us_bytes){ source.data, source.len }, &compiled, &findings) !=
		US_OK ||
	    us_order_decode(compiled.data, compiled.len, &order) != US_OK) {
		us_order_say_findings(path, &findings);
		us_give_up(US_EXIT_UNVERIFIED,
		    "%s cannot be compared: 'underseal order check' must be content with it", path);
	}
	us_buf_free(&source);
	us_buf_free(&compiled);
	return order;
}

cJSON *
us_order_diff_files(const char *from, const char *to)
{
	struct us_order *order[2] = { order_of_file(from), order_of_file(to) };
	cJSON *diff = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(diff, "from", from);
	(void)cJSON_AddStringToObject(diff, "to", to);
	add_terms(diff, (const struct us_order *const *)order, NULL);
	us_order_free(order[0]);
	us_order_free(order[1]);
	return diff;
}

/* ---- shown ---- */

static void
print(const char *text)
{
	us_print("%s", text);
}

static void
print_list(const cJSON *array)
{
	const cJSON *item;
	int n = 0;

	cJSON_ArrayForEach(item, array) {
		us_print("%s", n++ == 0 ? "" : ", ");
		print(cJSON_IsString(item) ? item->valuestring : "");
	}
}

static void
show_who(const cJSON *who, int verbose)
{
	const cJSON *one;
	int n = 0;

	cJSON_ArrayForEach(one, who) {
		const cJSON *parties = cJSON_GetObjectItemCaseSensitive(one, "parties"),
			    *people = cJSON_GetObjectItemCaseSensitive(one, "people");

		us_print("%s", n++ == 0 ? "; " : ", ");
		print(us_json_text(one, "capacity"));
		us_print("%s", cJSON_GetArraySize(parties) == 0 ? " of no party" : " of ");
		print_list(parties);
		if (cJSON_GetArraySize(people) == 0)
			continue;
		us_print(" (");
		if (verbose)
			print_list(people);
		else
			us_print("%d", cJSON_GetArraySize(people));
		us_print(")");
	}
}

void
us_order_show_terms(const cJSON *diff, int verbose)
{
	const cJSON *terms = cJSON_GetObjectItemCaseSensitive(diff, "terms"), *one;

	if (cJSON_GetArraySize(terms) == 0)
		us_print("limits, conditions, masks: nothing changes\n");
	cJSON_ArrayForEach(one, terms) {
		const cJSON *in = cJSON_GetObjectItemCaseSensitive(one, "collections");
		const double people = us_json_number(one, "people", 0);

		print(us_json_text(one, "title"));
		us_print(": ");
		print(us_json_text(one, "from"));
		us_print(" -> ");
		print(us_json_text(one, "to"));
		if (people > 0)
			us_print(", for %.0f %s", people, people > 1 ? "people" : "person");
		us_print("\n  ");
		print_list(cJSON_GetObjectItemCaseSensitive(one, "actions"));
		us_print("%s",
		    cJSON_GetArraySize(in) == 0 ? "; in collections without rules of their own" :
						  "; in ");
		print_list(in);
		show_who(cJSON_GetObjectItemCaseSensitive(one, "who"), verbose);
		us_print("\n");
	}
}
