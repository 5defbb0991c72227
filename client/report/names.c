#include "client/report/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "base/array.h"
#include "base/guess.h"
#include "base/number.h"
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
		    us_grow_bare(&all->people, all->n_people, sizeof *all->people) != US_OK)
			return US_ERR_NOMEM;
		p = &all->people[all->n_people++];
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
		    us_grow_bare(&all->collections, all->n_collections, sizeof *all->collections) !=
			US_OK)
			return US_ERR_NOMEM;
		c = &all->collections[all->n_collections++];
		*c = (struct us_named_collection){ .id = id, .from = from };
	}
	all->changes++;
	err = set_text(&c->name, name);
	return err == US_OK ? set_text(&c->prefix, prefix) : err;
}

void
us_names_saw_person(struct us_names *all, uint32_t person)
{
	if (person > all->highest)
		all->highest = person;
}

static int
add_party(struct us_names *all, struct us_bytes party)
{
	char *text;

	for (size_t i = 0; i < all->n_parties; i++)
		if (us_bytes_is(party, all->parties[i]))
			return US_OK;
	if (party.n == 0)
		return US_OK;
	if (all->n_parties >= LISTS_MAX ||
	    us_grow_bare(&all->parties, all->n_parties, sizeof *all->parties) != US_OK ||
	    (text = text_of(party)) == NULL)
		return US_ERR_NOMEM;
	all->parties[all->n_parties++] = text;
	return US_OK;
}

int
us_names_add_parties(struct us_names *all, const struct us_bytes *parties, size_t n)
{
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < n; i++)
		err = add_party(all, parties[i]);
	return err;
}

void
us_names_add_records(struct us_names *all, uint32_t collection, uint64_t records)
{
	for (size_t i = 0; i < all->n_collections; i++)
		if (all->collections[i].id == collection && all->collections[i].records < records)
			all->collections[i].records = records;
}

int
us_names_add_credential(struct us_names *all, uint32_t person, struct us_bytes certificate)
{
	struct us_named_credential c = { .person = person };

	if (certificate.n == 0 || us_cert_fingerprint(certificate, c.fingerprint) != US_OK ||
	    us_names_holder(all, c.fingerprint) != 0)
		return US_OK;
	if (us_grow_bare(&all->credentials, all->n_credentials, sizeof *all->credentials) != US_OK)
		return US_ERR_NOMEM;
	all->credentials[all->n_credentials++] = c;
	return US_OK;
}

uint32_t
us_names_holder(const struct us_names *all, const uint8_t credential[32])
{
	for (size_t i = 0; i < all->n_credentials; i++)
		if (memcmp(all->credentials[i].fingerprint, credential, 32) == 0)
			return all->credentials[i].person;
	return 0;
}

static int
list_parties(struct us_names *all, const cJSON *person)
{
	const cJSON *party;
	int err = US_OK;

	cJSON_ArrayForEach(party, cJSON_GetObjectItemCaseSensitive(person, "parties"))
		if (err == US_OK && cJSON_IsString(party))
			err = add_party(all, us_bytes_of(party->valuestring));
	return err;
}

int
us_names_lists(struct us_names *all, const cJSON *people, const cJSON *collections)
{
	const cJSON *item;
	int err = US_OK;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(people, "items")) {
		if (err == US_OK)
			err = us_names_add_person(all, (uint32_t)us_json_number(item, "person", 0),
			    us_bytes_of(us_json_text(item, "name")), us_json_text(item, "capacity"),
			    US_NAME_LISTED);
		if (err == US_OK)
			err = list_parties(all, item);
	}
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
	for (size_t i = 0; i < all->n_parties; i++)
		free(all->parties[i]);
	free(all->people);
	free(all->collections);
	free(all->parties);
	free(all->credentials);
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

/* ---- what was asked for ---- */

/* what: "person"; where they are listed: "underseal person list". */
_Noreturn static void
no_such(const char *what, const struct us_guess *g, const char *where)
{
	if (us_guess_is_near(g))
		us_usage_error("there is no %s '%.*s': did you mean '%.*s'?", what,
		    (int)g->wanted.n, (const char *)g->wanted.p, (int)g->best_n, g->best);
	us_usage_error("there is no %s '%.*s'%s", what, (int)g->wanted.n, (const char *)g->wanted.p,
	    where);
}

/* "person 7", if no name of that number is known. */
static int
is_nameless(const struct us_names *all, const char *text)
{
	uint64_t number;

	return strncmp(text, "person ", 7) == 0 &&
	    us_number_parse(text + 7, strlen(text + 7), all->highest, &number) == US_OK &&
	    number > 0 && us_names_find_person(all, (uint32_t)number) == NULL;
}

static void
must_know_person(const struct us_names *all, const char *person)
{
	struct us_guess g = us_guess_of(us_bytes_of(person));

	for (size_t i = 0; i < all->n_people; i++) {
		if (strcmp(all->people[i].name, person) == 0)
			return;
		us_guess_consider(&g, all->people[i].name, strlen(all->people[i].name));
	}
	/* "Alice" is far from "Alice Attorney" by its letters */
	for (size_t i = 0; i < all->n_people && !us_guess_is_near(&g); i++)
		if (*person != '\0' && strcasestr(all->people[i].name, person) != NULL)
			us_usage_error("there is no person '%s': did you mean '%s'?", person,
			    all->people[i].name);
	if (!is_nameless(all, person))
		no_such("person", &g, "; 'underseal person list' shows who is");
}

static void
must_know_party(const struct us_names *all, const char *party)
{
	struct us_guess g = us_guess_of(us_bytes_of(party));

	for (size_t i = 0; i < all->n_parties; i++) {
		if (strcmp(all->parties[i], party) == 0)
			return;
		us_guess_consider(&g, all->parties[i], strlen(all->parties[i]));
	}
	no_such("party with people in it", &g, "; 'underseal person list' shows the parties");
}

void
us_names_must_know(const struct us_names *all, const char *person, const char *party)
{
	if (person != NULL)
		must_know_person(all, person);
	if (party != NULL)
		must_know_party(all, party);
}

void
us_names_no_collection(const struct us_names *all, const char *name, size_t n)
{
	struct us_guess g = us_guess_of((struct us_bytes){ (const uint8_t *)name, n });

	for (size_t i = 0; i < all->n_collections; i++)
		us_guess_consider(&g, all->collections[i].name, strlen(all->collections[i].name));
	if (!us_guess_is_near(&g))
		us_usage_error("neither the log nor the vault's list knows a collection %.*s",
		    (int)n, name);
	no_such("collection", &g, "");
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
