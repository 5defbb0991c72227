/* Choosing records with the vault's help: whose prefix a Bates number has, and what a query finds,
 * page after page. */
#include <stdlib.h>
#include <string.h>

#include "client/core/named.h"
#include "client/core/progress.h"
#include "client/core/lookup.h"
#include "client/evidence/selection.h"
#include "base/err.h"

#define PAGE_RECORDS 10000 /* the most that a search without snippets gives at once */

/* Adds a Bates number or ends the program with what is wrong about it. */
static void
add_or_end(struct us_choice *choice, const cJSON *collections, const char *bates)
{
	switch (us_choice_add(choice, collections, bates)) {
	case US_OK:
		return;
	case US_ERR_FORMAT:
		us_usage_error("'%s' is no Bates number: a collection's prefix and nine digits",
		    bates);
	case US_ERR_NOT_FOUND:
		us_usage_error("no collection has the Bates prefix of '%s'; see 'underseal "
			       "collection list'",
		    bates);
	default:
		us_give_up(US_EXIT_OTHER, "out of memory");
	}
}

static cJSON *
search_body(const char *query, const char *cursor, const char *purpose)
{
	cJSON *body = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(body, "query", query);
	(void)cJSON_AddNumberToObject(body, "limit", PAGE_RECORDS);
	(void)cJSON_AddFalseToObject(body, "snippets");
	if (*cursor != '\0')
		(void)cJSON_AddStringToObject(body, "after", cursor);
	if (purpose != NULL)
		(void)cJSON_AddStringToObject(body, "purpose", purpose);
	return body;
}

/* All that a query finds in one collection ("one" of the list), with progress. A search that lists
 * fewer than it counts must not pass for the whole: what is left out would go on being seen. */
static int
search_all(struct us_client *client, const cJSON *one, const struct us_choosing *how,
    const char *query, struct us_choice *out)
{
	const char *name = us_json_text(one, "name");
	struct us_progress progress;
	char cursor[1024] = "";
	cJSON *list = cJSON_CreateArray(), *page, *hit;
	double total = 0, found = 0;
	int status = US_EXIT_OTHER;
	struct us_buf path;

	(void)cJSON_AddItemReferenceToArray(list, (cJSON *)(uintptr_t)one);
	us_buf_init(&path, 1024);
	if (us_buf_putf(&path, "/v1/collections/") != US_OK ||
	    us_put_escaped(&path, name) != US_OK || us_buf_putf(&path, "/search") != US_OK ||
	    us_buf_cstr(&path) == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_progress_start(&progress, "records", 0);
	do {
		page = NULL;
		status = us_client_post(client, us_buf_cstr(&path),
		    search_body(query, cursor, how->purpose), &page);
		if (status != US_EXIT_DONE)
			break;
		total = us_json_number(page, "total", -1);
		if (*cursor == '\0')
			us_say_notes(page);
		cJSON_ArrayForEach(hit, cJSON_GetObjectItemCaseSensitive(page, "hits")) {
			add_or_end(out, list, us_json_text(hit, "bates"));
			found++;
		}
		us_progress_at(&progress, (uint64_t)found, (uint64_t)found);
		(void)snprintf(cursor, sizeof cursor, "%s", us_json_text(page, "next"));
		cJSON_Delete(page);
	} while (*cursor != '\0');
	us_progress_end(&progress);
	if (status == US_EXIT_DONE && total != found) {
		us_say("in %s the search finds %s, but lists %.0f: narrow it, or name Bates "
		       "numbers",
		    name, total < 0 ? "a number that is not told" : "other records too", found);
		status = US_EXIT_INCOMPLETE;
	}
	us_buf_free(&path);
	cJSON_Delete(list);
	return status;
}

/* A search that is refused in one of several collections stops everything: a choice that silently
 * lacks a collection is wrong. */
static int
choose_by_query(struct us_client *client, const cJSON *collections, const struct us_choosing *how,
    struct us_choice *out)
{
	int status = US_EXIT_DONE, known = 0;
	struct us_buf query;
	const cJSON *item;

	us_read_query(how->query, &query);
	cJSON_ArrayForEach(item, collections) {
		if (how->collection != NULL &&
		    strcmp(how->collection, us_json_text(item, "name")) != 0)
			continue;
		known = 1;
		status = search_all(client, item, how, us_buf_cstr(&query), out);
		if (status == US_EXIT_DONE)
			continue;
		us_say("the search in %s did not end well, so nothing was done",
		    us_json_text(item, "name"));
		if (how->collection == NULL && cJSON_GetArraySize(collections) > 1)
			us_say("--collection NAME searches in one alone");
		break;
	}
	us_buf_free(&query);
	if (!known)
		us_usage_error("there is no collection %s",
		    how->collection == NULL ? "yet" : how->collection);
	return status;
}

static void
choose_batch(const cJSON *collections, const char *batch, struct us_choice *out)
{
	char name[US_COLLECTION_NAME_MAX + 1];
	const uint32_t slot = us_batch_split(batch, name);
	const cJSON *item;

	out->items = calloc(1, sizeof *out->items);
	if (out->items == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	out->n = 1;
	us_buf_init(&out->items[0].runs, US_SELECTION_BYTES);
	out->items[0].is_batch = 1;
	out->items[0].slot = slot;
	memcpy(out->items[0].name, name, sizeof name);
	cJSON_ArrayForEach(item, collections)
		if (strcmp(us_json_text(item, "name"), name) == 0)
			out->items[0].collection = (uint32_t)us_json_number(item, "collection", 0);
	if (out->items[0].collection == 0)
		us_usage_error("there is no collection %s", name);
}

static int
pack_all(struct us_choice *out)
{
	for (size_t i = 0; i < out->n; i++) {
		struct us_chosen *c = &out->items[i];
		const int err = us_chosen_pack(c);

		if (err == US_ERR_LIMIT) {
			us_say("in %s that are more separate runs of records than one act can "
			       "hold: narrow the query, or go "
			       "batch by batch",
			    c->name);
			return US_EXIT_USAGE;
		}
		if (err != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot pack the records: %s", us_strerror(err));
		if (c->is_batch)
			us_say("the batch %s/%u", c->name, c->slot);
		else
			us_say("%zu record%s of %s", c->n, c->n == 1 ? "" : "s", c->name);
	}
	return US_EXIT_DONE;
}

int
us_choose(struct us_client *client, const struct us_choosing *how, struct us_choice *out)
{
	const int given = (how->bates != NULL) + (how->query != NULL) + (how->batch != NULL);
	cJSON *document = NULL, *collections, *item;
	int status;

	*out = (struct us_choice){ NULL, 0 };
	if (given != 1)
		us_usage_error("say which records in one way: by their Bates numbers, with "
			       "--query, or with --batch");
	status = us_client_get(client, "/v1/collections", &document);
	if (status != US_EXIT_DONE)
		return status;
	collections = cJSON_GetObjectItemCaseSensitive(document, "items");
	cJSON_ArrayForEach(item, collections)
		(void)us_named_collection(client, item);
	if (how->batch != NULL)
		choose_batch(collections, how->batch, out);
	else if (how->query != NULL)
		status = choose_by_query(client, collections, how, out);
	else
		cJSON_ArrayForEach(item, how->bates)
			add_or_end(out, collections, item->valuestring);
	if (status == US_EXIT_DONE)
		status = pack_all(out);
	if (status == US_EXIT_DONE && out->n == 0) {
		us_say("the query finds no record: nothing was done");
		status = US_EXIT_OTHER;
	}
	cJSON_Delete(document);
	return status;
}
