#include "client/report/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/core/show.h"
#include "base/err.h"

#define LISTS_MAX 1048576 /* people or collections of one vault */

static char *
text_of(struct us_bytes text)
{
	char *copy = malloc(text.n + 1);

	if (copy != NULL) {
		if (text.n > 0)
			memcpy(copy, text.p, text.n);
		copy[text.n] = '\0';
	}
	return copy;
}

/* Replaces a text; US_ERR_NOMEM leaves it. */
static int
set_text(char **to, struct us_bytes text)
{
	char *copy = text_of(text);

	if (copy == NULL)
		return US_ERR_NOMEM;
	free(*to);
	*to = copy;
	return US_OK;
}

/* Whether a name from there stands before the one that is known, which notes that it was said. */
static int
replaces(int *known, int from)
{
	const int first = *known == US_NAME_LISTED && from != US_NAME_LISTED;

	*known |= from;
	return first;
}

int
us_names_add_person(struct us_names *all, uint32_t id, struct us_bytes name, const char *capacity,
    int from)
{
	const struct us_bytes role = us_bytes_of(capacity == NULL ? "" : capacity);
	struct us_named_person *p = NULL;
	int err;

	for (size_t i = 0; i < all->n_people && p == NULL; i++)
		if (all->people[i].id == id)
			p = &all->people[i];
	if (id == 0 || (p != NULL && !replaces(&p->from, from)))
		return US_OK;
	if (p == NULL) {
		if (all->n_people >= LISTS_MAX ||
		    (p = realloc(all->people, (all->n_people + 1) * sizeof *p)) == NULL)
			return US_ERR_NOMEM;
		all->people = p;
		p += all->n_people++;
		*p = (struct us_named_person){ .id = id, .from = from };
	}
	all->changes++;
	err = set_text(&p->name, name);
	return err == US_OK ? set_text(&p->capacity, role) : err;
}

int
us_names_add_collection(struct us_names *all, uint32_t id, struct us_bytes name,
    struct us_bytes prefix, int from)
{
	struct us_named_collection *c = NULL;
	int err;

	for (size_t i = 0; i < all->n_collections && c == NULL; i++)
		if (all->collections[i].id == id)
			c = &all->collections[i];
	if (id == 0 || (c != NULL && !replaces(&c->from, from)))
		return US_OK;
	if (c == NULL) {
		if (all->n_collections >= LISTS_MAX ||
		    (c = realloc(all->collections, (all->n_collections + 1) * sizeof *c)) == NULL)
			return US_ERR_NOMEM;
		all->collections = c;
		c += all->n_collections++;
		*c = (struct us_named_collection){ .id = id, .from = from };
	}
	all->changes++;
	err = set_text(&c->name, name);
	return err == US_OK ? set_text(&c->prefix, prefix) : err;
}

int
us_names_lists(struct us_names *all, const cJSON *people, const cJSON *collections)
{
	const cJSON *item;
	int err = US_OK;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(people, "items"))
		if (err == US_OK)
			err = us_names_add_person(all, (uint32_t)us_json_number(item, "person", 0),
			    us_bytes_of(us_json_text(item, "name")), us_json_text(item, "capacity"),
			    US_NAME_LISTED);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(collections, "items"))
		if (err == US_OK)
			err = us_names_add_collection(all,
			    (uint32_t)us_json_number(item, "collection", 0),
			    us_bytes_of(us_json_text(item, "name")),
			    us_bytes_of(us_json_text(item, "bates_prefix")), US_NAME_LISTED);
	return err;
}

void
us_names_free(struct us_names *all)
{
	for (size_t i = 0; i < all->n_people; i++) {
		free(all->people[i].name);
		free(all->people[i].capacity);
	}
	for (size_t i = 0; i < all->n_collections; i++) {
		free(all->collections[i].name);
		free(all->collections[i].prefix);
	}
	free(all->people);
	free(all->collections);
	memset(all, 0, sizeof *all);
}

const struct us_named_person *
us_names_find_person(const struct us_names *all, uint32_t person)
{
	for (size_t i = 0; i < all->n_people; i++)
		if (all->people[i].id == person)
			return &all->people[i];
	return NULL;
}

const char *
us_names_person(const struct us_names *all, uint32_t person, char out[32])
{
	const struct us_named_person *p = us_names_find_person(all, person);

	if (person == 0)
		return "";
	if (p != NULL)
		return p->name;
	(void)snprintf(out, 32, "person %u", (unsigned)person);
	return out;
}

const struct us_named_collection *
us_names_find_collection(const struct us_names *all, uint32_t collection)
{
	for (size_t i = 0; i < all->n_collections; i++)
		if (all->collections[i].id == collection)
			return &all->collections[i];
	return NULL;
}

const struct us_named_collection *
us_names_find_collection_named(const struct us_names *all, const char *name, size_t n)
{
	const struct us_named_collection *found = NULL;

	for (size_t i = 0; i < all->n_collections; i++) {
		const struct us_named_collection *c = &all->collections[i];

		if ((found == NULL ||
			(found->from == US_NAME_LISTED && c->from != US_NAME_LISTED)) &&
		    strlen(c->name) == n && memcmp(c->name, name, n) == 0)
			found = c;
	}
	return found;
}

size_t
us_names_from_lists(const struct us_names *all, int verified)
{
	const int good = US_NAME_LOGGED | (verified ? US_NAME_BESIDE : 0);
	size_t n = 0;

	for (size_t i = 0; i < all->n_people; i++)
		n += (all->people[i].from & US_NAME_LISTED) && !(all->people[i].from & good);
	for (size_t i = 0; i < all->n_collections; i++)
		n += (all->collections[i].from & US_NAME_LISTED) &&
		    !(all->collections[i].from & good);
	return n;
}
