#include "client/evidence/selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"

/* ---- what is chosen ---- */

/* The collection's place in the choice, made if it is new. */
static struct us_chosen *
place_of(struct us_choice *choice, const cJSON *collection)
{
	const uint32_t id = (uint32_t)us_json_number(collection, "collection", 0);
	struct us_chosen *c;

	for (size_t i = 0; i < choice->n; i++)
		if (choice->items[i].collection == id)
			return &choice->items[i];
	if (us_grow_bare(&choice->items, choice->n, sizeof *choice->items) != US_OK)
		return NULL;
	c = &choice->items[choice->n++];
	memset(c, 0, sizeof *c);
	us_buf_init(&c->runs, US_SELECTION_BYTES);
	c->collection = id;
	(void)snprintf(c->name, sizeof c->name, "%s", us_json_text(collection, "name"));
	return c;
}

static int
add_record(struct us_chosen *c, uint64_t record)
{
	if (us_grow(&c->records, c->n, &c->room, sizeof *c->records) != US_OK)
		return US_ERR_NOMEM;
	c->records[c->n++] = record;
	return US_OK;
}

int
us_choice_add(struct us_choice *choice, const cJSON *collections, const char *bates)
{
	const cJSON *item;
	struct us_chosen *c;
	uint64_t record;
	size_t prefix;

	if (us_bates_split(us_bytes_of(bates), &prefix, &record) != US_OK)
		return US_ERR_FORMAT;
	cJSON_ArrayForEach(item, collections) {
		const char *own = us_json_text(item, "bates_prefix");

		if (strlen(own) != prefix || memcmp(own, bates, prefix) != 0)
			continue;
		c = place_of(choice, item);
		return c == NULL ? US_ERR_NOMEM : add_record(c, record);
	}
	return US_ERR_NOT_FOUND;
}

static int
compare_records(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
us_chosen_pack(struct us_chosen *c)
{
	size_t n = 0;

	us_buf_reset(&c->runs);
	if (c->is_batch)
		return US_OK;
	qsort(c->records, c->n, sizeof *c->records, compare_records);
	for (size_t i = 0; i < c->n; i++)
		if (n == 0 || c->records[n - 1] != c->records[i])
			c->records[n++] = c->records[i];
	c->n = n;
	return us_selection_pack(c->records, c->n, &c->runs, &c->n_runs);
}

void
us_choice_free(struct us_choice *choice)
{
	for (size_t i = 0; i < choice->n; i++) {
		free(choice->items[i].records);
		us_buf_free(&choice->items[i].runs);
	}
	free(choice->items);
	*choice = (struct us_choice){ NULL, 0 };
}

struct us_selection
us_chosen_selection(const struct us_chosen *c)
{
	return (struct us_selection){ .collection = c->collection,
		.is_batch = c->is_batch,
		.slot = c->slot,
		.n_runs = c->n_runs,
		.runs = { c->runs.data, c->runs.len } };
}

/* ---- scopes ---- */

int
us_scope_parse(const char *text, struct us_scope *out)
{
	static const struct {
		const char *name;
		enum us_freeze_scope scope;
		enum us_scope_by by;
	} kinds[] = {
		{ "party", US_FREEZE_PARTY, US_BY_NAME },
		{ "person", US_FREEZE_PERSON, US_BY_NAME },
		{ "collection", US_FREEZE_COLLECTION, US_BY_NAME },
		{ "query", US_FREEZE_RECORDS, US_BY_QUERY },
		{ "batch", US_FREEZE_RECORDS, US_BY_BATCH },
		{ "records", US_FREEZE_RECORDS, US_BY_BATES },
	};
	const char *colon = strchr(text, ':');

	if (strcmp(text, "all") == 0) {
		*out = (struct us_scope){ US_FREEZE_EVERYTHING, US_BY_NAME, "" };
		return US_OK;
	}
	for (size_t i = 0; colon != NULL && colon[1] != '\0' && i < US_COUNT(kinds); i++) {
		const size_t n = (size_t)(colon - text);

		if (strlen(kinds[i].name) != n || memcmp(kinds[i].name, text, n) != 0)
			continue;
		*out = (struct us_scope){ kinds[i].scope, kinds[i].by, colon + 1 };
		return US_OK;
	}
	return US_ERR_FORMAT;
}
